//! Versions of a bot's knowledge, and which of them answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;

use crate::message::BotId;
use crate::store::StoreError;
use crate::store::limit;

/// Number of a version, from 1, rising within a bot, never used twice.
pub type VersionNumber = i64;

/// The files of a version by their paths below the bot's folder, with `/` between the parts.
pub type VersionFiles = BTreeMap<String, Vec<u8>>;

/// A version to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// Whose knowledge it is.
    pub bot: BotId,
    /// At least one, at most [`VERSION_BYTES_MAX`](crate::store::VERSION_BYTES_MAX) bytes together.
    pub files: VersionFiles,
    /// Who made it, 1 to 256 bytes.
    pub author: String,
    /// Why, at most [`PAYLOAD_BYTES_MAX`](crate::store::PAYLOAD_BYTES_MAX) bytes.
    pub reason: String,
}

impl NewVersion {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("bot", &self.bot)?;
        limit::name("author", &self.author)?;
        limit::payload("reason", &self.reason)?;
        limit::files("version", &self.files)
    }
}

/// What tells the files of a version from all others: the SHA-256 of their paths and hashes, in order.
#[must_use]
pub fn fingerprint(files: &VersionFiles) -> [u8; 32] {
    let mut all = Sha256::new();
    for (path, bytes) in files {
        // Lengths first, so that no two lists read the same.
        all.update((path.len() as u64).to_le_bytes());
        all.update(path.as_bytes());
        all.update(Sha256::digest(bytes));
    }
    all.finalize().into()
}

/// A stored version, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Whose knowledge it is.
    pub bot: BotId,
    /// Its number.
    pub number: VersionNumber,
    /// See [`fingerprint`].
    pub fingerprint: [u8; 32],
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it came into the store.
    pub created_at: Timestamp,
    /// When it was last published; `None` for a draft.
    pub published_at: Option<Timestamp>,
}

/// A wish to let a version answer from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPublication {
    /// Whose.
    pub bot: BotId,
    /// Which version.
    pub number: VersionNumber,
    /// The version that answered when the wish was made; `None`: none did.
    pub instead_of: Option<VersionNumber>,
    /// Who publishes, 1 to 256 bytes.
    pub author: String,
    /// Why.
    pub reason: String,
}

impl NewPublication {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("author", &self.author)?;
        limit::payload("reason", &self.reason)
    }
}

/// A version that answered from a time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationRow {
    /// Whose.
    pub bot: BotId,
    /// Which version.
    pub number: VersionNumber,
    /// Who published it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// From when on.
    pub at: Timestamp,
}
