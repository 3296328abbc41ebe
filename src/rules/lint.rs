//! What is wrong with rules and sensitive words though they may compile: for `yingda check`.

use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::ConditionSpec;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::rule::Stage;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::rules::cases::Case;
use crate::rules::cases::cases;
use crate::rules::cases::implies;
use crate::rules::condition::DEPTH_MAX;
use crate::rules::condition::channel_named;
use crate::rules::condition::time_of_day;
use crate::rules::firing_order;
use crate::rules::index::Index;
use crate::rules::index::Needles;
use crate::rules::pattern::Pattern;
use crate::rules::pattern::PatternError;
use crate::rules::pattern::literal_text;
use crate::rules::sensitive::units;
use crate::rules::stops;
use crate::text::normalise::normalise;

const RULES_FILE: &str = "rules.toml";
const SENSITIVE_FILE: &str = "sensitive.toml";

/// Everything in rules and sensitive words that a maintainer should look at, by file and line; ids and the
/// names of replies and groups are left to `knowledge::lint`, which knows all the files.
///
/// * `rules`, `sensitive`: in the order of their files, lines filled in.
/// * Returns errors for what cannot be compiled, warnings for what can never fire or
///   contradicts itself.
#[must_use]
pub fn lint(rules: &[RuleSpec], sensitive: &[SensitiveSpec]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules {
        actions(rule, &mut findings);
        condition(rule, &rule.when, 0, &mut findings);
    }
    reach(rules, &mut findings);
    for spec in sensitive {
        sensitive_words(spec, &mut findings);
    }
    findings.sort_by(|a, b| (&a.source, a.code).cmp(&(&b.source, b.code)));
    findings
}

fn at_rule(rule: &RuleSpec) -> Source {
    Source { file: RULES_FILE.to_owned(), line: rule.line }
}

fn at_sensitive(spec: &SensitiveSpec) -> Source {
    Source { file: SENSITIVE_FILE.to_owned(), line: spec.line }
}

fn actions(rule: &RuleSpec, findings: &mut Vec<Finding>) {
    let mut error =
        |code, message, remedy| findings.push(Finding::error(code, at_rule(rule), message, remedy));
    let id = &rule.id;
    if rule.then.is_empty() {
        let message = format!("规则“{id}”命中后什么也不做（then 为空）");
        error(
            "rule-empty-then",
            message,
            "在 then 中写上 reply、text、tag、task、call 或 handoff，或删除该规则",
        );
    }
    for action in &rule.then {
        match action {
            ActionSpec::Text(words) if words.trim().is_empty() => {
                error("rule-empty-action", format!("规则“{id}”的 text 是空的"), "写上回复内容，或删除该动作");
            }
            ActionSpec::Tag(tag) if tag.trim().is_empty() => {
                error("rule-empty-action", format!("规则“{id}”的 tag 是空的"), "写上标签名，或删除该动作");
            }
            _ => {}
        }
    }
}

