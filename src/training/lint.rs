//! What is wrong with a bot's training rows: labels that nobody knows, the same text with two of them, spans that break
//! the rules of the taxonomy, labels that others contradict, intents with too few rows, rows that are measured with and learned from.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::nlu::slot::SlotName;
use crate::training::lines::LinesError;
use crate::training::row::Row;
use crate::training::row::RowSlot;
use crate::training::row::letters;
use crate::training::row::read;
use crate::training::suspect::suspects;

/// Folder of the rows below the bot's.
const FOLDER: &str = "nlu";

/// File that is learned from; every other file of the folder is measured with.
const TRAIN: &str = "train.jsonl";

/// Fewest rows an intent; with fewer, a network guesses.
const ROWS_MIN: usize = 20;

/// Suspects that are listed; the rest are counted.
const SUSPECTS_SHOWN: usize = 20;

/// Findings about the rows below `nlu/` of a bot's folder; none for a bot without any.
#[must_use]
pub fn lint(known: &Knowledge) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut learned: HashMap<String, Spot> = HashMap::new();
    let folder = known.dir.join(FOLDER);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".jsonl"))
        .collect();
    // What is learned from comes first, so that the others can be compared with it.
    names.sort_by_key(|name| (name != TRAIN, name.clone()));
    for name in names {
        let rows = match read(&folder.join(&name)) {
            Ok(rows) => rows,
            Err(error) => {
                findings.extend(unreadable(&name, &error));
                continue;
            }
        };
        let mut seen: HashMap<String, Spot> = HashMap::new();
        for row in &rows {
            let source = source(&name, row.line);
            findings.extend(labels(row, known, &source));
            findings.extend(row.slots.iter().flatten().filter_map(|slot| span(slot, &source)));
            let key = letters(&row.text);
            let spot = Spot { line: row.line, readings: row.readings().map(str::to_owned).collect() };
            if name != TRAIN
                && let Some(other) = learned.get(&key)
            {
                let message = format!("“{}”也在 {TRAIN} 第 {} 行，用它评测会偏高。", row.text, other.line);
                findings.push(Finding::error("leaked-row", source.clone(), message, "两处只留一处。"));
            }
            match seen.get(&key) {
                Some(other) if !other.readings.iter().any(|intent| spot.readings.contains(intent)) => {
                    let message = format!(
                        "“{}”在第 {} 行标成 {}，这里标成 {}。",
                        row.text,
                        other.line,
                        other.readings.join("/"),
                        spot.readings.join("/")
                    );
                    let remedy = "改成一样，或者用 also 写明两种读法都对。";
                    findings.push(Finding::error("two-intents", source, message, remedy));
                }
                Some(_) => {}
                None => {
                    seen.insert(key, spot);
                }
            }
        }
        if name == TRAIN {
            findings.extend(small(&rows, &name));
            findings.extend(doubtful(&rows, &name));
            learned = seen;
        }
    }
    findings
}

/// Where a text was seen, and what it was taken for.
struct Spot {
    line: usize,
    readings: Vec<String>,
}

fn source(name: &str, line: usize) -> Source {
    Source { file: format!("{FOLDER}/{name}"), line }
}

fn unreadable(name: &str, error: &LinesError) -> Vec<Finding> {
    let finding = |line, detail: &str| {
        let message = format!("这一行不能用来训练：{detail}");
        Finding::error("bad-row", source(name, line), message, "按 README 里的格式改正。")
    };
    match error {
        LinesError::Rows { problems, .. } => {
            problems.iter().map(|(line, detail)| finding(*line, detail)).collect()
        }
        LinesError::Io { .. } | LinesError::Encoding { .. } | LinesError::Empty { .. } => {
            vec![finding(1, &error.to_string())]
        }
    }
}

fn labels(row: &Row, known: &Knowledge, source: &Source) -> Vec<Finding> {
    let topics = &known.profile.topics;
    let unknown_intents = row
        .readings()
        .filter(|intent| !intent.is_empty() && *intent != OUT_OF_SCOPE && !topics.contains_key(*intent))
        .map(|intent| ("unknown-intent", format!("意图“{intent}”不在 bot.toml 的 [topics] 里。")));
    let unknown_slots = row
        .slots
        .iter()
        .flatten()
        .filter(|slot| SlotName::named(&slot.name).is_none())
        .map(|slot| ("unknown-entity", format!("没有叫“{}”的实体。", slot.name)));
    unknown_intents
        .chain(unknown_slots)
        .map(|(code, message)| Finding::error(code, source.clone(), message, "改成已有的名字。"))
        .collect()
}

fn span(slot: &RowSlot, source: &Source) -> Option<Finding> {
    let last = slot.value.chars().next_back()?;
    let clean = last.is_alphanumeric() || matches!(last, ']' | ')' | '）' | '℃' | '%');
    let particle = slot.value.chars().count() > 1 && matches!(last, '的' | '了' | '吗');
    (!clean || particle).then(|| {
        let message = format!("{} 的值“{}”以“{last}”结尾。", slot.name, slot.value);
        Finding::warning("ragged-span", source.clone(), message, "实体不带句尾的 的/了/吗，也不带标点。")
    })
}

