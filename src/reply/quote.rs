//! The sentence of a long answer that the question was after.

use std::collections::BTreeSet;

use crate::text::span::ByteSpan;

/// Characters from which on an answer is long enough to look for something in it.
const CHARS_MIN: usize = 60;

/// Sentences from which on one of them can be pointed at.
const SENTENCES_MIN: usize = 3;

/// What sentences end with.
const ENDS: [char; 6] = ['。', '！', '？', '；', '\n', '!'];

/// The sentence that holds most of what was asked, by characters of the words; the first of equal ones.
///
/// * `words`: of the question, normalised; words of one character say too little and are passed over.
/// * Returns `None` for a short answer, and where no sentence stands out from the others.
///
/// ```
/// use yingda::reply::quote::quotation;
/// let answer = "签收七天内可以申请退货。吊牌要完整，衣服没有洗过。\
///               质量问题退货的运费由我们承担，平台会在三天内退还。不喜欢退货的，运费请您自理。";
/// let span = quotation(answer, ["质量", "问题", "谁", "承担", "运费"]).unwrap();
/// assert_eq!(span.of(answer), "质量问题退货的运费由我们承担，平台会在三天内退还。");
/// assert_eq!(quotation("七天内可以退。", ["可以", "退"]), None);
/// ```
#[must_use]
pub fn quotation<'w>(answer: &str, words: impl IntoIterator<Item = &'w str>) -> Option<ByteSpan> {
    let words: BTreeSet<&str> = words.into_iter().filter(|word| word.chars().nth(1).is_some()).collect();
    let sentences = sentences(answer);
    if sentences.len() < SENTENCES_MIN || answer.chars().count() < CHARS_MIN {
        return None;
    }
    let held = |span: &ByteSpan| -> usize {
        let own = span.of(answer).to_lowercase();
        words.iter().filter(|word| own.contains(**word)).map(|word| word.chars().count()).sum()
    };
    let mut ranked: Vec<(usize, ByteSpan)> = sentences.into_iter().map(|span| (held(&span), span)).collect();
    // The sort is stable: of equal ones the first stays first.
    ranked.sort_by_key(|(held, _)| std::cmp::Reverse(*held));
    match ranked.as_slice() {
        [(best, span), (second, _), ..] if best > second => Some(*span),
        _ => None,
    }
}

/// Sentences with their ends, without blanks around them.
fn sentences(text: &str) -> Vec<ByteSpan> {
    let mut at = 0;
    let mut found = Vec::new();
    for piece in text.split_inclusive(ENDS) {
        let start = at + (piece.len() - piece.trim_start().len());
        let end = at + piece.trim_end().len();
        at += piece.len();
        if start < end {
            found.push(ByteSpan { start, end });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "一般当天发货，预售商品按页面写的日期发。\n快递默认中通，新疆西藏走邮政。\n\
                          想指定顺丰要补运费差价，下单时备注就行，客服会联系您。";

    #[track_caller]
    fn check(words: &[&str], expected: Option<&str>) {
        let found = quotation(ANSWER, words.iter().copied());
        assert_eq!(found.map(|span| span.of(ANSWER)), expected);
    }

    #[test]
    fn the_sentence_that_holds_most_is_found() {
        check(&["新疆", "能", "发", "邮政", "快递"], Some("快递默认中通，新疆西藏走邮政。"));
        check(&["指定", "顺丰"], Some("想指定顺丰要补运费差价，下单时备注就行，客服会联系您。"));
    }

    #[test]
    fn nothing_is_pointed_at_where_nothing_stands_out() {
        check(&["退货"], None);
        check(&["发", "运"], None);
        check(&["发货", "快递"], None);
    }
}
