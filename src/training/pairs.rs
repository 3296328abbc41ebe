//! Pairs of sentences that mean the same or not, and how well nearness tells which.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::training::lines;
use crate::training::lines::LinesError;

/// Two sentences and how alike they are.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Pair {
    /// One sentence.
    pub a: String,
    /// The other.
    pub b: String,
    /// 1 where both mean the same, else 0; or a degree.
    #[serde(alias = "score")]
    pub label: f32,
}

/// How well cosines tell which pairs mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Pairs.
    pub n_pairs: usize,
    /// Spearman's rank correlation of cosine and label, `-1.0..=1.0`.
    pub spearman: f32,
    /// Share of pairs on the right side of a threshold, which for each half of the rows is chosen on the other;
    /// `None` where labels are degrees.
    pub accuracy: Option<f32>,
    /// The cosine that divides all pairs best; `None` where labels are degrees.
    pub threshold: Option<f32>,
}

/// Reads a file of pairs.
///
/// # Errors
/// Names the lines.
pub fn read(path: &Path) -> Result<Vec<Pair>, LinesError> {
    let fault = |pair: &Pair| {
        let bad = !pair.label.is_finite();
        bad.then(|| format!("the label {} is no number", pair.label))
    };
    Ok(lines::read(path, fault)?.into_iter().map(|(_, pair)| pair).collect())
}

/// Compares cosines with labels.
///
/// * `pairs`: cosine and label of each pair.
#[must_use]
pub fn agreement(pairs: &[(f32, f32)]) -> Agreement {
    let column = |of: &dyn Fn(&(f32, f32)) -> f32| ranks(&pairs.iter().map(of).collect::<Vec<_>>());
    let spearman = correlation(&column(&|pair| pair.0), &column(&|pair| pair.1));
    let two = pairs.iter().all(|(_, label)| *label == 0.0 || *label == 1.0);
    let accuracy = two.then(|| accuracy(pairs));
    Agreement { n_pairs: pairs.len(), spearman, accuracy, threshold: two.then(|| threshold(pairs)) }
}

fn accuracy(pairs: &[(f32, f32)]) -> f32 {
    let half = |odd: usize| pairs.iter().skip(odd).step_by(2).copied().collect::<Vec<_>>();
    let (even, odd) = (half(0), half(1));
    let right = |measured: &[(f32, f32)], threshold: f32| {
        measured.iter().filter(|(cosine, label)| (*cosine >= threshold) == (*label == 1.0)).count()
    };
    let n_right = right(&even, threshold(&odd)) + right(&odd, threshold(&even));
    n_right as f32 / pairs.len().max(1) as f32
}

/// The cosine from which on most pairs are right when they are called alike.
fn threshold(pairs: &[(f32, f32)]) -> f32 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Above all of them none is called alike: those that are not are right.
    let mut right = sorted.iter().filter(|(_, label)| *label == 0.0).count() as i64;
    let mut best = (right, f32::INFINITY);
    for (at, (cosine, label)) in sorted.iter().enumerate() {
        right += if *label == 1.0 { 1 } else { -1 };
        let tied = sorted.get(at + 1).is_some_and(|next| next.0 == *cosine);
        if right > best.0 && !tied {
            best = (right, *cosine);
        }
    }
    best.1
}

/// The rank of every number, counted from 0; equal numbers share the mean of theirs.
fn ranks(numbers: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut first = 0;
    for group in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        let shared = first as f64 + (group.len() - 1) as f64 / 2.0;
        group.iter().for_each(|at| ranks[*at] = shared);
        first += group.len();
    }
    ranks
}

/// Pearson's correlation; 0 where one of the two is constant.
fn correlation(a: &[f64], b: &[f64]) -> f32 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa > 0.0 && bb > 0.0 { (ab / (aa * bb).sqrt()) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spearman_is_that_of_scipy() {
        // scipy.stats.spearmanr([0.9, 0.1, 0.5, 0.5, 0.7], [1, 0, 1, 0, 0]).statistic
        let pairs = [(0.9, 1.0), (0.1, 0.0), (0.5, 1.0), (0.5, 0.0), (0.7, 0.0)];
        assert!((agreement(&pairs).spearman - 0.444_262).abs() < 1e-5, "{}", agreement(&pairs).spearman);
        assert_eq!(agreement(&[(0.3, 1.0), (0.3, 0.0)]).spearman, 0.0);
    }

    #[test]
    fn a_threshold_is_measured_on_rows_that_did_not_choose_it() {
        // Each half alone would be split without a fault, at different places.
        let pairs = [(0.9, 1.0), (0.6, 1.0), (0.7, 0.0), (0.1, 0.0)];
        assert_eq!(agreement(&pairs).accuracy, Some(0.5));
        let clear = [(0.9, 1.0), (0.9, 1.0), (0.1, 0.0), (0.1, 0.0)];
        assert_eq!(agreement(&clear).accuracy, Some(1.0));
        assert_eq!(agreement(&[(0.9, 4.5)]).accuracy, None);
    }
}
