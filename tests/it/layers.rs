//! The rows of `src/lib.rs`, and what else the layout of the source promises, held by reading the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Top-level modules that may wait for something.
const MAY_BE_ASYNC: [&str; 7] = ["service", "store", "channel", "http", "desk", "simulate", "cli"];

/// Between text and reply: neither files, nor clocks, nor chance.
const PURE: [&str; 8] = ["engine", "task", "policy", "reply", "rules", "nlu", "retrieval", "text"];

/// Paths that open a file, read a clock or draw a random number.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "tokio::",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "thread_rng",
    "rand::",
    "getrandom",
    "tempfile",
];

/// Names that say nothing about what is inside.
const SAYS_NOTHING: [&str; 5] = ["utils", "common", "helpers", "types", "manager"];

/// A file of the source.
struct Source {
    /// Path below `src`, with `/` between its parts.
    path: String,
    text: String,
}

impl Source {
    /// The module directly below the crate that the file belongs to; `None` for `lib.rs` and `main.rs`.
    fn module(&self) -> Option<&str> {
        let first = self.path.split('/').next()?;
        Some(first.trim_end_matches(".rs")).filter(|name| !matches!(*name, "lib" | "main"))
    }

    /// Lines that are code, counted from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn complaint(&self, line: usize, what: &str) -> String {
        format!("src/{}:{line}: {what}", self.path)
    }
}

/// Row of every module, the top one being 0.
type Rows = BTreeMap<String, usize>;

/// The table in the documentation of `lib.rs`.
fn rows(lib: &str) -> Rows {
    let cells = lib.lines().filter_map(|line| line.strip_prefix("//! |")?.split('|').nth(1));
    let modules = cells.map(|cell| {
        let linked = cell.split("[`").skip(1);
        linked.filter_map(|rest| rest.split('`').next()).map(str::to_owned).collect::<Vec<_>>()
    });
    modules
        .filter(|row| !row.is_empty())
        .enumerate()
        .flat_map(|(row, names)| names.into_iter().map(move |name| (name, row)))
        .collect()
}

/// Imports that a row must not have.
fn imports(source: &Source, rows: &Rows) -> Vec<String> {
    let Some(own) = source.module() else { return Vec::new() };
    let Some(own_row) = rows.get(own) else {
        return vec![source.complaint(1, &format!("{own}: give it a row in the table of src/lib.rs"))];
    };
    let mut complaints = Vec::new();
    let topmost = matches!((own_depth(source), source.path.ends_with("/mod.rs")), (0, _) | (1, true));
    let mut inside = false;
    for (line, code) in source.code() {
        inside = if inside { code != "}" } else { code.starts_with("mod ") && code.ends_with('{') };
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let what = match rows.get(&name) {
                _ if name.is_empty() => format!("crate::{rest} names no module; write one `use` a module"),
                None => format!("crate::{name}: give it a row in the table of src/lib.rs"),
                Some(row) if name == own || row < own_row => continue,
                Some(row) if row == own_row => format!("crate::{name} stands on the row of {own}"),
                Some(_) => format!("crate::{name} stands below {own}"),
            };
            complaints.push(source.complaint(line, &what));
        }
        if code.contains("super::super::") {
            complaints.push(source.complaint(line, "super::super:: hides the module; write crate::"));
        }
        if topmost && !inside && code.contains("super::") {
            complaints.push(source.complaint(line, "super:: leaves the module; write crate::"));
        }
    }
    complaints
}

/// Folders between `src` and the file.
fn own_depth(source: &Source) -> usize {
    source.path.matches('/').count()
}

/// Modules whose name says nothing.
fn names(source: &Source) -> Vec<String> {
    let stems = source.path.split('/').map(|part| (1, part.trim_end_matches(".rs")));
    let inline = source.code().filter_map(|(line, code)| {
        let name = code.split_once("mod ")?.1;
        Some((line, name.trim_end_matches([' ', '{', ';'])))
    });
    stems
        .chain(inline)
        .filter(|(_, name)| SAYS_NOTHING.contains(name))
        .map(|(line, name)| source.complaint(line, &format!("a module called {name} says nothing")))
        .collect()
}

/// A file that does not say at once why it exists.
fn opening(source: &Source) -> Vec<String> {
    let opens = source.text.lines().next().is_some_and(|line| line.len() > 4 && line.starts_with("//! "));
    if opens { Vec::new() } else { vec![source.complaint(1, "does not begin with a sentence after `//!`")] }
}

/// Waiting where nothing may wait.
fn waiting(source: &Source) -> Vec<String> {
    if source.module().is_none_or(|own| MAY_BE_ASYNC.contains(&own)) {
        return Vec::new();
    }
    let waits = |code: &str| {
        [".await", "async fn", "async move", "async {", "async |"].iter().any(|word| code.contains(word))
    };
    let found = source.code().filter(|(_, code)| waits(code));
    found.map(|(line, _)| source.complaint(line, "async does not belong here")).collect()
}

/// Files, clocks and chance between text and reply.
fn impurity(source: &Source) -> Vec<String> {
    if !source.module().is_some_and(|own| PURE.contains(&own)) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (line, code) in source.code() {
        for path in IMPURE.iter().filter(|path| code.contains(**path)) {
            complaints
                .push(source.complaint(line, &format!("{path} does not belong between text and reply")));
        }
    }
    complaints
}

