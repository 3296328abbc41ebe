//! What tells who a customer is, kept from those who need not know.

use serde_json::Value;
use serde_json::json;

use crate::engine::Turn;
use crate::nlu::mask::is_personal;
use crate::nlu::mask::mask;
use crate::text::span::ByteSpan;

/// Whether telephone numbers, order numbers and addresses are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// As they were said.
    Shown,
    /// Masked.
    Hidden,
}

/// Fields of rows that hold names of ours and no words of anybody.
const OURS: [&str; 7] = ["id", "entry", "intent", "knowledge", "media", "model", "url"];

/// Field with the places of what is personal in the `text` beside it.
pub(super) const PLACES: &str = "personal";

/// Fields whose whole value is an address.
const ADDRESSES: [&str; 2] = ["address", "地址"];

/// Places of personal entities in a customer's text, in bytes, as the store keeps them with it.
#[must_use]
pub(super) fn spans(turn: &Turn) -> Vec<[usize; 2]> {
    let normal = &turn.evidence.utterance.normalised;
    let personal = turn
        .evidence
        .meaning
        .slots
        .iter()
        .filter(|slot| is_personal(slot.name, slot.span.of(normal.as_str())))
        .map(|slot| normal.to_original(slot.span))
        .filter(|span| !span.is_empty());
    personal.map(|span| [span.start, span.end]).collect()
}

impl Personal {
    /// What of a row may be shown: every text in it, without the places of what is personal.
    #[must_use]
    pub fn view(self, mut row: Value) -> Value {
        self.walk(&mut row, &[]);
        row
    }

    fn walk(self, value: &mut Value, known: &[ByteSpan]) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, &[])),
            Value::Object(fields) => {
                let known = fields.remove(PLACES).map(read).unwrap_or_default();
                for (name, field) in fields.iter_mut().filter(|(name, _)| !OURS.contains(&name.as_str())) {
                    let whole = match field {
                        Value::String(words) if ADDRESSES.iter().any(|address| name.contains(address)) => {
                            vec![ByteSpan::new(0, words.len())]
                        }
                        _ if name == "text" => known.clone(),
                        _ => Vec::new(),
                    };
                    self.walk(field, &whole);
                }
            }
            Value::String(words) if self == Self::Hidden => *words = mask(words, known),
            Value::Number(number) if self == Self::Hidden && is_long(number) => {
                *value = json!(mask(&number.to_string(), &[]));
            }
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) => {}
        }
    }
}

/// The places that a row keeps with its text.
fn read(places: Value) -> Vec<ByteSpan> {
    let places: Vec<[usize; 2]> = serde_json::from_value(places).unwrap_or_default();
    places.iter().filter(|[start, end]| start < end).map(|[start, end]| ByteSpan::new(*start, *end)).collect()
}

fn is_long(number: &serde_json::Number) -> bool {
    number.as_u64().is_some_and(|number| number >= 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_row_is_masked_and_our_own_names_are_not() {
        let row = json!({
            "id": "entry-20261123000001",
            "text": "老地方三楼 小李收",
            "personal": [[0, 15]],
            "fields": { "新地址": "三楼前台", "电话": "13800138000", "phone": 13_800_138_000_u64, "件数": 2 },
            "parts": [{ "text": "已登记 13800138000" }],
        });
        let shown = Personal::Hidden.view(row.clone());
        assert_eq!(shown["id"], row["id"]);
        assert_eq!(shown["text"], "老地**** 小李收");
        assert_eq!(shown["fields"]["新地址"], "三楼****");
        assert_eq!(
            (&shown["fields"]["电话"], &shown["fields"]["phone"]),
            (&json!("****8000"), &json!("****8000"))
        );
        assert_eq!(
            (&shown["fields"]["件数"], &shown["parts"][0]["text"]),
            (&json!(2), &json!("已登记 ****8000"))
        );
        let mut told = row.clone();
        told.as_object_mut().unwrap().remove("personal");
        assert_eq!(Personal::Shown.view(row), told);
    }
}
