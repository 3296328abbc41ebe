//! Tasks: slots that are filled in the course of a talk, steps that are taken, calls whose results become variables.
//!
//! ```text
//! tasks/*.toml -> TaskSpec -> TaskSet -> hear (what a message fills) -> run (steps up to the next question) -> Told
//! ```
//!
//! Steps only lead down, so that every run ends. A correction leads back up, by hand of the customer: to the first step
//! that its slot touches. A call is not made here: the run stops at it, and is repeated with its result.

pub mod expression;
pub mod graph;
mod hear;
pub mod lint;
pub mod progress;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use crate::knowledge::Knowledge;
use crate::knowledge::task::SlotSpec;
use crate::knowledge::task::TaskSpec;
use crate::message::MessageKind;
use crate::nlu::Meaning;
use crate::task::progress::Progress;
use crate::text::utterance::Utterance;

pub use crate::task::hear::Hearing;
pub use crate::task::hear::identity;
pub use crate::task::run::Run;

/// All tasks of a bot, ready to run.
#[derive(Clone, Debug, Default)]
pub struct TaskSet {
    tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
struct Task {
    spec: TaskSpec,
    unless: Option<Regex>,
    /// Patterns of slots, by the slot's name.
    patterns: BTreeMap<String, Regex>,
}

/// A message, as a task hears it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'m> {
    /// Its words.
    pub utterance: &'m Utterance,
    /// What it is.
    pub kind: MessageKind,
    /// What it means.
    pub meaning: &'m Meaning,
}

/// What a task says and does with one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The task's id.
    pub task: String,
    /// What is said, in this order.
    pub lines: Vec<Line>,
    /// How it ends for now.
    pub end: End,
    /// How far it has come.
    pub progress: Progress,
    /// What it does beside talking.
    pub effects: Effects,
    /// Steps that were reached and passed, in order.
    pub events: Vec<StepEvent>,
}

/// Something that a task says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Words.
    Words(String),
    /// A reply of `replies.toml`.
    Named(String),
    /// That something broke and a human goes on.
    CallFailed,
    /// That a task is taken up again, by its title.
    Resumed(String),
    /// A question with choices.
    Choices {
        /// The question.
        prompt: String,
        /// The choices in the order of their numbers.
        options: Vec<String>,
    },
}

/// How a run of a task ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It waits for the customer.
    Waiting,
    /// It waits for the result of a call.
    Calling(Call),
    /// It is done.
    Done,
    /// A human goes on: of this group, else of the default group.
    Handoff(Option<String>),
}

/// A call that a task or a rule makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name in `connectors.toml`.
    pub name: String,
    /// What it is given.
    pub with: BTreeMap<String, String>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallResult {
    /// It was answered.
    Answered(Value),
    /// The other side said no, in these words.
    Refused(String),
    /// It could not be made; a stable word for the log says why.
    Failed(&'static str),
}

/// What a run changes beside the talk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Tags for the customer.
    pub tags: Vec<String>,
    /// Fields for the customer's record.
    pub record: BTreeMap<String, String>,
    /// Tickets for staff.
    pub tickets: Vec<Ticket>,
}

/// Something that staff have to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it is about.
    pub title: String,
    /// The task's slots in words, by their titles.
    pub fields: BTreeMap<String, String>,
}

/// A step that was reached or passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEvent {
    /// The task.
    pub task: String,
    /// The step.
    pub step: String,
    /// Whether it is behind; else the customer stands at it.
    pub passed: bool,
}

/// A task file that cannot run.
#[derive(Debug, thiserror::Error)]
#[error("task {task:?}: {what} is no regular expression")]
pub struct TaskError {
    /// The task.
    pub task: String,
    /// Which key.
    pub what: String,
    /// Why.
    #[source]
    pub source: regex::Error,
}

impl TaskSet {
    /// Compiles the tasks of a bot.
    ///
    /// # Errors
    /// A pattern that is none; `check` tells it with its line.
    pub fn new(known: &Knowledge) -> Result<Self, TaskError> {
        let tasks = known.tasks.iter().map(|spec| {
            let regex = |what: String, pattern: &str| {
                Regex::new(pattern).map_err(|source| TaskError { task: spec.id.clone(), what, source })
            };
            let unless =
                spec.unless.as_deref().map(|pattern| regex("unless".to_owned(), pattern)).transpose()?;
            let mut patterns = BTreeMap::new();
            for (name, slot) in &spec.slot {
                if let Some(pattern) = &slot.pattern {
                    patterns.insert(name.clone(), regex(format!("slot.{name}.pattern"), pattern)?);
                }
            }
            Ok(Task { spec: spec.clone(), unless, patterns })
        });
        Ok(Self { tasks: tasks.collect::<Result<_, TaskError>>()? })
    }

    /// The task that an intent starts, unless the message only asks about it.
    ///
    /// * `text`: the message, normal form.
    #[must_use]
    pub fn started_by(&self, intent: &str, text: &str) -> Option<&str> {
        let is_wish = |task: &&Task| !task.unless.as_ref().is_some_and(|unless| unless.is_match(text));
        let named = |task: &&Task| task.spec.intents.iter().any(|own| own == intent);
        self.tasks.iter().find(named).filter(is_wish).map(|task| task.spec.id.as_str())
    }

    /// A task as written.
    #[must_use]
    pub fn spec(&self, id: &str) -> Option<&TaskSpec> {
        self.task(id).map(|task| &task.spec)
    }

    /// Whether a task under way is still remembered.
    #[must_use]
    pub fn remembers(&self, progress: &Progress, now: Timestamp) -> bool {
        self.task(&progress.task).is_some_and(|task| {
            now.duration_since(progress.at) <= SignedDuration::from_mins(i64::from(task.spec.minutes_max))
        })
    }

    fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.spec.id == id)
    }
}

impl Task {
    /// Place of a step; `None` before the first, and where a new version of the file has none of that name.
    fn place(&self, step: &str) -> Option<usize> {
        self.spec.step.iter().position(|own| own.id == step)
    }

    /// The slot that a task waits for.
    fn asked(&self, progress: &Progress) -> Option<(&str, &SlotSpec)> {
        let name = self.spec.step[self.place(&progress.step)?].ask.as_ref()?;
        let (name, slot) = self.spec.slot.get_key_value(name)?;
        Some((name, slot))
    }
}
