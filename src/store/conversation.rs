//! Conversations, their messages, and the turn that moves one on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::message::Rating;
use crate::store::AgentId;
use crate::store::Author;
use crate::store::CallbackAnswer;
use crate::store::CustomerKey;
use crate::store::HandoffReceipt;
use crate::store::HandoffRequest;
use crate::store::NewOutbox;
use crate::store::NewTicket;
use crate::store::Speaker;
use crate::store::StoreError;
use crate::store::TaskStep;
use crate::store::limit;

/// Id of a conversation, above 0, never used twice.
pub type ConversationId = i64;

/// Id of a message, above 0, rising within a conversation, never used twice.
pub type MessageId = i64;

/// How many turns of a conversation have been recorded, from 0.
pub type Revision = i64;

/// A stored conversation: one for each customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub customer: CustomerKey,
    /// The state after the latest turn, JSON; `{}` before the first.
    pub state: String,
    /// Turns recorded so far; a turn must name the one it started from.
    pub revision: Revision,
    /// Who speaks.
    pub speaker: Speaker,
    /// The human who speaks, and until when without a word.
    pub holder: Option<(AgentId, Timestamp)>,
    /// How the customer is reached, JSON; `None` where only their own requests do.
    pub route: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// Latest recorded turn, or the beginning.
    pub updated_at: Timestamp,
}

impl ConversationRow {
    /// True until the first turn is recorded: a crash between opening the conversation and answering does not
    /// swallow the greeting.
    #[must_use]
    pub fn first_visit(&self) -> bool {
        self.revision == 0
    }
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the customer.
    In,
    /// To the customer.
    Out,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// Which way it went.
    pub direction: Direction,
    /// Who said it.
    pub author: Author,
    /// The message, JSON as it was recorded.
    pub body: String,
    /// The time of its turn.
    pub at: Timestamp,
}

/// Everything that answering one message changes. It is stored whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The revision at which its state was read.
    pub revision: Revision,
    /// The time of the turn: of both messages, the handoff and the callbacks' answers.
    pub at: Timestamp,
    /// What the customer sent, JSON of at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub inbound: String,
    /// What we answered, JSON of the same size at most.
    pub outbound: String,
    /// The new state, JSON of the same size at most.
    pub state: String,
    /// Tags to put on the customer, each of 1 to 256 bytes; those already there stay.
    pub tags_added: BTreeSet<String>,
    /// Fields to put into the customer's record, each name of 1 to 256 bytes; others stay.
    pub record: BTreeMap<String, String>,
    /// Tickets for staff.
    pub tickets: Vec<NewTicket>,
    /// Steps of tasks that were reached and passed.
    pub steps: Vec<TaskStep>,
    /// How content the customer is who was asked, where the turn tells.
    pub rating: Option<Rating>,
    /// When the customer will have been silent for long enough to close the talk; `None` changes no timer.
    pub idle_at: Option<Timestamp>,
    /// A request for a person, where the turn made one.
    pub handoff: Option<HandoffRequest>,
    /// The answers to the callbacks that brought the message, where some did.
    pub answers: Vec<CallbackAnswer>,
    /// How the customer is reached from now on, JSON; `None` where nothing new is known.
    pub route: Option<String>,
    /// What is to be sent, in this order.
    pub outbox: Vec<NewOutbox>,
}

impl TurnRow {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::payload("inbound message", &self.inbound)?;
        limit::payload("outbound message", &self.outbound)?;
        limit::payload("conversation state", &self.state)?;
        for tag in &self.tags_added {
            limit::name("customer tag", tag)?;
        }
        if let Some(route) = &self.route {
            limit::payload("route to the customer", route)?;
        }
        for (field, value) in &self.record {
            limit::name("field of a customer's record", field)?;
            limit::payload("value of a customer's record", value)?;
        }
        self.tickets.iter().try_for_each(NewTicket::check)?;
        for step in &self.steps {
            limit::name("task", &step.task)?;
            limit::name("step of a task", &step.step)?;
        }
        if let Some(handoff) = &self.handoff {
            handoff.check()?;
        }
        self.answers.iter().try_for_each(CallbackAnswer::check)?;
        self.outbox.iter().try_for_each(NewOutbox::check)
    }
}

/// What came of a recorded turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnReceipt {
    /// The conversation's new revision.
    pub revision: Revision,
    /// Id of the customer's message.
    pub inbound_id: MessageId,
    /// Id of our answer.
    pub outbound_id: MessageId,
    /// The handoff that was opened or asked for again, where the turn wanted one.
    pub handoff: Option<HandoffReceipt>,
}
