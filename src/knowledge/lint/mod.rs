//! What the values of a bot mean together: names that lead nowhere, questions asked twice, files that
//! are missing. One file a kind of knowledge; each gives findings and changes nothing.
//!
//! Reads the folder's metadata, and the TOML files again for the lines of their keys. Reads no clock.

mod attachments;
mod entries;
mod notify;
mod products;
mod profile;
mod replies;
mod rules;
mod similar;
mod spots;
mod welcome;

use std::collections::HashMap;

use jiff::civil::Date;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::lint::spots::Spots;
use crate::knowledge::load::in_order;

/// Looks at everything that one bot knows.
///
/// Secrets written as plain values are found by [`load`](crate::knowledge::load), which sees the files
/// as they are, remarks and broken ones included.
///
/// * `today`: the day in the bot's time zone, for what has run out.
/// * Returns the findings by file and line.
#[must_use]
pub fn lint(knowledge: &Knowledge, today: Date) -> Vec<Finding> {
    let spots = Spots::of(&knowledge.dir);
    let replies: Vec<&str> = knowledge.replies.reply.keys().map(String::as_str).collect();
    let mut findings = profile::findings(&knowledge.profile, &replies, &spots);
    findings.extend(notify::findings(&knowledge.profile, &spots));
    findings.extend(welcome::findings(&knowledge.profile.welcome, &spots));
    findings.extend(entries::findings(knowledge, today));
    findings.extend(similar::findings(&knowledge.entries));
    findings.extend(products::findings(knowledge));
    findings.extend(replies::findings(knowledge, &spots, today));
    findings.extend(rules::findings(knowledge));
    findings.extend(spots.synonyms(&knowledge.synonyms));
    in_order(findings)
}

/// Findings about ids that occur more than once.
fn duplicate_ids<'k>(ids: impl Iterator<Item = (&'k str, Source)>) -> Vec<Finding> {
    let mut first: HashMap<&str, Source> = HashMap::new();
    let mut findings = Vec::new();
    for (id, source) in ids {
        if let Some(earlier) = first.get(id) {
            let message = format!("编号“{id}”已经用在 {}:{}。", earlier.file, earlier.line);
            findings.push(Finding::error("duplicate-id", source, message, "换一个编号。"));
        } else {
            first.insert(id, source);
        }
    }
    findings
}
