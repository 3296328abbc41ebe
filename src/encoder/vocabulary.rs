//! From text to the numbers that the encoder looks up, and back to the place of each.

use std::collections::HashMap;

use crate::text::span::ByteSpan;

/// Most tokens of a text, the two at its ends included: as many positions as the encoder has learned.
pub const TOKENS_MAX: usize = 512;

/// Stands for a blank inside the pieces (SentencePiece's sign).
const BLANK: char = '\u{2581}';

/// How much worse than the rarest piece an unknown character is, in natural logarithms.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The pieces of text that the encoder knows.
///
/// With pieces of one character only, every character is a token of its own, so that no border of an entity falls
/// inside of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    pieces: Vec<String>,
    scores: Vec<f32>,
    by_text: HashMap<String, usize>,
    piece_chars_max: usize,
    unknown_score: f32,
}

/// Places of the four pieces that are no text; every vocabulary begins with them.
pub const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
const BEGIN: u32 = 0;
const END: u32 = 2;
const UNKNOWN: u32 = 3;

/// A text as the encoder reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Rows of the embedding, the signs for begin and end included; at least 2, at most [`TOKENS_MAX`].
    pub ids: Vec<u32>,
    /// Where each token but the first and the last stands in the text.
    pub spans: Vec<ByteSpan>,
    /// Whether the text was longer and its end was not read.
    pub cut: bool,
}

/// Why a list of pieces is no vocabulary.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VocabularyError {
    /// One of the four special pieces is missing.
    #[error("piece {place} must be {expected:?}, found {found:?}")]
    Special {
        /// Its place.
        place: usize,
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Pieces and scores do not pair.
    #[error("{pieces} pieces but {scores} scores")]
    Scores {
        /// Number of pieces.
        pieces: usize,
        /// Number of scores.
        scores: usize,
    },
}

impl Vocabulary {
    /// Takes pieces in the order of the embedding's rows.
    ///
    /// * `scores`: natural logarithm of each piece's probability.
    ///
    /// # Errors
    /// The list does not begin with [`SPECIAL`], or the two lists differ in length.
    pub fn new(pieces: Vec<String>, scores: Vec<f32>) -> Result<Self, VocabularyError> {
        for (place, expected) in SPECIAL.into_iter().enumerate() {
            let found = pieces.get(place).map_or("", String::as_str);
            if found != expected {
                return Err(VocabularyError::Special { place, expected, found: found.to_owned() });
            }
        }
        if pieces.len() != scores.len() {
            return Err(VocabularyError::Scores { pieces: pieces.len(), scores: scores.len() });
        }
        let by_text: HashMap<String, usize> = pieces
            .iter()
            .enumerate()
            .skip(SPECIAL.len())
            .map(|(place, piece)| (piece.clone(), place))
            .collect();
        let piece_chars_max = by_text.keys().map(|piece| piece.chars().count()).max().unwrap_or(1);
        let unknown_score = scores.iter().copied().fold(0.0, f32::min) - UNKNOWN_PENALTY;
        Ok(Self { pieces, scores, by_text, piece_chars_max, unknown_score })
    }

