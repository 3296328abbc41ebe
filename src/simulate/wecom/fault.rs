//! What goes wrong by script: a path, how often, and how.

use serde::Deserialize;

/// Something that is to go wrong.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Fault {
    /// Path below `/cgi-bin/`, `callback` for what is delivered to the company's server, or `aibot` for what a bot is
    /// asked.
    pub path: String,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// How.
    #[serde(flatten)]
    pub effect: Effect,
}

fn once() -> u32 {
    1
}

/// How something goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// An HTTP status and no body.
    Status {
        /// The status.
        status: u16,
    },
    /// A gateway's page in place of JSON.
    Html,
    /// An answer that comes after everybody has gone.
    Stall,
    /// Half a JSON document.
    Truncated,
    /// A refusal.
    Code {
        /// `errcode`.
        code: i64,
    },
    /// It is done, and the answer does not arrive.
    AnswerLost,
    /// A delivery that never leaves.
    Lose,
    /// A delivery that is made so often at the same time.
    Twice {
        /// How often.
        copies: u32,
    },
}

/// Faults that wait for their requests.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The fault of the next request of a path.
    pub(super) fn take(&mut self, path: &str) -> Option<Effect> {
        let fault = self.0.iter_mut().find(|fault| fault.path == path && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.effect)
    }
}
