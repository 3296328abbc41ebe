//! All that the stages before the decision have found.

use jiff::Zoned;

use crate::knowledge::sensitive::SensitiveAction;
use crate::message::MessageKind;
use crate::nlu::Meaning;
use crate::policy::state::State;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::faq::EntryHit;
use crate::rules::RuleHit;
use crate::task::Hearing;
use crate::task::Said;
use crate::task::TaskSet;
use crate::task::progress::Progress;
use crate::text::utterance::Utterance;

/// What speaks for one decision or another.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Kind of the message.
    pub kind: MessageKind,
    /// The message, read; after masking where words were masked.
    pub utterance: Utterance,
    /// The message as it was searched with, where it leans on what was said before; what follows is about this.
    pub completed: Option<String>,
    /// Sensitive words in what came in.
    pub sensitive: Vec<Alarm>,
    /// Intents and entities.
    pub meaning: Meaning,
    /// Rules that fired, in firing order.
    pub rules: Vec<RuleHit>,
    /// Entries, most probable first.
    pub entries: Vec<EntryHit>,
    /// Products, most probable first, and what is asked about them.
    pub products: ProductEvidence,
    /// What the tasks make of it.
    pub task: TaskEvidence,
}

/// What the tasks make of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskEvidence {
    /// The task that waits for an answer.
    pub waiting: Option<Waiting>,
    /// The task that the most probable intent starts.
    pub starts: Option<String>,
}

/// A task that waits for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its id.
    pub task: String,
    /// What the message says to it.
    pub hearing: Hearing,
}

impl TaskEvidence {
    /// Asks the tasks.
    #[must_use]
    pub fn gather(tasks: &TaskSet, before: &State, said: Said<'_>, now: &Zoned) -> Self {
        let attends = |progress: &&Progress| !progress.paused && tasks.remembers(progress, now.timestamp());
        let active = before.tasks.last().filter(attends);
        let waiting = active.map(|progress| Waiting {
            task: progress.task.clone(),
            hearing: tasks.hear(progress, said, now),
        });
        let intent = said.meaning.intents.as_ref().filter(|intents| !intents.foreign);
        let starts = intent
            .and_then(|intents| tasks.started_by(intents.first()?.0, said.utterance.as_str()))
            .map(str::to_owned);
        Self { waiting, starts }
    }
}

impl Evidence {
    /// The message as tasks hear it.
    #[must_use]
    pub fn said(&self) -> Said<'_> {
        Said { utterance: &self.utterance, kind: self.kind, meaning: &self.meaning }
    }
}

/// A sensitive word that was seen. The word itself stays out: the Turn is shown and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Place in `sensitive.toml`.
    pub spec: usize,
    /// Its id.
    pub id: String,
    /// What it asks for.
    pub action: SensitiveAction,
}
