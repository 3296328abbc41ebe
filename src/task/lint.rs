//! Task files and connectors: whatever would leave a customer standing is found before it is served.

use std::collections::BTreeSet;

use regex::Regex;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::suggestion;
use crate::knowledge::task::DEMO_SHOP;
use crate::knowledge::task::FOLDER;
use crate::knowledge::task::PRODUCTS_CALL;
use crate::knowledge::task::SlotSpec;
use crate::knowledge::task::StepSpec;
use crate::knowledge::task::TaskSpec;
use crate::nlu::slot::SlotName;
use crate::task::expression;

/// What every task may read, whatever its slots.
const ALWAYS: [&str; 5] = ["customer", "bot", "phone_of_shop", "refusal", "said"];

const CONNECTORS: &str = "connectors.toml";

/// Most steps of a task.
const STEPS_MAX: usize = 100;

/// Looks at all tasks and connectors of a bot, and at the rules that lead there.
#[must_use]
pub fn lint(known: &Knowledge) -> Vec<Finding> {
    let mut findings = Vec::new();
    for task in &known.tasks {
        Looking { known, task, findings: &mut findings }.look();
    }
    connectors(known, &mut findings);
    let calls: Vec<&str> = known.connectors.call.keys().map(String::as_str).collect();
    let tasks: Vec<&str> = known.tasks.iter().map(|task| task.id.as_str()).collect();
    for rule in &known.rules {
        let at = Source { file: "rules.toml".to_owned(), line: rule.line };
        for action in &rule.then {
            match action {
                ActionSpec::Task(id) if !tasks.contains(&id.as_str()) => {
                    let message =
                        format!("规则“{}”要开始的任务“{id}”没有：{FOLDER}/ 里没有这个文件。", rule.id);
                    findings.push(Finding::error(
                        "unknown-task",
                        at.clone(),
                        message,
                        &suggestion(id, &tasks),
                    ));
                }
                ActionSpec::Call(name) if !calls.contains(&name.as_str()) => {
                    let message = format!("规则“{}”要调用的“{name}”在 connectors.toml 里没有。", rule.id);
                    findings.push(Finding::error(
                        "unknown-action",
                        at.clone(),
                        message,
                        &suggestion(name, &calls),
                    ));
                }
                _ => {}
            }
        }
    }
    findings
}

struct Looking<'k, 'f> {
    known: &'k Knowledge,
    task: &'k TaskSpec,
    findings: &'f mut Vec<Finding>,
}

impl Looking<'_, '_> {
    fn look(&mut self) {
        self.head();
        for (name, slot) in &self.task.slot {
            self.slot(name, slot);
        }
        let mut seen = BTreeSet::new();
        for step in &self.task.step {
            if step.id.is_empty() || !seen.insert(step.id.as_str()) {
                let message = format!("步骤的 id“{}”是空的，或者重复了。", step.id);
                self.error("duplicate-id", step.line, message, "每一步给一个不同的 id。");
            }
            self.step(step);
        }
        self.reach();
    }

    fn head(&mut self) {
        let task = self.task;
        if task.step.is_empty() {
            self.error("task-empty", 1, "任务里没有步骤。".to_owned(), "至少写一个 [[step]]。");
        }
        if task.step.len() > STEPS_MAX {
            let message = format!("任务有 {} 步，超过上限 {STEPS_MAX}。", task.step.len());
            self.error("too-many", 1, message, "拆成几个任务。");
        }
        for (key, value, low, high) in
            [("tries_max", task.tries_max, 1, 9), ("minutes_max", task.minutes_max, 1, 10_080)]
        {
            if !(low..=high).contains(&value) {
                let message = format!("{key} 是 {value}，应在 {low} 到 {high} 之间。");
                self.error("out-of-range", 1, message, "改成范围里的数。");
            }
        }
        if let Some(pattern) = &task.unless {
            self.pattern("unless", pattern);
        }
        let topics: Vec<&str> = self.known.profile.topics.keys().map(String::as_str).collect();
        for intent in task.intents.iter().filter(|intent| !topics.contains(&intent.as_str())) {
            let message = format!("意图“{intent}”不在 bot.toml 的 [topics] 里。");
            self.error("unknown-intent", 1, message, &suggestion(intent, &topics));
        }
        for other in self.known.tasks.iter().take_while(|other| other.id != task.id) {
            for intent in task.intents.iter().filter(|intent| other.intents.contains(intent)) {
                let message = format!("意图“{intent}”已经用来开始任务“{}”。", other.id);
                self.error("intent-taken", 1, message, "一个意图只开始一个任务。");
            }
        }
        if let Some(group) = &task.group {
            self.group(group, 1);
        }
    }

