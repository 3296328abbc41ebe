//! Which column of a table is what, and its rows as drafts.

use std::collections::BTreeMap;

use crate::knowledge::import::Draft;
use crate::knowledge::import::ImportError;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Refused;
use crate::knowledge::import::sheet::Cell;
use crate::knowledge::import::sheet::Sheet;
use crate::knowledge::shown;

/// Rows in which a header is looked for: some tables begin with a title.
const HEADER_ROWS: usize = 10;

/// What a column of a table of questions says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Id.
    Id,
    /// Topic.
    Topic,
    /// Question.
    Question,
    /// Other ways of asking.
    Phrasings,
    /// Answer.
    Answer,
    /// First day.
    ValidFrom,
    /// Last day.
    ValidUntil,
}

impl Column {
    /// Number of columns.
    pub const N: usize = 7;

    /// All columns, in the order of a draft's cells.
    pub const ALL: [Self; Self::N] = [
        Self::Id,
        Self::Topic,
        Self::Question,
        Self::Phrasings,
        Self::Answer,
        Self::ValidFrom,
        Self::ValidUntil,
    ];

    /// What the bot's own tables call it.
    #[must_use]
    pub fn heading(self) -> &'static str {
        self.names()[0]
    }

    /// What people call it; compared in lower case, without blanks.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["编号", "id", "知识编号", "编码"],
            Self::Topic => {
                &["分类", "类别", "类目", "主题", "目录", "一级分类", "知识分类", "topic", "category"]
            }
            Self::Question => &[
                "问题",
                "标准问",
                "标准问题",
                "提问",
                "问",
                "知识标题",
                "标题",
                "客户问题",
                "常见问题",
                "question",
                "q",
                "title",
                "standard question",
            ],
            Self::Phrasings => &[
                "相似问",
                "相似问法",
                "相似问题",
                "问法",
                "扩展问",
                "同义问",
                "其他问法",
                "similar",
                "phrasings",
                "similar questions",
                "variants",
                "aliases",
            ],
            Self::Answer => &[
                "答案",
                "回答",
                "答复",
                "答",
                "回复",
                "回复内容",
                "标准答案",
                "知识内容",
                "内容",
                "话术",
                "answer",
                "a",
                "reply",
                "content",
                "response",
            ],
            Self::ValidFrom => {
                &["生效", "生效日期", "生效时间", "开始日期", "有效期起", "valid_from", "valid from", "start"]
            }
            Self::ValidUntil => &[
                "失效",
                "失效日期",
                "失效时间",
                "过期时间",
                "到期日",
                "截止日期",
                "有效期止",
                "valid_until",
                "valid until",
                "expires",
                "end",
            ],
        }
    }

    /// The column of that name, as the command line has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = folded(name);
        Self::ALL.into_iter().find(|column| column.names().contains(&name.as_str()))
    }
}

/// A heading as headings are compared: `相似问 2` is `相似问`.
fn folded(heading: &str) -> String {
    let heading = heading.trim().trim_start_matches('*').to_lowercase();
    let heading = heading.split(['（', '(', '\n']).next().unwrap_or_default();
    heading.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == '_').trim().to_owned()
}

/// Where the columns of a sheet are.
struct Header {
    /// Row of the headings.
    row: usize,
    /// What each column is.
    columns: BTreeMap<usize, Column>,
    /// Headings that say nothing to us.
    unread: Vec<String>,
}

fn header(sheet: &Sheet, map: &BTreeMap<Column, String>) -> Option<Header> {
    let named: BTreeMap<String, Column> =
        map.iter().map(|(column, heading)| (heading.trim().to_lowercase(), *column)).collect();
    sheet.rows.iter().take(HEADER_ROWS).find_map(|(row, cells)| {
        let mut header = Header { row: *row, columns: BTreeMap::new(), unread: Vec::new() };
        for (at, cell) in cells {
            let Cell::Text(heading) = cell else { continue };
            let own = named.get(&heading.trim().to_lowercase()).copied();
            let guessed = || Column::named(heading).filter(|column| !map.contains_key(column));
            match own.or_else(guessed) {
                Some(column)
                    if column == Column::Phrasings || !header.columns.values().any(|own| *own == column) =>
                {
                    header.columns.insert(*at, column);
                }
                _ => header.unread.push(shown(heading)),
            }
        }
        let has = |column| header.columns.values().any(|own| *own == column);
        (has(Column::Question) && has(Column::Answer)).then_some(header)
    })
}

/// Reads sheets of questions; those without a header are passed over where another one has one.
pub(super) fn read(
    name: &str,
    sheets: Vec<Sheet>,
    map: &BTreeMap<Column, String>,
) -> Result<Imported, ImportError> {
    let mut imported = Imported { name: name.to_owned(), ..Imported::default() };
    let mut any = false;
    for sheet in &sheets {
        imported.refused.extend(sheet.refused.iter().cloned());
        let Some(header) = header(sheet, map) else { continue };
        any = true;
        imported.unread.extend(header.unread.iter().cloned());
        for (row, cells) in sheet.rows.iter().filter(|(row, _)| **row > header.row) {
            let place = sheet.place(name, *row);
            match draft(&header, cells, &place) {
                Ok(Some(draft)) => imported.drafts.push(draft),
                Ok(None) => {}
                Err(reason) => imported.refused.push(Refused { place, reason }),
            }
        }
    }
    if !any {
        let first = sheets.iter().filter_map(|sheet| sheet.rows.values().next()).flat_map(BTreeMap::values);
        let found: Vec<String> = first.map(|cell| format!("“{}”", shown(cell.text()))).take(12).collect();
        let found = if found.is_empty() { "没有任何内容".to_owned() } else { found.join("、") };
        return Err(ImportError::Header { name: name.to_owned(), found });
    }
    Ok(imported)
}

/// `None` for a row without anything to read.
fn draft(header: &Header, cells: &BTreeMap<usize, Cell>, place: &str) -> Result<Option<Draft>, String> {
    let mut draft = Draft { place: place.to_owned(), ..Draft::default() };
    for (at, column) in &header.columns {
        let text = match cells.get(at) {
            Some(Cell::Text(text)) => text.trim(),
            Some(Cell::Error(error)) => {
                return Err(format!("“{}”一格是公式错误 {error}", column.heading()));
            }
            None => continue,
        };
        let own = &mut draft.cells[*column as usize];
        match column {
            Column::Phrasings => {
                let items =
                    text.split(['\n', '|', '｜', ';', '；']).map(str::trim).filter(|item| !item.is_empty());
                for item in items {
                    if !own.is_empty() {
                        own.push('|');
                    }
                    own.push_str(item);
                }
            }
            // Serial numbers of one file would clash with those of the next.
            Column::Id if text.bytes().all(|byte| byte.is_ascii_digit()) => {}
            // Midnight of a day is the day.
            Column::ValidFrom | Column::ValidUntil => {
                text.split([' ', 'T']).next().unwrap_or_default().clone_into(own);
            }
            Column::Id | Column::Topic | Column::Question | Column::Answer => {
                *own = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
            }
        }
    }
    if draft.cells.iter().all(String::is_empty) {
        return Ok(None);
    }
    for needed in [Column::Question, Column::Answer] {
        if draft.cells[needed as usize].is_empty() {
            return Err(format!("“{}”是空的", needed.heading()));
        }
    }
    Ok(Some(draft))
}
