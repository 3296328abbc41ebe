//! The FAQ: entries by all their phrasings, ranked by the probability that an entry answers.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::knowledge::entry::Entry;
use crate::probability::Probability;
use crate::retrieval::IndexError;
use crate::retrieval::Score;
use crate::retrieval::index::QueryTerm;
use crate::retrieval::index::TermIndex;
use crate::retrieval::nearest::Cosine;
use crate::retrieval::nearest::Nearest;
use crate::retrieval::terms::Rarity;
use crate::retrieval::terms::Vocabulary;
use crate::retrieval::terms::bigrams;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

/// Documents that BM25, and as many that vectors hand over for the closer look.
const DOCUMENTS_MAX: usize = 60;

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
    words: Rarity,
    bigrams: Rarity,
    items: Vec<Item>,
    /// Documents before this one are phrasings, those from here on whole entries in their order.
    first_whole: usize,
    /// The entry of each phrasing's document.
    entry_of: Vec<usize>,
    index: TermIndex,
}

/// An entry as it is compared with messages. Ordered sets, so that sums over them come out the same in every
/// process.
#[derive(Debug)]
struct Item {
    /// Number of the first phrasing's document; the others follow.
    first: usize,
    phrasings: Vec<Phrasing>,
    words: BTreeSet<String>,
    bigrams: BTreeSet<String>,
    answer: BTreeSet<String>,
}

#[derive(Debug)]
struct Phrasing {
    words: BTreeSet<String>,
    words_mass: f32,
}

/// What entries are searched with.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// The message.
    pub utterance: &'q Utterance,
    /// What an encoder makes of it; `None` where there is none.
    pub near: Option<&'q Near<'q>>,
}

impl<'q> Query<'q> {
    /// By words and characters alone.
    #[must_use]
    pub fn by_words(utterance: &'q Utterance) -> Self {
        Self { utterance, near: None }
    }
}

/// A message's sentence vector beside those of the phrasings.
#[derive(Clone, Debug)]
pub struct Near<'q> {
    vectors: &'q Nearest,
    /// Centred.
    of: Vec<f32>,
}

impl<'q> Near<'q> {
    /// * `vectors`: of all phrasings, in the order of [`phrasings`].
    /// * `of`: of the message, of the same encoder.
    #[must_use]
    pub fn new(vectors: &'q Nearest, of: &[f32]) -> Self {
        Self { vectors, of: vectors.centred(of) }
    }
}

/// All ways of asking, entry by entry: the question, then its phrasings.
pub fn phrasings(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries
        .iter()
        .flat_map(|entry| std::iter::once(&entry.question).chain(&entry.phrasings))
        .map(String::as_str)
}

/// An entry that may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryHit {
    /// Place of the entry in the bot's knowledge.
    pub entry: usize,
    /// Which way of asking spoke for it: 0 is the question, then the phrasings.
    pub phrasing: usize,
    /// BM25 of its best document; 0 where vectors alone found it.
    pub score: Score,
    /// How likely the entry answers the message, all that speaks for it taken together.
    pub probability: Probability,
    /// The same by search alone.
    pub searched: Probability,
    /// What the probability was made of.
    pub features: Features,
    /// Terms of the message found in the phrasings, in order.
    pub matched: Vec<String>,
}

/// Agreement of a message with an entry; all `0.0..=1.0` but for the nearness.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Share of the best phrasing's weight in words that the message holds.
    pub phrasing_covered: f32,
    /// Share of the message's weight in character bigrams that any phrasing holds.
    pub entry_bigrams: f32,
    /// Share of the message's weight in words that the phrasings or the answer hold.
    pub answer_covered: f32,
    /// BM25 of the entry beside that of the best candidate.
    pub relative_score: f32,
    /// Share of the message's weight that no entry at all knows.
    pub foreign: f32,
    /// What sentence vectors say; `None` without.
    pub nearness: Option<Nearness>,
}

/// What sentence vectors say of a message and an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearness {
    /// Cosine of the nearest phrasing.
    pub cosine: f32,
    /// By how much that of the nearest entry of all is higher; not negative.
    pub behind: f32,
}

impl Features {
    /// Number of features.
    pub const N: usize = 7;

    /// The features in the order of the weights.
    #[must_use]
    pub fn values(&self) -> [f32; Self::N] {
        let nearness = self.nearness.unwrap_or(Nearness { cosine: 0.0, behind: 0.0 });
        [
            self.phrasing_covered,
            self.entry_bigrams,
            self.answer_covered,
            self.relative_score,
            self.foreign,
            nearness.cosine,
            nearness.behind,
        ]
    }

