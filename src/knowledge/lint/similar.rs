//! Questions that are asked in two entries, letter for letter or nearly so.
//!
//! Nearly means that the sets of neighbouring character pairs have a Dice coefficient of at least
//! [`DICE_MIN`]. Pairs of texts are found through an index of each text's rarest pairs only: two sets
//! that share nine tenths cannot differ in all of those, so nothing is missed.
//!
//! Source of the prefix argument: Chaudhuri, Ganti and Kaushik, "A Primitive Operator for Similarity
//! Joins in Data Cleaning", ICDE 2006.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::knowledge::entry::Entry;
use crate::knowledge::entry::Validity;
use crate::knowledge::finding::Finding;
use crate::knowledge::shown;
use crate::text::normalise::normalise;

/// From here on two texts are taken for the same question. Chosen by hand.
const DICE_MIN: f64 = 0.9;
/// Pairs of texts that are looked at before the search gives up, about two seconds' work.
const COMPARISONS_MAX: usize = 400_000_000;
/// Entries of one and the same question that are compared with each other one by one.
const SAME_MAX: usize = 50;

pub(super) fn findings(entries: &[Entry]) -> Vec<Finding> {
    let mut askings = Askings::of(entries);
    let mut findings = askings.repeated(entries);
    findings.extend(askings.near(entries));
    findings
}

/// One way of asking: the words as written, and the entry.
#[derive(Clone, Copy)]
struct Asking<'k> {
    entry: usize,
    words: &'k str,
}

struct Askings<'k> {
    /// By what is compared: normalised letters and digits, in the order of the entries.
    by_form: Vec<(String, Vec<Asking<'k>>)>,
    /// Pairs of entries that were reported; no pair is told twice.
    told: HashSet<(usize, usize)>,
}

impl<'k> Askings<'k> {
    fn of(entries: &'k [Entry]) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut by_form: Vec<(String, Vec<Asking<'k>>)> = Vec::new();
        for (entry, spoken) in entries.iter().enumerate() {
            let phrasings = spoken.phrasings.iter().map(String::as_str);
            for words in std::iter::once(spoken.question.as_str()).chain(phrasings) {
                let form = form(words);
                let place = *places.entry(form.clone()).or_insert(by_form.len());
                if place == by_form.len() {
                    by_form.push((form, Vec::new()));
                }
                by_form[place].1.push(Asking { entry, words });
            }
        }
        Self { by_form, told: HashSet::new() }
    }

    fn repeated(&mut self, entries: &[Entry]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_form, same) in &self.by_form {
            for (at, later) in same.iter().enumerate().skip(1) {
                let mut earlier = same[..at].iter().take(SAME_MAX);
                let clash = |earlier: &&Asking<'_>| {
                    overlap(entries[earlier.entry].validity, entries[later.entry].validity)
                };
                let Some(earlier) = earlier.find(clash) else { continue };
                let source = entries[later.entry].source.clone();
                let words = shown(later.words);
                if earlier.entry == later.entry {
                    let message = format!("问法“{words}”在同一条里写了两次。");
                    findings.push(Finding::warning("repeated-phrasing", source, message, "删掉重复的问法。"));
                } else if self.told.insert((earlier.entry, later.entry)) {
                    let message = format!("“{words}”也在 {} 里问到。", named(&entries[earlier.entry]));
                    findings.push(Finding::warning(
                        "duplicate-question",
                        source,
                        message,
                        "合并两条，或者改掉其中一处的问法。",
                    ));
                }
            }
        }
        findings
    }

    fn near(&mut self, entries: &[Entry]) -> Vec<Finding> {
        let texts = Pairs::of(self.by_form.iter().map(|(form, _same)| form.as_str()));
        let mut findings = Vec::new();
        let complete = texts.each_near(COMPARISONS_MAX, |one, other, dice| {
            let (first, second) = (one.min(other), one.max(other));
            let (earlier, later) = (self.by_form[first].1[0], self.by_form[second].1[0]);
            let key = (earlier.entry.min(later.entry), earlier.entry.max(later.entry));
            let apart = !overlap(entries[key.0].validity, entries[key.1].validity);
            if key.0 == key.1 || apart || !self.told.insert(key) {
                return;
            }
            let (words, like) = (shown(later.words), shown(earlier.words));
            let percent = (dice * 100.0).floor();
            let message =
                format!("“{words}”与 {} 的“{like}”有 {percent}% 相同。", named(&entries[earlier.entry]));
            let source = entries[later.entry].source.clone();
            findings.push(Finding::warning(
                "near-duplicate",
                source,
                message,
                "确认是两个问题；是同一个就合并。",
            ));
        });
        if let (false, Some(entry)) = (complete, entries.first()) {
            let message = format!("相似的问法太多，比对了 {COMPARISONS_MAX} 对以后没有再比。");
            let remedy = "先处理已经列出的重复问法，再检查一次。";
            findings.push(Finding::warning("near-duplicate-partial", entry.source.clone(), message, remedy));
        }
        findings
    }
}