    fn slot(&mut self, name: &str, slot: &SlotSpec) {
        let kinds = [
            slot.entity.is_some() && slot.choices.is_empty(),
            !slot.choices.is_empty(),
            slot.pick.is_some(),
            slot.confirm,
            slot.picture,
            slot.text,
        ];
        let n_kinds = kinds.iter().filter(|kind| **kind).count();
        if n_kinds != 1 {
            let message = format!(
                "槽位“{name}”的填法写了 {n_kinds} 种；entity、choices、pick、confirm、picture、text 只能写一种。"
            );
            self.error("slot-kind", 1, message, "留下一种。");
        }
        if let Some(entity) = &slot.entity
            && SlotName::named(entity).is_none()
        {
            let message = format!("槽位“{name}”的实体“{entity}”不在实体表里。");
            self.error("unknown-entity", 1, message, "实体名见 taxonomy：item、color、order_id、phone 等。");
        }
        if let Some(pattern) = &slot.pattern {
            self.pattern(&format!("slot.{name}.pattern"), pattern);
        }
        if let Some(valid) = &slot.valid {
            self.expression(&format!("slot.{name}.valid"), valid, 1, &["value"]);
        }
        if let Some(label) = &slot.label {
            self.template(&format!("slot.{name}.label"), label, 1, &["item"]);
        }
        for prompt in &slot.prompts {
            self.template(&format!("slot.{name}.prompts"), prompt, 1, &[]);
        }
        if let Some(invalid) = &slot.invalid {
            self.template(&format!("slot.{name}.invalid"), invalid, 1, &[]);
        }
        let saved = |step: &StepSpec| step.save.as_ref() == slot.pick.as_ref();
        if let Some(list) = &slot.pick
            && !self.task.step.iter().any(saved)
        {
            let message = format!("槽位“{name}”要从“{list}”里挑，但没有步骤用 save 存下它。");
            self.error("unknown-list", 1, message, "在前面的 call 步骤里写 save。");
        }
        if !self.task.step.iter().any(|step| step.ask.as_deref() == Some(name))
            && (slot.confirm || slot.pick.is_some() || slot.text || slot.picture)
        {
            let message = format!("槽位“{name}”没有哪一步来问，永远填不上。");
            self.warning("slot-unasked", message, "加一个 ask 步骤，或删掉它。");
        }
    }

