//! What people have, read as knowledge: tables and documents of any program become one table of a bot's folder.
//!
//! ```text
//! bytes -> sheet (CSV, XLSX, XLS, ODS, JSON) -> columns guessed -> rows ┐
//!       -> document (Markdown, text, HTML, DOCX, PDF) -> passages       ┴-> faq/import/NAME.csv, products.csv
//! ```

mod archive;
mod columns;
mod document;
mod docx;
pub mod goods;
mod json;
mod sheet;

use std::collections::BTreeMap;
use std::fmt;

use sha2::Digest;
use sha2::Sha256;

use crate::knowledge::import::goods::Good;
use crate::knowledge::snapshot::Files;
use crate::knowledge::table;
use crate::text::decode::decode;
use crate::text::hex::lower_hex;

pub use crate::knowledge::import::columns::Column;
pub use crate::knowledge::import::columns::Mapping;
pub use crate::knowledge::import::columns::known;
pub use crate::knowledge::import::columns::strangers;

/// Bytes of one file.
pub const IMPORT_BYTES_MAX: usize = 64 << 20;

/// Folder below the bot's that holds what was imported.
const FOLDER: &str = "faq/import";

/// Why a file holds no knowledge at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nobody reads such a file.
    #[error("{name}：不认识这种文件；可以是 csv、xlsx、xls、ods、json、jsonl、md、txt、html、docx、pdf")]
    Format {
        /// The file.
        name: String,
    },
    /// It is larger than a file may be.
    #[error("{name}：有 {bytes} 字节，超过上限 {IMPORT_BYTES_MAX} 字节")]
    Size {
        /// The file.
        name: String,
        /// Its bytes.
        bytes: usize,
    },
    /// It is not what its name says, or is damaged.
    #[error("{name}：打不开：{detail}")]
    Damaged {
        /// The file.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// It grows without end when unpacked.
    #[error("{name}：解压后超过 {limit} 字节，可能是压缩炸弹，不读")]
    Bomb {
        /// The file.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// A mapping that names no column.
    #[error("“{column}”不是能指定的列；可以是 {known}", known = known().join("、"))]
    Column {
        /// What it names.
        column: String,
    },
    /// A table without the columns that are needed.
    #[error(
        "{name}：没有找到表头：问答需要“问题”和“答案”两列，商品需要“编号”和名称、价格、库存中的一列，表里有 {found}；可以用 --map 问题=列名 --map 答案=列名 指定"
    )]
    Header {
        /// The file.
        name: String,
        /// What stands in its first row.
        found: String,
    },
    /// Pictures of pages.
    #[error("{name}：PDF 里没有文字层，多半是扫描件；请先做文字识别（OCR），或者导入原来的文档")]
    Scanned {
        /// The file.
        name: String,
    },
    /// There is nothing in it.
    #[error("{name}：没有内容")]
    Empty {
        /// The file.
        name: String,
    },
}

/// A row that cannot become an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands: `价目.xlsx 表“售后”第 7 行`.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}：{}", self.place, self.reason)
    }
}

/// A file as knowledge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Name of the file.
    pub name: String,
    /// Rows and passages.
    pub drafts: Vec<Draft>,
    /// Articles for sale.
    pub goods: Vec<Good>,
    /// Rows that were left out.
    pub refused: Vec<Refused>,
    /// Columns that nobody reads.
    pub unread: Vec<String>,
}

/// One entry to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Where it stands.
    pub place: String,
    /// The cells, in the order of [`Column::ALL`].
    pub cells: [String; Column::N],
    /// Whether it is a passage of a document.
    pub is_passage: bool,
}

/// Reads a file.
///
/// * `name`: with its ending, which says what it is.
/// * `map`: columns that the caller has named, with their headings.
///
/// # Errors
/// See [`ImportError`]. Mistakes of single rows are told in [`Imported::refused`].
pub fn read(name: &str, bytes: &[u8], map: &Mapping) -> Result<Imported, ImportError> {
    if let Some(column) = strangers(map).first() {
        return Err(ImportError::Column { column: (*column).to_owned() });
    }
    if bytes.len() > IMPORT_BYTES_MAX {
        return Err(ImportError::Size { name: name.to_owned(), bytes: bytes.len() });
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    let text = || decode(bytes).text;
    let imported = match ending.as_str() {
        "csv" | "tsv" => columns::read(name, sheet::csv(name, &text()), map)?,
        "xlsx" | "xlsm" | "xls" | "ods" => columns::read(name, sheet::workbook(name, bytes)?, map)?,
        "json" | "jsonl" => columns::read(name, json::read(name, &text())?, map)?,
        "md" | "markdown" => document::markdown(name, &text()),
        "txt" => document::text(name, &[text()]),
        "html" | "htm" => document::html(name, &text())?,
        "docx" => document::sections(name, docx::read(name, bytes)?),
        "pdf" => document::text(name, &document::pdf_pages(name, bytes)?),
        _ => return Err(ImportError::Format { name: name.to_owned() }),
    };
    if imported.drafts.is_empty() && imported.goods.is_empty() && imported.refused.is_empty() {
        return Err(ImportError::Empty { name: name.to_owned() });
    }
    Ok(imported)
}

/// What was imported as files of the bot's folder.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// Path of the new file.
    pub file: String,
    /// Where each of its lines comes from; lines between belong to the one before.
    pub places: BTreeMap<usize, String>,
    /// Topics that the bot did not have: id to title.
    pub new_topics: BTreeMap<String, String>,
}

