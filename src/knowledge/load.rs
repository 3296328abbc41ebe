//! From a folder to [`Knowledge`]: every file is read, every mistake told in one go.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::catalogue;
use crate::knowledge::document::Document;
use crate::knowledge::document::Lined;
use crate::knowledge::entry::Entry;
use crate::knowledge::faq;
use crate::knowledge::faq::Topics;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder;
use crate::knowledge::limits::ENTRIES_MAX;
use crate::knowledge::limits::FINDINGS_PER_CODE_MAX;
use crate::knowledge::limits::PRODUCTS_MAX;
use crate::knowledge::limits::RULES_MAX;
use crate::knowledge::limits::SENSITIVE_MAX;
use crate::knowledge::limits::TASKS_MAX;
use crate::knowledge::markdown;
use crate::knowledge::near::near;
use crate::knowledge::profile::Profile;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::secret;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::knowledge::shown;
use crate::knowledge::task;
use crate::knowledge::task::TaskSpec;
use crate::knowledge::words;

/// What came of reading a folder.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What could be read; `None` without a usable `bot.toml`. With an error among the findings it lacks
    /// whatever was wrong and must not be served: it is for the lint and for people to look at.
    pub knowledge: Option<Knowledge>,
    /// Everything to be told, by file and line.
    pub findings: Vec<Finding>,
}

/// Reads the folder of one bot.
///
/// `bot.toml` is required; `faq/**/*.csv`, `faq/**/*.md`, `products.csv`, `synonyms.txt`, `terms.txt`,
/// `rules.toml`, `replies.toml`, `sensitive.toml`, `tasks/*.toml` and `connectors.toml` are read where they exist. Links are refused. What
/// the values mean together is for [`lint`](crate::knowledge::lint()) to say.
#[must_use]
pub fn load(dir: &Path) -> Loaded {
    let mut findings = Vec::new();
    let knowledge = read(dir, &mut findings);
    Loaded { knowledge, findings: in_order(findings) }
}

/// Sorted by file and line; many of one code in one file are counted instead of told.
pub(super) fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| a.source.cmp(&b.source));
    let mut counts: HashMap<(String, &'static str), usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    let mut dropped: BTreeMap<(String, &'static str), (usize, Finding)> = BTreeMap::new();
    for finding in findings {
        let key = (finding.source.file.clone(), finding.code);
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        if *count <= FINDINGS_PER_CODE_MAX {
            kept.push(finding);
        } else {
            dropped.entry(key).or_insert((0, finding)).0 += 1;
        }
    }
    for (count, mut finding) in dropped.into_values() {
        finding.message = format!("同一个文件里还有 {count} 处 {}，从这一行起，不再逐条列出。", finding.code);
        kept.push(finding);
    }
    kept.sort_by(|a, b| a.source.cmp(&b.source));
    kept
}

