//! A TOML file with the places of its keys, so that every complaint names file, line, column and key.
//!
//! Values are never repeated in a finding unless they stand where a date or one word of a closed list
//! belongs: a token pasted into the wrong place must not end up in a log.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::de::Deserializer;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::near::suggestion;
use crate::knowledge::shown;
use crate::knowledge::tree::Path;
use crate::knowledge::tree::Sought;
use crate::knowledge::tree::Starts;
use crate::knowledge::tree::Step;
use crate::knowledge::tree::collect_lines;
use crate::knowledge::tree::collect_strings;
use crate::knowledge::tree::find_name;
use crate::knowledge::tree::find_name_in_table;
use crate::knowledge::tree::find_span;
use crate::knowledge::tree::place;
use crate::knowledge::tree::position;
use crate::knowledge::tree::quote_dates;
use crate::knowledge::tree::remove;
use crate::knowledge::tree::spanned_at;
use crate::knowledge::tree::value_at;
use crate::knowledge::tree::written;

/// A parsed TOML file.
pub(super) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

/// Rounds of reading and mending; a file with more mistakes tells the rest next time.
const ROUNDS_MAX: usize = 200;
/// Syntax errors told of one file; the later ones mostly follow from the earlier.
const SYNTAX_ERRORS_MAX: usize = 10;

/// Place of a key that we put in ourselves; no error of a real key has it.
const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

impl<'t> Document<'t> {
    /// Parses the text of a file; `None` after syntax errors, each of which became a finding.
    pub(super) fn parse(file: &'t str, text: &'t str, findings: &mut Vec<Finding>) -> Option<Self> {
        let (mut root, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            let near_key = match key_of_line(text, line) {
                Some(key) => format!("，在“{}”附近", shown(key)),
                None => String::new(),
            };
            let message =
                format!("第 {line} 行第 {column} 列不合 TOML 的写法{near_key}（{}）。", error.message());
            let source = Source { file: file.to_owned(), line };
            findings.push(Finding::error("toml-syntax", source, message, syntax_remedy(error.message())));
        }
        // Dates may be written bare, as TOML has them, or quoted; the shapes expect the words.
        for (_key, value) in root.get_mut().iter_mut() {
            quote_dates(value.get_mut());
        }
        errors.is_empty().then_some(Self { file, text, root })
    }

    /// Reads the document into its shape.
    ///
    /// Whatever does not fit is reported and left out, and the reading goes on without it, so that one
    /// run tells all mistakes. `None` when something required is missing or wrong at the top.
    pub(super) fn read<T: DeserializeOwned>(&self, findings: &mut Vec<Finding>) -> Option<T> {
        let mut root = self.root.clone();
        let mut gone = Gone::default();
        let mut stood_in = false;
        for _round in 0..ROUNDS_MAX {
            let error = match T::deserialize(Deserializer::from(root.clone())) {
                Ok(read) => return (!stood_in).then_some(read),
                Err(error) => error,
            };
            let complaint = Complaint::of(error.message());
            let path = locate(&root, error.span(), &complaint);
            if !gone.explains(root.get_ref(), &path, &complaint) {
                findings.push(self.finding(root.get_ref(), &path, error.span(), &complaint));
            }
            match &complaint {
                Complaint::Missing(name) if path.is_empty() => {
                    stood_in = true;
                    let key = Spanned::new(NOWHERE, name.clone().into());
                    let blank = Spanned::new(NOWHERE, DeValue::String("".into()));
                    if root.get_mut().insert(key, blank).is_some() {
                        return None;
                    }
                }
                _ if path.is_empty() => return None,
                _ => {
                    gone.note(root.get_ref(), &path);
                    remove(root.get_mut(), &path);
                }
            }
        }
        None
    }

    /// The lines of all keys and array items, by paths such as `reply.size-chart.attachments[0].file`.
    pub(super) fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        let starts = Starts::of(self.text);
        collect_lines(self.root.get_ref(), "", &starts, &mut lines);
        lines
    }

    /// All strings of the document with the path of their keys and their line.
    pub(super) fn strings(&self) -> Vec<(String, usize, &str)> {
        let mut strings = Vec::new();
        let starts = Starts::of(self.text);
        for (key, value) in self.root.get_ref() {
            collect_strings(value, key.get_ref().to_string(), &starts, &mut strings);
        }
        strings
    }

    fn finding(
        &self,
        root: &DeTable<'_>,
        path: &[Step],
        span: Option<Range<usize>>,
        complaint: &Complaint,
    ) -> Finding {
        let spot = place(root, path).or(span).map_or(0, |span| span.start);
        let (line, column) = position(self.text, spot);
        let source = Source { file: self.file.to_owned(), line };
        let key = written(path);
        let lead = format!("第 {line} 行第 {column} 列");
        match complaint {
            Complaint::UnknownKey(name, known) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("{lead}有不认识的键“{}”（完整路径 {}）。", shown(name), shown(&key));
                Finding::error("unknown-key", source, message, &suggestion(name, &known))
            }
            Complaint::UnknownWord(name, known) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("{lead}“{}”处写了不认识的“{}”。", shown(&key), shown(name));
                Finding::error("bad-value", source, message, &suggestion(name, &known))
            }
            Complaint::Missing(name) => {
                let within =
                    if path.is_empty() { "文件".to_owned() } else { format!("“{}”", shown(&key)) };
                let message = format!("{lead}：{within}里缺少必填的键“{name}”。");
                Finding::error("missing-key", source, message, "补上这个键。")
            }
            Complaint::WrongType { wanted } => {
                let message = format!("{lead}“{}”的值类型不对，应当是{wanted}。", shown(&key));
                Finding::error(
                    "bad-value",
                    source,
                    message,
                    "改成要求的类型；文字要加英文双引号，数字和 true/false 不加。",
                )
            }
            Complaint::Other => {
                let date = value_at(root, path).and_then(DeValue::as_str);
                let value = date.map(|date| format!("“{}”", shown(date))).unwrap_or_default();
                let message = format!("{lead}“{}”的值{value}不能用。", shown(&key));
                Finding::error(
                    "bad-value",
                    source,
                    message,
                    "日期写成 2026-10-01 的样子；动作写成 { reply = \"名字\" }，一个括号里一个动作。",
                )
            }
        }
    }
}

