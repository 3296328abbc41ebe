//! The callback of a 智能机器人: its messages and events, typed; what goes back is in `packet`. Everything is JSON.
//!
//! Source: WeCom developer centre, 智能机器人 接收消息 (path 100719), 接收事件 (101027). Fields and kinds that appear
//! without notice are passed over, because an error would make WeCom repeat itself.

pub mod packet;
#[cfg(test)]
mod tests;

use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::channel::wecom::passive::is_visible;
use crate::channel::wecom::xml::without_illegal;
use crate::message::Content;
use crate::message::MessageKind;
use crate::text::hex::lower_hex;

/// Most bytes of the id of a chat or of a person: two of them with a blank are one customer's id of at most 256.
const ID_BYTES_MAX: usize = 127;

/// Why a decrypted message could not be read. Quotes nothing of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BotMessageError {
    /// It is no JSON.
    #[error("message of a bot is not readable as json, line {line} column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It is JSON, and no object.
    #[error("message of a bot is no json object")]
    NoObject,
    /// An id that could be taken for another's.
    #[error("{what} of {bytes} bytes is longer than {ID_BYTES_MAX} bytes or holds a blank")]
    Id {
        /// Whose id.
        what: &'static str,
        /// Its length.
        bytes: usize,
    },
}

impl BotMessageError {
    /// The code that the vendor's sample libraries give for unreadable JSON.
    #[must_use]
    pub fn code(&self) -> i32 {
        -40012
    }
}

/// One message or event. Text fields are empty where the sender left them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotMessage {
    /// Its id, the same whenever it is delivered again.
    pub msg_id: String,
    /// The bot's id at WeCom.
    pub bot_id: String,
    /// Where it was written.
    pub chat: Chat,
    /// UserID of the member, or what stands for it; empty where nobody caused it.
    pub user_id: String,
    /// What was sent or happened.
    pub body: Body,
    /// The message that it quotes.
    pub quote: Option<Body>,
}

/// Where a message was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chat {
    /// In private.
    Single,
    /// In a group of this id.
    Group(String),
}

/// What was sent or happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Typed words; in a group with the mention of the bot.
    Text {
        /// The words.
        content: String,
    },
    /// A picture.
    Image {
        /// Where its encrypted bytes are for five minutes.
        url: String,
    },
    /// Words and pictures in one message.
    Mixed(Vec<Item>),
    /// A voice message, already in words.
    Voice {
        /// The words.
        content: String,
    },
    /// A file.
    File {
        /// Where its encrypted bytes are for five minutes.
        url: String,
    },
    /// A video.
    Video {
        /// Where its encrypted bytes are for five minutes.
        url: String,
    },
    /// WeCom asks how a stream goes on.
    Refresh {
        /// Id of the stream, as its first packet gave it.
        stream_id: String,
    },
    /// The chat was opened for the first time of the day.
    Entered,
    /// A card was tapped.
    CardTapped(Tap),
    /// An opinion of an answer.
    Feedback(Feedback),
    /// A type or an event that this build does not know: acknowledge it.
    Unknown {
        /// The message type.
        msg_type: String,
        /// The event, where the type is `event`.
        event: Option<String>,
    },
}

/// A piece of a mixed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Words.
    Text(String),
    /// A picture.
    Image {
        /// Where its encrypted bytes are for five minutes.
        url: String,
    },
}

/// What was tapped on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Kind of the card, such as `vote_interaction`.
    pub card_type: String,
    /// Key of the button.
    pub event_key: String,
    /// The card.
    pub task_id: String,
    /// Options picked, by the key of their question.
    pub selected: Vec<(String, Vec<String>)>,
}

/// An opinion of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The id that the answer's first packet gave.
    pub id: String,
    /// What they think.
    pub opinion: Opinion,
    /// In their words; may be empty.
    pub content: String,
    /// 1 off topic, 2 incomplete, 3 wrong, 4 badly analysed.
    pub reasons: Vec<i64>,
}

/// What somebody thinks of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It helped.
    Good,
    /// It did not.
    Bad,
    /// They take back what they said of it.
    Withdrawn,
    /// Something that this build does not know.
    Unknown,
}

/// What there is to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The message, without the mention of the bot.
    pub content: Content,
    /// What was sent with it and is no words.
    pub with: Vec<MessageKind>,
}