/// Values of one level of conditions, then of the levels below it.
fn condition(rule: &RuleSpec, spec: &ConditionSpec, depth: usize, findings: &mut Vec<Finding>) {
    let id = &rule.id;
    let mut error =
        |code, message, remedy| findings.push(Finding::error(code, at_rule(rule), message, remedy));
    if depth > DEPTH_MAX {
        let message = format!("规则“{id}”的条件嵌套超过 {DEPTH_MAX} 层");
        error("rule-too-deep", message, "拆成几条规则，或合并 and、or、not");
        return;
    }
    for (key, words) in [("any", &spec.any), ("all", &spec.all), ("none", &spec.none)] {
        for word in words.iter().filter(|word| normalise(word).as_str().is_empty()) {
            let message = format!("规则“{id}”的 {key} 中，关键词“{word}”规范化后为空");
            error("rule-empty-keyword", message, "删除该关键词；表情和不可见字符不能作关键词");
        }
    }
    for (key, words) in [("tags", &spec.tags), ("region", &spec.region)] {
        if words.iter().any(|word| word.trim().is_empty()) {
            error("rule-empty-keyword", format!("规则“{id}”的 {key} 中有空值"), "删除空值");
        }
    }
    if let Some(time) = spec.time.as_deref().filter(|time| time_of_day(time).is_none()) {
        let message = format!("规则“{id}”的时段“{time}”不是有效的时间段（00:00 至 24:00，起止不能相同）");
        error("rule-bad-time", message, "写成 \"22:00-08:00\" 的形式，可以跨过午夜；全天写 \"00:00-24:00\"");
    }
    for channel in spec.channel.iter().filter(|channel| channel_named(channel).is_none()) {
        let message = format!("规则“{id}”的渠道“{channel}”不存在");
        error("rule-bad-channel", message, "渠道只有 web、wecom_app、wecom_kf 和 wecom_bot");
    }
    if let Some(written) = &spec.regex {
        pattern(rule, written, findings);
    }
    let nested = spec.and.iter().chain(&spec.or).chain(spec.not.as_deref());
    nested.for_each(|child| condition(rule, child, depth + 1, findings));
}

fn pattern(rule: &RuleSpec, written: &str, findings: &mut Vec<Finding>) {
    let id = &rule.id;
    let mut error =
        |code, message, remedy| findings.push(Finding::error(code, at_rule(rule), message, remedy));
    let pattern = match Pattern::new(written) {
        Ok(pattern) => pattern,
        Err(PatternError::TooLong { chars, limit }) => {
            let message = format!("规则“{id}”的正则有 {chars} 个字符，上限 {limit}");
            return error("rule-bad-regex", message, "拆成几条规则，或改用关键词");
        }
        Err(PatternError::TooLarge { limit }) => {
            let message = format!("规则“{id}”的正则“{written}”编译后超过 {limit} 字节");
            return error("rule-bad-regex", message, "减小重复次数（如 {100}），或改用关键词");
        }
        Err(PatternError::Syntax(cause)) => {
            let message = format!("规则“{id}”的正则“{written}”无法编译：{cause}");
            return error(
                "rule-bad-regex",
                message,
                "按 Rust regex 的语法改正；括号等符号作普通字符时前面加 \\",
            );
        }
    };
    if pattern.matches_everything() {
        let message = format!("规则“{id}”的正则“{written}”几乎匹配任何消息");
        error("rule-regex-matches-everything", message, "写上必须出现的文字；确实想匹配一切时删去 regex");
    } else if pattern.regex.is_match("") {
        let message = format!("规则“{id}”的正则“{written}”能匹配空文本，例如图片消息");
        let remedy = "写上必须出现的文字，或用 message 限定消息类型";
        findings.push(Finding::warning("rule-regex-matches-empty", at_rule(rule), message, remedy));
    }
    let unseen = |character: &char| {
        let mut bytes = [0; 4];
        let lower = character.to_lowercase().to_string();
        !character.is_ascii() && normalise(character.encode_utf8(&mut bytes)).as_str() != lower
    };
    if let Some(character) = literal_text(written).chars().find(unseen) {
        let message = format!("规则“{id}”的正则“{written}”含有“{character}”，消息规范化后不会出现这个字符");
        let remedy = "正则对照的是规范化后的消息：用简体字、半角字母数字和半角标点，不用表情";
        findings.push(Finding::warning("rule-regex-unnormalised", at_rule(rule), message, remedy));
    }
}

/// A rule with what its condition demands.
struct Reach<'r> {
    rule: &'r RuleSpec,
    cases: Vec<Case>,
}

