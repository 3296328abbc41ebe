//! A WeCom callback, answered once however often it is delivered.
//!
//! The dedupe row holds the message before anything is done with it, and the reply in the same transaction
//! as the state. A repeat of an answered message gets the same reply, one under way waits for it, one that a
//! crash interrupted is answered now.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use jiff::SignedDuration;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::channel::wecom::active;
use crate::channel::wecom::message::CallbackMessage;
use crate::channel::wecom::passive::Passive;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::message::Reply;
use crate::reply::standard::Sentence;
use crate::service::Question;
use crate::service::Service;
use crate::service::ServiceError;
use crate::service::app::App;
use crate::service::burst;
use crate::service::burst::Bursts;
use crate::service::contact;
use crate::service::delivery::Back;
use crate::service::delivery::Delivery;
use crate::service::delivery::message_key;
use crate::service::handover::Route;
use crate::service::outgoing::Outgoing;
use crate::service::outgoing::TO_MEMBER;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::Claim;
use crate::store::CustomerKey;
use crate::store::Delivered;
use crate::store::NewOutbox;
use crate::store::StoreError;

/// How long the store may take to accept a message, below WeCom's five seconds.
pub(super) const CLAIM: Duration = Duration::from_secs(4);

/// Until when an answer on its way to the disk is waited for. WeCom hangs up after five seconds; it is told to
/// send the message again instead, and gets the stored reply then.
const LAST: Duration = Duration::from_millis(4_900);

/// Turns a reply into the one passive message that goes back; knows links and picture addresses.
pub type Plan = Arc<dyn Fn(&Reply) -> Passive + Send + Sync>;

/// What the HTTP side sends back: inner XML to be encrypted, or nothing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Encrypt and send this.
    Reply(String),
    /// An empty body: received, nothing to say.
    Acknowledge,
}

/// WeCom sends a callback again for about this long. Only after it nobody is going to ask for the answer any more.
pub(super) const REPEATS: SignedDuration = SignedDuration::from_secs(20);

/// How often writing on puts the answer off.
const QUIETS_MAX: u32 = 2;

/// Rounds in which others are faster with a message before WeCom is told to send it again.
const ROUNDS_MAX: usize = 5;

/// A late answer that is older helps nobody.
const LATE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// Who was first, the answer (`false`) or the deadline (`true`). Whoever asks first settles it for both: an
/// answer on its way to the disk as one in time is waited for, and not passed over for the waiting sentence.
type Late = Arc<OnceLock<bool>>;

/// Answers callbacks of all apps.
#[derive(Clone)]
pub struct Callbacks {
    service: Arc<Service>,
    under_way: Arc<Mutex<HashMap<CallbackKey, UnderWay>>>,
    bursts: Arc<Bursts>,
    deadline: Duration,
}

/// A callback in our hands.
struct Claimed {
    key: CallbackKey,
    message: CallbackMessage,
    received_at: Timestamp,
    late: Late,
    /// Whether a crash cut it off and nobody waits for it any more.
    is_resumed: bool,
}

/// Messages of a member in a row.
#[derive(Default)]
struct Row {
    messages: Vec<(CallbackKey, Content)>,
    /// WeCom's ids of what is no words in them.
    media: Vec<String>,
}

#[derive(Clone)]
struct UnderWay {
    /// Set at the end; closed without a value where the engine broke.
    done: watch::Receiver<Option<Done>>,
    late: Late,
}

/// How the work on a callback ended.
#[derive(Clone)]
enum Done {
    /// The inner XML, committed; empty for an acknowledgement without words.
    Answered(String),
    /// The store did not take the answer: WeCom must send the message again.
    NotStored,
}

impl Callbacks {
    /// * `deadline`: after this long the channel gets the waiting sentence instead.
    #[must_use]
    pub fn new(service: Arc<Service>, deadline: Duration) -> Self {
        Self { service, under_way: Arc::default(), bursts: Arc::default(), deadline }
    }