impl BotMessage {
    /// Reads a decrypted message.
    ///
    /// # Errors
    /// Text that is no JSON object, and ids of chat or person that are too long or hold a blank. Unknown or missing fields
    /// are none.
    pub fn parse(plaintext: &str) -> Result<Self, BotMessageError> {
        // serde's own error is dropped: it quotes the value that it did not expect.
        let root: Value = serde_json::from_str(&without_illegal(plaintext))
            .map_err(|error| BotMessageError::Json { line: error.line(), column: error.column() })?;
        if !root.is_object() {
            return Err(BotMessageError::NoObject);
        }
        let chat_id = id("chatid", text(&root, "chatid"))?;
        let is_group = match text(&root, "chattype").as_str() {
            "group" => true,
            "single" => false,
            _ => !chat_id.is_empty(),
        };
        Ok(Self {
            msg_id: text(&root, "msgid"),
            bot_id: text(&root, "aibotid"),
            chat: if is_group { Chat::Group(chat_id) } else { Chat::Single },
            user_id: id("userid", text(&root["from"], "userid"))?,
            body: body(&root),
            quote: root.get("quote").filter(|quote| quote.is_object()).map(body),
        })
    }

    /// What stays the same when WeCom delivers the same thing again, and differs between any two things. The stream that
    /// answers it is called so too: a poll knows nothing but the id of its stream.
    ///
    /// * `plaintext`: what [`BotMessage::parse`] was given.
    /// * Returns 32 letters and digits.
    #[must_use]
    pub fn stream_id(&self, plaintext: &str) -> String {
        let (what, named) = match self.msg_id.as_str() {
            "" => ("plaintext", plaintext),
            msg_id => ("msgid", msg_id),
        };
        format!("s{}", &lower_hex(&Sha256::digest(format!("{what}\n{named}")))[..31])
    }

    /// Who it is to us: in private the member, in a group the member in that group, so that nothing of a private talk gets
    /// into a group, nor of one member to another. Empty where nobody sent it.
    #[must_use]
    pub fn customer_id(&self) -> String {
        // WeCom compares member ids without regard to case.
        let member = self.user_id.to_lowercase();
        match &self.chat {
            // No id holds a blank, so that nobody is called like a member of a group.
            Chat::Group(chat_id) if !member.is_empty() => format!("{chat_id} {member}"),
            Chat::Group(_) | Chat::Single => member,
        }
    }

    /// What there is to answer; `None` when acknowledging is all: most events, and whatever no person sent.
    ///
    /// Who only mentions the bot under a quoted message asks what that message asks.
    ///
    /// * `bot_name`: what the bot calls itself; its mention may stand without a blank.
    #[must_use]
    pub fn said(&self, bot_name: &str) -> Option<Said> {
        if self.user_id.is_empty() {
            return None;
        }
        let said = said(&self.body, &|words| self.without_mention(words, bot_name))?;
        let is_blank = matches!(&said.content, Content::Text(words) if words.is_empty());
        if is_blank && said.with.is_empty() {
            let quoted = self.quote.as_ref().and_then(said_bare);
            return Some(quoted.unwrap_or(said));
        }
        Some(said)
    }

    fn without_mention(&self, words: &str, bot_name: &str) -> String {
        let rest = without_leading(words, bot_name).unwrap_or_else(|| match self.chat {
            Chat::Single => words,
            // The bot hears of no message of a group that does not mention it.
            Chat::Group(_) => without_trailing(words),
        });
        trimmed(rest).to_owned()
    }
}

/// An id, as long as it can be kept apart from others.
fn id(what: &'static str, id: String) -> Result<String, BotMessageError> {
    if id.len() > ID_BYTES_MAX || id.contains(is_blank) {
        return Err(BotMessageError::Id { what, bytes: id.len() });
    }
    Ok(id)
}

