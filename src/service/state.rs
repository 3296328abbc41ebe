//! The stored form of a talk's state.

use serde::Deserialize;
use serde::Serialize;

use crate::policy::state::Choice;
use crate::policy::state::State;
use crate::policy::state::Target;

#[derive(Deserialize, Serialize)]
struct StateRow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<ChoiceRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct ChoiceRow {
    title: String,
    #[serde(flatten)]
    target: TargetRow,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
enum TargetRow {
    Entry(String),
    Product(String),
    Human,
}

/// Reads a state; an empty text is a fresh one.
///
/// # Errors
/// When the text is no state.
pub fn read(text: &str) -> serde_json::Result<State> {
    if text.is_empty() {
        return Ok(State::default());
    }
    let row: StateRow = serde_json::from_str(text)?;
    let pending = row
        .pending
        .into_iter()
        .map(|choice| Choice {
            title: choice.title,
            target: match choice.target {
                TargetRow::Entry(id) => Target::Entry(id),
                TargetRow::Product(id) => Target::Product(id),
                TargetRow::Human => Target::Human,
            },
        })
        .collect();
    Ok(State { pending, rest: row.rest })
}

/// Writes a state.
///
/// # Errors
/// Never in practice: a state holds texts only.
pub fn write(state: &State) -> serde_json::Result<String> {
    let pending = state
        .pending
        .iter()
        .map(|choice| ChoiceRow {
            title: choice.title.clone(),
            target: match &choice.target {
                Target::Entry(id) => TargetRow::Entry(id.clone()),
                Target::Product(id) => TargetRow::Product(id.clone()),
                Target::Human => TargetRow::Human,
            },
        })
        .collect();
    serde_json::to_string(&StateRow { pending, rest: state.rest.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_the_store() {
        let choice = |target| Choice { title: "怎么退货".to_owned(), target };
        let state = State {
            pending: vec![
                choice(Target::Entry("return".into())),
                choice(Target::Product("YR-1".into())),
                choice(Target::Human),
            ],
            rest: Some("下文".to_owned()),
        };
        assert_eq!(read(&write(&state).unwrap()).unwrap(), state);
        assert_eq!(read("").unwrap(), State::default());
        assert_eq!(read("{}").unwrap(), State::default());
        assert!(read("{\"pending\": 1}").is_err());
    }
}
