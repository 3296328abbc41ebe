//! Fitting the linear reading of phrases: for each class a support vector machine against all the others.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;

use crate::nlu::gram::Gram;
use crate::nlu::gram::Grams;
use crate::nlu::gram::grams;

/// Rows that a phrase must occur in, chosen by hand: what was said once may be chance.
const ROWS_MIN: usize = 2;

/// Most phrases, the commonest first; chosen by hand, for a file of a few megabytes.
const GRAMS_MAX: usize = 32_768;

/// Cost of a row on the wrong side, relative to the size of the weights; chosen by hand, as is usual for texts.
const COST: f32 = 0.3;

/// Most passes over the rows; chosen by hand, most fits settle within half of them.
const PASSES_MAX: usize = 60;

/// Largest violation at which a fit has settled; chosen by hand.
const SETTLED: f32 = 0.05;

/// A row for the fit.
#[derive(Clone, Copy, Debug)]
pub struct LinearRow<'a> {
    /// Tokens with the signs for begin and end.
    pub ids: &'a [u32],
    /// Classes it belongs to.
    pub right: &'a [u32],
    /// Classes it might belong to as well: it says nothing about them.
    pub open: &'a [u32],
}

/// Phrases and their weights from rows.
///
/// The squared hinge loss is minimised by dual coordinate descent, the rows in an order drawn from the class alone:
/// the same rows give the same weights, on however many threads.
///
/// Source: Hsieh et al., "A Dual Coordinate Descent Method for Large-scale Linear SVM", ICML 2008.
#[must_use]
pub fn fit(rows: &[LinearRow<'_>], n_classes: usize) -> Grams {
    let mut linear = known(rows, n_classes);
    let shares: Vec<Vec<(u32, f32)>> = rows.iter().map(|row| linear.shares(row.ids)).collect();
    let fitted: Vec<(Vec<f32>, f32)> = (0..n_classes as u32)
        .into_par_iter()
        .map(|class| {
            let signed: Vec<(&[(u32, f32)], f32)> = rows
                .iter()
                .zip(&shares)
                .filter(|(row, _)| row.right.contains(&class) || !row.open.contains(&class))
                .map(|(row, shares)| (shares.as_slice(), if row.right.contains(&class) { 1.0 } else { -1.0 }))
                .collect();
            machine(&signed, linear.len(), class)
        })
        .collect();
    for (class, (weights, bias)) in fitted.iter().enumerate() {
        linear.set(class, weights, *bias);
    }
    linear
}

/// The phrases that are worth knowing, with their rarity.
fn known(rows: &[LinearRow<'_>], n_classes: usize) -> Grams {
    let mut n_rows: HashMap<Gram, usize> = HashMap::new();
    for row in rows {
        let mut own: Vec<Gram> = grams(row.ids).collect();
        own.sort_unstable();
        own.dedup();
        own.into_iter().for_each(|gram| *n_rows.entry(gram).or_default() += 1);
    }
    let mut kept: Vec<(Gram, usize)> = n_rows.into_iter().filter(|(_, n)| *n >= ROWS_MIN).collect();
    kept.sort_unstable_by_key(|(gram, n)| (std::cmp::Reverse(*n), *gram));
    kept.truncate(GRAMS_MAX);
    let rarity = kept.iter().map(|(_, n)| ((1.0 + rows.len() as f32) / (1.0 + *n as f32)).ln() + 1.0);
    let rarity = rarity.collect();
    Grams::new(kept.into_iter().map(|(gram, _)| gram).collect(), rarity, n_classes)
}

/// One class against the rest.
fn machine(rows: &[(&[(u32, f32)], f32)], n_grams: usize, class: u32) -> (Vec<f32>, f32) {
    let mut weights = vec![0.0_f32; n_grams];
    if !rows.iter().any(|(_, sign)| *sign > 0.0) {
        return (weights, -1.0);
    }
    let slack = 1.0 / (2.0 * COST);
    let mut bias = 0.0_f32;
    let mut duals = vec![0.0_f32; rows.len()];
    let square = |shares: &[(u32, f32)]| 1.0 + shares.iter().map(|(_, share)| share * share).sum::<f32>();
    let squares: Vec<f32> = rows.iter().map(|(shares, _)| square(shares)).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut rng = StdRng::seed_from_u64(u64::from(class));
    for _pass in 0..PASSES_MAX {
        order.shuffle(&mut rng);
        let mut worst = 0.0_f32;
        for at in &order {
            let (shares, sign) = rows[*at];
            let score: f32 =
                bias + shares.iter().map(|(place, share)| weights[*place as usize] * share).sum::<f32>();
            let slope = sign * score - 1.0 + slack * duals[*at];
            if duals[*at] == 0.0 && slope >= 0.0 {
                continue;
            }
            worst = worst.max(slope.abs());
            let dual = (duals[*at] - slope / (squares[*at] + slack)).max(0.0);
            let step = (dual - duals[*at]) * sign;
            duals[*at] = dual;
            bias += step;
            shares.iter().for_each(|(place, share)| weights[*place as usize] += step * share);
        }
        if worst < SETTLED {
            break;
        }
    }
    (weights, bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of three classes, each with a token of its own beside one that all have.
    fn rows() -> Vec<(Vec<u32>, Vec<u32>)> {
        (0..60).map(|n| (vec![0, 10, 20 + n % 3, 30 + n % 7, 2], vec![n % 3])).collect()
    }

    fn fitted(rows: &[(Vec<u32>, Vec<u32>)]) -> Grams {
        let rows: Vec<LinearRow<'_>> =
            rows.iter().map(|(ids, right)| LinearRow { ids, right, open: &[] }).collect();
        fit(&rows, 4)
    }

    #[test]
    fn the_token_that_tells_decides() {
        let linear = fitted(&rows());
        for class in 0..3_u32 {
            let scores = linear.scores(&[0, 10, 20 + class, 2]);
            let best = (0..4).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
            assert_eq!(best as u32, class, "{scores:?}");
        }
        // A class without rows is never near.
        assert_eq!(linear.scores(&[0, 10, 20, 2])[3], -1.0);
    }

    #[test]
    fn the_same_rows_give_the_same_weights() {
        let ids = [0, 10, 21, 33, 2];
        assert_eq!(fitted(&rows()).scores(&ids), fitted(&rows()).scores(&ids));
    }

    #[test]
    fn an_open_class_learns_nothing_from_the_row() {
        let mut rows = rows();
        rows.push((vec![0, 77, 78, 2], vec![0]));
        rows.push((vec![0, 77, 78, 2], vec![0]));
        let with = |open: &[u32]| {
            let rows: Vec<LinearRow<'_>> =
                rows.iter().map(|(ids, right)| LinearRow { ids, right, open }).collect();
            fit(&rows, 4).scores(&[0, 77, 78, 2])[1]
        };
        assert!(with(&[1]) > with(&[]), "{} {}", with(&[1]), with(&[]));
    }
}
