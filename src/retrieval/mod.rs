//! Which entries and products a message may be about, each with a probability and its reasons.

pub mod catalogue;
pub mod faq;
mod index;
pub mod nearest;
mod terms;
#[cfg(test)]
mod tests;
pub mod topics;

use crate::knowledge::Knowledge;
use crate::retrieval::catalogue::Catalogue;
use crate::retrieval::faq::Faq;
use crate::retrieval::terms::Vocabulary;
use crate::text::segment::Segmenter;

pub use index::IndexError;

/// A BM25 score: not negative, no upper bound, comparable within one query only.
pub type Score = f32;

/// The open indexes of one bot.
#[derive(Debug)]
pub struct Retriever {
    /// The FAQ.
    pub faq: Faq,
    /// The catalogue.
    pub catalogue: Catalogue,
}

impl Retriever {
    /// Indexes a bot's entries and products, in memory.
    ///
    /// # Errors
    /// When tantivy cannot build an index.
    pub fn build(knowledge: &Knowledge, segmenter: &Segmenter) -> Result<Self, IndexError> {
        Ok(Self {
            faq: Faq::build(&knowledge.entries, &knowledge.synonyms, segmenter)?,
            catalogue: Catalogue::build(
                &knowledge.products,
                &knowledge.profile.aspects,
                Vocabulary::new(&knowledge.synonyms),
                segmenter,
            )?,
        })
    }
}
