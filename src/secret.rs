//! Tokens, keys and passwords, as a type that cannot reach a log line.
//!
//! There is no `Display`, `Debug` hides the words, and comparing takes the same time wherever two values differ.

use std::fmt;

use subtle::ConstantTimeEq;

/// A string that must not be shown: reading it takes an explicit [`Secret::expose`].
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the words out of sight.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The words themselves, for the one place that signs, encrypts or sends them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `candidate`, sent by a stranger, is this secret; takes as long for a near miss as for a far one.
    ///
    /// Only the length may be learnt from the time it takes.
    ///
    /// ```
    /// let token = yingda::secret::Secret::new("kfTestToken2024");
    /// assert!(token.matches("kfTestToken2024"));
    /// assert!(!token.matches("kfTestToken2025"));
    /// ```
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        same_bytes(self.0.as_bytes(), candidate.as_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
#[must_use]
pub fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    bool::from(left.ct_eq(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_words() {
        let shown = format!("{:?} {:#?}", Secret::new("hunter2"), Some(Secret::new("hunter2")));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.starts_with("Secret(***)"), "{shown}");
    }

    #[test]
    fn equality_looks_at_every_byte_and_at_the_length() {
        let secret = Secret::new("abc");
        for (candidate, expected) in
            [("abc", true), ("abd", false), ("xbc", false), ("ab", false), ("abcd", false), ("", false)]
        {
            assert_eq!(secret.matches(candidate), expected, "{candidate}");
        }
        assert_eq!(Secret::new("abc"), secret);
        assert_ne!(Secret::new(""), secret);
        assert!(Secret::new("").matches(""));
    }

    #[test]
    fn a_configuration_gives_a_plain_string() {
        let secret: Secret = serde_json::from_str("\"s3cret\"").expect("a JSON string");
        assert_eq!(secret.expose(), "s3cret");
    }
}
