//! Around the engine: load the state, run the engine, commit what came of it, hand the reply out.

pub mod aibot;
pub mod app;
pub mod archive;
mod burst;
pub mod call;
pub mod callback;
pub mod contact;
pub mod delivery;
pub mod doctor;
pub mod enclosure;
pub mod fetch;
pub mod flood;
pub mod gap;
pub mod handover;
pub mod inbox;
pub mod kf;
pub mod lease;
pub mod media;
pub mod merge;
pub mod model;
pub mod notify;
pub mod order;
pub mod outgoing;
mod pace;
pub mod personal;
mod record;
pub mod satisfaction;
pub mod servicing;
pub mod signature;
pub mod state;
pub mod token;
pub mod version;
pub mod view;
pub mod voice;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::Semaphore;

use crate::channel::wecom::client::ClientError;
use crate::engine::Engine;
use crate::engine::Stage;
use crate::engine::Turn;
use crate::message::BotId;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::message::MessageKind;
use crate::message::Reply;
use crate::policy::decision::Decision;
use crate::policy::state::State;
use crate::reply::standard::Sentence;
use crate::service::call::Calls;
use crate::service::delivery::Delivery;
use crate::service::flood::Flood;
use crate::service::lease::Leases;
use crate::service::notify::Notifier;
use crate::service::order::Order;
use crate::store::Change;
use crate::store::ConversationRow;
use crate::store::CustomerKey;
use crate::store::CustomerSeen;
use crate::store::MessageId;
use crate::store::Speaker;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnReceipt;
use crate::text::hex::lower_hex;

/// Where the time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Rounds of load, answer and commit before a conversation that others keep changing is given up.
const ROUNDS_MAX: usize = 3;

/// All bots of this process over one store.
pub struct Service {
    bots: RwLock<Arc<BTreeMap<BotId, Arc<Engine>>>>,
    store: Arc<dyn Store>,
    clock: Clock,
    calls: Calls,
    notifier: Option<Notifier>,
    /// Messages that are worked on at the same time. More would only take the processors from one another, and wait for the
    /// store longer than it lets anybody wait.
    room: Semaphore,
    order: Order,
    leases: Leases,
    flood: Flood,
    handoff_opened: Notify,
    outbox_filled: Notify,
}

/// A message as a channel hands it in.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which bot.
    pub bot: BotId,
    /// How it came.
    pub channel: Channel,
    /// The channel's id of the person.
    pub customer_id: String,
    /// A name to address the person by.
    pub name: Option<String>,
    /// Customer or employee.
    pub kind: CustomerKind,
    /// What was sent.
    pub content: Content,
    /// What was sent with it and is no words: pictures between two texts.
    pub with: Vec<MessageKind>,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What is said; empty where a human speaks with the customer.
    pub reply: Reply,
    /// How it came about; absent where no bot was asked (flood, a human).
    pub turn: Option<Turn>,
    /// Id of the recorded answer; absent where nothing was recorded (flood).
    pub answer_id: Option<MessageId>,
    /// The bot that answered, as it was then.
    pub engine: Arc<Engine>,
    /// Time spent up to the end of each stage, from the start of the engine.
    pub timings: Vec<(Stage, Duration)>,
}