    /// Takes a decrypted callback and answers it within the deadline.
    ///
    /// # Errors
    /// When the store did not take the message: it is not acknowledged then, and WeCom sends it again.
    pub async fn receive(
        &self,
        app: &Arc<App>,
        message: CallbackMessage,
        plaintext: &str,
        plan: Plan,
    ) -> Result<Outcome, ServiceError> {
        let key = CallbackKey::new(&app.name, &message.dedupe_key(plaintext))?;
        let received = Instant::now();
        let at = self.service.now();
        // An event about a customer is theirs, and is forgotten with them.
        let sender = contact::whose(&message).map_or_else(|| message.from_user.to_lowercase(), str::to_owned);
        let delivered = Delivered { plaintext, sender: &sender };
        let claim = self.service.store().callback_claim(&key, delivered, at);
        // A store that does not take the message in time has not taken it: WeCom sends it again.
        let claim = tokio::time::timeout(CLAIM, claim).await.map_err(|_| ServiceError::NotStored)??;
        match claim {
            Claim::Answered { reply } => Ok(outcome(reply)),
            Claim::New | Claim::InProgress { .. } => {
                let claimed = Claimed {
                    key,
                    message: message.clone(),
                    received_at: at,
                    late: Late::default(),
                    is_resumed: false,
                };
                let under_way = self.start(app, claimed, plan.clone());
                self.wait(app, &message, under_way, received, plan).await
            }
        }
    }

    /// Answers what a crash interrupted and WeCom does not send again: nobody waits for these, so their answers are late.
    ///
    /// # Errors
    /// When the store cannot list them.
    pub async fn resume(&self, app: &Arc<App>, plan: &Plan) -> Result<usize, ServiceError> {
        let interrupted = self.service.store().callbacks_unanswered(&app.name).await?;
        let mut under_way = Vec::new();
        let now = self.service.now();
        for CallbackRow { key, plaintext, received_at, .. } in interrupted {
            if now.duration_since(received_at) < REPEATS {
                continue;
            }
            let Ok(message) = CallbackMessage::parse(&plaintext) else {
                let nothing = CallbackAnswer { key, reply: String::new(), late: true };
                if let Err(error) = self.service.store().callback_answer(&nothing, self.service.now()).await {
                    tracing::error!(app = %app.name, error = %chain(&error), "a callback could not be closed");
                }
                continue;
            };
            let late = Late::new(OnceLock::from(true));
            let claimed = Claimed { key, message, received_at, late, is_resumed: true };
            under_way.push(self.start(app, claimed, Arc::clone(plan)));
        }
        let resumed = under_way.len();
        for mut one in under_way {
            // An error means that the task ended without an answer, which it has logged.
            let _ended = one.done.wait_for(Option::is_some).await;
        }
        Ok(resumed)
    }

    /// Joins the work on a callback, or begins it. The work is a task of its own: a connection that breaks
    /// does not break it.
    fn start(&self, app: &Arc<App>, claimed: Claimed, plan: Plan) -> UnderWay {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = under_way.get(&claimed.key) {
            return known.clone();
        }
        let (tell, done) = watch::channel(None);
        let entry = UnderWay { done, late: Arc::clone(&claimed.late) };
        under_way.insert(claimed.key.clone(), entry.clone());
        let (this, app, key) = (self.clone(), Arc::clone(app), claimed.key.clone());
        tokio::spawn(async move {
            let work = {
                let (this, app) = (this.clone(), Arc::clone(&app));
                // A task of its own, so that a panic in it leaves no callback under way for ever.
                tokio::spawn(async move { this.work(&app, claimed, plan).await })
            };
            let result = work.await.unwrap_or(Err(ServiceError::Engine));
            // Ahead of the news, so that a repeat that it brings about finds no work that has failed.
            this.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            match result {
                Ok(xml) => {
                    tell.send_replace(Some(Done::Answered(xml)));
                }
                Err(error) => {
                    if matches!(error, ServiceError::Store(_)) {
                        tell.send_replace(Some(Done::NotStored));
                    }
                    tracing::error!(app = %app.name, error = %chain(&error), "a callback could not be answered");
                }
            }
        });
        entry
    }