    /// The pieces, in the order of the embedding's rows.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Natural logarithm of each piece's probability.
    #[must_use]
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are no pieces; never, by [`Self::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Cuts a text into its most probable pieces (Viterbi over the unigram scores).
    ///
    /// * `text`: in normal form ([`crate::text::normalise`]).
    /// * Returns at least the two signs at the ends; characters that no piece holds become unknown ones.
    ///
    /// Source: Kudo, "Subword Regularization", ACL 2018, section 3.2.
    #[must_use]
    pub fn tokens(&self, text: &str) -> Tokens {
        let mut characters: Vec<(char, ByteSpan)> = text
            .char_indices()
            .map(|(at, c)| (if c == ' ' { BLANK } else { c }, ByteSpan::new(at, at + c.len_utf8())))
            .collect();
        if self.piece_chars_max > 1 {
            // Pieces of several characters were learned with a blank before the first word.
            characters.insert(0, (BLANK, ByteSpan::new(0, 0)));
        }
        let (mut ids, mut spans) = (vec![BEGIN], Vec::new());
        for (id, first, behind) in self.best_path(&characters) {
            ids.push(id);
            spans.push(ByteSpan::new(characters[first].1.start, characters[behind - 1].1.end));
        }
        let cut = ids.len() > TOKENS_MAX - 1;
        ids.truncate(TOKENS_MAX - 1);
        spans.truncate(TOKENS_MAX - 2);
        ids.push(END);
        Tokens { ids, spans, cut }
    }

    /// Pieces in order: id, first character, the one behind the last.
    fn best_path(&self, characters: &[(char, ByteSpan)]) -> Vec<(u32, usize, usize)> {
        // For every border: the score of the best way there, where its last piece begins, and which it is.
        let mut best = vec![(f32::NEG_INFINITY, 0, UNKNOWN); characters.len() + 1];
        best[0].0 = 0.0;
        let mut piece = String::new();
        for first in 0..characters.len() {
            piece.clear();
            let so_far = best[first].0;
            for behind in first + 1..=characters.len().min(first + self.piece_chars_max) {
                piece.push(characters[behind - 1].0);
                let (id, score) = match self.by_text.get(&piece) {
                    Some(place) => (*place as u32, self.scores[*place]),
                    None if behind == first + 1 => (UNKNOWN, self.unknown_score),
                    None => continue,
                };
                if so_far + score > best[behind].0 {
                    best[behind] = (so_far + score, first, id);
                }
            }
        }
        let mut path = Vec::new();
        let mut behind = characters.len();
        while behind > 0 {
            let (_, first, id) = best[behind];
            path.push((id, first, behind));
            behind = first;
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(pieces: &[(&str, f32)]) -> Vocabulary {
        let special = SPECIAL.into_iter().map(|piece| (piece, 0.0));
        let (pieces, scores) =
            special.chain(pieces.iter().copied()).map(|(piece, score)| (piece.to_owned(), score)).unzip();
        Vocabulary::new(pieces, scores).unwrap()
    }

    #[test]
    fn the_most_probable_pieces_win() {
        let vocabulary =
            vocabulary(&[("\u{2581}", -2.0), ("退", -5.0), ("换", -5.0), ("退换", -8.0), ("衬", -6.0)]);
        let tokens = vocabulary.tokens("退换 衬x");
        assert_eq!(tokens.ids, [0, 4, 7, 4, 8, 3, 2]);
        let text = "退换 衬x";
        let pieces: Vec<&str> = tokens.spans.iter().map(|span| span.of(text)).collect();
        assert_eq!(pieces, ["", "退换", " ", "衬", "x"]);
    }

    #[test]
    fn single_characters_keep_every_border() {
        let vocabulary = vocabulary(&[("退", -5.0), ("\u{2581}", -2.0)]);
        let tokens = vocabulary.tokens("退 退");
        assert_eq!(tokens.ids, [0, 4, 5, 4, 2]);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let vocabulary = vocabulary(&[("退", -5.0)]);
        let fits = vocabulary.tokens(&"退".repeat(TOKENS_MAX - 2));
        assert!(!fits.cut);
        assert_eq!(fits.ids.len(), TOKENS_MAX);
        let cut = vocabulary.tokens(&"退".repeat(TOKENS_MAX - 1));
        assert!(cut.cut);
        assert_eq!((cut.ids.len(), cut.spans.len()), (TOKENS_MAX, TOKENS_MAX - 2));
    }

    #[test]
    fn nothing_is_read_as_begin_and_end() {
        assert_eq!(vocabulary(&[("退", -5.0)]).tokens("").ids, [0, 2]);
    }

    #[test]
    fn a_foreign_list_is_refused() {
        let error = Vocabulary::new(vec!["[PAD]".into()], vec![0.0]).unwrap_err();
        assert_eq!(error.to_string(), "piece 0 must be \"<s>\", found \"[PAD]\"");
    }
}
