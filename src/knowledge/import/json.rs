//! JSON and JSON lines: a list of objects is a table, its keys are the headings.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use crate::knowledge::import::ImportError;
use crate::knowledge::import::Refused;
use crate::knowledge::import::sheet::Cell;
use crate::knowledge::import::sheet::Sheet;

/// Reads a list of objects, one object with such a list in it, or an object a line.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Sheet>, ImportError> {
    let mut sheet = Sheet::default();
    let mut objects: Vec<(usize, Map<String, Value>)> = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) => take(name, items, &mut sheet, &mut objects),
        Ok(Value::Object(object)) => {
            let list = list(&object).unwrap_or_else(|| vec![Value::Object(object)]);
            take(name, list, &mut sheet, &mut objects);
        }
        Ok(_) => {}
        Err(whole) => {
            for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
                match serde_json::from_str(text) {
                    Ok(object) => objects.push((line, object)),
                    Err(_) if objects.is_empty() => {
                        return Err(ImportError::Damaged {
                            name: name.to_owned(),
                            detail: whole.to_string(),
                        });
                    }
                    Err(error) => {
                        let place = sheet.place(name, line);
                        sheet.refused.push(Refused { place, reason: format!("不是 JSON：{error}") });
                    }
                }
            }
        }
    }
    let objects: Vec<(usize, Map<String, Value>)> =
        objects.into_iter().map(|(line, object)| (line, flat(object))).collect();
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    for key in objects.iter().flat_map(|(_, object)| object.keys()) {
        let next = columns.len();
        columns.entry(key.clone()).or_insert(next);
    }
    // The headings stand above the first line.
    let headings = columns.iter().map(|(key, at)| (*at, Cell::Text(key.clone()))).collect();
    sheet.rows.insert(0, headings);
    for (line, object) in objects {
        let cells = object.into_iter().filter_map(|(key, value)| Some((columns[&key], cell(value)?)));
        sheet.rows.insert(line, cells.collect());
    }
    Ok(vec![sheet])
}

/// The first list in an answer, however deep it is wrapped: `{"code": 0, "data": {"list": [..]}}`. A list without anything
/// in it is one where there is no other.
fn list(object: &Map<String, Value>) -> Option<Vec<Value>> {
    let mut level: Vec<&Map<String, Value>> = vec![object];
    let mut empty = None;
    while !level.is_empty() {
        for items in level.iter().flat_map(|object| object.values()).filter_map(Value::as_array) {
            match items.first() {
                Some(Value::Object(_)) => return Some(items.clone()),
                None => empty = Some(Vec::new()),
                Some(_) => {}
            }
        }
        level = level.iter().flat_map(|object| object.values()).filter_map(Value::as_object).collect();
    }
    empty
}

/// Keys of objects inside of objects, joined with points: `price.sale`.
fn flat(object: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, value) in object {
        match value {
            Value::Object(inner) => {
                all.extend(flat(inner).into_iter().map(|(below, value)| (format!("{key}.{below}"), value)));
            }
            other => {
                all.insert(key, other);
            }
        }
    }
    all
}

fn take(name: &str, items: Vec<Value>, sheet: &mut Sheet, objects: &mut Vec<(usize, Map<String, Value>)>) {
    for (number, item) in (1..).zip(items) {
        match item {
            Value::Object(object) => objects.push((number, object)),
            other => {
                let place = sheet.place(name, number);
                sheet.refused.push(Refused { place, reason: format!("不是一个对象：{other:.40}") });
            }
        }
    }
}

fn cell(value: Value) -> Option<Cell> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text,
        Value::Array(items) => {
            let texts =
                items.into_iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            texts.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    };
    Some(Cell::Text(text))
}
