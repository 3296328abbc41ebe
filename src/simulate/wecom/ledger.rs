//! Everything that happened, in order, and every rule that was broken.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

/// Entries that are kept; the oldest go first.
const ENTRIES_MAX: usize = 1_000_000;

/// What happened.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Vec<Value>,
    broken: Vec<Value>,
}

impl Ledger {
    /// A request of the company's server.
    ///
    /// * `code`: `errcode` of the answer; `None` for an endpoint that is not here.
    pub(super) fn request(&mut self, at: Timestamp, path: &str, body: Value, code: Option<i64>) {
        self.push(
            json!({ "at": at.to_string(), "kind": "request", "path": path, "body": body, "errcode": code }),
        );
    }

    /// A delivery to the company's server, as often as it was made.
    pub(super) fn delivery(&mut self, at: Timestamp, app: &str, number: u32, outcome: &str) {
        self.push(json!({ "at": at.to_string(), "kind": "delivery", "app": app, "number": number, "outcome": outcome }));
    }

    /// Something that arrived on somebody's phone.
    pub(super) fn arrival(&mut self, at: Timestamp, whom: &str, message: &Value) {
        self.push(json!({ "at": at.to_string(), "kind": "arrival", "whom": whom, "message": message }));
    }

    /// A rule of WeCom's that a request broke.
    pub(super) fn breaks(&mut self, path: &str, rule: impl Into<String>) {
        let rule = rule.into();
        self.broken.push(json!({ "path": path, "rule": rule }));
    }

    fn push(&mut self, entry: Value) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.drain(..ENTRIES_MAX / 10);
        }
        self.entries.push(entry);
    }

    pub(super) fn view(&self) -> Value {
        json!({ "entries": self.entries, "broken": self.broken })
    }
}
