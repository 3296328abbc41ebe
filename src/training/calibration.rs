//! From raw outputs on held-out rows to the numbers that make probabilities of them.

use crate::nlu::model::Calibration;
use crate::nlu::model::calibrated;
use crate::nlu::model::log_sum;
use crate::nlu::model::out_of_scope;
use crate::training::logistic;
use crate::training::logistic::Observation;
use crate::training::metrics::KEPT;

/// Largest share of foreign messages let in at the chosen threshold, where that keeps enough of the others.
const FOREIGN_MAX: f32 = 0.05;

/// What the network said of one held-out row, and what it should have said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Logits of the intents.
    pub logits: Vec<f32>,
    /// Intents that are right; empty: not labelled, or foreign.
    pub intents: Vec<u32>,
    /// Logits of each intent for itself.
    pub presence: Vec<f32>,
    /// All wishes.
    pub wishes: Vec<u32>,
    /// Logit of being foreign.
    pub foreign_logit: f32,
    /// Whether it is; `None`: nobody says.
    pub foreign: Option<bool>,
}

/// Fits temperature, out-of-scope score and the two thresholds.
#[must_use]
pub fn fit(outcomes: &[Outcome]) -> Calibration {
    let mut calibration = Calibration { temperature: temperature(outcomes), ..Calibration::default() };
    let observations: Vec<Observation<2>> = outcomes
        .iter()
        .filter_map(|one| {
            // Of order 1, as the regression wants them.
            let sum = if one.logits.is_empty() { 0.0 } else { log_sum(&one.logits) };
            let features = [f64::from(one.foreign_logit) / 5.0, f64::from(sum) / 5.0];
            Some(Observation { features, truth: one.foreign? })
        })
        .collect();
    let has_both = observations.iter().any(|one| one.truth) && observations.iter().any(|one| !one.truth);
    if has_both {
        let (bias, [by_head, by_sum]) = logistic::fit(&observations, 0.01);
        calibration.scope = [bias as f32, by_head as f32 / 5.0, by_sum as f32 / 5.0];
        calibration.scope_threshold = scope_threshold(outcomes, &calibration);
    }
    calibration.presence_threshold = presence_threshold(outcomes);
    calibration
}

/// The temperature under which the right intents are most likely.
fn temperature(outcomes: &[Outcome]) -> f32 {
    let cost = |temperature: f32| -> f64 {
        outcomes
            .iter()
            .filter(|one| !one.intents.is_empty())
            .map(|one| {
                let shares = calibrated(&one.logits, temperature);
                let right: f32 = one.intents.iter().map(|intent| shares[*intent as usize]).sum();
                -f64::from(right.max(1e-9).ln())
            })
            .sum()
    };
    // From 0.3 to 5 in steps of 2 %.
    let candidates = (0..143).map(|step| 0.3 * 1.02_f32.powi(step));
    candidates.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(1.0)
}

/// The score from which a message is foreign: the fewest mistakes; lower, where too many foreign ones would be let
/// in and enough of the others are still kept.
fn scope_threshold(outcomes: &[Outcome], calibration: &Calibration) -> f32 {
    let score = |one: &Outcome| out_of_scope(calibration, one.foreign_logit, &one.logits).value();
    let scores = |foreign: bool| -> Vec<f32> {
        outcomes.iter().filter(|one| one.foreign == Some(foreign)).map(score).collect()
    };
    let (inside, foreign) = (scores(false), scores(true));
    let kept = |threshold: f32| share(&inside, |score| score < threshold);
    let let_in = |threshold: f32| share(&foreign, |score| score < threshold);
    let grid: Vec<f32> = (1..100).map(|percent| percent as f32 / 100.0).collect();
    let mistakes = |threshold: f32| {
        (1.0 - kept(threshold)) * inside.len() as f32 + let_in(threshold) * foreign.len() as f32
    };
    let fewest = grid.iter().copied().min_by(|a, b| mistakes(*a).total_cmp(&mistakes(*b))).unwrap_or(0.5);
    grid.iter()
        .rev()
        .copied()
        .find(|threshold| {
            *threshold <= fewest && (let_in(*threshold) <= FOREIGN_MAX || kept(*threshold) < KEPT)
        })
        .unwrap_or(fewest)
}