fn small(rows: &[Row], name: &str) -> Vec<Finding> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.intent.is_empty()) {
        let count = counts.entry(&row.intent).or_insert((0, row.line));
        count.0 += 1;
    }
    counts
        .into_iter()
        .filter(|(_, (n, _))| *n < ROWS_MIN)
        .map(|(intent, (n, line))| {
            let message = format!("意图 {intent} 只有 {n} 行，少于 {ROWS_MIN} 行。");
            Finding::warning(
                "small-intent",
                source(name, line),
                message,
                "再写一些不同说法，或者并进别的意图。",
            )
        })
        .collect()
}

/// The rows that a model which has not seen them takes for something else.
fn doubtful(rows: &[Row], name: &str) -> Vec<Finding> {
    let found = suspects(rows);
    let n_more = found.len().saturating_sub(SUSPECTS_SHOWN);
    let mut findings: Vec<Finding> = found
        .iter()
        .take(SUSPECTS_SHOWN)
        .map(|suspect| {
            let row = &rows[suspect.row];
            let message = format!("“{}”标成 {}，别的句子看起来更像 {}。", row.text, row.intent, suspect.said);
            let remedy = "标错了就改；两种读法都对就写 also；没错可以不管。";
            Finding::warning("suspect-label", source(name, row.line), message, remedy)
        })
        .collect();
    if let (true, Some(first)) = (n_more > 0, found.get(SUSPECTS_SHOWN)) {
        let message = format!("还有 {n_more} 行的标签可疑，从最可疑的开始列，不再逐条列出。");
        let remedy = "先改上面的，再检查一次。";
        findings.push(Finding::warning("suspect-label", source(name, rows[first.row].line), message, remedy));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::sample::shop;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(FOLDER).join(name), text).unwrap();
        }
        let mut known = shop();
        known.dir = folder.path().to_owned();
        known.profile.topics = BTreeMap::from([("a".into(), "甲".into()), ("b".into(), "乙".into())]);
        let found: Vec<String> = lint(&known)
            .iter()
            .filter(|finding| finding.code != "small-intent" || expected.iter().any(|e| e.contains("small")))
            .map(|finding| format!("{}:{} {}", finding.source.file, finding.source.line, finding.code))
            .collect();
        assert_eq!(found, expected);
    }

    fn row(text: &str, intent: &str) -> String {
        format!("{{\"text\": \"{text}\", \"intent\": \"{intent}\"}}\n")
    }

    #[test]
    fn the_same_text_has_one_label() {
        let rows = row("能退吗", "a") + &row("能退吗？", "b");
        check(&[("train.jsonl", &rows)], &["nlu/train.jsonl:2 two-intents"]);
        let also = "{\"text\": \"能退吗?\", \"intent\": \"b\", \"also\": [\"a\"]}\n";
        check(&[("train.jsonl", &(row("能退吗", "a") + also))], &[]);
    }

    #[test]
    fn rows_that_are_measured_with_are_not_learned_from() {
        let files = [("test.jsonl", row("能退吗", "a")), ("train.jsonl", row("能退吗！", "a"))];
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        check(&files, &["nlu/test.jsonl:1 leaked-row"]);
    }

    #[test]
    fn labels_must_be_known_and_spans_clean() {
        check(&[("train.jsonl", &row("能退吗", "c"))], &["nlu/train.jsonl:1 unknown-intent"]);
        let slot = |name: &str, value: &str, end: usize| {
            format!(
                "{{\"text\": \"黑色的衣服\", \"intent\": \"a\", \"slots\": [{{\"name\": \"{name}\", \"value\": \"{value}\", \"start\": 0, \"end\": {end}}}]}}\n"
            )
        };
        check(&[("train.jsonl", &slot("colour", "黑色", 2))], &["nlu/train.jsonl:1 unknown-entity"]);
        check(&[("train.jsonl", &slot("color", "黑色的", 3))], &["nlu/train.jsonl:1 ragged-span"]);
        check(&[("train.jsonl", &slot("color", "白色", 2))], &["nlu/train.jsonl:1 bad-row"]);
    }

    #[test]
    fn a_label_that_the_others_contradict_is_named() {
        let ends = ["吗", "呢", "啊", "嘛", "吧", "哦", "了", "么"];
        let mut rows: Vec<String> = ends
            .iter()
            .flat_map(|end| [row(&format!("退货{end}"), "a"), row(&format!("要发票{end}"), "b")])
            .collect();
        check(&[("train.jsonl", &rows.concat())], &[]);
        rows[4] = row("退货啊", "b");
        check(&[("train.jsonl", &rows.concat())], &["nlu/train.jsonl:5 suspect-label"]);
    }

    #[test]
    fn an_intent_with_few_rows_is_named() {
        check(&[("train.jsonl", &row("能退吗", "a"))], &["nlu/train.jsonl:1 small-intent"]);
    }
}
