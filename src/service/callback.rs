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

use tokio::sync::watch;

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
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::Claim;
use crate::store::StoreError;

/// How long the store may take to accept a message, below WeCom's five seconds.
const CLAIM: Duration = Duration::from_secs(4);

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

/// A callback that is being answered.
pub struct Pending {
    /// Its dedupe row.
    pub key: CallbackKey,
    /// Writes a reply down as inner XML.
    pub to_xml: Box<dyn Fn(&Reply) -> String + Send + Sync>,
    late: Late,
}

/// Who was first, the answer (`false`) or the deadline (`true`). Whoever asks first settles it for both: an
/// answer on its way to the disk as one in time is waited for, and not passed over for the waiting sentence.
type Late = Arc<OnceLock<bool>>;

impl Pending {
    /// Whether the channel has stopped waiting, so that the answer is for the active path. Settles that it
    /// has not, so ask when the answer is there.
    #[must_use]
    pub fn is_late(&self) -> bool {
        *self.late.get_or_init(|| false)
    }
}

/// Answers callbacks of all apps.
#[derive(Clone)]
pub struct Callbacks {
    service: Arc<Service>,
    under_way: Arc<Mutex<HashMap<CallbackKey, UnderWay>>>,
    deadline: Duration,
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
        Self { service, under_way: Arc::default(), deadline }
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
        let claim = self.service.store().callback_claim(&key, plaintext, self.service.now());
        // A store that does not take the message in time has not taken it: WeCom sends it again.
        let claim = tokio::time::timeout(CLAIM, claim).await.map_err(|_| ServiceError::NotStored)??;
        match claim {
            Claim::Answered { reply } => Ok(outcome(reply)),
            Claim::New | Claim::InProgress { .. } => {
                let under_way = self.start(app, &key, message.clone(), Late::default(), plan.clone());
                self.wait(app, &message, under_way, received, plan).await
            }
        }
    }

    /// Answers what a crash interrupted. Nobody waits for these any more, so they are recorded as late.
    ///
    /// # Errors
    /// When the store cannot list them.
    pub async fn resume(&self, app: &Arc<App>, plan: Plan) -> Result<usize, ServiceError> {
        let interrupted = self.service.store().callbacks_unanswered(&app.name).await?;
        let mut resumed = 0;
        for CallbackRow { key, plaintext, .. } in interrupted {
            let Ok(message) = CallbackMessage::parse(&plaintext) else {
                let nothing = CallbackAnswer { key, reply: String::new(), late: true };
                if let Err(error) = self.service.store().callback_answer(&nothing, self.service.now()).await {
                    tracing::error!(app = %app.name, error = %chain(&error), "a callback could not be closed");
                }
                continue;
            };
            let late = Late::new(OnceLock::from(true));
            let mut under_way = self.start(app, &key, message, late, plan.clone());
            // An error means that the task ended without an answer, which it has logged.
            let _ended = under_way.done.wait_for(Option::is_some).await;
            resumed += 1;
        }
        Ok(resumed)
    }

    /// Joins the work on a callback, or begins it. The work is a task of its own: a connection that breaks
    /// does not break it.
    fn start(
        &self,
        app: &Arc<App>,
        key: &CallbackKey,
        message: CallbackMessage,
        late: Late,
        plan: Plan,
    ) -> UnderWay {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = under_way.get(key) {
            return known.clone();
        }
        let (tell, done) = watch::channel(None);
        let entry = UnderWay { done, late: Arc::clone(&late) };
        under_way.insert(key.clone(), entry.clone());
        let (this, app, key) = (self.clone(), Arc::clone(app), key.clone());
        tokio::spawn(async move {
            let work = {
                let (this, app, key) = (this.clone(), Arc::clone(&app), key.clone());
                // A task of its own, so that a panic in it leaves no callback under way for ever.
                tokio::spawn(async move { this.work(&app, &key, &message, late, plan).await })
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

    async fn work(
        &self,
        app: &App,
        key: &CallbackKey,
        message: &CallbackMessage,
        late: Late,
        plan: Plan,
    ) -> Result<String, ServiceError> {
        let store = self.service.store();
        let Some(content) = message.content() else {
            let nothing = CallbackAnswer { key: key.clone(), reply: String::new(), late: false };
            return match store.callback_answer(&nothing, self.service.now()).await {
                Ok(()) | Err(StoreError::CallbackAnswered { .. }) => Ok(String::new()),
                Err(error) => Err(error.into()),
            };
        };
        let (to_user, corp, at) =
            (message.from_user.clone(), app.corp_id.clone(), self.service.now().as_second());
        let to_xml = Box::new(move |reply: &Reply| plan(reply).to_xml(&to_user, &corp, at));
        let pending = Pending { key: key.clone(), to_xml, late };
        let question = question(app, message, content);
        match self.service.answer_callback(&question, &pending).await {
            Ok(answer) => Ok((pending.to_xml)(&answer.reply)),
            Err(ServiceError::Store(StoreError::CallbackAnswered { .. })) => {
                match store.callback_claim(key, "", self.service.now()).await? {
                    Claim::Answered { reply } => Ok(reply),
                    Claim::New | Claim::InProgress { .. } => Ok(String::new()),
                }
            }
            Err(error) => Err(error),
        }
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

fn outcome(xml: String) -> Outcome {
    if xml.is_empty() { Outcome::Acknowledge } else { Outcome::Reply(xml) }
}

fn question(app: &App, message: &CallbackMessage, content: Content) -> Question {
    Question {
        bot: app.bot.clone(),
        channel: Channel::WecomApp,
        // WeCom compares member ids without regard to case and hands them back lowered.
        customer_id: message.from_user.to_lowercase(),
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