/// Puts what was read into a bot's files: its entries into a table of its own, in place of an earlier import of a file of
/// that name, and topics that the bot lacks into its `bot.toml`.
///
/// * `skipped`: places that are left out.
#[must_use]
pub fn place(
    imported: &Imported,
    files: &mut Files,
    topics: &BTreeMap<String, String>,
    skipped: &dyn Fn(&str) -> bool,
) -> Placed {
    let stem = imported.name.rsplit_once('.').map_or(imported.name.as_str(), |(stem, _)| stem);
    let stem = stem.rsplit(['/', '\\']).next().unwrap_or(stem);
    let file = target(&imported.name);
    let mut placed = Placed { file: file.clone(), ..Placed::default() };
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    let mut table = Table::new(Column::ALL.into_iter().map(Column::heading));
    for draft in imported.drafts.iter().filter(|draft| !skipped(&draft.place)) {
        let mut cells = draft.cells.clone();
        let topic = &mut cells[Column::Topic as usize];
        if topic.is_empty() {
            stem.clone_into(topic);
        }
        let is_known = topics.contains_key(topic.as_str()) || topics.values().any(|title| title == topic);
        if !is_known {
            let id = format!("import-{}", lower_hex(&Sha256::digest(topic.as_bytes())[..4]));
            titles.insert(id.clone(), std::mem::replace(topic, id));
        }
        placed.places.insert(table.line, draft.place.clone());
        table.push(cells.iter().map(String::as_str));
    }
    files.insert(file, table.bytes);
    if !titles.is_empty()
        && let Some(profile) = files.get_mut("bot.toml")
    {
        *profile = with_topics(&decode(profile).text, &titles).into_bytes();
    }
    placed.new_topics = titles;
    placed
}

/// A CSV file in the making, which knows its lines.
struct Table {
    bytes: Vec<u8>,
    line: usize,
}

impl Table {
    fn new<'h>(headings: impl Iterator<Item = &'h str>) -> Self {
        let mut table = Self { bytes: Vec::new(), line: 1 };
        table.push(headings);
        table
    }

    fn push<'c>(&mut self, cells: impl Iterator<Item = &'c str>) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(cells.map(table::guarded)).expect("writing to memory does not fail");
        let row = writer.into_inner().expect("writing to memory does not fail");
        self.line += row.iter().filter(|byte| **byte == b'\n').count();
        self.bytes.extend(row);
    }
}

/// Adds topics to the text of a `bot.toml`.
fn with_topics(text: &str, titles: &BTreeMap<String, String>) -> String {
    let lines: String = titles.iter().map(|(id, title)| format!("{id} = {}\n", toml_string(title))).collect();
    let mut begin = 0;
    let mut header = None;
    for line in text.split_inclusive('\n') {
        let said: String = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        if said == "[topics]" {
            header = Some((begin, line));
            break;
        }
        begin += line.len();
    }
    match header {
        Some((begin, line)) => {
            let (before, after) = text.split_at(begin + line.len());
            let gap = if before.ends_with('\n') { "" } else { "\n" };
            format!("{before}{gap}{lines}{after}")
        }
        None => format!("{}\n\n[topics]\n{lines}", text.trim_end()),
    }
}

fn toml_string(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The table that a file of that name becomes: the whole name speaks in it, so that two files do not become one.
#[must_use]
pub fn target(name: &str) -> String {
    let bare = name.strip_suffix(".csv").unwrap_or(name);
    let plain = |c: char| if c.is_control() || "<>:\"|?*/\\".contains(c) { '-' } else { c };
    let cut: String = bare.chars().map(plain).take(80).collect();
    match cut.trim_start_matches(['.', '~', '-']) {
        "" => format!("{FOLDER}/import.csv"),
        cut => format!("{FOLDER}/{cut}.csv"),
    }
}

#[cfg(test)]
mod tests;
