//! 智能机器人: a member asks in the client, the company's server answers in JSON, bit by bit.
//!
//! Sources: WeCom developer centre, 接收消息 (path 100719), 事件 (101027), 被动回复 (101031), 主动回复 (101138), 加解密 (101033).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::routing::post;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::Simulator;
use crate::simulate::wecom::control::Answer;
use crate::simulate::wecom::fault::Effect;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::picture;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;
use crate::text::hex::lower_hex;

const PATH: &str = "aibot";
const RESPONSE: &str = "aibot/response";

/// Deliveries of one message.
const DELIVERIES_MAX: u32 = 3;

/// Between two questions for the rest of an answer.
const REFRESH: Duration = Duration::from_secs(1);

/// So long after the question an answer may grow.
const STREAM: SignedDuration = SignedDuration::from_mins(6);

/// So long after the question one more answer may come by its own address.
const RESPONSE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Questions of one member that one bot answers at a time.
const TALKS_MAX: usize = 3;

/// Most bytes of an answer so far, and of an id for opinions on it.
const CONTENT_BYTES_MAX: usize = 20_480;
const FEEDBACK_BYTES_MAX: usize = 256;

/// Pictures at the end of an answer, and the bytes of one.
const PICTURES_MAX: usize = 10;
const PICTURE_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// Where the members' day begins at midnight.
const BEIJING: Offset = jiff::tz::offset(8);

/// What the bots have done.
#[derive(Default)]
pub(super) struct Aibots {
    /// Questions under way, by bot and member.
    talks: BTreeMap<(String, String), usize>,
    /// Addresses for one more answer, by their code.
    responses: BTreeMap<String, Response>,
    /// Ids under which members may say what they think, by bot.
    feedback: BTreeSet<(String, String)>,
    /// On which day a member last opened a bot.
    opened: BTreeMap<(String, String), Date>,
}

/// An address for one more answer.
struct Response {
    bot: String,
    whom: String,
    until: Timestamp,
    is_used: bool,
}

/// A question, and to whom its answer goes.
#[derive(Clone)]
pub(super) struct Talk {
    bot: String,
    member: String,
    chat: Option<String>,
    /// Of the question.
    msg_id: String,
    begun: Timestamp,
    words: String,
    response_url: String,
}

/// What was delivered, and so what may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Question,
    /// For the rest of an answer.
    Rest,
    /// The member has opened the bot.
    Opening,
    /// An opinion, which is not answered at all.
    Opinion,
}

/// What is sent, and how often it is tried.
struct Delivery<'d> {
    bot: &'d str,
    inner: Value,
    deliveries_max: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    bot: String,
    text: String,
    /// The group that it is asked in.
    chatid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    bot: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opinion {
    bot: String,
    id: String,
    /// 1 good, 2 bad, 3 withdrawn.
    #[serde(rename = "type")]
    kind: i64,
    content: Option<String>,
    #[serde(default)]
    inaccurate_reason_list: Vec<i64>,
}

/// What members do with bots.
pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_sim/members/{id}/aibot", post(ask))
        .route("/_sim/members/{id}/aibot/enter", post(enter))
        .route("/_sim/members/{id}/aibot/feedback", post(feedback))
}

/// A member asks.
async fn ask(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    headers: HeaderMap,
    Json(asking): Json<Asking>,
) -> Answer {
    // The address that this server was reached by is one by which it can be reached again.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let mut asked = None;
    let answer = simulator.change(|world, now| {
        let talk = begin(world, &member, asking, host, now)?;
        let told = json!({ "msgid": talk.msg_id, "response_url": talk.response_url });
        asked = Some(talk);
        Ok(told)
    });
    if let Some(talk) = asked {
        tokio::spawn(async move { simulator.converse(talk).await });
    }
    answer
}

fn begin(
    world: &mut World,
    member: &str,
    asking: Asking,
    host: &str,
    now: Timestamp,
) -> Result<Talk, String> {
    let Asking { bot, text, chatid } = asking;
    let pair = known(world, &bot, member)?;
    let under_way = world.aibots.talks.entry(pair.clone()).or_default();
    if *under_way == TALKS_MAX {
        return Err(format!("{member} has {TALKS_MAX} questions to {bot} under way"));
    }
    *under_way += 1;
    let whom = chatid.clone().unwrap_or_else(|| pair.1.clone());
    let (msg_id, code) = (world.id("aimsg"), world.id("RC"));
    let response =
        Response { bot: bot.clone(), whom: whom.clone(), until: now + RESPONSE_LIFE, is_used: false };
    world.aibots.responses.insert(code.clone(), response);
    world.shows(&whom, "self", &json!({ "msgtype": "text", "content": text }), now);
    let response_url = format!("http://{host}/cgi-bin/aibot/response?response_code={code}");
    Ok(Talk { bot, member: pair.1, chat: chatid, msg_id, begun: now, words: text, response_url })
}

