//! What one process at a time may do, and what processes over one store tell each other.

use jiff::Timestamp;

use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::limit;

/// A right that has one holder at a time, until it is given back or runs out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// What may be done, 1 to 256 bytes.
    pub name: String,
    /// Who may do it, 1 to 256 bytes. The same holder may take it again, which puts off its end.
    pub holder: String,
}

impl Lease {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        limit::name("lease", &self.name)?;
        limit::name("holder of a lease", &self.holder)
    }
}

/// A token of another system, which all processes use until its end.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// The token.
    pub value: Secret,
    /// Until when it is good.
    pub good_until: Timestamp,
}
