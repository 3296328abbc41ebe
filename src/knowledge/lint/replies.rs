//! `replies.toml`: attachments, cards, links, and documents that have run out.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::entry::Validity;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder::file_below;
use crate::knowledge::lint::attachments;
use crate::knowledge::lint::spots::Spots;
use crate::knowledge::near::suggestion;
use crate::knowledge::reply::AttachmentSpec;
use crate::knowledge::reply::Replies;
use crate::knowledge::reply::wecom_voice;
use crate::knowledge::shown;
use crate::message::Media;

/// Bytes of a card's title. Source: WeCom developer centre, 发送应用消息 (path 90236).
const CARD_TITLE_BYTES_MAX: usize = 128;
/// Bytes of a card's words. Source: as above.
const CARD_DESCRIPTION_BYTES_MAX: usize = 512;

pub(super) fn findings(knowledge: &Knowledge, spots: &Spots, today: Date) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, reply) in &knowledge.replies.reply {
        if reply.text.trim().is_empty() && reply.attachments.is_empty() {
            let message = format!("回复“{}”既没有文字也没有附件。", shown(name));
            let source = spots.replies(&format!("reply.{name}"));
            findings.push(Finding::error("empty-reply", source, message, "写上 text 或 attachments。"));
        }
        for (index, attachment) in reply.attachments.iter().enumerate() {
            let path = format!("reply.{name}.attachments[{index}]");
            let mut look = Look { knowledge, spots, path, findings: &mut findings };
            look.attachment(name, attachment, today);
        }
    }
    findings
}

/// One attachment under the lens.
struct Look<'k> {
    knowledge: &'k Knowledge,
    spots: &'k Spots,
    /// Where it is written, such as `reply.size-chart.attachments[0]`.
    path: String,
    findings: &'k mut Vec<Finding>,
}

impl Look<'_> {
    fn attachment(&mut self, reply: &str, attachment: &AttachmentSpec, today: Date) {
        match attachment {
            AttachmentSpec::Image { file, .. } => self.file(file, Media::Image),
            AttachmentSpec::Voice { file, .. } => self.voice(file),
            AttachmentSpec::File { file, valid_until, current, .. } => {
                self.file(file, Media::File);
                self.current(reply, current.as_deref());
                self.expiry(*valid_until, current.as_deref(), today);
            }
            AttachmentSpec::Card { title, description, url, picture } => {
                self.bytes("card-title", "title", title, CARD_TITLE_BYTES_MAX);
                self.bytes("card-description", "description", description, CARD_DESCRIPTION_BYTES_MAX);
                if let Some(url) = url {
                    self.url(url);
                }
                if let Some(picture) = picture.as_deref().filter(|picture| !is_url(picture)) {
                    self.file_at("picture", picture, Media::Image);
                }
            }
            AttachmentSpec::Link { title: _, url } => self.url(url),
        }
    }

    fn source(&self, key: &str) -> Source {
        self.spots.replies(&format!("{}.{key}", self.path))
    }

    fn file(&mut self, file: &str, media: Media) {
        self.file_at("file", file, media);
    }

    /// WeCom takes another file than pages do, where there is one.
    fn voice(&mut self, file: &str) {
        let dir = &self.knowledge.dir;
        let wecom = wecom_voice(file);
        if wecom != file && file_below(dir, file).is_ok() && file_below(dir, &wecom).is_ok() {
            self.file(&wecom, Media::Voice);
        } else {
            self.file(file, Media::Voice);
        }
    }

    fn file_at(&mut self, key: &str, file: &str, media: Media) {
        let source = self.source(key);
        self.findings.extend(attachments::findings(&self.knowledge.dir, file, media, &source));
    }

    fn current(&mut self, reply: &str, current: Option<&str>) {
        let Some(current) = current else { return };
        let replies = &self.knowledge.replies;
        let source = self.source("current");
        if !replies.reply.contains_key(current) {
            let known: Vec<&str> = replies.reply.keys().map(String::as_str).collect();
            let message = format!("current 写的回复“{}”不存在。", shown(current));
            self.findings.push(Finding::error(
                "unknown-reply",
                source,
                message,
                &suggestion(current, &known),
            ));
        } else if leads_to(replies, current, reply) {
            let message = format!("current 从“{}”绕了一圈又回到它自己。", shown(reply));
            self.findings.push(Finding::error(
                "current-loop",
                source,
                message,
                "让 current 指向最新的一份。",
            ));
        }
    }

    /// Never an error: a bot that was served yesterday must start today.
    fn expiry(&mut self, valid_until: Option<Date>, current: Option<&str>, today: Date) {
        let (Some(until), None) = (valid_until, current) else { return };
        let remedy = "换成新文件，或者用 current 指向新的回复。";
        let (code, message) = if until < today {
            let message = format!("文件到 {until} 为止，今天（{today}）已经过期，又没有写 current。");
            ("expired-attachment", message)
        } else if (Validity { from: None, until: valid_until }).ends_soon(today) {
            ("ends-soon", format!("文件到 {until} 为止，快到期了，又没有写 current。"))
        } else {
            return;
        };
        self.findings.push(Finding::warning(code, self.source("valid_until"), message, remedy));
    }

    fn bytes(&mut self, code: &'static str, key: &str, words: &str, limit: usize) {
        let bytes = words.len();
        if bytes > limit {
            let message = format!("卡片的 {key} 有 {bytes} 字节，超过企业微信的 {limit} 字节，会被截断。");
            self.findings.push(Finding::warning(
                code,
                self.source(key),
                message,
                "写短些；一个汉字占 3 个字节。",
            ));
        }
    }

    fn url(&mut self, url: &str) {
        if !is_url(url) {
            let message = format!("链接“{}”不是 https:// 或 http:// 开头的完整地址。", shown(url));
            self.findings.push(Finding::error("bad-url", self.source("url"), message, "写完整的地址。"));
        }
    }
}

pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

/// Whether following `current` from one reply comes to another.
fn leads_to(replies: &Replies, from: &str, target: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == target {
            return true;
        }
        if let (true, Some(reply)) = (seen.insert(name), replies.reply.get(name)) {
            open.extend(reply.attachments.iter().filter_map(|attachment| match attachment {
                AttachmentSpec::File { current, .. } => current.as_deref(),
                AttachmentSpec::Image { .. }
                | AttachmentSpec::Card { .. }
                | AttachmentSpec::Voice { .. }
                | AttachmentSpec::Link { .. } => None,
            }));
        }
    }
    false
}
