//! A message, read: its normal form and its words.

use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;
use crate::text::span::ByteSpan;

/// Most characters of a message that are looked at; a longer one is cut here, and the utterance says so.
///
/// Chosen by hand: WeCom lets a customer type 2,048 bytes, and nobody asks a question in four pages.
pub const CHARS_MAX: usize = 2_000;

/// What a customer said, in the form that every later stage reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// The normal form, with the way back to the original.
    pub normalised: Normalised,
    /// Words of the normal form, in order; together they are it again.
    pub words: Vec<ByteSpan>,
    /// The same with the shorter words inside long ones.
    pub search_words: Vec<ByteSpan>,
    /// Whether the message was longer than [`CHARS_MAX`] and its end was not looked at.
    pub cut: bool,
}

impl Utterance {
    /// Reads a message.
    #[must_use]
    pub fn read(text: &str, segmenter: &Segmenter) -> Self {
        let end = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(at, _)| at);
        let normalised = normalise(&text[..end]);
        let words = segmenter.words(normalised.as_str());
        let mut search_words = segmenter.search_words(normalised.as_str());
        // The 220 inside an order number is no word of it.
        let runs: Vec<ByteSpan> =
            words.iter().filter(|word| word.of(normalised.as_str()).is_ascii()).copied().collect();
        search_words.retain(|part| runs.iter().all(|run| run == part || !run.overlaps(part)));
        Self { normalised, words, search_words, cut: end < text.len() }
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.normalised.as_str()
    }

    /// Whether there is anything to understand: at least one letter or character. Figures alone are none: the
    /// 1 of nobody's choice is not the 1 of an entry.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.as_str().chars().any(char::is_alphabetic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_message_is_cut_and_says_so() {
        let segmenter = Segmenter::new(std::iter::empty());
        let long = "退".repeat(CHARS_MAX + 1);
        let read = Utterance::read(&long, &segmenter);
        assert!(read.cut);
        assert_eq!(read.as_str().chars().count(), CHARS_MAX);
        assert!(!Utterance::read(&long[..CHARS_MAX * 3], &segmenter).cut);
    }

    #[test]
    fn signs_alone_are_no_words() {
        let segmenter = Segmenter::new(std::iter::empty());
        for text in ["", "。。。", "😀😀", "?!", "[微笑]", "1", "②", "10086"] {
            assert!(!Utterance::read(text, &segmenter).has_words(), "{text}");
        }
        assert!(Utterance::read("1个", &segmenter).has_words());
    }

    #[test]
    fn a_number_has_no_words_inside() {
        let segmenter = Segmenter::new(["220"].into_iter());
        let read = Utterance::read("单号20261122000123", &segmenter);
        assert!(read.search_words.iter().all(|span| span.of(read.as_str()) != "220"));
    }
}
