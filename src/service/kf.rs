//! 微信客服: what customers wrote is fetched page by page, kept with the cursor, and answered in order.
//!
//! The wake-up carries no message, and may be lost: every account is read at the start, whenever it is woken, and every
//! [`POLL`] besides. A page and its cursor are one transaction, so nothing is read twice or passed over, whenever the
//! program stops. What is open is answered, the reply is committed with the turn, and sent from the outbox.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::channel::wecom::active::Message;
use crate::channel::wecom::active::text_message;
use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::client::Remedy;
use crate::channel::wecom::kf::KfBody;
use crate::channel::wecom::kf::KfItem;
use crate::channel::wecom::kf::Servicing;
use crate::channel::wecom::kf::SyncPage;
use crate::message::BotId;
use crate::message::Channel;
use crate::message::Content;
use crate::message::CustomerKind;
use crate::message::Reply;
use crate::secret::Secret;
use crate::service::Question;
use crate::service::Service;
use crate::service::ServiceError;
use crate::service::app::App;
use crate::service::burst;
use crate::service::callback::chain;
use crate::service::delivery::Back;
use crate::service::delivery::Delivery;
use crate::service::delivery::message_key;
use crate::service::handover::Route;
use crate::service::outgoing::Outgoing;
use crate::service::servicing;
use crate::service::servicing::Talk;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::NewOutbox;
use crate::store::Page;
use crate::store::PageItem;
use crate::store::StoreError;

/// How often an account is read without being woken.
pub const POLL: Duration = Duration::from_secs(60);

/// How often messages are looked for that somebody began to answer and did not: a store that failed, another process that
/// died.
const LOOK: Duration = Duration::from_secs(5);

/// What is younger is in somebody's hands.
const OLD: SignedDuration = SignedDuration::from_secs(5);

/// After a page that could not be read, the next attempts follow so fast; then as if nothing had happened.
const BACK_OFF: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// The first reading of all gives three days of history; what is older than this is remembered and not answered.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// A welcome code works for so long.
const WELCOME: SignedDuration = SignedDuration::from_secs(20);

/// Messages of one page.
const PAGE: u32 = 1_000;

/// Customers of one account that are answered at the same time.
const CUSTOMERS_MAX: usize = 64;

/// How often a customer's writing on puts the answer off.
const QUIETS_MAX: usize = 4;

/// Pages in a row that say that there is more and do not move on.
const STILL_MAX: usize = 10;

/// Makes of a reply the messages that are sent, without address and id.
pub type Messages = Arc<dyn Fn(&Reply) -> Vec<Message> + Send + Sync>;

/// Why an account could not be read. What was read is kept, and the next reading goes on from there.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("WeCom gave no page")]
    Client(#[from] ClientError),
    #[error("the page could not be kept")]
    Store(#[from] StoreError),
}

impl ReadError {
    /// Whether WeCom wants to be asked less often.
    fn is_paced(&self) -> bool {
        matches!(self, Self::Client(error) if error.remedy() == Remedy::NextWindow)
    }
}

/// One account of 微信客服.
pub struct Account {
    service: Arc<Service>,
    app: Arc<App>,
    open_kfid: String,
    messages: Messages,
    woken: Notify,
    /// Of the latest wake-up: with it, WeCom counts the reading less strictly.
    token: Mutex<Option<Secret>>,
    /// Customers that are being answered, and whether more of theirs has come.
    busy: Mutex<HashMap<String, bool>>,
    room: Arc<Semaphore>,
}

/// A message without an answer, or an event that was not followed yet.
struct Open {
    key: CallbackKey,
    received_at: Timestamp,
    item: KfItem,
    happened: Happened,
}

/// What there is to answer or to follow.
enum Happened {
    Customer(Content),
    Servicer(Servicing),
    Undelivered { msgid: String, fail_type: i64 },
}

impl Open {
    /// Whether it may be read as one with what stands beside it.
    fn joins(&self) -> bool {
        matches!(&self.happened, Happened::Customer(content) if burst::joins(content))
    }
}

/// The accounts of all apps, by `open_kfid`.
#[derive(Clone, Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// * `messages`: what an app's replies look like.
    #[must_use]
    pub fn new(
        service: &Arc<Service>,
        apps: &BTreeMap<String, Arc<App>>,
        messages: &dyn Fn(&Arc<App>) -> Messages,
    ) -> Self {
        let accounts = apps.values().flat_map(|app| {
            app.kf.iter().map(|open_kfid| {
                let account = Account {
                    service: Arc::clone(service),
                    app: Arc::clone(app),
                    open_kfid: open_kfid.clone(),
                    messages: messages(app),
                    woken: Notify::new(),
                    token: Mutex::default(),
                    busy: Mutex::default(),
                    room: Arc::new(Semaphore::new(CUSTOMERS_MAX)),
                };
                (open_kfid.clone(), Arc::new(account))
            })
        });
        Self(accounts.collect())
    }

    /// Takes a wake-up; whether the account is served here.
    pub fn wake(&self, open_kfid: &str, token: Secret) -> bool {
        let Some(account) = self.0.get(open_kfid) else { return false };
        *account.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        account.woken.notify_one();
        true
    }

    /// Reads and answers every account, for as long as it is polled.
    pub async fn run(self) {
        let mut accounts = tokio::task::JoinSet::new();
        for account in self.0.into_values() {
            accounts.spawn(account.run());
        }
        while accounts.join_next().await.is_some() {}
    }
}

