//! Rules and sensitive words: ids, and names that lead elsewhere. Patterns are compiled by `rules`.

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::lint::duplicate_ids;
use crate::knowledge::near::suggestion;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::knowledge::shown;

pub(super) fn findings(knowledge: &Knowledge) -> Vec<Finding> {
    let mut findings =
        duplicate_ids(knowledge.rules.iter().map(|rule| (rule.id.as_str(), rule_source(rule))));
    findings
        .extend(duplicate_ids(knowledge.sensitive.iter().map(|spec| (spec.id.as_str(), spec_source(spec)))));
    for rule in &knowledge.rules {
        for action in &rule.then {
            match action {
                ActionSpec::Reply(name) => findings.extend(unknown_reply(knowledge, name, rule_source(rule))),
                ActionSpec::Handoff(group) => {
                    findings.extend(unknown_group(knowledge, group, rule_source(rule)))
                }
                // Tasks and calls are looked at by `task`, which knows them.
                ActionSpec::Text(_) | ActionSpec::Tag(_) | ActionSpec::Task(_) | ActionSpec::Call(_) => {}
            }
        }
    }
    for spec in &knowledge.sensitive {
        let group = spec.group.as_deref().unwrap_or_default();
        findings.extend(unknown_group(knowledge, group, spec_source(spec)));
    }
    findings
}

fn rule_source(rule: &RuleSpec) -> Source {
    Source { file: "rules.toml".to_owned(), line: rule.line }
}

fn spec_source(spec: &SensitiveSpec) -> Source {
    Source { file: "sensitive.toml".to_owned(), line: spec.line }
}

fn unknown_reply(knowledge: &Knowledge, name: &str, source: Source) -> Option<Finding> {
    let known: Vec<&str> = knowledge.replies.reply.keys().map(String::as_str).collect();
    if known.contains(&name) {
        return None;
    }
    let message = format!("回复“{}”在 replies.toml 里没有。", shown(name));
    Some(Finding::error("unknown-reply", source, message, &suggestion(name, &known)))
}

/// An empty name stands for the default group.
fn unknown_group(knowledge: &Knowledge, group: &str, source: Source) -> Option<Finding> {
    let known: Vec<&str> = knowledge.profile.handoff.groups.keys().map(String::as_str).collect();
    if group.is_empty() || known.contains(&group) {
        return None;
    }
    let message = format!("坐席组“{}”不在 bot.toml 的 [handoff.groups] 里。", shown(group));
    Some(Finding::error("unknown-group", source, message, &suggestion(group, &known)))
}
