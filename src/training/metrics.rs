//! How good predictions are, in the field's usual measures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::nlu::model::OUT_OF_SCOPE;
use crate::training::prediction::Prediction;
use crate::training::row::Row;

/// Bins of equal width for the calibration error.
const BINS: usize = 15;

/// Share of in-scope messages that must be kept when the share of foreign ones let in is read off.
pub const KEPT: f32 = 0.92;

/// The place of the highest score; `None` of nothing.
#[must_use]
pub fn best(scores: &[f32]) -> Option<u32> {
    (0..scores.len() as u32).max_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize]))
}

/// All measures over one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Metrics {
    /// Rows.
    pub n_rows: usize,
    /// Rows with an intent.
    pub n_intent_rows: usize,
    /// Share of rows with an intent for which the predicted one is right; `also` counts as right.
    pub intent_accuracy: Option<f32>,
    /// Mean F1 over the intents of the file, each with the same weight.
    pub intent_macro_f1: Option<f32>,
    /// Every intent.
    pub intents: BTreeMap<String, Scores>,
    /// Exact spans and names, all entities together.
    pub slots: Option<Scores>,
    /// Every entity.
    pub entities: BTreeMap<String, Scores>,
    /// Share of rows with intent and all spans right, of those that have labels for both.
    pub whole_message: Option<f32>,
    /// Share of rows with several wishes whose set is exactly right.
    pub exact_set: Option<f32>,
    /// Expected calibration error of the confidence.
    pub calibration_error: Option<f32>,
    /// How well the score tells foreign messages from the others; needs rows of both.
    pub scope: Option<Scope>,
}

/// Precision, recall, F1 and number of gold ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Share of predicted ones that are right; 0 where nothing was predicted.
    pub precision: f32,
    /// Share of gold ones that were found.
    pub recall: f32,
    /// Harmonic mean of both.
    pub f1: f32,
    /// Gold ones.
    pub support: usize,
}

/// Measures of the out-of-scope score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scope {
    /// Area under the curve of true against false alarms.
    pub auroc: f32,
    /// Share of foreign messages let in where [`KEPT`] of the others are kept.
    pub foreign_let_in: f32,
    /// Foreign rows.
    pub n_foreign: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: usize,
    predicted: usize,
    gold: usize,
}

impl Counts {
    fn scores(self) -> Scores {
        let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f32 / whole as f32 };
        let (precision, recall) = (share(self.right, self.predicted), share(self.right, self.gold));
        let f1 = if self.right == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Scores { precision, recall, f1, support: self.gold }
    }
}

/// Compares predictions with the rows that they were made for.
///
/// * `rows`, `predictions`: of the same length and order.
#[must_use]
pub fn measure(rows: &[Row], predictions: &[Prediction]) -> Metrics {
    let mut intents: BTreeMap<String, Counts> = BTreeMap::new();
    let mut entities: BTreeMap<String, Counts> = BTreeMap::new();
    let mut confidences = Vec::new();
    let mut whole = (0, 0);
    let mut sets = (0, 0);
    for (row, prediction) in rows.iter().zip(predictions) {
        let right = intent_is_right(row, prediction);
        if !row.intent.is_empty() {
            confidences.push((prediction.confidence, right));
            // A prediction that is as good a reading counts for the row's own intent.
            let counted = if right { &row.intent } else { &prediction.intent };
            intents.entry(row.intent.clone()).or_default().gold += 1;
            intents.entry(counted.clone()).or_default().predicted += 1;
            intents.entry(counted.clone()).or_default().right += usize::from(right);
        }
        if row.intents.len() > 1 {
            let set = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names
            };
            sets.1 += 1;
            sets.0 += usize::from(set(&row.intents) == set(&prediction.intents));
        }
        if let Some(slots) = &row.slots {
            let (gold, found) = (Prediction::spans(slots), Prediction::spans(&prediction.slots));
            gold.iter().for_each(|(name, _)| entities.entry((*name).to_owned()).or_default().gold += 1);
            for one in &found {
                let counts = entities.entry(one.0.to_owned()).or_default();
                counts.predicted += 1;
                counts.right += usize::from(gold.contains(one));
            }
            if !row.intent.is_empty() {
                whole.1 += 1;
                let same = gold.len() == found.len() && found.iter().all(|one| gold.contains(one));
                whole.0 += usize::from(right && same);
            }
        }
    }
    let gold_intents: Vec<Scores> =
        intents.values().filter(|counts| counts.gold > 0).map(|counts| counts.scores()).collect();
    let all = entities.values().fold(Counts::default(), |sum, one| Counts {
        right: sum.right + one.right,
        predicted: sum.predicted + one.predicted,
        gold: sum.gold + one.gold,
    });
    let share = |(part, of): (usize, usize)| (of > 0).then(|| part as f32 / of as f32);
    let n_right = confidences.iter().filter(|(_, right)| *right).count();
    Metrics {
        n_rows: rows.len(),
        n_intent_rows: confidences.len(),
        intent_accuracy: share((n_right, confidences.len())),
        intent_macro_f1: (!gold_intents.is_empty())
            .then(|| gold_intents.iter().map(|scores| scores.f1).sum::<f32>() / gold_intents.len() as f32),
        intents: intents.into_iter().map(|(name, counts)| (name, counts.scores())).collect(),
        slots: (all.gold > 0).then(|| all.scores()),
        entities: entities.into_iter().map(|(name, counts)| (name, counts.scores())).collect(),
        whole_message: share(whole),
        exact_set: share(sets),
        calibration_error: (!confidences.is_empty()).then(|| calibration_error(&confidences)),
        scope: scope_of(rows, predictions),
    }
}

