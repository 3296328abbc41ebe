//! API keys: what they open, how they look, how they are kept.
//!
//! A key is shown once, when it is made. The store holds its SHA-256 only; a key has 256 random bits, so that
//! a slow hash would add nothing.

use sha2::Digest;
use sha2::Sha256;

use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// What a key opens. Each includes those above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Scope {
    /// Chat with the bots.
    Chat,
    /// See and close handoffs.
    Agent,
    /// Everything, also how an answer came about.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Agent, Self::Admin];

    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Agent => "agent",
            Self::Admin => "admin",
        }
    }

    /// The scope of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it opens.
    pub scope: Scope,
    /// Whether it shows telephone numbers, order numbers and addresses of customers.
    pub personal: bool,
}

/// Stands behind the scope of a key that shows them.
const PERSONAL: &str = "+personal";

impl Grant {
    /// As the store keeps it: `agent`, `agent+personal`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}{}", self.scope.as_str(), if self.personal { PERSONAL } else { "" })
    }

    /// The grant of a name. Who may do everything sees everything.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (scope, personal) = match name.strip_suffix(PERSONAL) {
            Some(scope) => (scope, true),
            None => (name, false),
        };
        let scope = Scope::named(scope)?;
        Some(Self { scope, personal: personal || scope == Scope::Admin })
    }
}

impl From<Scope> for Grant {
    fn from(scope: Scope) -> Self {
        Self { scope, personal: false }
    }
}

/// A new key: `yd_SCOPE_` and 64 hexadecimal digits.
///
/// * `random`: 32 bytes from the system's generator.
#[must_use]
pub fn new_key(scope: Scope, random: [u8; 32]) -> Secret {
    Secret::new(format!("yd_{}_{}", scope.as_str(), lower_hex(&random)))
}

/// What the store keeps of a key.
#[must_use]
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
