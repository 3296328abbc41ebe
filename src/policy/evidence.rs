//! All that the stages before the decision have found.

use crate::knowledge::sensitive::SensitiveAction;
use crate::message::MessageKind;
use crate::nlu::Meaning;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::faq::EntryHit;
use crate::rules::RuleHit;
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
