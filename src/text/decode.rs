//! Bytes to text, whatever program wrote the file.
//!
//! Spreadsheets saved by Chinese office programs come in GBK without any mark; reading them as UTF-8
//! would turn a whole FAQ into question marks.

use chardetng::EncodingDetector;
use chardetng::Iso2022JpDetection;
use chardetng::Utf8Detection;
use encoding_rs::BIG5;
use encoding_rs::Encoding;
use encoding_rs::GB18030;
use encoding_rs::GBK;
use encoding_rs::UTF_8;
use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;

/// A text and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without byte order mark.
    pub text: String,
    /// WHATWG name of the encoding that was used, such as `UTF-8` or `gb18030`.
    pub encoding: &'static str,
    /// Whether some bytes fitted no encoding and became U+FFFD.
    pub replaced: bool,
}

/// Reads bytes as UTF-8 (with or without mark), UTF-16 (with or without mark), GB18030 or Big5.
///
/// The order of trust: a byte order mark, then valid UTF-8, then zero bytes at every second place
/// (UTF-16), then GB18030 (of which GBK and GB2312 are parts), then Big5, then a statistical guess.
///
/// * `bytes`: any bytes, also none.
/// * Returns the text; `replaced` is set when bytes had to be given up, and a caller that must lose
///   nothing then refuses the file.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded {
    if let Some((encoding, _mark_bytes)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && !looks_like_utf16(bytes)
    {
        return Decoded { text: text.to_owned(), encoding: UTF_8.name(), replaced: false };
    }
    if looks_like_utf16(bytes) {
        return decode_as(utf16_without_mark(bytes), bytes);
    }
    let chinese = decode_as(GB18030, bytes);
    if plausible(&chinese) {
        return chinese;
    }
    // GB18030 gives nearly every pair of bytes some character; a foreign text shows by private-use ones.
    let traditional = decode_as(BIG5, bytes);
    if plausible(&traditional) {
        return traditional;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(Some(b"cn"), Utf8Detection::Allow);
    if guess == GBK { chinese } else { decode_as(guess, bytes) }
}

fn plausible(decoded: &Decoded) -> bool {
    !decoded.replaced && !decoded.text.contains(|c| ('\u{E000}'..='\u{F8FF}').contains(&c))
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, used, replaced) = encoding.decode(bytes);
    Decoded { text: text.into_owned(), encoding: used.name(), replaced }
}

/// Zero bytes in at least a tenth of the even or of the odd places: line ends, digits and commas in UTF-16.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return false;
    }
    let (even, odd) = zero_bytes(bytes);
    let tenth = (bytes.len() / 2).div_ceil(10);
    (even >= tenth) != (odd >= tenth)
}

fn utf16_without_mark(bytes: &[u8]) -> &'static Encoding {
    let (even, odd) = zero_bytes(bytes);
    if even > odd { UTF_16BE } else { UTF_16LE }
}

fn zero_bytes(bytes: &[u8]) -> (usize, usize) {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    (zeros(0), zeros(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "问题,答案\n怎么退货,七天内可以退货，请保留吊牌。\n运费谁出,质量问题我们承担。\n";

    #[track_caller]
    fn check(bytes: &[u8], encoding: &str) {
        let decoded = decode(bytes);
        assert_eq!(decoded.text, TABLE);
        assert_eq!(decoded.encoding, encoding);
        assert!(!decoded.replaced);
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn utf8_with_and_without_mark() {
        check(TABLE.as_bytes(), "UTF-8");
        check(&[&[0xEF, 0xBB, 0xBF], TABLE.as_bytes()].concat(), "UTF-8");
    }

    #[test]
    fn utf16_of_both_orders_with_and_without_mark() {
        check(&[&[0xFF, 0xFE][..], &utf16(TABLE, false)].concat(), "UTF-16LE");
        check(&[&[0xFE, 0xFF][..], &utf16(TABLE, true)].concat(), "UTF-16BE");
        check(&utf16(TABLE, false), "UTF-16LE");
        check(&utf16(TABLE, true), "UTF-16BE");
    }

    #[test]
    fn gb2312_gbk_and_gb18030() {
        check(&GBK.encode(TABLE).0, "gb18030");
        // 镕 is in GBK and not in GB2312; 𠮷 is in GB18030 alone.
        for text in ["朱镕基", "𠮷野家在哪里，几点关门"] {
            let decoded = decode(&GB18030.encode(text).0);
            assert_eq!((decoded.text.as_str(), decoded.replaced), (text, false));
        }
    }

    #[test]
    fn short_gbk_cells_stay_chinese() {
        for text in ["退货", "你好", "多少钱", "衬衫,199"] {
            assert_eq!(decode(&GBK.encode(text).0).text, text);
        }
    }

    #[test]
    fn big5_is_recognised_in_running_text() {
        let text = "請問這件襯衫有沒有黑色的，我想要退換貨，謝謝您的幫忙。";
        assert_eq!(decode(&BIG5.encode(text).0).text, text);
    }

    #[test]
    fn broken_bytes_are_reported() {
        assert!(decode(b"\xE9\x80\x80\xE8\xB4\xA7 ok ok ok \xFF\xFE\xFF trailing").replaced);
        assert_eq!(decode(b"").text, "");
    }
}
