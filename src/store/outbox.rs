//! What is to be sent: written in the transaction that decided it, sent afterwards, as often as it takes.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::store::CallbackAnswer;
use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::StoreError;
use crate::store::limit;

/// Id of a row to be sent, above 0, never used twice.
pub type OutboxId = i64;

/// How long a taker keeps a row from others; one that dies holds it for that long.
pub const OUTBOX_LEASE: SignedDuration = SignedDuration::from_secs(10);

/// Something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutbox {
    /// Who sends it, 1 to 256 bytes.
    pub sender: String,
    /// To whom, 1 to 256 bytes.
    pub recipient: String,
    /// What, JSON of at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub body: String,
    /// What the receiving side tells a repetition by, 1 to 256 bytes, never used twice.
    pub key: String,
    /// Whether the customer hears it; else a system of the shop's own does.
    pub to_customer: bool,
    /// Whether a later turn of the conversation makes it pointless.
    pub latest_only: bool,
    /// From when on it is pointless.
    pub expires_at: Option<Timestamp>,
}

impl NewOutbox {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("sender", &self.sender)?;
        limit::name("recipient", &self.recipient)?;
        limit::name("key of a message to be sent", &self.key)?;
        limit::payload("message to be sent", &self.body)
    }
}

/// Something that happened to a customer and moves no conversation, with what it brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whom it concerns.
    pub customer: CustomerKey,
    /// When.
    pub at: Timestamp,
    /// What is to be sent, whoever speaks, each with when at the earliest.
    pub outbox: Vec<(NewOutbox, Timestamp)>,
    /// The delivery that told of it.
    pub answer: CallbackAnswer,
}

impl Notice {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.answer.check()?;
        self.outbox.iter().try_for_each(|(row, _)| row.check())
    }
}

/// Something to be sent, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id.
    pub id: OutboxId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// Who sends it.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// What.
    pub body: String,
    /// What the receiving side tells a repetition by.
    pub key: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// What became of it.
    pub fate: Fate,
}

/// What became of something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is still to be sent.
    Waiting,
    /// The other side took it.
    Sent,
    /// It was not sent, and will not be.
    GivenUp {
        /// `expired`, `overtaken`, or what the other side said.
        reason: String,
    },
}

/// What came of an attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The other side took it.
    Taken,
    /// It failed, and is tried again.
    Again {
        /// When.
        at: Timestamp,
    },
    /// It was not tried, or came too early: it falls due again, and no attempt is counted.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// It failed for good.
    Failed {
        /// Why, 1 to 256 bytes.
        reason: String,
    },
}

/// What is to be sent because of what a source told, and how far it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The source, 1 to 256 bytes.
    pub source: String,
    /// Where the reading began; `None` for a source never read.
    pub from: Option<String>,
    /// Where the next one begins.
    pub to: String,
    /// What is to be sent, with the conversation that each belongs to.
    pub outbox: Vec<(ConversationId, NewOutbox)>,
}

impl Reading {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("source", &self.source)?;
        limit::payload("cursor", &self.to)?;
        self.outbox.iter().try_for_each(|(_, row)| row.check())
    }
}

/// One page of a source that is read page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The source, 1 to 256 bytes.
    pub source: String,
    /// Where it begins, as the source calls it; `None` for the very beginning.
    pub from: Option<String>,
    /// Where the next one begins.
    pub to: String,
    /// What it holds, in order.
    pub items: Vec<PageItem>,
}

/// One message of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageItem {
    /// Its key within the source, 1 to 256 bytes.
    pub key: String,
    /// The message, at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub plaintext: String,
    /// Who sent it; empty where nobody did.
    pub sender: String,
    /// Whether it is to be answered; else it is only remembered.
    pub is_open: bool,
}

impl Page {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("source", &self.source)?;
        limit::payload("cursor", &self.to)?;
        self.items.iter().try_for_each(|item| {
            limit::name("callback key", &item.key)?;
            limit::optional_name("callback sender", &item.sender)?;
            limit::payload("callback plaintext", &item.plaintext)
        })
    }
}
