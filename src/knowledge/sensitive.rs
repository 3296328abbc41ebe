//! The shape of `sensitive.toml`. Matched by `rules`.

use serde::Deserialize;

/// Words that must not pass as they are.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SensitiveSpec {
    /// Unique within the bot.
    pub id: String,
    /// The words; found through inserted symbols and through pinyin as well.
    pub words: Vec<String>,
    /// What to do.
    pub action: SensitiveAction,
    /// Which way the words travel.
    #[serde(default)]
    pub direction: Direction,
    /// What the customer is told when the message is blocked (the bot's standard sentence when absent), or before
    /// the handoff is announced.
    pub message: Option<String>,
    /// Group that takes over, for `handoff`; the default group when absent.
    pub group: Option<String>,
    /// Also match other characters of the same sound (`薇信`), not only letters typed for them (`wei信`).
    #[serde(default)]
    pub homophones: bool,
    /// Line in `sensitive.toml`, from 1; filled by the loader.
    #[serde(skip)]
    pub line: usize,
}

/// What happens when a sensitive word is seen.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum SensitiveAction {
    /// The message is not looked at further; the customer is told why.
    Block,
    /// The word becomes `*` and the message goes on.
    Mask,
    /// A human takes over.
    Handoff,
}

/// From the customer, to the customer, or both.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the customer to us.
    In,
    /// From us to the customer.
    Out,
    /// Either way.
    #[default]
    Both,
}
