//! Humans in a conversation: take, reply, note, give back, close, transfer; and what the clock does when nobody acts.
//!
//! A human holds a conversation under a lease: who is silent for too long loses it, and the customer waits for another.
//! Every change names the revision that it was decided on, so that of two who act at once one finds the other's change.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use minijinja::Value as Variables;
use minijinja::context;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use crate::channel::wecom::active;
use crate::channel::wecom::kf::Servicing;
use crate::channel::wecom::passive::Passive;
use crate::channel::wecom::passive::as_words;
use crate::engine::Engine;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::Inbound;
use crate::message::Part;
use crate::message::Rating;
use crate::message::Reply;
use crate::policy::state::State;
use crate::reply::standard::Sentence;
use crate::service::Service;
use crate::service::app::App;
use crate::service::delivery::own_key;
use crate::service::kf::outgoing;
use crate::service::outgoing::Outgoing;
use crate::service::outgoing::TO_MEMBER;
use crate::service::state;
use crate::service::view;
use crate::store::AgentId;
use crate::store::AgentRow;
use crate::store::Author;
use crate::store::Change;
use crate::store::ConversationId;
use crate::store::ConversationRow;
use crate::store::HandoffChange;
use crate::store::HandoffRow;
use crate::store::MessageId;
use crate::store::MessageRow;
use crate::store::NewOutbox;
use crate::store::NewSurvey;
use crate::store::Speaker;
use crate::store::StoreError;
use crate::store::TimerKind;
use crate::store::TimerRow;

/// Rounds of reading and changing before a conversation that others keep changing is given up.
const ROUNDS_MAX: usize = 3;

/// After so long a timer is tried again whose conversation cannot be met: its bot is gone, or comes back.
const TIMER_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Who has a talk that a servicer took in the WeCom client.
pub(super) const IN_CLIENT: &str = "企业微信客户端的同事";

/// Messages that are looked at for what a talk was about.
const SURVEYED_MESSAGES: u32 = 50;

/// Most characters of a reply or a note.
pub const WORDS_CHARS_MAX: usize = 2_000;

/// Humans in the conversations of all bots.
#[derive(Clone)]
pub struct Handover {
    service: Arc<Service>,
    apps: BTreeMap<String, Arc<App>>,
}

/// How a customer is reached, as the store keeps it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Route {
    /// The WeCom app that brought the message.
    pub app: String,
    /// The account of 微信客服 that it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kf: Option<String>,
}

impl Route {
    /// As the store keeps it.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

/// Something that an agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Takes the conversation, or keeps it for longer.
    Take,
    /// Says something to the customer.
    Reply(String),
    /// Notes something for colleagues.
    Note(String),
    /// Gives the conversation back to the bot.
    Return,
    /// Ends it.
    Close,
    /// Hands it to a group.
    Transfer(String),
}

/// What came of a deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Who speaks now.
    pub speaker: Speaker,
    /// Until when the agent keeps the conversation without a word.
    pub lease_until: Option<Timestamp>,
    /// Id of what was said.
    pub message_id: Option<MessageId>,
}

/// Why a deed was not done.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// There is no such conversation, or its bot is gone.
    #[error("there is no conversation {0}")]
    Unknown(ConversationId),
    /// Somebody else has it.
    #[error("conversation {id} is held by {by}")]
    Taken {
        /// The conversation.
        id: ConversationId,
        /// Who has it.
        by: String,
    },
    /// The agent does not hold it, or no longer.
    #[error("conversation {0} is not held by this agent, or no longer")]
    NotHeld(ConversationId),
    /// It is for another group.
    #[error("the agent does not serve the group {0}")]
    OtherGroup(String),
    /// There is no such group.
    #[error("the bot has no group {0}")]
    UnknownGroup(String),
    /// The customer cannot be reached.
    #[error("the customer of conversation {0} cannot be reached: no app can send")]
    Unreachable(ConversationId),
    /// The customer came by a 智能机器人, which only answers: it brings no words of humans.
    #[error("the customer of conversation {0} came by a bot of WeCom's, which brings no words of humans")]
    OnlyAnswered(ConversationId),
    /// Words that are none, or too many.
    #[error("words of {n_chars} characters; 1 to {WORDS_CHARS_MAX} will do")]
    Words {
        /// How many there are.
        n_chars: usize,
    },
    /// Others keep changing it.
    #[error("conversation {0} is being changed by others")]
    Busy(ConversationId),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A conversation as an agent meets it.
