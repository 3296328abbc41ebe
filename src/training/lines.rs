//! Files of JSON lines: read whole, or refused with every line that is wrong.

use std::path::Path;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::text::decode::decode;

/// Problems of one file that are listed; the rest are counted.
const PROBLEMS_SHOWN: usize = 20;

/// Why a file gives no rows.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The file cannot be read.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Bytes that no known encoding explains.
    #[error("{} is in no known encoding (best guess {encoding})", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The best guess.
        encoding: &'static str,
    },
    /// Lines that are no rows.
    #[error("{}", list(path, problems, *n_problems))]
    Rows {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1, and what is wrong with it; the first of them.
        problems: Vec<(usize, String)>,
        /// How many there are in all.
        n_problems: usize,
    },
    /// There is nothing in it.
    #[error("{} has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a file with one row a line; blank lines are passed over.
///
/// * `fault`: what is wrong with a row that could be read, if anything.
/// * Returns the rows with their lines, counted from 1; at least one.
///
/// # Errors
/// The file cannot be read, or some lines are no rows. All of them are named, up to 20.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    fault: impl Fn(&T) -> Option<String>,
) -> Result<Vec<(usize, T)>, LinesError> {
    let bytes = std::fs::read(path).map_err(|source| LinesError::Io { path: path.to_owned(), source })?;
    let decoded = decode(&bytes);
    if decoded.replaced {
        return Err(LinesError::Encoding { path: path.to_owned(), encoding: decoded.encoding });
    }
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for (line, text) in decoded.text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        match serde_json::from_str::<T>(text) {
            Ok(row) => match fault(&row) {
                None => rows.push((line + 1, row)),
                Some(fault) => problems.push((line + 1, fault)),
            },
            Err(error) => problems.push((line + 1, format!("not a row: {error}"))),
        }
    }
    if !problems.is_empty() {
        let n_problems = problems.len();
        problems.truncate(PROBLEMS_SHOWN);
        return Err(LinesError::Rows { path: path.to_owned(), problems, n_problems });
    }
    if rows.is_empty() {
        return Err(LinesError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

fn list(path: &Path, problems: &[(usize, String)], n_problems: usize) -> String {
    let shown: Vec<String> =
        problems.iter().map(|(line, problem)| format!("{}:{line}: {problem}", path.display())).collect();
    let rest = n_problems - problems.len();
    let more = if rest > 0 { format!("\nand {rest} more") } else { String::new() };
    shown.join("\n") + &more
}
