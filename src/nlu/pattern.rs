//! Entities that have a form: numbers, money, measures, dates.

use std::sync::LazyLock;

use regex::Regex;

use crate::nlu::slot::Origin;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::text::span::ByteSpan;

/// Everything in `text` (normal form) that has the form of an entity; may overlap.
///
/// A digit directly before or behind a number keeps it from being taken for a shorter one: the phone
/// number inside an order number is none.
#[must_use]
pub fn find(text: &str) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (name, expression) in PATTERNS.iter() {
        for captures in expression.captures_iter(text) {
            let Some(found) = captures.name("it").or_else(|| captures.get(0)) else { continue };
            let span = ByteSpan::new(found.start(), found.end());
            if !span.is_empty() && !cuts_a_run(text, span) {
                slots.push(Slot::found(*name, span, Origin::Pattern));
            }
        }
    }
    slots
}

/// Whether a digit or letter at the border of the span goes on outside of it.
fn cuts_a_run(text: &str, span: ByteSpan) -> bool {
    let same_run = |a: char, b: char| {
        (a.is_ascii_digit() && b.is_ascii_digit()) || (a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
    };
    let inside = span.of(text);
    let before = text[..span.start].chars().next_back().zip(inside.chars().next());
    let behind = inside.chars().next_back().zip(text[span.end..].chars().next());
    before.is_some_and(|(a, b)| same_run(a, b)) || behind.is_some_and(|(a, b)| same_run(a, b))
}

/// A number as typed: digits, or Chinese numerals.
const NUMBER: &str = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百千万半]+)";

static PATTERNS: LazyLock<Vec<(SlotName, Regex)>> = LazyLock::new(|| {
    let pattern = |name, expression: &str| {
        (name, Regex::new(&expression.replace("NUM", NUMBER)).expect("a fixed expression"))
    };
    vec![
        pattern(SlotName::Phone, r"1[3-9]\d{9}"),
        pattern(SlotName::Phone, r"0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4}"),
        pattern(SlotName::TrackingNo, r"(?:sf|yt|zto|sto|jdv?|jt|ems|yd)[a-z]?\d{9,16}"),
        pattern(SlotName::OrderId, r"20\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{4,12}"),
        pattern(SlotName::OrderId, r"\[orderid_\d+\]"),
        pattern(
            SlotName::Price,
            r"(?:NUM(?:块|元|圆|rmb)(?:钱|多)?(?:左右|以内|以下|以上|上下|之内)?|[¥$]\s?\d+(?:\.\d+)?(?:以内|以下|以上)?)",
        ),
        pattern(SlotName::Price, r"NUM(?:左右|以内|以下|之内|以上)"),
        pattern(SlotName::Body, r"(?:身高|体重|腰围|胸围|脚长|体重是|身高是)?NUM(?:斤|公斤|kg|cm|厘米)"),
        pattern(SlotName::Body, r"[12一二]米[一二三四五六七八九\d]{1,2}|(?:身高|体重)\d{2,3}"),
        pattern(
            SlotName::Size,
            r"(?:(?:[2-6]?x{0,4}[sml]|xs|均)(?:号|码)|(?:3[4-9]|4[0-6])(?:\.5)?(?:号|码)?|1[5-9]\d/\d{2,3}[abcy]?|(?:1[6-9]|2\d|3[0-2])寸)",
        ),
        pattern(SlotName::Size, r"(?P<it>[2-6]?x{1,4}l|xs|xxs)"),
        pattern(SlotName::Size, r"(?:大|小|中|加大|特大)(?:号|码)"),
        pattern(SlotName::Spec, r"\d+(?:\.\d+)?(?:ml|l|毫升|升|w|瓦)"),
        pattern(SlotName::Quantity, r"(?:NUM|几)(?:件|套|双|条|个|只|顶|箱|包|打|对|把|盒|份)(?:儿)?"),
        pattern(SlotName::Date, DATE),
    ]
});

const DATE: &str = concat!(
    r"(?:(?:前天|昨天|昨晚|昨日|今天|今早|今晚|今日|明天|明早|后天|大前天|",
    r"(?:上上|上|这|本|下)(?:个)?(?:月|周|星期|礼拜)(?:[一二三四五六日天末])?|",
    r"(?:周|星期|礼拜)[一二三四五六日天末]|去年|前年|今年|明年|",
    r"(?:双十一|双十二|双11|双12|618|国庆(?:节)?|春节|元旦|中秋(?:节)?|端午(?:节)?|五一|清明|过年)|",
    r"(?:\d{2,4}年)?(?:\d{1,2}|[一二三四五六七八九十]+)月(?:(?:\d{1,2}|[一二三四五六七八九十]+)[号日])?|",
    r"(?:\d{1,2}|[一二三四五六七八九十]+)[号日](?:前|后)?|",
    r"(?:NUM)(?:天|个月|个星期|周|年|小时|分钟)(?:前|后|内|以前|以后)?|",
    r"前几天|前段时间|前两天|最近|刚才|刚刚)",
    r"(?:早上|上午|中午|下午|傍晚|晚上|凌晨|半夜)?(?:(?:\d{1,2}|[一二两三四五六七八九十]+)点(?:半|钟|\d{1,2}分)?)?)"
);