const PROFILE: &str = "bot.toml";
const CONNECTORS: &str = "connectors.toml";
const FILES: [&str; 8] = [
    PROFILE,
    catalogue::FILE,
    "synonyms.txt",
    "terms.txt",
    "rules.toml",
    "replies.toml",
    "sensitive.toml",
    CONNECTORS,
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RulesFile {
    rule: Vec<Lined<RuleSpec>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SensitiveFile {
    /// `[[word]]`, or `[[sensitive]]` after the name of the file; one of the two in one file.
    #[serde(alias = "sensitive")]
    word: Vec<Lined<SensitiveSpec>>,
}

fn read(dir: &Path, findings: &mut Vec<Finding>) -> Option<Knowledge> {
    misnamed_files(dir, findings);
    let profile = read_profile(dir, findings);
    let topics = Topics::new(profile.as_ref().map_or(&BTreeMap::new(), |profile| &profile.topics));
    let entries = read_entries(dir, &topics, findings);
    let products = match text(dir, catalogue::FILE, findings) {
        Some(text) => catalogue::from_csv(catalogue::FILE, &text, findings),
        None => Vec::new(),
    };
    let products = at_most(PRODUCTS_MAX, products, "商品", |product| product.source.clone(), findings);
    let synonyms = match text(dir, "synonyms.txt", findings) {
        Some(text) => words::synonyms("synonyms.txt", &text, findings),
        None => Vec::new(),
    };
    let terms = match text(dir, "terms.txt", findings) {
        Some(text) => words::terms("terms.txt", &text, findings),
        None => Vec::new(),
    };
    let rules = read_rules(dir, findings);
    let sensitive = read_sensitive(dir, findings);
    let replies = read_toml(dir, "replies.toml", findings).map(|(replies, _text)| replies);
    let tasks = read_tasks(dir, findings);
    let connectors = read_toml(dir, CONNECTORS, findings).map(|(connectors, _text)| connectors);
    Some(Knowledge {
        bot: bot_id(dir),
        dir: dir.to_path_buf(),
        version: None,
        profile: profile?,
        entries,
        products,
        synonyms: synonyms.into_iter().map(|(_line, group)| group).collect(),
        terms,
        rules,
        replies: replies.unwrap_or_default(),
        sensitive,
        tasks,
        connectors: connectors.unwrap_or_default(),
    })
}

/// The folder's name; a path such as `.` is resolved first.
fn bot_id(dir: &Path) -> String {
    let resolved = fs::canonicalize(dir);
    let name = dir.file_name().or_else(|| resolved.as_deref().ok()?.file_name());
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(dir: &Path, file: &str, findings: &mut Vec<Finding>) -> Option<String> {
    folder::read(dir, file, findings)
}

fn read_profile(dir: &Path, findings: &mut Vec<Finding>) -> Option<Profile> {
    let before = findings.len();
    let Some(text) = text(dir, PROFILE, findings) else {
        if findings.len() == before {
            let source = Source { file: PROFILE.to_owned(), line: 1 };
            let message = format!("{} 里没有 bot.toml。", dir.display());
            findings.push(Finding::error(
                "missing-file",
                source,
                message,
                "新建 bot.toml，至少写 name、title 和 greeting。",
            ));
        }
        return None;
    };
    let mut secrets = secret::literal_text(PROFILE, &text);
    let document = Document::parse(PROFILE, &text, findings);
    if let Some(document) = &document {
        let told: Vec<usize> = secrets.iter().map(|finding| finding.source.line).collect();
        let keys = secret::literal_keys(document).into_iter();
        secrets.extend(keys.filter(|finding| !told.contains(&finding.source.line)));
    }
    findings.append(&mut secrets);
    document?.read(findings)
}

/// Reads another TOML file; `None` where there is none or nothing of it could be used.
fn read_toml<T: DeserializeOwned>(
    dir: &Path,
    file: &str,
    findings: &mut Vec<Finding>,
) -> Option<(T, String)> {
    let text = text(dir, file, findings)?;
    findings.extend(secret::literal_text(file, &text));
    let shape = Document::parse(file, &text, findings)?.read(findings)?;
    Some((shape, text))
}

fn read_rules(dir: &Path, findings: &mut Vec<Finding>) -> Vec<RuleSpec> {
    const FILE: &str = "rules.toml";
    let Some((file, text)) = read_toml::<RulesFile>(dir, FILE, findings) else { return Vec::new() };
    let rules = file.rule.into_iter().map(|rule| {
        let (rule, line) = rule.into_parts(&text);
        RuleSpec { line, ..rule }
    });
    let source = |rule: &RuleSpec| Source { file: FILE.to_owned(), line: rule.line };
    at_most(RULES_MAX, rules.collect(), "规则", source, findings)
}

fn read_tasks(dir: &Path, findings: &mut Vec<Finding>) -> Vec<TaskSpec> {
    let mut tasks = Vec::new();
    for file in folder::task_files(dir, findings) {
        let Some((mut task, text)) = read_toml::<TaskSpec>(dir, &file, findings) else { continue };
        let name = file.rsplit('/').next().unwrap_or(&file);
        task.id = name.trim_end_matches(".toml").to_owned();
        // Each `[[step]]` stands on a line of its own.
        let lines = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("[[step]]"));
        for (step, (at, _)) in task.step.iter_mut().zip(lines) {
            step.line = at + 1;
        }
        tasks.push(task);
    }
    let source = |task: &TaskSpec| Source { file: format!("{}/{}.toml", task::FOLDER, task.id), line: 1 };
    at_most(TASKS_MAX, tasks, "任务", source, findings)
}

fn read_sensitive(dir: &Path, findings: &mut Vec<Finding>) -> Vec<SensitiveSpec> {
    const FILE: &str = "sensitive.toml";
    let Some((file, text)) = read_toml::<SensitiveFile>(dir, FILE, findings) else { return Vec::new() };
    let groups = file.word.into_iter().map(|group| {
        let (group, line) = group.into_parts(&text);
        SensitiveSpec { line, ..group }
    });
    let source = |group: &SensitiveSpec| Source { file: FILE.to_owned(), line: group.line };
    at_most(SENSITIVE_MAX, groups.collect(), "敏感词组", source, findings)
}

fn read_entries(dir: &Path, topics: &Topics, findings: &mut Vec<Finding>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for file in folder::faq_files(dir, findings) {
        let before = findings.len();
        match text(dir, &file, findings) {
            Some(text) if file.ends_with(".md") => {
                entries.extend(markdown::from_markdown(&file, &text, topics, findings));
            }
            Some(text) => entries.extend(faq::from_csv(&file, &text, topics, findings)),
            None if findings.len() == before => {
                // It was listed a moment ago, so its name cannot be written in UTF-8, or it has just gone.
                let source = Source { file, line: 1 };
                let message = "文件列出来了却打不开，文件名可能不是 UTF-8。".to_owned();
                findings.push(Finding::error("file-unreadable", source, message, "改一个文件名。"));
            }
            None => {}
        }
        if entries.len() > ENTRIES_MAX {
            break;
        }
    }
    at_most(ENTRIES_MAX, entries, "问答", |entry| entry.source.clone(), findings)
}

fn at_most<T>(
    limit: usize,
    mut items: Vec<T>,
    what: &str,
    source: impl Fn(&T) -> Source,
    findings: &mut Vec<Finding>,
) -> Vec<T> {
    if let Some(first_over) = items.get(limit) {
        let message = format!("{what}超过上限 {limit} 条，从这一条起没有读。");
        findings.push(Finding::error(
            "too-many",
            source(first_over),
            message,
            "删掉用不到的，或者分成几个机器人。",
        ));
        items.truncate(limit);
    }
    items
}

/// Files whose name is nearly that of a file we read: a `rule.toml` would else be passed over in silence.
fn misnamed_files(dir: &Path, findings: &mut Vec<Finding>) {
    // A folder that cannot be listed has no readable bot.toml either, and that is reported.
    let Ok(listing) = fs::read_dir(dir) else { return };
    let names = listing.filter_map(|item| item.ok()?.file_name().into_string().ok());
    for name in names.filter(|name| !FILES.contains(&name.as_str())) {
        if let Some(meant) = near(&name, FILES).filter(|meant| similar_kind(&name, meant)) {
            let message = format!("文件“{}”没有读。", shown(&name));
            let source = Source { file: name.clone(), line: 1 };
            findings.push(Finding::warning(
                "unread-file",
                source,
                message,
                &format!("您是不是想写“{meant}”？"),
            ));
        }
    }
}

fn similar_kind(name: &str, meant: &str) -> bool {
    Path::new(name).extension() == Path::new(meant).extension()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(file: &str, line: usize, code: &'static str) -> Finding {
        Finding::error(code, Source { file: file.to_owned(), line }, "坏".to_owned(), "改")
    }

    #[test]
    fn findings_are_sorted_and_the_flood_is_counted() {
        let mut findings: Vec<_> =
            (1..=FINDINGS_PER_CODE_MAX + 7).rev().map(|line| finding("b", line, "x")).collect();
        findings.push(finding("a", 9, "x"));
        let told = in_order(findings);
        assert_eq!(told.len(), 1 + FINDINGS_PER_CODE_MAX + 1);
        assert_eq!(told[0].source.file, "a");
        let last = told.last().unwrap();
        assert_eq!(last.source.line, FINDINGS_PER_CODE_MAX + 1);
        assert!(last.message.contains("还有 7 处"), "{}", last.message);
    }

    #[test]
    fn what_exceeds_a_limit_is_left_out_and_reported_where_it_begins() {
        let source = |line: &usize| Source { file: "a".to_owned(), line: *line };
        let mut findings = Vec::new();
        assert_eq!(at_most(3, vec![1, 2, 3], "规则", source, &mut findings), [1, 2, 3]);
        assert_eq!(findings, []);
        assert_eq!(at_most(3, vec![1, 2, 3, 4, 5], "规则", source, &mut findings), [1, 2, 3]);
        assert_eq!((findings[0].code, findings[0].source.line), ("too-many", 4));
    }
}
