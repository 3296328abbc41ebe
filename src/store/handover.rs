//! Who speaks in a conversation: the bot, or a human under a lease; and what changes it beside the customer's messages.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::store::CallbackAnswer;
use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::KeyId;
use crate::store::MessageId;
use crate::store::NewOutbox;
use crate::store::NewSurvey;
use crate::store::Revision;
use crate::store::StoreError;
use crate::store::limit;

/// Id of an agent, above 0, never used twice.
pub type AgentId = i64;

/// Id of an event, above 0, rising.
pub type EventId = i64;

/// Who speaks to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The bot.
    Bot,
    /// The bot, until a human takes over.
    Waiting,
    /// A human.
    Human,
    /// Nobody; the customer's next message begins anew with the bot.
    Closed,
}

impl Speaker {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Waiting => "waiting",
            Self::Human => "human",
            Self::Closed => "closed",
        }
    }
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
    /// A human.
    Agent(AgentId),
    /// The program itself: that somebody is late, that the talk was closed.
    System,
}

impl Author {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
            Self::Agent(_) => "agent",
            Self::System => "system",
        }
    }
}

/// A member of staff who answers customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// Its id.
    pub id: AgentId,
    /// What colleagues call them.
    pub name: String,
    /// Groups that they serve; all where there is none.
    pub groups: BTreeSet<String>,
    /// Their API key.
    pub key_id: KeyId,
}

/// What is to happen at a time, one of a kind a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// Nobody has taken over.
    Overdue,
    /// A human has been silent for too long.
    Lease,
    /// The customer has been silent for so long that the bot may close the talk.
    Idle,
}

impl TimerKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Overdue, Self::Lease, Self::Idle];

    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Lease => "lease",
            Self::Idle => "idle",
        }
    }
}

/// A timer that has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerRow {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// What it is about.
    pub kind: TimerKind,
    /// When it ran out.
    pub due_at: Timestamp,
}

/// What becomes of the open handoff of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoffChange {
    /// Nothing.
    None,
    /// An agent has it.
    Taken(AgentId),
    /// It waits, for this group.
    Waits(String),
    /// It is over.
    Closed,
}

/// A change of a conversation by staff, by the clock, or by a customer whom a human serves. It is stored whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The revision that it was read at.
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
    /// Who speaks from now on.
    pub speaker: Speaker,
    /// Who holds it, and until when without a word.
    pub holder: Option<(AgentId, Timestamp)>,
    /// Who says what, JSON of at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub said: Option<(Author, String)>,
    /// The state from now on, JSON; `None` leaves it.
    pub state: Option<String>,
    /// What only staff read.
    pub note: Option<(AgentId, String)>,
    /// What is sent.
    pub outbox: Vec<NewOutbox>,
    /// Deliveries that this answers.
    pub answers: Vec<CallbackAnswer>,
    /// The open handoff.
    pub handoff: HandoffChange,
    /// Timers to set, and to take away.
    pub timers: Vec<(TimerKind, Option<Timestamp>)>,
    /// The customer is asked how content they are.
    pub survey: Option<NewSurvey>,
    /// What staff are told, 1 to 256 bytes; nothing where there is none.
    pub event: Option<&'static str>,
}

impl Change {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some((_, body)) = &self.said {
            limit::payload("message", body)?;
        }
        if let Some(state) = &self.state {
            limit::payload("conversation state", state)?;
        }
        if let Some((_, words)) = &self.note {
            limit::payload("note", words)?;
        }
        if let HandoffChange::Waits(group) = &self.handoff {
            limit::name("handoff group", group)?;
        }
        self.survey.as_ref().map_or(Ok(()), NewSurvey::check)?;
        self.answers.iter().try_for_each(CallbackAnswer::check)?;
        self.outbox.iter().try_for_each(NewOutbox::check)
    }
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeReceipt {
    /// The conversation's new revision.
    pub revision: Revision,
    /// Id of what was said.
    pub message_id: Option<MessageId>,
}

/// Something that staff are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its id.
    pub id: EventId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Whose that is.
    pub customer: CustomerKey,
    /// What happened.
    pub kind: String,
    /// The group that it concerns.
    pub group: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A note that only staff read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRow {
    /// Who wrote it.
    pub agent_id: AgentId,
    /// What.
    pub words: String,
    /// When.
    pub at: Timestamp,
}

/// How long customers wait for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Those who wait ahead of a conversation; all who wait where it does not.
    pub n_ahead: u32,
    /// Seconds that the last twenty of the group waited on average; `None` before the first was served.
    pub wait_seconds: Option<u32>,
}
