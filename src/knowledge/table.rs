//! CSV as spreadsheets write it: named columns, quoted line breaks, exact line numbers.

use std::rc::Rc;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::near::suggestion;
use crate::knowledge::shown;
use crate::text::decode::decode;

/// A column that a table may have.
pub(super) struct Column {
    /// Heading in Chinese.
    pub(super) chinese: &'static str,
    /// Heading in English, for tables made by programs.
    pub(super) english: &'static str,
    /// Whether a table without it is refused.
    pub(super) required: bool,
}

impl Column {
    /// A column that a table must have.
    pub(super) const fn required(chinese: &'static str, english: &'static str) -> Self {
        Self { chinese, english, required: true }
    }

    /// A column that may be left out, which leaves its cells empty.
    pub(super) const fn optional(chinese: &'static str, english: &'static str) -> Self {
        Self { chinese, english, required: false }
    }
}

/// A row below the header that has a cell for every column of it.
#[derive(Debug)]
pub(super) struct Row {
    /// Line on which it starts, from 1.
    pub(super) line: usize,
    cells: Vec<String>,
    /// For each known column, where the table has it.
    columns: Rc<[Option<usize>]>,
}

impl Row {
    /// The cell of a known column, without blanks around it; empty where the table lacks the column.
    ///
    /// * `column`: index into the columns that the table was read with.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.columns[column].map_or("", |at| unguarded(self.cells[at].trim()))
    }
}

/// What a spreadsheet takes for a formula when a cell begins with it; some pass over the last two and look behind them.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet runs: one that looks like a formula gets a quotation mark in front, which the loader takes
/// off again.
#[must_use]
pub fn guarded(cell: &str) -> String {
    if cell.trim_start_matches('\'').starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}

/// A cell as it was before [`guarded`], without blanks in front: the loader takes those off every cell.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.trim_start(),
        _ => cell,
    }
}

/// A CSV file of which no spreadsheet runs a cell, and which the loader reads as before. One that needs nothing stays as it
/// is, to the byte.
#[must_use]
pub fn guarded_table(bytes: &[u8]) -> Vec<u8> {
    let text = decode(bytes).text;
    let delimiter = delimiter(&text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(Vec::new());
    let mut is_changed = false;
    for record in reader.records() {
        // What cannot be read is for `check` to tell.
        let Ok(record) = record else { return bytes.to_vec() };
        // A cell with a quotation mark in front is guarded already.
        let guard = |cell: &str| if cell.starts_with(FORMULA) { guarded(cell) } else { cell.to_owned() };
        let cells: Vec<String> = record.iter().map(guard).collect();
        is_changed |= cells.iter().zip(&record).any(|(a, b)| a != b);
        writer.write_record(&cells).expect("writing to memory does not fail");
    }
    if is_changed { writer.into_inner().expect("writing to memory does not fail") } else { bytes.to_vec() }
}

/// A comma, or a tab where the header has tabs and no comma: that is what spreadsheets call "Unicode text".
fn delimiter(text: &str) -> u8 {
    let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first_line.contains('\t') && !first_line.contains(',') { b'\t' } else { b',' }
}

/// Reads a table; rows that do not fit the header are reported and left out, blank rows are skipped.
pub(super) fn rows(file: &str, text: &str, columns: &[Column], findings: &mut Vec<Finding>) -> Vec<Row> {
    let at = |line| Source { file: file.to_owned(), line };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut lines = Lines { text, offset: 0, line: 1 };
    let mut header: Option<Header> = None;
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let begin = byte_offset(&reader);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                findings.push(Finding::error(
                    "csv-syntax",
                    at(lines.line),
                    format!("表格读不下去：{error}。"),
                    "检查这一行。",
                ));
                break;
            }
        }
        let line = lines.start_of(begin);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if let Some(name) =
            unclosed(&text[begin..byte_offset(&reader)], text, &reader, &record, header.as_ref())
        {
            let message =
                format!("从第 {line} 行开始的一行里，“{name}”一格的双引号没有闭合，一直读到了文件末尾。");
            findings.push(Finding::error(
                "csv-quote",
                at(line),
                message,
                "补上结尾的双引号；格子里的双引号写成两个 \"\"。",
            ));
            break;
        }
        match &header {
            None => match Header::read(&record, columns, at(line), findings) {
                Some(read) => header = Some(read),
                None => return Vec::new(),
            },
            Some(header) => match header.fit(&record) {
                Ok(cells) => rows.push(Row { line, cells, columns: header.columns.clone() }),
                Err(message) => {
                    let remedy = "格子里有英文逗号时，整格用英文双引号括起来。";
                    findings.push(Finding::error("csv-fields", at(line), message, remedy));
                }
            },
        }
    }
    if header.is_none() {
        let message = "表格是空的，连表头也没有。".to_owned();
        findings.push(Finding::error(
            "csv-header",
            at(1),
            message,
            &format!("第一行写表头：{}。", headings(columns)),
        ));
    }
    rows
}

