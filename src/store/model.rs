//! The models that all processes over a store read with.

use crate::store::StoreError;
use crate::store::VersionFiles;
use crate::store::limit;

/// Refuses a set of models that no back end may store.
pub(super) fn check(files: &VersionFiles) -> Result<(), StoreError> {
    if files.is_empty() {
        return Err(StoreError::Empty { what: "set of models" });
    }
    for path in files.keys() {
        limit::path("path of a file", path)?;
    }
    limit::models(files.values().map(Vec::len).sum())
}
