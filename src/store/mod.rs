//! What must survive a restart: customers, conversations, callbacks, handoffs, API keys, versions of knowledge.
//!
//! [`Store`] is the whole of it; `sqlite` keeps it in one file. Nothing here assumes that one process alone uses
//! the store, nothing reads the clock, and no JSON is interpreted: payloads go in and come out as text. Only where
//! words are looked for, in [`Store::archive`], are they looked for in what people read.

mod api_key;
mod archive;
mod callback;
mod conversation;
mod customer;
mod error;
mod exchange;
mod handoff;
mod handover;
mod lease;
mod limit;
mod media;
mod outbox;
mod privacy;
mod sqlite;
mod survey;
mod task;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::pin::Pin;

use jiff::Timestamp;

use crate::message::BotId;

pub use api_key::{KeyId, KeyRow};
pub use archive::{ArchiveFilter, ArchiveOrder, ArchiveRow, ArchivedBy};
pub use callback::{CallbackAnswer, CallbackKey, CallbackRow, Claim, Delivered, RecordedAnswer};
pub use conversation::{
    ConversationId, ConversationRow, Direction, MessageId, MessageRow, Revision, TurnReceipt, TurnRow,
};
pub use customer::{CustomerKey, CustomerRow, CustomerSeen, CustomerTold};
pub use error::StoreError;
pub use exchange::{ExchangeFilter, ExchangeRow};
pub use handoff::{HandoffFilter, HandoffId, HandoffReceipt, HandoffRequest, HandoffRow, WEBHOOK_LEASE};
pub use handover::{
    AgentId, AgentRow, Author, Change, ChangeReceipt, EventId, EventRow, HandoffChange, NoteRow, Queue,
    Speaker, TimerKind, TimerRow,
};
pub use lease::{Lease, TokenRow};
pub use limit::{NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, ROWS_MAX, VERSION_BYTES_MAX};
pub use media::{MediaKey, MediaRow};
pub use outbox::{
    Attempt, Fate, NewOutbox, Notice, OUTBOX_LEASE, OutboxId, OutboxRow, Page, PageItem, Reading,
};
pub use privacy::{CustomerFile, Forgotten};
pub use sqlite::SqliteStore;
pub use survey::{NewSurvey, SurveyRow};
pub use task::{NewTicket, TaskStep, TaskStepRow, TicketFilter, TicketId, TicketRow};
pub use version::{
    NewPublication, NewVersion, PublicationRow, VersionFiles, VersionNumber, VersionRow, fingerprint,
};