/// A bot and a member that there are.
fn known(world: &World, bot: &str, member: &str) -> Result<(String, String), String> {
    let member = member.to_lowercase();
    if !world.plan.members.contains(&member) {
        return Err(format!("no member is called {member}"));
    }
    world.plan.aibot(bot).ok_or_else(|| format!("no bot is called {bot}"))?;
    Ok((bot.to_owned(), member))
}

/// A member opens a bot: told once a day.
async fn enter(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(Opening { bot }): Json<Opening>,
) -> Answer {
    let mut event = None;
    let answer = simulator.change(|world, now| {
        let pair = known(world, &bot, &member)?;
        let today = BEIJING.to_datetime(now).date();
        let is_first = world.aibots.opened.insert(pair.clone(), today) != Some(today);
        event = is_first.then(|| happened(world, &pair, "enter_chat", json!({}), now));
        Ok(json!({ "event": is_first }))
    });
    if let Some(inner) = event {
        tokio::spawn(async move { simulator.opens(&bot, &member, inner).await });
    }
    answer
}

/// A member says what they think of an answer.
async fn feedback(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(opinion): Json<Opinion>,
) -> Answer {
    let bot = opinion.bot.clone();
    let mut event = None;
    let answer = simulator.change(|world, now| {
        let pair = known(world, &opinion.bot, &member)?;
        if !world.aibots.feedback.contains(&(opinion.bot.clone(), opinion.id.clone())) {
            return Err(format!("no answer has the feedback id {}", opinion.id));
        }
        if !(1..=3).contains(&opinion.kind) {
            return Err(format!("type {} is not in 1 to 3", opinion.kind));
        }
        let mut told = json!({ "id": opinion.id, "type": opinion.kind });
        if let Some(content) = opinion.content {
            told["content"] = json!(content);
        }
        if !opinion.inaccurate_reason_list.is_empty() {
            told["inaccurate_reason_list"] = json!(opinion.inaccurate_reason_list);
        }
        event = Some(happened(world, &pair, "feedback_event", told, now));
        Ok(json!({}))
    });
    if let Some(inner) = event {
        tokio::spawn(async move { simulator.opines(&bot, inner).await });
    }
    answer
}

/// An event, as it is told.
fn happened(
    world: &mut World,
    (bot, member): &(String, String),
    kind: &str,
    object: Value,
    now: Timestamp,
) -> Value {
    let bot_id = world.plan.aibot(bot).map(|bot| bot.bot_id.clone());
    json!({
        "msgid": world.id("aimsg"), "create_time": now.as_second(), "aibotid": bot_id, "chattype": "single",
        "from": { "userid": member }, "msgtype": "event", "event": { "eventtype": kind, kind: object },
    })
}

impl Talk {
    /// Whose phone shows it.
    fn whom(&self) -> &str {
        self.chat.as_deref().unwrap_or(&self.member)
    }

    fn inner(&self, world: &mut World, kind: &str, object: Value) -> Value {
        let bot_id = world.plan.aibot(&self.bot).map(|bot| bot.bot_id.clone());
        let chat_type = if self.chat.is_some() { "group" } else { "single" };
        let msg_id = if kind == "stream" { world.id("aimsg") } else { self.msg_id.clone() };
        let mut inner = json!({
            "msgid": msg_id, "aibotid": bot_id, "chattype": chat_type, "from": { "userid": self.member },
            "msgtype": kind, kind: object,
        });
        if let Some(chat) = &self.chat {
            inner["chatid"] = json!(chat);
        }
        if kind != "stream" {
            inner["response_url"] = json!(self.response_url);
        }
        inner
    }
}

