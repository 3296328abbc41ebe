//! `products.csv`: the goods, one a row.

use crate::knowledge::Source;
use crate::knowledge::faq::is_id;
use crate::knowledge::faq::items;
use crate::knowledge::finding::Finding;
use crate::knowledge::limits::DESCRIPTION_BYTES_MAX;
use crate::knowledge::limits::ID_BYTES_MAX;
use crate::knowledge::limits::ITEMS_MAX;
use crate::knowledge::limits::NAME_CHARS_MAX;
use crate::knowledge::limits::PRICE_FEN_MAX;
use crate::knowledge::limits::STOCK_MAX;
use crate::knowledge::product::Product;
use crate::knowledge::product::Variant;
use crate::knowledge::shown;
use crate::knowledge::table::Column;
use crate::knowledge::table::Row;
use crate::knowledge::table::rows;

/// The file, below the bot's folder.
pub(super) const FILE: &str = "products.csv";

/// Reads the catalogue; articles that cannot be used are reported and left out.
pub(super) fn from_csv(file: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Product> {
    let rows = rows(file, text, &COLUMNS, findings);
    rows.iter().filter_map(|row| product(file, row, findings)).collect()
}

/// Columns of the file.
pub(super) const COLUMNS: [Column; 14] = [
    Column::required("编号", "id"),
    Column::required("名称", "name"),
    Column::required("类目", "category"),
    Column::optional("别名", "aliases"),
    Column::optional("系列", "series"),
    Column::optional("颜色", "colours"),
    Column::optional("尺码", "sizes"),
    Column::optional("材质", "materials"),
    Column::optional("款式", "styles"),
    Column::required("价格", "price"),
    Column::required("库存", "stock"),
    Column::optional("缺货", "sold_out"),
    Column::optional("图片", "picture"),
    Column::optional("描述", "description"),
];

/// Reads the cells of one row and keeps what was wrong with them.
struct Cells<'r> {
    row: &'r Row,
    source: Source,
    findings: &'r mut Vec<Finding>,
}

fn product(file: &str, row: &Row, findings: &mut Vec<Finding>) -> Option<Product> {
    let before = findings.len();
    let source = Source { file: file.to_owned(), line: row.line };
    let mut cells = Cells { row, source, findings };
    let (colours, sizes) = (cells.list(5), cells.list(6));
    let sold_out = cells.sold_out(11, &colours, &sizes);
    let product = Product {
        id: cells.id(0),
        name: cells.required_name(1),
        category: cells.required_name(2),
        aliases: cells.list(3),
        series: cells.name(4),
        colours,
        sizes,
        materials: cells.list(7),
        styles: cells.list(8),
        price_fen: cells.price(9),
        stock: cells.stock(10),
        sold_out,
        picture: Some(row.cell(12)).filter(|path| !path.is_empty()).map(str::to_owned),
        description: cells.description(13),
        source: cells.source.clone(),
    };
    (findings.len() == before).then_some(product)
}

