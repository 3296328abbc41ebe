//! What a maintainer writes: one folder a bot, read into plain values and linted.
//!
//! Nothing here answers a message. Rules are compiled by `rules`, entries are indexed by `retrieval`.

pub mod calendar;
pub mod entry;
pub mod finding;
pub mod product;
pub mod profile;
pub mod reply;
pub mod rule;
pub mod sensitive;

use std::path::PathBuf;

use crate::knowledge::entry::Entry;
use crate::knowledge::product::Product;
use crate::knowledge::profile::Profile;
use crate::knowledge::reply::Replies;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::message::BotId;

/// Everything that one bot knows, as its folder says it.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// The folder's name.
    pub bot: BotId,
    /// The folder itself; attachments are opened below it.
    pub dir: PathBuf,
    /// `bot.toml`.
    pub profile: Profile,
    /// All entries of `faq/`, in the order of files and lines.
    pub entries: Vec<Entry>,
    /// `products.csv`, in the order of lines; empty where the bot sells nothing.
    pub products: Vec<Product>,
    /// `synonyms.txt`: groups of words that mean the same, the canonical word first.
    pub synonyms: Vec<Vec<String>>,
    /// `terms.txt`: words that segmentation must not cut.
    pub terms: Vec<String>,
    /// `rules.toml`, in the order of the file.
    pub rules: Vec<RuleSpec>,
    /// `replies.toml`.
    pub replies: Replies,
    /// `sensitive.toml`.
    pub sensitive: Vec<SensitiveSpec>,
}

/// Where something was written: a file below the bot's folder, and a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Path below the bot's folder, with `/` between its parts.
    pub file: String,
    /// Line of that file, counted from 1.
    pub line: usize,
}