/// The probability from which a second wish is reported: the most rows whose set of wishes is exactly right, rows
/// with one wish and rows with several weighing the same.
fn presence_threshold(outcomes: &[Outcome]) -> f32 {
    let exact = |threshold: f32, several: bool| {
        let rows: Vec<&Outcome> = outcomes
            .iter()
            .filter(|one| !one.wishes.is_empty() && (one.wishes.len() > 1) == several)
            .collect();
        let right = rows.iter().filter(|one| wishes(one, threshold) == one.wishes).count();
        if rows.is_empty() { 0.0 } else { right as f32 / rows.len() as f32 }
    };
    let both = |threshold: f32| exact(threshold, false) + exact(threshold, true);
    let grid = (10..100).map(|percent| percent as f32 / 100.0);
    grid.max_by(|a, b| both(*a).total_cmp(&both(*b))).unwrap_or(0.5)
}

/// The wishes that a threshold gives, in order of the labels.
fn wishes(one: &Outcome, threshold: f32) -> Vec<u32> {
    let first = (0..one.logits.len()).max_by(|a, b| one.logits[*a].total_cmp(&one.logits[*b]));
    let present = |at: usize| 1.0 / (1.0 + (-one.presence[at]).exp()) >= threshold;
    (0..one.logits.len()).filter(|at| Some(*at) == first || present(*at)).map(|at| at as u32).collect()
}

fn share(scores: &[f32], what: impl Fn(f32) -> bool) -> f32 {
    scores.iter().filter(|score| what(**score)).count() as f32 / scores.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(logits: [f32; 2], intent: u32, foreign_logit: f32, foreign: bool) -> Outcome {
        let intents = if foreign { vec![] } else { vec![intent] };
        Outcome {
            logits: logits.to_vec(),
            intents: intents.clone(),
            presence: vec![-3.0, -3.0],
            wishes: intents,
            foreign_logit,
            foreign: Some(foreign),
        }
    }

    #[test]
    fn an_overconfident_network_is_cooled_down() {
        // Sure of the first, and wrong 3 times in 10.
        let outcomes: Vec<Outcome> =
            (0..100).map(|n| outcome([8.0, 0.0], u32::from(n % 10 < 3), -2.0, false)).collect();
        let found = fit(&outcomes);
        let sure = calibrated(&[8.0, 0.0], found.temperature)[0];
        assert!(found.temperature > 4.0, "{found:?}");
        assert!(sure < 0.85, "{sure}");
    }

    #[test]
    fn the_threshold_lies_between_the_two_worlds() {
        let outcomes: Vec<Outcome> = (0..200)
            .map(|n| {
                let foreign = n % 4 == 0;
                outcome([4.0, 0.0], 0, if foreign { 2.0 } else { -2.0 } + (n % 7) as f32 / 10.0, foreign)
            })
            .collect();
        let found = fit(&outcomes);
        let score = |logit| out_of_scope(&found, logit, &[4.0, 0.0]).value();
        assert!(score(-1.5) < found.scope_threshold && found.scope_threshold < score(2.0), "{found:?}");
    }

    #[test]
    fn second_wishes_are_reported_where_they_are_sure() {
        let mut outcomes = vec![];
        for n in 0..40 {
            let several = n % 2 == 0;
            let mut one = outcome([4.0, 0.0], 0, -2.0, false);
            one.presence = vec![3.0, if several { 1.0 } else { -1.0 }];
            one.wishes = if several { vec![0, 1] } else { vec![0] };
            outcomes.push(one);
        }
        let found = fit(&outcomes).presence_threshold;
        assert!((0.27..=0.74).contains(&found), "{found}");
    }
}
