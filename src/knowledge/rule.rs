//! The shape of `rules.toml`. Compiled and matched by `rules`.

use serde::Deserialize;

use crate::message::MessageKind;

/// One rule as written.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Unique within the bot.
    pub id: String,
    /// Before the FAQ is searched, or only when nothing better was found.
    #[serde(default)]
    pub stage: Stage,
    /// Higher goes first; equal ones in the order of the file.
    #[serde(default)]
    pub priority: i32,
    /// When it fires.
    #[serde(default)]
    pub when: ConditionSpec,
    /// What it does, in order.
    pub then: Vec<ActionSpec>,
    /// Whether rules behind it are still looked at after it fired. A rule without a `reply` or `handoff`
    /// continues by nature.
    #[serde(default, rename = "continue")]
    pub continues: bool,
    /// Line in `rules.toml`, from 1; filled by the loader.
    #[serde(skip)]
    pub line: usize,
}

/// When a rule has its say in the chain of decision.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Ahead of all evidence.
    Hard,
    /// After FAQ, products and the clarifying question.
    #[default]
    Soft,
}

/// Conditions; every key that is given must hold. An empty one always holds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ConditionSpec {
    /// At least one of these keywords occurs (compared after normalisation).
    pub any: Vec<String>,
    /// All of these keywords occur.
    pub all: Vec<String>,
    /// None of these keywords occurs.
    pub none: Vec<String>,
    /// A regular expression finds something in the normalised text.
    pub regex: Option<String>,
    /// Time of day in the bot's zone, `"22:00-08:00"`: start included, end not; may pass midnight.
    pub time: Option<String>,
    /// Days of the week: `mon` .. `sun`.
    pub weekday: Vec<Weekday>,
    /// On a holiday of `bot.toml` (`true`), or not (`false`).
    pub holiday: Option<bool>,
    /// Inside business hours, holidays and swapped work days counted (`true`), or outside (`false`).
    pub open: Option<bool>,
    /// Customer or employee.
    pub customer: Option<CustomerSpec>,
    /// The person carries at least one of these tags.
    pub tags: Vec<String>,
    /// It is the person's first message to this bot (`true`), or not (`false`).
    pub first_visit: Option<bool>,
    /// Channel names: `web`, `wecom_app`, `wecom_kf`, `wecom_bot`.
    pub channel: Vec<String>,
    /// The person's region contains one of these.
    pub region: Vec<String>,
    /// Message kinds: `text`, `image`, ...
    pub message: Vec<MessageKind>,
    /// All of these hold.
    pub and: Vec<ConditionSpec>,
    /// At least one of these holds; an empty list asks nothing.
    pub or: Vec<ConditionSpec>,
    /// This does not hold.
    pub not: Option<Box<ConditionSpec>>,
}

/// Day of the week.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Whom a rule is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum CustomerSpec {
    /// Somebody from outside.
    Customer,
    /// A member of the company.
    Employee,
}

/// One thing a rule does: `{ reply = "name" }`, `{ text = "words" }`, `{ tag = "vip" }`, `{ handoff = "group" }`,
/// `{ task = "return" }`, `{ call = "notify" }`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum ActionSpec {
    /// Says a reply of `replies.toml`.
    Reply(String),
    /// Says these words; a template like every answer.
    Text(String),
    /// Puts a tag on the person.
    Tag(String),
    /// Hands the talk to a group of `bot.toml`.
    Handoff(String),
    /// Begins a task of `tasks/`.
    Task(String),
    /// Calls what `connectors.toml` describes, after the turn is committed and as often as it takes.
    Call(String),
}

impl ActionSpec {
    /// Whether the customer notices it: words, a task or a handoff.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        match self {
            Self::Reply(_) | Self::Text(_) | Self::Handoff(_) | Self::Task(_) => true,
            Self::Tag(_) | Self::Call(_) => false,
        }
    }
}