fn read_below(dir: &Path, below: &str, found: &mut Vec<Source>) {
    for item in fs::read_dir(dir).expect("a folder of the source") {
        let path = item.expect("an item of the source").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        if path.is_dir() {
            read_below(&path, &format!("{below}{name}/"), found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a file of the source");
            found.push(Source { path: format!("{below}{name}"), text });
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    read_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    assert!(found.iter().any(|source| source.path == "lib.rs"), "the source was not found");
    found
}

fn lib() -> String {
    let found = sources().into_iter().find(|source| source.path == "lib.rs");
    found.expect("lib.rs").text
}

#[track_caller]
fn check_all(rule: impl Fn(&Source) -> Vec<String>) {
    let complaints: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn each_row_imports_from_the_rows_above_only() {
    let rows = rows(&lib());
    check_all(|source| imports(source, &rows));
}

#[test]
fn the_table_names_exactly_the_modules_there_are() {
    let lib = lib();
    let declared = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut declared: Vec<&str> = declared.collect();
    declared.sort_unstable();
    let rows = rows(&lib);
    assert_eq!(rows.keys().collect::<Vec<_>>(), declared);
    assert!(rows["text"] < rows["engine"] && rows["engine"] < rows["cli"], "{rows:?}");
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    check_all(names);
}

#[test]
fn every_file_says_why_it_exists() {
    check_all(opening);
}

#[test]
fn only_the_outer_rows_wait() {
    check_all(waiting);
}

#[test]
fn nothing_between_text_and_reply_touches_the_world() {
    check_all(impurity);
}

mod the_rules {
    //! The rules above find what they are there for.

    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[track_caller]
    fn check_import(path: &str, line: &str, expected: &[&str]) {
        let source = source(path, &format!("//! Why.\n{line}\n"));
        assert_eq!(imports(&source, &rows(&lib())), expected);
    }

    #[test]
    fn see_imports_sideways_and_downwards() {
        check_import("policy/decide.rs", "use crate::rules::RuleHit;", &[]);
        check_import("policy/decide.rs", "use crate::policy::state::State;", &[]);
        check_import("policy/decide.rs", "// use crate::http::Desk;", &[]);
        check_import(
            "policy/decide.rs",
            "use crate::http::Desk;",
            &["src/policy/decide.rs:2: crate::http stands below policy"],
        );
        check_import(
            "rules/mod.rs",
            "pub use crate::nlu::Nlu;",
            &["src/rules/mod.rs:2: crate::nlu stands on the row of rules"],
        );
        check_import(
            "store/a/b.rs",
            "    let x = crate::engine::Engine::new(crate::text::a());",
            &["src/store/a/b.rs:2: crate::engine stands on the row of store"],
        );
    }

    #[test]
    fn see_modules_without_a_row_and_ways_around_a_name() {
        check_import(
            "magic/mod.rs",
            "",
            &["src/magic/mod.rs:1: magic: give it a row in the table of src/lib.rs"],
        );
        check_import(
            "cli/ask.rs",
            "use crate::magic::wand;",
            &["src/cli/ask.rs:2: crate::magic: give it a row in the table of src/lib.rs"],
        );
        check_import(
            "cli/ask.rs",
            "use crate::{text, http};",
            &["src/cli/ask.rs:2: crate::{text, http}; names no module; write one `use` a module"],
        );
        check_import(
            "text/span.rs",
            "use super::super::http::Desk;",
            &["src/text/span.rs:2: super::super:: hides the module; write crate::"],
        );
        check_import(
            "text/mod.rs",
            "use super::http::Desk;",
            &["src/text/mod.rs:2: super:: leaves the module; write crate::"],
        );
        check_import("text/mod.rs", "mod tests {\n    use super::Text;\n}", &[]);
        check_import(
            "text/mod.rs",
            "mod tests {\n}\nuse super::http::Desk;",
            &["src/text/mod.rs:4: super:: leaves the module; write crate::"],
        );
    }

    #[test]
    fn see_names_openings_waiting_and_impurity() {
        assert_eq!(names(&source("text/utils.rs", "")).len(), 1);
        assert_eq!(names(&source("common/a.rs", "")).len(), 1);
        assert_eq!(names(&source("text/a.rs", "//! A.\nmod helpers {\n")).len(), 1);
        assert_eq!(names(&source("text/a.rs", "//! A.\npub mod terms;\n")).len(), 0);
        for text in ["", "//!\n", "use a;\n//! Late.\n"] {
            assert_eq!(opening(&source("a.rs", text)).len(), 1, "{text:?}");
        }
        let waits = "//! A.\nasync fn a() {}\n";
        assert_eq!(waiting(&source("engine/a.rs", waits)).len(), 1);
        assert_eq!(waiting(&source("http/a.rs", waits)).len(), 0);
        assert_eq!(waiting(&source("config/mod.rs", "//! A.\nlet x = y.await;\n")).len(), 1);
        for path in IMPURE {
            let text = format!("//! A.\nlet x = {path};\n");
            assert_eq!(impurity(&source("reply/a.rs", &text)).len(), 1, "{path}");
            assert_eq!(impurity(&source("service/a.rs", &text)).len(), 0, "{path}");
        }
    }
}
