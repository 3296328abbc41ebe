//! From raw outputs on held-out rows to the numbers that make probabilities of them.

use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;

use crate::nlu::model::Calibration;
use crate::nlu::model::ScopeSigns;
use crate::nlu::model::calibrated;
use crate::nlu::model::out_of_scope;
use crate::nlu::model::together;
use crate::training::logistic;
use crate::training::logistic::Observation;
use crate::training::metrics::best;

/// What the network said of one held-out row, and what it should have said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Logits of the intents.
    pub logits: Vec<f32>,
    /// What phrases say of the intents, and of being foreign.
    pub grams: Vec<f32>,
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

impl Outcome {
    fn signs(&self) -> ScopeSigns {
        ScopeSigns::new(self.foreign_logit, &self.logits, &self.grams)
    }

    /// Probabilities of the intents.
    fn shares(&self, calibration: &Calibration) -> Vec<f32> {
        calibrated(&together(&self.logits, &self.grams, calibration), calibration.temperature)
    }

    /// Whether the message gets what it should: its intent, or a refusal.
    fn is_answered_right(&self, calibration: &Calibration) -> bool {
        let is_declined = out_of_scope(calibration, self.signs()).value() >= calibration.scope_threshold;
        match (is_declined, self.foreign) {
            // Nobody says of a labelled row: it may be taken for either.
            (true, foreign) => foreign != Some(false),
            (false, Some(true)) => false,
            (false, _) => best(&self.shares(calibration)).is_some_and(|best| self.intents.contains(&best)),
        }
    }
}

/// Fits the weight of phrases, temperature, out-of-scope score and the two thresholds.
///
/// * `joined`: rows made of two others; the threshold for second wishes alone looks at them, too.
#[must_use]
pub fn fit(outcomes: &[Outcome], joined: &[Outcome]) -> Calibration {
    let mut calibration = weights(outcomes);
    let observations: Vec<Observation<4>> = outcomes
        .iter()
        .filter_map(|one| {
            let ScopeSigns { foreign, sum, grams, nearest } = one.signs();
            // Of order 1, as the regression wants them.
            let features = [foreign / 5.0, sum / 5.0, grams, nearest].map(f64::from);
            Some(Observation { features, truth: one.foreign? })
        })
        .collect();
    let has_both = observations.iter().any(|one| one.truth) && observations.iter().any(|one| !one.truth);
    if has_both {
        let (bias, [by_head, by_sum, by_grams, by_nearest]) = logistic::fit(&observations, 0.01);
        calibration.scope =
            [bias, by_head / 5.0, by_sum / 5.0, by_grams, by_nearest].map(|weight| weight as f32);
        calibration.scope_threshold = scope_threshold(outcomes, &calibration);
    }
    calibration.presence_threshold = presence_threshold(outcomes.iter().chain(joined), &calibration);
    calibration
}

/// The share of messages that get what they should: their intent, or a refusal.
#[must_use]
pub fn answered_right(outcomes: &[Outcome], calibration: &Calibration) -> f32 {
    let known: Vec<&Outcome> = outcomes.iter().filter(|one| is_labelled(one)).collect();
    let right = known.iter().filter(|one| one.is_answered_right(calibration)).count();
    right as f32 / known.len().max(1) as f32
}

/// Shares of the bot's own messages that are kept, and of foreign ones that are let in; `None` where either are
/// missing.
#[must_use]
pub fn kept_and_let_in(outcomes: &[Outcome], calibration: &Calibration) -> Option<(f32, f32)> {
    let below = |foreign: bool| {
        let own: Vec<&Outcome> = outcomes.iter().filter(|one| one.foreign == Some(foreign)).collect();
        let low =
            |one: &&&Outcome| out_of_scope(calibration, one.signs()).value() < calibration.scope_threshold;
        (!own.is_empty()).then(|| own.iter().filter(low).count() as f32 / own.len() as f32)
    };
    Some((below(false)?, below(true)?))
}

fn is_labelled(one: &Outcome) -> bool {
    !one.intents.is_empty() || one.foreign == Some(true)
}

/// The weight of phrases and the temperature under which the right intents are most likely.
fn weights(outcomes: &[Outcome]) -> Calibration {
    let known: Vec<&Outcome> = outcomes.iter().filter(|one| !one.intents.is_empty()).collect();
    if known.is_empty() {
        return Calibration::default();
    }
    let fitted = |gram_weight: f32| -> (f64, Calibration) {
        let one = Calibration { gram_weight, ..Calibration::default() };
        let logits: Vec<Vec<f32>> =
            known.iter().map(|outcome| together(&outcome.logits, &outcome.grams, &one)).collect();
        let cost = |temperature: f32| -> f64 {
            let rows = known.iter().zip(&logits).map(|(outcome, logits)| {
                let shares = calibrated(logits, temperature);
                let right: f32 = outcome.intents.iter().map(|intent| shares[*intent as usize]).sum();
                -f64::from(right.max(1e-9).ln())
            });
            rows.sum()
        };
        let temperature = lowest(cost);
        (cost(temperature), Calibration { temperature, ..one })
    };
    // Weights of 0 to 8, chosen by hand.
    let candidates: Vec<(f64, Calibration)> =
        (0..17).into_par_iter().map(|step| fitted(step as f32 / 2.0)).collect();
    candidates.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(Calibration::default, |best| best.1)
}

