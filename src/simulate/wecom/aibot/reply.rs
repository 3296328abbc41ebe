//! Reading what a bot answers, and showing it.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::aibot::PATH;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::picture;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

pub(in crate::simulate::wecom) const RESPONSE: &str = "aibot/response";

/// Most bytes of an answer so far, and of an id for opinions on it.
const CONTENT_BYTES_MAX: usize = 20_480;
const FEEDBACK_BYTES_MAX: usize = 256;

/// Pictures at the end of an answer, and the bytes of one.
const PICTURES_MAX: usize = 10;
const PICTURE_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// What was delivered, and so what may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Question,
    /// For the rest of an answer.
    Rest,
    /// The member has opened the bot.
    Opening,
    /// An opinion, which is not answered at all.
    Opinion,
}

/// An answer that a phone shows.
pub(super) struct Shown {
    /// Of the stream; empty where there is none.
    pub(super) id: String,
    pub(super) is_whole: bool,
}

/// The reply inside of an answer, or the rule that it breaks.
///
/// * `nonce`: of the address that was asked.
pub(super) fn opened(key: &CallbackKey, nonce: &str, answer: &str) -> Result<Value, &'static str> {
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

impl World {
    /// Shows an answer, or writes down the rule that it breaks.
    pub(super) fn answered(&mut self, bot: &str, whom: &str, asked: Asked, reply: &Value) -> Option<Shown> {
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
    let title = card.object_if_any("main_title")?;
    let title = title.map(|title| title.words_if_any("title")).transpose()?.flatten();
    Ok(json!({ "msgtype": "template_card", "card_type": kind, "content": title }))
}

/// One more answer, by the address that came with the question.
pub(in crate::simulate::wecom) fn respond(
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