/// Rules that never fire, and rules that contradict one another.
fn reach(rules: &[RuleSpec], findings: &mut Vec<Finding>) {
    let mut reachable = Vec::with_capacity(rules.len());
    for position in firing_order(rules) {
        let rule = &rules[position];
        // Too many cases: nothing can be said.
        let Some(cases) = cases(&rule.when) else { continue };
        let reasons: Vec<String> = cases.iter().filter_map(Case::contradiction).collect();
        if reasons.len() == cases.len() {
            let message = format!("规则“{}”永远不会命中：{}", rule.id, reasons[0]);
            findings.push(Finding::warning(
                "rule-never-fires",
                at_rule(rule),
                message,
                "修改互相矛盾的条件，或删除该规则",
            ));
            continue;
        }
        let cases = cases.into_iter().filter(|case| case.contradiction().is_none()).collect();
        reachable.push(Reach { rule, cases });
    }
    let conflicting = conflicts(&reachable, findings);
    shadows(&reachable, &conflicting, findings);
}

/// Reports rules that answer the same messages differently.
///
/// * `reachable`: in firing order.
/// * Returns the positions of the later rules of such pairs.
fn conflicts(reachable: &[Reach<'_>], findings: &mut Vec<Finding>) -> BTreeSet<usize> {
    let mut first: HashMap<&[Case], &RuleSpec> = HashMap::new();
    let mut conflicting = BTreeSet::new();
    for (position, Reach { rule, cases }) in reachable.iter().enumerate() {
        let Some(earlier) = first.get(cases.as_slice()) else {
            // A rule that continues, or only tags, leaves the word to those behind it.
            if stops(rule) {
                first.insert(cases, rule);
            }
            continue;
        };
        if earlier.then != rule.then && rule.then.iter().any(ActionSpec::is_heard) {
            let message = format!(
                "规则“{}”与第 {} 行的“{}”条件相同而动作不同，只有后者生效",
                rule.id, earlier.line, earlier.id
            );
            let remedy = "合并两条规则，或让条件有所区别；想让两条都执行时给先命中的规则加 continue = true";
            findings.push(Finding::warning("rule-conflict", at_rule(rule), message, remedy));
            conflicting.insert(position);
        }
    }
    conflicting
}

/// Reports rules behind which an earlier one of the same stage always stops first.
fn shadows(reachable: &[Reach<'_>], conflicting: &BTreeSet<usize>, findings: &mut Vec<Finding>) {
    let Some(index) = index(reachable) else { return };
    for (position, later) in reachable.iter().enumerate() {
        if conflicting.contains(&position) {
            continue;
        }
        // Every case must be covered, so looking for what covers the first one finds all that matter.
        let wanted = later.cases.first().map(Case::wanted_text).unwrap_or_default();
        let candidates = index.candidates(&index.find(&wanted));
        let earlier = candidates.into_iter().take_while(|candidate| *candidate < position);
        let mut earlier = earlier.map(|candidate| &reachable[candidate]);
        if let Some(Reach { rule, .. }) = earlier.find(|earlier| earlier.shadows(later)) {
            let stage = match rule.stage {
                Stage::Hard => "hard",
                Stage::Soft => "soft",
            };
            let message = format!(
                "规则“{}”永远轮不到：第 {} 行的“{}”（同为 {stage}）条件更宽且先命中",
                later.rule.id, rule.line, rule.id
            );
            let remedy = "提高该规则的 priority，或给先命中的规则加 continue = true，或删除该规则";
            findings.push(Finding::warning("rule-shadowed", at_rule(later.rule), message, remedy));
        }
    }
}

impl Reach<'_> {
    fn shadows(&self, later: &Self) -> bool {
        stops(self.rule) && self.rule.stage == later.rule.stage && implies(&later.cases, &self.cases)
    }
}

/// By the words that each rule needs, so that thousands of rules need not be compared pair by pair; `None`
/// when they are too many, which compiling the rules reports.
fn index(reachable: &[Reach<'_>]) -> Option<Index> {
    let mut needles = Needles::default();
    let mut triggers = Vec::with_capacity(reachable.len());
    for Reach { rule, cases } in reachable {
        if !stops(rule) {
            triggers.push(Some(Vec::new()));
            continue;
        }
        let words = cases.iter().map(Case::trigger).collect::<Option<Vec<_>>>();
        triggers.push(
            words.map(|words| words.concat().iter().map(|word| needles.number(word.as_bytes())).collect()),
        );
    }
    Index::new(needles, &triggers).ok()
}

fn sensitive_words(spec: &SensitiveSpec, findings: &mut Vec<Finding>) {
    let id = &spec.id;
    if spec.words.is_empty() {
        let message = format!("敏感词条“{id}”没有词");
        findings.push(Finding::warning(
            "sensitive-no-words",
            at_sensitive(spec),
            message,
            "在 words 中写上词，或删除该条",
        ));
    }
    for word in &spec.words {
        match units(word).len() {
            0 => {
                let message = format!("敏感词条“{id}”的词“{word}”没有文字、字母或数字");
                let remedy = "删除该词；符号和表情在查找时会被略去";
                findings.push(Finding::error("sensitive-empty-word", at_sensitive(spec), message, remedy));
            }
            1 => {
                let message = format!("敏感词条“{id}”的词“{word}”只有一个字，容易误伤");
                let remedy = "改用至少两个字的词";
                findings.push(Finding::warning(
                    "sensitive-one-character",
                    at_sensitive(spec),
                    message,
                    remedy,
                ));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct RulesFile {
        rule: Vec<RuleSpec>,
    }

    #[derive(serde::Deserialize)]
    struct SensitiveFile {
        sensitive: Vec<SensitiveSpec>,
    }

    /// Rules of a file, the n-th one on line n.
    fn rules(toml: &str) -> Vec<RuleSpec> {
        let mut rules = toml::from_str::<RulesFile>(toml).unwrap().rule;
        rules.iter_mut().enumerate().for_each(|(position, rule)| rule.line = position + 1);
        rules
    }

    /// Lines and codes of the findings.
    fn found(findings: &[Finding]) -> Vec<(usize, &'static str)> {
        findings.iter().map(|finding| (finding.source.line, finding.code)).collect()
    }

    #[track_caller]
    fn check(toml: &str, expected: &[(usize, &str)]) {
        let findings = lint(&rules(toml), &[]);
        assert_eq!(found(&findings), expected, "{toml}\n{findings:#?}");
        assert!(
            findings.iter().all(|finding| finding.source.file == RULES_FILE && !finding.remedy.is_empty())
        );
    }

    /// One rule that answers under a condition.
    #[track_caller]
    fn check_condition(condition: &str, expected: &[&str]) {
        let toml = format!("rule = [{{ id = 'a', when = {{ {condition} }}, then = [{{ text = '好' }}] }}]");
        let expected: Vec<(usize, &str)> = expected.iter().map(|code| (1, *code)).collect();
        check(&toml, &expected);
    }

    /// Two answering rules, the second one with its own words.
    #[track_caller]
    fn check_pair(first: &str, second: &str, expected: &[&str]) {
        let toml = format!("rule = [{{ id = 'a', {first} }}, {{ id = 'b', {second} }}]");
        let expected: Vec<(usize, &str)> = expected.iter().map(|code| (2, *code)).collect();
        check(&toml, &expected);
    }

    #[test]
    fn sound_rules_have_no_findings() {
        check(
            r#"
            [[rule]]
            id = "退款"
            stage = "hard"
            when = { any = ["退款"], none = ["不退款"], time = "22:00-08:00", channel = ["web"] }
            then = [{ reply = "退款说明" }, { tag = "售后" }]
            [[rule]]
            id = "人工"
            when = { regex = "转.{0,2}人工", open = true }
            then = [{ handoff = "售后" }]
            [[rule]]
            id = "兜底"
            then = [{ text = "好的" }]
            "#,
            &[],
        );
    }

    #[test]
    fn actions_must_do_something() {
        check(
            r#"
            [[rule]]
            id = "a"
            when = { any = ["甲"] }
            then = [{ reply = "没有" }, { handoff = "财务" }]
            [[rule]]
            id = "a"
            when = { any = ["乙"] }
            then = []
            [[rule]]
            id = "b"
            when = { any = ["丙"] }
            then = [{ text = " " }, { tag = "" }]
            "#,
            &[(2, "rule-empty-then"), (3, "rule-empty-action"), (3, "rule-empty-action")],
        );
    }

    #[test]
    fn messages_name_value_and_limit() {
        let regex = "退".repeat(1_001);
        let toml = format!(
            "rule = [{{ id = '甲', when = {{ regex = '{regex}' }}, then = [{{ handoff = '财务' }}] }}]"
        );
        let shown: Vec<String> = lint(&rules(&toml), &[]).iter().map(ToString::to_string).collect();
        assert!(
            shown[0]
                .starts_with("错误 rules.toml:1 [rule-bad-regex] 规则“甲”的正则有 1001 个字符，上限 1000"),
            "{shown:?}"
        );
    }

    #[test]
    fn values_are_checked_at_every_level() {
        for level in [
            "VALUE",
            "and = [{ VALUE }]",
            "or = [{ VALUE }]",
            "not = { VALUE, open = true }",
            "not = { or = [{ VALUE }] }",
        ] {
            for (value, code) in [
                ("any = ['退', '😀']", "rule-empty-keyword"),
                ("all = ['退', '']", "rule-empty-keyword"),
                ("none = [' ']", "rule-empty-keyword"),
                ("tags = ['']", "rule-empty-keyword"),
                ("region = [' ']", "rule-empty-keyword"),
                ("time = '22:00-22:00'", "rule-bad-time"),
                ("time = '25:00-08:00'", "rule-bad-time"),
                ("time = '晚上'", "rule-bad-time"),
                ("channel = ['web', 'qq']", "rule-bad-channel"),
                ("regex = '退(款'", "rule-bad-regex"),
                ("regex = '(\\w{100}){100}'", "rule-bad-regex"),
                ("regex = '.*'", "rule-regex-matches-everything"),
                ("regex = '(退款)?'", "rule-regex-matches-everything"),
                ("regex = '.'", "rule-regex-matches-everything"),
                ("regex = '^$'", "rule-regex-matches-empty"),
                ("regex = '退貨'", "rule-regex-unnormalised"),
                ("regex = 'ＶＩＰ'", "rule-regex-unnormalised"),
            ] {
                check_condition(&level.replace("VALUE", value), &[code]);
            }
        }
        check_condition("regex = 'VIP|É[，。]?退'", &[]);
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested =
            |depth: usize| format!("{}any = ['甲']{}", "and = [{ ".repeat(depth), " }]".repeat(depth));
        check_condition(&nested(DEPTH_MAX), &[]);
        check_condition(&nested(DEPTH_MAX + 1), &["rule-too-deep"]);
    }

    #[test]
    fn contradictions_never_fire() {
        for condition in [
            "all = ['退款'], none = ['退款']",
            "all = ['退款'], none = ['退']",
            "any = ['退款', '退货'], none = ['退']",
            "any = ['Ａ'], none = ['a']",
            "all = ['退款'], and = [{ none = ['退款'] }]",
            "all = ['退款'], not = { any = ['退款'] }",
            "holiday = true, and = [{ holiday = false }]",
            "open = true, not = { open = true }",
            "open = true, and = [{ or = [{ open = false }] }]",
            "first_visit = true, and = [{ first_visit = false }]",
            "customer = 'customer', and = [{ customer = 'employee' }]",
            "weekday = ['sat'], and = [{ weekday = ['mon', 'tue'] }]",
            "time = '08:00-12:00', and = [{ time = '12:00-14:00' }]",
            "time = '22:00-06:00', and = [{ time = '06:00-22:00' }]",
            "channel = ['web'], and = [{ channel = ['wecom_app'] }]",
            "message = ['image'], any = ['退款']",
            "message = ['image'], and = [{ message = ['text'] }]",
            "or = [{ any = ['退'], none = ['退'] }, { holiday = true, not = { holiday = true } }]",
        ] {
            check_condition(condition, &["rule-never-fires"]);
        }
        for condition in [
            "all = ['退'], none = ['退款']",
            "any = ['退款', '换货'], none = ['退']",
            "time = '22:00-06:00', and = [{ time = '05:00-07:00' }]",
            "message = ['image', 'link'], any = ['退款']",
            "or = [{ any = ['退'], none = ['退'] }, { holiday = true }]",
            "holiday = true, not = { holiday = true, open = true }",
        ] {
            check_condition(condition, &[]);
        }
    }

    #[test]
    fn earlier_stopping_rules_cast_shadows() {
        let first = "when = { any = ['退款', '换货'] }, then = [{ text = '甲' }]";
        let shadowed = "when = { any = ['我要退款'] }, then = [{ text = '乙' }]";
        check_pair(first, shadowed, &["rule-shadowed"]);
        check_pair(&format!("{first}, continue = true"), shadowed, &[]);
        check_pair(&format!("{first}, stage = 'hard'"), shadowed, &[]);
        check_pair("when = { any = ['退款'] }, then = [{ tag = '甲' }]", shadowed, &[]);
        check_pair(first, &format!("{shadowed}, priority = 1"), &[]);
        check_pair(first, "when = { any = ['退款', '退货'] }, then = [{ text = '乙' }]", &[]);
        check_pair("then = [{ text = '甲' }]", shadowed, &["rule-shadowed"]);
        check_pair(
            "when = { regex = '退.款' }, then = [{ text = '甲' }]",
            "when = { regex = '退.款', open = true }, then = [{ text = '乙' }]",
            &["rule-shadowed"],
        );
        // The same answer twice is a rule too many, and a tag behind a stopping rule is never put.
        check_pair(first, first, &["rule-shadowed"]);
        check_pair(first, "when = { any = ['换货', '退款'] }, then = [{ tag = '乙' }]", &["rule-shadowed"]);
    }

    #[test]
    fn equal_conditions_with_different_answers_conflict() {
        let first = "when = { any = ['退款', '换货'], open = true }, then = [{ reply = '退款说明' }]";
        let same = "when = { and = [{ open = true }], any = ['换货', '退款'] }";
        check_pair(first, &format!("{same}, then = [{{ reply = '换货说明' }}]"), &["rule-conflict"]);
        check_pair(
            &format!("{first}, stage = 'hard'"),
            &format!("{same}, then = [{{ text = '好' }}]"),
            &["rule-conflict"],
        );
        check_pair(&format!("{first}, continue = true"), &format!("{same}, then = [{{ text = '好' }}]"), &[]);
        check_pair("then = [{ tag = '甲' }]", "then = [{ tag = '乙' }]", &[]);
    }

    #[test]
    fn sensitive_words_are_checked() {
        let toml = r#"
            [[sensitive]]
            id = "a"
            words = ["微信", "@@", "赌", "q"]
            action = "mask"
            [[sensitive]]
            id = "a"
            words = []
            action = "handoff"
            group = "财务"
            [[sensitive]]
            id = "b"
            words = ["电话"]
            action = "handoff"
            group = "售后"
        "#;
        let mut specs = toml::from_str::<SensitiveFile>(toml).unwrap().sensitive;
        specs.iter_mut().enumerate().for_each(|(position, spec)| spec.line = position + 1);
        let findings = lint(&[], &specs);
        assert_eq!(
            found(&findings),
            [
                (1, "sensitive-empty-word"),
                (1, "sensitive-one-character"),
                (1, "sensitive-one-character"),
                (2, "sensitive-no-words"),
            ]
        );
        assert!(findings.iter().all(|finding| finding.source.file == SENSITIVE_FILE));
    }
}