impl Cells<'_> {
    fn complain(&mut self, code: &'static str, column: usize, message: &str, remedy: &str) {
        let message = format!("“{}”一栏{message}", COLUMNS[column].chinese);
        self.findings.push(Finding::error(code, self.source.clone(), message, remedy));
    }

    fn id(&mut self, column: usize) -> String {
        let id = self.row.cell(column).to_owned();
        if !is_id(&id) {
            let message =
                format!("“{}”不能用：只能有英文字母、数字和 - _ .，1 到 {ID_BYTES_MAX} 个。", shown(&id));
            self.complain("bad-id", column, &message, "改成货号，如 YR-001。");
        }
        id
    }

    fn required_name(&mut self, column: usize) -> String {
        if self.row.cell(column).is_empty() {
            self.complain("missing-field", column, "是空的。", "填上它。");
        }
        self.name(column)
    }

    fn name(&mut self, column: usize) -> String {
        let name = self.row.cell(column).to_owned();
        self.limit_chars(column, &name);
        name
    }

    fn limit_chars(&mut self, column: usize, name: &str) {
        let chars = name.chars().count();
        if chars > NAME_CHARS_MAX {
            let message = format!("“{}”有 {chars} 个字，超过上限 {NAME_CHARS_MAX} 个字。", shown(name));
            self.complain("too-long", column, &message, "写短些；多项之间用 | 隔开。");
        }
    }

    fn list(&mut self, column: usize) -> Vec<String> {
        let list = items(self.row.cell(column));
        if list.len() > ITEMS_MAX {
            let message = format!("有 {} 项，超过上限 {ITEMS_MAX} 项。", list.len());
            self.complain("too-many", column, &message, "拆成几个商品。");
        }
        for item in &list {
            self.limit_chars(column, item);
        }
        list
    }

    fn price(&mut self, column: usize) -> u32 {
        let written = self.row.cell(column);
        let fen = fen(written).filter(|fen| *fen <= PRICE_FEN_MAX);
        if fen.is_none() {
            let yuan = PRICE_FEN_MAX / 100;
            let message = format!("“{}”不是价格：要 0 到 {yuan} 元，最多两位小数。", shown(written));
            self.complain("bad-price", column, &message, "只写数字，如 199 或 59.9，不带“元”和千分号。");
        }
        fen.unwrap_or_default()
    }

    fn stock(&mut self, column: usize) -> u32 {
        let written = self.row.cell(column);
        let digits = written.bytes().all(|byte| byte.is_ascii_digit());
        let pieces = written.parse().ok().filter(|pieces| digits && *pieces <= STOCK_MAX);
        if pieces.is_none() {
            let message = format!("“{}”不是件数：要 0 到 {STOCK_MAX} 的整数。", shown(written));
            self.complain("bad-stock", column, &message, "只写整数；卖完写 0。");
        }
        pieces.unwrap_or_default()
    }

    fn sold_out(&mut self, column: usize, colours: &[String], sizes: &[String]) -> Vec<Variant> {
        let mut variants = Vec::new();
        for written in items(self.row.cell(column)) {
            match variant(&written, colours, sizes) {
                Some(variant) => variants.push(variant),
                None => {
                    let message = format!("“{}”不是 颜色/尺码 的写法。", shown(&written));
                    self.complain(
                        "bad-variant",
                        column,
                        &message,
                        "如 黑色/M；整个颜色缺货写 黑色/，整个尺码缺货写 /M。",
                    );
                }
            }
        }
        variants
    }

    fn description(&mut self, column: usize) -> String {
        let words = self.row.cell(column).to_owned();
        if words.len() > DESCRIPTION_BYTES_MAX {
            let message = format!("有 {} 字节，超过上限 {DESCRIPTION_BYTES_MAX} 字节。", words.len());
            self.complain("too-long", column, &message, "把描述写短。");
        }
        words
    }
}

