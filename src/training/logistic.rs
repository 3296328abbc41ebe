//! Logistic regression for a handful of features.

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation<const N: usize> {
    /// The features, of order 1.
    pub features: [f64; N],
    /// Whether it was so.
    pub truth: bool,
}

/// Weights that make the observations most likely: `[bias, w_1, .., w_N]` would be `N + 1` numbers, given as
/// the pair of both.
///
/// Gradient ascent on the log likelihood with an L2 penalty on the weights (not on the bias), from zero, a fixed
/// number of steps: the same observations give the same weights.
///
/// * `penalty`: strength of the penalty relative to one observation, not negative.
#[must_use]
pub fn fit<const N: usize>(observations: &[Observation<N>], penalty: f64) -> (f64, [f64; N]) {
    const STEPS: usize = 20_000;
    let (mut bias, mut weights) = (0.0, [0.0; N]);
    if observations.is_empty() {
        return (bias, weights);
    }
    let n = observations.len() as f64;
    for _step in 0..STEPS {
        let (mut slope_bias, mut slope) = (0.0, [0.0; N]);
        for one in observations {
            let logit = bias + weights.iter().zip(&one.features).map(|(w, x)| w * x).sum::<f64>();
            let error = f64::from(u8::from(one.truth)) - 1.0 / (1.0 + (-logit).exp());
            slope_bias += error;
            slope.iter_mut().zip(&one.features).for_each(|(slope, x)| *slope += error * x);
        }
        bias += slope_bias / n;
        for (weight, slope) in weights.iter_mut().zip(slope) {
            *weight += (slope - penalty * *weight) / n;
        }
    }
    (bias, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_that_tells_gets_the_weight() {
        let one = |useful: f64, noise: f64, truth| Observation { features: [useful, noise], truth };
        let seen: Vec<_> = (0..40)
            .map(|at| {
                let truth = at % 2 == 0;
                // One in ten is the other way round, so that the weights stay finite.
                let useful = if truth == (at % 10 != 0) { 1.0 } else { 0.0 };
                one(useful, f64::from(at % 3) / 2.0, truth)
            })
            .collect();
        let (bias, [useful, noise]) = fit(&seen, 0.1);
        assert!(useful > 2.0 && noise.abs() < 1.0, "{useful} {noise}");
        assert!(bias < 0.0);
        assert_eq!(fit::<2>(&[], 0.1), (0.0, [0.0, 0.0]));
    }
}
