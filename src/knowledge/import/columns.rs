//! Which column of a table is what, and its rows as drafts.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::knowledge::import::Draft;
use crate::knowledge::import::ImportError;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Refused;
use crate::knowledge::import::goods;
use crate::knowledge::import::sheet::Cell;
use crate::knowledge::import::sheet::Sheet;
use crate::knowledge::shown;

/// Rows in which a header is looked for: some tables begin with a title.
const HEADER_ROWS: usize = 10;

/// What the columns of one kind of table are called.
pub(super) struct Headings {
    /// For each column what people call it, the bot's own heading first; compared in lower case, without blanks.
    names: &'static [&'static [&'static str]],
    /// Columns that may come several times, as `相似问1`, `相似问2`.
    repeated: &'static [usize],
    /// Whether a table with these columns is of this kind.
    suits: fn(&dyn Fn(usize) -> bool) -> bool,
}

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

/// Tables of questions.
const QUESTIONS: Headings = Headings {
    names: &[
        &["编号", "id", "知识编号", "编码"],
        &["分类", "类别", "类目", "主题", "目录", "一级分类", "知识分类", "topic", "category"],
        &[
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
        &[
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
        &[
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
        &["生效", "生效日期", "生效时间", "开始日期", "有效期起", "valid_from", "valid from", "start"],
        &[
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
    ],
    repeated: &[Column::Phrasings as usize],
    suits: |has| has(Column::Question as usize) && has(Column::Answer as usize),
};

/// Tables of goods; the columns are those of the catalogue.
pub(super) const GOODS: Headings = Headings {
    names: &[
        &[
            "编号",
            "id",
            "货号",
            "商品编号",
            "商品编码",
            "商家编码",
            "商品id",
            "款号",
            "spu",
            "sku",
            "product_id",
            "item_id",
            "code",
        ],
        &["名称", "商品名称", "品名", "商品标题", "标题", "商品", "name", "title", "product_name"],
        &["类目", "分类", "品类", "类别", "商品分类", "商品类目", "category"],
        &["别名", "俗称", "简称", "aliases"],
        &["系列", "品牌", "series", "brand"],
        &["颜色", "颜色分类", "色号", "colours", "colour", "colors", "color"],
        &["尺码", "尺寸", "规格", "码数", "sizes", "size"],
        &["材质", "面料", "材料", "成分", "materials", "material"],
        &["款式", "风格", "标签", "styles", "style", "tags"],
        &["价格", "售价", "单价", "零售价", "现价", "销售价", "price", "sale_price"],
        &["库存", "库存数量", "库存数", "可售库存", "数量", "stock", "quantity", "qty", "inventory"],
        &["缺货", "缺货规格", "sold_out"],
        &["图片", "主图", "picture"],
        &["描述", "商品描述", "卖点", "简介", "详情", "description"],
    ],
    repeated: &[],
    suits: |has| has(0) && (1..=2).chain(9..=10).any(has),
};

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
        QUESTIONS.names[self as usize][0]
    }

    /// The column that people call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        QUESTIONS.named(name).map(|column| Self::ALL[column])
    }
}

/// Which heading of a foreign table means which column: `价格` to `吊牌价`. A column may be named in any way that we know.
pub type Mapping = BTreeMap<String, String>;

/// The names in a mapping that are no column of any table.
#[must_use]
pub fn strangers(map: &Mapping) -> Vec<&str> {
    let is_known = |name: &&str| QUESTIONS.named(name).or_else(|| GOODS.named(name)).is_some();
    map.keys().map(String::as_str).filter(|name| !is_known(name)).collect()
}

/// The headings of all columns that a mapping can name, for people to choose from.
#[must_use]
pub fn known() -> Vec<&'static str> {
    let mut all: Vec<&str> = QUESTIONS.names.iter().chain(GOODS.names).map(|names| names[0]).collect();
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(*name));
    all
}

/// A heading as headings are compared: `相似问 2` is `相似问`.
fn folded(heading: &str) -> String {
    let heading = heading.trim().trim_start_matches('*').to_lowercase();
    let heading = heading.split(['（', '(', '\n']).next().unwrap_or_default();
    heading.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == '_').trim().to_owned()
}