/// Whether a predicted intent is right.
#[must_use]
pub fn intent_is_right(row: &Row, prediction: &Prediction) -> bool {
    prediction.intent == row.intent || row.also.contains(&prediction.intent)
}

/// The mean distance between how sure one was and how often one was right, over bins of confidence, weighted by
/// their rows.
///
/// Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
#[must_use]
pub fn calibration_error(confidences: &[(f32, bool)]) -> f32 {
    let mut bins = [(0.0_f32, 0.0_f32, 0_usize); BINS];
    for (confidence, right) in confidences {
        let bin = &mut bins[((confidence * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += confidence;
        bin.1 += f32::from(u8::from(*right));
        bin.2 += 1;
    }
    let n = confidences.len().max(1) as f32;
    bins.iter().map(|(sure, right, _)| (sure - right).abs()).sum::<f32>() / n
}

fn scope_of(rows: &[Row], predictions: &[Prediction]) -> Option<Scope> {
    let (inside, foreign) = scope_scores(rows, predictions);
    scope(&inside, &foreign)
}

/// Out-of-scope scores of the bot's own messages, and of foreign ones.
#[must_use]
pub fn scope_scores(rows: &[Row], predictions: &[Prediction]) -> (Vec<f32>, Vec<f32>) {
    let scored = |foreign: bool| -> Vec<f32> {
        rows.iter()
            .zip(predictions)
            .filter(|(row, _)| !row.intent.is_empty() && (row.intent == OUT_OF_SCOPE) == foreign)
            .map(|(_, prediction)| prediction.out_of_scope)
            .collect()
    };
    (scored(false), scored(true))
}

/// Measures of a score that should be low for the first and high for the second.
#[must_use]
pub fn scope(inside: &[f32], foreign: &[f32]) -> Option<Scope> {
    if inside.is_empty() || foreign.is_empty() {
        return None;
    }
    let mut sorted = inside.to_vec();
    sorted.sort_by(f32::total_cmp);
    let below: f64 = foreign
        .iter()
        .map(|score| {
            let less = sorted.partition_point(|other| other < score);
            let equal = sorted.partition_point(|other| other <= score) - less;
            less as f64 + equal as f64 / 2.0
        })
        .sum();
    let limit = sorted[((sorted.len() as f32 * KEPT).ceil() as usize).clamp(1, sorted.len()) - 1];
    let let_in = foreign.iter().filter(|score| **score <= limit).count();
    Some(Scope {
        auroc: (below / (inside.len() as f64 * foreign.len() as f64)) as f32,
        foreign_let_in: let_in as f32 / foreign.len() as f32,
        n_foreign: foreign.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::row::RowSlot;

    fn slot(name: &str, start: usize, end: usize) -> RowSlot {
        RowSlot { name: name.into(), value: String::new(), start, end, negated: false }
    }

    fn row(intent: &str, slots: Vec<RowSlot>) -> Row {
        Row { text: "x".into(), intent: intent.into(), slots: Some(slots), ..Row::default() }
    }

    fn said(intent: &str, confidence: f32, slots: Vec<RowSlot>) -> Prediction {
        Prediction {
            text: "x".into(),
            intent: intent.into(),
            confidence,
            out_of_scope: 0.0,
            intents: vec![intent.into()],
            slots,
            top: Vec::new(),
        }
    }

    #[test]
    fn counts_by_hand() {
        let rows = [
            row("a", vec![slot("color", 0, 2), slot("item", 2, 4)]),
            row("b", vec![]),
            Row { also: vec!["a".into()], ..row("b", vec![slot("item", 0, 1)]) },
        ];
        let predictions = [
            said("a", 0.9, vec![slot("color", 0, 2), slot("item", 2, 5)]),
            said("a", 0.6, vec![]),
            said("a", 0.5, vec![slot("item", 0, 1)]),
        ];
        let found = measure(&rows, &predictions);
        assert_eq!(found.intent_accuracy, Some(2.0 / 3.0));
        assert_eq!(found.intents["a"], Scores { precision: 0.5, recall: 1.0, f1: 2.0 / 3.0, support: 1 });
        assert_eq!(found.intents["b"].recall, 0.5);
        let slots = found.slots.unwrap();
        assert_eq!((slots.precision, slots.recall, slots.support), (2.0 / 3.0, 2.0 / 3.0, 3));
        assert_eq!(found.whole_message, Some(1.0 / 3.0));
    }

    #[test]
    fn a_perfect_and_a_useless_score() {
        let inside: Vec<f32> = (0..100).map(|n| n as f32 / 1000.0).collect();
        let perfect = scope(&inside, &[0.5, 0.9]).unwrap();
        assert_eq!((perfect.auroc, perfect.foreign_let_in), (1.0, 0.0));
        let useless = scope(&inside, &inside).unwrap();
        assert!((useless.auroc - 0.5).abs() < 1e-3 && (useless.foreign_let_in - 0.92).abs() < 0.011);
        assert_eq!(scope(&[], &inside), None);
    }

    #[test]
    fn calibration_error_is_the_gap() {
        let sure_and_wrong: Vec<(f32, bool)> = vec![(1.0, false); 10];
        assert!((calibration_error(&sure_and_wrong) - 1.0).abs() < 1e-6);
        let honest: Vec<(f32, bool)> = (0..10).map(|n| (0.7, n < 7)).collect();
        assert!(calibration_error(&honest) < 1e-5);
    }
}
