//! Requests for a person, and the webhook that announces each of them.

use std::time::Duration;

use jiff::Timestamp;

use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::StoreError;
use crate::store::limit;

/// Id of a handoff, above 0, never used twice.
pub type HandoffId = i64;

/// For how long a webhook belongs to the process that was handed it. One that dies meanwhile loses it to the
/// next that asks. Chosen by hand, well above a delivery's time-out.
pub const WEBHOOK_LEASE: Duration = Duration::from_secs(10);

/// A turn's request for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffRequest {
    /// The group of agents to take it, 1 to 256 bytes.
    pub group: String,
    /// Why, 1 to 256 bytes.
    pub reason: String,
    /// What the agent should know, JSON of at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub summary: String,
    /// By when a person answers, in the words that the customer was told, 1 to 256 bytes.
    pub due: Option<String>,
    /// True when a webhook is to announce it.
    pub webhook_pending: bool,
    /// When the customer is told that nobody has taken over; `None`: never.
    pub overdue_at: Option<Timestamp>,
}

impl HandoffRequest {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("handoff group", &self.group)?;
        limit::name("handoff reason", &self.reason)?;
        limit::payload("handoff summary", &self.summary)?;
        if let Some(due) = &self.due {
            limit::name("handoff due text", due)?;
        }
        Ok(())
    }
}

/// What came of a request for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffReceipt {
    /// The handoff that is open now.
    pub id: HandoffId,
    /// False when it was open before and has only been asked for again.
    pub opened: bool,
}

/// A stored handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffRow {
    /// Its id.
    pub id: HandoffId,
    /// The conversation handed over. At most one handoff of it is open.
    pub conversation_id: ConversationId,
    /// Whose conversation that is.
    pub customer: CustomerKey,
    /// The group that was asked first.
    pub group: String,
    /// Why, at the latest request.
    pub reason: String,
    /// What the agent should know, JSON, at the latest request.
    pub summary: String,
    /// By when a person answers, as first promised.
    pub due: Option<String>,
    /// The first request.
    pub opened_at: Timestamp,
    /// The latest request.
    pub asked_at: Timestamp,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// True while a webhook is still to be delivered.
    pub webhook_pending: bool,
    /// Failed deliveries so far.
    pub webhook_attempts: u32,
    /// When the webhook was delivered.
    pub webhook_done_at: Option<Timestamp>,
}

/// Which handoffs to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffFilter {
    /// Of this bot only; `None` for all.
    pub bot: Option<String>,
    /// Only those not yet closed.
    pub open_only: bool,
    /// Most rows, cut to [`ROWS_MAX`](crate::store::ROWS_MAX).
    pub limit: u32,
}
