//! `bot.toml`: limits between its values.

use crate::knowledge::finding::Finding;
use crate::knowledge::import;
use crate::knowledge::limits::SUGGESTIONS_MAX;
use crate::knowledge::lint::spots::Spots;
use crate::knowledge::near::suggestion;
use crate::knowledge::profile::Feed;
use crate::knowledge::profile::Profile;
use crate::knowledge::shown;

/// Half of the five seconds that WeCom waits.
const QUIET_MS_MAX: u32 = 2_500;

/// Minutes of a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;

/// * `replies`: names of the replies.
pub(super) fn findings(profile: &Profile, replies: &[&str], spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, value) in [("name", &profile.name), ("title", &profile.title), ("greeting", &profile.greeting)]
    {
        if value.trim().is_empty() {
            let message = format!("“{key}”是空的。");
            findings.push(Finding::error("empty-field", spots.profile(key), message, "填上给客户看的文字。"));
        }
    }
    let suggested = profile.suggestions.len();
    if suggested > SUGGESTIONS_MAX {
        let message = format!("suggestions 有 {suggested} 个问题，超过上限 {SUGGESTIONS_MAX} 个。");
        findings.push(Finding::error(
            "too-many",
            spots.profile("suggestions"),
            message,
            "留下最常问的几个。",
        ));
    }
    findings.extend(thresholds(profile, spots));
    let groups: Vec<&str> = profile.handoff.groups.keys().map(String::as_str).collect();
    if let Some(group) = profile.handoff.default_group.as_deref().filter(|group| !groups.contains(group)) {
        let message = format!("default_group 写的“{}”不在 [handoff.groups] 里。", shown(group));
        let source = spots.profile("handoff.default_group");
        findings.push(Finding::error("unknown-group", source, message, &suggestion(group, &groups)));
    }
    if let Some(group) = profile.handoff.overdue_group.as_deref().filter(|group| !groups.contains(group)) {
        let message = format!("overdue_group 写的“{}”不在 [handoff.groups] 里。", shown(group));
        let source = spots.profile("handoff.overdue_group");
        findings.push(Finding::error("unknown-group", source, message, &suggestion(group, &groups)));
    }
    findings.extend(numbers(profile, spots));
    if profile.quiet_ms > QUIET_MS_MAX {
        let message = format!("quiet_ms 写的是 {}，最多 {QUIET_MS_MAX} 毫秒。", profile.quiet_ms);
        let source = spots.profile("quiet_ms");
        findings.push(Finding::error(
            "bad-quiet",
            source,
            message,
            "企业微信只等 5 秒，一般写 1500；不合并写 0。",
        ));
    }
    findings.extend(profile.catalogue.iter().flat_map(|feed| catalogue(feed, spots)));
    for (intent, spec) in &profile.intents {
        let source = || spots.profile(&format!("intents.{intent}"));
        if let Some(group) = spec.handoff.as_deref().filter(|group| !groups.contains(group)) {
            let message =
                format!("意图 {} 的 handoff 写的“{}”不在 [handoff.groups] 里。", shown(intent), shown(group));
            findings.push(Finding::error("unknown-group", source(), message, &suggestion(group, &groups)));
        }
        let topics: Vec<&str> = profile.topics.keys().map(String::as_str).collect();
        if !profile.topics.contains_key(intent) {
            let message = format!("[intents] 里的“{}”不在 [topics] 里。", shown(intent));
            findings.push(Finding::error("unknown-intent", source(), message, &suggestion(intent, &topics)));
        }
        if let Some(reply) = spec.reply.as_deref().filter(|reply| !replies.contains(reply)) {
            let message =
                format!("意图 {} 的 reply 写的“{}”不在 replies.toml 里。", shown(intent), shown(reply));
            findings.push(Finding::error("unknown-reply", source(), message, &suggestion(reply, replies)));
        }
    }
    findings
}

