//! Templates are tried before they are served.

use minijinja::context;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::product::Product;
use crate::knowledge::reply::AttachmentSpec;
use crate::knowledge::rule::ActionSpec;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::reply::standard::Sentence;
use crate::reply::template::Scene;
use crate::reply::template::fill;
use crate::reply::template::product_value;

/// Renders every template of a bot once, and names the standard sentences that do not exist.
#[must_use]
pub fn lint(known: &Knowledge) -> Vec<Finding> {
    let customer = Customer::new("check", CustomerKind::Customer);
    let scene = Scene { known, customer: &customer, hours: "09:00-18:00", open: true, next_opening: None };
    let at = |file: &str| Source { file: file.to_owned(), line: 1 };
    let mut findings = Vec::new();
    let mut attempt = |template: &str, source: Source| {
        // The union of everything that any sentence may use.
        let extra = context! {
            group => "客服组", kind => "图片", title => "文件", until => "2026年1月1日", current => false, missing => "黑色",
            ..product_value(&sample_product())
        };
        if let Err(error) = fill(template, &scene, extra) {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            findings.push(Finding::error(
                "bad-template",
                source,
                format!("模板无法填写：{cause}"),
                "检查 {{ }} 里的变量名；要显示花括号本身，请写 {{ \"{\" }}",
            ));
        }
    };
    attempt(&known.profile.greeting, at("bot.toml"));
    for entry in &known.entries {
        attempt(&entry.answer, entry.source.clone());
    }
    for words in known.replies.standard.values() {
        attempt(words, at("replies.toml"));
    }
    for reply in known.replies.reply.values() {
        attempt(&reply.text, at("replies.toml"));
        for attachment in &reply.attachments {
            if let AttachmentSpec::Card { title, description, .. } = attachment {
                attempt(title, at("replies.toml"));
                attempt(description, at("replies.toml"));
            }
        }
    }
    for rule in &known.rules {
        for action in &rule.then {
            if let ActionSpec::Text(words) = action {
                attempt(words, Source { file: "rules.toml".to_owned(), line: rule.line });
            }
        }
    }
    findings.extend(unknown_sentences(known, &at("replies.toml")));
    findings
}

fn unknown_sentences(known: &Knowledge, source: &Source) -> Vec<Finding> {
    let names: Vec<&str> = Sentence::ALL.iter().map(|sentence| sentence.name()).collect();
    known
        .replies
        .standard
        .keys()
        .filter(|name| !names.contains(&name.as_str()))
        .map(|name| {
            Finding::error(
                "unknown-sentence",
                source.clone(),
                format!("[standard] 里没有名为“{name}”的标准话术"),
                &format!("可用的名字：{}", names.join("、")),
            )
        })
        .collect()
}

fn sample_product() -> Product {
    Product {
        id: "A1".to_owned(),
        name: "示例".to_owned(),
        category: "示例".to_owned(),
        aliases: Vec::new(),
        series: String::new(),
        colours: Vec::new(),
        sizes: Vec::new(),
        materials: Vec::new(),
        styles: Vec::new(),
        price_fen: 100,
        stock: 1,
        sold_out: Vec::new(),
        picture: None,
        description: String::new(),
        source: Source { file: "products.csv".to_owned(), line: 1 },
    }
}