/// Why a question got no answer of the engine. The customer still gets words, from [`Service::apology`].
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such bot here.
    #[error("no bot is called {0:?}")]
    UnknownBot(BotId),
    /// The store did not take it.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The store did not take the answer to a callback; the log has the reason.
    #[error("the answer could not be stored")]
    NotStored,
    /// A stored state cannot be read or written.
    #[error("a conversation's state is damaged")]
    State(#[from] serde_json::Error),
    /// The channel did not tell what had to be asked of it.
    #[error("the channel could not be asked")]
    Channel(#[from] ClientError),
    /// The engine's thread panicked or was cancelled.
    ///
    /// Without its cause: the words of a panic may quote the message.
    #[error("the engine stopped in the middle of a message")]
    Engine,
}

impl Service {
    /// A service over loaded bots.
    #[must_use]
    pub fn new(bots: Vec<Engine>, store: Arc<dyn Store>, clock: Clock) -> Self {
        let bots = bots.into_iter().map(|engine| (engine.known().bot.clone(), Arc::new(engine))).collect();
        let leases = Leases::new(Arc::clone(&store), Arc::clone(&clock), process());
        Self {
            bots: RwLock::new(Arc::new(bots)),
            store,
            clock,
            leases,
            calls: Calls::default(),
            notifier: None,
            room: Semaphore::new(room()),
            order: Order::default(),
            flood: Flood::default(),
            handoff_opened: Notify::new(),
            outbox_filled: Notify::new(),
        }
    }

    /// The same service with another way to the shop's own systems.
    #[must_use]
    pub fn with_calls(self, calls: Calls) -> Self {
        Self { calls, ..self }
    }

    /// The way to the shop's own systems.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The same service, which tells people outside of the inbox what happens.
    #[must_use]
    pub fn with_notifier(self, notifier: Notifier) -> Self {
        Self { notifier: Some(notifier), ..self }
    }

    /// The ways to people outside of the inbox, where they are told anything.
    #[must_use]
    pub fn notifier(&self) -> Option<&Notifier> {
        self.notifier.as_ref()
    }

    /// The bots of now, by name.
    #[must_use]
    pub fn bots(&self) -> Arc<BTreeMap<BotId, Arc<Engine>>> {
        Arc::clone(&self.bots.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new bot, or exchanges one. Messages that are being answered finish with the one they began with.
    pub fn take_bot(&self, engine: Engine) {
        let mut bots = self.bots.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut bots).insert(engine.known().bot.clone(), Arc::new(engine));
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What this process may do alone.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// How long a bot waits for more messages of a row, where it does.
    #[must_use]
    pub fn quiet(&self, bot: &str) -> Option<Duration> {
        let quiet_ms = self.bots().get(bot)?.known().profile.quiet_ms;
        (quiet_ms > 0).then(|| Duration::from_millis(u64::from(quiet_ms)))
    }

    /// Waits until a handoff is opened.
    pub async fn handoff_opened(&self) {
        self.handoff_opened.notified().await;
    }

    /// Waits until there is something to send.
    pub async fn outbox_filled(&self) {
        self.outbox_filled.notified().await;
    }

    /// Answers a message: one customer's messages strictly one after another, different customers' side by
    /// side. When it returns, message, reply, state, tags and handoff are committed.
    ///
    /// # Errors
    /// See [`ServiceError`]; nothing is committed then.
    pub async fn answer(&self, question: &Question) -> Result<Answer, ServiceError> {
        self.answer_with(question, None).await
    }

    /// Like [`Self::answer`], and commits in the same transaction that the deliveries of the message are answered, and what
    /// is to be sent.
    ///
    /// # Errors
    /// As above, and [`StoreError::CallbackAnswered`] when another process was faster.
    pub async fn answer_delivery(
        &self,
        question: &Question,
        delivery: &Delivery,
    ) -> Result<Answer, ServiceError> {
        self.answer_with(question, Some(delivery)).await
    }

    async fn answer_with(
        &self,
        question: &Question,
        delivery: Option<&Delivery>,
    ) -> Result<Answer, ServiceError> {
        let bots = self.bots();
        let engine = bots.get(&question.bot).ok_or_else(|| ServiceError::UnknownBot(question.bot.clone()))?;
        let key = CustomerKey::new(&question.bot, question.channel, &question.customer_id)?;
        let messages_max = engine.known().profile.flood.messages_per_minute;
        if delivery.is_none() && !self.flood.admits(&key, messages_max, self.now()) {
            let inbound = inbound(question, None, BTreeSet::new());
            let reply = engine.say(Sentence::Flood, &inbound, self.now());
            return Ok(Answer {
                reply,
                turn: None,
                answer_id: None,
                engine: Arc::clone(engine),
                timings: Vec::new(),
            });
        }
        let _turn_in_line = self.order.wait(&key).await;
        let _lease = self.leases.talk(&key).await?;
        let mut round = 1;
        loop {
            match self.attempt(engine, question, &key, delivery).await {
                Err(ServiceError::Store(StoreError::Conflict { .. } | StoreError::HumanSpeaks { .. }))
                    if round < ROUNDS_MAX =>
                {
                    round += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(
        &self,
        engine: &Arc<Engine>,
        question: &Question,
        key: &CustomerKey,
        delivery: Option<&Delivery>,
    ) -> Result<Answer, ServiceError> {
        let permit = self.room.acquire().await.map_err(|_closed| ServiceError::Engine)?;
        let now = self.now();
        let seen =
            CustomerSeen { key: key.clone(), kind: question.kind, name: question.name.clone(), region: None };
        let customer = self.store.customer_seen(&seen, now).await?;
        let conversation = self.store.conversation(key, now).await?;
        if conversation.speaker == Speaker::Human {
            return self.to_human(engine, question, delivery, &conversation, now).await;
        }
        let before = state::read(&conversation.state)?;
        let mut inbound = inbound(question, customer.name, customer.tags);
        inbound.customer.record = customer.record;
        inbound.customer.region = customer.region;
        inbound.customer.first_visit = conversation.first_visit();
        let (turn, timings) = run(engine, &inbound, before.clone(), now).await?;
        let origin = call::origin(&conversation);
        // A slow system of one customer's keeps nobody else waiting.
        let permit = if turn.call().is_some() { None } else { Some(permit) };
        let mut turn = self.calls.carry_on(engine, turn, (&inbound, &before), &origin, now).await;
        self.tell_queue(engine, &inbound, &conversation, &mut turn, now).await?;
        let mut composed = delivery.map(|delivery| delivery.compose(&turn.reply)).unwrap_or_default();
        composed.outbox.extend(record::to_pool(engine, &conversation, delivery, &turn));
        composed.outbox.extend(record::rule_calls(&conversation, &inbound, &turn, now));
        let tags = (&inbound.customer.tags, turn.tags.as_slice());
        composed.outbox.extend(contact::marks(&conversation, customer.contact.as_deref(), tags));
        let sends = !composed.outbox.is_empty();
        let row = record::row(engine, &conversation, (&inbound, &question.with), &turn, composed, now)?;
        let receipt = self.store.record_turn(row).await?;
        drop(permit);
        self.outbox_written(sends);
        self.announce(question, &turn, &receipt, &timings);
        let answer_id = Some(receipt.outbound_id);
        let reply = turn.reply.clone();
        Ok(Answer { reply, turn: Some(turn), answer_id, engine: Arc::clone(engine), timings })
    }

    /// Hands a message to the human who serves the customer; the bot is silent.
    async fn to_human(
        &self,
        engine: &Arc<Engine>,
        question: &Question,
        delivery: Option<&Delivery>,
        conversation: &ConversationRow,
        now: Timestamp,
    ) -> Result<Answer, ServiceError> {
        let text = engine.kept(question.content.as_text());
        let media = delivery.map(|delivery| delivery.media.as_slice()).unwrap_or_default();
        let body = record::said(question.content.kind(), (&text, &[]), &question.with, media);
        let answers = delivery.map(Delivery::silent).unwrap_or_default();
        let change = Change { answers, ..handover::heard(conversation, body, now) };
        self.store.change(&change).await?;
        let (turn, answer_id) = (None, None);
        let reply = Reply { parts: Vec::new() };
        Ok(Answer { reply, turn, answer_id, engine: Arc::clone(engine), timings: Vec::new() })
    }

    /// Says how many wait ahead of somebody who is handed over while people are there.
    async fn tell_queue(
        &self,
        engine: &Engine,
        inbound: &Inbound,
        conversation: &ConversationRow,
        turn: &mut Turn,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let Decision::Handoff { group, .. } = &turn.decision else { return Ok(()) };
        if !engine.calendar().is_open(now) {
            return Ok(());
        }
        let queue = self.store.queue(&inbound.bot, group, conversation.id).await?;
        if queue.n_ahead == 0 {
            return Ok(());
        }
        let minutes = queue.wait_seconds.map(|seconds| seconds.div_ceil(60).max(1));
        let extra = minijinja::context! { n_ahead => queue.n_ahead, minutes };
        turn.reply.parts.extend(engine.say_with(Sentence::Queue, inbound, now, extra).parts);
        Ok(())
    }

    /// Wakes who sends, where there is something to send.
    pub(crate) fn outbox_written(&self, sends: bool) {
        if sends {
            self.outbox_filled.notify_one();
        }
    }

    fn announce(
        &self,
        question: &Question,
        turn: &Turn,
        receipt: &TurnReceipt,
        timings: &[(Stage, Duration)],
    ) {
        if receipt.handoff.is_some_and(|handoff| handoff.opened) {
            self.handoff_opened.notify_one();
        }
        let latency_us = timings.last().map_or(0, |(_, spent)| spent.as_micros() as u64);
        tracing::info!(
            bot = %question.bot,
            channel = question.channel.as_str(),
            message.id = receipt.inbound_id,
            message.bytes = question.content.as_text().len(),
            action = turn.decision.action(),
            latency_us,
            "answered a message"
        );
    }

    /// Words for a customer whose message could not be answered.
    #[must_use]
    pub fn apology(&self, question: &Question) -> Reply {
        match self.bots().get(&question.bot) {
            Some(engine) => {
                let inbound = inbound(question, None, BTreeSet::new());
                engine.say(Sentence::Failure, &inbound, self.now())
            }
            None => apology_without_bot(),
        }
    }
}

/// A name for this process that no other has had.
fn process() -> String {
    let mut random = [0; 8];
    // Without random bytes the number of the process and the time of its start have to do.
    if getrandom::fill(&mut random).is_err() {
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        random = started.as_nanos().to_le_bytes()[..8].try_into().unwrap_or_default();
    }
    format!("{}-{}", std::process::id(), lower_hex(&random))
}

/// Messages worked on at the same time: two a processor, so that one computes while the other waits for the disk.
fn room() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Words for a customer when not even the bot is known: the built-in ones, as far as they need no bot.
#[must_use]
pub fn apology_without_bot() -> Reply {
    let words = Sentence::Failure.built_in().split('{').next().unwrap_or_default();
    Reply::text(format!("{words}。"))
}

/// Runs the engine off the threads that serve connections, with a watch beside it.
async fn run(
    engine: &Arc<Engine>,
    inbound: &Inbound,
    before: State,
    now: Timestamp,
) -> Result<(Turn, Vec<(Stage, Duration)>), ServiceError> {
    let (engine, inbound) = (Arc::clone(engine), inbound.clone());
    let task = tokio::task::spawn_blocking(move || timed(&engine, &inbound, &before, now));
    task.await.map_err(|_panic| ServiceError::Engine)
}

/// Answers one message and measures the stages.
#[must_use]
pub fn timed(
    engine: &Engine,
    inbound: &Inbound,
    before: &State,
    now: Timestamp,
) -> (Turn, Vec<(Stage, Duration)>) {
    let start = Instant::now();
    let mut timings = Vec::with_capacity(Stage::ALL.len());
    let turn = engine.respond(inbound, before, now, &mut |stage| timings.push((stage, start.elapsed())));
    (turn, timings)
}

/// Asks a bot as a new customer would, and records nothing.
#[must_use]
pub fn ask(engine: &Engine, text: &str, now: Timestamp) -> (Turn, Vec<(Stage, Duration)>) {
    let inbound = Inbound {
        bot: engine.known().bot.clone(),
        channel: Channel::Web,
        customer: Customer::new("ask", CustomerKind::Customer),
        content: Content::Text(text.to_owned()),
    };
    timed(engine, &inbound, &State::default(), now)
}

fn inbound(question: &Question, name: Option<String>, tags: BTreeSet<String>) -> Inbound {
    let mut customer = Customer::new(&question.customer_id, question.kind);
    customer.name = question.name.clone().or(name);
    customer.tags = tags;
    Inbound {
        bot: question.bot.clone(),
        channel: question.channel,
        customer,
        content: question.content.clone(),
    }
}