impl Simulator {
    /// Asks, and asks for the rest until the answer is whole or too old.
    pub(super) async fn converse(&self, talk: Talk) {
        let inner = talk.inner(&mut self.world(), "text", json!({ "content": talk.words }));
        self.twice(&talk.bot, &inner);
        let question = Delivery { bot: &talk.bot, inner, deliveries_max: DELIVERIES_MAX };
        let mut stream = None;
        if let Some(reply) = self.hears(question).await {
            let shown = self.world().answered(&talk.bot, talk.whom(), Asked::Question, &reply);
            stream = shown.filter(|shown| !shown.is_whole).map(|shown| shown.id);
        }
        while let Some(id) = &stream {
            let wait = self.world().dial.real(REFRESH);
            tokio::time::sleep(wait).await;
            if self.is_late(&talk) {
                break;
            }
            let inner = talk.inner(&mut self.world(), "stream", json!({ "id": id }));
            let Some(reply) = self.hears(Delivery { bot: &talk.bot, inner, deliveries_max: 1 }).await else {
                continue;
            };
            let shown = self.world().answered(&talk.bot, talk.whom(), Asked::Rest, &reply);
            if let Some(shown) = shown {
                if shown.id != *id {
                    self.world().ledger.breaks(PATH, "the rest of an answer has another stream id");
                    break;
                }
                if shown.is_whole {
                    break;
                }
            }
        }
        if let Some(under_way) = self.world().aibots.talks.get_mut(&(talk.bot, talk.member)) {
            *under_way -= 1;
        }
    }

    fn is_late(&self, talk: &Talk) -> bool {
        let mut world = self.world();
        let is_late = world.now().duration_since(talk.begun) >= STREAM;
        if is_late {
            world.ledger.breaks(PATH, "a stream was not finished within 6 minutes");
        }
        is_late
    }

    /// Tells that a member has opened a bot, and shows what it says to that. It is told once, heard or not.
    async fn opens(&self, bot: &str, member: &str, inner: Value) {
        if let Some(reply) = self.hears(Delivery { bot, inner, deliveries_max: 1 }).await {
            self.world().answered(bot, member, Asked::Opening, &reply);
        }
    }

    /// Tells what a member thinks.
    async fn opines(&self, bot: &str, inner: Value) {
        if let Some(reply) = self.hears(Delivery { bot, inner, deliveries_max: DELIVERIES_MAX }).await {
            self.world().answered(bot, "", Asked::Opinion, &reply);
        }
    }

    /// Delivers once more at the same time, where a script wants it; nobody sees the answers.
    fn twice(&self, bot: &str, inner: &Value) {
        let Some(Effect::Twice { copies }) = self.world().faults.take(PATH) else { return };
        for _ in 1..copies {
            let (simulator, bot, inner) = (self.clone(), bot.to_owned(), inner.clone());
            tokio::spawn(async move {
                simulator.hears(Delivery { bot: &bot, inner, deliveries_max: 1 }).await;
            });
        }
    }

    /// What the company's server answers; `None` for nothing, be it nobody there or an empty packet.
    async fn hears(&self, delivery: Delivery<'_>) -> Option<Value> {
        let Delivery { bot, inner, deliveries_max } = delivery;
        let (key, written) = {
            let world = self.world();
            let plan = world.plan.aibot(bot)?;
            // That it is sound was checked at the start.
            (CallbackKey::new(&plan.token, &plan.aes_key, "").ok()?, plan.callback.clone()?)
        };
        let address = Url::parse(&written).ok()?;
        let plain = inner.to_string();
        for number in 1..=deliveries_max {
            let (now, noise) = {
                let mut world = self.world();
                (world.now().as_second(), [world.number(), world.number()])
            };
            let mut random = [0; 16];
            random[..8].copy_from_slice(&noise[0].to_le_bytes());
            random[8..].copy_from_slice(&noise[1].to_le_bytes());
            let sealed = key.seal(&plain, random, &now.to_string(), &lower_hex(&random[..8]));
            let mut url = address.clone();
            url.query_pairs_mut()
                .append_pair("msg_signature", &sealed.msg_signature)
                .append_pair("timestamp", &sealed.timestamp)
                .append_pair("nonce", &sealed.nonce);
            let body = json!({ "encrypt": sealed.encrypt }).to_string();
            let request = self.courier.http.post(url).header(header::CONTENT_TYPE, "application/json");
            let answer = match request.body(body).send().await {
                Ok(response) if response.status() == 200 => response.text().await.ok(),
                Ok(_) | Err(_) => None,
            };
            let mut world = self.world();
            let at = world.now();
            let Some(answer) = answer else {
                world.ledger.delivery(at, bot, number, "no answer");
                continue;
            };
            if answer.is_empty() {
                world.ledger.delivery(at, bot, number, "acknowledged");
                return None;
            }
            world.ledger.delivery(at, bot, number, "answered");
            return match opened(&key, &sealed.nonce, &answer) {
                Ok(reply) => Some(reply),
                Err(rule) => {
                    world.ledger.breaks(PATH, rule);
                    None
                }
            };
        }
        None
    }
}