/// Numbers that lie outside of what they may be.
fn numbers(profile: &Profile, spots: &Spots) -> Vec<Finding> {
    let survey = profile.survey.unwrap_or_default();
    let handoff = &profile.handoff;
    let numbers = [
        ("link_days", "bad-days", profile.link_days, 1..=365, "写成客户需要的天数，一般 7 天。"),
        (
            "retention_days",
            "bad-days",
            profile.retention_days,
            1..=3_650,
            "写聊天记录保留的天数；一直保留就不写。",
        ),
        ("handoff.wait_minutes", "bad-minutes", Some(handoff.wait_minutes), 1..=1_440, "一般写 5 分钟。"),
        ("handoff.lease_minutes", "bad-minutes", Some(handoff.lease_minutes), 1..=240, "一般写 10 分钟。"),
        (
            "survey.idle_minutes",
            "bad-minutes",
            survey.idle_minutes,
            1..=1_440,
            "一般写 30 分钟；机器人不收尾就不写。",
        ),
        ("survey.every_hours", "bad-hours", Some(survey.every_hours), 1..=8_760, "一般写 24 小时。"),
    ];
    let outside = numbers.into_iter().filter_map(|(key, code, value, range, advice)| {
        let value = value.filter(|value| !range.contains(value))?;
        let message = format!("{key} 写的是 {value}，要在 {} 到 {} 之间。", range.start(), range.end());
        Some(Finding::error(code, spots.profile(key), message, advice))
    });
    outside.collect()
}

fn catalogue(feed: &Feed, spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !["http://", "https://"].iter().any(|scheme| feed.url.starts_with(scheme)) {
        let message = format!("[catalogue] 的 url 写的是“{}”，不是 http 或 https 的网址。", shown(&feed.url));
        let remedy = "写商品接口的完整地址，如 https://erp.example.com/goods?page={page}。";
        findings.push(Finding::error("bad-url", spots.profile("catalogue.url"), message, remedy));
    }
    if !(1..=MINUTES_MAX).contains(&feed.every_minutes) {
        let message = format!("every_minutes 写的是 {}，要在 1 到 {MINUTES_MAX} 之间。", feed.every_minutes);
        let source = spots.profile("catalogue.every_minutes");
        findings.push(Finding::error("bad-minutes", source, message, "库存变得快写 10，一般写 60。"));
    }
    for stranger in import::strangers(&feed.columns) {
        let message = format!("[catalogue.columns] 里的“{}”不是商品表的列。", shown(stranger));
        let source = spots.profile(&format!("catalogue.columns.{stranger}"));
        findings.push(Finding::error(
            "unknown-column",
            source,
            message,
            &suggestion(stranger, &import::known()),
        ));
    }
    findings
}

fn thresholds(profile: &Profile, spots: &Spots) -> Vec<Finding> {
    let thresholds = &profile.thresholds;
    let named = [
        ("answer", thresholds.answer),
        ("clarify", thresholds.clarify),
        ("margin", thresholds.margin),
        ("intent", thresholds.intent),
    ];
    let mut findings: Vec<Finding> = named
        .into_iter()
        .filter(|(_key, value)| !(0.0..=1.0).contains(value))
        .map(|(key, value)| {
            let message = format!("阈值 {key} = {value}，应当在 0 到 1 之间。");
            Finding::error(
                "threshold-range",
                spots.profile(&format!("thresholds.{key}")),
                message,
                "写成 0.6 这样的小数。",
            )
        })
        .collect();
    if findings.is_empty() && thresholds.clarify > thresholds.answer {
        let message = format!(
            "阈值 clarify = {} 大于 answer = {}，机器人永远不会反问。",
            thresholds.clarify, thresholds.answer
        );
        let source = spots.profile("thresholds.clarify");
        findings.push(Finding::error("threshold-order", source, message, "让 clarify 不大于 answer。"));
    }
    findings
}
