//! The FAQ: entries by all their phrasings, ranked by the probability that an entry answers.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::knowledge::entry::Entry;
use crate::probability::Probability;
use crate::retrieval::IndexError;
use crate::retrieval::Score;
use crate::retrieval::index::QueryTerm;
use crate::retrieval::index::TermIndex;
use crate::retrieval::terms::Rarity;
use crate::retrieval::terms::Vocabulary;
use crate::retrieval::terms::bigrams;
use crate::retrieval::terms::dice;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

/// Phrasings that BM25 hands over for the closer look.
const PHRASINGS_MAX: usize = 60;

const WORDS: usize = 0;
const BIGRAMS: usize = 1;
const ANSWER: usize = 2;

/// What a match in each field is worth beside one in the words of a phrasing. Chosen by hand: a bigram
/// repeats what the words say and catches typing errors; an answer mentions much that it is not about.
const BIGRAM_BOOST: f32 = 0.4;
const ANSWER_BOOST: f32 = 0.15;

/// The searchable entries of a bot.
#[derive(Debug)]
pub struct Faq {
    vocabulary: Vocabulary,
    rarity: Rarity,
    phrasings: Vec<Phrasing>,
    answers: Vec<BTreeSet<String>>,
    index: TermIndex,
}

#[derive(Debug)]
struct Phrasing {
    entry: usize,
    /// Ordered, so that sums over it come out the same in every process.
    terms: BTreeSet<String>,
    bigrams: HashSet<String>,
}

/// An entry that may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryHit {
    /// Place of the entry in the bot's knowledge.
    pub entry: usize,
    /// Which way of asking spoke for it: 0 is the question, then the phrasings.
    pub phrasing: usize,
    /// BM25 of that phrasing.
    pub score: Score,
    /// How likely the entry answers the message.
    pub probability: Probability,
    /// What the probability was made of.
    pub features: Features,
    /// Terms of the message found in the phrasing, in order.
    pub matched: Vec<String>,
}

/// Agreement of a message with one phrasing; all `0.0..=1.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Share of the message's weight that the phrasing holds.
    pub message_covered: f32,
    /// Share of the phrasing's weight that the message holds.
    pub phrasing_covered: f32,
    /// Dice's coefficient of their character bigrams.
    pub bigrams: f32,
    /// Share of the message's weight that the phrasing or the answer holds.
    pub answer_covered: f32,
    /// Share of the message's weight that no entry at all knows.
    pub foreign: f32,
}

impl Features {
    /// The probability that an entry with these features is the right one.
    ///
    /// A logistic regression. Fitted 2026-11-22 by `yingda calibrate` on the choosing half of the shop's
    /// questions, `knowledge/shop/questions/choose.jsonl`; before that chosen by hand.
    #[must_use]
    pub fn probability(&self) -> Probability {
        let [bias, message, phrasing, bigrams, answer, foreign] = WEIGHTS;
        Probability::from_logit(
            bias + message * self.message_covered
                + phrasing * self.phrasing_covered
                + bigrams * self.bigrams
                + answer * self.answer_covered
                + foreign * self.foreign,
        )
    }
}

const WEIGHTS: [f32; 6] = [-4.0, 3.0, 2.0, 3.0, 0.5, -1.5];

