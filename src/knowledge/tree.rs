//! Ways through a parsed TOML file: from a place in the text to a key, and back.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

/// Way from the root of a document to a key or a value.
pub(super) type Path = Vec<Step>;

/// One step of a way.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Into a table, by key.
    Key(String),
    /// Into an array, from 0.
    Index(usize),
}

/// What is looked for by its name where its place is not known.
#[derive(Clone, Copy)]
pub(super) enum Sought<'n> {
    /// A key.
    Key(&'n str),
    /// A string among the values.
    Word(&'n str),
}

/// Leaves in `found` the deepest path of which the key or the value has exactly this span.
pub(super) fn find_span(table: &DeTable<'_>, span: &Range<usize>, path: &mut Path, found: &mut Path) {
    for (key, value) in table {
        path.push(Step::Key(key.get_ref().to_string()));
        if key.span() == *span {
            found.clone_from(path);
        }
        find_span_in_value(value, span, path, found);
        path.pop();
    }
}

fn find_span_in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, path: &mut Path, found: &mut Path) {
    if value.span() == *span {
        found.clone_from(path);
    }
    match value.get_ref() {
        DeValue::Table(table) => find_span(table, span, path, found),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                find_span_in_value(item, span, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Leaves in `path` the way to the first key or string of that name; false where there is none.
pub(super) fn find_name(value: &DeValue<'_>, sought: Sought<'_>, path: &mut Path) -> bool {
    match value {
        DeValue::Table(table) => find_name_in_table(table, sought, path),
        DeValue::Array(items) => items.iter().enumerate().any(|(index, item)| {
            path.push(Step::Index(index));
            let found = find_name(item.get_ref(), sought, path);
            if !found {
                path.pop();
            }
            found
        }),
        DeValue::String(text) => matches!(sought, Sought::Word(word) if text.as_ref() == word),
        _ => false,
    }
}

/// As [`find_name`], from a table.
pub(super) fn find_name_in_table(table: &DeTable<'_>, sought: Sought<'_>, path: &mut Path) -> bool {
    table.iter().any(|(key, value)| {
        path.push(Step::Key(key.get_ref().to_string()));
        let here = matches!(sought, Sought::Key(name) if key.get_ref().as_ref() == name);
        let found = here || find_name(value.get_ref(), sought, path);
        if !found {
            path.pop();
        }
        found
    })
}

/// The value at the end of a way; `None` for the root itself.
pub(super) fn value_at<'a, 't>(root: &'a DeTable<'t>, path: &[Step]) -> Option<&'a DeValue<'t>> {
    spanned_at(root, path).map(Spanned::get_ref)
}

/// As [`value_at`], with its place.
pub(super) fn spanned_at<'a, 't>(root: &'a DeTable<'t>, path: &[Step]) -> Option<&'a Spanned<DeValue<'t>>> {
    let (first, rest) = path.split_first()?;
    let Step::Key(key) = first else { return None };
    rest.iter().try_fold(root.get(key.as_str())?, |value, step| match (value.get_ref(), step) {
        (DeValue::Table(table), Step::Key(key)) => table.get(key.as_str()),
        (DeValue::Array(items), Step::Index(index)) => items.get(*index),
        _ => None,
    })
}

/// Where a path is written: its key where it ends in one, else its value.
pub(super) fn place(root: &DeTable<'_>, path: &[Step]) -> Option<Range<usize>> {
    let (last, parents) = path.split_last()?;
    let parent = value_at(root, parents);
    match (parent, last) {
        (None, Step::Key(key)) => Some(root.get_key_value(key.as_str())?.0.span()),
        (Some(DeValue::Table(table)), Step::Key(key)) => Some(table.get_key_value(key.as_str())?.0.span()),
        (Some(DeValue::Array(items)), Step::Index(index)) => Some(items.get(*index)?.span()),
        _ => None,
    }
}

/// Takes out what a way leads to; later items of an array move up.
pub(super) fn remove(table: &mut DeTable<'_>, path: &[Step]) {
    let Some((Step::Key(key), rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.remove(key.as_str());
    } else if let Some(value) = table.get_mut(key.as_str()) {
        remove_in_value(value.get_mut(), rest);
    }
}

fn remove_in_value(value: &mut DeValue<'_>, path: &[Step]) {
    match (value, path) {
        (DeValue::Table(table), _) => remove(table, path),
        (DeValue::Array(items), [Step::Index(index)]) => {
            let kept = items.iter().enumerate().filter(|(at, _item)| at != index);
            *items = kept.map(|(_at, item)| item.clone()).collect();
        }
        (DeValue::Array(items), [Step::Index(index), rest @ ..]) => {
            if let Some(item) = items.get_mut(*index) {
                remove_in_value(item.get_mut(), rest);
            }
        }
        _ => {}
    }
}

/// Turns bare dates into the strings that the shapes expect.
pub(super) fn quote_dates(value: &mut DeValue<'_>) {
    match value {
        DeValue::Datetime(date) => *value = DeValue::String(date.to_string().into()),
        DeValue::Array(items) => items.iter_mut().for_each(|item| quote_dates(item.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_key, item)| quote_dates(item.get_mut())),
        _ => {}
    }
}

/// A way as people write it: `reply.size-chart.attachments[0]`.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Byte offsets at which the lines of a text begin.
pub(super) struct Starts(Vec<usize>);

impl Starts {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks =
            text.bytes().enumerate().filter(|(_at, byte)| *byte == b'\n').map(|(at, _byte)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// Notes the line of every key and array item below a table, by its way as people write it.
pub(super) fn collect_lines(
    table: &DeTable<'_>,
    prefix: &str,
    starts: &Starts,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        lines.insert(path.clone(), starts.line(key.span().start));
        collect_lines_of_value(value, path, starts, lines);
    }
}

fn collect_lines_of_value(
    value: &Spanned<DeValue<'_>>,
    path: String,
    starts: &Starts,
    lines: &mut BTreeMap<String, usize>,
) {
    match value.get_ref() {
        DeValue::Table(table) => collect_lines(table, &format!("{path}."), starts, lines),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                lines.insert(path.clone(), starts.line(item.span().start));
                collect_lines_of_value(item, path, starts, lines);
            }
        }
        _ => {}
    }
}

/// Notes every string below a value with its way and its line.
pub(super) fn collect_strings<'d>(
    value: &'d Spanned<DeValue<'_>>,
    path: String,
    starts: &Starts,
    strings: &mut Vec<(String, usize, &'d str)>,
) {
    match value.get_ref() {
        DeValue::String(text) => strings.push((path, starts.line(value.span().start), text.as_ref())),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_strings(item, format!("{path}[{index}]"), starts, strings);
            }
        }
        DeValue::Table(table) => {
            for (key, item) in table {
                collect_strings(item, format!("{path}.{}", key.get_ref()), starts, strings);
            }
        }
        _ => {}
    }
}

/// Line and column, both from 1, of a byte offset; the column counts characters.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    (line, 1 + before[line_start..].chars().count())
}
