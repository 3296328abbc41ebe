//! A corpus of questions with answers, searched as the engine searches a bot's FAQ, to measure how well it finds.

use std::path::Path;

use serde::Deserialize;

use crate::encoder::Encoder;
use crate::encoder::lanes::Lanes;
use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::entry::Validity;
use crate::retrieval::IndexError;
use crate::retrieval::faq;
use crate::retrieval::faq::EntryHit;
use crate::retrieval::faq::Faq;
use crate::retrieval::faq::Near;
use crate::retrieval::faq::Query;
use crate::retrieval::nearest::Nearest;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;
use crate::training::lines;
use crate::training::lines::LinesError;

/// Candidates that are put in order; lists are measured to the tenth.
const CANDIDATES: usize = 60;

/// What the order of candidates comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// BM25 over words and pairs of characters.
    Bm25,
    /// Cosine of sentence vectors.
    Vector,
    /// The probability that the engine goes by.
    Hybrid,
}

/// One question of a corpus.
#[derive(Clone, Debug, Deserialize)]
struct CorpusRow {
    id: String,
    question: String,
    #[serde(default)]
    phrasings: Vec<String>,
    #[serde(default)]
    answer: String,
}

/// Reads the rows `{"id", "question", "answer"}` of a file as entries; `phrasings` may follow.
///
/// # Errors
/// Names the lines.
pub fn read(path: &Path) -> Result<Vec<Entry>, LinesError> {
    let fault = |row: &CorpusRow| row.question.trim().is_empty().then(|| "the question is empty".to_owned());
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let rows = lines::read(path, fault)?;
    Ok(rows
        .into_iter()
        .map(|(line, row)| Entry {
            id: row.id,
            topic: String::new(),
            question: row.question,
            phrasings: row.phrasings,
            answer: row.answer,
            reply: None,
            validity: Validity::default(),
            source: Source { file: file.clone(), line },
        })
        .collect())
}

/// Entries, indexed by words and by vectors.
#[derive(Debug)]
pub struct Corpus<'e> {
    faq: Faq,
    vectors: Nearest,
    encoder: &'e Encoder,
    lanes: &'e Lanes,
    segmenter: &'e Segmenter,
}

/// Why there is no corpus, or no answer from it.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The words cannot be indexed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The encoder fails.
    #[error("the encoder cannot read a text")]
    Compute(#[from] candle_core::Error),
}

impl<'e> Corpus<'e> {
    /// Indexes entries.
    ///
    /// * `synonyms`: groups of words that mean the same, the canonical word first.
    ///
    /// # Errors
    /// When tantivy or the encoder fail.
    pub fn new(
        entries: &[Entry],
        synonyms: &[Vec<String>],
        segmenter: &'e Segmenter,
        encoder: &'e Encoder,
        lanes: &'e Lanes,
    ) -> Result<Self, CorpusError> {
        let phrasings: Vec<Normalised> = faq::phrasings(entries).map(normalise).collect();
        let phrasings: Vec<&str> = phrasings.iter().map(Normalised::as_str).collect();
        Ok(Self {
            faq: Faq::build(entries, synonyms, segmenter)?,
            vectors: Nearest::new(&lanes.vectors(encoder, &phrasings)?),
            encoder,
            lanes,
            segmenter,
        })
    }

    /// The entries that a message may be about, the best first.
    ///
    /// # Errors
    /// The encoder cannot read it.
    pub fn search(&self, text: &str, mode: Mode) -> candle_core::Result<Vec<EntryHit>> {
        let utterance = Utterance::read(text, self.segmenter);
        let vectors = match mode {
            Mode::Bm25 => Vec::new(),
            Mode::Vector | Mode::Hybrid => self.lanes.vectors(self.encoder, &[utterance.as_str()])?,
        };
        let near = vectors.first().map(|of| Near::new(&self.vectors, of));
        let mut hits =
            self.faq.search(Query { utterance: &utterance, near: near.as_ref() }, &|_| true, usize::MAX);
        match mode {
            Mode::Bm25 => hits.sort_by(|a, b| b.score.total_cmp(&a.score)),
            Mode::Vector => {
                let near = |hit: &EntryHit| hit.features.nearness.map_or(-1.0, |nearness| nearness.cosine);
                hits.sort_by(|a, b| near(b).total_cmp(&near(a)));
            }
            Mode::Hybrid => {}
        }
        hits.truncate(CANDIDATES);
        Ok(hits)
    }
}
