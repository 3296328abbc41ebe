//! One scale for everything that policy compares.

/// A calibrated probability: finite, `0.0..=1.0`. Not a BM25 score, not a cosine.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Probability(f32);

impl Probability {
    /// Certainty.
    pub const ONE: Self = Self(1.0);
    /// Impossibility.
    pub const ZERO: Self = Self(0.0);

    /// The probability of a logit (natural logarithm of the odds); `NaN` becomes 0.
    #[must_use]
    pub fn from_logit(logit: f32) -> Self {
        let value = 1.0 / (1.0 + (-logit).exp());
        Self(if value.is_finite() { value } else { 0.0 })
    }

    /// Natural logarithm of the odds, within -20 and 20, so that it can be reckoned with.
    #[must_use]
    pub fn logit(self) -> f32 {
        (self.0 / (1.0 - self.0)).ln().clamp(-20.0, 20.0)
    }

    /// A share of a whole: brought into `0.0..=1.0`; `NaN` becomes 0.
    #[must_use]
    pub fn from_share(share: f32) -> Self {
        Self(if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) })
    }

    /// The number, `0.0..=1.0`.
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }

    /// Order for sorting; total, because no value is `NaN`.
    #[must_use]
    pub fn total_cmp(self, other: Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Probability;

    #[test]
    fn any_logit_gives_a_probability() {
        for logit in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 500.0, -500.0] {
            let value = Probability::from_logit(logit).value();
            assert!((0.0..=1.0).contains(&value), "{logit} gave {value}");
        }
        assert_eq!(Probability::from_logit(0.0).value(), 0.5);
        for share in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            let value = Probability::from_share(share).value();
            assert!((0.0..=1.0).contains(&value), "{share} gave {value}");
        }
    }
}
