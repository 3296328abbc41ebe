//! Rows of training and evaluation files: JSON lines in the taxonomy's form.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::text::normalise::normalise;
use crate::training::lines;
use crate::training::lines::LinesError;

/// Most characters of a row's text.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// A message with what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What was typed.
    pub text: String,
    /// The wish that the customer would be angriest to see missed; empty: not labelled.
    #[serde(default)]
    pub intent: String,
    /// Intents that are as good a reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// All wishes where there are several, [`Self::intent`] among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<String>,
    /// Entities; `None`: not labelled.
    #[serde(default)]
    pub slots: Option<Vec<RowSlot>>,
    /// Line of its file, counted from 1.
    #[serde(skip)]
    pub line: usize,
}

impl Row {
    /// The intents that the row may rightly be taken for, its label first; an empty label stays empty.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        let others = self.also.iter().chain(&self.intents).filter(|name| **name != self.intent);
        std::iter::once(&self.intent).chain(others).map(String::as_str)
    }
}

/// An entity of a row. Offsets count characters of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSlot {
    /// Its name.
    pub name: String,
    /// The characters `start..end` of the text.
    pub value: String,
    /// First character.
    pub start: usize,
    /// The character behind the last.
    pub end: usize,
    /// Whether the mention is denied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
}

/// Reads a file of rows.
///
/// A file in which no row has an entity is taken for one without entity labels: its rows say nothing about
/// entities. In any other file, a row with an empty list says that it has none.
///
/// # Errors
/// The file cannot be read, or some lines are no rows. All of them are named, up to 20.
pub fn read(path: &Path) -> Result<Vec<Row>, LinesError> {
    let mut rows: Vec<Row> =
        lines::read(path, fault)?.into_iter().map(|(line, row)| Row { line, ..row }).collect();
    if rows.iter().all(|row| row.slots.as_ref().is_none_or(Vec::is_empty)) {
        rows.iter_mut().for_each(|row| row.slots = None);
    }
    Ok(rows)
}

/// What is left of a text when only letters and figures count; the text itself where that is nothing.
#[must_use]
pub fn letters(text: &str) -> String {
    let normalised = normalise(text);
    let letters: String = normalised.as_str().chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.is_empty() { text.to_owned() } else { letters }
}

/// Rows to learn from, without those whose text, but for signs, is measured with.
#[must_use]
pub fn without(mut rows: Vec<Row>, measured: &[Row]) -> Vec<Row> {
    let texts: HashSet<String> = measured.iter().map(|row| letters(&row.text)).collect();
    rows.retain(|row| !texts.contains(&letters(&row.text)));
    rows
}

/// What is wrong with a row, if anything.
fn fault(row: &Row) -> Option<String> {
    let n_chars = row.text.chars().count();
    if row.text.trim().is_empty() {
        return Some("the text is empty".into());
    }
    if n_chars > TEXT_CHARS_MAX {
        return Some(format!("the text has {n_chars} characters, at most {TEXT_CHARS_MAX} are read"));
    }
    let mut behind = 0;
    for slot in row.slots.iter().flatten() {
        let said: String =
            row.text.chars().skip(slot.start).take(slot.end.saturating_sub(slot.start)).collect();
        if slot.name.is_empty() || slot.start >= slot.end || slot.end > n_chars {
            return Some(format!(
                "entity {:?} stands at {}..{} of {n_chars} characters",
                slot.name, slot.start, slot.end
            ));
        }
        if said != slot.value {
            return Some(format!(
                "entity {:?} has the value {:?}, but {}..{} of the text is {said:?}",
                slot.name, slot.value, slot.start, slot.end
            ));
        }
        if slot.start < behind {
            return Some(format!(
                "entity {:?} at {}..{} overlaps the one before",
                slot.name, slot.start, slot.end
            ));
        }
        behind = slot.end;
    }
    let wishes: HashSet<&String> = row.intents.iter().collect();
    if !row.intents.is_empty() && !wishes.contains(&row.intent) {
        return Some(format!("intents {:?} lack the intent {:?}", row.intents, row.intent));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Vec<Row>, LinesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    }

    #[track_caller]
    fn refused(line: &str, expected: &str) {
        let error = read_bytes(line.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn wrong_offsets_are_refused_with_line_and_value() {
        refused(
            r#"{"text": "黑色衬衫", "intent": "x", "slots": [{"name": "color", "value": "黑色", "start": 1, "end": 3}]}"#,
            "rows.jsonl:1: entity \"color\" has the value \"黑色\", but 1..3 of the text is \"色衬\"",
        );
        refused(
            r#"{"text": "黑色", "intent": "x", "slots": [{"name": "color", "value": "黑色", "start": 0, "end": 9}]}"#,
            "entity \"color\" stands at 0..9 of 2 characters",
        );
        refused("{\"text\": \"  \"}", "the text is empty");
        refused("[1]", "not a row");
        refused(r#"{"text": "a", "intent": "x", "intents": ["y"]}"#, "lack the intent \"x\"");
        refused("\n\n", "has no rows");
    }

    #[test]
    fn an_office_encoding_is_read() {
        let (bytes, _, _) = encoding_rs::GB18030
            .encode("{\"text\": \"我想退换上个月买的黑色衬衫\", \"intent\": \"return_exchange\"}\n");
        assert_eq!(read_bytes(&bytes).unwrap()[0].text, "我想退换上个月买的黑色衬衫");
    }

    #[test]
    fn without_any_entity_a_file_says_nothing_about_them() {
        let without =
            read_bytes("{\"text\": \"你好\", \"intent\": \"a\", \"slots\": []}".as_bytes()).unwrap();
        assert_eq!(without[0].slots, None);
        let with = "{\"text\": \"你好\", \"intent\": \"a\", \"slots\": []}\n{\"text\": \"黑色\", \"slots\": [{\"name\": \"color\", \"value\": \"黑色\", \"start\": 0, \"end\": 2}]}";
        assert_eq!(read_bytes(with.as_bytes()).unwrap()[0].slots, Some(vec![]));
    }
}
