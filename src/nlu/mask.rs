//! Telephone, order and parcel numbers and addresses in a text, made unreadable for whom they do not concern.

use std::sync::LazyLock;

use regex::Regex;

use crate::nlu::pattern;
use crate::nlu::slot::SlotName;
use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;

/// Letters of an address that stay: the city.
const PLACE_SHOWN: usize = 3;

/// Signs at the end of a number that stay, so that two can be told apart.
const END_SHOWN: usize = 4;

/// Letters from which on a place that was recognised is an address and no mere region.
const ADDRESS_CHARS_MIN: usize = 8;

/// Digits of a hotline: `4008206677`.
const HOTLINE_DIGITS: usize = 10;

/// Whether an entity tells who somebody is, or which order is theirs.
#[must_use]
pub fn is_personal(name: SlotName, words: &str) -> bool {
    match name {
        SlotName::Phone => !is_hotline(words),
        SlotName::OrderId | SlotName::TrackingNo => true,
        SlotName::Place => {
            words.chars().count() >= ADDRESS_CHARS_MIN || words.chars().any(|c| c.is_ascii_digit())
        }
        _ => false,
    }
}

/// The text with `known` and everything that has the form of a number or an address masked.
///
/// * `known`: personal entities that were recognised, in bytes of `text`; those out of range are passed over.
#[must_use]
pub fn mask(text: &str, known: &[ByteSpan]) -> String {
    let normal = normalise(text);
    let found = pattern::find(normal.as_str());
    let formed = found.iter().filter(|slot| is_personal(slot.name, slot.span.of(normal.as_str())));
    let other = [&*NUMBER, &*ADDRESS].into_iter().flat_map(|form| form.find_iter(normal.as_str()));
    let mut spans: Vec<ByteSpan> = formed
        .map(|slot| slot.span)
        .chain(other.map(|found| ByteSpan::new(found.start(), found.end())))
        .map(|span| normal.to_original(span))
        .filter(|span| !is_hotline(span.of(text)))
        .chain(known.iter().copied().filter(|span| text.get(span.start..span.end).is_some()))
        .filter(|span| !span.is_empty())
        .collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
    for span in spans {
        if span.end <= done {
            continue;
        }
        let start = span.start.max(done);
        masked.push_str(&text[done..start]);
        masked.push_str(&hidden(&text[start..span.end]));
        done = span.end;
    }
    masked.push_str(&text[done..]);
    masked
}

/// An id as people may see it who need not know whose it is: the last four signs of a long one.
///
/// ```
/// use yingda::nlu::mask::mask_id;
/// assert_eq!(mask_id("wmAAAABBBBCCCC"), "****CCCC");
/// assert_eq!(mask_id("zhangsan"), "****");
/// ```
#[must_use]
pub fn mask_id(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    // Of a short one, often a name, the end would tell most of it.
    let from = if chars.len() > 2 * END_SHOWN { chars.len() - END_SHOWN } else { chars.len() };
    format!("****{}", chars[from..].iter().collect::<String>())
}

/// What is shown in place of an entity.
fn hidden(words: &str) -> String {
    let chars: Vec<char> = words.chars().collect();
    let is_number = chars.iter().filter(|c| c.is_numeric()).count() * 2 > chars.len();
    if is_number {
        let end: String = chars[chars.len().saturating_sub(END_SHOWN)..].iter().collect();
        return format!("****{end}");
    }
    let start: String = chars.iter().take(PLACE_SHOWN.min(chars.len() / 2)).collect();
    format!("{start}****")
}

/// Numbers of companies are everybody's: ten digits from 400 or 800.
fn is_hotline(words: &str) -> bool {
    let digits = words.chars().filter(char::is_ascii_digit).count();
    digits == HOTLINE_DIGITS && (words.starts_with("400") || words.starts_with("800"))
}

/// Long numbers that the taxonomy's forms miss: a telephone in groups, another shop's order.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"1[3-9]\d[ -]\d{4}[ -]\d{4}|\d{8,}").expect("a fixed expression"));

/// A way down to a house: `南京西路88号3栋502室`, with or without city and district.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\p{Han}{2,8}?(?:省|自治区|市|区|县|旗|镇|乡))*",
        r"\p{Han}{1,10}?(?:村|街道|大道|大街|路|街|巷|弄|胡同|小区|花园|家园|苑|公寓|大厦|广场|新村)",
        r"(?:\p{Han}{0,8}?[\da-z一二三四五六七八九十]+(?:号楼|号院|号|栋|幢|座|弄|单元|室|楼|层|组|#)[\da-z]*)+",
    ))
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(mask(text, &[]), expected);
    }

    #[test]
    fn numbers_keep_their_last_four() {
        check("打我电话13800138000吧", "打我电话****8000吧");
        check("电话 138 0013 8000", "电话 ****8000");
        check("１３８００１３８０００", "****８０００");
        check("单号202611230001234，到哪了", "单号****1234，到哪了");
        check("顺丰SF1234567890123", "顺丰****0123");
        check("别家的单号 9988776655", "别家的单号 ****6655");
        check("单号400123456789012", "单号****9012");
        check("京东 80012345678", "京东 ****5678");
    }

    #[test]
    fn addresses_keep_their_city() {
        check("寄到上海市静安区南京西路88号3栋502室", "寄到上****");
        check("我住幸福路12号，快点", "我住幸****，快点");
    }

    #[test]
    fn what_concerns_nobody_stays() {
        for text in [
            "衬衫有L码吗",
            "2026-11-23 下单的",
            "199元两件",
            "热线400-820-6677",
            "上海有门店吗",
            "一路顺风",
            "5号楼",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_was_recognised_is_masked_whatever_its_form() {
        let text = "送到我公司就行 老地方三楼";
        let known = ByteSpan::new("送到".len(), "送到我公司就行 老地方三楼".len());
        assert_eq!(mask(text, &[known]), "送到我公司****");
        assert_eq!(mask(text, &[ByteSpan::new(1, 2), ByteSpan::new(0, 999)]), text);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_masked_without_a_panic_and_twice_changes_nothing_more_of_a_number(text in ".{0,60}") {
            let once = mask(&text, &[]);
            let mut runs = once.split(|c: char| !c.is_ascii_digit());
            proptest::prop_assert!(runs.all(|run| run.len() < 8 || is_hotline(run)), "{once}");
        }
    }
}
