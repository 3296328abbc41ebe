//! What a maintainer writes: one folder a bot, read into plain values and linted.
//!
//! Nothing here answers a message. Rules are compiled by `rules`, entries are indexed by `retrieval`.
//!
//! ```text
//! folder -> document (TOML), table (CSV), markdown, words -> load -> Knowledge -> lint -> Finding
//! ```

pub mod calendar;
pub mod diff;
pub mod entry;
pub mod finding;
pub mod import;
pub mod limits;
pub mod notify;
pub mod product;
pub mod profile;
pub mod reply;
pub mod rule;
pub mod sensitive;
pub mod snapshot;
pub mod task;
pub mod wanted;

mod catalogue;
mod document;
mod faq;
mod folder;
mod lint;
mod load;
mod markdown;
mod near;
#[cfg(test)]
pub(crate) mod sample;
mod secret;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::knowledge::entry::Entry;
use crate::knowledge::limits::SHOWN_CHARS_MAX;
use crate::knowledge::product::Product;
use crate::knowledge::profile::Profile;
use crate::knowledge::reply::Replies;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::knowledge::task::Connectors;
use crate::knowledge::task::TaskSpec;
use crate::message::BotId;

pub use crate::knowledge::folder::PathError;
pub use crate::knowledge::folder::file_below;
pub use crate::knowledge::lint::lint;
pub use crate::knowledge::load::Loaded;
pub use crate::knowledge::load::load;
pub use crate::knowledge::near::suggestion;
pub use crate::knowledge::secret::secret_name;
pub use crate::knowledge::table::guarded;
pub use crate::knowledge::table::guarded_table;

/// Everything that one bot knows, as its folder says it.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// The folder's name.
    pub bot: BotId,
    /// The folder itself; attachments are opened below it.
    pub dir: PathBuf,
    /// Number of the version in the store that was read; `None` for a folder.
    pub version: Option<i64>,
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
    /// `tasks/*.toml`, in the order of their names.
    pub tasks: Vec<TaskSpec>,
    /// `connectors.toml`.
    pub connectors: Connectors,
}

/// Where something was written: a file below the bot's folder, and a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Path below the bot's folder, with `/` between its parts.
    pub file: String,
    /// Line of that file, counted from 1.
    pub line: usize,
}

/// The folders directly below `root` that hold a `bot.toml`, sorted by name; links are passed over.
///
/// # Errors
/// When `root` cannot be listed.
pub fn bots(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut bots = Vec::new();
    for item in fs::read_dir(root)? {
        let item = item?;
        let dir = item.path();
        if item.file_type()?.is_dir() && dir.join("bot.toml").is_file() {
            bots.push(dir);
        }
    }
    bots.sort();
    Ok(bots)
}

/// A value as findings repeat it: on one line, cut where it is long.
fn shown(value: &str) -> String {
    let mut shown: String =
        value.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if value.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
