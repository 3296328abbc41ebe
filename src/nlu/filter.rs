//! From entities to what a product must have.

use std::sync::LazyLock;

use chinese_number::ChineseCountMethod;
use chinese_number::ChineseToNumber;
use regex::Regex;

use crate::knowledge::wanted::Wanted;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;

/// Gathers the attributes of a message.
///
/// * `text`: the normal form that the slots point into.
#[must_use]
pub fn wanted(slots: &[Slot], text: &str) -> Wanted {
    let mut wanted = Wanted::default();
    for slot in slots {
        let said = slot.span.of(text);
        match slot.name {
            SlotName::Item => wanted.items.push(said.to_owned()),
            SlotName::Color => wanted.colours.push(said.to_owned()),
            SlotName::Size => wanted.sizes.push(said.to_owned()),
            SlotName::Material | SlotName::Style | SlotName::Brand | SlotName::Spec => {
                wanted.traits.push(said.to_owned());
            }
            SlotName::Price => {
                let Some(price) = price(said) else { continue };
                wanted.price_fen_max = price.fen_max.or(wanted.price_fen_max);
                wanted.price_fen_min = price.fen_min.or(wanted.price_fen_min);
            }
            SlotName::Body
            | SlotName::Quantity
            | SlotName::Date
            | SlotName::OrderId
            | SlotName::TrackingNo
            | SlotName::Phone
            | SlotName::Person
            | SlotName::Place
            | SlotName::Courier
            | SlotName::Action => {}
        }
    }
    wanted
}

struct Price {
    fen_min: Option<u32>,
    fen_max: Option<u32>,
}

/// `200以内`, `一千以下`, `100块左右`, `50以上`; a plain amount bounds nothing.
fn price(said: &str) -> Option<Price> {
    let captures = AMOUNT.captures(said)?;
    let number = captures.name("number")?.as_str();
    let yuan = number.parse::<f64>().ok().or_else(|| {
        let count: Result<u32, _> = number.to_number(ChineseCountMethod::TenThousand);
        count.ok().map(f64::from)
    })?;
    let fen = (yuan * 100.0).round();
    if !(0.0..=f64::from(u32::MAX)).contains(&fen) {
        return None;
    }
    let bound = |factor: f64| Some((fen * factor) as u32);
    match captures.name("bound").map(|found| found.as_str()) {
        Some("以内" | "以下" | "之内") => Some(Price { fen_min: None, fen_max: bound(1.0) }),
        Some("以上") => Some(Price { fen_min: bound(1.0), fen_max: None }),
        Some("左右" | "上下") => Some(Price { fen_min: bound(0.7), fen_max: bound(1.3) }),
        _ => None,
    }
}

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?P<number>\d+(?:\.\d+)?|[一二两三四五六七八九十百千万]+)[^以之左上]*(?P<bound>以内|以下|之内|以上|左右|上下)?$",
    )
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, min: Option<u32>, max: Option<u32>) {
        let found = price(said).map(|price| (price.fen_min, price.fen_max));
        assert_eq!(found.unwrap_or_default(), (min, max), "{said}");
    }

    #[test]
    fn bounds_in_digits_and_in_words() {
        check("200以内", None, Some(20_000));
        check("一千以内", None, Some(100_000));
        check("两百块以下", None, Some(20_000));
        check("99.9元以上", Some(9_990), None);
        check("100块左右", Some(7_000), Some(13_000));
        check("199元", None, None);
        check("99999999999以内", None, None);
    }
}
