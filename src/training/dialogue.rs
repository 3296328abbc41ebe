//! Whole conversations as text files, played with a bot and judged line by line.
//!
//! ```text
//! # 退货：先问规则，再问运费
//! bot: shop
//! at: 2026-11-20 10:00
//!
//! > 衣服不喜欢能退不
//! entry: return_policy-7days
//! says: 7天
//! ```
//!
//! Customer lines stand behind `> `, what is expected of the reply below them; `a | b` allows either. An expectation
//! behind `not yet:` is one that the bot does not fulfil today; it is a fault there once it does, so that the file says
//! what is true.

use std::path::Path;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::engine::Turn;
use crate::knowledge::Knowledge;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::message::Part;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::state::State;
use crate::policy::state::Target;
use crate::task::End;

/// A line of the customer that is no words but a picture.
const PICTURE: &str = "[图片]";

/// Between two lines of a customer.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// A conversation with what is expected of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// What it is about.
    pub title: String,
    /// Which bot.
    pub bot: String,
    /// When the first line is said, in the bot's time zone.
    pub at: DateTime,
    /// What the customer says.
    pub lines: Vec<Line>,
}

/// One line of the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is said.
    pub said: String,
    /// What the reply should be.
    pub expected: Vec<Expectation>,
}

/// Something expected of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub what: Wanted,
    /// Whether the bot does not do it yet.
    pub not_yet: bool,
    /// As written, for whoever reads the table.
    pub written: String,
}

/// What may be expected; a list holds alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One of these entries answers.
    Entry(Vec<String>),
    /// One of these products is shown.
    Product(Vec<String>),
    /// The message is about one of these.
    Intent(Vec<String>),
    /// The decision is one of these.
    Action(Vec<String>),
    /// One of these entries or products is among the choices.
    Offers(Vec<String>),
    /// One of these tasks stands at this step (`return-exchange.reason`), is `done`, or led to a `handoff`.
    Task(Vec<String>),
    /// The reply holds these words.
    Says(String),
    /// The reply does not.
    SaysNot(String),
}

/// How a line went.
#[derive(Clone, Debug)]
pub struct Played {
    /// What the customer said.
    pub said: String,
    /// What the bot said.
    pub reply: String,
    /// What it decided.
    pub action: &'static str,
    /// Expectations that were not met, and those that were met before their time, as written.
    pub faults: Vec<String>,
    /// Expectations.
    pub n_expected: usize,
    /// Those that the file itself says are not met yet.
    pub n_not_yet: usize,
}

