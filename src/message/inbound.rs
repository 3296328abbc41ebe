//! One message of a customer, whatever channel brought it.

use crate::message::BotId;
use crate::message::Customer;

/// A message to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The bot it is addressed to.
    pub bot: BotId,
    /// How it reached us.
    pub channel: Channel,
    /// Who sent it.
    pub customer: Customer,
    /// What was sent.
    pub content: Content,
}

/// The way a message came, which also says what a reply may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Our own chat page, the HTTP interface and the terminal: no limit on the length of a reply.
    Web,
    /// A self-built WeCom app's callback: one passive reply, 2,048 bytes of text.
    WecomApp,
    /// 微信客服: customers outside of the company, up to five messages a reply, 2,048 bytes of text each.
    WecomKf,
    /// A 智能机器人 of WeCom, in private and in groups: one stream of markdown, 20,480 bytes of it.
    WecomBot,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::Web, Self::WecomApp, Self::WecomKf, Self::WecomBot];
}

impl Channel {
    /// Stable name, used in rules, rows and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::WecomApp => "wecom_app",
            Self::WecomKf => "wecom_kf",
            Self::WecomBot => "wecom_bot",
        }
    }

    /// Most UTF-8 bytes that one text message may hold, where the channel has such a limit.
    ///
    /// Source: WeCom developer centre, 被动回复消息 (path 90241), 微信客服发送消息 (94677): text of at most 2,048 bytes,
    /// longer is cut; 智能机器人被动回复 (101031): content of at most 20,480 bytes.
    #[must_use]
    pub fn text_bytes_max(self) -> Option<usize> {
        match self {
            Self::Web => None,
            Self::WecomApp | Self::WecomKf => Some(2048),
            Self::WecomBot => Some(20_480),
        }
    }
}

/// What a message consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Typed words, as they came.
    Text(String),
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// A file.
    File,
    /// A place on the map, with the label that the sender's client gave it.
    Location {
        /// Address in words; may be empty.
        label: String,
    },
    /// A shared link.
    Link {
        /// Title of the shared page; may be empty.
        title: String,
    },
    /// The customer opened the chat without saying anything: time for a greeting.
    Entered,
}

impl Content {
    /// The words to understand: the text itself, a location's label, a link's title; else empty.
    #[must_use]
    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Location { label } => label,
            Self::Link { title } => title,
            Self::Image | Self::Voice | Self::Video | Self::File | Self::Entered => "",
        }
    }

    /// The kind, as rules name it.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Image => MessageKind::Image,
            Self::Voice => MessageKind::Voice,
            Self::Video => MessageKind::Video,
            Self::File => MessageKind::File,
            Self::Location { .. } => MessageKind::Location,
            Self::Link { .. } => MessageKind::Link,
            Self::Entered => MessageKind::Entered,
        }
    }
}

/// The kind of a message without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Typed words.
    Text,
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// A file.
    File,
    /// A place on the map.
    Location,
    /// A shared link.
    Link,
    /// The chat was opened.
    Entered,
}

impl MessageKind {
    /// Stable name, used in rules, rows and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
            Self::Location => "location",
            Self::Link => "link",
            Self::Entered => "entered",
        }
    }
}
