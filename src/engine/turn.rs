//! What every stage saw and said about one message.

use crate::message::Reply;
use crate::policy::decision::Decision;
use crate::policy::evidence::Evidence;
use crate::policy::state::State;

/// One message and everything that came of it. Console, `ask --json`, evaluation and logs read this and
/// nothing else.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What the stages found.
    pub evidence: Evidence,
    /// What was decided.
    pub decision: Decision,
    /// What is said. Never empty.
    pub reply: Reply,
    /// What the talk remembers.
    pub state: State,
    /// Tags that rules put on the customer.
    pub tags: Vec<String>,
}

/// The stages of the pipeline, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Normalisation, segmentation, sensitive words.
    Text,
    /// Rules.
    Rules,
    /// Entities.
    Understand,
    /// FAQ and catalogue.
    Search,
    /// The decision.
    Decide,
    /// The words.
    Reply,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Rules, Self::Understand, Self::Search, Self::Decide, Self::Reply];

    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Rules => "rules",
            Self::Understand => "understand",
            Self::Search => "search",
            Self::Decide => "decide",
            Self::Reply => "reply",
        }
    }
}
