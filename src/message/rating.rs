//! How content a customer says they are.

/// What a customer taps in the survey behind a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rating {
    /// 满意.
    Good,
    /// 一般.
    Fair,
    /// 不满意.
    Poor,
}

impl Rating {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Good, Self::Fair, Self::Poor];

    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }

    /// The words to tap.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Good => "满意",
            Self::Fair => "一般",
            Self::Poor => "不满意",
        }
    }
}
