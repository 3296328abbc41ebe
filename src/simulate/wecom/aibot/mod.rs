//! 智能机器人: a member asks in the client, the company's server answers in JSON, bit by bit.
//!
//! Sources: WeCom developer centre, 接收消息 (path 100719), 事件 (101027), 被动回复 (101031), 主动回复 (101138), 加解密 (101033).

pub(super) mod control;
pub(super) mod reply;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::header;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::Url;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::Simulator;
use crate::simulate::wecom::aibot::reply::Asked;
use crate::simulate::wecom::fault::Effect;
use crate::simulate::wecom::world::World;
use crate::text::hex::lower_hex;

/// What rules are broken against, and what faults are named by.
const PATH: &str = "aibot";

/// Deliveries of one message.
const DELIVERIES_MAX: u32 = 3;

/// Between two questions for the rest of an answer.
const REFRESH: Duration = Duration::from_secs(1);

/// So long after the question an answer may grow.
const STREAM: SignedDuration = SignedDuration::from_mins(6);

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

/// What is sent, and how often it is tried.
struct Delivery<'d> {
    bot: &'d str,
    inner: Value,
    deliveries_max: u32,
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
        let fault = self.world().faults.take(PATH);
        let deliveries_max = if fault == Some(Effect::Lose) { 0 } else { DELIVERIES_MAX };
        if let Some(Effect::Twice { copies }) = fault {
            self.repeats(&talk.bot, &inner, copies);
        }
        let question = Delivery { bot: &talk.bot, inner, deliveries_max };
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

    /// Delivers the same at the same time; nobody sees what is answered to the copies.
    fn repeats(&self, bot: &str, inner: &Value, copies: u32) {
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
            return match reply::opened(&key, &sealed.nonce, &answer) {
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
