//! FAQ entries from cells of text, whichever kind of file held them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::civil::Date;
use sha2::Digest;
use sha2::Sha256;

use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::entry::Validity;
use crate::knowledge::finding::Finding;
use crate::knowledge::limits::ANSWER_BYTES_MAX;
use crate::knowledge::limits::ID_BYTES_MAX;
use crate::knowledge::limits::PHRASINGS_MAX;
use crate::knowledge::limits::QUESTION_CHARS_MAX;
use crate::knowledge::limits::YEARS;
use crate::knowledge::shown;
use crate::knowledge::table::Column;
use crate::knowledge::table::rows;
use crate::text::hex::lower_hex;
use crate::text::normalise::normalise;

/// An entry as its file has it: words, not yet checked.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) line: usize,
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) question: String,
    /// Phrasings with `|` between them.
    pub(super) phrasings: String,
    pub(super) answer: String,
    pub(super) reply: String,
    pub(super) valid_from: String,
    pub(super) valid_until: String,
}

/// The topics of `bot.toml`, to be named by id or by title.
pub(super) struct Topics {
    ids: BTreeSet<String>,
    by_title: BTreeMap<String, String>,
}

impl Topics {
    /// * `topics`: topic id to Chinese title.
    pub(super) fn new(topics: &BTreeMap<String, String>) -> Self {
        let by_title = topics.iter().map(|(id, title)| (title.trim().to_owned(), id.clone())).collect();
        Self { ids: topics.keys().cloned().collect(), by_title }
    }

    /// The id that a cell means; the cell itself where nothing is known of it, for the lint to report.
    fn resolve<'t>(&'t self, written: &'t str) -> &'t str {
        if self.ids.contains(written) {
            written
        } else {
            self.by_title.get(written).map_or(written, String::as_str)
        }
    }
}

/// Reads a FAQ table.
pub(super) fn from_csv(file: &str, text: &str, topics: &Topics, findings: &mut Vec<Finding>) -> Vec<Entry> {
    let rows = rows(file, text, &COLUMNS, findings);
    let drafts = rows.iter().map(|row| {
        let cell = |column: usize| row.cell(column).to_owned();
        Draft {
            line: row.line,
            id: cell(0),
            topic: cell(1),
            question: cell(2),
            phrasings: cell(3),
            answer: cell(4),
            reply: cell(5),
            valid_from: cell(6),
            valid_until: cell(7),
        }
    });
    drafts.filter_map(|draft| entry(draft, file, topics, findings)).collect()
}

/// In the order in which [`from_csv`] takes the cells.
const COLUMNS: [Column; 8] = [
    Column::optional("编号", "id"),
    Column::optional("分类", "topic"),
    Column::required("问题", "question"),
    Column::optional("相似问", "phrasings"),
    Column::required("答案", "answer"),
    Column::optional("回复", "reply"),
    Column::optional("生效", "valid_from"),
    Column::optional("失效", "valid_until"),
];

