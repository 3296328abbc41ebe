//! The store in one SQLite file, for a bot that runs on one machine.
//!
//! All writes go through one connection, so that they queue here in order instead of failing on SQLite's lock.
//! Reads have connections of their own, which the write-ahead log lets run beside a write.

mod api_key;
mod archive;
mod callback;
mod column;
mod conversation;
mod customer;
mod exchange;
mod handoff;
mod handover;
mod lease;
mod media;
mod model;
mod open;
mod outbox;
mod privacy;
mod setting;
mod survey;
mod task;
#[cfg(test)]
mod tests;
mod turn;
mod version;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use sqlx::Sqlite;
use sqlx::SqlitePool;
use sqlx::Transaction;

use crate::message::BotId;
use crate::store::AgentRow;
use crate::store::ArchiveFilter;
use crate::store::ArchiveRow;
use crate::store::Attempt;
use crate::store::BoxFuture;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::Change;
use crate::store::ChangeReceipt;
use crate::store::Claim;
use crate::store::ConversationId;
use crate::store::ConversationRow;
use crate::store::CustomerFile;
use crate::store::CustomerKey;
use crate::store::CustomerRow;
use crate::store::CustomerSeen;
use crate::store::CustomerTold;
use crate::store::Delivered;
use crate::store::EventId;
use crate::store::EventRow;
use crate::store::ExchangeFilter;
use crate::store::ExchangeRow;
use crate::store::Forgotten;
use crate::store::HandoffFilter;
use crate::store::HandoffId;
use crate::store::HandoffRow;
use crate::store::KeyId;
use crate::store::KeyRow;
use crate::store::Lease;
use crate::store::MediaKey;
use crate::store::MediaRow;
use crate::store::MessageId;
use crate::store::MessageRow;
use crate::store::NewPublication;
use crate::store::NewVersion;
use crate::store::NoteRow;
use crate::store::Notice;
use crate::store::OutboxId;
use crate::store::OutboxRow;
use crate::store::Page;
use crate::store::PublicationRow;
use crate::store::Queue;
use crate::store::Reading;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::StoreFuture;
use crate::store::SurveyRow;
use crate::store::TaskStepRow;
use crate::store::TicketFilter;
use crate::store::TicketId;
use crate::store::TicketRow;
use crate::store::TimerKind;
use crate::store::TimerRow;
use crate::store::TokenRow;
use crate::store::TurnReceipt;
use crate::store::TurnRow;
use crate::store::VersionFiles;
use crate::store::VersionNumber;
use crate::store::VersionRow;

/// The rows of one data directory, in its file `yingda.db`.
#[derive(Debug)]
pub struct SqliteStore {
    /// One connection: the queue of writers.
    writer: SqlitePool,
    /// Connections that refuse to write.
    readers: SqlitePool,
}

impl SqliteStore {
    /// Copies the whole database as it stands at one time into a new file, while others write.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file is there already or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        privacy::copy(self, path).await
    }

    /// Starts a transaction that will write.
    ///
    /// It takes SQLite's write lock at once: taken later, after a read, the lock could only be refused when
    /// another process has written meanwhile.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        match self.writer.begin_with("BEGIN IMMEDIATE").await {
            // A commit that the disk refused is taken back by SQLite itself, and the connection still believes to be in it.
            Err(sqlx::Error::InvalidSavePointStatement | sqlx::Error::BeginFailed) => {
                self.writer.acquire().await?.close().await?;
                Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            result => Ok(result?),
        }
    }
}

impl Store for SqliteStore {
    fn customer_seen<'a>(&'a self, seen: &'a CustomerSeen, now: Timestamp) -> StoreFuture<'a, CustomerRow> {
        Box::pin(customer::note(self, seen, now))
    }

    fn customer<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerRow>> {
        Box::pin(customer::find(self, key))
    }

    fn customer_told<'a>(&'a self, told: &'a CustomerTold, now: Timestamp) -> StoreFuture<'a, CustomerRow> {
        Box::pin(customer::told(self, told, now))
    }