    /// The probability that an entry with these features is the right one: a logistic regression.
    #[must_use]
    pub fn probability(&self) -> Probability {
        let odds: f32 = self.shares().iter().map(|(_, share)| share).sum();
        Probability::from_logit(odds)
    }

    /// What each feature adds to the log-odds, by its name; the constant stands first.
    #[must_use]
    pub fn shares(&self) -> [(&'static str, f32); Self::N + 1] {
        let Weights { bias, of } = if self.nearness.is_some() { HYBRID } else { LEXICAL };
        let mut shares = [("constant", bias); Self::N + 1];
        for (share, ((name, weight), value)) in
            shares[1..].iter_mut().zip(NAMES.iter().zip(of).zip(self.values()))
        {
            *share = (name, weight * value);
        }
        shares
    }
}

/// Names of the features, for whoever asks why, in the order of the weights.
const NAMES: [&str; Features::N] =
    ["phrasing_covered", "entry_bigrams", "answer_covered", "bm25", "foreign", "cosine", "cosine_behind"];

/// A logistic regression over [`Features`].
struct Weights {
    bias: f32,
    of: [f32; Features::N],
}

/// Fitted 2026-11-22 by `yingda calibrate --fit --questions knowledge/shop/questions/choose.jsonl`: the direction
/// on the shop's own phrasings, each fifth of them asked of the rest, then shift and scale on the questions.
const LEXICAL: Weights = Weights { bias: -6.92, of: [3.12, 0.74, 5.07, 2.69, 1.04, 0.0, 0.0] };

/// Fitted 2026-11-23 by `yingda calibrate --fit --questions knowledge/shop/questions/choose.jsonl --groups
/// models/encoder/paraphrases/held-out.jsonl`: the direction on the groups, then shift and scale on the questions. The
/// first candidate is right for 103 of the 113 questions; with the direction fitted on the bot's own phrasings as well,
/// which the encoder has learned from, for 92.
const HYBRID: Weights = Weights { bias: -6.85, of: [0.21, 0.73, 2.06, 3.78, 0.42, 4.29, -4.80] };

impl Faq {
    /// Indexes entries: one document a phrasing, and one for all of an entry together.
    ///
    /// * `synonyms`: groups of words that mean the same, the canonical word first.
    ///
    /// # Errors
    /// When tantivy cannot build an index.
    pub fn build(
        entries: &[Entry],
        synonyms: &[Vec<String>],
        segmenter: &Segmenter,
    ) -> Result<Self, IndexError> {
        let vocabulary = Vocabulary::new(synonyms);
        let read = |text: &str| {
            let utterance = Utterance::read(text, segmenter);
            let terms = vocabulary.terms(utterance.as_str(), &utterance.search_words);
            (terms, bigrams(utterance.as_str()))
        };
        let mut items = Vec::with_capacity(entries.len());
        let mut documents = Vec::new();
        let mut entry_of = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let (answer, _) = read(&entry.answer);
            let mut item = Item {
                first: documents.len(),
                phrasings: Vec::new(),
                words: BTreeSet::new(),
                bigrams: BTreeSet::new(),
                answer: answer.into_iter().collect(),
            };
            for text in std::iter::once(&entry.question).chain(&entry.phrasings) {
                let (terms, pairs) = read(text);
                item.words.extend(terms.iter().cloned());
                item.bigrams.extend(pairs.iter().cloned());
                item.phrasings.push(Phrasing { words: terms.iter().cloned().collect(), words_mass: 0.0 });
                documents.push(vec![terms, pairs, Vec::new()]);
                entry_of.push(at);
            }
            items.push(item);
        }
        let first_whole = documents.len();
        documents.extend(items.iter().map(|item| {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
            vec![list(&item.words), list(&item.bigrams), list(&item.answer)]
        }));
        let owners = |of: &dyn Fn(&Item) -> &BTreeSet<String>| {
            Rarity::count(items.iter().map(|item| of(item).iter().map(String::as_str).collect()))
        };
        let (words, pairs) = (owners(&|item| &item.words), owners(&|item| &item.bigrams));
        for phrasing in items.iter_mut().flat_map(|item| &mut item.phrasings) {
            phrasing.words_mass = words.mass(phrasing.words.iter());
        }
        let index = TermIndex::build(&["words", "bigrams", "answer"], documents.into_iter())?;
        Ok(Self { vocabulary, words, bigrams: pairs, items, first_whole, entry_of, index })
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
        query: Query<'_>,
        usable: &dyn Fn(usize) -> bool,
        entries_max: usize,
    ) -> Vec<EntryHit> {
        let message = Message::new(self, query.utterance);
        let mut candidates = self.candidates(&message, usable);
        let best_score = candidates.values().copied().fold(0.0, Score::max);
        let nearest = query.near.map_or_else(Vec::new, |near| {
            let usable = |document: usize| usable(self.entry_of[document]);
            near.vectors.nearest(&near.of, &usable, DOCUMENTS_MAX)
        });
        for (document, _) in &nearest {
            candidates.entry(self.entry_of[*document]).or_insert(0.0);
        }
        let near = query.near.zip(nearest.first().map(|(_, highest)| *highest));
        let mut hits: Vec<EntryHit> = candidates
            .into_iter()
            .map(|(entry, score)| self.hit(&message, near, entry, score, share(score, best_score)))
            .collect();
        hits.sort_by(|a, b| b.probability.total_cmp(a.probability).then(a.entry.cmp(&b.entry)));
        hits.truncate(entries_max);
        hits
    }