fn headings(columns: &[Column]) -> String {
    columns.iter().map(|column| column.chinese).collect::<Vec<_>>().join(",")
}

fn byte_offset(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// Counts lines along the offsets at which records begin.
///
/// The reader's own count is of no use here: it does not count the blank lines ahead of a record.
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    fn start_of(&mut self, record: usize) -> usize {
        let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let rest = &self.text.as_bytes()[record.min(self.text.len())..];
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = record.min(self.text.len()) + blank;
        self.line += breaks(&self.text.as_bytes()[self.offset..start]);
        self.offset = start;
        self.line
    }
}

/// The column whose quotation mark is never closed: only the last record of a text can have one.
fn unclosed(
    raw: &str,
    text: &str,
    reader: &csv::Reader<&[u8]>,
    record: &csv::StringRecord,
    header: Option<&Header>,
) -> Option<String> {
    if byte_offset(reader) < text.len() {
        return None;
    }
    let odd = raw.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    // A lone mark inside an unquoted cell (`5" 屏`) is odd too, but such a record ends with its line.
    if !odd || !raw.trim().contains('\n') {
        return None;
    }
    let last = record.len().saturating_sub(1);
    let name = header.and_then(|header| header.names.get(last)).filter(|name| !name.is_empty());
    Some(name.cloned().unwrap_or_else(|| format!("第 {} 列", last + 1)))
}

struct Header {
    names: Vec<String>,
    columns: Rc<[Option<usize>]>,
}

impl Header {
    fn read(
        record: &csv::StringRecord,
        columns: &[Column],
        source: Source,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
        let mut places = vec![None; columns.len()];
        let mut sound = true;
        let mut complain = |message: String, remedy: &str| {
            sound = false;
            findings.push(Finding::error("csv-header", source.clone(), message, remedy));
        };
        for (place, name) in names.iter().enumerate().filter(|(_place, name)| !name.is_empty()) {
            let known = |column: &Column| column.chinese == name || column.english.eq_ignore_ascii_case(name);
            match columns.iter().position(known) {
                Some(column) if places[column].is_none() => places[column] = Some(place),
                Some(_) => complain(format!("表头里“{}”出现了两次。", shown(name)), "删掉重复的一列。"),
                None => {
                    let all: Vec<&str> = columns.iter().map(|column| column.chinese).collect();
                    complain(
                        format!("表头第 {} 列“{}”不认识。", place + 1, shown(name)),
                        &suggestion(name, &all),
                    );
                }
            }
        }
        let missing =
            columns.iter().zip(&places).filter(|(column, place)| column.required && place.is_none());
        for (column, _place) in missing {
            complain(
                format!("表头缺少“{}”一列。", column.chinese),
                &format!("表头写成：{}。", headings(columns)),
            );
        }
        sound.then(|| Self { names, columns: places.into() })
    }

