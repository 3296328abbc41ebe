//! What tasks leave behind: tickets for staff, and how many customers came past each step.

use jiff::Timestamp;

use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::StoreError;
use crate::store::limit;

/// Id of a ticket, above 0, never used twice.
pub type TicketId = i64;

/// A ticket to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// The task that writes it, 1 to 256 bytes.
    pub task: String,
    /// What it is about, 1 to 256 bytes.
    pub title: String,
    /// What staff should know, a JSON object of at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub fields: String,
}

impl NewTicket {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("task", &self.task)?;
        limit::name("ticket title", &self.title)?;
        limit::payload("ticket fields", &self.fields)
    }
}

/// A stored ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Its id.
    pub id: TicketId,
    /// The conversation that it came from.
    pub conversation_id: ConversationId,
    /// Whose that is.
    pub customer: CustomerKey,
    /// The task that wrote it.
    pub task: String,
    /// What it is about.
    pub title: String,
    /// What staff should know, a JSON object.
    pub fields: String,
    /// When it was written.
    pub opened_at: Timestamp,
    /// When it was done; `None` while it is not.
    pub closed_at: Option<Timestamp>,
}

/// Which tickets to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFilter {
    /// Of this bot only; `None` for all.
    pub bot: Option<String>,
    /// Only those not yet closed.
    pub open_only: bool,
    /// Most rows, cut to [`ROWS_MAX`](crate::store::ROWS_MAX).
    pub limit: u32,
}

/// A step that a turn reached or passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStep {
    /// The task, 1 to 256 bytes.
    pub task: String,
    /// The step, 1 to 256 bytes.
    pub step: String,
    /// Whether it is behind; else the customer stands at it.
    pub passed: bool,
}

/// How many came past a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStepRow {
    /// The task.
    pub task: String,
    /// The step.
    pub step: String,
    /// Times that it was reached.
    pub n_reached: u64,
    /// Times that it was passed; the rest dropped off, or still stand there.
    pub n_passed: u64,
}
