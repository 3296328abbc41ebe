//! Limits of the interface, each with an error that names the value and the limit.

/// What WeCom would refuse, or cut without a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// A text or a list is too long, or too short.
    #[error("{what}有 {found} {unit}，要在 {min} 到 {max} {unit}之间")]
    Length {
        /// Which value.
        what: &'static str,
        /// How long it is.
        found: usize,
        /// What is counted.
        unit: &'static str,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// A number is outside of its range.
    #[error("{what}写的是 {found}，要在 {min} 到 {max} 之间")]
    Number {
        /// Which value.
        what: &'static str,
        /// The value.
        found: u64,
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Together(&'static str),
}

/// Refuses a text with more characters.
pub(super) fn chars(what: &'static str, text: &str, min: usize, max: usize) -> Result<(), LimitError> {
    within(what, text.chars().count(), "个字", min, max)
}

/// Refuses a text with more bytes.
pub(super) fn bytes(what: &'static str, text: &str, min: usize, max: usize) -> Result<(), LimitError> {
    within(what, text.len(), "字节", min, max)
}

/// Refuses a list with more items.
pub(super) fn items(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), LimitError> {
    within(what, found, "个", min, max)
}

/// Refuses a UserID that is none: the company chooses 1 to 64 bytes.
pub(super) fn user_id(user_id: &str) -> Result<(), LimitError> {
    bytes("员工的 userid ", user_id, 1, 64)
}

/// Refuses an id of WeCom's that is empty or absurd. Their form is no contract, so nothing else is looked at.
pub(super) fn id(what: &'static str, id: &str) -> Result<(), LimitError> {
    bytes(what, id, 1, 256)
}

/// Refuses a number outside of a range.
pub(super) fn number(what: &'static str, found: u64, min: u64, max: u64) -> Result<(), LimitError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(LimitError::Number { what, found, min, max })
}

fn within(
    what: &'static str,
    found: usize,
    unit: &'static str,
    min: usize,
    max: usize,
) -> Result<(), LimitError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(LimitError::Length { what, found, unit, min, max })
}