impl Account {
    async fn run(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK);
        let mut next_read = Instant::now();
        let mut n_failures: usize = 0;
        loop {
            let mut reads = true;
            tokio::select! {
                () = tokio::time::sleep_until(next_read) => {}
                () = self.woken.notified() => {}
                _ = look.tick() => reads = false,
            }
            if reads {
                n_failures = match self.read().await {
                    Ok(()) => 0,
                    Err(error) => {
                        tracing::warn!(app = %self.app.name, error = %chain(&error), "an account could not be read on");
                        if error.is_paced() { BACK_OFF.len() + 1 } else { n_failures + 1 }
                    }
                };
                // Customers wait behind a page that could not be read: it is not left for the next look.
                let again = n_failures.checked_sub(1).and_then(|at| BACK_OFF.get(at)).copied();
                next_read = Instant::now() + again.unwrap_or(POLL);
            }
            let left = if reads { SignedDuration::ZERO } else { OLD };
            if let Err(error) = self.answer_open(left).await {
                tracing::warn!(app = %self.app.name, error = %chain(&error), "open messages could not be listed");
            }
        }
    }

    /// The app of callbacks that its messages are kept as.
    fn source(&self) -> String {
        format!("kf:{}", self.open_kfid)
    }

    /// Reads on to the newest page.
    async fn read(&self) -> Result<(), ReadError> {
        let Some(active) = &self.app.active else { return Ok(()) };
        let store = self.service.store();
        // Set when the list was first read to its end; a kill on the way there leaves it unset.
        let drained = format!("kf-drained:{}", self.open_kfid);
        let is_first = store.setting(&drained).await?.is_none();
        let mut n_still = 0;
        while n_still < STILL_MAX {
            let cursor = store.cursor(&self.source()).await?;
            let answer = self.ask(&active.client, cursor.as_deref()).await?;
            let Some(page) = SyncPage::read(&answer) else {
                tracing::warn!(app = %self.app.name, "a page without a cursor is left for the next look");
                return Ok(());
            };
            let now = self.service.now();
            let is_old = |item: &KfItem| {
                let sent = Timestamp::from_second(item.send_time).unwrap_or(now);
                is_first && now.duration_since(sent) > FRESH
            };
            let items = page.items.iter().map(|raw| {
                let item = KfItem::read(raw);
                if let KfBody::SendFail { fail_type, .. } = item.body {
                    tracing::warn!(app = %self.app.name, fail_type, "a message to a customer did not arrive");
                }
                let is_open = happened(&item).is_some() && !is_old(&item);
                PageItem { key: item.key, plaintext: raw.to_string(), sender: item.external_userid, is_open }
            });
            let ends = !page.has_more;
            n_still = if cursor.as_deref() == Some(page.next_cursor.as_str()) { n_still + 1 } else { 0 };
            let page = Page {
                source: self.source(),
                from: cursor.clone(),
                to: page.next_cursor.clone(),
                items: items.collect(),
            };
            match store.page_take(&page, now).await {
                Ok(_n_new) => {}
                // Another process reads as well; what it has read is on disk.
                Err(StoreError::CursorMoved { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            if ends {
                if is_first {
                    store.set_setting_if_absent(&drained, "1").await?;
                }
                return Ok(());
            }
        }
        // A list that does not move on and does not end is left for the next look.
        Ok(())
    }

    /// Asks for the page behind a cursor.
    async fn ask(&self, client: &Client, cursor: Option<&str>) -> Result<Value, ClientError> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut body = json!({ "open_kfid": self.open_kfid, "limit": PAGE });
        if let Some(cursor) = cursor {
            body["cursor"] = json!(cursor);
        }
        if let Some(token) = &token {
            body["token"] = json!(token.expose());
        }
        match client.call("kf/sync_msg", &body).await {
            // Older than ten minutes: read without it.
            Err(error) if error.code() == Some(95007) && token.is_some() => {
                self.forget(&token);
                if let Some(fields) = body.as_object_mut() {
                    fields.remove("token");
                }
                client.call("kf/sync_msg", &body).await
            }
            result => result,
        }
    }

    /// Throws a token away, unless a wake-up has brought another.
    fn forget(&self, token: &Option<Secret>) {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == *token {
            *held = None;
        }
    }

    /// Begins to answer every customer who has waited for so long and is not being answered.
    async fn answer_open(self: &Arc<Self>, waited: SignedDuration) -> Result<(), StoreError> {
        let mut seen: HashSet<String> = HashSet::new();
        let rows = self.service.store().callbacks_unanswered(&self.source()).await?;
        let now = self.service.now();
        let open = opened(rows).filter(|open| now.duration_since(open.received_at) >= waited);
        let open = open.map(|open| open.item.external_userid);
        let customers: Vec<String> = open.filter(|customer| seen.insert(customer.clone())).collect();
        for customer in customers {
            {
                let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(more) = busy.get_mut(&customer) {
                    *more = true;
                    continue;
                }
                busy.insert(customer.clone(), false);
            }
            let this = Arc::clone(self);
            tokio::spawn(async move {
                let _room = this.room.acquire().await;
                // A task of its own, so that a panic in it leaves nobody busy for ever.
                let (own, whose) = (Arc::clone(&this), customer.clone());
                let done = tokio::spawn(async move { own.answer_all(&whose).await }).await;
                let more = this.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&customer);
                if more == Some(true) || done.is_err() {
                    this.woken.notify_one();
                }
            });
        }
        Ok(())
    }

    /// What one customer has said and got no answer to. Where the bot reads messages in a row as one, it waits until the
    /// customer is quiet.
    async fn open_of(&self, customer: &str) -> Result<Vec<Open>, StoreError> {
        let source = self.source();
        let open = async || -> Result<Vec<Open>, StoreError> {
            Ok(opened(self.service.store().callbacks_unanswered_of(&source, customer).await?).collect())
        };
        let quiet = self.service.quiet(&self.app.bot).unwrap_or_default();
        let quiet = SignedDuration::try_from(quiet).unwrap_or_default();
        let mut found = open().await?;
        let Some(newest) = found.iter().map(|open| open.received_at).max() else { return Ok(found) };
        // Only the first wait looks at the clock, which may be set meanwhile: after it, quiet is when nothing new has come.
        let mut left = (quiet - self.service.now().duration_since(newest)).clamp(SignedDuration::ZERO, quiet);
        // Who comes in is greeted at once; who never stops writing is answered all the same.
        if found.first().is_some_and(|first| !first.joins()) {
            return Ok(found);
        }
        for _round in 0..QUIETS_MAX {
            let Some(wait) = Duration::try_from(left).ok().filter(|wait| !wait.is_zero()) else { break };
            tokio::time::sleep(wait).await;
            let n_before = found.len();
            found = open().await?;
            left = if found.len() == n_before { SignedDuration::ZERO } else { quiet };
        }
        Ok(found)
    }

    /// Answers one customer's messages, one after another; what cannot be answered now waits for the next look, and what is
    /// behind it too.
    async fn answer_all(&self, customer: &str) {
        let merges = self.service.quiet(&self.app.bot).is_some();
        let open = match self.open_of(customer).await {
            Ok(open) => open,
            Err(error) => {
                return tracing::warn!(app = %self.app.name, error = %chain(&error), "messages wait for an answer");
            }
        };
        let together = |a: &Open, b: &Open| merges && a.joins() && b.joins();
        for messages in open.chunk_by(together) {
            let [.., last] = messages else { continue };
            let said = messages.iter().filter_map(|open| match &open.happened {
                Happened::Customer(content) => Some((open.key.clone(), content.clone())),
                Happened::Servicer(_) | Happened::Undelivered { .. } => None,
            });
            let all: Vec<(CallbackKey, Content)> = said.collect();
            if let Some(followed) = self.follow(customer, last).await {
                match followed {
                    Ok(()) => continue,
                    Err(error) => {
                        tracing::warn!(app = %self.app.name, error = %chain(&error), "an event of a talk waits");
                        return;
                    }
                }
            }
            let (content, with) = burst::merged(&all);
            let question = Question { with, ..question(&self.app.bot, customer, content) };
            let keys = all.into_iter().map(|(key, _)| key).collect();
            let media = messages.iter().filter_map(|open| open.item.media_id.clone()).collect();
            let delivery = Delivery { media, ..self.delivery(keys, &last.key, &last.item) };
            match self.service.answer_delivery(&question, &delivery).await {
                Ok(_answer) => {}
                // Another process was faster with one of them; what is left of them is read again.
                Err(ServiceError::Store(StoreError::CallbackAnswered { .. })) => {
                    self.woken.notify_one();
                    return;
                }
                Err(ServiceError::Engine | ServiceError::State(_)) => {
                    tracing::error!(app = %self.app.name, "a message broke the engine; its sender gets an apology");
                    if let Err(error) = self.apologise(&question, &delivery.keys, &last.item).await {
                        tracing::error!(app = %self.app.name, error, "the apology did not go out either");
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(app = %self.app.name, error = %chain(&error), "a message waits for an answer");
                    return;
                }
            }
        }
    }

    /// Does what is due for what is no message of the customer's; `None` for one that is.
    async fn follow(&self, customer: &str, open: &Open) -> Option<Result<(), StoreError>> {
        let talk = Talk { bot: &self.app.bot, open_kfid: &self.open_kfid, external_userid: customer };
        match &open.happened {
            Happened::Customer(_) => None,
            Happened::Servicer(servicing) => {
                Some(servicing::follow(&self.service, talk, servicing, Some(&open.key)).await)
            }
            Happened::Undelivered { msgid, fail_type } => {
                Some(servicing::undelivered(&self.service, msgid, *fail_type, &open.key).await)
            }
        }
    }

    /// Words without a turn, for a message that no turn can be made of.
    async fn apologise(
        &self,
        question: &Question,
        keys: &[CallbackKey],
        item: &KfItem,
    ) -> Result<(), String> {
        let (reply, [.., last]) = (self.service.apology(question), keys) else { return Ok(()) };
        if let Some(active) = &self.app.active {
            for (part, message) in (self.messages)(&reply).into_iter().enumerate() {
                let mut body = addressed(message.json, &self.open_kfid, &item.external_userid);
                body["msgid"] = json!(message_key(last, part));
                let sent = active.client.call("kf/send_msg", &body).await;
                match sent.map_err(|error| (error.remedy(), error)) {
                    Ok(_) | Err((Remedy::Done, _)) => {}
                    // It will never go out, and what the customer writes next is not to wait for it.
                    Err((Remedy::None, error)) => {
                        tracing::error!(app = %self.app.name, error = %chain(&error), "an apology was refused");
                    }
                    Err((Remedy::Later | Remedy::NextWindow, error)) => return Err(chain(&error)),
                }
            }
        }
        for key in keys {
            let answer = CallbackAnswer { key: key.clone(), reply: String::new(), late: false };
            let answered = self.service.store().callback_answer(&answer, self.service.now()).await;
            answered.map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    /// How the reply to messages goes back.
    ///
    /// * `key`, `item`: of the last of them.
    fn delivery(&self, keys: Vec<CallbackKey>, key: &CallbackKey, item: &KfItem) -> Delivery {
        let (messages, app, open_kfid) =
            (Arc::clone(&self.messages), self.app.name.clone(), self.open_kfid.clone());
        let (key, item) = (key.clone(), item.clone());
        let back = move |reply: &Reply| {
            let calls = messages(reply).into_iter().enumerate().map(|(part, message)| {
                let code = match &item.body {
                    KfBody::EnterSession { welcome_code } if part == 0 => welcome_code.as_ref(),
                    _ => None,
                };
                let id = message_key(&key, part);
                let (call, expires_at) = match code {
                    Some(code) => {
                        // A code lets words be sent, and menus.
                        let mut json = message.instead.map_or(message.json, |words| text_message(&words));
                        json["code"] = json!(code.expose());
                        json["msgid"] = json!(id);
                        let sent = Timestamp::from_second(item.send_time).ok();
                        let expires_at = sent.and_then(|sent| sent.checked_add(WELCOME).ok());
                        (Outgoing::new("kf/send_msg_on_event", json), expires_at)
                    }
                    None => (outgoing(message, &open_kfid, &item.external_userid, &id), None),
                };
                NewOutbox {
                    sender: app.clone(),
                    recipient: item.external_userid.clone(),
                    body: call.to_json(),
                    key: id,
                    to_customer: true,
                    latest_only: false,
                    expires_at,
                }
            });
            Back { response: String::new(), late: false, calls: calls.collect() }
        };
        let route = Route { app: self.app.name.clone(), kf: Some(self.open_kfid.clone()) };
        Delivery { route: Some(route), keys, media: Vec::new(), back: Box::new(back) }
    }
}

/// The call that brings a message to a customer of an account.
///
/// * `id`: what WeCom tells a repetition by.
pub(super) fn outgoing(message: Message, open_kfid: &str, external_userid: &str, id: &str) -> Outgoing {
    let whole = |json| {
        let mut json = addressed(json, open_kfid, external_userid);
        json["msgid"] = json!(id);
        json
    };
    let instead = message.instead.map(|words| whole(text_message(&words)));
    Outgoing { instead, ..Outgoing::new("kf/send_msg", whole(message.json)) }
}

/// A message to a customer of an account.
fn addressed(mut message: Value, open_kfid: &str, external_userid: &str) -> Value {
    message["touser"] = json!(external_userid);
    message["open_kfid"] = json!(open_kfid);
    message
}

/// What of an item is to be answered or followed; `None` where remembering is all.
fn happened(item: &KfItem) -> Option<Happened> {
    if let KfBody::SendFail { msgid, fail_type } = &item.body {
        return Some(Happened::Undelivered { msgid: msgid.clone(), fail_type: *fail_type });
    }
    let said = item.content().map(Happened::Customer);
    said.or_else(|| item.servicing().map(Happened::Servicer))
}

/// Messages that wait for an answer, from their rows.
fn opened(rows: Vec<CallbackRow>) -> impl Iterator<Item = Open> {
    rows.into_iter().filter_map(|row| {
        let item = KfItem::read(&serde_json::from_str(&row.plaintext).unwrap_or_default());
        Some(Open { happened: happened(&item)?, key: row.key, received_at: row.received_at, item })
    })
}

fn question(bot: &BotId, external_userid: &str, content: Content) -> Question {
    Question {
        bot: bot.clone(),
        channel: Channel::WecomKf,
        customer_id: external_userid.to_owned(),
        name: None,
        kind: CustomerKind::Customer,
        content,
        with: Vec::new(),
    }
}
