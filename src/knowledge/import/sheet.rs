//! Tables of any program as rows of texts. What is merged is filled; what is empty takes no room.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::Data;
use calamine::DataRef;
use calamine::Reader;
use calamine::Sheets;

use crate::knowledge::import::ImportError;
use crate::knowledge::import::Refused;
use crate::knowledge::import::archive;
use crate::knowledge::limits::ENTRIES_MAX;

/// Columns that are looked at.
const COLUMNS_MAX: u32 = 200;

/// Bytes of one cell.
const CELL_BYTES_MAX: usize = 100_000;

/// Cells that a merged region fills.
const MERGED_MAX: u64 = 100_000;

/// One cell that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    /// A formula that failed.
    Error(String),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        let (Self::Text(text) | Self::Error(text)) = self;
        text
    }
}

/// A sheet: rows that hold something, with their numbers from 1, and their cells by columns from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    /// Its name; empty where a file is one sheet.
    pub(super) title: String,
    pub(super) rows: BTreeMap<usize, BTreeMap<usize, Cell>>,
    pub(super) refused: Vec<Refused>,
}

impl Sheet {
    /// Where a row stands, in words.
    pub(super) fn place(&self, file: &str, row: usize) -> String {
        match self.title.as_str() {
            "" => format!("{file} 第 {row} 行"),
            title => format!("{file} 表“{title}”第 {row} 行"),
        }
    }

    fn put(&mut self, file: &str, row: usize, column: usize, cell: Cell) {
        if cell.text().trim().is_empty() || column >= COLUMNS_MAX as usize {
            return;
        }
        if cell.text().len() > CELL_BYTES_MAX {
            let reason = format!("一格里有 {} 字节，超过上限 {CELL_BYTES_MAX} 字节", cell.text().len());
            let place = self.place(file, row);
            self.rows.remove(&row);
            self.refused.push(Refused { place, reason });
            return;
        }
        self.rows.entry(row).or_default().insert(column, cell);
    }
}

/// Reads a CSV table; the separator is a tab where the first line has tabs and no comma, or a semicolon likewise.
pub(super) fn csv(name: &str, text: &str) -> Vec<Sheet> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator =
        [b'\t', b';'].into_iter().find(|byte| first.as_bytes().contains(byte) && !first.contains(','));
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    let mut record = ::csv::StringRecord::new();
    loop {
        let row = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return vec![sheet],
            Err(error) => {
                let place = sheet.place(name, row);
                sheet.refused.push(Refused { place, reason: format!("表格读不下去：{error}") });
                return vec![sheet];
            }
        }
        // The line on which the record begins; blank lines before it are not part of it.
        let row = record.position().map_or(row, |at| usize::try_from(at.line()).unwrap_or(row));
        for (column, cell) in record.iter().enumerate() {
            sheet.put(name, row, column, Cell::Text(cell.to_owned()));
        }
    }
}

/// Reads all visible sheets of a workbook.
pub(super) fn workbook(name: &str, bytes: &[u8]) -> Result<Vec<Sheet>, ImportError> {
    // The old format is no archive.
    if bytes.starts_with(b"PK") {
        archive::check(name, bytes)?;
    }
    let damaged = |detail: String| ImportError::Damaged { name: name.to_owned(), detail };
    let mut book = calamine::open_workbook_auto_from_rs(Cursor::new(bytes))
        .map_err(|error| damaged(error.to_string()))?;
    let visible: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| {
            sheet.visible == calamine::SheetVisible::Visible && sheet.typ == calamine::SheetType::WorkSheet
        })
        .map(|sheet| sheet.name.clone())
        .collect();
    let n_sheets = visible.len();
    let mut sheets = Vec::new();
    for title in visible {
        let mut sheet = Sheet { title: title.clone(), ..Sheet::default() };
        match &mut book {
            Sheets::Xlsx(book) => {
                let mut cells =
                    book.worksheet_cells_reader(&title).map_err(|error| damaged(error.to_string()))?;
                loop {
                    match cells.next_cell() {
                        Ok(None) => break,
                        Ok(Some(cell)) => {
                            let (row, column) = cell.get_position();
                            if let Some(cell) = from_ref(cell.get_value()) {
                                sheet.put(name, row as usize + 1, column as usize, cell);
                            }
                            if sheet.rows.len() > ENTRIES_MAX {
                                return Err(damaged(format!("表“{title}”超过 {ENTRIES_MAX} 行")));
                            }
                        }
                        Err(error) => return Err(damaged(error.to_string())),
                    }
                }
                drop(cells);
                if let Ok(merged) = book.merge_cells_by_sheet_name(&title) {
                    merged.iter().for_each(|region| fill(&mut sheet, region));
                }
            }
            other => {
                let range = other.worksheet_range(&title).map_err(|error| damaged(error.to_string()))?;
                let (top, left) = range.start().unwrap_or_default();
                for (row, column, data) in range.used_cells() {
                    if let Some(cell) = from_ref(&as_ref(data)) {
                        sheet.put(name, top as usize + row + 1, left as usize + column, cell);
                    }
                }
            }
        }
        if n_sheets == 1 {
            sheet.title.clear();
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

/// Gives every cell of a merged region what its first one holds.
fn fill(sheet: &mut Sheet, region: &calamine::Dimensions) {
    let ((top, left), (bottom, right)) = (region.start, region.end);
    let n_cells = u64::from(bottom.saturating_sub(top) + 1) * u64::from(right.saturating_sub(left) + 1);
    let first = sheet.rows.get(&(top as usize + 1)).and_then(|row| row.get(&(left as usize))).cloned();
    let Some(cell) = first.filter(|_| n_cells <= MERGED_MAX) else { return };
    for row in top..=bottom {
        // A region may reach below the table; only rows that hold something are rows.
        if let Some(cells) = sheet.rows.get_mut(&(row as usize + 1)) {
            for column in left..=right.min(COLUMNS_MAX) {
                cells.entry(column as usize).or_insert_with(|| cell.clone());
            }
        }
    }
}

fn as_ref(data: &Data) -> DataRef<'_> {
    match data {
        Data::Int(x) => DataRef::Int(*x),
        Data::Float(x) => DataRef::Float(*x),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(x) => DataRef::Bool(*x),
        Data::DateTime(at) => DataRef::DateTime(*at),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        _ => DataRef::Empty,
    }
}

fn from_ref(data: &DataRef<'_>) -> Option<Cell> {
    let text = match data {
        DataRef::Empty => return None,
        DataRef::Error(error) => return Some(Cell::Error(error.to_string())),
        DataRef::Int(x) => x.to_string(),
        DataRef::Float(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
        DataRef::Float(x) => x.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "是".to_owned(),
        DataRef::Bool(false) => "否".to_owned(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, _, _) = at.to_ymd_hms_milli();
            match (hour, minute) {
                (0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
    };
    Some(Cell::Text(text))
}
