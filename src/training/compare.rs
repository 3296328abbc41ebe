//! Whether one model is better than another, or only looks so on these rows.

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;

use crate::training::metrics::intent_is_right;
use crate::training::prediction::Prediction;
use crate::training::row::Row;

/// Times the rows are drawn anew; chosen by hand, the interval moves by a tenth of a point.
const DRAWS: usize = 2_000;

/// Share of the draws outside of the interval, on each side.
const TAIL: f64 = 0.025;

/// A measure of two models on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Of the first model, `0.0..=1.0`.
    pub a: f64,
    /// Of the second.
    pub b: f64,
    /// Lower end of the interval that holds `b - a` in 95 of 100 draws of the rows.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Differences in all measures that the rows have labels for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Share of right intents.
    pub intent_accuracy: Option<Difference>,
    /// F1 of exact spans.
    pub slot_f1: Option<Difference>,
    /// Share of messages with intent and all spans right.
    pub whole_message: Option<Difference>,
}

/// What one row adds to a measure: `numerator / denominator` over all rows is the measure.
type Part = (f64, f64);

/// Compares two lists of predictions by a paired bootstrap: rows are drawn with replacement, the same for both.
///
/// * `rows`, `a`, `b`: of the same length and order.
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
#[must_use]
pub fn compare(rows: &[Row], a: &[Prediction], b: &[Prediction]) -> Comparison {
    let of = |part: fn(&Row, &Prediction) -> Option<Part>| {
        let pairs: Vec<(Part, Part)> = rows
            .iter()
            .zip(a.iter().zip(b))
            .filter_map(|(row, (a, b))| Some((part(row, a)?, part(row, b)?)))
            .collect();
        difference(&pairs)
    };
    Comparison { intent_accuracy: of(intent), slot_f1: of(slots), whole_message: of(whole) }
}

fn intent(row: &Row, said: &Prediction) -> Option<Part> {
    (!row.intent.is_empty()).then(|| (f64::from(u8::from(intent_is_right(row, said))), 1.0))
}

/// F1 is twice the right ones over predicted and gold ones together.
fn slots(row: &Row, said: &Prediction) -> Option<Part> {
    let (gold, found) = (Prediction::spans(row.slots.as_ref()?), Prediction::spans(&said.slots));
    let right = found.iter().filter(|one| gold.contains(one)).count();
    Some((2.0 * right as f64, (gold.len() + found.len()) as f64))
}

fn whole(row: &Row, said: &Prediction) -> Option<Part> {
    let (right, all) = slots(row, said)?;
    let (is_right, _) = intent(row, said)?;
    Some((if right == all { is_right } else { 0.0 }, 1.0))
}

fn difference(pairs: &[(Part, Part)]) -> Option<Difference> {
    let shares = |draw: &mut dyn FnMut(usize) -> usize| {
        let mut sums = [0.0; 4];
        for at in 0..pairs.len() {
            let (a, b) = pairs[draw(at)];
            [a.0, a.1, b.0, b.1].iter().zip(&mut sums).for_each(|(part, sum)| *sum += part);
        }
        (sums[1] > 0.0 && sums[3] > 0.0).then(|| (sums[0] / sums[1], sums[2] / sums[3]))
    };
    let (a, b) = shares(&mut |at| at)?;
    let mut rng = StdRng::seed_from_u64(0);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .filter_map(|_| shares(&mut |_| rng.random_range(0..pairs.len())))
        .map(|(a, b)| b - a)
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn[((drawn.len() as f64 * share) as usize).min(drawn.len() - 1)];
    (!drawn.is_empty()).then(|| Difference { a, b, low: at(TAIL), high: at(1.0 - TAIL) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::row::RowSlot;

    fn said(intent: &str, slots: Vec<RowSlot>) -> Prediction {
        Prediction {
            text: "x".into(),
            intent: intent.into(),
            confidence: 1.0,
            out_of_scope: 0.0,
            intents: vec![],
            slots,
            top: vec![],
        }
    }

    fn rows(n: usize) -> Vec<Row> {
        (0..n).map(|_| Row { intent: "a".into(), slots: Some(vec![]), ..Row::default() }).collect()
    }

    #[test]
    fn a_model_and_itself_do_not_differ() {
        let predictions: Vec<_> = (0..50).map(|n| said(if n % 3 == 0 { "b" } else { "a" }, vec![])).collect();
        let found = compare(&rows(50), &predictions, &predictions).intent_accuracy.unwrap();
        assert_eq!((found.low, found.high), (0.0, 0.0));
        assert_eq!(found.a, 33.0 / 50.0);
    }

    #[test]
    fn much_better_is_told_from_hardly_better() {
        let right_in = |n_right: usize| -> Vec<Prediction> {
            (0..100).map(|n| said(if n < n_right { "a" } else { "b" }, vec![])).collect()
        };
        let much = compare(&rows(100), &right_in(50), &right_in(90)).intent_accuracy.unwrap();
        assert!(much.low > 0.25 && much.high < 0.55, "{much:?}");
        let hardly = compare(&rows(100), &right_in(50), &right_in(51)).intent_accuracy.unwrap();
        assert!(hardly.low <= 0.0 && hardly.high > 0.0, "{hardly:?}");
    }

    #[test]
    fn what_is_not_labelled_is_not_compared() {
        let slot = RowSlot { name: "color".into(), value: "黑".into(), start: 0, end: 1, negated: false };
        let rows = vec![Row { slots: Some(vec![slot.clone()]), ..Row::default() }; 10];
        let found = compare(&rows, &vec![said("a", vec![]); 10], &vec![said("a", vec![slot]); 10]);
        assert_eq!((found.intent_accuracy, found.whole_message), (None, None));
        assert_eq!(found.slot_f1.map(|f1| (f1.a, f1.b, f1.low)), Some((0.0, 1.0, 1.0)));
    }
}