struct Met {
    row: ConversationRow,
    engine: Arc<Engine>,
    handoff: Option<HandoffRow>,
    inbound: Inbound,
}

impl Handover {
    /// * `apps`: WeCom apps by name, through which customers are reached.
    #[must_use]
    pub fn new(service: Arc<Service>, apps: BTreeMap<String, Arc<App>>) -> Self {
        Self { service, apps }
    }

    /// Does what an agent wants.
    ///
    /// # Errors
    /// See [`HandoverError`]; nothing is changed then.
    pub async fn act(
        &self,
        agent: &AgentRow,
        id: ConversationId,
        deed: &Deed,
    ) -> Result<Done, HandoverError> {
        if let Deed::Reply(words) | Deed::Note(words) = deed {
            let n_chars = words.trim().chars().count();
            if !(1..=WORDS_CHARS_MAX).contains(&n_chars) {
                return Err(HandoverError::Words { n_chars });
            }
        }
        let mut round = 1;
        loop {
            let met = self.meet(id).await?;
            let now = self.service.now();
            self.may(agent, &met, deed, now).await?;
            let survey = match deed {
                Deed::Close => self.survey(&met, Some(agent.id), now).await?,
                _ => None,
            };
            let change = self.change(agent, &met, (deed, survey), now)?;
            let (speaker, lease) = (change.speaker, change.holder.map(|(_, until)| until));
            match self.service.store().change(&change).await {
                Ok(receipt) => {
                    self.service.outbox_written(!change.outbox.is_empty());
                    return Ok(Done { speaker, lease_until: lease, message_id: receipt.message_id });
                }
                Err(StoreError::Conflict { .. }) if round < ROUNDS_MAX => round += 1,
                Err(StoreError::Conflict { .. }) => return Err(HandoverError::Busy(id)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does what a timer is about. What has changed meanwhile is let be.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire(&self, timer: &TimerRow) -> Result<(), HandoverError> {
        let now = self.service.now();
        let met = match self.meet(timer.conversation_id).await {
            Ok(met) => met,
            // It must not stand in the way of the others for ever.
            Err(error) => {
                let later = now.checked_add(TIMER_AGAIN).ok();
                self.service.store().timer_move(timer.conversation_id, timer.kind, later).await?;
                return Err(error);
            }
        };
        // Read behind the conversation: a process that was faster has taken the timer away, or moves the revision before us.
        let due = self.service.store().timer(timer.conversation_id, timer.kind).await?;
        if due.is_none_or(|due| due > now) {
            return Ok(());
        }
        let change = match (timer.kind, met.row.speaker) {
            (TimerKind::Overdue, Speaker::Waiting) => self.overdue(&met, now),
            (TimerKind::Lease, Speaker::Human) => self.lapsed(&met, now),
            (TimerKind::Idle, Speaker::Bot) => self.idle(&met, now).await?,
            // Somebody was faster.
            _ => Change { timers: vec![(timer.kind, None)], ..still(&met, now) },
        };
        match self.service.store().change(&change).await {
            Ok(_receipt) => self.service.outbox_written(!change.outbox.is_empty()),
            // The next look finds it again.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn meet(&self, id: ConversationId) -> Result<Met, HandoverError> {
        let store = self.service.store();
        let row = store.conversation_by_id(id).await?.ok_or(HandoverError::Unknown(id))?;
        let engine =
            self.service.bots().get(row.customer.bot()).cloned().ok_or(HandoverError::Unknown(id))?;
        let customer = store.customer(&row.customer).await?.ok_or(HandoverError::Unknown(id))?;
        let channel = Channel::ALL.into_iter().find(|one| one.as_str() == row.customer.channel());
        let inbound = Inbound {
            bot: row.customer.bot().to_owned(),
            channel: channel.ok_or(HandoverError::Unknown(id))?,
            customer: Customer {
                name: customer.name,
                tags: customer.tags,
                record: customer.record,
                ..Customer::new(row.customer.customer_id(), customer.kind)
            },
            content: Content::Entered,
        };
        Ok(Met { handoff: store.handoff_open(id).await?, row, engine, inbound })
    }

    /// Whether an agent may do it.
    async fn may(
        &self,
        agent: &AgentRow,
        met: &Met,
        deed: &Deed,
        now: Timestamp,
    ) -> Result<(), HandoverError> {
        let id = met.row.id;
        let holder = met.row.holder.filter(|(_, until)| met.row.speaker == Speaker::Human && *until > now);
        match (deed, holder) {
            (_, Some((holder, _))) if holder == agent.id => Ok(()),
            (Deed::Note(_), _) => in_group(agent, met.handoff.as_ref()),
            (Deed::Take, Some((holder, _))) => {
                let agents = self.service.store().agents().await?;
                let by = name_of(&agents, holder).unwrap_or_default().to_owned();
                Err(HandoverError::Taken { id, by })
            }
            // A servicer has it in the WeCom client, where nobody else can write.
            (Deed::Take, None) if met.row.speaker == Speaker::Human && met.row.holder.is_none() => {
                Err(HandoverError::Taken { id, by: IN_CLIENT.to_owned() })
            }
            (Deed::Take, None) => in_group(agent, met.handoff.as_ref()),
            (Deed::Reply(_) | Deed::Return | Deed::Close | Deed::Transfer(_), _) => {
                Err(HandoverError::NotHeld(id))
            }
        }
    }

    fn change(
        &self,
        agent: &AgentRow,
        met: &Met,
        (deed, survey): (&Deed, Option<NewSurvey>),
        now: Timestamp,
    ) -> Result<Change, HandoverError> {
        let lease = now + minutes(met.engine.known().profile.handoff.lease_minutes);
        let held = Change {
            speaker: Speaker::Human,
            holder: Some((agent.id, lease)),
            timers: vec![
                (TimerKind::Overdue, None),
                (TimerKind::Lease, Some(lease)),
                (TimerKind::Idle, None),
            ],
            ..still(met, now)
        };
        let over = Change {
            holder: None,
            handoff: HandoffChange::Closed,
            timers: vec![(TimerKind::Overdue, None), (TimerKind::Lease, None)],
            ..still(met, now)
        };
        Ok(match deed {
            Deed::Take if met.row.holder.is_some_and(|(holder, _)| holder == agent.id) => held,
            Deed::Take => {
                let words = self.words(met, Sentence::AgentTook, now, context! { agent => &agent.name });
                let taken = Change { handoff: HandoffChange::Taken(agent.id), event: Some("taken"), ..held };
                self.saying(met, taken, Author::System, words)
            }
            Deed::Reply(words) => {
                if met.inbound.channel == Channel::WecomBot {
                    return Err(HandoverError::OnlyAnswered(met.row.id));
                }
                if !self.reaches(met) {
                    return Err(HandoverError::Unreachable(met.row.id));
                }
                let replied = Change { event: Some("replied"), ..held };
                self.saying(met, replied, Author::Agent(agent.id), Reply::text(words.trim().to_owned()))
            }
            Deed::Note(words) => Change {
                note: Some((agent.id, words.trim().to_owned())),
                event: Some("noted"),
                ..still(met, now)
            },
            Deed::Return => {
                let words = self.words(met, Sentence::Returned, now, context! {});
                let state = awake(&met.row.state);
                let mut returned = Change { speaker: Speaker::Bot, state, event: Some("returned"), ..over };
                returned.timers.push((TimerKind::Idle, idle_at(&met.engine, now)));
                self.saying(met, returned, Author::System, words)
            }
            Deed::Close => {
                let words = self.words(met, Sentence::Closed, now, context! {});
                let closed = Change { speaker: Speaker::Closed, event: Some("closed"), ..over };
                self.closing(met, closed, (words, survey), now)
            }
            Deed::Transfer(group) => {
                let known = met.engine.known();
                let title = known.profile.handoff.groups.get(group);
                let title = title.ok_or_else(|| HandoverError::UnknownGroup(group.clone()))?;
                let words = self.words(met, Sentence::Transferred, now, context! { group => title });
                let transferred = Change {
                    speaker: Speaker::Waiting,
                    holder: None,
                    handoff: HandoffChange::Waits(group.clone()),
                    timers: vec![
                        (TimerKind::Overdue, Some(overdue_at(&met.engine, now))),
                        (TimerKind::Lease, None),
                    ],
                    event: Some("transferred"),
                    ..still(met, now)
                };
                self.saying(met, transferred, Author::System, words)
            }
        })
    }

    /// The customer has been silent for so long that the talk is over.
    async fn idle(&self, met: &Met, now: Timestamp) -> Result<Change, StoreError> {
        let last = self.service.store().messages(met.row.id, 1).await?.last().map(|message| message.at);
        let due = last.and_then(|last| idle_at(&met.engine, last));
        if due.is_none_or(|due| due > now) {
            // Somebody wrote after the timer was read, or the bot closes no talks any more.
            return Ok(Change { timers: vec![(TimerKind::Idle, due)], ..still(met, now) });
        }
        let closed = Change {
            speaker: Speaker::Closed,
            timers: vec![(TimerKind::Idle, None)],
            event: Some("closed"),
            ..still(met, now)
        };
        let survey = self.survey(met, None, now).await?;
        Ok(self.closing(met, closed, (Reply { parts: Vec::new() }, survey), now))
    }

    /// A change that ends a talk, with the question behind it. The next message begins anew.
    fn closing(
        &self,
        met: &Met,
        change: Change,
        (mut words, survey): (Reply, Option<NewSurvey>),
        now: Timestamp,
    ) -> Change {
        if survey.is_some() {
            let prompt = self.words(met, Sentence::Survey, now, context! {});
            let prompt = prompt.parts.iter().flat_map(Part::words).collect();
            let options = Rating::ALL.map(|rating| rating.title().to_owned()).to_vec();
            words.parts.push(Part::Choices { prompt, options });
        }
        let state = State { surveyed: survey.is_some().then_some(now), ..State::default() };
        let change = Change { state: state::write(&state).ok(), survey, ..change };
        if words.parts.is_empty() { change } else { self.saying(met, change, Author::System, words) }
    }

    /// What the customer is asked when the talk is closed now; `None` where they are not.
    async fn survey(
        &self,
        met: &Met,
        agent_id: Option<AgentId>,
        now: Timestamp,
    ) -> Result<Option<NewSurvey>, StoreError> {
        let Some(spec) = met.engine.known().profile.survey else { return Ok(None) };
        if (agent_id.is_some() && !spec.after_human) || !self.reaches(met) {
            return Ok(None);
        }
        let store = self.service.store();
        let asked_at = store.surveyed_at(met.row.id).await?;
        let pause = SignedDuration::from_hours(i64::from(spec.every_hours));
        if asked_at.is_some_and(|at| now.duration_since(at) < pause) {
            return Ok(None);
        }
        let messages = store.messages(met.row.id, SURVEYED_MESSAGES).await?;
        let since_asked = messages.iter().filter(|one| asked_at.is_none_or(|at| one.at > at));
        let intent = since_asked.rev().find_map(|one| wish(&met.engine, one));
        // Who only said hello to the bot is not asked how it was.
        let served = agent_id.is_some() || intent.is_some();
        Ok(served.then_some(NewSurvey { agent_id, intent }))
    }

    /// Nobody has taken over in time: the customer is told, and the next group is asked where there is one.
    fn overdue(&self, met: &Met, now: Timestamp) -> Change {
        let handoff = &met.engine.known().profile.handoff;
        let asked = met.handoff.as_ref().map(|handoff| handoff.group.as_str());
        let next = handoff.overdue_group.as_deref().filter(|group| Some(*group) != asked);
        let words = self.words(met, Sentence::HandoffOverdue, now, context! {});
        let change = Change {
            handoff: next.map_or(HandoffChange::None, |group| HandoffChange::Waits(group.to_owned())),
            timers: vec![(TimerKind::Overdue, next.map(|_| overdue_at(&met.engine, now)))],
            event: Some("overdue"),
            ..still(met, now)
        };
        self.saying(met, change, Author::System, words)
    }

    /// A human has been silent for too long: the customer waits for another.
    fn lapsed(&self, met: &Met, now: Timestamp) -> Change {
        if met.row.holder.is_some_and(|(_, until)| until > now) {
            // The lease was made longer after the timer was read.
            return still(met, now);
        }
        let words = self.words(met, Sentence::LeaseLapsed, now, context! {});
        let group = met.handoff.as_ref().map(|handoff| handoff.group.clone());
        let change = Change {
            speaker: Speaker::Waiting,
            holder: None,
            handoff: group.map_or(HandoffChange::None, HandoffChange::Waits),
            timers: vec![(TimerKind::Lease, None), (TimerKind::Overdue, Some(overdue_at(&met.engine, now)))],
            event: Some("lapsed"),
            ..still(met, now)
        };
        self.saying(met, change, Author::System, words)
    }

    fn words(&self, met: &Met, sentence: Sentence, now: Timestamp, extra: Variables) -> Reply {
        met.engine.say_with(sentence, &met.inbound, now, extra)
    }

    /// A change with what is said to the customer, on record and on its way.
    fn saying(&self, met: &Met, change: Change, author: Author, reply: Reply) -> Change {
        let parts: Vec<_> = reply.parts.iter().map(|part| view::part(part, &view::Address::own)).collect();
        let body = json!({ "parts": parts });
        Change { said: Some((author, body.to_string())), outbox: self.outbox(met, &reply), ..change }
    }

    /// What brings words to the customer; nothing on the page, which asks for them.
    fn outbox(&self, met: &Met, reply: &Reply) -> Vec<NewOutbox> {
        let Some((route, app)) = self.route(met) else { return Vec::new() };
        let Some(active) = &app.active else { return Vec::new() };
        let words = |part: &Part| as_words(part, &|_asset| None);
        let messages = match &route.kf {
            Some(_) => active::to_customer(reply, &words),
            // Members have no menu to tap.
            None => {
                let parts = reply.parts.iter().map(|part| Part::Text(words(part))).collect();
                active::to_customer(&Reply { parts }, &words)
            }
        };
        let recipient = met.row.customer.customer_id().to_owned();
        let outbox = messages.into_iter().enumerate().filter_map(|(part, message)| {
            let key = own_key(met.row.id, met.row.revision, part);
            let body = match (&route.kf, active.agent_id) {
                (Some(kf), _) => outgoing(message, kf, &recipient, &key),
                (None, Some(agent_id)) => {
                    let words = message.json["text"]["content"].as_str().unwrap_or_default().to_owned();
                    let json = active::to_member(&Passive::Text(words), agent_id, &recipient, &key);
                    Outgoing::new(TO_MEMBER, json)
                }
                (None, None) => return None,
            };
            Some(NewOutbox {
                sender: route.app.clone(),
                recipient: recipient.clone(),
                body: body.to_json(),
                key,
                to_customer: true,
                latest_only: false,
                expires_at: None,
            })
        });
        outbox.collect()
    }

    /// Whether words of ours reach the customer.
    fn reaches(&self, met: &Met) -> bool {
        met.inbound.channel == Channel::Web || self.route(met).is_some()
    }

    fn route(&self, met: &Met) -> Option<(Route, Arc<App>)> {
        let route: Route = serde_json::from_str(met.row.route.as_deref()?).ok()?;
        let app = Arc::clone(self.apps.get(&route.app)?);
        let sends = app.active.as_ref().is_some_and(|active| route.kf.is_some() || active.agent_id.is_some());
        sends.then_some((route, app))
    }
}

/// A state whose tasks go on where they rested. One that this version cannot read stays as it is.
fn awake(stored: &str) -> Option<String> {
    let mut state = state::read(stored).ok()?;
    state.tasks.iter_mut().for_each(|progress| progress.paused = false);
    state::write(&state).ok()
}

/// Whether an agent serves a group; who names none serves all.
#[must_use]
pub fn serves(agent: &AgentRow, group: &str) -> bool {
    agent.groups.is_empty() || agent.groups.contains(group)
}

/// Refuses an agent a conversation that another group is asked for.
///
/// # Errors
/// Names the group.
pub fn in_group(agent: &AgentRow, handoff: Option<&HandoffRow>) -> Result<(), HandoverError> {
    match handoff.map(|handoff| &handoff.group).filter(|group| !serves(agent, group)) {
        Some(other) => Err(HandoverError::OtherGroup(other.clone())),
        None => Ok(()),
    }
}

/// When a customer who asks now is told that nobody has come: so long after somebody is there.
#[must_use]
pub fn overdue_at(engine: &Engine, now: Timestamp) -> Timestamp {
    let calendar = engine.calendar();
    let from = if calendar.is_open(now) { None } else { calendar.next_opening(now) };
    from.map_or(now, |opening| opening.timestamp()) + minutes(engine.known().profile.handoff.wait_minutes)
}

/// When the bot closes a talk in which nothing more is said; `None` where it closes none.
#[must_use]
pub fn idle_at(engine: &Engine, now: Timestamp) -> Option<Timestamp> {
    let idle_minutes = engine.known().profile.survey?.idle_minutes?;
    now.checked_add(minutes(idle_minutes)).ok()
}

/// What a message of the bot's was about, unless it was small talk.
fn wish(engine: &Engine, message: &MessageRow) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&message.body).ok()?;
    let intent = body["intent"].as_str()?;
    let spec = engine.known().profile.intents.get(intent);
    spec.is_none_or(|spec| spec.reply.is_none()).then(|| intent.to_owned())
}

fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

fn still(met: &Met, now: Timestamp) -> Change {
    unchanged(&met.row, now)
}

/// A change that changes nothing.
fn unchanged(row: &ConversationRow, now: Timestamp) -> Change {
    Change {
        conversation_id: row.id,
        revision: row.revision,
        at: now,
        speaker: row.speaker,
        holder: row.holder,
        said: None,
        state: None,
        note: None,
        outbox: Vec::new(),
        answers: Vec::new(),
        handoff: HandoffChange::None,
        timers: Vec::new(),
        survey: None,
        event: None,
    }
}

/// What a customer says to the human who serves them.
#[must_use]
pub(super) fn heard(row: &ConversationRow, body: String, now: Timestamp) -> Change {
    Change { said: Some((Author::Customer, body)), event: Some("message"), ..unchanged(row, now) }
}

/// What a servicer does with a talk in the WeCom client, where none of our agents holds it.
#[must_use]
pub(super) fn in_client(row: &ConversationRow, servicing: &Servicing, now: Timestamp) -> Change {
    let off = vec![(TimerKind::Overdue, None), (TimerKind::Lease, None), (TimerKind::Idle, None)];
    let held = Change {
        speaker: Speaker::Human,
        holder: None,
        handoff: HandoffChange::Closed,
        timers: off,
        event: Some("taken"),
        ..unchanged(row, now)
    };
    match servicing {
        Servicing::Took => held,
        Servicing::Said(words) => {
            let part = view::part(&Part::Text(words.clone()), &view::Address::own);
            let body = json!({ "by": "servicer", "parts": [part] });
            Change { said: Some((Author::System, body.to_string())), event: Some("replied"), ..held }
        }
        // The customer's next message begins anew.
        Servicing::Ended => Change {
            speaker: Speaker::Closed,
            state: state::write(&State::default()).ok(),
            event: Some("closed"),
            ..held
        },
    }
}

/// The name of an agent.
#[must_use]
pub fn name_of(agents: &[AgentRow], id: AgentId) -> Option<&str> {
    agents.iter().find(|agent| agent.id == id).map(|agent| agent.name.as_str())
}