    fn step(&mut self, step: &StepSpec) {
        let does = [
            step.ask.is_some(),
            step.say.is_some(),
            step.reply.is_some(),
            step.call.is_some(),
            !step.record.is_empty(),
            step.tag.is_some(),
            step.ticket.is_some(),
            step.handoff.is_some(),
        ];
        if does.iter().filter(|does| **does).count() > 1 {
            let message = format!("步骤“{}”同时写了几件事。", step.id);
            self.error(
                "step-kind",
                step.line,
                message,
                "一步只做一件：ask、say、reply、call、record、tag、ticket 或 handoff。",
            );
        }
        if let Some(when) = &step.when {
            self.expression("when", when, step.line, &[]);
        }
        for (key, template) in [("say", &step.say), ("ticket", &step.ticket)] {
            if let Some(template) = template {
                self.template(key, template, step.line, &[]);
            }
        }
        for template in step.with.values().chain(step.record.values()) {
            self.template("with/record", template, step.line, &[]);
        }
        if let Some(name) = &step.ask
            && !self.task.slot.contains_key(name)
        {
            let slots: Vec<&str> = self.task.slot.keys().map(String::as_str).collect();
            let message = format!("步骤“{}”要问的槽位“{name}”没有写。", step.id);
            self.error("unknown-slot", step.line, message, &suggestion(name, &slots));
        }
        if let Some(name) = &step.call {
            let mut calls: Vec<&str> = self.known.connectors.call.keys().map(String::as_str).collect();
            calls.push(PRODUCTS_CALL);
            if !calls.contains(&name.as_str()) {
                let message = format!("步骤“{}”要调用的“{name}”在 connectors.toml 里没有。", step.id);
                self.error("unknown-action", step.line, message, &suggestion(name, &calls));
            }
        }
        if let Some(name) = &step.reply
            && !self.known.replies.reply.contains_key(name)
        {
            let replies: Vec<&str> = self.known.replies.reply.keys().map(String::as_str).collect();
            let message = format!("步骤“{}”的回复“{name}”在 replies.toml 里没有。", step.id);
            self.error("unknown-reply", step.line, message, &suggestion(name, &replies));
        }
        if let Some(group) = &step.handoff {
            self.group(group, step.line);
        }
    }

    /// Where steps lead: only down, to steps that there are, and to every step from somewhere.
    fn reach(&mut self) {
        let steps = &self.task.step;
        let place = |id: &str| steps.iter().position(|step| step.id == id);
        let mut reached = vec![false; steps.len()];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        for (at, step) in steps.iter().enumerate() {
            for (key, target) in [("next", &step.next), ("failed", &step.failed), ("refused", &step.refused)]
            {
                let Some(target) = target else { continue };
                match place(target) {
                    Some(to) if to > at => reached[to] |= reached[at],
                    Some(_) => {
                        let message = format!(
                            "步骤“{}”的 {key} 回到前面的“{target}”，会绕圈。客户更正信息时任务会自己退回去。",
                            step.id
                        );
                        self.error("task-cycle", step.line, message, "只往后面的步骤走。");
                    }
                    None => {
                        let message = format!("步骤“{}”的 {key} 指向的“{target}”没有。", step.id);
                        self.error("unknown-step", step.line, message, &suggestion(target, &ids));
                    }
                }
            }
            let goes_on = step.next.as_ref().and_then(|next| place(next)).is_some_and(|to| to > at);
            let leaves = goes_on || step.end || step.handoff.is_some();
            if let Some(below) = reached.get(at + 1).copied()
                && (!leaves || step.when.is_some())
            {
                reached[at + 1] = below || reached[at];
            }
        }
        for (step, _) in steps.iter().zip(&reached).filter(|(_, reached)| !**reached) {
            let message = format!("步骤“{}”永远走不到。", step.id);
            self.error("task-unreachable", step.line, message, "检查前面的 next、end 和 handoff。");
        }
    }

    fn group(&mut self, group: &str, line: usize) {
        let groups: Vec<&str> = self.known.profile.handoff.groups.keys().map(String::as_str).collect();
        if !groups.contains(&group) {
            let message = format!("坐席组“{group}”不在 bot.toml 的 [handoff.groups] 里。");
            self.error("unknown-group", line, message, &suggestion(group, &groups));
        }
    }

    fn pattern(&mut self, key: &str, pattern: &str) {
        if let Err(error) = Regex::new(pattern) {
            let detail = error.to_string().replace('\n', " ");
            self.error("bad-pattern", 1, format!("{key} 不是正则表达式：{detail}"), "改正写法。");
        }
    }

    fn expression(&mut self, key: &str, expression: &str, line: usize, also: &[&str]) {
        match expression::reads_of_expression(expression) {
            Some(names) => self.names(key, &names, line, also),
            None => self.error(
                "bad-expression",
                line,
                format!("{key} 的条件“{expression}”写错了。"),
                "例如 order.state == 'signed' and days_since(order.signed_at) <= 7。",
            ),
        }
    }

