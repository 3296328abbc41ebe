//! One way of writing for everything that is compared, and the way back to what was typed.

use std::sync::LazyLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::span::ByteSpan;

/// A text in normal form that still knows the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    original: String,
    text: String,
    /// For every character of `text`, in order: its first byte there, and what it came from.
    origin: Vec<(usize, ByteSpan)>,
    emoji: Vec<String>,
}

/// One character of the text in the making, with the original bytes it stands for.
type Piece = (char, ByteSpan);

/// Rewrites a message or a line of knowledge into the form in which texts are compared.
///
/// Compatibility forms are unified (NFKC: full-width letters, circled digits), traditional characters
/// become simplified, letters lower case; control and zero-width characters vanish, blanks become one
/// space, a run of one punctuation mark becomes a single mark. Emoji, WeChat's bracketed ones included,
/// are taken out and kept in [`Normalised::emoji`].
///
/// Normalising the result again changes nothing.
///
/// ```
/// use yingda::text::normalise::normalise;
/// let text = normalise("這件ＡＢＣ多少錢？？？😀");
/// assert_eq!(text.as_str(), "这件abc多少钱?");
/// assert_eq!(text.emoji(), ["😀"]);
/// ```
#[must_use]
pub fn normalise(original: &str) -> Normalised {
    let mut emoji = Vec::new();
    let mut pieces = without_emoji(original, &mut emoji);
    // One rewriting may enable another (a removed joiner lets two characters combine), so go on until
    // nothing moves. Plain characters enable nothing, and nearly every message has no others. The bound only
    // guards against an unforeseen cycle.
    for _round in 0..8 {
        let next = rewrite(&pieces);
        let plain = pieces.iter().all(|(character, _)| is_plain(*character));
        let settled =
            plain || next.len() == pieces.len() && next.iter().zip(&pieces).all(|(a, b)| a.0 == b.0);
        pieces = next;
        if settled {
            break;
        }
    }
    let mut text = String::with_capacity(original.len());
    let mut origin = Vec::with_capacity(pieces.len());
    for (character, span) in pieces {
        origin.push((text.len(), span));
        text.push(character);
    }
    Normalised { original: original.to_owned(), text, origin, emoji }
}

impl Normalised {
    /// The text in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What was typed.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Emoji in the order in which they were typed; `[微笑]` and the like as they stand.
    #[must_use]
    pub fn emoji(&self) -> &[String] {
        &self.emoji
    }

    /// The bytes of the original that a span of the normal form came from.
    ///
    /// * `span`: inside [`Self::as_str`], on character borders.
    /// * Returns the smallest span of [`Self::original`] that covers it, on character borders; for an
    ///   empty span an empty one.
    #[must_use]
    pub fn to_original(&self, span: ByteSpan) -> ByteSpan {
        let first = self.origin.partition_point(|(start, _)| *start < span.start);
        let behind = self.origin.partition_point(|(start, _)| *start < span.end);
        match self.origin.get(first..behind) {
            Some([]) | None => {
                let at = self.origin.get(first).map_or(self.original.len(), |(_, origin)| origin.start);
                ByteSpan::new(at, at)
            }
            Some(covered) => ByteSpan::new(
                covered.iter().map(|(_, origin)| origin.start).min().unwrap_or(0),
                covered.iter().map(|(_, origin)| origin.end).max().unwrap_or(0),
            ),
        }
    }
}

fn without_emoji(original: &str, emoji: &mut Vec<String>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(original.len() / 3 + 1);
    let mut rest = 0;
    for found in BRACKETED_EMOJI.find_iter(original) {
        take_graphemes(original, ByteSpan::new(rest, found.start()), &mut pieces, emoji);
        emoji.push(found.as_str().to_owned());
        rest = found.end();
    }
    take_graphemes(original, ByteSpan::new(rest, original.len()), &mut pieces, emoji);
    pieces
}

fn take_graphemes(original: &str, part: ByteSpan, pieces: &mut Vec<Piece>, emoji: &mut Vec<String>) {
    for (offset, grapheme) in part.of(original).grapheme_indices(true) {
        if is_emoji(grapheme) {
            emoji.push(grapheme.to_owned());
            continue;
        }
        for (at, character) in grapheme.char_indices() {
            let start = part.start + offset + at;
            pieces.push((character, ByteSpan::new(start, start + character.len_utf8())));
        }
    }
}

