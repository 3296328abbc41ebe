//! What every stage saw and said about one message.

use crate::knowledge::rule::ActionSpec;
use crate::message::Reply;
use crate::policy::decision::Decision;
use crate::policy::evidence::Evidence;
use crate::policy::state::State;
use crate::task::Call;
use crate::task::End;
use crate::task::Told;

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
    /// Tags that rules and tasks put on the customer.
    pub tags: Vec<String>,
    /// What a task said and did.
    pub told: Option<Told>,
}

impl Turn {
    /// The call that a task waits for; such a turn is not the last word, see [`Engine::conclude`](super::Engine::conclude).
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        match &self.told.as_ref()?.end {
            End::Calling(call) => Some(call),
            End::Waiting | End::Done | End::Handoff(_) => None,
        }
    }

    /// Calls of rules that fired, to be made when the turn is committed.
    pub fn rule_calls(&self) -> impl Iterator<Item = &str> {
        self.evidence.rules.iter().flat_map(|hit| &hit.actions).filter_map(|action| match action {
            ActionSpec::Call(name) => Some(name.as_str()),
            _ => None,
        })
    }
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