/// Checks a draft; `None` with findings when something in it cannot be used.
pub(super) fn entry(draft: Draft, file: &str, topics: &Topics, findings: &mut Vec<Finding>) -> Option<Entry> {
    let source = Source { file: file.to_owned(), line: draft.line };
    let before = findings.len();
    let mut complain = |code, message: String, remedy: &str| {
        findings.push(Finding::error(code, source.clone(), message, remedy));
    };
    let question = draft.question.trim();
    if question.is_empty() {
        complain("missing-field", "“问题”是空的。".to_owned(), "写上问题，或者删掉这一条。");
    }
    let phrasings = items(&draft.phrasings);
    for asked in std::iter::once(question).chain(phrasings.iter().map(String::as_str)) {
        let chars = asked.chars().count();
        if chars > QUESTION_CHARS_MAX {
            let message = format!("“{}”有 {chars} 个字，超过上限 {QUESTION_CHARS_MAX} 个字。", shown(asked));
            complain("too-long", message, "问题和问法只写一句话；多个问法之间用 | 隔开。");
        }
    }
    if phrasings.len() > PHRASINGS_MAX {
        let message = format!("有 {} 个相似问，超过上限 {PHRASINGS_MAX} 个。", phrasings.len());
        complain("too-many", message, "删掉意思重复的问法。");
    }
    let answer = draft.answer.trim();
    if answer.len() > ANSWER_BYTES_MAX {
        let message = format!("答案有 {} 字节，超过上限 {ANSWER_BYTES_MAX} 字节。", answer.len());
        complain("too-long", message, "把答案写短，长资料做成附件。");
    }
    let id = draft.id.trim();
    if !is_id(id) && !id.is_empty() {
        let message =
            format!("编号“{}”不能用：只能有英文字母、数字和 - _ .，最多 {ID_BYTES_MAX} 个。", shown(id));
        complain("bad-id", message, "改编号，或者留空让系统生成。");
    }
    let mut day = |name: &str, written: &str| match date(written) {
        Ok(day) => day,
        Err(message) => {
            complain("bad-date", format!("“{name}”一栏{message}"), "写成 2026-12-31 的样子，或者留空。");
            None
        }
    };
    let validity =
        Validity { from: day("生效", &draft.valid_from), until: day("失效", &draft.valid_until) };
    if findings.len() > before {
        return None;
    }
    let topic = topics.resolve(draft.topic.trim()).to_owned();
    let id = if id.is_empty() { derived_id(&topic, question) } else { id.to_owned() };
    let reply = Some(draft.reply.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
    let (question, answer) = (question.to_owned(), answer.to_owned());
    Some(Entry { id, topic, question, phrasings, answer, reply, validity, source })
}

/// The items of a cell that holds a list: `|` between them, blank ones dropped.
pub(super) fn items(cell: &str) -> Vec<String> {
    let trimmed = cell.split(['|', '｜']).map(str::trim);
    trimmed.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Whether a text can be an id: ASCII letters, digits, `-`, `_` and `.`.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= ID_BYTES_MAX && text.bytes().all(allowed)
}

/// An id that stays the same as long as the question does.
fn derived_id(topic: &str, question: &str) -> String {
    let digest = Sha256::digest(normalise(question).as_str().as_bytes());
    let hex = lower_hex(&digest[..4]);
    // A topic that is no topic is reported by the lint; until then the id must still be an id.
    let topic = if is_id(topic) { topic } else { "topic" };
    format!("{topic}-{hex}")
}

/// A day written `2026-12-31`, or `2026/12/31` as spreadsheets rewrite it; blank is no day.
fn date(written: &str) -> Result<Option<Date>, String> {
    let written = written.trim();
    if written.is_empty() {
        return Ok(None);
    }
    let parts: Vec<&str> = written.split(['-', '/']).collect();
    let day = match parts[..] {
        [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            let numbers = (year.parse(), month.parse(), day.parse());
            if let (Ok(year), Ok(month), Ok(day)) = numbers { Date::new(year, month, day).ok() } else { None }
        }
        _ => None,
    };
    match day {
        None => Err(format!("“{}”不是日期。", shown(written))),
        Some(day) if YEARS.contains(&day.year()) => Ok(Some(day)),
        Some(_) => Err(format!("“{}”不在 {} 年到 {} 年之间。", shown(written), YEARS.start(), YEARS.end())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::new(&BTreeMap::from([("return_policy".to_owned(), "退换货".to_owned())]))
    }

    fn draft(question: &str) -> Draft {
        Draft { line: 3, topic: "退换货".to_owned(), question: question.to_owned(), ..Draft::default() }
    }

    #[track_caller]
    fn check_date(written: &str, expected: Result<Option<(i16, i8, i8)>, ()>) {
        let read = date(written).map(|day| day.map(|day| (day.year(), day.month(), day.day()))).map_err(drop);
        assert_eq!(read, expected, "{written}");
    }

    #[test]
    fn dates_of_authors_and_of_spreadsheets() {
        check_date("", Ok(None));
        check_date(" 2027-12-31 ", Ok(Some((2027, 12, 31))));
        check_date("2027/1/5", Ok(Some((2027, 1, 5))));
        for bad in [
            "2027-02-29",
            "31-12-2027",
            "明天",
            "2027-12",
            "20027-01-01",
            "1999-12-31",
            "2200-01-01",
            "+027-1-1",
        ] {
            check_date(bad, Err(()));
        }
    }

    #[test]
    fn an_entry_without_id_gets_one_from_topic_and_question() {
        let mut findings = Vec::new();
        let first = entry(draft("能退货吗"), "a.csv", &topics(), &mut findings).unwrap();
        let again = entry(draft(" 能退货吗 "), "b.csv", &topics(), &mut findings).unwrap();
        // printf 能退货吗 | sha256sum
        assert_eq!(first.id, "return_policy-d800fc1b");
        assert_eq!(first.id, again.id);
        assert_eq!(first.topic, "return_policy");
        assert_eq!(findings, []);
    }

    #[test]
    fn limits_are_met_exactly() {
        let mut findings = Vec::new();
        let mut full = draft(&"问".repeat(QUESTION_CHARS_MAX));
        full.answer = "a".repeat(ANSWER_BYTES_MAX);
        full.phrasings = vec!["问"; PHRASINGS_MAX].join("|");
        full.id = "x".repeat(ID_BYTES_MAX);
        assert!(entry(full, "a.csv", &topics(), &mut findings).is_some(), "{findings:?}");
        let mut over = draft(&"问".repeat(QUESTION_CHARS_MAX + 1));
        over.answer = "a".repeat(ANSWER_BYTES_MAX + 1);
        over.phrasings = vec!["问"; PHRASINGS_MAX + 1].join("|");
        over.id = "x".repeat(ID_BYTES_MAX + 1);
        assert!(entry(over, "a.csv", &topics(), &mut findings).is_none());
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["too-long", "too-many", "too-long", "bad-id"]);
    }

    #[test]
    fn lists_take_both_bars() {
        assert_eq!(items("a|b ｜ c||"), ["a", "b", "c"]);
    }
}