/// The reply inside of an answer, or the rule that it breaks.
///
/// * `nonce`: of the address that was asked.
fn opened(key: &CallbackKey, nonce: &str, answer: &str) -> Result<Value, &'static str> {
    let outer: Value = serde_json::from_str(answer).map_err(|_| "the answer is no JSON")?;
    let timestamp = outer["timestamp"].as_i64().ok_or("timestamp of the answer is no number")?;
    if outer["nonce"] != nonce {
        return Err("nonce of the answer is not that of the address");
    }
    let text = |name: &str| outer[name].as_str().unwrap_or_default();
    if text("msgsignature").is_empty() {
        return Err("the answer has no msgsignature");
    }
    let names = ["encrypt", "msgsignature", "timestamp", "nonce"];
    if outer.as_object().is_none_or(|fields| fields.keys().any(|name| !names.contains(&name.as_str()))) {
        return Err("the answer has a field that nobody knows");
    }
    let plain = key.open(text("msgsignature"), &timestamp.to_string(), nonce, text("encrypt"));
    let plain = plain.map_err(|_| "the answer is not sealed, or by another key")?;
    serde_json::from_str(&plain).map_err(|_| "the reply inside of the answer is no JSON")
}

/// An answer that a phone shows.
struct Shown {
    /// Of the stream; empty where there is none.
    id: String,
    is_whole: bool,
}

impl World {
    /// Shows an answer, or writes down the rule that it breaks.
    fn answered(&mut self, bot: &str, whom: &str, asked: Asked, reply: &Value) -> Option<Shown> {
        let read = self.read_reply(bot, asked, reply);
        let (shown, messages) = match read {
            Ok(read) => read,
            Err(refusal) => {
                self.ledger.breaks(PATH, refusal.words);
                return None;
            }
        };
        let now = self.now();
        for message in messages {
            if message["stream"].is_null() || !self.grows(bot, whom, &message) {
                self.shows(whom, bot, &message, now);
            }
            if shown.is_whole {
                self.ledger.arrival(now, whom, &message);
            }
        }
        Some(shown)
    }

    /// Puts an answer in the place of what was there of it.
    fn grows(&mut self, bot: &str, whom: &str, message: &Value) -> bool {
        let phone = self.phones.entry(whom.to_owned()).or_default();
        let is_own =
            |shown: &&mut Value| shown["from"] == bot && shown["message"]["stream"] == message["stream"];
        let Some(shown) = phone.iter_mut().rev().find(is_own) else { return false };
        shown["message"] = message.clone();
        true
    }

    fn read_reply(&mut self, bot: &str, asked: Asked, reply: &Value) -> Result<(Shown, Vec<Value>), Refusal> {
        let fields = Fields::new(PATH, reply);
        let kind = fields.text("msgtype", 40_008)?;
        let whole = || Shown { id: String::new(), is_whole: true };
        match (asked, kind) {
            (Asked::Question | Asked::Rest, "stream") => {
                fields.known(&["msgtype", "stream"], &mut self.ledger);
                let (shown, message) = self.stream(bot, asked, &fields)?;
                Ok((shown, vec![message]))
            }
            (Asked::Question | Asked::Rest, "stream_with_template_card") => {
                fields.known(&["msgtype", "stream", "template_card"], &mut self.ledger);
                let (shown, message) = self.stream(bot, asked, &fields)?;
                let mut messages = vec![message];
                if fields.has("template_card") {
                    messages.push(card(&fields)?);
                }
                Ok((shown, messages))
            }
            (Asked::Question | Asked::Opening, "template_card") => {
                fields.known(&["msgtype", "template_card"], &mut self.ledger);
                Ok((whole(), vec![card(&fields)?]))
            }
            (Asked::Opening, "text") => {
                fields.known(&["msgtype", "text"], &mut self.ledger);
                let words = fields.object("text")?.text("content", 44_004)?;
                Ok((whole(), vec![json!({ "msgtype": "text", "content": words })]))
            }
            _ => Err(Refusal::new(40_008, format!("{kind} is no answer to {asked:?}"))),
        }
    }