/// Chinese characters and what a keyboard has: visible, no emoji, each a grapheme of its own. (A keycap is two
/// characters, the second of which is not plain.)
fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{3001}' | '\u{3002}' | '\u{4E00}'..='\u{9FFF}')
}

fn is_emoji(grapheme: &str) -> bool {
    // Nearly every grapheme is one Chinese character or letter; spare it the expression.
    let mut characters = grapheme.chars();
    match (characters.next(), characters.next()) {
        (None, _) => false,
        (Some(only), None) => !is_plain(only) && EMOJI.is_match(grapheme),
        (Some(_), Some(_)) => EMOJI.is_match(grapheme),
    }
}

fn rewrite(pieces: &[Piece]) -> Vec<Piece> {
    tidy(&simplified(&lower_case(&composed(&visible(pieces)))))
}

/// Drops what cannot be seen; line breaks and tabs become spaces.
fn visible(pieces: &[Piece]) -> Vec<Piece> {
    pieces
        .iter()
        .filter_map(|(character, span)| match character {
            c if c.is_whitespace() => Some((' ', *span)),
            c if is_plain(*c) => Some((*c, *span)),
            c if c.is_control() || INVISIBLE.is_match(c.encode_utf8(&mut [0; 4])) => None,
            c => Some((*c, *span)),
        })
        .collect()
}

/// NFKC by grapheme, so that each result knows the characters it came from.
fn composed(pieces: &[Piece]) -> Vec<Piece> {
    if pieces.iter().all(|(character, _)| is_plain(*character)) {
        return pieces.to_vec();
    }
    let text: String = pieces.iter().map(|(character, _)| *character).collect();
    let mut result = Vec::with_capacity(pieces.len());
    let mut at = 0;
    for grapheme in text.graphemes(true) {
        let n_chars = grapheme.chars().count();
        let from = &pieces[at..at + n_chars];
        at += n_chars;
        let span = ByteSpan::new(from[0].1.start, from[n_chars - 1].1.end);
        result.extend(grapheme.nfkc().map(|character| (character, span)));
    }
    result
}

fn lower_case(pieces: &[Piece]) -> Vec<Piece> {
    pieces
        .iter()
        .flat_map(|(character, span)| character.to_lowercase().map(move |lower| (lower, *span)))
        .collect()
}

/// Traditional to simplified with whole phrases in view (乾淨 but 乾隆). The converter swaps characters one
/// for one; where it should not, single characters are converted, so that the positions stay true.
fn simplified(pieces: &[Piece]) -> Vec<Piece> {
    if pieces.iter().all(|(character, _)| character.is_ascii()) {
        return pieces.to_vec();
    }
    let text: String = pieces.iter().map(|(character, _)| *character).collect();
    let converted = CONVERTER.convert(&text);
    if converted.chars().count() == pieces.len() {
        return converted.chars().zip(pieces).map(|(character, (_, span))| (character, *span)).collect();
    }
    let one = |character: char| CONVERTER.convert(character.encode_utf8(&mut [0; 4]));
    pieces
        .iter()
        .flat_map(|(character, span)| one(*character).chars().map(|c| (c, *span)).collect::<Vec<_>>())
        .collect()
}

/// Single spaces, none at the ends, and one mark instead of a run of the same mark.
fn tidy(pieces: &[Piece]) -> Vec<Piece> {
    let mut result: Vec<Piece> = Vec::with_capacity(pieces.len());
    for (character, span) in pieces {
        match result.last_mut() {
            None if *character == ' ' => {}
            Some((last, run)) if last == character && !character.is_alphanumeric() => run.end = span.end,
            _ => result.push((*character, *span)),
        }
    }
    if result.last().is_some_and(|(character, _)| *character == ' ') {
        result.pop();
    }
    result
}

static CONVERTER: LazyLock<OpenCC> = LazyLock::new(|| {
    OpenCC::from_config(BuiltinConfig::T2s).expect("the dictionary is compiled into the program")
});

/// Format characters (zero-width, direction marks), variation selectors, fillers, private use and the
/// like: nobody sees them.
static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[\p{Cf}\p{Co}\p{Cn}\p{Variation_Selector}\u{115F}\u{1160}\u{3164}\u{FFA0}\u{034F}\u{FFFD}\u{2800}]",
    )
    .expect("a fixed expression")
});