/// Why there is no dialogue.
#[derive(Debug, thiserror::Error)]
pub enum DialogueError {
    /// The file or folder cannot be read.
    #[error("{}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A line of it.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// There is none in the folder.
    #[error("{} holds no dialogue: a file *.txt", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads the dialogues of a folder, in the order of their names.
///
/// # Errors
/// Names file and line.
pub fn read_all(folder: &Path) -> Result<Vec<(String, Dialogue)>, DialogueError> {
    let io = |path: &Path, source| DialogueError::Io { path: path.to_owned(), source };
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(|source| io(folder, source))? {
        let path = item.map_err(|source| io(folder, source))?.path();
        if path.extension().is_some_and(|end| end == "txt") {
            let text = std::fs::read_to_string(&path).map_err(|source| io(&path, source))?;
            let wrong = |(line, what)| DialogueError::Line { path: path.clone(), line, what };
            let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            found.push((name, parse(&text).map_err(wrong)?));
        }
    }
    if found.is_empty() {
        return Err(DialogueError::Empty { path: folder.to_owned() });
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Reads one dialogue.
///
/// # Errors
/// The line, counted from 1, and what is wrong with it.
pub fn parse(text: &str) -> Result<Dialogue, (usize, String)> {
    let (mut title, mut bot, mut at) = (None, None, None);
    let mut lines: Vec<Line> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let wrong = |what: String| (number, what);
        if line.is_empty() {
            continue;
        }
        if let Some(said) = line.strip_prefix("> ") {
            lines.push(Line { said: said.trim().to_owned(), expected: Vec::new() });
        } else if let Some(found) = line.strip_prefix("# ") {
            title = Some(found.to_owned());
        } else if let Some(current) = lines.last_mut() {
            current.expected.push(expectation(line).map_err(wrong)?);
        } else if let Some(found) = line.strip_prefix("bot:") {
            bot = Some(found.trim().to_owned());
        } else if let Some(found) = line.strip_prefix("at:") {
            let parsed = DateTime::strptime("%Y-%m-%d %H:%M", found.trim());
            at = Some(parsed.map_err(|error| wrong(format!("`at: 2026-11-20 10:00` is the form: {error}")))?);
        } else {
            return Err(wrong(format!("{line:?} stands before the first line of the customer")));
        }
    }
    let missing = |what: &str| (1, format!("there is no `{what}`"));
    if let Some(silent) = lines.iter().find(|line| line.expected.is_empty()) {
        return Err((1, format!("nothing is expected after {:?}", silent.said)));
    }
    if lines.is_empty() {
        return Err(missing("> "));
    }
    Ok(Dialogue {
        title: title.ok_or_else(|| missing("# "))?,
        bot: bot.ok_or_else(|| missing("bot:"))?,
        at: at.ok_or_else(|| missing("at:"))?,
        lines,
    })
}

fn expectation(written: &str) -> Result<Expectation, String> {
    let (not_yet, line) = match written.strip_prefix("not yet:") {
        Some(rest) => (true, rest.trim()),
        None => (false, written),
    };
    let (key, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no `key: value`"))?;
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("{key:?} has no value"));
    }
    let either = || value.split('|').map(|one| one.trim().to_owned()).collect();
    let what = match key {
        "entry" => Wanted::Entry(either()),
        "product" => Wanted::Product(either()),
        "intent" => Wanted::Intent(either()),
        "action" => Wanted::Action(either()),
        "offers" => Wanted::Offers(either()),
        "task" => Wanted::Task(either()),
        "says" => Wanted::Says(value.to_owned()),
        "not" => Wanted::SaysNot(value.to_owned()),
        _ => {
            return Err(format!(
                "{key:?} is no expectation: entry, product, intent, action, offers, task, says, not"
            ));
        }
    };
    Ok(Expectation { what, not_yet, written: written.to_owned() })
}

impl Dialogue {
    /// Plays the customer.
    ///
    /// * `respond`: answers a message that meets a state at a time; the bot, with whatever it calls.
    pub fn play(
        &self,
        known: &Knowledge,
        respond: &mut dyn FnMut(&Inbound, &State, Timestamp) -> Turn,
    ) -> Vec<Played> {
        let zone = TimeZone::get(&known.profile.timezone).unwrap_or(TimeZone::UTC);
        let mut now = self.at.to_zoned(zone).map_or_else(|_| Timestamp::UNIX_EPOCH, |at| at.timestamp());
        let mut state = State::default();
        let mut played = Vec::with_capacity(self.lines.len());
        // A customer of its own: no talk finds what another has left in the shop.
        let mut customer = Customer::new(&self.title, CustomerKind::Customer);
        for line in &self.lines {
            let content = match line.said.strip_prefix(PICTURE) {
                Some(_) => Content::Image,
                None => Content::Text(line.said.clone()),
            };
            let inbound = Inbound {
                bot: known.bot.clone(),
                channel: Channel::Web,
                customer: customer.clone(),
                content,
            };
            let turn = respond(&inbound, &state, now);
            let reply = turn.reply.parts.iter().flat_map(Part::words).collect::<Vec<_>>().join("\n");
            let fault = |one: &&Expectation| one.what.is_met(known, &turn, &reply) == one.not_yet;
            played.push(Played {
                said: line.said.clone(),
                action: turn.decision.action(),
                faults: line.expected.iter().filter(fault).map(|one| one.written.clone()).collect(),
                n_expected: line.expected.len(),
                n_not_yet: line.expected.iter().filter(|one| one.not_yet).count(),
                reply,
            });
            customer.tags.extend(turn.tags.iter().cloned());
            customer.record.extend(turn.told.iter().flat_map(|told| told.effects.record.clone()));
            state = turn.state;
            now += PAUSE;
        }
        played
    }
}

impl Wanted {
    fn is_met(&self, known: &Knowledge, turn: &Turn, reply: &str) -> bool {
        match self {
            Self::Entry(ids) => match turn.decision {
                Decision::Answer(Basis::Entry(at)) => ids.contains(&known.entries[at].id),
                _ => false,
            },
            Self::Product(ids) => match turn.decision {
                Decision::Answer(Basis::Product(at)) => ids.contains(&known.products[at].id),
                _ => false,
            },
            Self::Intent(names) => turn.evidence.meaning.intents.as_ref().is_some_and(|intents| {
                let first = intents.first().map(|(name, _)| name);
                names.iter().any(|name| first == Some(name) || intents.wishes.contains(name))
            }),
            Self::Action(names) => names.iter().any(|name| name == turn.decision.action()),
            Self::Offers(ids) => match &turn.decision {
                Decision::Clarify { choices, .. } => choices.iter().any(|choice| match &choice.target {
                    Target::Entry(id) | Target::Product(id) => ids.contains(id),
                    Target::Human => false,
                }),
                _ => false,
            },
            Self::Task(names) => turn.told.as_ref().is_some_and(|told| {
                let stands = match told.end {
                    End::Waiting | End::Calling(_) => told.progress.step.as_str(),
                    End::Done => "done",
                    End::Handoff(_) => "handoff",
                };
                names.contains(&format!("{}.{stands}", told.task))
            }),
            Self::Says(words) => reply.contains(words.as_str()),
            Self::SaysNot(words) => !reply.contains(words.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# 退货\nbot: shop\nat: 2026-11-20 10:00\n\n";

    #[track_caller]
    fn refused(text: &str, line: usize, what: &str) {
        let (at, found) = parse(text).unwrap_err();
        assert!(at == line && found.contains(what), "{at}: {found}");
    }

    #[test]
    fn lines_and_expectations_are_read() {
        let read =
            parse(&format!("{HEAD}> 能退吗\nentry: a | b\nnot yet: says: 7天\n\n> 好\naction: answer\n"));
        let read = read.unwrap();
        assert_eq!((read.title.as_str(), read.bot.as_str(), read.lines.len()), ("退货", "shop", 2));
        let [first, second] = read.lines[0].expected.as_slice() else { panic!("{read:?}") };
        assert_eq!(first.what, Wanted::Entry(vec!["a".into(), "b".into()]));
        assert!(!first.not_yet && second.not_yet);
        assert_eq!(second.what, Wanted::Says("7天".into()));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        refused(&format!("{HEAD}> 能退吗\nentries: a"), 6, "\"entries\" is no expectation");
        refused(&format!("{HEAD}> 能退吗\nentry:"), 6, "has no value");
        refused(&format!("{HEAD}> 能退吗"), 1, "nothing is expected after \"能退吗\"");
        refused("# x\nbot: shop\nat: 20.11.2026\n", 3, "is the form");
        refused("# x\nat: 2026-11-20 10:00\n> a\naction: answer", 1, "there is no `bot:`");
        refused("hello", 1, "stands before the first line");
    }
}
