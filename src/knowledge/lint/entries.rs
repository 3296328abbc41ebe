//! FAQ entries: ids, topics, answers, periods.

use jiff::civil::Date;

use crate::knowledge::Knowledge;
use crate::knowledge::entry::Entry;
use crate::knowledge::finding::Finding;
use crate::knowledge::lint::duplicate_ids;
use crate::knowledge::near::suggestion;
use crate::knowledge::shown;
use crate::message::Channel;

pub(super) fn findings(knowledge: &Knowledge, today: Date) -> Vec<Finding> {
    let ids = knowledge.entries.iter().map(|entry| (entry.id.as_str(), entry.source.clone()));
    let mut findings = duplicate_ids(ids);
    let topics: Vec<&str> = knowledge.profile.topics.keys().map(String::as_str).collect();
    let replies: Vec<&str> = knowledge.replies.reply.keys().map(String::as_str).collect();
    for entry in &knowledge.entries {
        findings.extend(topic(entry, &topics));
        findings.extend(answer(entry));
        findings.extend(period(entry, today));
        if let Some(name) = entry.reply.as_deref().filter(|name| !knowledge.replies.reply.contains_key(*name))
        {
            let message = format!("回复“{}”在 replies.toml 里没有。", shown(name));
            findings.push(Finding::error(
                "unknown-reply",
                entry.source.clone(),
                message,
                &suggestion(name, &replies),
            ));
        }
    }
    findings
}

fn topic(entry: &Entry, topics: &[&str]) -> Option<Finding> {
    if topics.contains(&entry.topic.as_str()) {
        return None;
    }
    let message = match entry.topic.as_str() {
        "" => format!(
            "“{}”没有写分类：表格要有“分类”一列（Markdown 写在 # 标题后的花括号里），值是 bot.toml 的 [topics] 里的 id 或中文名。",
            shown(&entry.question)
        ),
        topic => format!("分类“{}”不在 bot.toml 的 [topics] 里。", shown(topic)),
    };
    Some(Finding::error("unknown-topic", entry.source.clone(), message, &suggestion(&entry.topic, topics)))
}

fn answer(entry: &Entry) -> Option<Finding> {
    let (bytes, limit) = (entry.answer.len(), Channel::WecomApp.text_bytes_max()?);
    if entry.answer.trim().is_empty() {
        let message = format!("“{}”的答案是空的。", shown(&entry.question));
        Some(Finding::error("empty-answer", entry.source.clone(), message, "写上答案，或者删掉这一条。"))
    } else if bytes > limit {
        let message =
            format!("答案有 {bytes} 字节，超过企业微信一条消息的 {limit} 字节，客户要发“继续”才能看到后面。");
        Some(Finding::warning(
            "long-answer",
            entry.source.clone(),
            message,
            "把最要紧的话写在前面，或者缩短。",
        ))
    } else {
        None
    }
}

fn period(entry: &Entry, today: Date) -> Option<Finding> {
    let validity = entry.validity;
    match (validity.from, validity.until) {
        (Some(from), Some(until)) if from > until => {
            let message = format!("生效日 {from} 晚于失效日 {until}，答案永远用不上。");
            Some(Finding::error("entry-period", entry.source.clone(), message, "把两个日期换过来。"))
        }
        (_, Some(until)) if until < today => {
            let message = format!("答案到 {until} 为止，今天（{today}）已经不用了。");
            Some(Finding::warning(
                "expired-entry",
                entry.source.clone(),
                message,
                "更新答案和日期，或者删掉这一条。",
            ))
        }
        (_, Some(until)) if validity.ends_soon(today) => {
            let message = format!("答案到 {until} 为止，快到期了，之后机器人就不用它了。");
            let remedy = "准备好新的答案，或者把日期往后改。";
            Some(Finding::warning("ends-soon", entry.source.clone(), message, remedy))
        }
        _ => None,
    }
}
