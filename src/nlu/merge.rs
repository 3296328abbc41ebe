//! One list of entities from several finders.
//!
//! Numbers that have a form of their own are certain: a telephone number is one, whatever the network thinks. Next
//! comes the network, which sees the sentence; then words of the catalogue and patterns, where the network saw
//! nothing, unless the sentence says that they are none.

use std::cmp::Reverse;

use crate::nlu::slot::Origin;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;

/// Below this probability the network's word counts less than a pattern's or the lexicon's. Chosen on held-out
/// training rows.
const SURE: f32 = 0.5;

/// A word of the lexicon this long, in bytes of UTF-8, is a whole name out of the catalogue and as good as what the
/// network is sure of: six characters do not stand together by chance. Chosen by hand.
const WHOLE_NAME: usize = 18;

/// Entities that count, and those that lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// Sorted by place, never overlapping.
    pub slots: Vec<Slot>,
    /// Sorted by place.
    pub dropped: Vec<Slot>,
}

/// Merges what patterns, lexicon and sound found with what the network found.
///
/// Of two that overlap, the one of higher standing counts; of two of one standing the longer, then the earlier one.
/// The same entity at the same place counts once, and names who else saw it.
#[must_use]
pub fn merge(certain: Vec<Slot>, network: Vec<Slot>) -> Merged {
    let mut all: Vec<Slot> = certain.into_iter().chain(network).collect();
    all.sort_by_key(|slot| (standing(slot), Reverse(slot.span.len()), slot.span.start));
    let mut merged = Merged::default();
    for slot in all {
        let rival = merged.slots.iter_mut().find(|other| other.span.overlaps(&slot.span));
        match rival {
            None => merged.slots.push(slot),
            Some(same) if same.span == slot.span && same.name == slot.name => {
                if same.origin.as_str() != slot.origin.as_str() {
                    same.seconded.push(slot.origin);
                }
            }
            Some(_) => merged.dropped.push(slot),
        }
    }
    merged.slots.sort_by_key(|slot| slot.span.start);
    merged.dropped.sort_by_key(|slot| slot.span.start);
    merged
}

/// The lower, the more it counts.
fn standing(slot: &Slot) -> u8 {
    match slot.origin {
        Origin::Pattern if has_own_form(slot.name) => 0,
        Origin::Network(sure) if sure.value() >= SURE => 1,
        Origin::Lexicon if slot.span.len() >= WHOLE_NAME => 1,
        // Without a network, of two readings the longer one wins, whoever found it.
        Origin::Pattern | Origin::Lexicon => 2,
        Origin::Sound => 3,
        Origin::Network(_) => 4,
    }
}

/// Whether a pattern can only mean this entity.
fn has_own_form(name: SlotName) -> bool {
    matches!(name, SlotName::Phone | SlotName::OrderId | SlotName::TrackingNo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probability::Probability;
    use crate::text::span::ByteSpan;

    fn slot(name: SlotName, start: usize, end: usize, origin: Origin) -> Slot {
        Slot::found(name, ByteSpan::new(start, end), origin)
    }

    fn sure(share: f32) -> Origin {
        Origin::Network(Probability::from_share(share))
    }

    #[test]
    fn a_telephone_number_is_one_whatever_the_network_thinks() {
        let merged = merge(
            vec![slot(SlotName::Phone, 0, 11, Origin::Pattern)],
            vec![slot(SlotName::OrderId, 0, 11, sure(0.99))],
        );
        assert_eq!(merged.slots[0].name, SlotName::Phone);
        assert_eq!(merged.dropped[0].name, SlotName::OrderId);
    }

    #[test]
    fn the_network_sees_the_sentence() {
        let lexicon = vec![slot(SlotName::Item, 0, 9, Origin::Lexicon)];
        let merged = merge(lexicon.clone(), vec![slot(SlotName::Material, 0, 6, sure(0.9))]);
        assert_eq!(merged.slots[0].name, SlotName::Material);
        let merged = merge(lexicon, vec![slot(SlotName::Material, 0, 6, sure(0.3))]);
        assert_eq!(merged.slots[0].name, SlotName::Item);
    }

    #[test]
    fn a_whole_name_of_the_catalogue_is_not_taken_to_pieces() {
        let name = vec![slot(SlotName::Item, 0, 27, Origin::Lexicon)];
        let parts = vec![slot(SlotName::Style, 6, 12, sure(0.57)), slot(SlotName::Item, 18, 27, sure(0.99))];
        let merged = merge(name, parts);
        assert_eq!(merged.slots.len(), 1);
        assert_eq!(merged.slots[0].span, ByteSpan::new(0, 27));
        assert_eq!(merged.dropped.len(), 2);
    }

    #[test]
    fn who_agrees_is_named() {
        let merged = merge(
            vec![slot(SlotName::Color, 0, 6, Origin::Lexicon), slot(SlotName::Color, 0, 6, Origin::Pattern)],
            vec![slot(SlotName::Color, 0, 6, sure(0.9))],
        );
        assert_eq!(merged.slots.len(), 1);
        assert_eq!(merged.slots[0].seconded, [Origin::Lexicon, Origin::Pattern]);
        assert!(merged.dropped.is_empty());
    }
}
