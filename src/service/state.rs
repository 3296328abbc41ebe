//! The stored form of a talk's state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::knowledge::profile::Aspect;
use crate::knowledge::wanted::Wanted;
use crate::policy::state::Choice;
use crate::policy::state::Focus;
use crate::policy::state::Recalled;
use crate::policy::state::State;
use crate::policy::state::Target;
use crate::task::progress::Progress;

#[derive(Deserialize, Serialize)]
struct StateRow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<ChoiceRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    focus: Option<FocusRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<ProgressRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recalled: Option<RecalledRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    surveyed: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
struct ProgressRow {
    task: String,
    step: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    slots: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    saved: BTreeMap<String, Value>,
    #[serde(default)]
    tries: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
struct RecalledRow {
    values: BTreeMap<String, Value>,
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
struct FocusRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    colours: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    traits: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aspect: Option<Aspect>,
    at: Timestamp,
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
    let focus = row.focus.map(|focus| Focus {
        product: focus.product,
        wanted: Wanted {
            items: focus.items,
            colours: focus.colours,
            sizes: focus.sizes,
            traits: focus.traits,
            ..Wanted::default()
        },
        aspect: focus.aspect,
        at: focus.at,
    });
    let tasks = row.tasks.into_iter().map(|ProgressRow { task, step, slots, saved, tries, paused, at }| {
        Progress { task, step, slots, saved, tries, paused, at }
    });
    let recalled = row.recalled.map(|RecalledRow { values, at }| Recalled { values, at });
    Ok(State { pending, rest: row.rest, focus, tasks: tasks.collect(), recalled, surveyed: row.surveyed })
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
    let focus = state.focus.clone().map(|Focus { product, wanted, aspect, at }| FocusRow {
        product,
        items: wanted.items,
        colours: wanted.colours,
        sizes: wanted.sizes,
        traits: wanted.traits,
        aspect,
        at,
    });
    let tasks = state.tasks.iter().cloned().map(|progress| {
        let Progress { task, step, slots, saved, tries, paused, at } = progress;
        ProgressRow { task, step, slots, saved, tries, paused, at }
    });
    let recalled = state.recalled.clone().map(|Recalled { values, at }| RecalledRow { values, at });
    let rest = state.rest.clone();
    let surveyed = state.surveyed;
    serde_json::to_string(&StateRow { pending, rest, focus, tasks: tasks.collect(), recalled, surveyed })
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
            focus: Some(Focus {
                product: Some("YR-1".to_owned()),
                wanted: Wanted {
                    items: vec!["衬衫".to_owned()],
                    colours: vec!["黑色".to_owned()],
                    sizes: vec!["l码".to_owned()],
                    traits: vec!["纯棉".to_owned()],
                    ..Wanted::default()
                },
                aspect: Some(Aspect::Price),
                at: Timestamp::from_second(1_795_485_600).unwrap(),
            }),
            tasks: vec![Progress {
                task: "return".to_owned(),
                step: "reason".to_owned(),
                slots: BTreeMap::from([
                    ("ok".to_owned(), Value::Bool(true)),
                    ("left".to_owned(), Value::Null),
                ]),
                saved: BTreeMap::from([("found".to_owned(), serde_json::json!([{ "number": "1" }]))]),
                tries: 2,
                paused: true,
                at: Timestamp::from_second(1_795_485_600).unwrap(),
            }],
            recalled: Some(Recalled {
                values: BTreeMap::from([("phone".to_owned(), serde_json::json!("13800001234"))]),
                at: Timestamp::from_second(1_795_485_600).unwrap(),
            }),
            surveyed: Some(Timestamp::from_second(1_795_485_600).unwrap()),
        };
        assert_eq!(read(&write(&state).unwrap()).unwrap(), state);
        assert_eq!(read("").unwrap(), State::default());
        assert_eq!(read("{}").unwrap(), State::default());
        assert!(read("{\"pending\": 1}").is_err());
    }
}
