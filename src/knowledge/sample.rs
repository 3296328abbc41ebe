//! A small shop for the tests of every row above; written here, so that no test needs a folder.

use std::path::PathBuf;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::entry::Validity;
use crate::knowledge::product::Product;
use crate::knowledge::reply::Replies;
use crate::knowledge::sensitive::Direction;
use crate::knowledge::sensitive::SensitiveAction;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::knowledge::task::Connectors;

const PROFILE: &str = r#"
name = "小应"
title = "云朵小铺"
greeting = "您好，我是{{ bot.name }}。"
phone = "400-100-2000"
[hours]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
[handoff]
default_group = "service"
[handoff.groups]
service = "客服组"
finance = "财务组"
[aspects]
price = ["多少钱"]
stock = ["有货"]
"#;

/// Four entries, four products, two groups; no rules, replies or sensitive words.
pub(crate) fn shop() -> Knowledge {
    let synonyms = [["衬衫", "衬衣"], ["发票", "票据"]];
    Knowledge {
        bot: "sample".to_owned(),
        dir: PathBuf::from("/nonexistent"),
        version: None,
        profile: toml::from_str(PROFILE).expect("the profile above is one"),
        entries: vec![
            entry("return", "怎么申请退货", &["我想退货", "衣服不合适怎么退"], "在订单页点“申请退货”。"),
            entry("invoice", "电子发票怎么开", &["能开发票吗"], "在订单详情点“开发票”。"),
            entry("postage", "退货运费谁承担", &["寄回来的邮费谁出"], "质量问题由我们承担。"),
            entry("hours", "门店几点关门", &["营业时间"], "我们的时间是{{ hours }}。"),
        ],
        products: vec![
            product("YR-C101", "云柔纯棉长袖衬衫", "衬衫", "黑色 白色", "M L XL", "纯棉 长袖", 19_900),
            product("YR-C102", "云柔亚麻短袖衬衫", "衬衫", "雾霾蓝", "M", "亚麻 短袖", 12_900),
            product("XH-D101", "星河真丝连衣裙", "连衣裙", "红色", "S M", "真丝 夏季", 39_900),
            product("NJ-M101", "北山羊毛毛衣", "毛衣", "黑色 驼色", "L", "羊毛 加厚", 29_900),
        ],
        synonyms: synonyms.iter().map(|group| group.map(str::to_owned).to_vec()).collect(),
        terms: Vec::new(),
        rules: Vec::new(),
        replies: Replies::default(),
        sensitive: Vec::new(),
        tasks: Vec::new(),
        connectors: Connectors::default(),
    }
}

/// The same shop before anybody has written anything.
pub(crate) fn empty_shop() -> Knowledge {
    Knowledge { entries: Vec::new(), products: Vec::new(), synonyms: Vec::new(), ..shop() }
}

pub(crate) fn entry(id: &str, question: &str, phrasings: &[&str], answer: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        topic: "all".to_owned(),
        question: question.to_owned(),
        phrasings: phrasings.iter().map(|text| (*text).to_owned()).collect(),
        answer: answer.to_owned(),
        reply: None,
        validity: Validity::default(),
        source: source("faq/all.csv"),
    }
}

/// * `colours`, `sizes`, `traits`: words with blanks between them; the traits count as styles.
pub(crate) fn product(
    id: &str,
    name: &str,
    category: &str,
    colours: &str,
    sizes: &str,
    traits: &str,
    price_fen: u32,
) -> Product {
    let words = |list: &str| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    Product {
        id: id.to_owned(),
        name: name.to_owned(),
        category: category.to_owned(),
        aliases: Vec::new(),
        series: String::new(),
        colours: words(colours),
        sizes: words(sizes),
        materials: Vec::new(),
        styles: words(traits),
        price_fen,
        stock: 20,
        sold_out: Vec::new(),
        picture: None,
        description: String::new(),
        source: source("products.csv"),
    }
}

pub(crate) fn sensitive(
    id: &str,
    word: &str,
    action: SensitiveAction,
    direction: Direction,
) -> SensitiveSpec {
    SensitiveSpec {
        id: id.to_owned(),
        words: vec![word.to_owned()],
        action,
        direction,
        message: None,
        group: None,
        homophones: false,
        line: 1,
    }
}

fn source(file: &str) -> Source {
    Source { file: file.to_owned(), line: 1 }
}