    /// A part of an answer: all of it until now.
    fn stream(&mut self, bot: &str, asked: Asked, fields: &Fields<'_>) -> Result<(Shown, Value), Refusal> {
        let stream = fields.object("stream")?;
        stream.known(&["id", "finish", "content", "msg_item", "feedback"], &mut self.ledger);
        let id = stream.text("id", 40_058)?;
        let is_whole = stream.flag_if_any("finish")?.unwrap_or(false);
        let content = stream.words_if_any("content")?.unwrap_or_default();
        stream.within("content", content, CONTENT_BYTES_MAX)?;
        let pictures = if stream.has("msg_item") { stream.list("msg_item")? } else { &[] };
        if !pictures.is_empty() && !is_whole {
            return Err(Refusal::new(40_058, "msg_item comes with the end of a stream only"));
        }
        if pictures.len() > PICTURES_MAX {
            return Err(Refusal::new(40_058, format!("{} pictures, at most {PICTURES_MAX}", pictures.len())));
        }
        for one in pictures {
            let own = Fields::new(PATH, one);
            own.known(&["msgtype", "image"], &mut self.ledger);
            picture::read(&own.object("image")?, PICTURE_BYTES_MAX)?;
        }
        if stream.has("feedback") {
            if asked == Asked::Rest {
                return Err(Refusal::new(40_058, "feedback comes with the beginning of a stream only"));
            }
            self.may_be_judged(bot, &stream)?;
        }
        let message = json!({
            "msgtype": "markdown", "stream": id, "finish": is_whole, "content": content, "pictures": pictures.len(),
        });
        Ok((Shown { id: id.to_owned(), is_whole }, message))
    }

    /// Remembers the id under which members may say what they think.
    fn may_be_judged(&mut self, bot: &str, holder: &Fields<'_>) -> Result<(), Refusal> {
        let feedback = holder.object("feedback")?;
        feedback.known(&["id"], &mut self.ledger);
        let id = feedback.text("id", 40_058)?;
        feedback.within("feedback.id", id, FEEDBACK_BYTES_MAX)?;
        self.aibots.feedback.insert((bot.to_owned(), id.to_owned()));
        Ok(())
    }
}

fn card(fields: &Fields<'_>) -> Result<Value, Refusal> {
    let card = fields.object("template_card")?;
    let kind = card.text("card_type", 42_031)?;
    let title = if card.has("main_title") { card.object("main_title")?.words_if_any("title")? } else { None };
    Ok(json!({ "msgtype": "template_card", "card_type": kind, "content": title }))
}

/// One more answer, by the address that came with the question.
pub(super) fn respond(
    world: &mut World,
    code: Option<&str>,
    body: Option<&Value>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let bad = || Refusal::new(60_140, "invalid or expired response_code");
    let code = code.ok_or_else(bad)?;
    let held = world.aibots.responses.get(code);
    let held = held.filter(|held| !held.is_used && held.until >= now).ok_or_else(bad)?;
    let (bot, whom) = (held.bot.clone(), held.whom.clone());
    let nothing = json!({});
    let fields = Fields::new(RESPONSE, body.unwrap_or(&nothing));
    let kind = fields.text("msgtype", 40_008)?;
    fields.known(&["msgtype", kind], &mut world.ledger);
    let message = match kind {
        "markdown" => {
            let inner = fields.object("markdown")?;
            inner.known(&["content", "feedback"], &mut world.ledger);
            let words = inner.text("content", 44_004)?;
            if words.len() > CONTENT_BYTES_MAX {
                let told = format!("content has {} bytes, at most {CONTENT_BYTES_MAX}", words.len());
                return Err(Refusal::new(45_002, told));
            }
            if inner.has("feedback") {
                world.may_be_judged(&bot, &inner)?;
            }
            json!({ "msgtype": kind, "content": words })
        }
        "template_card" => card(&fields)?,
        _ => return Err(Refusal::new(40_008, format!("{kind} is not sent by a response_url"))),
    };
    if let Some(held) = world.aibots.responses.get_mut(code) {
        held.is_used = true;
    }
    world.arrives(&whom, &bot, &message, now);
    Ok(json!({}))
}

#[cfg(test)]
mod tests;
