//! Labelled questions: rows of `knowledge/BOT/questions/*.jsonl`.

use std::path::Path;

use serde::Deserialize;

/// One question and the entries that settle it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Question {
    /// As a customer typed it.
    pub text: String,
    /// Ids of entries, or `product:CATEGORY`; empty where the knowledge holds no answer.
    pub relevant: Vec<String>,
}

/// Why a file of questions cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The file itself.
    #[error("cannot read the questions")]
    Read(#[from] std::io::Error),
    /// A line of it.
    #[error("line {line} is not a row {{\"text\", \"relevant\"}}")]
    Row {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads a file of questions; blank lines are passed over.
///
/// # Errors
/// Names the line.
pub fn read(path: &Path) -> Result<Vec<Question>, QuestionError> {
    std::fs::read_to_string(path)?
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|source| QuestionError::Row { line: at + 1, source })
        })
        .collect()
}
