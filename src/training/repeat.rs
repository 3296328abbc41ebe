//! The same training several times: on other parts of the rows, or on more and more of them.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::training::row::Row;
use crate::training::row::without;

/// Shares of the rows that a learning curve is drawn through.
pub const PORTIONS: [f32; 4] = [0.125, 0.25, 0.5, 1.0];

/// One row in so many is measured with at every point of a learning curve.
const MEASURED: usize = 10;

/// Rows to learn from and rows to measure with.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Rows to learn from.
    pub learned: Vec<Row>,
    /// Rows to measure with; none of their texts is learned from.
    pub measured: Vec<Row>,
    /// Place of each of them among all rows.
    pub places: Vec<usize>,
}

/// Cuts rows into `k` folds; each part measures with one of them and learns from the others.
///
/// * `k`: at least 2.
#[must_use]
pub fn folds(rows: &[Row], k: usize, seed: u64) -> Vec<Part> {
    let order = shuffled(rows, seed);
    (0..k)
        .map(|fold| {
            let of = |is_measured: bool| -> Vec<usize> {
                let own = order.iter().enumerate().filter(|(at, _)| (at % k == fold) == is_measured);
                own.map(|(_, place)| *place).collect()
            };
            part(rows, &of(false), of(true))
        })
        .collect()
}

/// Learns from [`PORTIONS`] of the rows and measures with the same tenth every time.
#[must_use]
pub fn portions(rows: &[Row], seed: u64) -> Vec<Part> {
    let mut order = shuffled(rows, seed);
    let measured = order.split_off(order.len() - order.len() / MEASURED);
    PORTIONS
        .iter()
        .map(|share| part(rows, &order[..(order.len() as f32 * share) as usize], measured.clone()))
        .collect()
}

/// The places of rows in an order drawn from the seed.
fn shuffled(rows: &[Row], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.shuffle(&mut StdRng::seed_from_u64(seed));
    order
}

fn part(rows: &[Row], learned: &[usize], places: Vec<usize>) -> Part {
    let of = |places: &[usize]| -> Vec<Row> { places.iter().map(|place| rows[*place].clone()).collect() };
    let measured = of(&places);
    Part { learned: without(of(learned), &measured), measured, places }
}

/// Mean and standard deviation of measures; `None` of fewer than two.
#[must_use]
pub fn spread(values: &[f32]) -> Option<(f32, f32)> {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
    (values.len() > 1).then(|| (mean, (square / (n - 1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize) -> Vec<Row> {
        (0..n).map(|at| Row { text: at.to_string(), ..Row::default() }).collect()
    }

    #[test]
    fn every_row_is_measured_with_once_and_keeps_its_place() {
        let parts = folds(&rows(23), 5, 1);
        let mut measured: Vec<String> =
            parts.iter().flat_map(|part| &part.measured).map(|row| row.text.clone()).collect();
        measured.sort();
        let mut all: Vec<String> = rows(23).into_iter().map(|row| row.text).collect();
        all.sort();
        assert_eq!(measured, all);
        for part in parts {
            assert!(part.measured.iter().zip(&part.places).all(|(row, place)| row.text == place.to_string()));
            assert_eq!(part.learned.len() + part.measured.len(), 23);
            assert!(part.measured.iter().all(|row| !part.learned.contains(row)));
        }
    }

    #[test]
    fn a_text_that_is_measured_with_is_not_learned_from() {
        let twice = [rows(10), rows(10)].concat();
        for part in folds(&twice, 4, 1) {
            assert!(part.measured.iter().all(|row| !part.learned.contains(row)));
        }
    }

    #[test]
    fn portions_grow_and_are_measured_alike() {
        let parts = portions(&rows(100), 1);
        let sizes: Vec<usize> = parts.iter().map(|part| part.learned.len()).collect();
        assert_eq!(sizes, [11, 22, 45, 90]);
        assert!(parts.iter().all(|part| part.measured == parts[0].measured));
        assert!(parts[0].learned.iter().all(|row| parts[3].learned.contains(row)));
    }

    #[test]
    fn spread_by_hand() {
        let (mean, deviation) = spread(&[1.0, 3.0]).unwrap();
        assert!((mean - 2.0).abs() < 1e-6 && (deviation - 2.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(spread(&[1.0]), None);
    }
}
