//! A store that a test can slow down and break where the real one would: at the commit of a turn.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::RwLock;
use yingda::message::BotId;
use yingda::store::AgentRow;
use yingda::store::ArchiveFilter;
use yingda::store::ArchiveRow;
use yingda::store::Attempt;
use yingda::store::BoxFuture;
use yingda::store::CallbackAnswer;
use yingda::store::CallbackKey;
use yingda::store::CallbackRow;
use yingda::store::Change;
use yingda::store::ChangeReceipt;
use yingda::store::Claim;
use yingda::store::ConversationId;
use yingda::store::ConversationRow;
use yingda::store::CustomerFile;
use yingda::store::CustomerKey;
use yingda::store::CustomerRow;
use yingda::store::CustomerSeen;
use yingda::store::CustomerTold;
use yingda::store::Delivered;
use yingda::store::EventId;
use yingda::store::EventRow;
use yingda::store::ExchangeFilter;
use yingda::store::ExchangeRow;
use yingda::store::Forgotten;
use yingda::store::HandoffFilter;
use yingda::store::HandoffId;
use yingda::store::HandoffRow;
use yingda::store::KeyId;
use yingda::store::KeyRow;
use yingda::store::Lease;
use yingda::store::MediaKey;
use yingda::store::MediaRow;
use yingda::store::MessageId;
use yingda::store::MessageRow;
use yingda::store::NewPublication;
use yingda::store::NewVersion;
use yingda::store::NoteRow;
use yingda::store::Notice;
use yingda::store::OutboxId;
use yingda::store::OutboxRow;
use yingda::store::Page;
use yingda::store::PublicationRow;
use yingda::store::Queue;
use yingda::store::Reading;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::store::StoreError;
use yingda::store::StoreFuture;
use yingda::store::SurveyRow;
use yingda::store::TaskStepRow;
use yingda::store::TicketFilter;
use yingda::store::TicketId;
use yingda::store::TicketRow;
use yingda::store::TimerKind;
use yingda::store::TimerRow;
use yingda::store::TokenRow;
use yingda::store::TurnReceipt;
use yingda::store::TurnRow;
use yingda::store::VersionFiles;
use yingda::store::VersionNumber;
use yingda::store::VersionRow;

/// Turns whose message holds these words wait at the gate.
pub(super) const SLOW: &str = "甲号";

/// The gate before the commit of a turn.
pub(super) struct Gate {
    inner: Arc<SqliteStore>,
    /// Held for writing, it keeps the slow turns from being committed.
    pub(super) commits: Arc<RwLock<()>>,
    /// Whether turns fail instead of being committed.
    pub(super) broken: AtomicBool,
    /// Slow turns that have come to the gate.
    pub(super) n_arrived: AtomicUsize,
}

impl Gate {
    /// An open gate.
    pub(super) fn new(inner: Arc<SqliteStore>) -> Self {
        Self {
            inner,
            commits: Arc::default(),
            broken: AtomicBool::new(false),
            n_arrived: AtomicUsize::new(0),
        }
    }
}

