//! From entities to what a product must have.

use crate::knowledge::wanted::Wanted;
use crate::nlu::money::Money;
use crate::nlu::money::money;
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
        if slot.negated {
            wanted.denied.push(said.to_owned());
            continue;
        }
        match slot.name {
            SlotName::Item => wanted.items.push(said.to_owned()),
            SlotName::Color => wanted.colours.push(said.to_owned()),
            SlotName::Size => wanted.sizes.push(said.to_owned()),
            SlotName::Material | SlotName::Style | SlotName::Brand | SlotName::Spec => {
                wanted.traits.push(said.to_owned());
            }
            SlotName::Price => {
                let (min, max) = bounds(said);
                wanted.price_fen_max = max.or(wanted.price_fen_max);
                wanted.price_fen_min = min.or(wanted.price_fen_min);
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

/// The bounds of a price in fen; a plain amount bounds nothing.
fn bounds(said: &str) -> (Option<u32>, Option<u32>) {
    let fen = |fen: Option<u64>| fen.and_then(|fen| u32::try_from(fen).ok());
    match money(said) {
        Some(Money { fen_min, fen_max }) if fen_min != fen_max => (fen(fen_min), fen(fen_max)),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, min: Option<u32>, max: Option<u32>) {
        assert_eq!(bounds(said), (min, max), "{said}");
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