/// What a reading has left out so far, to tell a mistake from the gap that an earlier one left.
///
/// Remembered by the place of the table around it, since the numbers in paths move when items go.
#[derive(Default)]
struct Gone(Vec<(Option<Range<usize>>, Step)>);

impl Gone {
    fn note(&mut self, root: &DeTable<'_>, path: &[Step]) {
        if let Some((last, parents)) = path.split_last() {
            self.0.push((spanned_at(root, parents).map(Spanned::span), last.clone()));
        }
    }

    fn explains(&self, root: &DeTable<'_>, path: &[Step], complaint: &Complaint) -> bool {
        let within = spanned_at(root, path).map(Spanned::span);
        self.0.iter().any(|(parent, step)| {
            *parent == within
                && match complaint {
                    Complaint::Missing(name) => *step == Step::Key(name.clone()),
                    _ => true,
                }
        })
    }
}

/// A shape with the line on which it was written.
pub(super) struct Lined<T> {
    /// Byte offset of its first character.
    start: usize,
    /// What was read.
    value: T,
}

impl<T> Lined<T> {
    /// The value, and its line in the text that it was read from.
    pub(super) fn into_parts(self, text: &str) -> (T, usize) {
        (self.value, position(text, self.start).0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lined<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { start: spanned.span().start, value: spanned.into_inner() })
    }
}

/// What serde did not like, read back from its message, of which the wording is part of serde's interface.
#[derive(Debug, PartialEq)]
enum Complaint {
    UnknownKey(String, Vec<String>),
    UnknownWord(String, Vec<String>),
    Missing(String),
    WrongType { wanted: &'static str },
    Other,
}

impl Complaint {
    fn of(message: &str) -> Self {
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let first = quoted.next().unwrap_or_default();
        let rest: Vec<String> = quoted.collect();
        if message.starts_with("unknown field") {
            Self::UnknownKey(first, rest)
        } else if message.starts_with("unknown variant") {
            Self::UnknownWord(first, rest)
        } else if message.starts_with("missing field") {
            Self::Missing(first)
        } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
            let expected = message.rsplit_once("expected ").map_or("", |(_before, expected)| expected);
            Self::WrongType { wanted: in_chinese(expected) }
        } else {
            Self::Other
        }
    }
}

fn in_chinese(expected: &str) -> &'static str {
    match expected {
        "a string" | "a borrowed string" => "文字",
        "a boolean" => "true 或 false",
        "a sequence" => "方括号里的一列值",
        "f32" | "f64" => "数字",
        "u8" | "u16" | "u32" | "u64" | "usize" => "不小于 0 的整数",
        "i8" | "i16" | "i32" | "i64" => "整数",
        _ if expected.contains("date") || expected.contains("Date") => "日期，如 2026-10-01",
        _ => "一组 键 = 值",
    }
}

fn syntax_remedy(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "同一个键只能写一次，删掉重复的。"
    } else if message.contains("string") {
        "检查引号是否成对、是否用了中文引号；多行文字用三个双引号包起来。"
    } else {
        "检查这一行：键 = 值，文字加英文双引号，括号成对，标点用英文半角。"
    }
}

/// The node that an error means: the one with the error's span, or the named one below it.
fn locate(root: &Spanned<DeTable<'_>>, span: Option<Range<usize>>, complaint: &Complaint) -> Path {
    let mut found = Path::new();
    if let Some(span) = &span {
        let mut path = Path::new();
        find_span(root.get_ref(), span, &mut path, &mut found);
    }
    // An enum told apart by a tag is buffered by serde, which loses the inner places; the name is left.
    let (name, sought) = match complaint {
        Complaint::UnknownKey(name, _) => (name, Sought::Key(name)),
        Complaint::UnknownWord(name, _) => (name, Sought::Word(name)),
        Complaint::Missing(_) | Complaint::WrongType { .. } | Complaint::Other => return found,
    };
    if matches!(found.last(), Some(Step::Key(key)) if key == name) {
        return found;
    }
    let mut below = Path::new();
    let narrowed = match value_at(root.get_ref(), &found) {
        Some(value) => find_name(value, sought, &mut below),
        None => find_name_in_table(root.get_ref(), sought, &mut below),
    };
    if narrowed {
        found.append(&mut below);
    }
    found
}

/// The key of an assignment, or the header of a table, on a line; never the value.
fn key_of_line(text: &str, line: usize) -> Option<&str> {
    let content = text.lines().nth(line - 1)?.trim();
    if content.starts_with('[') && !content.contains(['"', '\'']) {
        return Some(content);
    }
    let key = content.split_once('=')?.0.trim();
    (!key.is_empty()).then_some(key)
}