    fn template(&mut self, key: &str, template: &str, line: usize, also: &[&str]) {
        match expression::reads_of_template(template) {
            Some(names) => self.names(key, &names, line, also),
            None => self.error(
                "bad-template",
                line,
                format!("{key} 的模板写错了。"),
                "变量写成 {{ 名字 }}，条件写成 {% if … %}…{% endif %}。",
            ),
        }
    }

    fn names(&mut self, key: &str, names: &[String], line: usize, also: &[&str]) {
        let saved = self.task.step.iter().filter_map(|step| step.save.as_deref());
        let slots = self.task.slot.keys().map(String::as_str);
        let known: Vec<&str> = slots.chain(saved).chain(ALWAYS).chain(also.iter().copied()).collect();
        for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("{key} 里的“{name}”既不是槽位，也没有步骤存下它。");
            self.error("unknown-slot", line, message, &suggestion(name, &known));
        }
    }

    fn error(&mut self, code: &'static str, line: usize, message: String, remedy: &str) {
        let source = self.source(line);
        self.findings.push(Finding::error(code, source, message, remedy));
    }

    fn warning(&mut self, code: &'static str, message: String, remedy: &str) {
        let source = self.source(1);
        self.findings.push(Finding::warning(code, source, message, remedy));
    }

    fn source(&self, line: usize) -> Source {
        Source { file: format!("{FOLDER}/{}.toml", self.task.id), line }
    }
}

fn connectors(known: &Knowledge, findings: &mut Vec<Finding>) {
    let at = || Source { file: CONNECTORS.to_owned(), line: 1 };
    let mut error =
        |code, message: String, remedy: &str| findings.push(Finding::error(code, at(), message, remedy));
    for (name, connector) in &known.connectors.connector {
        let url = connector.url.as_str();
        let is_address = ["http://", "https://", "env:"].iter().any(|start| url.starts_with(start));
        if url != DEMO_SHOP && !is_address {
            error(
                "bad-address",
                format!("connector.{name}.url 不是 http(s) 网址，也不是 env:名字。"),
                "写完整的网址。",
            );
        }
        for (key, value) in [("authorization", &connector.authorization), ("secret", &connector.secret)] {
            if value.as_ref().is_some_and(|value| !value.starts_with("env:")) {
                error(
                    "secret-literal",
                    format!("connector.{name}.{key} 直接写了密钥。"),
                    "写成 env:名字，值放在环境变量里。",
                );
            }
        }
        if !(100..=10_000).contains(&connector.timeout_ms) || !(1..=5).contains(&connector.attempts_max) {
            let message = format!(
                "connector.{name} 的 timeout_ms 是 {}（100 到 10000），attempts_max 是 {}（1 到 5），有一个超出范围。",
                connector.timeout_ms, connector.attempts_max
            );
            error("out-of-range", message, "改成范围里的数。");
        }
    }
    let names: Vec<&str> = known.connectors.connector.keys().map(String::as_str).collect();
    for (name, call) in &known.connectors.call {
        if !names.contains(&call.connector.as_str()) {
            let message = format!("call.{name} 的 connector“{}”没有写。", call.connector);
            error("unknown-connector", message, &suggestion(&call.connector, &names));
        }
        if call.get.is_some() == call.post.is_some() {
            error(
                "call-method",
                format!("call.{name} 要写 get 或 post，只写一个。"),
                "读用 get，办事用 post。",
            );
        }
        let paths = call.get.iter().chain(&call.post).chain(call.query.values());
        if paths.into_iter().any(|template| expression::reads_of_template(template).is_none()) {
            error(
                "bad-template",
                format!("call.{name} 的路径或 query 里有写错的模板。"),
                "变量写成 {{ 名字 }}。",
            );
        }
        if call.ok.as_deref().is_some_and(|ok| expression::reads_of_expression(ok).is_none()) {
            error("bad-expression", format!("call.{name}.ok 的条件写错了。"), "例如 code == 0。");
        }
    }
}
