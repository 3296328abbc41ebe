//! Search and network together: how likely an entry answers, given what the message means.

use crate::knowledge::Knowledge;
use crate::nlu::Intents;
use crate::probability::Probability;
use crate::retrieval::catalogue::ProductHit;
use crate::retrieval::faq::EntryHit;

/// What it adds to the log-odds of an entry that the message is surely about its topic, and takes off that it is
/// surely not. Chosen on `knowledge/shop/questions/choose.jsonl` among 1.0 and 1.5, 2.0 and 1.5, 1.5 and 2.5: the first
/// candidate is right for 86, 90 and 90 of 113 questions, for 77 without.
const AGREES: f32 = 2.0;
const DISAGREES: f32 = 1.5;

/// What it takes off the log-odds of a product that the message surely asks nothing about goods: 衣服 in 我的衣服咋还没到
/// names no article. Chosen by hand.
const NO_GOODS: f32 = 5.0;

/// Intents of the taxonomy that are about goods.
const GOODS: [&str; 8] = [
    "product_price",
    "product_info",
    "product_size",
    "product_stock",
    "product_recommend",
    "product_compare",
    "product_authentic",
    "order_place",
];

/// Weighs products anew by whether the message asks about goods at all; all alike, so their order stays.
///
/// Nothing changes for a model that knows no intent about goods.
pub fn weigh_goods(products: &mut [ProductHit], intents: &Intents) {
    let is_known = |name: &&&str| intents.ranked.iter().any(|(own, _)| own == **name);
    if GOODS.iter().find(is_known).is_none() {
        return;
    }
    let wished = intents.wishes.iter().any(|wish| GOODS.contains(&wish.as_str()));
    let share: f32 = GOODS.iter().map(|name| intents.probability(name).value()).sum();
    let share = if wished { 1.0 } else { share.min(1.0) };
    // What is foreign has no intent that could speak against an article that is called by its full name.
    for hit in products.iter_mut().filter(|hit| !(hit.in_full && intents.foreign)) {
        hit.probability = Probability::from_logit(hit.probability.logit() - NO_GOODS * (1.0 - share));
    }
}

/// Weighs entries anew and sorts them, the most probable first.
///
/// An entry whose topic the model does not know keeps its probability.
pub fn weigh(known: &Knowledge, entries: &mut [EntryHit], intents: &Intents) {
    for hit in entries.iter_mut() {
        let topic = &known.entries[hit.entry].topic;
        if !intents.ranked.iter().any(|(name, _)| name == topic) {
            continue;
        }
        // A second wish is as much a wish as the first.
        let wished = intents.wishes.contains(topic);
        let share = intents.probability(topic).value();
        let share = if wished { share.max(0.5) } else { share };
        let odds = hit.searched.logit() + AGREES * share - DISAGREES * (1.0 - share);
        hit.probability = Probability::from_logit(odds);
    }
    entries.sort_by(|a, b| b.probability.total_cmp(a.probability));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intents(ranked: &[(&str, f32)], wishes: &[&str]) -> Intents {
        Intents {
            ranked: ranked
                .iter()
                .map(|(name, share)| ((*name).to_owned(), Probability::from_share(*share)))
                .collect(),
            wishes: wishes.iter().map(|name| (*name).to_owned()).collect(),
            out_of_scope: Probability::ZERO,
            foreign: false,
            vector: Vec::new(),
            cut: false,
        }
    }

    fn weighed(intents: &Intents) -> f32 {
        let probability = Probability::from_share(0.98);
        let mut hits =
            [ProductHit { product: 0, score: 1.0, probability, matched: Vec::new(), in_full: false }];
        weigh_goods(&mut hits, intents);
        hits[0].probability.value()
    }

    #[test]
    fn goods_count_only_where_the_message_asks_about_goods() {
        let late = intents(&[("order_status", 0.9), ("product_stock", 0.02)], &["order_status"]);
        assert!(weighed(&late) < 0.5, "{}", weighed(&late));
        let price = intents(&[("product_price", 0.95), ("product_stock", 0.05)], &["product_price"]);
        assert!((weighed(&price) - 0.98).abs() < 1e-3);
        // A second wish is as much a wish as the first.
        let both = intents(&[("coupon", 0.7), ("product_price", 0.2)], &["coupon", "product_price"]);
        assert!((weighed(&both) - 0.98).abs() < 1e-3);
        let other_world = intents(&[("leave", 0.9)], &["leave"]);
        assert!((weighed(&other_world) - 0.98).abs() < 1e-3);
    }
}
