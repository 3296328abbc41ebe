//! What the bot has made up its mind to do.

use crate::message::Rating;
use crate::policy::state::Choice;

/// The outcome of one message.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Say something that settles it.
    Answer(Basis),
    /// Ask back with numbered choices.
    Clarify {
        /// The choices, in the order of their numbers; two to six.
        choices: Vec<Choice>,
        /// What they are, which words the question.
        about: About,
    },
    /// A task goes on.
    Task {
        /// Its id.
        id: String,
        /// How.
        step: Move,
    },
    /// A human takes over.
    Handoff {
        /// Group of `bot.toml` that takes over.
        group: String,
        /// Why.
        reason: Reason,
        /// Rules, by their places in the evidence, whose words are said before: first aid, a link.
        said: Vec<usize>,
    },
    /// Nobody can take over and the bot does not know: give phone and hours.
    Decline(Reason),
    /// A sensitive word: say that this cannot be discussed.
    Block {
        /// Place in `sensitive.toml`.
        spec: usize,
    },
}

/// How a task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It begins.
    Begin,
    /// The message says something to it.
    GoOn,
    /// It waits for an answer, and the message is none.
    AskAgain,
}

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The customer opened the chat.
    Greeting,
    /// An entry of the FAQ, by its place in the knowledge.
    Entry(usize),
    /// One product, by its place in the knowledge.
    Product(usize),
    /// Rules, by their places in the evidence, whose words are said in this order.
    Rules(Vec<usize>),
    /// What the message means, by the id of the intent.
    Intent(String),
    /// The text that did not fit last time.
    Rest,
    /// The customer lets the matter drop.
    Dropped,
    /// The customer says how content they are.
    Rated(Rating),
    /// `继续` with nothing left.
    NothingLeft,
    /// A message without words.
    NoWords,
    /// A picture, voice message, video or file that nobody has taught the bot to read.
    Media,
}

/// What the choices of a question are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Topics of the FAQ: the bot is not sure what is meant.
    Topics,
    /// Products that all fit.
    Products,
}

/// Why a human is asked or the bot gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule says so, by its id.
    Rule(String),
    /// A sensitive word says so, by its id.
    Sensitive(String),
    /// What the message means, by the id of the intent.
    Intent(String),
    /// A task cannot go on, or leads there, by its id.
    Task(String),
    /// The customer picked it from the choices.
    Chosen,
    /// Nothing in the knowledge comes near.
    Unknown,
}

impl Decision {
    /// Stable name of the kind: `answer`, `clarify`, `task`, `handoff`, `decline` or `block`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::Clarify { .. } => "clarify",
            Self::Task { .. } => "task",
            Self::Handoff { .. } => "handoff",
            Self::Decline(_) => "decline",
            Self::Block { .. } => "block",
        }
    }
}

impl Reason {
    /// Stable name, for rows and webhooks.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Rule(_) => "rule",
            Self::Sensitive(_) => "sensitive",
            Self::Intent(_) => "intent",
            Self::Task(_) => "task",
            Self::Chosen => "chosen",
            Self::Unknown => "unknown",
        }
    }
}
