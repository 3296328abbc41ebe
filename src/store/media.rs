//! Files that WeCom keeps for a company, until it forgets them.

use jiff::Timestamp;

use crate::store::StoreError;
use crate::store::limit;

/// A file as a company handed it to WeCom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaKey {
    /// CorpID, 1 to 256 bytes.
    pub corp_id: String,
    /// WeCom's name of its kind, 1 to 256 bytes.
    pub kind: String,
    /// SHA-256 of its name and bytes.
    pub hash: [u8; 32],
}

/// What WeCom calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRow {
    /// WeCom's id, 1 to 256 bytes.
    pub media_id: String,
    /// When it was handed over.
    pub uploaded_at: Timestamp,
}

impl MediaKey {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("corp id", &self.corp_id)?;
        limit::name("kind of media", &self.kind)
    }
}