/// A future behind a pointer, so that `dyn Store` can return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What nearly every method of a [`Store`] returns.
pub type StoreFuture<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Durable rows, shared by all tasks as `Arc<dyn Store>`.
///
/// When a write returns `Ok`, it is on disk; when it returns an error, or its future is dropped before the end,
/// it is there whole or not at all. Every method may return [`StoreError::Database`] and
/// [`StoreError::Unreadable`]; the other errors are named with the method. Times are kept to the millisecond.
pub trait Store: Send + Sync + 'static {
    /// Notes what the channel tells of a customer, and gives back all that is known.
    ///
    /// Writes only when something is new. `last_seen_at` moves then, and with every recorded turn.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for the name or region.
    fn customer_seen<'a>(&'a self, seen: &'a CustomerSeen, now: Timestamp) -> StoreFuture<'a, CustomerRow>;

    /// What is known of a customer; `None` for a stranger.
    fn customer<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerRow>>;

    /// Notes what a channel tells of a customer beside their messages, and gives back all that is known. Writes only when
    /// something is new.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for a part of it.
    fn customer_told<'a>(&'a self, told: &'a CustomerTold, now: Timestamp) -> StoreFuture<'a, CustomerRow>;

    /// Customers of a bot of whom the channel has told, in the order of their keys.
    ///
    /// * `after`: the last one of the page before.
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn contacts<'a>(
        &'a self,
        bot: &'a str,
        after: Option<&'a CustomerKey>,
        limit: u32,
    ) -> StoreFuture<'a, Vec<CustomerRow>>;

    /// Answers a delivery that told of something, and stores in the same transaction what it brings about. The customer's
    /// conversation is begun if there is none, and stays at its revision.
    ///
    /// # Errors
    /// [`StoreError::CallbackUnknown`], [`StoreError::CallbackAnswered`], [`StoreError::Empty`], [`StoreError::TooLong`].
    fn notice<'a>(&'a self, notice: &'a Notice) -> StoreFuture<'a, ()>;

    /// The customer's conversation, begun now if there is none. See [`ConversationRow::first_visit`].
    ///
    /// A customer nobody has told of yet is noted too, as one from outside.
    fn conversation<'a>(&'a self, key: &'a CustomerKey, now: Timestamp) -> StoreFuture<'a, ConversationRow>;

    /// Stores all that answering one message changes, in one transaction.
    ///
    /// # Errors
    /// * [`StoreError::Conflict`] when another turn of the conversation came first.
    /// * [`StoreError::NotFound`] for an unknown conversation.
    /// * [`StoreError::CallbackUnknown`] or [`StoreError::CallbackAnswered`] for its callback's answer, so that a
    ///   delivery picked up twice after a restart moves the conversation once.
    /// * [`StoreError::Empty`] or [`StoreError::TooLong`] for a part of the turn.
    fn record_turn(&self, turn: TurnRow) -> StoreFuture<'_, TurnReceipt>;

    /// The newest messages of a conversation, oldest of them first; empty for an unknown one.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn messages(&self, conversation_id: ConversationId, limit: u32) -> StoreFuture<'_, Vec<MessageRow>>;

    /// All that is kept of a customer; `None` for a stranger.
    fn customer_file<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerFile>>;

    /// Forgets a customer with everything that was said, in one transaction; `None` for a stranger. A delivery that is being
    /// answered just then is answered, and begins them anew.
    fn customer_forget<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<Forgotten>>;

    /// Forgets what was said to a bot before a time: messages with opinions of them, closed handoffs, what was sent.
    /// What was kept of customers who have not been heard of since goes too; the customers stay. Of very many talks some are left for the next call.
    fn messages_prune<'a>(&'a self, bot: &'a str, before: Timestamp) -> StoreFuture<'a, Forgotten>;

    /// Messages of a bot with their answers, oldest first, a page at a time.
    fn exchanges<'a>(&'a self, filter: &'a ExchangeFilter) -> StoreFuture<'a, Vec<ExchangeRow>>;

    /// Messages of a bot, both ways and whoever said them, a page at a time.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for a word.
    fn archive<'a>(&'a self, filter: &'a ArchiveFilter) -> StoreFuture<'a, Vec<ArchiveRow>>;

    /// Notes whether an answer helped the customer who got it; a later opinion takes the place of an earlier one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an answer that this customer never got.
    fn feedback<'a>(
        &'a self,
        customer: &'a CustomerKey,
        answer_id: MessageId,
        helpful: bool,
        now: Timestamp,
    ) -> StoreFuture<'a, ()>;

    /// Takes a delivery into our hands, on disk before this returns, or says who has it.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] for the plaintext or the sender.
    fn callback_claim<'a>(
        &'a self,
        key: &'a CallbackKey,
        delivered: Delivered<'a>,
        now: Timestamp,
    ) -> StoreFuture<'a, Claim>;

    /// Records the answer to a claimed delivery that moves no conversation; turns carry theirs with them.
    ///
    /// # Errors
    /// [`StoreError::CallbackUnknown`], [`StoreError::CallbackAnswered`], [`StoreError::TooLong`].
    fn callback_answer<'a>(&'a self, answer: &'a CallbackAnswer, now: Timestamp) -> StoreFuture<'a, ()>;

    /// A delivery as it stands; `None` for one that was never claimed, or forgotten since.
    fn callback<'a>(&'a self, key: &'a CallbackKey) -> StoreFuture<'a, Option<CallbackRow>>;

    /// Claimed deliveries of an app that have no answer, oldest first: after a restart, those that were cut off.
    ///
    /// Another process may be working on the young ones. There is no limit, as each must be answered.
    fn callbacks_unanswered<'a>(&'a self, app: &'a str) -> StoreFuture<'a, Vec<CallbackRow>>;

    /// Those of one sender among them.
    fn callbacks_unanswered_of<'a>(
        &'a self,
        app: &'a str,
        sender: &'a str,
    ) -> StoreFuture<'a, Vec<CallbackRow>>;

    /// Deliveries of an app whose answer came too late for the passive reply, latest answer first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn callbacks_late<'a>(&'a self, app: &'a str, limit: u32) -> StoreFuture<'a, Vec<CallbackRow>>;

    /// Forgets answered deliveries that arrived before a time, late ones too; returns how many.
    ///
    /// Unanswered ones stay until they are answered. Keep at least the channel's retry window.
    fn callbacks_prune(&self, before: Timestamp) -> StoreFuture<'_, u64>;

    /// Takes messages that are to be sent, at most the first waiting one of a conversation, and keeps them from other takers
    /// for [`OUTBOX_LEASE`]. What will expire goes before what will not; what has expired or was overtaken is given up. What
    /// the customer does not hear waits for what the same sender has for the same recipient, and for nothing else.
    ///
    /// Each is to end in [`Store::outbox_tried`]; one that does not falls due again.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn outbox_take(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Notes what came of attempts to send, all of them in one transaction. Staff are told of what a customer will not get.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] for a reason.
    fn outbox_tried<'a>(&'a self, attempts: &'a [(OutboxId, Attempt)], now: Timestamp)
    -> StoreFuture<'a, ()>;

    /// Notes that a message of that key did not arrive, although the other side had taken it. Staff are told, once.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] for the reason.
    fn outbox_undelivered<'a>(&'a self, key: &'a str, reason: &'a str, now: Timestamp)
    -> StoreFuture<'a, ()>;

    /// Messages that were never sent, latest first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn outbox_given_up(&self, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Forgets messages that were settled before a time; returns how many.
    fn outbox_prune(&self, before: Timestamp) -> StoreFuture<'_, u64>;

    /// How far a source was read; `None` for one never read.
    fn cursor<'a>(&'a self, source: &'a str) -> StoreFuture<'a, Option<String>>;

    /// Adds what is to be sent because of what a source told, and moves the cursor with it. A key that is there already, and a
    /// conversation that was forgotten meanwhile, are passed over. Returns how many were added.
    ///
    /// # Errors
    /// [`StoreError::CursorMoved`] when somebody else has read on meanwhile; [`StoreError::Empty`], [`StoreError::TooLong`].
    fn outbox_read<'a>(&'a self, reading: &'a Reading, now: Timestamp) -> StoreFuture<'a, usize>;

    /// Takes a page of a source into our hands, and moves the cursor with it: its messages are callbacks of the app that is
    /// called like the source. Returns how many are new and to be answered.
    ///
    /// # Errors
    /// [`StoreError::CursorMoved`] when somebody else has read on meanwhile; [`StoreError::TooLong`].
    fn page_take<'a>(&'a self, page: &'a Page, now: Timestamp) -> StoreFuture<'a, usize>;

    /// Handoffs that pass the filter, newest first.
    fn handoffs(&self, filter: HandoffFilter) -> StoreFuture<'_, Vec<HandoffRow>>;

    /// The handoff of a conversation that is open, where one is.
    fn handoff_open(&self, id: ConversationId) -> StoreFuture<'_, Option<HandoffRow>>;

    /// Messages of a conversation behind one, oldest first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn messages_after(
        &self,
        id: ConversationId,
        after: MessageId,
        limit: u32,
    ) -> StoreFuture<'_, Vec<MessageRow>>;

    /// Closes a handoff. Closing it again changes nothing; its webhook is delivered all the same.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown handoff.
    fn handoff_close(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()>;

    /// A conversation by its id; `None` for an unknown one.
    fn conversation_by_id(&self, id: ConversationId) -> StoreFuture<'_, Option<ConversationRow>>;

    /// Conversations whose customers wait for a human or have one, longest quiet first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn attended(&self, limit: u32) -> StoreFuture<'_, Vec<ConversationRow>>;

    /// Stores a change of a conversation, in one transaction.
    ///
    /// # Errors
    /// * [`StoreError::Conflict`] when another change or turn came first.
    /// * [`StoreError::NotFound`], [`StoreError::CallbackUnknown`], [`StoreError::CallbackAnswered`],
    ///   [`StoreError::TooLong`].
    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, ChangeReceipt>;

    /// Timers that have run out, in the order of their time. Each is taken away by the [`Change`] that it brings about.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn timers_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<TimerRow>>;

    /// When a timer of a conversation runs out; `None` where none is set.
    fn timer(&self, id: ConversationId, kind: TimerKind) -> StoreFuture<'_, Option<Timestamp>>;

    /// Sets a timer, or takes it away.
    fn timer_move(&self, id: ConversationId, kind: TimerKind, due: Option<Timestamp>) -> StoreFuture<'_, ()>;

    /// How long customers of a group wait.
    fn queue<'a>(
        &'a self,
        bot: &'a str,
        group: &'a str,
        conversation_id: ConversationId,
    ) -> StoreFuture<'a, Queue>;

    /// What staff are told, from behind an event on.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn events(&self, after: EventId, limit: u32) -> StoreFuture<'_, Vec<EventRow>>;

    /// The latest event; 0 before the first.
    fn last_event(&self) -> StoreFuture<'_, EventId>;

    /// Forgets events from before a time; returns how many.
    fn events_prune(&self, before: Timestamp) -> StoreFuture<'_, u64>;

    /// What staff have noted about a conversation, oldest first.
    fn notes(&self, conversation_id: ConversationId) -> StoreFuture<'_, Vec<NoteRow>>;

    /// Adds an agent, or gives one of that name other groups and another key.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn agent_add<'a>(
        &'a self,
        name: &'a str,
        groups: &'a BTreeSet<String>,
        key_id: KeyId,
        now: Timestamp,
    ) -> StoreFuture<'a, AgentRow>;

    /// All agents.
    fn agents(&self) -> StoreFuture<'_, Vec<AgentRow>>;

    /// Tickets that pass the filter, newest first.
    fn tickets(&self, filter: TicketFilter) -> StoreFuture<'_, Vec<TicketRow>>;

    /// Closes a ticket. Closing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown ticket.
    fn ticket_close(&self, id: TicketId, now: Timestamp) -> StoreFuture<'_, ()>;

    /// When the customer of a conversation was last asked how content they are; `None` if they never were.
    fn surveyed_at(&self, id: ConversationId) -> StoreFuture<'_, Option<Timestamp>>;

    /// How content the customers of a bot are who were asked since a time, by agent and intent, most asked first.
    fn surveys<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<SurveyRow>>;

    /// How many customers of a bot came past each step of its tasks, from the day of `since` on.
    fn task_steps<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<TaskStepRow>>;

    /// Takes webhooks that are due, longest due first, and keeps them from other takers for [`WEBHOOK_LEASE`].
    ///
    /// Each is to end in [`Store::webhook_done`] or [`Store::webhook_failed`]; one that does not falls due again.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn webhooks_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<HandoffRow>>;

    /// Notes that a handoff's webhook was delivered.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown handoff.
    fn webhook_done(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()>;

    /// Notes that a handoff's webhook could not be delivered. After a delivery this changes no plan.
    ///
    /// * `attempts`: failed deliveries so far, this one included.
    /// * `next_at`: when to try again; `None` gives up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown handoff.
    fn webhook_failed(&self, id: HandoffId, attempts: u32, next_at: Option<Timestamp>)
    -> StoreFuture<'_, ()>;

    /// Adds an API key.
    ///
    /// * `scope`, `label`: 1 to 256 bytes each.
    /// * `hash`: SHA-256 of the key.
    ///
    /// # Errors
    /// [`StoreError::KeyExists`], [`StoreError::Empty`], [`StoreError::TooLong`].
    fn key_add<'a>(
        &'a self,
        scope: &'a str,
        hash: &'a [u8; 32],
        label: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, KeyId>;

    /// All API keys, revoked ones too, in the order in which they were added. An operator makes them, by hand.
    fn keys(&self) -> StoreFuture<'_, Vec<KeyRow>>;

    /// The live API key of that SHA-256; `None` for an unknown or revoked one.
    fn key_by_hash<'a>(&'a self, hash: &'a [u8; 32]) -> StoreFuture<'a, Option<KeyRow>>;

    /// Makes an API key open nothing any more. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown key.
    fn key_revoke(&self, id: KeyId) -> StoreFuture<'_, ()>;

    /// The value of a setting, if it has one.
    fn setting<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<String>>;

    /// Gives a setting its value once and for all; returns the one that stands, whoever was first.
    ///
    /// * `name`: 1 to 256 bytes. `value`: at most [`PAYLOAD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn set_setting_if_absent<'a>(&'a self, name: &'a str, value: &'a str) -> StoreFuture<'a, String>;

    /// What WeCom calls a file that it was handed; `None` for one that it never got, or that is forgotten.
    fn media<'a>(&'a self, key: &'a MediaKey) -> StoreFuture<'a, Option<MediaRow>>;

    /// Notes what WeCom calls a file from now on.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn media_keep<'a>(&'a self, key: &'a MediaKey, media_id: &'a str, now: Timestamp) -> StoreFuture<'a, ()>;

    /// Forgets a file that WeCom has forgotten.
    fn media_forget<'a>(&'a self, media_id: &'a str) -> StoreFuture<'a, ()>;

    /// Keeps a version of a bot's knowledge, for ever. The same files are the same version: the one that is there
    /// already is given back, with the author and the time of its first coming.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for the files or a name.
    fn version_add<'a>(&'a self, version: &'a NewVersion, now: Timestamp) -> StoreFuture<'a, VersionRow>;

    /// Versions of a bot, newest first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn versions<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<VersionRow>>;

    /// The files of a version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown version.
    fn version_files<'a>(&'a self, bot: &'a str, number: VersionNumber) -> StoreFuture<'a, VersionFiles>;

    /// Lets a version answer from now on, an older one as well.
    ///
    /// # Errors
    /// [`StoreError::Outdated`] when another version answers than the wish names; [`StoreError::NotFound`] for an
    /// unknown version; [`StoreError::Empty`], [`StoreError::TooLong`].
    fn publish<'a>(&'a self, wish: &'a NewPublication, now: Timestamp) -> StoreFuture<'a, ()>;

    /// The version from which each bot answers; bots without one are left out.
    fn published(&self) -> StoreFuture<'_, BTreeMap<BotId, VersionNumber>>;

    /// What of a bot was published, newest first.
    ///
    /// * `limit`: most rows, cut to [`ROWS_MAX`].
    fn publications<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<PublicationRow>>;

    /// Notes which version a bot's folder was last found to be; returns the one noted before.
    ///
    /// # Errors
    /// [`StoreError::Database`] for an unknown version.
    fn folder_seen<'a>(
        &'a self,
        bot: &'a str,
        number: VersionNumber,
    ) -> StoreFuture<'a, Option<VersionNumber>>;

    /// Takes a lease that nobody else holds, or holds on to one's own; whether it is ours until then.
    ///
    /// It keeps others away and nothing more: what must not happen twice is held by a condition in its own transaction.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn lease_take<'a>(&'a self, lease: &'a Lease, now: Timestamp, until: Timestamp) -> StoreFuture<'a, bool>;

    /// Gives a lease back. One that somebody else holds by now stays theirs.
    fn lease_drop<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// Forgets leases that ran out before a time; returns how many.
    fn leases_prune(&self, before: Timestamp) -> StoreFuture<'_, u64>;

    /// A token of another system that some process has fetched, good or not; `None` where none has.
    fn token<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<TokenRow>>;

    /// Keeps a token for all processes, in place of the one before.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn token_keep<'a>(&'a self, name: &'a str, token: &'a TokenRow) -> StoreFuture<'a, ()>;

    /// Lets all processes read with these models from now on; returns their [`fingerprint`].
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLong`].
    fn models_keep<'a>(&'a self, files: &'a VersionFiles, now: Timestamp) -> StoreFuture<'a, [u8; 32]>;

    /// The [`fingerprint`] of the models to read with; `None` where the store has none.
    fn models(&self) -> StoreFuture<'_, Option<[u8; 32]>>;

    /// The files of a set of models; empty for one that was never kept.
    fn models_files<'a>(&'a self, fingerprint: &'a [u8; 32]) -> StoreFuture<'a, VersionFiles>;

    /// Whether processes of other machines may use the store too.
    fn is_shared(&self) -> bool;

    /// Succeeds when the store can read, and its writer answers.
    fn ping(&self) -> StoreFuture<'_, ()>;

    /// Waits for what is under way, then lets go of the database. Every later call fails.
    fn close(&self) -> BoxFuture<'_, ()>;
}
