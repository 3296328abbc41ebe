//! `src/http/openapi.json` as something that answers can be held against.

use std::collections::BTreeSet;

use serde_json::Value;

/// Keywords of a schema that only people read.
const FOR_PEOPLE: [&str; 6] = ["description", "default", "discriminator", "format", "maxLength", "example"];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document.
pub(crate) struct Contract {
    document: Value,
}

impl Contract {
    /// Reads the document from the source.
    pub(crate) fn read() -> Self {
        let text = include_str!("../../src/http/openapi.json");
        Self { document: serde_json::from_str(text).expect("openapi.json is JSON") }
    }

    /// The whole of it.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// All operations: method in lower case, and path.
    pub(crate) fn operations(&self) -> BTreeSet<(String, String)> {
        let paths = self.document["paths"].as_object().expect("paths");
        let of_path = |(path, item): (&String, &Value)| {
            let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
            methods.map(|method| ((*method).to_owned(), path.clone())).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// What is wrong with an answer; empty where the document describes it, or nothing of the kind is asked.
    ///
    /// * `path`: of the request, without its query.
    /// * `content_type`: of the answer; empty where it has none.
    pub(crate) fn complaints(
        &self,
        method: &str,
        path: &str,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Vec<String> {
        let Some(operation) = self.operation(&method.to_lowercase(), path) else { return Vec::new() };
        let Some(response) = operation["responses"].get(status.to_string()) else {
            return vec![format!("status {status} of {method} {path} is not described")];
        };
        let content = &self.resolved(response)["content"];
        let kind = content_type.split(';').next().unwrap_or_default();
        if content.get("*/*").is_some() || content_type.is_empty() && body.is_empty() {
            return Vec::new();
        }
        let Some(described) = content.get(kind) else {
            return vec![format!("{kind:?} of {method} {path}, status {status}, is not described")];
        };
        if kind != "application/json" {
            return Vec::new();
        }
        let mut complaints = Vec::new();
        match serde_json::from_slice(body) {
            Ok(value) => self.hold(&described["schema"], &value, "$", &mut complaints),
            Err(error) => complaints.push(format!("no JSON: {error}")),
        }
        complaints
    }

    /// The operation of a request; a path without parameters goes before one with.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object()?;
        let fitting = paths.iter().filter(|(template, _)| fits(template, path));
        let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        item.get(method)
    }

    fn resolved<'c>(&'c self, value: &'c Value) -> &'c Value {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
        let pointer = reference.strip_prefix('#').expect("a reference inside of the document");
        self.document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// Collects what a value breaks of a schema. Knows the keywords that the document uses, and fails on
    /// any other, so that none is passed over.
    pub(crate) fn hold(&self, schema: &Value, value: &Value, at: &str, complaints: &mut Vec<String>) {
        let schema = self.resolved(schema);
        for (keyword, expected) in schema.as_object().expect("a schema is an object") {
            let number = || expected.as_f64().expect("a limit is a number");
            let len = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
            let held = match keyword.as_str() {
                keyword if FOR_PEOPLE.contains(&keyword) => true,
                "type" => match expected {
                    Value::Array(kinds) => kinds.iter().any(|kind| is_of(value, kind)),
                    kind => is_of(value, kind),
                },
                "const" => value == expected,
                "enum" => expected.as_array().expect("a list").contains(value),
                "minimum" => value.as_f64().is_none_or(|value| value >= number()),
                "maximum" => value.as_f64().is_none_or(|value| value <= number()),
                "minLength" => value.as_str().is_none_or(|text| len(text.chars().count()) >= number()),
                "minItems" => value.as_array().is_none_or(|items| len(items.len()) >= number()),
                "maxItems" => value.as_array().is_none_or(|items| len(items.len()) <= number()),
                "oneOf" => {
                    let alternatives = expected.as_array().expect("a list").iter();
                    let holding = alternatives.filter(|alternative| {
                        let mut broken = Vec::new();
                        self.hold(alternative, value, at, &mut broken);
                        broken.is_empty()
                    });
                    holding.count() == 1
                }
                "items" => {
                    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.hold(expected, item, &format!("{at}[{place}]"), complaints);
                    }
                    true
                }
                "required" => {
                    let names = expected.as_array().expect("a list").iter().filter_map(Value::as_str);
                    value.as_object().is_none_or(|map| names.into_iter().all(|name| map.contains_key(name)))
                }
                "properties" => {
                    for (name, inner) in expected.as_object().expect("properties") {
                        if let Some(value) = value.get(name) {
                            self.hold(inner, value, &format!("{at}.{name}"), complaints);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = |name: &str| schema["properties"].get(name).is_some();
                    let others: Vec<_> =
                        value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)).collect();
                    if expected.is_object() {
                        for (name, value) in &others {
                            self.hold(expected, value, &format!("{at}.{name}"), complaints);
                        }
                    }
                    expected.is_object() || others.is_empty()
                }
                other => panic!("the schema at {at} uses {other:?}, which this check does not know"),
            };
            if !held {
                complaints.push(format!("{at}: {keyword} {expected} is broken by {value}"));
            }
        }
    }
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str().expect("a kind is a word") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("no kind of value is called {other:?}"),
    }
}

/// Whether a path is one of a template's; the parameter `{path}` takes slashes too.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("{path}"), Some(_)) => return true,
            (Some(want), Some(give)) if want == give || want.starts_with('{') && !give.is_empty() => {}
            _ => return false,
        }
    }
}

#[test]
fn a_value_is_held_against_its_schema() {
    #[track_caller]
    fn check(schema: &str, value: Value, expected: bool) {
        let contract = Contract::read();
        let reference = serde_json::json!({ "$ref": format!("#/components/schemas/{schema}") });
        let mut complaints = Vec::new();
        contract.hold(&reference, &value, "$", &mut complaints);
        assert_eq!(complaints.is_empty(), expected, "{value}: {complaints:?}");
    }
    use serde_json::json;
    check("Part", json!({ "type": "text", "text": "您好" }), true);
    check("Part", json!({ "type": "text", "text": "" }), false);
    check("Part", json!({ "type": "text", "words": "您好" }), false);
    check("Part", json!({ "type": "text", "text": "您好", "more": 1 }), false);
    check("Part", json!({ "type": "film", "text": "您好" }), false);
    check("Error", json!({ "error": { "code": "flood", "message": "慢" } }), true);
    check("Error", json!({ "error": { "code": "invented", "message": "慢" } }), false);
    check("Error", json!({ "error": { "code": "flood", "message": "慢" }, "reply": [] }), false);
    check("Thresholds", json!({ "answer": 1.5, "clarify": 0, "margin": 0 }), false);
    check("Slot", json!({ "name": "item", "value": "", "start": -1, "end": 0 }), false);
    assert!(fits("/a/{bot}/{path}", "/a/shop/x/y.png") && !fits("/a/{bot}/b", "/a/shop/c"));
}
