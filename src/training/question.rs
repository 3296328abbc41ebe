//! Labelled questions: rows of `knowledge/BOT/questions/*.jsonl`.

use std::path::Path;

use serde::Deserialize;

use crate::training::lines;
use crate::training::lines::LinesError;

/// One question and the entries that settle it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Question {
    /// As a customer typed it.
    pub text: String,
    /// Ids of entries, or `product:CATEGORY`; empty where the knowledge holds no answer.
    pub relevant: Vec<String>,
}

/// Reads a file of questions.
///
/// # Errors
/// Names the lines.
pub fn read(path: &Path) -> Result<Vec<Question>, LinesError> {
    Ok(lines::read(path, |_: &Question| None)?.into_iter().map(|(_, question)| question).collect())
}
