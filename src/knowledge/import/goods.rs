//! Tables of goods as shops have them become the bot's catalogue: a row an article, or a row a colour and size of one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::knowledge::catalogue::COLUMNS;
use crate::knowledge::catalogue::FILE;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Placed;
use crate::knowledge::import::Refused;
use crate::knowledge::import::Table;
use crate::knowledge::import::columns::GOODS;
use crate::knowledge::import::columns::Header;
use crate::knowledge::import::columns::Mapping;
use crate::knowledge::import::sheet;
use crate::knowledge::import::sheet::Cell;
use crate::knowledge::import::sheet::Sheet;
use crate::knowledge::shown;
use crate::knowledge::snapshot::Files;
use crate::knowledge::table;
use crate::text::decode::decode;

const ID: usize = 0;
const COLOURS: usize = 5;
const SIZES: usize = 6;
const PRICE: usize = 9;
const STOCK: usize = 10;
const SOLD_OUT: usize = 11;
const PICTURE: usize = 12;

/// Columns of several items.
const LISTS: [usize; 5] = [3, COLOURS, SIZES, 7, 8];

/// An article of a foreign table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Good {
    /// Where its first row stands.
    pub place: String,
    /// The cells, in the order of the catalogue's columns; `None` where the table lacks the column.
    cells: [Option<String>; COLUMNS.len()],
    /// Pieces of each variant that a row of its own names, over all of its rows.
    pieces: BTreeMap<String, u32>,
}

/// What happens to articles of the bot that a table does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay: the table is an addition.
    Stay,
    /// They go: the table is all there is.
    Go,
}

/// What a catalogue has become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stocked {
    /// Articles that were there before.
    pub n_before: usize,
    /// Articles that are there now.
    pub n_now: usize,
}

/// Reads a sheet of goods. Several rows of one number are its variants: colours and sizes are gathered, pieces added up, and
/// a variant without pieces is sold out.
pub(super) fn take(name: &str, sheet: &Sheet, header: &Header, imported: &mut Imported) {
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    for (row, cells) in sheet.rows.iter().filter(|(row, _)| **row > header.row) {
        let place = sheet.place(name, *row);
        let good = match read(header, cells, place.clone()) {
            Ok(Some(good)) => good,
            Ok(None) => continue,
            Err(reason) => {
                imported.refused.push(Refused { place, reason });
                continue;
            }
        };
        if let Err(reason) = gather(good, &mut imported.goods, &mut at) {
            imported.refused.push(Refused { place, reason });
        }
    }
}

/// Adds a row to those of its number.
///
/// * `at`: where each number is.
fn gather(mut good: Good, goods: &mut Vec<Good>, at: &mut BTreeMap<String, usize>) -> Result<(), String> {
    match at.get(good.cell(ID)) {
        Some(first) => goods[*first].join(&good),
        None => {
            at.insert(good.cell(ID).to_owned(), goods.len());
            if let Some((variant, pieces)) = good.variant() {
                good.pieces.entry(variant).or_insert(pieces);
            }
            goods.push(good);
            Ok(())
        }
    }
}

/// Goods of several tables that are one list, as its pages are: rows of one number belong together wherever they stand.
#[must_use]
pub fn gathered(tables: Vec<Vec<Good>>) -> (Vec<Good>, Vec<Refused>) {
    let (mut goods, mut at, mut refused) = (Vec::new(), BTreeMap::new(), Vec::new());
    for good in tables.into_iter().flatten() {
        let place = good.place.clone();
        if let Err(reason) = gather(good, &mut goods, &mut at) {
            refused.push(Refused { place, reason });
        }
    }
    (goods, refused)
}