static EMOJI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{Extended_Pictographic}&&[^©®™‼⁉〰〽㊗㊙]]|\p{Regional_Indicator}|\u{20E3}")
        .expect("a fixed expression")
});

/// What WeChat's own client writes for its stickers in plain text.
static BRACKETED_EMOJI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\[(?:微笑|撇嘴|色|发呆|得意|流泪|害羞|闭嘴|睡|大哭|尴尬|发怒|调皮|呲牙|惊讶|难过|囧|抓狂|吐|偷笑|愉快|白眼|",
        r"傲慢|困|惊恐|憨笑|悠闲|咒骂|疑问|嘘|晕|衰|骷髅|敲打|再见|擦汗|抠鼻|鼓掌|坏笑|右哼哼|鄙视|委屈|快哭了|阴险|",
        r"亲亲|可怜|笑脸|生病|脸红|破涕为笑|恐惧|失望|无语|嘿哈|捂脸|奸笑|机智|皱眉|耶|吃瓜|加油|汗|天啊|Emm|社会社会|",
        r"旺柴|好的|打脸|哇|翻白眼|666|让我看看|叹气|苦涩|裂开|嘴唇|爱心|心碎|拥抱|强|弱|握手|胜利|抱拳|勾引|拳头|OK|",
        r"合十|啤酒|咖啡|蛋糕|玫瑰|凋谢|菜刀|炸弹|便便|月亮|太阳|庆祝|礼物|红包|发|福|烟花|爆竹|猪头|跳跳|发抖|转圈)\]"
    ))
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(original: &str, expected: &str) {
        assert_eq!(normalise(original).as_str(), expected, "{original:?}");
    }

    #[test]
    fn writes_everything_one_way() {
        check("ＡＢＣ１２３，．", "abc123,.");
        check("這個襯衫還有嗎", "这个衬衫还有吗");
        check("洗乾淨再退", "洗干净再退");
        check("退\u{200B}货\u{FEFF}\u{202E}吗", "退货吗");
        check("退\u{0007}\u{0002}货", "退货");
        check("  在 吗\r\n\t 急 ", "在 吗 急");
        check("在吗？？？！！！。。。", "在吗?!。");
        check("①②③", "123");
        check("5̈ｶﾞ", "5\u{308}ガ");
        check("哈哈哈哈", "哈哈哈哈");
        check("", "");
        check("\u{200B}", "");
    }

    #[test]
    fn emoji_are_a_signal_and_not_text() {
        let text = normalise("好的👌🏽谢谢[微笑]👨‍👩‍👧❤️1️⃣🇨🇳");
        assert_eq!(text.as_str(), "好的谢谢");
        assert_eq!(text.emoji(), ["👌🏽", "[微笑]", "👨‍👩‍👧", "❤️", "1️⃣", "🇨🇳"]);
        check("[ORDERID_1]到哪了", "[orderid_1]到哪了");
    }

    #[test]
    fn positions_lead_back_to_what_was_typed() {
        let text = normalise("我要😀退😀貨！！！ 谢");
        let start = text.as_str().find("退货").unwrap();
        let original = text.to_original(ByteSpan::new(start, start + "退货!".len()));
        assert_eq!(original.of(text.original()), "退😀貨！！！");
        let end = text.as_str().len();
        assert!(text.to_original(ByteSpan::new(end, end)).is_empty());
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}|[a-zA-Z0-9退貨換臺灣１２Ａ。！？\u{200d}\u{fe0f}\u{301}\u{1F600}\u{1100}-\u{11FF}\u{FF66}-\u{FF9F} \n]{0,30}") {
            let once = normalise(&text);
            let twice = normalise(once.as_str());
            prop_assert_eq!(once.as_str(), twice.as_str());
        }

        #[test]
        fn every_span_maps_to_character_borders(text in "[退貨Ａ。！\u{200d}\u{1F600}\u{301}a ]{0,20}") {
            let normal = normalise(&text);
            let borders: Vec<usize> = normal.as_str().char_indices().map(|(at, _)| at).chain([normal.as_str().len()]).collect();
            for pair in borders.windows(2) {
                let span = normal.to_original(ByteSpan::new(pair[0], pair[1]));
                prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                prop_assert!(!span.is_empty());
            }
        }
    }
}