    /// Entries with the score of their best document.
    fn candidates(&self, message: &Message, usable: &dyn Fn(usize) -> bool) -> BTreeMap<usize, Score> {
        let by_field = |field, boost| move |term| QueryTerm { field, term, boost };
        let query: Vec<QueryTerm<'_>> = message
            .words
            .iter()
            .map(String::as_str)
            .map(by_field(WORDS, 1.0))
            .chain(message.bigrams.iter().map(String::as_str).map(by_field(BIGRAMS, BIGRAM_BOOST)))
            .chain(message.words.iter().map(String::as_str).map(by_field(ANSWER, ANSWER_BOOST)))
            .collect();
        let found = self.index.search(&[], &query, DOCUMENTS_MAX).unwrap_or_else(|error| {
            tracing::error!(%error, "search in the FAQ failed");
            Vec::new()
        });
        let mut best: BTreeMap<usize, Score> = BTreeMap::new();
        for (document, score) in found {
            let entry = match self.entry_of.get(document) {
                Some(entry) => *entry,
                None => document - self.first_whole,
            };
            if usable(entry) {
                let own = best.entry(entry).or_insert(score);
                *own = own.max(score);
            }
        }
        best
    }

    /// The best phrasing speaks for the entry.
    ///
    /// * `near`: vectors, and the cosine of the nearest document of all.
    fn hit(
        &self,
        message: &Message,
        near: Option<(&Near<'_>, Cosine)>,
        entry: usize,
        score: Score,
        relative_score: f32,
    ) -> EntryHit {
        let item = &self.items[entry];
        let shared = Features {
            entry_bigrams: share(
                self.bigrams.mass(message.bigrams.iter().filter(|pair| item.bigrams.contains(*pair))),
                message.bigrams_mass,
            ),
            answer_covered: share(
                self.words.mass(
                    message
                        .words
                        .iter()
                        .filter(|word| item.words.contains(*word) || item.answer.contains(*word)),
                ),
                message.words_mass,
            ),
            relative_score,
            foreign: message.foreign,
            ..Features::default()
        };
        let (phrasing, features) = item
            .phrasings
            .iter()
            .enumerate()
            .map(|(at, phrasing)| {
                let common =
                    self.words.mass(message.words.iter().filter(|word| phrasing.words.contains(*word)));
                let nearness = near.map(|(near, highest)| {
                    let Cosine(cosine) = near.vectors.cosine(&near.of, item.first + at);
                    Nearness { cosine, behind: (highest.0 - cosine).max(0.0) }
                });
                (at, Features { phrasing_covered: share(common, phrasing.words_mass), nearness, ..shared })
            })
            .max_by(|(a_at, a), (b_at, b)| a.probability().total_cmp(b.probability()).then(b_at.cmp(a_at)))
            .unwrap_or((0, shared));
        EntryHit {
            entry,
            phrasing,
            score,
            probability: features.probability(),
            searched: features.probability(),
            features,
            matched: message.words.iter().filter(|word| item.words.contains(*word)).cloned().collect(),
        }
    }
}

/// A message, weighed once for all the entries it is compared with.
struct Message {
    words: Vec<String>,
    words_mass: f32,
    bigrams: Vec<String>,
    bigrams_mass: f32,
    foreign: f32,
}

impl Message {
    fn new(faq: &Faq, utterance: &Utterance) -> Self {
        let words = faq.vocabulary.terms(utterance.as_str(), &utterance.search_words);
        let pairs = bigrams(utterance.as_str());
        let words_mass = faq.words.mass(words.iter());
        let foreign = faq.words.mass(words.iter().filter(|word| !faq.words.knows(word)));
        Self {
            words_mass,
            bigrams_mass: faq.bigrams.mass(pairs.iter()),
            bigrams: pairs,
            foreign: share(foreign, words_mass),
            words,
        }
    }
}

fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}
