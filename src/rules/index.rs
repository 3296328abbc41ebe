//! From a text to the few rules that it could fire, in one pass over the text.
//!
//! All keywords of all rules, and the literal text that their regular expressions need, are *needles* of one
//! automaton. A rule that cannot hold without one of its needles is looked at only when one was found.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use aho_corasick::BuildError;

/// Number of a needle, counted from 0 in the order of first mention.
pub(super) type Needle = usize;

/// The needles of all rules, each one kept once.
#[derive(Debug, Default)]
pub(super) struct Needles {
    numbers: HashMap<Vec<u8>, Needle>,
}

/// The automaton, and for every needle the items that it may fire.
#[derive(Debug)]
pub(super) struct Index {
    automaton: AhoCorasick,
    /// By needle: the items that wait for it, ascending.
    postings: Vec<Vec<usize>>,
    /// Items that need no needle, ascending.
    always: Vec<usize>,
}

/// Which needles occur in one text.
#[derive(Debug)]
pub(super) struct Found {
    /// One bit a needle.
    bits: Vec<u64>,
    needles: Vec<Needle>,
}

impl Needles {
    /// The number of `text`, which must not be empty: it would occur everywhere.
    pub(super) fn number(&mut self, text: &[u8]) -> Needle {
        debug_assert!(!text.is_empty(), "an empty needle occurs everywhere");
        let next = self.numbers.len();
        *self.numbers.entry(text.to_vec()).or_insert(next)
    }
}

impl Index {
    /// * `triggers`: by item, the needles of which at least one must occur before the item can hold; `None`
    ///   for an item that may hold without any.
    ///
    /// # Errors
    /// When the needles are too many for one automaton (2^31 states).
    pub(super) fn new(needles: Needles, triggers: &[Option<Vec<Needle>>]) -> Result<Self, BuildError> {
        let mut texts: Vec<(Vec<u8>, Needle)> = needles.numbers.into_iter().collect();
        texts.sort_unstable_by_key(|(_, number)| *number);
        let mut postings = vec![Vec::new(); texts.len()];
        let mut always = Vec::new();
        for (item, trigger) in triggers.iter().enumerate() {
            match trigger {
                Some(needles) => needles.iter().for_each(|needle| postings[*needle].push(item)),
                None => always.push(item),
            }
        }
        let automaton = AhoCorasick::new(texts.iter().map(|(text, _)| text))?;
        Ok(Self { automaton, postings, always })
    }

    /// All needles that occur in a text, overlapping ones too.
    pub(super) fn find(&self, text: &str) -> Found {
        let mut found = Found { bits: vec![0; self.postings.len().div_ceil(64)], needles: Vec::new() };
        for hit in self.automaton.find_overlapping_iter(text) {
            found.add(hit.pattern().as_usize());
        }
        found
    }

    /// The items that may hold for a text, ascending, each once.
    pub(super) fn candidates(&self, found: &Found) -> Vec<usize> {
        let mut items = self.always.clone();
        for needle in &found.needles {
            items.extend_from_slice(&self.postings[*needle]);
        }
        items.sort_unstable();
        items.dedup();
        items
    }
}

impl Found {
    fn add(&mut self, needle: Needle) {
        if !self.contains(needle) {
            self.bits[needle / 64] |= 1 << (needle % 64);
            self.needles.push(needle);
        }
    }

    /// Whether the needle occurs.
    pub(super) fn contains(&self, needle: Needle) -> bool {
        self.bits[needle / 64] & (1 << (needle % 64)) != 0
    }

    /// Whether at least one of them occurs.
    pub(super) fn contains_any(&self, needles: &[Needle]) -> bool {
        needles.iter().any(|needle| self.contains(*needle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_needles_inside_needles_and_only_their_items() {
        let mut needles = Needles::default();
        let [refund, back, size] = ["退款", "退", "尺码"].map(|text| needles.number(text.as_bytes()));
        assert_eq!(needles.number("退".as_bytes()), back, "one number a text");
        let triggers = [Some(vec![refund]), Some(vec![back, size]), None, Some(vec![size])];
        let index = Index::new(needles, &triggers).unwrap();

        let found = index.find("我要退款");
        assert!(found.contains(refund) && found.contains(back) && !found.contains(size));
        assert!(found.contains_any(&[size, back]) && !found.contains_any(&[size]));
        assert_eq!(index.candidates(&found), [0, 1, 2]);
        assert_eq!(index.candidates(&index.find("你好")), [2]);
        assert_eq!(index.candidates(&index.find("尺码尺码")), [1, 2, 3]);
    }

    #[test]
    fn without_needles_only_the_unconditional_items_remain() {
        let index = Index::new(Needles::default(), &[None, None]).unwrap();
        assert_eq!(index.candidates(&index.find("随便")), [0, 1]);
    }
}
