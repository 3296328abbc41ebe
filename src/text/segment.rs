//! Words. jieba with the bots' own vocabulary; the dictionary is loaded once and shared.

use jieba_rs::Jieba;
use jieba_rs::Token;

use crate::text::span::ByteSpan;

/// Cuts normalised text into words.
///
/// One of them serves the whole process: the dictionary takes a quarter of a second and some 50 MB.
pub struct Segmenter {
    jieba: Jieba,
}

impl Segmenter {
    /// Loads jieba's dictionary and adds words that it must not cut.
    ///
    /// * `words`: in normal form; those of one character or with blanks in them are passed over, because
    ///   they never decide a cut, and figures, because they would be found inside every longer number.
    #[must_use]
    pub fn new<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut jieba = Jieba::new();
        let figures = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        for word in words.filter(|word| word.chars().count() > 1 && !word.contains(' ') && !figures(word)) {
            jieba.add_word(word, None, None);
        }
        Self { jieba }
    }

    /// The words in order; together they are the text again.
    ///
    /// The hidden Markov model for unknown words stays off: it cuts a word by its neighbours, so that
    /// question and entry would disagree about the same word.
    #[must_use]
    pub fn words(&self, normalised: &str) -> Vec<ByteSpan> {
        spans(normalised, &self.jieba.cut(normalised, false))
    }

    /// The words, and the shorter words inside long ones, by their place in the text.
    #[must_use]
    pub fn search_words(&self, normalised: &str) -> Vec<ByteSpan> {
        spans(normalised, &self.jieba.cut_for_search(normalised, false))
    }
}

impl std::fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segmenter").finish_non_exhaustive()
    }
}

/// jieba hands out slices of the text; their addresses tell the bytes.
fn spans(text: &str, tokens: &[Token<'_>]) -> Vec<ByteSpan> {
    let base = text.as_ptr().addr();
    tokens
        .iter()
        .map(|token| {
            let start = token.word.as_ptr().addr() - base;
            ByteSpan::new(start, start + token.word.len())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::text::normalise::normalise;

    static SEGMENTER: LazyLock<Segmenter> =
        LazyLock::new(|| Segmenter::new(["冲锋衣", "雾霾蓝", "云柔", "a b"].into_iter()));

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let words: Vec<&str> = SEGMENTER.words(text).iter().map(|span| span.of(text)).collect();
        assert_eq!(words.join("/"), expected);
    }

    #[test]
    fn own_words_stay_whole() {
        check("雾霾蓝的冲锋衣多少钱", "雾霾蓝/的/冲锋衣/多少/钱");
        let plain = Segmenter::new(std::iter::empty());
        let text = "雾霾蓝的冲锋衣";
        assert!(plain.words(text).len() > SEGMENTER.words(text).len());
    }

    #[test]
    fn search_words_hold_the_shorter_ones() {
        let text = "中华人民共和国";
        let words: Vec<&str> = SEGMENTER.search_words(text).iter().map(|span| span.of(text)).collect();
        assert!(words.contains(&"中华") && words.contains(&"人民") && words.contains(&text), "{words:?}");
    }

    proptest! {
        #[test]
        fn words_join_back_into_the_text(text in "\\PC{0,40}|[退货衬衫a-z0-9 ,。冲锋衣]{0,30}") {
            let normal = normalise(&text);
            let text = normal.as_str();
            let mut at = 0;
            for span in SEGMENTER.words(text) {
                prop_assert_eq!(span.start, at);
                at = span.end;
            }
            prop_assert_eq!(at, text.len());
            for span in SEGMENTER.search_words(text) {
                prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
            }
        }
    }
}
