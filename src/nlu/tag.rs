//! Spans as one tag a token, and the most probable spans of a table of tag probabilities.
//!
//! Tag 0 is outside of every entity; entity `s` has the four tags begin, inside, end and single, from `1 + 4·s`.

/// Entity and its tokens: `first..behind`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaggedSpan {
    /// Place of the entity's name in the model's list.
    pub slot: usize,
    /// First token.
    pub first: usize,
    /// The token behind the last.
    pub behind: usize,
    /// Probability of the least probable of its tags, `0.0..=1.0`.
    pub confidence: f32,
}

const BEGIN: usize = 0;
const INSIDE: usize = 1;
const END: usize = 2;
const SINGLE: usize = 3;

/// Number of tags for a number of entities.
#[must_use]
pub fn n_tags(n_slots: usize) -> usize {
    1 + 4 * n_slots
}

/// The tag of every token.
///
/// * `spans`: slot, first token, the one behind the last; not overlapping, inside of `n_tokens`, not empty.
#[must_use]
pub fn encode(spans: &[(usize, usize, usize)], n_tokens: usize) -> Vec<u32> {
    let mut tags = vec![0; n_tokens];
    for (slot, first, behind) in spans {
        let tag = |part: usize| (1 + 4 * slot + part) as u32;
        if behind - first == 1 {
            tags[*first] = tag(SINGLE);
            continue;
        }
        tags[*first..*behind].fill(tag(INSIDE));
        tags[*first] = tag(BEGIN);
        tags[behind - 1] = tag(END);
    }
    tags
}

/// The spans of the most probable sequence of tags that is well formed (Viterbi).
///
/// * `log_probs`: rows of [`n_tags`] natural logarithms, one row a token; all finite.
/// * Returns spans in order.
#[must_use]
pub fn decode(log_probs: &[f32], n_slots: usize) -> Vec<TaggedSpan> {
    let n_tags = n_tags(n_slots);
    let rows: Vec<&[f32]> = log_probs.chunks_exact(n_tags).collect();
    // After each token: the best score with no entity open, and for each entity with it open.
    let mut closed = 0.0_f32;
    let mut open = vec![f32::NEG_INFINITY; n_slots];
    // How each of these was reached.
    let mut closed_by = Vec::with_capacity(rows.len());
    let mut open_by = Vec::with_capacity(rows.len());
    for row in &rows {
        let tag = |slot: usize, part: usize| row[1 + 4 * slot + part];
        let mut best = (closed + row[0], 0);
        let mut now_open = vec![f32::NEG_INFINITY; n_slots];
        let mut begun = vec![true; n_slots];
        for slot in 0..n_slots {
            let single = closed + tag(slot, SINGLE);
            if single > best.0 {
                best = (single, 1 + 4 * slot + SINGLE);
            }
            let end = open[slot] + tag(slot, END);
            if end > best.0 {
                best = (end, 1 + 4 * slot + END);
            }
            let begin = closed + tag(slot, BEGIN);
            let inside = open[slot] + tag(slot, INSIDE);
            begun[slot] = begin >= inside;
            now_open[slot] = begin.max(inside);
        }
        closed = best.0;
        open = now_open;
        closed_by.push(best.1);
        open_by.push(begun);
    }
    let mut spans = Vec::new();
    let mut at = rows.len();
    while at > 0 {
        let tag = closed_by[at - 1];
        if tag == 0 {
            at -= 1;
            continue;
        }
        let (slot, part) = ((tag - 1) / 4, (tag - 1) % 4);
        let behind = at;
        let mut lowest = rows[at - 1][tag];
        at -= 1;
        if part == END {
            while !open_by[at - 1][slot] {
                lowest = lowest.min(rows[at - 1][1 + 4 * slot + INSIDE]);
                at -= 1;
            }
            lowest = lowest.min(rows[at - 1][1 + 4 * slot + BEGIN]);
            at -= 1;
        }
        spans.push(TaggedSpan { slot, first: at, behind, confidence: lowest.exp().clamp(0.0, 1.0) });
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log probabilities under which the given tags are likely.
    fn likely(tags: &[u32], n_slots: usize) -> Vec<f32> {
        let mut rows = vec![-5.0; tags.len() * n_tags(n_slots)];
        for (row, tag) in rows.chunks_exact_mut(n_tags(n_slots)).zip(tags) {
            row[*tag as usize] = -0.1;
        }
        rows
    }

    fn spans(found: &[TaggedSpan]) -> Vec<(usize, usize, usize)> {
        found.iter().map(|span| (span.slot, span.first, span.behind)).collect()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let given = [(1, 0, 1), (0, 1, 4), (1, 5, 7), (1, 7, 8)];
        let tags = encode(&given, 9);
        assert_eq!(tags, [8, 1, 2, 3, 0, 5, 7, 8, 0]);
        assert_eq!(spans(&decode(&likely(&tags, 2), 2)), given);
    }

    #[test]
    fn an_ill_formed_sequence_is_repaired_where_it_costs_least() {
        // begin, outside, end: the middle one is less sure than the borders.
        let mut rows = likely(&[1, 0, 3], 1);
        rows[5] = -0.3;
        rows[5 + 2] = -0.5;
        assert_eq!(spans(&decode(&rows, 1)), [(0, 0, 3)]);
        // Alone at the end, an opened entity cannot stay open.
        assert_eq!(spans(&decode(&likely(&[0, 1], 1), 1)), []);
    }

    #[test]
    fn without_tokens_or_entities_there_are_no_spans() {
        assert_eq!(decode(&[], 3), []);
        assert_eq!(decode(&[0.0, 0.0], 0), []);
    }

    proptest::proptest! {
        #[test]
        fn any_table_gives_ordered_spans(rows in proptest::collection::vec(-20.0_f32..0.0, 0..120)) {
            let n_tokens = rows.len() / n_tags(2);
            let found = decode(&rows[..n_tokens * n_tags(2)], 2);
            let mut before = 0;
            for span in &found {
                proptest::prop_assert!(before <= span.first && span.first < span.behind && span.behind <= n_tokens);
                before = span.behind;
            }
        }
    }
}