/// Yuan with up to two decimals, as fen.
fn fen(written: &str) -> Option<u32> {
    let (yuan, decimals) = written.split_once('.').unwrap_or((written, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(yuan) || !digits(decimals) || decimals.len() > 2 {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<2}").parse().ok()?;
    yuan.parse::<u32>().ok()?.checked_mul(100)?.checked_add(decimals)
}

/// A sold-out variant. Sizes such as `170/92A` hold a slash themselves, so the cut is made where both
/// sides are known; else at the first slash, and the lint names the stranger.
fn variant(written: &str, colours: &[String], sizes: &[String]) -> Option<Variant> {
    let cuts =
        written.match_indices('/').map(|(at, _slash)| (written[..at].trim(), written[at + 1..].trim()));
    let cuts: Vec<(&str, &str)> =
        cuts.filter(|(colour, size)| !(colour.is_empty() && size.is_empty())).collect();
    let known = |list: &[String], name: &str| name.is_empty() || list.iter().any(|item| item == name);
    let both = cuts.iter().find(|(colour, size)| known(colours, colour) && known(sizes, size));
    let (colour, size) = both.or(cuts.first())?;
    Some(Variant { colour: (*colour).to_owned(), size: (*size).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "编号,名称,类目,别名,系列,颜色,尺码,材质,款式,价格,库存,缺货,图片,描述\n";

    fn read(rows: &str) -> (Vec<Product>, Vec<Finding>) {
        let mut findings = Vec::new();
        let products = from_csv("products.csv", &format!("{HEADER}{rows}"), &mut findings);
        (products, findings)
    }

    #[track_caller]
    fn check_finding(row: &str, code: &str, part: &str) {
        let (products, findings) = read(row);
        assert_eq!(products, []);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].code, findings[0].source.line), (code, 2));
        assert!(findings[0].message.contains(part), "{}", findings[0].message);
    }

    #[test]
    fn a_row_becomes_an_article() {
        let row = "YR-001,云柔衬衫,衬衫,白衬衣|打底衫,云柔,黑色|白色,M|170/92A,棉,通勤,59.9,12,黑色/170/92A|白色/|/M,pictures/YR-001.png,\"软,不透\"\n";
        let (products, findings) = read(row);
        assert_eq!(findings, []);
        let product = &products[0];
        assert_eq!((product.price_fen, product.stock), (5990, 12));
        assert_eq!(product.aliases, ["白衬衣", "打底衫"]);
        let sold_out: Vec<_> =
            product.sold_out.iter().map(|v| (v.colour.as_str(), v.size.as_str())).collect();
        assert_eq!(sold_out, [("黑色", "170/92A"), ("白色", ""), ("", "M")]);
        assert_eq!(product.picture.as_deref(), Some("pictures/YR-001.png"));
        assert_eq!(product.description, "软,不透");
        assert_eq!(product.source.line, 2);
    }

    #[test]
    fn prices_are_exact() {
        for (written, expected) in
            [("199", 19_900), ("59.9", 5_990), ("0.05", 5), ("0", 0), ("10000000", PRICE_FEN_MAX)]
        {
            assert_eq!(fen(written), Some(expected), "{written}");
        }
        for bad in ["", ".5", "5.", "1.234", "-1", "1e3", "￥9", "1,000", "42949672960", "９"] {
            assert_eq!(fen(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_bad_cell_is_named_with_its_value() {
        check_finding("A 1,衬衫,衬衫,,,,,,,1,1,,,\n", "bad-id", "“A 1”");
        check_finding("A1,,衬衫,,,,,,,1,1,,,\n", "missing-field", "名称");
        check_finding("A1,衬衫,衬衫,,,,,,,9元,1,,,\n", "bad-price", "“9元”");
        check_finding("A1,衬衫,衬衫,,,,,,,10000000.01,1,,,\n", "bad-price", "10000000 元");
        check_finding("A1,衬衫,衬衫,,,,,,,1,-3,,,\n", "bad-stock", "“-3”");
        check_finding("A1,衬衫,衬衫,,,,,,,1,+3,,,\n", "bad-stock", "“+3”");
        check_finding("A1,衬衫,衬衫,,,黑色,,,,1,1,黑色,,\n", "bad-variant", "“黑色”");
        check_finding(&format!("A1,{},衬衫,,,,,,,1,1,,,\n", "名".repeat(101)), "too-long", "101");
        check_finding(&format!("A1,衬衫,衬衫,{},,,,,,1,1,,,\n", "a|".repeat(201)), "too-many", "201");
        check_finding(&format!("A1,衬衫,衬衫,,,,,,,1,1,,,{}\n", "a".repeat(4_001)), "too-long", "4001");
    }

    #[test]
    fn all_mistakes_of_a_row_are_told_at_once() {
        let (_products, findings) = read("A1,衬衫,,,,,,,,x,y,,,\n");
        assert_eq!(
            findings.iter().map(|f| f.code).collect::<Vec<_>>(),
            ["missing-field", "bad-price", "bad-stock"]
        );
    }
}
