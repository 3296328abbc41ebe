//! How far up the right entries stand in lists of what was found.

use serde::Serialize;

/// Ranks that count; the usual depth of such figures.
pub const DEPTH: usize = 10;

/// Means over all queries, each `0.0..=1.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ranking {
    /// Queries.
    pub n_queries: usize,
    /// Share of queries whose first entry is right.
    pub hit_at_1: f32,
    /// Share of queries with a right entry among the first ten.
    pub hit_at_10: f32,
    /// One divided by the rank of the first right entry, 0 below the tenth.
    pub mrr_at_10: f32,
    /// Normalised discounted cumulative gain of the first ten, right and wrong being all there is.
    ///
    /// Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
    pub ndcg_at_10: f32,
}

/// What was found for one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether each entry of the list, the best first, is right.
    pub right: Vec<bool>,
    /// Right entries that there are.
    pub n_right: usize,
}

/// Measures lists.
///
/// * `found`: of all queries, each with at least one right entry.
#[must_use]
pub fn measure(found: &[Found]) -> Ranking {
    let n = found.len().max(1) as f32;
    let mut sum = Ranking::default();
    for one in found {
        let list = &one.right[..one.right.len().min(DEPTH)];
        let first = list.iter().position(|right| *right);
        sum.hit_at_1 += f32::from(u8::from(first == Some(0)));
        sum.hit_at_10 += f32::from(u8::from(first.is_some()));
        sum.mrr_at_10 += first.map_or(0.0, |rank| 1.0 / (rank + 1) as f32);
        let gain = |rank: usize| 1.0 / (rank as f32 + 2.0).log2();
        let best: f32 = (0..one.n_right.min(DEPTH)).map(gain).sum();
        let own: f32 = list.iter().enumerate().filter(|(_, right)| **right).map(|(rank, _)| gain(rank)).sum();
        sum.ndcg_at_10 += if best > 0.0 { own / best } else { 0.0 };
    }
    Ranking {
        n_queries: found.len(),
        hit_at_1: sum.hit_at_1 / n,
        hit_at_10: sum.hit_at_10 / n,
        mrr_at_10: sum.mrr_at_10 / n,
        ndcg_at_10: sum.ndcg_at_10 / n,
    }
}

/// How many queries have their first right entry at each rank: first, second, to the tenth, and below.
#[must_use]
pub fn ranks(found: &[Found]) -> [usize; DEPTH + 1] {
    let mut ranks = [0; DEPTH + 1];
    for one in found {
        let first = one.right.iter().take(DEPTH).position(|right| *right);
        ranks[first.unwrap_or(DEPTH)] += 1;
    }
    ranks
}

/// The measures and misses as one page that a person can look into.
///
/// * `summary`: what the page names: see `ranking.html`.
///
/// # Errors
/// The summary lacks something.
pub fn page(summary: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_filter("tenths", |value: f64| format!("{value:.1}"));
    environment.add_filter("hundredths", |value: f64| format!("{value:.2}"));
    environment.add_template("ranking.html", include_str!("ranking.html"))?;
    environment.get_template("ranking.html")?.render(minijinja::value::Serde(summary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_hand() {
        let lists = [
            Found { right: vec![true, false, true], n_right: 2 },
            Found { right: vec![false, true], n_right: 1 },
            Found { right: [vec![false; 10], vec![true]].concat(), n_right: 1 },
            Found { right: vec![], n_right: 3 },
        ];
        let measured = measure(&lists);
        assert_eq!((measured.n_queries, measured.hit_at_1, measured.hit_at_10), (4, 0.25, 0.5));
        assert_eq!(measured.mrr_at_10, (1.0 + 0.5) / 4.0);
        // sklearn.metrics.ndcg_score: (1 + 1/2) / (1 + 1/log2(3)), then 1/log2(3).
        let expected = (1.5 / 1.630_93 + 0.630_93) / 4.0;
        assert!((measured.ndcg_at_10 - expected).abs() < 1e-5, "{}", measured.ndcg_at_10);
        assert_eq!(measure(&[]).mrr_at_10, 0.0);
        assert_eq!(ranks(&lists), [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    }
}