fn named(entry: &Entry) -> String {
    format!("{}:{}（{}）", entry.source.file, entry.source.line, entry.id)
}

/// Whether there is a day on which both are used; an answer may follow another on the same question.
fn overlap(one: Validity, other: Validity) -> bool {
    let ends_before =
        |a: Validity, b: Validity| matches!((a.until, b.from), (Some(until), Some(from)) if until < from);
    !ends_before(one, other) && !ends_before(other, one)
}

/// What is compared: letters and digits of the normal form; all of it where there are none.
fn form(words: &str) -> String {
    let normalised = normalise(words);
    let letters: String = normalised.as_str().chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.is_empty() { normalised.as_str().to_owned() } else { letters }
}

/// Texts as sets of character pairs, each set sorted with the rarest pair first.
struct Pairs(Vec<Vec<u32>>);

impl Pairs {
    fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut ids: HashMap<(char, char), u32> = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut sets: Vec<Vec<u32>> = Vec::new();
        for text in texts {
            let mut set: Vec<u32> = text
                .chars()
                .zip(text.chars().skip(1))
                .map(|pair| {
                    // At most 200 pairs a text and texts bounded by the entries: far below 2^32.
                    let next = ids.len() as u32;
                    *ids.entry(pair).or_insert(next)
                })
                .collect();
            set.sort_unstable();
            set.dedup();
            counts.resize(ids.len(), 0);
            for pair in &set {
                counts[*pair as usize] += 1;
            }
            sets.push(set);
        }
        let mut by_rarity: Vec<u32> = (0..counts.len() as u32).collect();
        by_rarity.sort_unstable_by_key(|pair| (counts[*pair as usize], *pair));
        let mut ranks = vec![0; counts.len()];
        for (rank, pair) in (0..).zip(&by_rarity) {
            ranks[*pair as usize] = rank;
        }
        for set in &mut sets {
            set.iter_mut().for_each(|pair| *pair = ranks[*pair as usize]);
            set.sort_unstable();
        }
        Self(sets)
    }

    /// Calls back for every two texts that are nearly the same, with their Dice coefficient.
    ///
    /// Returns false when it gave up because more than `comparisons_max` pairs would have to be looked at.
    fn each_near(&self, comparisons_max: usize, mut found: impl FnMut(usize, usize, f64)) -> bool {
        let sets = &self.0;
        let mut by_size: Vec<usize> = (0..sets.len()).filter(|text| !sets[*text].is_empty()).collect();
        by_size.sort_by_key(|text| sets[*text].len());
        let mut index: HashMap<u32, Vec<Posting>> = HashMap::new();
        let mut seen_by = vec![usize::MAX; sets.len()];
        let mut comparisons = 0;
        for text in by_size {
            let set = &sets[text];
            let smallest = shared_min(set.len());
            let prefix = &set[..set.len() - smallest + 1];
            let posting = Posting { text, size: set.len(), mark: mark(set) };
            for pair in prefix {
                let posted = index.get(pair).map_or(&[][..], Vec::as_slice);
                // Posted in the order of size, so that the texts that are too small stand in front.
                let from = posted.partition_point(|other| other.size < smallest);
                comparisons += posted.len() - from;
                if comparisons > comparisons_max {
                    return false;
                }
                for other in posted[from..].iter().filter(|other| posting.may_be_near(other)) {
                    if std::mem::replace(&mut seen_by[other.text], text) == text {
                        continue;
                    }
                    let dice = dice(set, &sets[other.text]);
                    if dice >= DICE_MIN {
                        found(text, other.text, dice);
                    }
                }
            }
            for pair in prefix {
                index.entry(*pair).or_default().push(posting);
            }
        }
        true
    }
}