/// Where the columns of a sheet are.
pub(super) struct Header {
    /// Row of the headings.
    pub(super) row: usize,
    /// What each column is.
    pub(super) columns: BTreeMap<usize, usize>,
    /// Headings that say nothing to us.
    pub(super) unread: Vec<String>,
}

impl Headings {
    /// The column that people call so.
    fn named(&self, name: &str) -> Option<usize> {
        let name = folded(name);
        self.names.iter().position(|names| names.contains(&name.as_str()))
    }

    /// Looks for the row of headings.
    pub(super) fn find(&self, sheet: &Sheet, map: &Mapping) -> Option<Header> {
        let named: BTreeMap<String, usize> = map
            .iter()
            .filter_map(|(name, heading)| Some((heading.trim().to_lowercase(), self.named(name)?)))
            .collect();
        sheet.rows.iter().take(HEADER_ROWS).find_map(|(row, cells)| {
            let mut header = Header { row: *row, columns: BTreeMap::new(), unread: Vec::new() };
            for (at, cell) in cells {
                let Cell::Text(heading) = cell else { continue };
                let own = named.get(&heading.trim().to_lowercase()).copied();
                let is_named = |column: &usize| named.values().any(|own| own == column);
                let guessed = || self.named(heading).filter(|column| !is_named(column));
                match own.or_else(guessed) {
                    Some(column)
                        if self.repeated.contains(&column)
                            || !header.columns.values().any(|own| *own == column) =>
                    {
                        header.columns.insert(*at, column);
                    }
                    _ => header.unread.push(shown(heading)),
                }
            }
            let has = |column: usize| header.columns.values().any(|own| *own == column);
            (self.suits)(&has).then_some(header)
        })
    }
}

/// Reads sheets of questions and of goods; those of neither kind are passed over where another one is of one.
pub(super) fn read(name: &str, sheets: Vec<Sheet>, map: &Mapping) -> Result<Imported, ImportError> {
    let mut imported = Imported { name: name.to_owned(), ..Imported::default() };
    let mut any = false;
    for sheet in &sheets {
        imported.refused.extend(sheet.refused.iter().cloned());
        if let Some(header) = QUESTIONS.find(sheet, map) {
            any = true;
            for (row, cells) in sheet.rows.iter().filter(|(row, _)| **row > header.row) {
                let place = sheet.place(name, *row);
                match draft(&header, cells, &place) {
                    Ok(Some(draft)) => imported.drafts.push(draft),
                    Ok(None) => {}
                    Err(reason) => imported.refused.push(Refused { place, reason }),
                }
            }
            imported.unread.extend(header.unread);
        } else if let Some(header) = GOODS.find(sheet, map) {
            any = true;
            goods::take(name, sheet, &header, &mut imported);
            imported.unread.extend(header.unread);
        }
    }
    if !any {
        let first = sheets.iter().filter_map(|sheet| sheet.rows.values().next()).flat_map(BTreeMap::values);
        let found: Vec<String> = first.map(|cell| format!("“{}”", shown(cell.text()))).take(12).collect();
        let name = name.to_owned();
        return Err(match found.as_slice() {
            [] if imported.refused.is_empty() => ImportError::Empty { name },
            [] => ImportError::Header { name, found: "没有任何内容".to_owned() },
            found => ImportError::Header { name, found: found.join("、") },
        });
    }
    Ok(imported)
}

/// `None` for a row without anything to read.
fn draft(header: &Header, cells: &BTreeMap<usize, Cell>, place: &str) -> Result<Option<Draft>, String> {
    let mut draft = Draft { place: place.to_owned(), ..Draft::default() };
    for (at, column) in &header.columns {
        let column = Column::ALL[*column];
        let text = match cells.get(at) {
            Some(Cell::Text(text)) => text.trim(),
            Some(Cell::Error(error)) => {
                return Err(format!("“{}”一格是公式错误 {error}", column.heading()));
            }
            None => continue,
        };
        let own = &mut draft.cells[column as usize];
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
