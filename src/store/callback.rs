//! Callbacks of a channel, remembered so that a repeated delivery is answered and not processed again.

use jiff::Timestamp;

use crate::store::StoreError;
use crate::store::limit;

/// One delivery, however often it arrives: the receiving app, and the message's id or the hash of its plaintext.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey {
    pub(super) app: String,
    pub(super) key: String,
}

impl CallbackKey {
    /// The key of a delivery; each part has 1 to 256 bytes.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for either.
    pub fn new(app: &str, key: &str) -> Result<Self, StoreError> {
        limit::name("callback app", app)?;
        limit::name("callback key", key)?;
        Ok(Self { app: app.to_owned(), key: key.to_owned() })
    }

    /// The receiving app.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The deduplication key within the app.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<'d> {
    /// The message, decrypted, at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub plaintext: &'d str,
    /// Who sent it, as customers are called in this app; empty where nobody did.
    pub sender: &'d str,
}

/// Whose job a delivery is. Exactly one caller is ever told [`Claim::New`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Ours: it is on disk now, and we must answer it.
    New,
    /// Somebody has it in hand, or had it when the program stopped.
    InProgress {
        /// When it first arrived.
        received_at: Timestamp,
    },
    /// Done: say the same again.
    Answered {
        /// The recorded reply; empty means acknowledged without words.
        reply: String,
    },
}

/// What a delivery was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// The delivery.
    pub key: CallbackKey,
    /// The reply, at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes; empty means acknowledged
    /// without words.
    pub reply: String,
    /// True when it came too late for the passive reply and waits for the active path.
    pub late: bool,
}

impl CallbackAnswer {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::payload("callback reply", &self.reply)
    }
}

/// A delivery as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRow {
    /// The delivery.
    pub key: CallbackKey,
    /// What was delivered, decrypted.
    pub plaintext: String,
    /// When it first arrived.
    pub received_at: Timestamp,
    /// How it was answered; `None` while it is open.
    pub answer: Option<RecordedAnswer>,
}

/// An answer on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The reply; empty means acknowledged without words.
    pub reply: String,
    /// When it was recorded.
    pub answered_at: Timestamp,
    /// True when it came too late for the passive reply.
    pub late: bool,
}
