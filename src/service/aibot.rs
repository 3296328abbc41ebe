//! The callback of a 智能机器人, answered once however often it is delivered, and asked about until the answer is there.
//!
//! A message is a row before anything is done with it, its answer is committed with the turn, and the stream that shows
//! the answer is called like the row: a poll is answered from the store, whichever process or restart lies between.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::channel::wecom::aibot::Body;
use crate::channel::wecom::aibot::BotMessage;
use crate::channel::wecom::aibot::Feedback;
use crate::channel::wecom::aibot::Opinion;
use crate::channel::wecom::aibot::Said;
use crate::channel::wecom::aibot::packet::Packet;
use crate::channel::wecom::crypto::CallbackKey as WireKey;
use crate::knowledge::Knowledge;
use crate::message::BotId;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::message::Reply;
use crate::reply::standard::Sentence;
use crate::secret::Secret;
use crate::service;
use crate::service::Question;
use crate::service::Service;
use crate::service::ServiceError;
use crate::service::app;
use crate::service::app::AppError;
use crate::service::callback::CLAIM;
use crate::service::callback::REPEATS;
use crate::service::callback::chain;
use crate::service::delivery::Back;
use crate::service::delivery::Delivery;
use crate::store::Author;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::Claim;
use crate::store::CustomerKey;
use crate::store::Delivered;
use crate::store::ROWS_MAX;
use crate::store::StoreError;

/// How long a stream stays open. WeCom asks for six minutes how it goes on; what is not there by now is not going to be.
const STREAM: SignedDuration = SignedDuration::from_secs(330);

/// Ends a stream whose message a human has got meanwhile.
const WITH_HUMAN: &str = "您的消息已转给正在服务的同事。";

/// Puts a reply into one text of markdown; knows links.
pub type Plan = Arc<dyn Fn(&Reply) -> String + Send + Sync>;

/// Makes a [`Plan`] whose links work from now on.
pub type Planner = Box<dyn Fn() -> Plan + Send + Sync>;

/// One 智能机器人 whose callback is answered here.
#[derive(Debug)]
pub struct AiBot {
    /// Name in the path `/wecom/{name}/aibot`.
    pub name: String,
    /// The bot that answers.
    pub bot: BotId,
    /// Token and AES key; its receiver id is empty.
    pub key: WireKey,
    /// Whether those who talk to it are the company's own.
    pub employees: bool,
}

impl AiBot {
    /// How it is called among the apps that get callbacks.
    #[must_use]
    pub fn app(&self) -> String {
        app_named(&self.name)
    }

    fn kind(&self) -> CustomerKind {
        if self.employees { CustomerKind::Employee } else { CustomerKind::Customer }
    }
}

fn app_named(name: &str) -> String {
    format!("aibot:{name}")
}

/// The 智能机器人 of all bots, and those that are off with the reason.
///
/// * `variable`: the environment, or what stands for it.
#[must_use]
pub fn aibots<'k>(
    bots: impl Iterator<Item = &'k Knowledge>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (BTreeMap<String, Arc<AiBot>>, Vec<AppError>) {
    let mut aibots: BTreeMap<String, Arc<AiBot>> = BTreeMap::new();
    let mut off = Vec::new();
    for known in bots {
        for name in known.profile.aibot.keys() {
            if let Some(other) = aibots.get(name) {
                let (first, second) = (other.bot.clone(), known.bot.clone());
                off.push(AppError::Twice { app: app_named(name), first, second });
                continue;
            }
            match aibot(known, name, variable) {
                Ok(aibot) => {
                    aibots.insert(name.clone(), Arc::new(aibot));
                }
                Err(error) => off.push(error),
            }
        }
    }
    (aibots, off)
}

