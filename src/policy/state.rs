//! What a talk remembers between two messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::knowledge::profile::Aspect;
use crate::knowledge::wanted::Wanted;
use crate::task::progress::Progress;

/// State of one conversation. A fresh one is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Choices that were offered last and not answered yet, in the order of their numbers.
    pub pending: Vec<Choice>,
    /// Text that did not fit into the last message; follows on `继续`.
    pub rest: Option<String>,
    /// What goods the talk is about.
    pub focus: Option<Focus>,
    /// Tasks under way; the last is the one that waits, those before it were interrupted.
    pub tasks: Vec<Progress>,
    /// Who and which, as the customer has said it.
    pub recalled: Option<Recalled>,
    /// When the customer was asked how content they are, and has said nothing since.
    pub surveyed: Option<Timestamp>,
}

/// Order, parcel, telephone and name that were told in a talk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recalled {
    /// Entities by the taxonomy's id.
    pub values: BTreeMap<String, Value>,
    /// When the last of them was told.
    pub at: Timestamp,
}

/// What goods a talk is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// The one article, by its number; `None` while several are.
    pub product: Option<String>,
    /// What was asked of it, in the customer's words.
    pub wanted: Wanted,
    /// What was asked about it last.
    pub aspect: Option<Aspect>,
    /// When it was talked about last.
    pub at: Timestamp,
}

/// One of several things offered to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Words that were shown.
    pub title: String,
    /// What picking it means.
    pub target: Target,
}

/// What a choice leads to. Ids, not places: the knowledge may have changed until the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An entry of the FAQ.
    Entry(String),
    /// A product.
    Product(String),
    /// A human.
    Human,
}