    /// The cells of a row, exactly as many as the header has; blank ones beyond it are dropped.
    fn fit(&self, record: &csv::StringRecord) -> Result<Vec<String>, String> {
        let (wanted, found) = (self.names.len(), record.len());
        if found < wanted {
            let first_missing = &self.names[found];
            return Err(format!(
                "这一行有 {found} 格，表头有 {wanted} 格，从“{}”一栏起缺了。",
                shown(first_missing)
            ));
        }
        let beyond = |(at, cell): (usize, &str)| {
            let unnamed = self.names.get(at).is_none_or(String::is_empty);
            unnamed && !cell.trim().is_empty()
        };
        if record.iter().enumerate().any(beyond) {
            return Err(format!("这一行有 {found} 格，表头有 {wanted} 格，多出的格子不知道属于哪一栏。"));
        }
        Ok(record.iter().take(wanted).map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::required("问题", "question"),
        Column::required("答案", "answer"),
        Column::optional("分类", "topic"),
    ];

    #[track_caller]
    fn check(text: &str, expected: &[(usize, [&str; 3])]) {
        let mut findings = Vec::new();
        let rows = rows("t.csv", text, &COLUMNS, &mut findings);
        let read: Vec<_> =
            rows.iter().map(|row| (row.line, [row.cell(0), row.cell(1), row.cell(2)])).collect();
        assert_eq!(read, expected);
        assert_eq!(findings, []);
    }

    #[track_caller]
    fn check_finding(text: &str, code: &str, line: usize, part: &str) {
        let mut findings = Vec::new();
        rows("t.csv", text, &COLUMNS, &mut findings);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].code, findings[0].source.line), (code, line));
        assert!(findings[0].message.contains(part), "{}", findings[0].message);
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded_and_read_as_before() {
        for cell in ["=1+1", "+86 400", "-3", "@SUM(A1)", "\t=1+1", "\r=1+1", "'=1+1"] {
            let told = guarded(cell);
            assert_eq!(told, format!("'{cell}"));
            assert_eq!(unguarded(&told), cell.trim_start(), "{cell:?}");
        }
        for cell in ["", "你好", "1-2", "'好'"] {
            assert_eq!((guarded(cell).as_str(), unguarded(cell)), (cell, cell));
        }
    }

    #[test]
    fn lines_are_right_behind_quoted_breaks_and_blank_lines() {
        let text = "问题,答案\n一,\"甲\n乙\n丙\"\n\n\r\n二,丁\r\n,\n三,\"说\"\"好\"\"，行\"";
        check(text, &[(2, ["一", "甲\n乙\n丙", ""]), (7, ["二", "丁", ""]), (9, ["三", "说\"好\"，行", ""])]);
    }

    #[test]
    fn columns_come_in_any_order_and_in_english() {
        check("topic,Answer,question\n售后,可以,能退吗\n", &[(2, ["能退吗", "可以", "售后"])]);
    }

    #[test]
    fn tabs_separate_where_the_header_has_them() {
        check("问题\t答案\n能退吗\t可以, 七天内\n", &[(2, ["能退吗", "可以, 七天内", ""])]);
    }

    #[test]
    fn blank_cells_beyond_the_header_do_no_harm() {
        check("问题,答案,\n能退吗,可以,,\n", &[(2, ["能退吗", "可以", ""])]);
    }

    #[test]
    fn a_header_that_is_not_understood_is_reported_once() {
        check_finding("问提,答案,问题\na,b,c\n", "csv-header", 1, "问提");
        check_finding("\n问题\na\n", "csv-header", 2, "缺少“答案”");
        check_finding("问题,答案,问题\na,b,c\n", "csv-header", 1, "两次");
        check_finding("", "csv-header", 1, "空的");
    }

    #[test]
    fn rows_of_other_widths_are_reported_with_their_line() {
        check_finding("问题,答案\n一,\"甲\n乙\"\n二\n", "csv-fields", 4, "从“答案”一栏起缺了");
        check_finding("问题,答案\n一,甲,乙\n", "csv-fields", 2, "3 格");
    }

    #[test]
    fn a_quotation_mark_that_swallows_the_file_is_reported_where_it_opens() {
        check_finding("问题,答案\n一,甲\n二,\"乙\n三,丙\n", "csv-quote", 3, "答案");
        check("问题,答案\n一,5\" 屏\n", &[(2, ["一", "5\" 屏", ""])]);
    }
}