/// `None` for a row without anything to read.
fn read(header: &Header, cells: &BTreeMap<usize, Cell>, place: String) -> Result<Option<Good>, String> {
    let mut good = Good { place, ..Good::default() };
    for (at, column) in &header.columns {
        let heading = COLUMNS[*column].chinese;
        let text = match cells.get(at) {
            Some(Cell::Text(text)) => text.trim(),
            Some(Cell::Error(error)) => return Err(format!("“{heading}”一格是公式错误 {error}")),
            None => "",
        };
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        good.cells[*column] = Some(match *column {
            PRICE => amount(&text, &["¥", "￥", "RMB", "CNY"], &["元", "rmb"]),
            // Systems that sell what is still to come count below nothing.
            STOCK if text.starts_with('-') => "0".to_owned(),
            STOCK => amount(&text, &[], &["件", "个", "双", "条", "套", "只"]),
            column if LISTS.contains(&column) => list(&text),
            _ => text,
        });
    }
    if good.cells.iter().flatten().all(String::is_empty) {
        return Ok(None);
    }
    if good.cell(ID).is_empty() {
        return Err(format!("“{}”是空的", COLUMNS[ID].chinese));
    }
    Ok(Some(good))
}

/// A number as the catalogue has it: without sign of currency, unit, thousands and a point that nothing follows.
fn amount(text: &str, before: &[&str], after: &[&str]) -> String {
    let mut text = text.trim();
    for sign in before {
        text = text.strip_prefix(sign).unwrap_or(text).trim_start();
    }
    for unit in after {
        text = text.strip_suffix(unit).unwrap_or(text).trim_end();
    }
    let plain = text.replace([',', '，'], "");
    match plain.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole.to_owned()
        }
        _ => plain,
    }
}

/// Items as the catalogue separates them.
fn list(text: &str) -> String {
    let mut items: Vec<&str> = Vec::new();
    for item in text.split(['|', '｜', '\n', ';', '；', '、', ',', '，']).map(str::trim) {
        if !item.is_empty() && !items.contains(&item) {
            items.push(item);
        }
    }
    items.join("|")
}

impl Good {
    fn cell(&self, column: usize) -> &str {
        self.cells[column].as_deref().unwrap_or_default()
    }

    /// `颜色/尺码` with its pieces, where the row is one variant.
    fn variant(&self) -> Option<(String, u32)> {
        let is_one = |column: usize| !self.cell(column).contains('|');
        let is_named = !(self.cell(COLOURS).is_empty() && self.cell(SIZES).is_empty());
        let pieces =
            self.cell(STOCK).parse().ok().filter(|_| is_named && is_one(COLOURS) && is_one(SIZES))?;
        Some((format!("{}/{}", self.cell(COLOURS), self.cell(SIZES)), pieces))
    }

    /// Adds another row of the same number.
    fn join(&mut self, other: &Self) -> Result<(), String> {
        for column in [1, PRICE] {
            let (own, its) = (self.cell(column), other.cell(column));
            if !its.is_empty() && own != its {
                let heading = COLUMNS[column].chinese;
                let (own, its) = (shown(own), shown(its));
                return Err(format!("编号“{}”的{heading}前面是“{own}”，这里是“{its}”", shown(self.cell(ID))));
            }
        }
        if let (Some(own), Some(its)) = (&self.cells[STOCK], &other.cells[STOCK]) {
            let (Ok(own), Ok(its)) = (own.parse::<u32>(), its.parse::<u32>()) else {
                return Err(format!("库存“{}”和“{}”加不起来", shown(own), shown(its)));
            };
            self.cells[STOCK] = Some(own.saturating_add(its).to_string());
        }
        let variants =
            other.pieces.clone().into_iter().chain(other.variant().filter(|_| other.pieces.is_empty()));
        for (variant, pieces) in variants {
            let own = self.pieces.entry(variant).or_default();
            *own = own.saturating_add(pieces);
        }
        for column in LISTS.into_iter().chain([SOLD_OUT]) {
            if let (Some(own), Some(its)) = (&self.cells[column], &other.cells[column]) {
                self.cells[column] = Some(list(&format!("{own}|{its}")));
            }
        }
        Ok(())
    }
}

