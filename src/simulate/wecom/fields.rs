//! Reading a request's fields as the developer centre's tables have them.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::simulate::wecom::ledger::Ledger;
use crate::simulate::wecom::refusal::Refusal;

/// The object of a request, with the path that it came to.
pub(super) struct Fields<'r> {
    path: &'static str,
    body: &'r Value,
}

impl<'r> Fields<'r> {
    pub(super) fn new(path: &'static str, body: &'r Value) -> Self {
        Self { path, body }
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &str, code: i64) -> Result<&'r str, Refusal> {
        match &self.body[name] {
            Value::String(text) if !text.is_empty() => Ok(text),
            _ => Err(Refusal::new(code, format!("{}: {name} missing or no text", self.path))),
        }
    }

    /// A text that may be missing; an empty one is a mistake of the caller's.
    pub(super) fn text_if_any(&self, name: &str) -> Result<Option<&'r str>, Refusal> {
        match &self.body[name] {
            Value::Null => Ok(None),
            Value::String(text) if !text.is_empty() => Ok(Some(text)),
            _ => Err(Refusal::new(40_058, format!("{}: {name} is empty or no text", self.path))),
        }
    }

    /// A whole number that may be missing.
    pub(super) fn number_if_any(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match &self.body[name] {
            Value::Null => Ok(None),
            value => value
                .as_i64()
                .map(Some)
                .ok_or_else(|| Refusal::new(40_058, format!("{}: {name} is no whole number", self.path))),
        }
    }

    /// A text that may be missing, or empty to take away what was there.
    pub(super) fn words_if_any(&self, name: &str) -> Result<Option<&'r str>, Refusal> {
        match &self.body[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(Refusal::new(40_058, format!("{}: {name} is no text", self.path))),
        }
    }

    /// A yes or no that may be missing.
    pub(super) fn flag_if_any(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match &self.body[name] {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(Refusal::new(40_058, format!("{}: {name} is neither true nor false", self.path))),
        }
    }

    /// Texts that may be missing, none of them then.
    pub(super) fn texts_if_any(&self, name: &str) -> Result<Vec<&'r str>, Refusal> {
        let wrong = || Refusal::new(40_058, format!("{}: {name} is no list of texts", self.path));
        match &self.body[name] {
            Value::Null => Ok(Vec::new()),
            Value::Array(texts) => texts.iter().map(|text| text.as_str().ok_or_else(wrong)).collect(),
            _ => Err(wrong()),
        }
    }

    /// An address that may be missing, with its scheme.
    pub(super) fn address_if_any(&self, name: &str) -> Result<Option<&'r str>, Refusal> {
        self.text_if_any(name)?.map(|address| self.with_scheme(name, address)).transpose()
    }

    /// Refuses an address without its scheme.
    pub(super) fn with_scheme<'t>(&self, name: &str, address: &'t str) -> Result<&'t str, Refusal> {
        if address.starts_with("http://") || address.starts_with("https://") {
            return Ok(address);
        }
        Err(Refusal::new(45_034, format!("{}: {name} {address} is without http(s)://", self.path)))
    }

    /// Whether something was said under this name.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.body[name].is_null()
    }

    /// An object that must be there.
    pub(super) fn object(&self, name: &str) -> Result<Fields<'r>, Refusal> {
        let body = &self.body[name];
        if body.is_object() {
            return Ok(Fields { path: self.path, body });
        }
        Err(Refusal::new(40_035, format!("{}: {name} missing or no object", self.path)))
    }

    /// A list that must be there.
    pub(super) fn list(&self, name: &str) -> Result<&'r [Value], Refusal> {
        let list = self.body[name].as_array().map(Vec::as_slice);
        list.ok_or_else(|| Refusal::new(40_035, format!("{}: {name} missing or no list", self.path)))
    }

    /// Refuses a text of more bytes.
    pub(super) fn within(&self, name: &str, text: &str, bytes_max: usize) -> Result<(), Refusal> {
        if text.len() <= bytes_max {
            return Ok(());
        }
        let words = format!("{}: {name} has {} bytes, at most {bytes_max}", self.path, text.len());
        Err(Refusal::new(40_058, words))
    }

    /// What is left of a text of which the server cuts what is past so many bytes; that it had to is noted.
    pub(super) fn cut<'t>(
        &self,
        name: &str,
        text: &'t str,
        bytes_max: usize,
        ledger: &mut Ledger,
    ) -> &'t str {
        if text.len() > bytes_max {
            ledger.breaks(self.path, format!("{name}: {} bytes are cut to {bytes_max}", text.len()));
        }
        &text[..text.floor_char_boundary(bytes_max)]
    }

    /// The same where characters are counted.
    pub(super) fn cut_chars<'t>(
        &self,
        name: &str,
        text: &'t str,
        chars_max: usize,
        ledger: &mut Ledger,
    ) -> &'t str {
        let Some((end, _)) = text.char_indices().nth(chars_max) else { return text };
        ledger
            .breaks(self.path, format!("{name}: {} characters are cut to {chars_max}", text.chars().count()));
        &text[..end]
    }

    /// Degrees of a place.
    pub(super) fn degrees(&self, name: &str, most: f64) -> Result<f64, Refusal> {
        let degrees = self.body[name].as_f64().filter(|degrees| degrees.abs() <= most);
        let words = || format!("{}: {name} is no number from -{most} to {most}", self.path);
        degrees.ok_or_else(|| Refusal::new(40_058, words()))
    }

    /// A whole number of a range; the smallest where it is missing.
    pub(super) fn number_within(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64, Refusal> {
        match self.number_if_any(name)? {
            None => Ok(*range.start()),
            Some(number) if range.contains(&number) => Ok(number),
            Some(number) => {
                Err(Refusal::new(40_058, format!("{}: {name} {number} is not in {range:?}", self.path)))
            }
        }
    }

    /// An object that may be missing.
    pub(super) fn object_if_any(&self, name: &str) -> Result<Option<Fields<'r>>, Refusal> {
        if self.has(name) { self.object(name).map(Some) } else { Ok(None) }
    }

    /// The objects of a list; it may be missing where none need be there.
    pub(super) fn items(
        &self,
        name: &str,
        count: RangeInclusive<usize>,
        code: i64,
    ) -> Result<Vec<Fields<'r>>, Refusal> {
        let items = if self.has(name) { self.list(name)? } else { &[] };
        if !count.contains(&items.len()) {
            let words = format!("{}: {name} has {} items, {count:?} are possible", self.path, items.len());
            return Err(Refusal::new(code, words));
        }
        Ok(items.iter().map(|item| self.of(item)).collect())
    }

    /// All of it, as it was sent.
    pub(super) fn value(&self) -> &'r Value {
        self.body
    }

    /// One of the objects of a list.
    pub(super) fn of(&self, body: &'r Value) -> Self {
        Self { path: self.path, body }
    }

    /// Refuses a text of more characters.
    pub(super) fn chars_within(&self, name: &str, text: &str, chars_max: usize) -> Result<(), Refusal> {
        let chars = text.chars().count();
        if chars <= chars_max {
            return Ok(());
        }
        Err(Refusal::new(
            40_058,
            format!("{}: {name} has {chars} characters, at most {chars_max}", self.path),
        ))
    }

    /// Notes fields that the tables do not have: the real server overlooks them, and what they were to do with them.
    pub(super) fn known(&self, names: &[&str], ledger: &mut Ledger) {
        let fields = self.body.as_object().into_iter().flatten();
        for (name, _) in fields.filter(|(name, _)| !names.contains(&name.as_str())) {
            ledger.breaks(self.path, format!("no field is called {name}"));
        }
    }
}