/// The temperature, from 0.3 to 8, at which a cost with one valley is lowest, within 1 %: by golden sections of its
/// logarithm.
fn lowest(cost: impl Fn(f32) -> f64) -> f32 {
    /// What a section leaves of the stretch.
    const GOLDEN: f32 = 0.618_034;
    let at = |log: f32| cost(log.exp());
    let (mut low, mut high) = (0.3_f32.ln(), 8.0_f32.ln());
    let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_left, mut at_right) = (at(left), at(right));
    while high - low > 0.01 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = at(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = at(right);
        }
    }
    f32::midpoint(low, high).exp()
}

/// The score from which a message is foreign: the one with which the most messages get what they should. Declining
/// a message whose intent would have been wrong costs nothing.
fn scope_threshold(outcomes: &[Outcome], calibration: &Calibration) -> f32 {
    let right = |threshold: f32| {
        let calibration = Calibration { scope_threshold: threshold, ..*calibration };
        outcomes.iter().filter(|one| is_labelled(one) && one.is_answered_right(&calibration)).count()
    };
    best_threshold((1..100).map(|percent| percent as f32 / 100.0), |threshold| right(threshold) as f32)
}

/// The probability from which a second wish is reported: the most rows whose set of wishes is exactly right, rows
/// with one wish and rows with several weighing the same.
fn presence_threshold<'a>(outcomes: impl Iterator<Item = &'a Outcome>, calibration: &Calibration) -> f32 {
    let (several, single): (Vec<&Outcome>, Vec<&Outcome>) =
        outcomes.filter(|one| !one.wishes.is_empty()).partition(|one| one.wishes.len() > 1);
    if several.is_empty() && single.is_empty() {
        return Calibration::default().presence_threshold;
    }
    let exact = |rows: &[&Outcome], threshold: f32| {
        let right = rows.iter().filter(|one| wishes(one, threshold, calibration) == one.wishes).count();
        right as f32 / rows.len().max(1) as f32
    };
    best_threshold((10..100).map(|percent| percent as f32 / 100.0), |threshold| {
        exact(&single, threshold) + exact(&several, threshold)
    })
}

/// The threshold that scores highest; of several, the one in the middle, where a few other messages would have
/// changed least.
fn best_threshold(grid: impl Iterator<Item = f32>, score: impl Fn(f32) -> f32) -> f32 {
    let scored: Vec<(f32, f32)> = grid.map(|threshold| (threshold, score(threshold))).collect();
    let most = scored.iter().map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max);
    let best: Vec<f32> = scored.iter().filter(|(_, score)| *score == most).map(|(at, _)| *at).collect();
    best[best.len() / 2]
}

/// The wishes that a threshold gives, in order of the labels.
fn wishes(one: &Outcome, threshold: f32, calibration: &Calibration) -> Vec<u32> {
    let first = best(&together(&one.logits, &one.grams, calibration));
    let present = |at: u32| 1.0 / (1.0 + (-one.presence[at as usize]).exp()) >= threshold;
    (0..one.logits.len() as u32).filter(|at| Some(*at) == first || present(*at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(logits: [f32; 2], intent: u32, foreign_logit: f32, foreign: bool) -> Outcome {
        let intents = if foreign { vec![] } else { vec![intent] };
        Outcome {
            logits: logits.to_vec(),
            grams: vec![0.0; 3],
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
        let found = fit(&outcomes, &[]);
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
        let found = fit(&outcomes, &[]);
        let score = |logit| out_of_scope(&found, outcome([4.0, 0.0], 0, logit, false).signs()).value();
        assert!(score(-1.5) < found.scope_threshold && found.scope_threshold < score(2.0), "{found:?}");
    }

    #[test]
    fn without_intents_nothing_is_fitted() {
        let mut one = outcome([4.0, 0.0], 0, -2.0, false);
        one.intents.clear();
        one.wishes.clear();
        assert_eq!(fit(&[one], &[]), Calibration::default());
    }

    #[test]
    fn what_is_kept_and_let_in_is_counted() {
        let outcomes: Vec<Outcome> =
            (0..10).map(|n| outcome([4.0, 0.0], 0, if n % 5 == 0 { 9.0 } else { -9.0 }, n >= 5)).collect();
        let calibration = Calibration::default();
        assert_eq!(kept_and_let_in(&outcomes, &calibration), Some((0.8, 0.8)));
        assert_eq!(kept_and_let_in(&outcomes[..5], &calibration), None);
    }

    #[test]
    fn the_bottom_of_a_valley_is_found() {
        for bottom in [0.4_f32, 1.0, 6.5] {
            let found = lowest(|temperature| f64::from((temperature / bottom).ln().powi(2)));
            assert!((found / bottom - 1.0).abs() < 0.01, "{found} instead of {bottom}");
        }
        // Beyond the ends there is no other one.
        assert!(lowest(f64::from) < 0.31);
    }

    #[test]
    fn phrases_get_weight_where_they_know_better() {
        let told = |useful: bool| -> Vec<Outcome> {
            (0..100)
                .map(|n| {
                    // The network cannot tell; phrases can, or say the same of every message.
                    let intent = n % 2;
                    let mut one = outcome([0.1, 0.0], intent, -2.0, false);
                    one.grams =
                        if useful && intent == 1 { vec![-1.0, 1.0, -1.0] } else { vec![1.0, -1.0, -1.0] };
                    one
                })
                .collect()
        };
        let (with, without) = (fit(&told(true), &[]), fit(&told(false), &[]));
        assert!(with.gram_weight / with.temperature > 2.0, "{with:?}");
        assert!(without.gram_weight / without.temperature < 0.2, "{without:?}");
        assert_eq!(answered_right(&told(true), &with), 1.0);
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
        let found = fit(&outcomes, &[]).presence_threshold;
        assert!((0.27..=0.74).contains(&found), "{found}");
    }
}
