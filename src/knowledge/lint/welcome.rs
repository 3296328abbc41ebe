//! `[[welcome]]` of `bot.toml`: sources that are named twice, and what WeCom would refuse.

use std::collections::BTreeSet;

use crate::knowledge::finding::Finding;
use crate::knowledge::limits::STATE_CHARS_MAX;
use crate::knowledge::limits::WELCOME_ATTACHMENTS_MAX;
use crate::knowledge::lint::replies::is_url;
use crate::knowledge::lint::spots::Spots;
use crate::knowledge::profile::Welcome;
use crate::knowledge::profile::WelcomeAttachment;
use crate::knowledge::shown;

/// Bytes of a link's title and words, and of a mini program's title. Source: WeCom developer centre, 发送新客户欢迎语
/// (path 92137).
const LINK_TITLE_BYTES_MAX: usize = 128;
const LINK_DESCRIPTION_BYTES_MAX: usize = 512;
const MINIPROGRAM_TITLE_BYTES_MAX: usize = 64;

/// The length of the words is looked at where they are filled in.
pub(super) fn findings(welcomes: &[Welcome], spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: BTreeSet<Option<&str>> = BTreeSet::new();
    for (index, welcome) in welcomes.iter().enumerate() {
        let source = |key: &str| spots.profile(&format!("welcome[{index}].{key}"));
        let state = welcome.state.as_deref();
        if !seen.insert(state) {
            let (message, remedy) = match state {
                Some(state) => {
                    (format!("欢迎语的来源“{}”写了两次。", shown(state)), "一个来源只写一条欢迎语。")
                }
                None => ("没有写 state 的欢迎语有两条。".to_owned(), "只留一条给其他来源，别的写上 state。"),
            };
            findings.push(Finding::error("duplicate-welcome", source("state"), message, remedy));
        }
        let chars = state.map(|state| state.chars().count());
        if chars.is_some_and(|chars| !(1..=STATE_CHARS_MAX).contains(&chars)) {
            let chars = chars.unwrap_or_default();
            let message = format!("欢迎语的 state 有 {chars} 个字，要在 1 到 {STATE_CHARS_MAX} 个字之间。");
            let remedy = "写建活码时用的 state；给其他来源的那条不写。";
            findings.push(Finding::error("bad-state", source("state"), message, remedy));
        }
        if welcome.text.trim().is_empty() && welcome.attachments.is_empty() {
            let message = "欢迎语既没有文字也没有附件。".to_owned();
            findings.push(Finding::error(
                "empty-welcome",
                source("text"),
                message,
                "写上 text 或 attachments。",
            ));
        }
        let n_attachments = welcome.attachments.len();
        if n_attachments > WELCOME_ATTACHMENTS_MAX {
            let message = format!("欢迎语有 {n_attachments} 个附件，最多 {WELCOME_ATTACHMENTS_MAX} 个。");
            findings.push(Finding::error("too-many", source("attachments"), message, "留下最要紧的几个。"));
        }
        for (at, attachment) in welcome.attachments.iter().enumerate() {
            let wrong = wrong(attachment);
            findings.extend(wrong.into_iter().map(|(code, key, message, remedy)| {
                Finding::error(code, source(&format!("attachments[{at}].{key}")), message, remedy)
            }));
        }
    }
    findings
}

/// What is wrong with an attachment: code, key, message and remedy.
fn wrong(attachment: &WelcomeAttachment) -> Vec<(&'static str, &'static str, String, &'static str)> {
    let length = |key: &'static str, words: &str, min: usize, max: usize| {
        let bytes = words.len();
        let message = format!("欢迎语附件的 {key} 有 {bytes} 字节，要在 {min} 到 {max} 字节之间。");
        let remedy = "改短或者填上；一个汉字占 3 个字节。";
        (!(min..=max).contains(&bytes)).then_some(("attachment-length", key, message, remedy))
    };
    let address = |key: &'static str, url: &str| {
        let message = format!("欢迎语附件的 {key}“{}”不是 https:// 或 http:// 开头的完整地址。", shown(url));
        (!is_url(url)).then_some(("bad-url", key, message, "写完整的地址。"))
    };
    let found = match attachment {
        WelcomeAttachment::Image { pic_url } => vec![address("pic_url", pic_url)],
        WelcomeAttachment::Link { title, url, description, picture } => vec![
            length("title", title, 1, LINK_TITLE_BYTES_MAX),
            address("url", url),
            description
                .as_deref()
                .and_then(|words| length("description", words, 0, LINK_DESCRIPTION_BYTES_MAX)),
            picture.as_deref().and_then(|picture| address("picture", picture)),
        ],
        WelcomeAttachment::Miniprogram { title, pic_media_id, appid, page } => vec![
            length("title", title, 1, MINIPROGRAM_TITLE_BYTES_MAX),
            length("pic_media_id", pic_media_id, 1, 256),
            length("appid", appid, 1, 64),
            length("page", page, 1, 1_024),
        ],
    };
    found.into_iter().flatten().collect()
}
