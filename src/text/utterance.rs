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
        let search_words = segmenter.search_words(normalised.as_str());
        Self { normalised, words, search_words, cut: end < text.len() }
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.normalised.as_str()
    }

    /// Whether there is anything to understand: at least one letter, digit or character.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.as_str().chars().any(char::is_alphanumeric)
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
        for text in ["", "。。。", "😀😀", "?!", "[微笑]"] {
            assert!(!Utterance::read(text, &segmenter).has_words(), "{text}");
        }
        assert!(Utterance::read("1", &segmenter).has_words());
    }
}