/// A field as text, whether it is written as one or as a number.
fn text(object: &Value, name: &str) -> String {
    match &object[name] {
        Value::String(text) => without_illegal(text).into_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The first of two spellings that is there.
fn either(object: &Value, names: [&str; 2]) -> String {
    let found = names.map(|name| text(object, name));
    found.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

fn list<'v>(object: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    object[name].as_array().into_iter().flatten()
}

/// The body of a message, or of one that is quoted.
fn body(root: &Value) -> Body {
    let msg_type = text(root, "msgtype");
    let own = &root[msg_type.as_str()];
    match msg_type.as_str() {
        "text" => Body::Text { content: text(own, "content") },
        "image" => Body::Image { url: text(own, "url") },
        "mixed" => Body::Mixed(list(own, "msg_item").filter_map(item).collect()),
        "voice" => Body::Voice { content: text(own, "content") },
        "file" => Body::File { url: text(own, "url") },
        "video" => Body::Video { url: text(own, "url") },
        "stream" => Body::Refresh { stream_id: text(own, "id") },
        "event" => event(own),
        _ => Body::Unknown { msg_type, event: None },
    }
}

fn item(value: &Value) -> Option<Item> {
    match body(value) {
        Body::Text { content } => Some(Item::Text(content)),
        Body::Image { url } => Some(Item::Image { url }),
        _ => None,
    }
}

fn event(value: &Value) -> Body {
    let name = text(value, "eventtype");
    let own = &value[name.as_str()];
    match name.as_str() {
        "enter_chat" => Body::Entered,
        "template_card_event" => Body::CardTapped(tap(own)),
        "feedback_event" => Body::Feedback(feedback(own)),
        _ => Body::Unknown { msg_type: "event".to_owned(), event: Some(name) },
    }
}

/// The field table of the vendor and its samples spell the names differently.
fn tap(value: &Value) -> Tap {
    let options = |item: &Value| {
        let ids = list(&item["option_ids"], "option_id").filter_map(Value::as_str).map(str::to_owned);
        (text(item, "question_key"), ids.collect())
    };
    Tap {
        card_type: either(value, ["card_type", "cardtype"]),
        event_key: either(value, ["event_key", "eventkey"]),
        task_id: either(value, ["task_id", "taskid"]),
        selected: list(&value["selected_items"], "selected_item").map(options).collect(),
    }
}

fn feedback(value: &Value) -> Feedback {
    Feedback {
        id: text(value, "id"),
        opinion: match text(value, "type").as_str() {
            "1" => Opinion::Good,
            "2" => Opinion::Bad,
            "3" => Opinion::Withdrawn,
            _ => Opinion::Unknown,
        },
        content: text(value, "content"),
        reasons: list(value, "inaccurate_reason_list").filter_map(Value::as_i64).collect(),
    }
}

/// What there is to answer in a quoted message: nobody mentions the bot to it again.
fn said_bare(body: &Body) -> Option<Said> {
    said(body, &|words| trimmed(words).to_owned())
}

/// * `bare`: takes the mention off.
fn said(body: &Body, bare: &dyn Fn(&str) -> String) -> Option<Said> {
    let alone = |content| Some(Said { content, with: Vec::new() });
    match body {
        Body::Text { content } => alone(Content::Text(bare(content))),
        Body::Image { .. } => alone(Content::Image),
        Body::Mixed(items) => Some(said_in(items, bare)),
        Body::Voice { content } if is_visible(content) => alone(Content::Text(bare(content))),
        Body::Voice { .. } => alone(Content::Voice),
        Body::File { .. } => alone(Content::File),
        Body::Video { .. } => alone(Content::Video),
        Body::Entered => alone(Content::Entered),
        Body::Refresh { .. } | Body::CardTapped(_) | Body::Feedback(_) | Body::Unknown { .. } => None,
    }
}

/// Words and pictures as one message; pictures alone are what is answered then.
fn said_in(items: &[Item], bare: &dyn Fn(&str) -> String) -> Said {
    let words: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Text(words) => Some(words.as_str()),
            Item::Image { .. } => None,
        })
        .collect();
    let words = bare(&words.join("\n"));
    let n_images = items.iter().filter(|item| matches!(item, Item::Image { .. })).count();
    if words.is_empty() && n_images > 0 {
        return Said { content: Content::Image, with: vec![MessageKind::Image; n_images - 1] };
    }
    Said { content: Content::Text(words), with: vec![MessageKind::Image; n_images] }
}

/// Blanks of any kind: clients put U+2005 behind a mention, and some characters without a width.
fn is_blank(char: char) -> bool {
    char.is_whitespace() || matches!(char, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn trimmed(words: &str) -> &str {
    words.trim_matches(is_blank)
}

/// What stands behind a mention at the beginning, where there is one.
fn without_leading<'w>(words: &'w str, bot_name: &str) -> Option<&'w str> {
    let mention = words.trim_start_matches(is_blank).strip_prefix('@')?;
    match mention.split_once(is_blank) {
        Some((name, rest)) => Some(rest).filter(|_| !name.is_empty()),
        // Typed by hand, without a blank: only a name that we know tells where it ends.
        None => mention.strip_prefix(bot_name).filter(|_| !bot_name.is_empty()),
    }
}

/// The words without a mention at the end. An address of mail is none, and what has nothing before it is no end.
fn without_trailing(words: &str) -> &str {
    let Some((before, name)) = trimmed(words).rsplit_once('@') else { return words };
    let in_address = before.ends_with(|char: char| char.is_ascii_alphanumeric() || "._%+-".contains(char));
    let is_mention = !name.is_empty() && !name.contains(is_blank) && !in_address;
    if is_mention && !trimmed(before).is_empty() { before } else { words }
}
