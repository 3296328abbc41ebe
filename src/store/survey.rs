//! What customers say about a talk that is over.

use crate::store::AgentId;
use crate::store::StoreError;
use crate::store::limit;

/// A customer is asked how content they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSurvey {
    /// Who served them last and closed the talk; `None` for the bot.
    pub agent_id: Option<AgentId>,
    /// What the talk was about, 1 to 256 bytes.
    pub intent: Option<String>,
}

impl NewSurvey {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.intent.as_deref().map_or(Ok(()), |intent| limit::name("intent of a survey", intent))
    }
}

/// How content customers are whom one agent served with one wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyRow {
    /// Who closed their talks; `None` for the bot.
    pub agent_id: Option<AgentId>,
    /// What the talks were about, where that is known.
    pub intent: Option<String>,
    /// How many were asked.
    pub n_asked: u64,
    /// How many are content.
    pub n_good: u64,
    /// How many are half content.
    pub n_fair: u64,
    /// How many are not.
    pub n_poor: u64,
}
