//! Templates are tried before they are served.

use minijinja::Value;
use minijinja::context;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::limits::WELCOME_BYTES_MAX;
use crate::knowledge::notify::EventKind;
use crate::knowledge::product::Product;
use crate::knowledge::profile::Welcome;
use crate::knowledge::reply::AttachmentSpec;
use crate::knowledge::rule::ActionSpec;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::reply::notice;
use crate::reply::notice::Notice;
use crate::reply::standard::Sentence;
use crate::reply::template::Scene;
use crate::reply::template::TemplateError;
use crate::reply::template::fill;
use crate::reply::template::product_value;

/// Renders every template of a bot, and names the standard sentences that do not exist.
#[must_use]
pub fn lint(known: &Knowledge) -> Vec<Finding> {
    let at = |file: &str| Source { file: file.to_owned(), line: 1 };
    let mut findings = Vec::new();
    let mut attempt = |template: &str, extras: &[Value], source: Source| {
        findings.extend(trial(template, extras, known).err().map(|error| bad_template(&error, source)));
    };
    let nothing = [context! {}];
    attempt(&known.profile.greeting, &nothing, at("bot.toml"));
    for welcome in &known.profile.welcome {
        attempt(&welcome.text, &nothing, at("bot.toml"));
    }
    for entry in &known.entries {
        attempt(&entry.answer, &nothing, entry.source.clone());
    }
    for sentence in Sentence::ALL {
        if let Some(words) = known.replies.standard.get(sentence.name()) {
            attempt(words, &extras(*sentence), at("replies.toml"));
        }
    }
    for reply in known.replies.reply.values() {
        attempt(&reply.text, &nothing, at("replies.toml"));
        for attachment in &reply.attachments {
            if let AttachmentSpec::Card { title, description, .. } = attachment {
                attempt(title, &nothing, at("replies.toml"));
                attempt(description, &nothing, at("replies.toml"));
            }
        }
    }
    for rule in &known.rules {
        for action in &rule.then {
            if let ActionSpec::Text(words) = action {
                attempt(words, &nothing, Source { line: rule.line, ..at("rules.toml") });
            }
        }
    }
    for spec in &known.sensitive {
        if let Some(words) = &spec.message {
            attempt(words, &nothing, Source { line: spec.line, ..at("sensitive.toml") });
        }
    }
    let notices = known.profile.notify.iter().flat_map(|spec| {
        let params = spec.to.params().into_iter().map(|(_, template)| template);
        spec.template.as_deref().into_iter().chain(params)
    });
    findings.extend(notices.filter_map(|template| {
        notice_trial(template, known).err().map(|error| bad_template(&error, at("bot.toml")))
    }));
    findings.extend(unknown_sentences(known, &at("replies.toml")));
    findings.extend(known.profile.welcome.iter().filter_map(|welcome| long_welcome(welcome, known)));
    findings
}

/// A welcome that WeCom would refuse for its length once it is filled in.
fn long_welcome(welcome: &Welcome, known: &Knowledge) -> Option<Finding> {
    let bytes = trial(&welcome.text, &[context! {}], known).ok()?;
    let whose = welcome.state.as_deref().unwrap_or("其他来源");
    let message = format!("给“{whose}”的欢迎语填好后有 {bytes} 字节，最多 {WELCOME_BYTES_MAX} 字节。");
    let source = Source { file: "bot.toml".to_owned(), line: 1 };
    let remedy = "写短些；一个汉字占 3 个字节。";
    (bytes > WELCOME_BYTES_MAX).then(|| Finding::error("long-welcome", source, message, remedy))
}

/// Renders a template by day and by night, for a stranger and for a friend, so that most branches are taken; returns the bytes
/// of the longest.
fn trial(template: &str, extras: &[Value], known: &Knowledge) -> Result<usize, TemplateError> {
    let stranger = Customer::new("check", CustomerKind::Customer);
    let friend = Customer { name: Some("张三".to_owned()), ..stranger.clone() };
    let hours = "09:00-18:00";
    let scenes = [
        Scene { known, customer: &stranger, hours, open: true, next_opening: None },
        Scene { known, customer: &friend, hours, open: false, next_opening: Some("明天09:00") },
    ];
    let mut bytes_max = 0;
    for scene in &scenes {
        for extra in extras {
            bytes_max = bytes_max.max(fill(template, scene, extra.clone())?.len());
        }
    }
    Ok(bytes_max)
}

/// Renders a notice with everything in it, and with the least.
fn notice_trial(template: &str, known: &Knowledge) -> Result<(), TemplateError> {
    let kind = EventKind::Overdue;
    let full =
        Notice {
            known, kind, group: Some("示例"), customer_id: "****", conversation_id: 1, wait_minutes: 5
        };
    for notice in [full, Notice { group: None, wait_minutes: 0, ..full }] {
        notice::words(template, &notice)?;
    }
    Ok(())
}

fn bad_template(error: &TemplateError, source: Source) -> Finding {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Finding::error(
        "bad-template",
        source,
        format!("模板无法填写：{cause}"),
        "检查 {{ }} 里的变量名；要显示花括号本身，请写 {{ \"{\" }}",
    )
}

/// What a standard sentence may use besides the scene.
fn extras(sentence: Sentence) -> Vec<Value> {
    match sentence {
        Sentence::Nearest => vec![context! { missing => "黑色" }],
        Sentence::Product => [bare_product(), full_product()].iter().map(product_value).collect(),
        Sentence::Fact => [false, true]
            .map(|told| {
                let facts = context! { price => told, colour => told, size => told, material => told, stock => !told };
                context! { ..facts, ..product_value(&full_product()) }
            })
            .to_vec(),
        Sentence::Variant => [false, true]
            .map(|available| context! { variant => "黑色 M码", available, ..product_value(&full_product()) })
            .to_vec(),
        Sentence::HandoffOpen | Sentence::HandoffClosed => vec![context! { group => "客服组" }],
        Sentence::Queue => vec![context! { n_ahead => 2, minutes => 5 }, context! { n_ahead => 1, minutes => () }],
        Sentence::AgentTook => vec![context! { agent => "小王" }],
        Sentence::Transferred => vec![context! { group => "售后组" }],
        Sentence::TaskResumed => vec![context! { title => "退换货" }],
        Sentence::Media => vec![context! { kind => "图片" }],
        Sentence::Expired => [false, true]
            .map(|current| context! { title => "文件", until => "2026年1月1日", current })
            .to_vec(),
        Sentence::ClarifyTopics
        | Sentence::ClarifyProducts
        | Sentence::HandoffUnknown
        | Sentence::Decline
        | Sentence::Blocked
        | Sentence::Withheld
        | Sentence::NoWords
        | Sentence::More
        | Sentence::CallFailed
        | Sentence::Returned
        | Sentence::Closed
        | Sentence::HandoffOverdue
        | Sentence::Survey
        | Sentence::Rated
        | Sentence::RatedPoor
        | Sentence::LeaseLapsed
        | Sentence::NothingLeft
        | Sentence::Dropped
        | Sentence::Flood
        | Sentence::Failure
        | Sentence::Waiting => vec![context! {}],
    }
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

fn full_product() -> Product {
    let words = || vec!["示例".to_owned()];
    Product {
        colours: words(),
        sizes: words(),
        materials: words(),
        styles: words(),
        series: "示例".to_owned(),
        description: "示例".to_owned(),
        ..bare_product()
    }
}

fn bare_product() -> Product {
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

#[cfg(test)]
mod tests;