fn aibot(
    known: &Knowledge,
    name: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<AiBot, AppError> {
    let spec = &known.profile.aibot[name];
    let (app, bot) = (app_named(name), known.bot.clone());
    let named = |key, value: &str| app::named((&app, &bot), (key, value), variable).map(Secret::new);
    let (token, aes_key) = (named("token", &spec.token)?, named("aes_key", &spec.aes_key)?);
    match WireKey::new(&token, &aes_key, "") {
        Ok(key) => Ok(AiBot { name: name.to_owned(), bot, key, employees: spec.employees }),
        Err(source) => Err(AppError::Key { app, bot, source }),
    }
}

/// Answers callbacks of all 智能机器人.
#[derive(Clone)]
pub struct AiBots {
    service: Arc<Service>,
    aibots: Arc<BTreeMap<String, Arc<AiBot>>>,
    under_way: Arc<Mutex<HashMap<CallbackKey, watch::Receiver<Option<Done>>>>>,
    deadline: Duration,
}

/// How the work on a message ended.
#[derive(Clone)]
enum Done {
    /// The words, committed; empty where there is nothing to say.
    Answered(String),
    /// The store did not take the answer: WeCom must send the message, or ask, again.
    NotStored,
}

impl AiBots {
    /// * `deadline`: after this long a message is answered with an unfinished stream.
    #[must_use]
    pub fn new(service: Arc<Service>, aibots: BTreeMap<String, Arc<AiBot>>, deadline: Duration) -> Self {
        Self { service, aibots: Arc::new(aibots), under_way: Arc::default(), deadline }
    }

    /// All of them, by the name in the path.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, Arc<AiBot>> {
        &self.aibots
    }

    /// Takes a decrypted message, event or poll; `None` acknowledges it with nothing to say.
    ///
    /// # Errors
    /// When the store did not take the message: it is not acknowledged then, and WeCom sends it again.
    pub async fn receive(
        &self,
        aibot: &Arc<AiBot>,
        message: BotMessage,
        plaintext: &str,
        plan: &Plan,
    ) -> Result<Option<Packet>, ServiceError> {
        if let Body::Refresh { stream_id } = &message.body {
            return Ok(Some(self.refreshed(aibot, &message, stream_id, plan).await));
        }
        let received = Instant::now();
        let key = CallbackKey::new(&aibot.app(), &message.stream_id(plaintext))?;
        let sender = message.customer_id();
        let delivered = Delivered { plaintext, sender: &sender };
        let claim = self.service.store().callback_claim(&key, delivered, self.service.now());
        // A store that does not take the message in time has not taken it.
        let claim = tokio::time::timeout(CLAIM, claim).await.map_err(|_| ServiceError::NotStored)??;
        if let Claim::Answered { reply } = claim {
            return Ok(first_packet(&message, &key, reply));
        }
        let mut done = self.start(aibot, (&key, message.clone()), plan);
        let left = self.deadline.saturating_sub(received.elapsed());
        let ended = tokio::time::timeout(left, done.wait_for(Option::is_some)).await;
        match ended.map(|ended| ended.ok().and_then(|done| done.clone())) {
            Ok(Some(Done::Answered(words))) => Ok(first_packet(&message, &key, words)),
            Ok(Some(Done::NotStored) | None) => Err(ServiceError::NotStored),
            Err(_late) => Ok(self.opened(aibot, &message, &key, plan)),
        }
    }

    /// Answers what a crash interrupted and nobody asks about any more.
    ///
    /// # Errors
    /// When the store cannot list it.
    pub async fn resume(&self, aibot: &Arc<AiBot>, plan: &Plan) -> Result<usize, ServiceError> {
        let (store, now) = (self.service.store(), self.service.now());
        let mut under_way = Vec::new();
        for CallbackRow { key, plaintext, received_at, .. } in
            store.callbacks_unanswered(&aibot.app()).await?
        {
            if now.duration_since(received_at) < REPEATS {
                continue;
            }
            match BotMessage::parse(&plaintext) {
                Ok(message) => under_way.push(self.start(aibot, (&key, message), plan)),
                Err(_unreadable) => {
                    let nothing = CallbackAnswer { key, reply: String::new(), late: false };
                    store.callback_answer(&nothing, now).await?;
                }
            }
        }
        let resumed = under_way.len();
        for mut done in under_way {
            // An error means that the task ended without an answer, which it has logged.
            let _ended = done.wait_for(Option::is_some).await;
        }
        Ok(resumed)
    }

    /// How a stream goes on, at once: from the row of its message, and unfinished as long as that is not answered.
    async fn refreshed(&self, aibot: &Arc<AiBot>, poll: &BotMessage, id: &str, plan: &Plan) -> Packet {
        let stream = |finish, content| Packet::Stream { id: id.to_owned(), finish, content, feedback: None };
        let apology = || stream(true, self.words(aibot, poll, Sentence::Failure, plan));
        let waiting = || stream(false, self.words(aibot, poll, Sentence::Waiting, plan));
        // An id that no row can have is of no stream of ours.
        let Ok(key) = CallbackKey::new(&aibot.app(), id) else { return apology() };
        // Ahead of the row: what ends between the two looks has committed, and is not begun again.
        let is_under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&key);
        let found = tokio::time::timeout(CLAIM, self.service.store().callback(&key)).await;
        let row = match found.map_err(|_| ServiceError::NotStored).and_then(|row| Ok(row?)) {
            Ok(Some(row)) => row,
            Ok(None) => return apology(),
            Err(error) => {
                tracing::warn!(app = key.app(), error = %chain(&error), "a stream could not be looked up");
                return waiting();
            }
        };
        match row.answer {
            Some(answer) if answer.reply.is_empty() => stream(true, WITH_HUMAN.to_owned()),
            Some(answer) => stream(true, answer.reply),
            None if self.service.now().duration_since(row.received_at) >= STREAM => apology(),
            None if is_under_way => waiting(),
            None => match BotMessage::parse(&row.plaintext) {
                Ok(message) => {
                    // Somebody else's work may have ended with their process. If it has not, one of the two commits.
                    let _done = self.start(aibot, (&key, message), plan);
                    waiting()
                }
                Err(_unreadable) => apology(),
            },
        }
    }

    /// Joins the work on a message, or begins it. The work is a task of its own: a connection that breaks does not
    /// break it.
    fn start(
        &self,
        aibot: &Arc<AiBot>,
        (key, message): (&CallbackKey, BotMessage),
        plan: &Plan,
    ) -> watch::Receiver<Option<Done>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = under_way.get(key) {
            return known.clone();
        }
        let (tell, done) = watch::channel(None);
        under_way.insert(key.clone(), done.clone());
        let (this, key) = (self.clone(), key.clone());
        let work = {
            let (this, aibot, key, plan) = (self.clone(), Arc::clone(aibot), key.clone(), Arc::clone(plan));
            // A task of its own, so that a panic in it leaves no message under way for ever.
            tokio::spawn(async move { this.work(&aibot, key, &message, plan).await })
        };
        tokio::spawn(async move {
            let ended = work.await.unwrap_or(Err(ServiceError::Engine));
            // Ahead of the news, so that a repeat that it brings about finds no work that has failed.
            this.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            let done = ended.map_or_else(
                |error| {
                    tracing::error!(app = key.app(), error = %chain(&error), "a message could not be answered");
                    Done::NotStored
                },
                Done::Answered,
            );
            tell.send_replace(Some(done));
        });
        done
    }

    /// * Returns the words that were committed; empty where there is nothing to say.
    async fn work(
        &self,
        aibot: &AiBot,
        key: CallbackKey,
        message: &BotMessage,
        plan: Plan,
    ) -> Result<String, ServiceError> {
        let bots = self.service.bots();
        let name = bots.get(&aibot.bot).map(|engine| engine.known().profile.name.as_str());
        let Some(said) = message.said(name.unwrap_or_default()) else {
            if let Body::Feedback(feedback) = &message.body {
                self.note(aibot, message, feedback).await?;
            }
            return self.close(&key, String::new()).await;
        };
        let question = question(aibot, message, said);
        let back = {
            let plan = Arc::clone(&plan);
            move |reply: &Reply| Back { response: plan(reply), late: false, calls: Vec::new() }
        };
        // Nobody can be written to who has not just asked: there is no route.
        let delivery =
            Delivery { route: None, keys: vec![key.clone()], media: Vec::new(), back: Box::new(back) };
        match self.service.answer_delivery(&question, &delivery).await {
            // A human answers, when they do.
            Ok(answer) if answer.reply.parts.is_empty() => Ok(String::new()),
            Ok(answer) => Ok((delivery.back)(&answer.reply).response),
            Err(ServiceError::Store(StoreError::CallbackAnswered { .. })) => self.recorded(&key).await,
            Err(error @ (ServiceError::Store(_) | ServiceError::NotStored | ServiceError::Channel(_))) => {
                Err(error)
            }
            // It would break the same way every time it is asked for.
            Err(error @ (ServiceError::UnknownBot(_) | ServiceError::State(_) | ServiceError::Engine)) => {
                tracing::error!(app = key.app(), error = %chain(&error), "a message is answered with an apology");
                self.close(&key, plan(&self.service.apology(&question))).await
            }
        }
    }

    /// Answers a message that moves no conversation.
    async fn close(&self, key: &CallbackKey, words: String) -> Result<String, ServiceError> {
        let answer = CallbackAnswer { key: key.clone(), reply: words, late: false };
        match self.service.store().callback_answer(&answer, self.service.now()).await {
            Ok(()) => Ok(answer.reply),
            Err(StoreError::CallbackAnswered { .. }) => self.recorded(key).await,
            Err(error) => Err(error.into()),
        }
    }

    /// What somebody answered who was faster.
    async fn recorded(&self, key: &CallbackKey) -> Result<String, ServiceError> {
        let answer = self.service.store().callback(key).await?.and_then(|row| row.answer);
        Ok(answer.map(|answer| answer.reply).unwrap_or_default())
    }

    /// Notes what somebody thinks of an answer that they got. Nothing is noted of what is taken back, of answers to others,
    /// and of answers long forgotten.
    async fn note(&self, aibot: &AiBot, message: &BotMessage, feedback: &Feedback) -> Result<(), StoreError> {
        let store = self.service.store();
        let helpful = match feedback.opinion {
            Opinion::Good => true,
            Opinion::Bad => false,
            Opinion::Withdrawn | Opinion::Unknown => return Ok(()),
        };
        let key = CallbackKey::new(&aibot.app(), &feedback.id);
        let customer = CustomerKey::new(&aibot.bot, Channel::WecomBot, &message.customer_id());
        // Ids that nothing of ours can have.
        let (Ok(key), Ok(customer)) = (key, customer) else { return Ok(()) };
        let answered = store.callback(&key).await?.and_then(|row| row.answer);
        let Some(answered) = answered else { return Ok(()) };
        if store.customer(&customer).await?.is_none() {
            return Ok(());
        }
        let now = self.service.now();
        let conversation = store.conversation(&customer, now).await?;
        let messages = store.messages(conversation.id, ROWS_MAX).await?;
        // A turn gives its time to the answer of its delivery and to its messages.
        let own: Vec<_> = messages
            .iter()
            .filter(|one| one.author == Author::Bot && one.at == answered.answered_at)
            .collect();
        match own.as_slice() {
            [one] => store.feedback(&customer, one.id, helpful, now).await,
            _ => Ok(()),
        }
    }

    /// What a message is answered with that is still being worked on.
    fn opened(&self, aibot: &AiBot, message: &BotMessage, key: &CallbackKey, plan: &Plan) -> Option<Packet> {
        let said = message.said("")?;
        if said.content == Content::Entered {
            // No stream can follow. The greeting is on record, and the next day has its own.
            return None;
        }
        Some(Packet::Stream {
            id: key.key().to_owned(),
            finish: false,
            content: self.words(aibot, message, Sentence::Waiting, plan),
            feedback: Some(key.key().to_owned()),
        })
    }

    fn words(&self, aibot: &AiBot, message: &BotMessage, sentence: Sentence, plan: &Plan) -> String {
        let now = self.service.now();
        let reply = match self.service.bots().get(&aibot.bot) {
            Some(engine) => engine.say(sentence, &inbound(aibot, message), now),
            None => service::apology_without_bot(),
        };
        plan(&reply)
    }
}

/// The first packet of an answer; `None` where there is nothing to say.
fn first_packet(message: &BotMessage, key: &CallbackKey, words: String) -> Option<Packet> {
    if words.is_empty() {
        return None;
    }
    Some(match message.body {
        Body::Entered => Packet::Text(words),
        _ => Packet::Stream {
            id: key.key().to_owned(),
            finish: true,
            content: words,
            feedback: Some(key.key().to_owned()),
        },
    })
}

fn question(aibot: &AiBot, message: &BotMessage, said: Said) -> Question {
    Question {
        bot: aibot.bot.clone(),
        channel: Channel::WecomBot,
        customer_id: message.customer_id(),
        name: None,
        kind: aibot.kind(),
        content: said.content,
        with: said.with,
    }
}

/// Somebody to say a standard sentence to.
fn inbound(aibot: &AiBot, message: &BotMessage) -> Inbound {
    Inbound {
        bot: aibot.bot.clone(),
        channel: Channel::WecomBot,
        customer: Customer::new(&message.customer_id(), aibot.kind()),
        content: Content::Entered,
    }
}