/// A text in the index, with what rules most others out without a look at their sets.
#[derive(Clone, Copy)]
struct Posting {
    text: usize,
    size: usize,
    mark: u64,
}

impl Posting {
    /// False only where the sets cannot be near: each bit of one mark that the other lacks stands for
    /// at least one pair that is not shared.
    fn may_be_near(&self, other: &Self) -> bool {
        let alone = |one: &Self, other: &Self| (one.mark & !other.mark).count_ones() as usize;
        let shared_max = (self.size - alone(self, other)).min(other.size - alone(other, self));
        2.0 * shared_max as f64 + 1e-9 >= DICE_MIN * (self.size + other.size) as f64
    }
}

/// One of 64 bits for every pair of a set. The multiplier spreads neighbouring ranks over the bits.
fn mark(set: &[u32]) -> u64 {
    set.iter().fold(0, |mark, pair| mark | 1 << (pair.wrapping_mul(0x9E37_79B9) >> 26))
}

/// Fewest pairs that a set shares with any set near to it; no near set is smaller than that either.
///
/// From `2 * shared >= DICE_MIN * (size + other)` and `other >= shared`.
fn shared_min(size: usize) -> usize {
    // The small allowance keeps rounding from losing a set that is exactly at the limit.
    let exact = size as f64 * DICE_MIN / (2.0 - DICE_MIN);
    ((exact - 1e-9).ceil() as usize).max(1)
}

fn dice(one: &[u32], other: &[u32]) -> f64 {
    let (mut a, mut b, mut shared) = (0, 0, 0_usize);
    while let (Some(left), Some(right)) = (one.get(a), other.get(b)) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => (a, b, shared) = (a + 1, b + 1, shared + 1),
        }
    }
    2.0 * shared as f64 / (one.len() + other.len()) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limit_is_met_exactly() {
        // 21 characters, 20 pairs; the last character differs, so 19 pairs are shared: 0.95.
        let texts =
            ["甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌", "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉亥"];
        let pairs = Pairs::of(texts.into_iter());
        let mut near = Vec::new();
        assert!(pairs.each_near(COMPARISONS_MAX, |a, b, dice| near.push((a.min(b), a.max(b), dice))));
        assert_eq!(near, [(0, 1, 0.95)]);
    }

    #[test]
    fn a_search_without_end_is_given_up() {
        let texts: Vec<String> = (10..99).map(|n| format!("第{n}号商品的尺码表在哪里看呀")).collect();
        let pairs = Pairs::of(texts.iter().map(String::as_str));
        assert!(pairs.each_near(COMPARISONS_MAX, |_one, _other, _dice| {}));
        assert!(!pairs.each_near(100, |_one, _other, _dice| {}));
    }

    proptest! {
        #[test]
        fn the_index_finds_what_comparing_all_finds(texts in prop::collection::vec("[ab甲乙]{0,24}", 0..40)) {
            let pairs = Pairs::of(texts.iter().map(String::as_str));
            let mut near = Vec::new();
            prop_assert!(pairs.each_near(COMPARISONS_MAX, |a, b, _dice| near.push((a.min(b), a.max(b)))));
            let mut all = Vec::new();
            for a in 0..texts.len() {
                for b in a + 1..texts.len() {
                    if !pairs.0[a].is_empty() && dice(&pairs.0[a], &pairs.0[b]) >= DICE_MIN {
                        all.push((a, b));
                    }
                }
            }
            near.sort_unstable();
            prop_assert_eq!(near, all);
        }
    }
}
