//! Keys of the HTTP interface. The store sees hashes only, and gives none back.

use jiff::Timestamp;

/// Id of an API key, above 0, never used twice.
pub type KeyId = i64;

/// A stored API key, without its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// What it opens, as `http` names it.
    pub scope: String,
    /// What the operator calls it.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// True when it opens nothing any more.
    pub revoked: bool,
}
