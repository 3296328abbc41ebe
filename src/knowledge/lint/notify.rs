//! `[[notify]]` of `bot.toml`: names, groups, numbers and addresses. Whether templates render is for `reply` to say.

use std::collections::BTreeMap;

use crate::knowledge::finding::Finding;
use crate::knowledge::lint::spots::Spots;
use crate::knowledge::near::suggestion;
use crate::knowledge::notify::NAME_CHARS_MAX;
use crate::knowledge::notify::NotifySpec;
use crate::knowledge::notify::Target;
use crate::knowledge::profile::Profile;
use crate::knowledge::shown;

/// Entries of one bot. Chosen by hand.
const ENTRIES_MAX: usize = 50;

/// Numbers that Aliyun and Tencent take in one call.
const ALIYUN_PHONES_MAX: usize = 1_000;
const TENCENT_PHONES_MAX: usize = 200;

pub(super) fn findings(profile: &Profile, spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    if profile.notify.len() > ENTRIES_MAX {
        let message = format!("[[notify]] 有 {} 个，超过上限 {ENTRIES_MAX} 个。", profile.notify.len());
        findings.push(Finding::error("too-many", spots.profile("notify"), message, "合并或删掉一些。"));
    }
    let groups: Vec<&str> = profile.handoff.groups.keys().map(String::as_str).collect();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, spec) in profile.notify.iter().enumerate() {
        let at = format!("notify[{place}]");
        if let Some(earlier) = first.insert(&spec.name, place) {
            let line = spots.profile(&format!("notify[{earlier}].name")).line;
            let message = format!("通知的名字“{}”已经用在第 {line} 行。", shown(&spec.name));
            let source = spots.profile(&format!("{at}.name"));
            findings.push(Finding::error("duplicate-id", source, message, "换一个名字。"));
        }
        findings.extend(entry(spec, &groups, &at, spots));
        findings.extend(target(spec, &format!("{at}.to"), spots));
    }
    findings
}

fn entry(spec: &NotifySpec, groups: &[&str], at: &str, spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    let n_chars = spec.name.chars().count();
    if spec.name.trim().is_empty() || n_chars > NAME_CHARS_MAX {
        let message = format!("通知的名字有 {n_chars} 个字，要有 1 到 {NAME_CHARS_MAX} 个。");
        let source = spots.profile(&format!("{at}.name"));
        findings.push(Finding::error("bad-name", source, message, "起一个短名字，如 值班群。"));
    }
    if spec.on.is_empty() {
        let message = format!("通知“{}”的 on 是空的，什么都不会通知。", shown(&spec.name));
        let source = spots.profile(&format!("{at}.on"));
        findings.push(Finding::error(
            "empty-field",
            source,
            message,
            "写上事件，如 [\"waiting\", \"overdue\"]。",
        ));
    }
    for (place, group) in spec.groups.iter().enumerate() {
        if !groups.contains(&group.as_str()) {
            let message = format!(
                "通知“{}”的 groups 写的“{}”不在 [handoff.groups] 里。",
                shown(&spec.name),
                shown(group)
            );
            let source = spots.profile(&format!("{at}.groups[{place}]"));
            findings.push(Finding::error("unknown-group", source, message, &suggestion(group, groups)));
        }
    }
    if spec.template.is_some() && matches!(spec.to, Target::AliyunSms(_) | Target::TencentSms(_)) {
        let message = format!("通知“{}”发的是短信，template 用不上。", shown(&spec.name));
        let source = spots.profile(&format!("{at}.template"));
        let remedy = "短信的文字由服务商的模板决定，变量写在 params 里；删掉 template。";
        findings.push(Finding::warning("unused-template", source, message, remedy));
    }
    findings
}

fn target(spec: &NotifySpec, at: &str, spots: &Spots) -> Vec<Finding> {
    match &spec.to {
        Target::Dingtalk(_) | Target::GroupRobot(_) => Vec::new(),
        Target::DingtalkTodo(todo) => {
            let at = format!("{at}.dingtalk_todo");
            let mut findings = blank(&[("creator", &todo.creator)], &at, spots);
            findings.extend(count(("executors", "人"), (todo.executors.len(), ENTRIES_MAX), &at, spots));
            let is_address =
                |url: &String| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
            if let Some(url) = todo.detail_url.as_ref().filter(|url| !is_address(url)) {
                let message = format!("detail_url 写的是“{}”，不是 http 或 https 的网址。", shown(url));
                let source = spots.profile(&format!("{at}.detail_url"));
                findings.push(Finding::error("bad-url", source, message, "写工作台的完整地址，或者删掉它。"));
            }
            findings
        }
        Target::AliyunSms(sms) => {
            let at = format!("{at}.aliyun_sms");
            let mut findings = blank(&[("sign", &sms.sign), ("template", &sms.template)], &at, spots);
            findings.extend(count(("phones", "个号码"), (sms.phones.len(), ALIYUN_PHONES_MAX), &at, spots));
            findings
        }
        Target::TencentSms(sms) => {
            let at = format!("{at}.tencent_sms");
            let fields = [("sign", &sms.sign), ("template", &sms.template), ("app_id", &sms.app_id)];
            let mut findings = blank(&fields, &at, spots);
            findings.extend(count(("phones", "个号码"), (sms.phones.len(), TENCENT_PHONES_MAX), &at, spots));
            findings
        }
    }
}

/// Fields that must say something.
fn blank(fields: &[(&str, &String)], at: &str, spots: &Spots) -> Vec<Finding> {
    let blank = fields.iter().filter(|(_, value)| value.trim().is_empty()).map(|(key, _)| {
        let source = spots.profile(&format!("{at}.{key}"));
        Finding::error("empty-field", source, format!("“{key}”是空的。"), "填上服务商后台里的值。")
    });
    blank.collect()
}

/// A list that is empty, or too long for one call.
fn count(
    (key, unit): (&str, &str),
    (len, limit): (usize, usize),
    at: &str,
    spots: &Spots,
) -> Option<Finding> {
    if (1..=limit).contains(&len) {
        return None;
    }
    let message = format!("{key} 有 {len} {unit}，要有 1 到 {limit} {unit}。");
    let source = spots.profile(&format!("{at}.{key}"));
    Some(Finding::error("bad-count", source, message, "每个写成 env:变量名；太多就分成几个通知。"))
}
