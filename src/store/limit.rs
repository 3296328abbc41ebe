//! How long and how many: limits that hold for every back end, so that a row written by one fits the other.

use crate::knowledge::limits::SNAPSHOT_BYTES_MAX;
use crate::store::StoreError;
use crate::store::VersionFiles;

/// Most bytes of all files of a version, or of a set of models, together: what a folder may hold.
pub const VERSION_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX;

/// Most UTF-8 bytes of an id, key, name, label or tag. WeCom's ids take 64, its SHA-256 keys in hex too.
/// Chosen by hand.
pub const NAME_BYTES_MAX: usize = 256;

/// Most UTF-8 bytes of a JSON payload, a callback's plaintext, a reply or a setting. Chosen by hand.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Most rows of one answer; a larger limit is cut to this. Chosen by hand.
pub const ROWS_MAX: u32 = 1000;

/// Most UTF-8 bytes of the path of a version's file.
const PATH_BYTES_MAX: usize = 4_096;

/// Refuses a name that is empty or longer than [`NAME_BYTES_MAX`].
pub(super) fn name(what: &'static str, value: &str) -> Result<(), StoreError> {
    if value.is_empty() {
        return Err(StoreError::Empty { what });
    }
    length(what, value, NAME_BYTES_MAX)
}

/// Refuses a name that is longer than [`NAME_BYTES_MAX`]. Empty is allowed.
pub(super) fn optional_name(what: &'static str, value: &str) -> Result<(), StoreError> {
    length(what, value, NAME_BYTES_MAX)
}

/// Refuses a payload longer than [`PAYLOAD_BYTES_MAX`]. Empty is allowed.
pub(super) fn payload(what: &'static str, value: &str) -> Result<(), StoreError> {
    length(what, value, PAYLOAD_BYTES_MAX)
}

/// Refuses a path that is empty or longer than [`PATH_BYTES_MAX`].
fn path(what: &'static str, value: &str) -> Result<(), StoreError> {
    if value.is_empty() {
        return Err(StoreError::Empty { what });
    }
    length(what, value, PATH_BYTES_MAX)
}

/// Refuses files that are none, have odd paths, or more bytes together than [`VERSION_BYTES_MAX`].
pub(super) fn files(what: &'static str, files: &VersionFiles) -> Result<(), StoreError> {
    if files.is_empty() {
        return Err(StoreError::Empty { what });
    }
    for path in files.keys() {
        self::path("path of a file", path)?;
    }
    match files.values().map(Vec::len).sum() {
        ..=VERSION_BYTES_MAX => Ok(()),
        len => Err(StoreError::TooLong { what, len, limit: VERSION_BYTES_MAX }),
    }
}

/// The number of rows to ask for, as SQL takes it.
pub(super) fn rows(limit: u32) -> i64 {
    i64::from(limit.min(ROWS_MAX))
}

fn length(what: &'static str, value: &str, limit: usize) -> Result<(), StoreError> {
    let len = value.len();
    if len > limit {
        return Err(StoreError::TooLong { what, len, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_payloads_end_at_their_limits() {
        assert!(name("name", &"x".repeat(NAME_BYTES_MAX)).is_ok());
        assert!(matches!(
            name("name", &"x".repeat(NAME_BYTES_MAX + 1)),
            Err(StoreError::TooLong { what: "name", len: 257, limit: 256 })
        ));
        assert!(matches!(name("name", ""), Err(StoreError::Empty { what: "name" })));
        assert!(payload("state", "").is_ok());
        assert!(payload("state", &"x".repeat(PAYLOAD_BYTES_MAX)).is_ok());
        assert!(payload("state", &"x".repeat(PAYLOAD_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn row_counts_are_cut() {
        assert_eq!((rows(0), rows(1000), rows(1001)), (0, 1000, 1000));
    }
}