    fn contacts<'a>(
        &'a self,
        bot: &'a str,
        after: Option<&'a CustomerKey>,
        limit: u32,
    ) -> StoreFuture<'a, Vec<CustomerRow>> {
        Box::pin(customer::contacts(self, bot, after, limit))
    }

    fn notice<'a>(&'a self, notice: &'a Notice) -> StoreFuture<'a, ()> {
        Box::pin(outbox::notice(self, notice))
    }

    fn conversation<'a>(&'a self, key: &'a CustomerKey, now: Timestamp) -> StoreFuture<'a, ConversationRow> {
        Box::pin(conversation::find_or_begin(self, key, now))
    }

    fn record_turn(&self, turn: TurnRow) -> StoreFuture<'_, TurnReceipt> {
        Box::pin(turn::record(self, turn))
    }

    fn messages(&self, conversation_id: ConversationId, limit: u32) -> StoreFuture<'_, Vec<MessageRow>> {
        Box::pin(conversation::messages(self, conversation_id, limit))
    }

    fn customer_file<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerFile>> {
        Box::pin(privacy::file(self, key))
    }

    fn customer_forget<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<Forgotten>> {
        Box::pin(privacy::forget(self, key))
    }

    fn messages_prune<'a>(&'a self, bot: &'a str, before: Timestamp) -> StoreFuture<'a, Forgotten> {
        Box::pin(privacy::prune(self, bot, before))
    }

    fn exchanges<'a>(&'a self, filter: &'a ExchangeFilter) -> StoreFuture<'a, Vec<ExchangeRow>> {
        Box::pin(exchange::list(self, filter))
    }

    fn archive<'a>(&'a self, filter: &'a ArchiveFilter) -> StoreFuture<'a, Vec<ArchiveRow>> {
        Box::pin(archive::list(self, filter))
    }

    fn feedback<'a>(
        &'a self,
        customer: &'a CustomerKey,
        answer_id: MessageId,
        helpful: bool,
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        Box::pin(exchange::feedback(self, customer, answer_id, helpful, now))
    }

    fn callback_claim<'a>(
        &'a self,
        key: &'a CallbackKey,
        delivered: Delivered<'a>,
        now: Timestamp,
    ) -> StoreFuture<'a, Claim> {
        Box::pin(callback::claim(self, key, delivered, now))
    }

    fn callback_answer<'a>(&'a self, answer: &'a CallbackAnswer, now: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(callback::answer(self, answer, now))
    }

    fn callback<'a>(&'a self, key: &'a CallbackKey) -> StoreFuture<'a, Option<CallbackRow>> {
        Box::pin(callback::find(self, key))
    }

    fn callbacks_unanswered<'a>(&'a self, app: &'a str) -> StoreFuture<'a, Vec<CallbackRow>> {
        Box::pin(callback::unanswered(self, app))
    }

    fn callbacks_unanswered_of<'a>(
        &'a self,
        app: &'a str,
        sender: &'a str,
    ) -> StoreFuture<'a, Vec<CallbackRow>> {
        Box::pin(callback::unanswered_of(self, app, sender))
    }

    fn callbacks_late<'a>(&'a self, app: &'a str, limit: u32) -> StoreFuture<'a, Vec<CallbackRow>> {
        Box::pin(callback::late(self, app, limit))
    }

    fn callbacks_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(callback::prune(self, before))
    }

    fn outbox_take(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(outbox::take(self, now, limit))
    }

    fn outbox_tried<'a>(
        &'a self,
        attempts: &'a [(OutboxId, Attempt)],
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        Box::pin(outbox::tried(self, attempts, now))
    }

    fn outbox_undelivered<'a>(
        &'a self,
        key: &'a str,
        reason: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        Box::pin(outbox::undelivered(self, key, reason, now))
    }

    fn outbox_given_up(&self, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(outbox::given_up(self, limit))
    }

    fn outbox_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(outbox::prune(self, before))
    }

    fn outbox_read<'a>(&'a self, reading: &'a Reading, now: Timestamp) -> StoreFuture<'a, usize> {
        Box::pin(outbox::read_on(self, reading, now))
    }

    fn cursor<'a>(&'a self, source: &'a str) -> StoreFuture<'a, Option<String>> {
        Box::pin(outbox::cursor(self, source))
    }

    fn page_take<'a>(&'a self, page: &'a Page, now: Timestamp) -> StoreFuture<'a, usize> {
        Box::pin(outbox::page_take(self, page, now))
    }

    fn conversation_by_id(&self, id: ConversationId) -> StoreFuture<'_, Option<ConversationRow>> {
        Box::pin(handover::by_id(self, id))
    }

    fn attended(&self, limit: u32) -> StoreFuture<'_, Vec<ConversationRow>> {
        Box::pin(handover::attended(self, limit))
    }

    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, ChangeReceipt> {
        Box::pin(handover::change(self, change))
    }

    fn timers_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<TimerRow>> {
        Box::pin(handover::timers_due(self, now, limit))
    }

    fn timer(&self, id: ConversationId, kind: TimerKind) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(handover::timer(self, id, kind))
    }

    fn timer_move(&self, id: ConversationId, kind: TimerKind, due: Option<Timestamp>) -> StoreFuture<'_, ()> {
        Box::pin(handover::timer_move(self, id, kind, due))
    }

    fn queue<'a>(
        &'a self,
        bot: &'a str,
        group: &'a str,
        conversation_id: ConversationId,
    ) -> StoreFuture<'a, Queue> {
        Box::pin(handover::queue(self, bot, group, conversation_id))
    }

    fn events(&self, after: EventId, limit: u32) -> StoreFuture<'_, Vec<EventRow>> {
        Box::pin(handover::events(self, after, limit))
    }

    fn last_event(&self) -> StoreFuture<'_, EventId> {
        Box::pin(handover::last_event(self))
    }

    fn events_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(handover::prune(self, before))
    }

    fn notes(&self, conversation_id: ConversationId) -> StoreFuture<'_, Vec<NoteRow>> {
        Box::pin(handover::notes(self, conversation_id))
    }

    fn agent_add<'a>(
        &'a self,
        name: &'a str,
        groups: &'a BTreeSet<String>,
        key_id: KeyId,
        now: Timestamp,
    ) -> StoreFuture<'a, AgentRow> {
        Box::pin(handover::agent_add(self, name, groups, key_id, now))
    }

    fn agents(&self) -> StoreFuture<'_, Vec<AgentRow>> {
        Box::pin(handover::agents(self))
    }

    fn handoff_open(&self, id: ConversationId) -> StoreFuture<'_, Option<HandoffRow>> {
        Box::pin(handoff::open(self, id))
    }

    fn messages_after(
        &self,
        id: ConversationId,
        after: MessageId,
        limit: u32,
    ) -> StoreFuture<'_, Vec<MessageRow>> {
        Box::pin(conversation::messages_after(self, id, after, limit))
    }

    fn tickets(&self, filter: TicketFilter) -> StoreFuture<'_, Vec<TicketRow>> {
        Box::pin(task::tickets(self, filter))
    }

    fn ticket_close(&self, id: TicketId, now: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(task::close(self, id, now))
    }

    fn surveyed_at(&self, id: ConversationId) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(survey::asked_at(self, id))
    }

    fn surveys<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<SurveyRow>> {
        Box::pin(survey::counted(self, bot, since))
    }

    fn task_steps<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<TaskStepRow>> {
        Box::pin(task::steps(self, bot, since))
    }

    fn handoffs(&self, filter: HandoffFilter) -> StoreFuture<'_, Vec<HandoffRow>> {
        Box::pin(handoff::list(self, filter))
    }

    fn handoff_close(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(handoff::close(self, id, now))
    }

    fn webhooks_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<HandoffRow>> {
        Box::pin(handoff::webhooks_due(self, now, limit))
    }

    fn webhook_done(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(handoff::webhook_done(self, id, now))
    }

    fn webhook_failed(
        &self,
        id: HandoffId,
        attempts: u32,
        next_at: Option<Timestamp>,
    ) -> StoreFuture<'_, ()> {
        Box::pin(handoff::webhook_failed(self, id, attempts, next_at))
    }

    fn key_add<'a>(
        &'a self,
        scope: &'a str,
        hash: &'a [u8; 32],
        label: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, KeyId> {
        Box::pin(api_key::add(self, scope, hash, label, now))
    }

    fn keys(&self) -> StoreFuture<'_, Vec<KeyRow>> {
        Box::pin(api_key::list(self))
    }

    fn key_by_hash<'a>(&'a self, hash: &'a [u8; 32]) -> StoreFuture<'a, Option<KeyRow>> {
        Box::pin(api_key::find(self, hash))
    }

    fn key_revoke(&self, id: KeyId) -> StoreFuture<'_, ()> {
        Box::pin(api_key::revoke(self, id))
    }

    fn setting<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<String>> {
        Box::pin(setting::find(self, name))
    }

    fn set_setting_if_absent<'a>(&'a self, name: &'a str, value: &'a str) -> StoreFuture<'a, String> {
        Box::pin(setting::set_if_absent(self, name, value))
    }

    fn media<'a>(&'a self, key: &'a MediaKey) -> StoreFuture<'a, Option<MediaRow>> {
        Box::pin(media::find(self, key))
    }

    fn media_keep<'a>(&'a self, key: &'a MediaKey, media_id: &'a str, now: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(media::keep(self, key, media_id, now))
    }

    fn media_forget<'a>(&'a self, media_id: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(media::forget(self, media_id))
    }

    fn version_add<'a>(&'a self, version: &'a NewVersion, now: Timestamp) -> StoreFuture<'a, VersionRow> {
        Box::pin(version::add(self, version, now))
    }

    fn versions<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<VersionRow>> {
        Box::pin(version::list(self, bot, limit))
    }

    fn version_files<'a>(&'a self, bot: &'a str, number: VersionNumber) -> StoreFuture<'a, VersionFiles> {
        Box::pin(version::files(self, bot, number))
    }

    fn publish<'a>(&'a self, wish: &'a NewPublication, now: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(version::publish(self, wish, now))
    }

    fn published(&self) -> StoreFuture<'_, BTreeMap<BotId, VersionNumber>> {
        Box::pin(version::published(self))
    }

    fn publications<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<PublicationRow>> {
        Box::pin(version::publications(self, bot, limit))
    }

    fn folder_seen<'a>(
        &'a self,
        bot: &'a str,
        number: VersionNumber,
    ) -> StoreFuture<'a, Option<VersionNumber>> {
        Box::pin(version::folder_seen(self, bot, number))
    }

    fn lease_take<'a>(&'a self, lease: &'a Lease, now: Timestamp, until: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(lease::take(self, lease, now, until))
    }

    fn lease_drop<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(lease::drop(self, lease))
    }

    fn leases_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(lease::prune(self, before))
    }

    fn token<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<TokenRow>> {
        Box::pin(lease::token(self, name))
    }

    fn token_keep<'a>(&'a self, name: &'a str, token: &'a TokenRow) -> StoreFuture<'a, ()> {
        Box::pin(lease::token_keep(self, name, token))
    }

    fn models_keep<'a>(&'a self, files: &'a VersionFiles, now: Timestamp) -> StoreFuture<'a, [u8; 32]> {
        Box::pin(model::keep(self, files, now))
    }

    fn models(&self) -> StoreFuture<'_, Option<[u8; 32]>> {
        Box::pin(model::standing(self))
    }

    fn models_files<'a>(&'a self, fingerprint: &'a [u8; 32]) -> StoreFuture<'a, VersionFiles> {
        Box::pin(model::files(self, fingerprint))
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            sqlx::query("SELECT count(*) FROM settings").execute(&self.readers).await?;
            sqlx::query("SELECT 1").execute(&self.writer).await?;
            Ok(())
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // The writer goes last: the last connection folds the log back into the file, and readers may not.
            self.readers.close().await;
            self.writer.close().await;
        })
    }
}