    async fn work(&self, app: &Arc<App>, claimed: Claimed, plan: Plan) -> Result<String, ServiceError> {
        let store = self.service.store();
        let Claimed { key, message, received_at, late, is_resumed } = claimed;
        let Some(content) = message.content() else {
            if contact::take(&self.service, app, &key, &message).await? {
                return Ok(String::new());
            }
            let nothing = CallbackAnswer { key: key.clone(), reply: String::new(), late: false };
            return match store.callback_answer(&nothing, self.service.now()).await {
                Ok(()) | Err(StoreError::CallbackAnswered { .. }) => Ok(String::new()),
                Err(error) => Err(error.into()),
            };
        };
        let mut question = question(app, &message, content);
        let quiet = self.service.quiet(&app.bot).filter(|_| burst::joins(&question.content));
        // One that nobody waits for any more takes no part in what is being typed now.
        if let Some(quiet) = quiet.filter(|_| !is_resumed) {
            let customer = CustomerKey::new(&app.bot, Channel::WecomApp, &question.customer_id)?;
            let number = self.bursts.join(&customer);
            tokio::time::sleep(quiet).await;
            if !self.bursts.ends(&customer, number, QUIETS_MAX * quiet) {
                // On disk, and covered by the answer to the message behind it.
                return Ok(String::new());
            }
        }
        let (to_user, at) = (message.from_user.clone(), self.service.now().as_second());
        for _round in 0..ROUNDS_MAX {
            let mut keys = vec![key.clone()];
            let mut media: Vec<String> = message.media_id().map(str::to_owned).into_iter().collect();
            if quiet.is_some() {
                let before = is_resumed.then_some(received_at);
                let all = self.unanswered_of(app, &question.customer_id, before).await?;
                if all.messages.iter().any(|(own, _)| *own == key) {
                    (question.content, question.with) = burst::merged(&all.messages);
                    media = all.media;
                    // What goes back goes to the one that is waited for.
                    keys = all.messages.into_iter().map(|(own, _)| own).filter(|own| *own != key).collect();
                    keys.push(key.clone());
                }
            }
            let back = {
                let (own, own_app, late) = (key.clone(), Arc::clone(app), Arc::clone(&late));
                let (plan, to_user) = (Arc::clone(&plan), to_user.clone());
                move |reply: &Reply| {
                    let passive = plan(reply);
                    // Settled when the answer is there: from here on it is one in time, or one that is sent by a call.
                    let is_late = *late.get_or_init(|| false);
                    match late_call(&own_app, &own, &passive, &to_user, received_at).filter(|_| is_late) {
                        Some(call) => Back { response: String::new(), late: true, calls: vec![call] },
                        None => {
                            let response = passive.to_xml(&to_user, &own_app.corp_id, at);
                            Back { response, late: is_late, calls: Vec::new() }
                        }
                    }
                }
            };
            let route = Route { app: app.name.clone(), kf: None };
            let delivery = Delivery { route: Some(route), keys, media, back: Box::new(back) };
            match self.service.answer_delivery(&question, &delivery).await {
                // A human answers, when they do.
                Ok(answer) if answer.reply.parts.is_empty() => return Ok(String::new()),
                Ok(answer) => return Ok((delivery.back)(&answer.reply).response),
                // Somebody was faster with one of them; what is left is read again.
                Err(ServiceError::Store(StoreError::CallbackAnswered { .. })) => {
                    let known = Delivered { plaintext: "", sender: "" };
                    if let Claim::Answered { reply } =
                        store.callback_claim(&key, known, self.service.now()).await?
                    {
                        return Ok(reply);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(ServiceError::NotStored)
    }

    /// All that a member has said and got no answer to, what a crash left behind included.
    ///
    /// * `until`: later ones are let be.
    async fn unanswered_of(
        &self,
        app: &App,
        customer_id: &str,
        until: Option<Timestamp>,
    ) -> Result<Row, ServiceError> {
        let rows = self.service.store().callbacks_unanswered_of(&app.name, customer_id).await?;
        let in_time = |row: &CallbackRow| until.is_none_or(|until| row.received_at <= until);
        let mut found = Row::default();
        for row in rows.into_iter().filter(in_time) {
            let Ok(message) = CallbackMessage::parse(&row.plaintext) else { continue };
            let Some(content) = message.content().filter(burst::joins) else { continue };
            found.media.extend(message.media_id().map(str::to_owned));
            found.messages.push((row.key, content));
        }
        Ok(found)
    }

    async fn wait(
        &self,
        app: &App,
        message: &CallbackMessage,
        mut under_way: UnderWay,
        received: Instant,
        plan: Plan,
    ) -> Result<Outcome, ServiceError> {
        let left = |deadline: Duration| deadline.saturating_sub(received.elapsed());
        let timely =
            tokio::time::timeout(left(self.deadline), under_way.done.wait_for(Option::is_some)).await.is_ok();
        if !timely && *under_way.late.get_or_init(|| true) {
            return Ok(self.words(app, message, Sentence::Waiting, plan));
        }
        let done =
            tokio::time::timeout(left(LAST.max(self.deadline)), under_way.done.wait_for(Option::is_some));
        let Ok(done) = done.await else { return Err(ServiceError::NotStored) };
        match done.map(|done| done.clone()) {
            Ok(Some(Done::Answered(xml))) => Ok(outcome(xml)),
            Ok(Some(Done::NotStored)) => Err(ServiceError::NotStored),
            Ok(None) | Err(_) => Ok(self.words(app, message, Sentence::Failure, plan)),
        }
    }

    fn words(&self, app: &App, message: &CallbackMessage, sentence: Sentence, plan: Plan) -> Outcome {
        let now = self.service.now();
        let bots = self.service.bots();
        let Some((engine, content)) = bots.get(&app.bot).zip(message.content()) else {
            return Outcome::Acknowledge;
        };
        let customer = Customer::new(&message.from_user, kind(app));
        let inbound = Inbound { bot: app.bot.clone(), channel: Channel::WecomApp, customer, content };
        let reply = engine.say(sentence, &inbound, now);
        Outcome::Reply(plan(&reply).to_xml(&message.from_user, &app.corp_id, now.as_second()))
    }
}

/// The call that brings a late answer to a member; `None` for an app that cannot call.
fn late_call(
    app: &App,
    key: &CallbackKey,
    passive: &Passive,
    member: &str,
    received_at: Timestamp,
) -> Option<NewOutbox> {
    let agent_id = app.active.as_ref()?.agent_id?;
    let id = message_key(key, 0);
    let message = active::to_member(passive, agent_id, member, &id);
    Some(NewOutbox {
        sender: app.name.clone(),
        recipient: member.to_owned(),
        body: Outgoing::new(TO_MEMBER, message).to_json(),
        key: id,
        to_customer: true,
        latest_only: true,
        expires_at: received_at.checked_add(LATE_MAX).ok(),
    })
}

fn outcome(xml: String) -> Outcome {
    if xml.is_empty() { Outcome::Acknowledge } else { Outcome::Reply(xml) }
}

fn question(app: &App, message: &CallbackMessage, content: Content) -> Question {
    Question {
        bot: app.bot.clone(),
        channel: Channel::WecomApp,
        // WeCom compares member ids without regard to case and hands them back lowered.
        customer_id: message.from_user.to_lowercase(),
        with: Vec::new(),
        name: None,
        kind: kind(app),
        content,
    }
}

fn kind(app: &App) -> CustomerKind {
    if app.employees { CustomerKind::Employee } else { CustomerKind::Customer }
}

/// An error with its causes, for the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
