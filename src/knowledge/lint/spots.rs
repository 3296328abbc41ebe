//! The lines of keys and groups, read again from the files when a finding wants to name them.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;

use crate::knowledge::Source;
use crate::knowledge::document::Document;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder;
use crate::knowledge::words;

/// Lines of `bot.toml`, `replies.toml` and `synonyms.txt`; line 1 for what is not found any more.
pub(super) struct Spots {
    profile: BTreeMap<String, usize>,
    replies: BTreeMap<String, usize>,
    synonyms: Vec<usize>,
}

impl Spots {
    pub(super) fn of(dir: &Path) -> Self {
        // What is wrong with the files themselves was reported when they were loaded.
        let mut known = Vec::new();
        let synonyms = folder::read(dir, "synonyms.txt", &mut known);
        let synonyms =
            synonyms.map(|text| words::synonyms("synonyms.txt", &text, &mut known)).unwrap_or_default();
        Self {
            profile: lines(dir, "bot.toml"),
            replies: lines(dir, "replies.toml"),
            synonyms: synonyms.into_iter().map(|(line, _group)| line).collect(),
        }
    }

    /// * `path`: such as `handoff.default_group`; where it is not written, the part that is.
    pub(super) fn profile(&self, path: &str) -> Source {
        Source { file: "bot.toml".to_owned(), line: line(&self.profile, path) }
    }

    /// * `path`: such as `reply.size-chart.attachments[0].file`.
    pub(super) fn replies(&self, path: &str) -> Source {
        Source { file: "replies.toml".to_owned(), line: line(&self.replies, path) }
    }

    /// Findings about words that stand in more than one group, or twice in one.
    pub(super) fn synonyms(&self, groups: &[Vec<String>]) -> Vec<Finding> {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut findings = Vec::new();
        for (group, words) in groups.iter().enumerate() {
            let line_of = |group: usize| self.synonyms.get(group).copied().unwrap_or(1);
            for word in words {
                if let Some(earlier) = first.get(word.as_str()) {
                    let source = Source { file: "synonyms.txt".to_owned(), line: line_of(group) };
                    let message = format!("“{word}”已经写在第 {} 行。", line_of(*earlier));
                    findings.push(Finding::warning(
                        "repeated-synonym",
                        source,
                        message,
                        "一个词只放在一组里一次。",
                    ));
                } else {
                    first.insert(word, group);
                }
            }
        }
        findings
    }
}

fn lines(dir: &Path, file: &str) -> BTreeMap<String, usize> {
    let mut known = Vec::new();
    let Some(text) = folder::read(dir, file, &mut known) else { return BTreeMap::new() };
    let document = Document::parse(file, &text, &mut known);
    document.map(|document| document.lines()).unwrap_or_default()
}

fn line(lines: &BTreeMap<String, usize>, path: &str) -> usize {
    let mut rest = path;
    loop {
        if let Some(line) = lines.get(rest) {
            return *line;
        }
        let Some(cut) = rest.rfind(['.', '[']) else { return 1 };
        rest = &rest[..cut];
    }
}
