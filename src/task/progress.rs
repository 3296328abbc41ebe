//! How far a task has come. It outlives the message, the process and a new version of the task's file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// A task under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its id.
    pub task: String,
    /// The step that it stands at.
    pub step: String,
    /// Slots that are filled; `null` for one that was left out.
    pub slots: BTreeMap<String, Value>,
    /// What calls have brought.
    pub saved: BTreeMap<String, Value>,
    /// Times that the prompt of the step was put.
    pub tries: u32,
    /// Whether it rests while a human serves the customer.
    pub paused: bool,
    /// When the customer last had a word in it.
    pub at: Timestamp,
}

impl Progress {
    /// A task about to begin.
    #[must_use]
    pub fn new(task: &str, slots: BTreeMap<String, Value>, now: Timestamp) -> Self {
        Self {
            task: task.to_owned(),
            step: String::new(),
            slots,
            saved: BTreeMap::new(),
            tries: 0,
            paused: false,
            at: now,
        }
    }
}