/// Reads prices as fen; an article whose price is no whole number of them is left out and named.
#[must_use]
pub fn priced_in_fen(goods: &mut Vec<Good>) -> Vec<Refused> {
    let mut refused = Vec::new();
    goods.retain_mut(|good| {
        let Some(price) = &good.cells[PRICE] else { return true };
        let Ok(fen) = price.parse::<u32>() else {
            let reason = format!("价格“{}”不是整数的分", shown(price));
            refused.push(Refused { place: good.place.clone(), reason });
            return false;
        };
        good.cells[PRICE] = Some(format!("{}.{:02}", fen / 100, fen % 100));
        true
    });
    refused
}

/// Puts goods into a bot's catalogue. An article that the bot knows keeps what the table has no column for, such as other
/// names and a picture.
///
/// * `skipped`: places that are left out.
#[must_use]
pub fn stock<'g>(
    goods: impl IntoIterator<Item = &'g Good>,
    others: Others,
    files: &mut Files,
    skipped: &dyn Fn(&str) -> bool,
) -> (Placed, Stocked) {
    let mut all = own(files);
    let n_before = all.len();
    let mut kept: BTreeMap<String, Good> =
        all.iter().map(|good| (good.cell(ID).to_owned(), good.clone())).collect();
    let mut order: Vec<String> = match others {
        Others::Stay => all.drain(..).map(|good| good.cell(ID).to_owned()).collect(),
        Others::Go => Vec::new(),
    };
    let mut listed: BTreeSet<String> = order.iter().cloned().collect();
    let mut placed = Placed { file: FILE.to_owned(), ..Placed::default() };
    for good in goods.into_iter().filter(|good| !skipped(&good.place)) {
        let id = good.cell(ID);
        let before = kept.remove(id).unwrap_or_default();
        if listed.insert(id.to_owned()) {
            order.push(id.to_owned());
        }
        kept.insert(id.to_owned(), good.over(before, files));
    }
    let mut table = Table::new(COLUMNS.iter().map(|column| column.chinese));
    let n_now = order.len();
    for good in order.iter().filter_map(|id| kept.get(id)) {
        if !good.place.is_empty() {
            placed.places.insert(table.line, good.place.clone());
        }
        table.push((0..COLUMNS.len()).map(|column| good.cell(column)));
    }
    files.insert(FILE.to_owned(), table.bytes);
    (placed, Stocked { n_before, n_now })
}

impl Good {
    /// What the table says, and for the rest what the bot knew.
    fn over(&self, before: Self, files: &Files) -> Self {
        let mut good = self.clone();
        // Which variants are gone belongs to colours and sizes: those of another table say nothing of these.
        let has_variants = self.cells[COLOURS].is_some() || self.cells[SIZES].is_some();
        if has_variants && good.cells[SOLD_OUT].is_none() {
            let gone = good.pieces.iter().filter(|(_, pieces)| **pieces == 0);
            let gone: Vec<&str> = gone.map(|(variant, _)| variant.as_str()).collect();
            good.cells[SOLD_OUT] = Some(gone.join("|"));
        }
        // Pictures are files of the bot; an address or a file that it lacks is none.
        if good.cells[PICTURE].as_ref().is_some_and(|path| !files.contains_key(path)) {
            good.cells[PICTURE] = None;
        }
        for (own, its) in good.cells.iter_mut().zip(before.cells) {
            if own.is_none() {
                *own = its;
            }
        }
        good
    }
}

/// The bot's own catalogue, unread where it is none: what is wrong with it is for `check` to tell.
fn own(files: &Files) -> Vec<Good> {
    let Some(bytes) = files.get(FILE) else { return Vec::new() };
    let sheets = sheet::csv(FILE, &decode(bytes).text);
    let Some(sheet) = sheets.first() else { return Vec::new() };
    let Some(header) = GOODS.find(sheet, &Mapping::new()) else { return Vec::new() };
    let rows = sheet.rows.range(header.row + 1..);
    rows.map(|(_, cells)| {
        let mut good = Good::default();
        for (at, column) in &header.columns {
            let text = cells.get(at).map(Cell::text).unwrap_or_default();
            good.cells[*column] = Some(table::unguarded(text.trim()).to_owned());
        }
        good
    })
    .filter(|good| !good.cell(ID).is_empty())
    .collect()
}