impl Faq {
    /// Indexes entries; one document a phrasing.
    pub(super) fn build(
        entries: &[Entry],
        vocabulary: Vocabulary,
        segmenter: &Segmenter,
    ) -> Result<Self, IndexError> {
        let read = |text: &str| {
            let utterance = Utterance::read(text, segmenter);
            let terms = vocabulary.terms(utterance.as_str(), &utterance.search_words);
            (terms, bigrams(utterance.as_str()))
        };
        let mut phrasings = Vec::new();
        let mut documents = Vec::new();
        let mut answers = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let (answer, _) = read(&entry.answer);
            for text in std::iter::once(&entry.question).chain(&entry.phrasings) {
                let (terms, pairs) = read(text);
                phrasings.push(Phrasing {
                    entry: at,
                    terms: terms.iter().cloned().collect(),
                    bigrams: pairs.iter().cloned().collect(),
                });
                documents.push(vec![terms, pairs, answer.clone()]);
            }
            answers.push(answer.into_iter().collect());
        }
        let rarity = Rarity::count(owners(&phrasings, entries.len()).into_iter());
        let index = TermIndex::build(&["words", "bigrams", "answer"], documents.into_iter())?;
        Ok(Self { vocabulary, rarity, phrasings, answers, index })
    }

    /// The entries that a message may be about, most probable first.
    ///
    /// * `usable`: whether an entry may be shown now (its validity).
    /// * `entries_max`: length of the list at most.
    ///
    /// A failing index gives no hits: the bot then asks back or hands over.
    #[must_use]
    pub fn search(
        &self,
        utterance: &Utterance,
        usable: &dyn Fn(usize) -> bool,
        entries_max: usize,
    ) -> Vec<EntryHit> {
        let terms = self.vocabulary.terms(utterance.as_str(), &utterance.search_words);
        let pairs = bigrams(utterance.as_str());
        let by_field = |field, boost| move |term| QueryTerm { field, term, boost };
        let query: Vec<QueryTerm<'_>> = terms
            .iter()
            .map(String::as_str)
            .map(by_field(WORDS, 1.0))
            .chain(pairs.iter().map(String::as_str).map(by_field(BIGRAMS, BIGRAM_BOOST)))
            .chain(terms.iter().map(String::as_str).map(by_field(ANSWER, ANSWER_BOOST)))
            .collect();
        let found = self.index.search(&[], &query, PHRASINGS_MAX).unwrap_or_else(|error| {
            tracing::error!(%error, "search in the FAQ failed");
            Vec::new()
        });
        let message = Message::new(&terms, pairs, &self.rarity);
        let mut best: BTreeMap<usize, EntryHit> = BTreeMap::new();
        for (document, score) in found {
            let phrasing = &self.phrasings[document];
            if !usable(phrasing.entry) {
                continue;
            }
            let features = message.features(phrasing, &self.answers[phrasing.entry], &self.rarity);
            let hit = EntryHit {
                entry: phrasing.entry,
                phrasing: self.place_in_entry(document),
                score,
                probability: features.probability(),
                features,
                matched: terms.iter().filter(|term| phrasing.terms.contains(*term)).cloned().collect(),
            };
            let better = |other: &EntryHit| hit.probability.total_cmp(other.probability).is_gt();
            if best.get(&hit.entry).is_none_or(better) {
                best.insert(hit.entry, hit);
            }
        }
        let mut hits: Vec<EntryHit> = best.into_values().collect();
        hits.sort_by(|a, b| b.probability.total_cmp(a.probability).then(a.entry.cmp(&b.entry)));
        hits.truncate(entries_max);
        hits
    }

    fn place_in_entry(&self, document: usize) -> usize {
        let entry = self.phrasings[document].entry;
        self.phrasings[..document].iter().rev().take_while(|phrasing| phrasing.entry == entry).count()
    }
}

fn owners(phrasings: &[Phrasing], n_entries: usize) -> Vec<HashSet<&str>> {
    let mut owners = vec![HashSet::new(); n_entries];
    for phrasing in phrasings {
        owners[phrasing.entry].extend(phrasing.terms.iter().map(String::as_str));
    }
    owners
}

/// A message, weighed once for all the phrasings it is compared with.
struct Message<'q> {
    terms: &'q [String],
    bigrams: HashSet<String>,
    mass: f32,
    foreign: f32,
}

impl<'q> Message<'q> {
    fn new(terms: &'q [String], pairs: Vec<String>, rarity: &Rarity) -> Self {
        let mass = rarity.mass(terms.iter());
        let foreign = rarity.mass(terms.iter().filter(|term| !rarity.knows(term)));
        Self { terms, bigrams: pairs.into_iter().collect(), mass, foreign: share(foreign, mass) }
    }

    fn features(&self, phrasing: &Phrasing, answer: &BTreeSet<String>, rarity: &Rarity) -> Features {
        let common = rarity.mass(self.terms.iter().filter(|term| phrasing.terms.contains(*term)));
        let with_answer = rarity
            .mass(self.terms.iter().filter(|term| phrasing.terms.contains(*term) || answer.contains(*term)));
        Features {
            message_covered: share(common, self.mass),
            phrasing_covered: share(common, rarity.mass(phrasing.terms.iter())),
            bigrams: dice(&self.bigrams, &phrasing.bigrams),
            answer_covered: share(with_answer, self.mass),
            foreign: self.foreign,
        }
    }
}

fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}