impl Store for Gate {
    fn record_turn(&self, turn: TurnRow) -> StoreFuture<'_, TurnReceipt> {
        Box::pin(async move {
            if self.broken.load(Ordering::SeqCst) {
                return Err(StoreError::Database(sqlx::Error::PoolClosed));
            }
            if turn.inbound.contains(SLOW) {
                self.n_arrived.fetch_add(1, Ordering::SeqCst);
                let _open = self.commits.read().await;
                return self.inner.record_turn(turn).await;
            }
            self.inner.record_turn(turn).await
        })
    }

    fn archive<'a>(&'a self, filter: &'a ArchiveFilter) -> StoreFuture<'a, Vec<ArchiveRow>> {
        self.inner.archive(filter)
    }

    fn customer_seen<'a>(&'a self, seen: &'a CustomerSeen, now: Timestamp) -> StoreFuture<'a, CustomerRow> {
        self.inner.customer_seen(seen, now)
    }

    fn customer_told<'a>(&'a self, told: &'a CustomerTold, now: Timestamp) -> StoreFuture<'a, CustomerRow> {
        self.inner.customer_told(told, now)
    }

    fn contacts<'a>(
        &'a self,
        bot: &'a str,
        after: Option<&'a CustomerKey>,
        limit: u32,
    ) -> StoreFuture<'a, Vec<CustomerRow>> {
        self.inner.contacts(bot, after, limit)
    }

    fn notice<'a>(&'a self, notice: &'a Notice) -> StoreFuture<'a, ()> {
        self.inner.notice(notice)
    }

    fn conversation_by_id(&self, id: ConversationId) -> StoreFuture<'_, Option<ConversationRow>> {
        self.inner.conversation_by_id(id)
    }

    fn attended(&self, limit: u32) -> StoreFuture<'_, Vec<ConversationRow>> {
        self.inner.attended(limit)
    }

    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, ChangeReceipt> {
        self.inner.change(change)
    }

    fn timers_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<TimerRow>> {
        self.inner.timers_due(now, limit)
    }

    fn timer(&self, id: ConversationId, kind: TimerKind) -> StoreFuture<'_, Option<Timestamp>> {
        self.inner.timer(id, kind)
    }

    fn timer_move(&self, id: ConversationId, kind: TimerKind, due: Option<Timestamp>) -> StoreFuture<'_, ()> {
        self.inner.timer_move(id, kind, due)
    }

    fn queue<'a>(
        &'a self,
        bot: &'a str,
        group: &'a str,
        conversation_id: ConversationId,
    ) -> StoreFuture<'a, Queue> {
        self.inner.queue(bot, group, conversation_id)
    }

    fn events(&self, after: EventId, limit: u32) -> StoreFuture<'_, Vec<EventRow>> {
        self.inner.events(after, limit)
    }

    fn last_event(&self) -> StoreFuture<'_, EventId> {
        self.inner.last_event()
    }

    fn events_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.inner.events_prune(before)
    }

    fn notes(&self, conversation_id: ConversationId) -> StoreFuture<'_, Vec<NoteRow>> {
        self.inner.notes(conversation_id)
    }

    fn agent_add<'a>(
        &'a self,
        name: &'a str,
        groups: &'a BTreeSet<String>,
        key_id: KeyId,
        now: Timestamp,
    ) -> StoreFuture<'a, AgentRow> {
        self.inner.agent_add(name, groups, key_id, now)
    }

    fn agents(&self) -> StoreFuture<'_, Vec<AgentRow>> {
        self.inner.agents()
    }

    fn handoff_open(&self, id: ConversationId) -> StoreFuture<'_, Option<HandoffRow>> {
        self.inner.handoff_open(id)
    }

    fn messages_after(
        &self,
        id: ConversationId,
        after: MessageId,
        limit: u32,
    ) -> StoreFuture<'_, Vec<MessageRow>> {
        self.inner.messages_after(id, after, limit)
    }

    fn tickets(&self, filter: TicketFilter) -> StoreFuture<'_, Vec<TicketRow>> {
        self.inner.tickets(filter)
    }

    fn ticket_close(&self, id: TicketId, now: Timestamp) -> StoreFuture<'_, ()> {
        self.inner.ticket_close(id, now)
    }

    fn surveyed_at(&self, id: ConversationId) -> StoreFuture<'_, Option<Timestamp>> {
        self.inner.surveyed_at(id)
    }

    fn surveys<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<SurveyRow>> {
        self.inner.surveys(bot, since)
    }

    fn task_steps<'a>(&'a self, bot: &'a str, since: Timestamp) -> StoreFuture<'a, Vec<TaskStepRow>> {
        self.inner.task_steps(bot, since)
    }

    fn customer<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerRow>> {
        self.inner.customer(key)
    }

    fn conversation<'a>(&'a self, key: &'a CustomerKey, now: Timestamp) -> StoreFuture<'a, ConversationRow> {
        self.inner.conversation(key, now)
    }

    fn messages(&self, conversation_id: ConversationId, limit: u32) -> StoreFuture<'_, Vec<MessageRow>> {
        self.inner.messages(conversation_id, limit)
    }

    fn customer_file<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<CustomerFile>> {
        self.inner.customer_file(key)
    }

    fn customer_forget<'a>(&'a self, key: &'a CustomerKey) -> StoreFuture<'a, Option<Forgotten>> {
        self.inner.customer_forget(key)
    }

    fn messages_prune<'a>(&'a self, bot: &'a str, before: Timestamp) -> StoreFuture<'a, Forgotten> {
        self.inner.messages_prune(bot, before)
    }

    fn exchanges<'a>(&'a self, filter: &'a ExchangeFilter) -> StoreFuture<'a, Vec<ExchangeRow>> {
        self.inner.exchanges(filter)
    }

    fn feedback<'a>(
        &'a self,
        customer: &'a CustomerKey,
        answer_id: MessageId,
        helpful: bool,
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        self.inner.feedback(customer, answer_id, helpful, now)
    }

    fn callback_claim<'a>(
        &'a self,
        key: &'a CallbackKey,
        delivered: Delivered<'a>,
        now: Timestamp,
    ) -> StoreFuture<'a, Claim> {
        self.inner.callback_claim(key, delivered, now)
    }

    fn callback_answer<'a>(&'a self, answer: &'a CallbackAnswer, now: Timestamp) -> StoreFuture<'a, ()> {
        self.inner.callback_answer(answer, now)
    }

    fn callback<'a>(&'a self, key: &'a CallbackKey) -> StoreFuture<'a, Option<CallbackRow>> {
        self.inner.callback(key)
    }

    fn callbacks_unanswered<'a>(&'a self, app: &'a str) -> StoreFuture<'a, Vec<CallbackRow>> {
        self.inner.callbacks_unanswered(app)
    }

    fn callbacks_unanswered_of<'a>(
        &'a self,
        app: &'a str,
        sender: &'a str,
    ) -> StoreFuture<'a, Vec<CallbackRow>> {
        self.inner.callbacks_unanswered_of(app, sender)
    }

    fn callbacks_late<'a>(&'a self, app: &'a str, limit: u32) -> StoreFuture<'a, Vec<CallbackRow>> {
        self.inner.callbacks_late(app, limit)
    }

    fn callbacks_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.inner.callbacks_prune(before)
    }

    fn outbox_take(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        self.inner.outbox_take(now, limit)
    }

    fn outbox_tried<'a>(
        &'a self,
        attempts: &'a [(OutboxId, Attempt)],
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        self.inner.outbox_tried(attempts, now)
    }

    fn outbox_undelivered<'a>(
        &'a self,
        key: &'a str,
        reason: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, ()> {
        self.inner.outbox_undelivered(key, reason, now)
    }

    fn outbox_given_up(&self, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        self.inner.outbox_given_up(limit)
    }

    fn outbox_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.inner.outbox_prune(before)
    }

    fn cursor<'a>(&'a self, source: &'a str) -> StoreFuture<'a, Option<String>> {
        self.inner.cursor(source)
    }

    fn outbox_read<'a>(&'a self, reading: &'a Reading, now: Timestamp) -> StoreFuture<'a, usize> {
        self.inner.outbox_read(reading, now)
    }

    fn page_take<'a>(&'a self, page: &'a Page, now: Timestamp) -> StoreFuture<'a, usize> {
        self.inner.page_take(page, now)
    }

    fn handoffs(&self, filter: HandoffFilter) -> StoreFuture<'_, Vec<HandoffRow>> {
        self.inner.handoffs(filter)
    }

    fn handoff_close(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()> {
        self.inner.handoff_close(id, now)
    }

    fn webhooks_due(&self, now: Timestamp, limit: u32) -> StoreFuture<'_, Vec<HandoffRow>> {
        self.inner.webhooks_due(now, limit)
    }

    fn webhook_done(&self, id: HandoffId, now: Timestamp) -> StoreFuture<'_, ()> {
        self.inner.webhook_done(id, now)
    }

    fn webhook_failed(
        &self,
        id: HandoffId,
        attempts: u32,
        next_at: Option<Timestamp>,
    ) -> StoreFuture<'_, ()> {
        self.inner.webhook_failed(id, attempts, next_at)
    }

    fn key_add<'a>(
        &'a self,
        scope: &'a str,
        hash: &'a [u8; 32],
        label: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, KeyId> {
        self.inner.key_add(scope, hash, label, now)
    }

    fn keys(&self) -> StoreFuture<'_, Vec<KeyRow>> {
        self.inner.keys()
    }

    fn key_by_hash<'a>(&'a self, hash: &'a [u8; 32]) -> StoreFuture<'a, Option<KeyRow>> {
        self.inner.key_by_hash(hash)
    }

    fn key_revoke(&self, id: KeyId) -> StoreFuture<'_, ()> {
        self.inner.key_revoke(id)
    }

    fn setting<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<String>> {
        self.inner.setting(name)
    }

    fn set_setting_if_absent<'a>(&'a self, name: &'a str, value: &'a str) -> StoreFuture<'a, String> {
        self.inner.set_setting_if_absent(name, value)
    }

    fn media<'a>(&'a self, key: &'a MediaKey) -> StoreFuture<'a, Option<MediaRow>> {
        self.inner.media(key)
    }

    fn media_keep<'a>(&'a self, key: &'a MediaKey, media_id: &'a str, now: Timestamp) -> StoreFuture<'a, ()> {
        self.inner.media_keep(key, media_id, now)
    }

    fn media_forget<'a>(&'a self, media_id: &'a str) -> StoreFuture<'a, ()> {
        self.inner.media_forget(media_id)
    }

    fn version_add<'a>(&'a self, version: &'a NewVersion, now: Timestamp) -> StoreFuture<'a, VersionRow> {
        self.inner.version_add(version, now)
    }

    fn versions<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<VersionRow>> {
        self.inner.versions(bot, limit)
    }

    fn version_files<'a>(&'a self, bot: &'a str, number: VersionNumber) -> StoreFuture<'a, VersionFiles> {
        self.inner.version_files(bot, number)
    }

    fn publish<'a>(&'a self, wish: &'a NewPublication, now: Timestamp) -> StoreFuture<'a, ()> {
        self.inner.publish(wish, now)
    }

    fn published(&self) -> StoreFuture<'_, BTreeMap<BotId, VersionNumber>> {
        self.inner.published()
    }

    fn publications<'a>(&'a self, bot: &'a str, limit: u32) -> StoreFuture<'a, Vec<PublicationRow>> {
        self.inner.publications(bot, limit)
    }

    fn folder_seen<'a>(
        &'a self,
        bot: &'a str,
        number: VersionNumber,
    ) -> StoreFuture<'a, Option<VersionNumber>> {
        self.inner.folder_seen(bot, number)
    }

    fn lease_take<'a>(&'a self, lease: &'a Lease, now: Timestamp, until: Timestamp) -> StoreFuture<'a, bool> {
        self.inner.lease_take(lease, now, until)
    }

    fn lease_drop<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.inner.lease_drop(lease)
    }

    fn leases_prune(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.inner.leases_prune(before)
    }

    fn token<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<TokenRow>> {
        self.inner.token(name)
    }

    fn token_keep<'a>(&'a self, name: &'a str, token: &'a TokenRow) -> StoreFuture<'a, ()> {
        self.inner.token_keep(name, token)
    }

    fn models_keep<'a>(&'a self, files: &'a VersionFiles, now: Timestamp) -> StoreFuture<'a, [u8; 32]> {
        self.inner.models_keep(files, now)
    }

    fn models(&self) -> StoreFuture<'_, Option<[u8; 32]>> {
        self.inner.models()
    }

    fn models_files<'a>(&'a self, fingerprint: &'a [u8; 32]) -> StoreFuture<'a, VersionFiles> {
        self.inner.models_files(fingerprint)
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.inner.ping()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
