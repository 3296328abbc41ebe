//! What every threshold would cost and bring.

/// What a bot did with one question at its most probable candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// Probability of the first candidate, `0.0..=1.0`; 0 without one.
    pub probability: f32,
    /// Whether the first candidate settles the question.
    pub right: bool,
    /// Whether anything in the knowledge does.
    pub answerable: bool,
}

/// The counts at one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Answers are given from this probability on.
    pub threshold: f32,
    /// Answerable questions answered rightly.
    pub right: usize,
    /// Answerable questions answered wrongly.
    pub wrong: usize,
    /// Unanswerable questions answered all the same.
    pub foreign: usize,
}

/// The counts at thresholds 0.00, 0.01, .. 1.00.
#[must_use]
pub fn curve(shots: &[Shot]) -> Vec<Point> {
    (0..=100u8)
        .map(|percent| {
            let threshold = f32::from(percent) / 100.0;
            let count = |what: &dyn Fn(&Shot) -> bool| {
                shots.iter().filter(|shot| shot.probability >= threshold && what(shot)).count()
            };
            Point {
                threshold,
                right: count(&|shot| shot.right),
                wrong: count(&|shot| shot.answerable && !shot.right),
                foreign: count(&|shot| !shot.answerable),
            }
        })
        .collect()
}

/// The lowest threshold at which at most `share` of the answers given are not right.
///
/// * `share`: `0.0..=1.0`.
/// * Returns `None` where no threshold is good enough.
#[must_use]
pub fn lowest_with_error_at_most(points: &[Point], share: f32) -> Option<Point> {
    points
        .iter()
        .find(|point| {
            let given = point.right + point.wrong + point.foreign;
            point.right > 0 && (given - point.right) as f32 <= share * given as f32
        })
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_keeps_the_errors_out() {
        let shot = |probability, right, answerable| Shot { probability, right, answerable };
        let shots =
            [shot(0.9, true, true), shot(0.8, true, true), shot(0.5, false, true), shot(0.3, false, false)];
        let points = curve(&shots);
        assert_eq!((points[0].right, points[0].wrong, points[0].foreign), (2, 1, 1));
        assert_eq!(lowest_with_error_at_most(&points, 0.0).unwrap().threshold, 0.51);
        assert_eq!(lowest_with_error_at_most(&points, 0.34).unwrap().threshold, 0.31);
        assert_eq!(lowest_with_error_at_most(&curve(&shots[2..]), 0.1), None);
    }
}
