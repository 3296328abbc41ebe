//! A small task from the first message to its end, by every road.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::knowledge::sample::shop;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::nlu::Nlu;
use crate::text::segment::Segmenter;

const TASK: &str = r#"
title = "换货"
intents = ["return_exchange"]
unless = "怎么|能换吗"
group = "service"
tries_max = 2
[slot.item]
entity = "item"
[slot.order_id]
entity = "order_id"
pattern = '[0-9]{8,}'
prompts = ["订单号？", "再发一次订单号："]
invalid = "“{{ said }}”不是订单号。"
[slot.order]
pick = "found"
label = "{{ item.title }}"
none = "都不是"
prompts = ["哪一单？"]
[slot.size]
title = "尺码"
entity = "size"
own_answer_only = true
prompts = ["换成几码？"]
[slot.phone]
entity = "phone"
remember = "phone"
prompts = ["手机号？"]
[slot.note]
text = true
optional = true
own_answer_only = true
chars_min = 2
prompts = ["还有什么要说的？没有就回复“没有”。"]
[slot.ok]
confirm = true
prompts = ["{{ order.title }}换成{{ size }}码，对吗？"]
[[step]]
id = "number"
ask = "order_id"
[[step]]
id = "find"
call = "orders"
with = { number = "{{ order_id }}" }
save = "found"
failed = "no-system"
[[step]]
id = "which"
ask = "order"
[[step]]
id = "size"
when = "order"
ask = "size"
[[step]]
id = "phone"
ask = "phone"
[[step]]
id = "note"
ask = "note"
[[step]]
id = "confirm"
ask = "ok"
[[step]]
id = "denied"
when = "not ok"
say = "不换了。"
end = true
[[step]]
id = "do"
call = "exchange"
with = { id = "{{ order.id }}", size = "{{ size }}" }
save = "done"
[[step]]
id = "tag"
tag = "换货中"
[[step]]
id = "ticket"
ticket = "换货 {{ done.number }}"
[[step]]
id = "said"
say = "换好了，单号{{ done.number }}。"
end = true
[[step]]
id = "no-system"
say = "查不到，记下了。"
"#;

/// A talk with the task alone.
struct Talk {
    known: Knowledge,
    tasks: TaskSet,
    nlu: Nlu,
    segmenter: Segmenter,
    customer: Customer,
    recalled: BTreeMap<String, Value>,
    progress: Option<Progress>,
    /// What calls bring, in turn; kept for the whole of a message.
    results: Vec<CallResult>,
    calls: Vec<Call>,
    effects: Effects,
    end: End,
}

impl Talk {
    fn new() -> Self {
        let mut known = shop();
        known.profile.topics.insert("return_exchange".to_owned(), "退换".to_owned());
        known.tasks = vec![TaskSpec { id: "swap".to_owned(), ..toml::from_str(TASK).unwrap() }];
        let nlu = Nlu::new(&known.products);
        Self {
            tasks: TaskSet::new(&known).unwrap(),
            segmenter: Segmenter::new(nlu.words()),
            nlu,
            known,
            customer: Customer::new("c", CustomerKind::Customer),
            recalled: BTreeMap::new(),
            progress: None,
            results: Vec::new(),
            calls: Vec::new(),
            effects: Effects::default(),
            end: End::Done,
        }
    }

    fn now() -> jiff::Zoned {
        "2026-11-23T10:00:00+08:00[Asia/Shanghai]".parse().unwrap()
    }

    /// What the bot says to a message.
    fn say(&mut self, words: &str) -> String {
        self.send(words, MessageKind::Text)
    }

    fn send(&mut self, words: &str, kind: MessageKind) -> String {
        let now = Self::now();
        let utterance = Utterance::read(words, &self.segmenter);
        let meaning = self.nlu.understand(&utterance, None, &now);
        let said = Said { utterance: &utterance, kind, meaning: &meaning };
        let mut results: Vec<CallResult> = Vec::new();
        loop {
            let run = Run {
                known: &self.known,
                customer: &self.customer,
                recalled: &self.recalled,
                results: &results,
                now: &now,
            };
            let told = match &self.progress {
                None => self.tasks.begin("swap", self.tasks.slips("swap", said, &now), run),
                Some(progress) => {
                    let hearing = self.tasks.hear(progress, said, &now);
                    if hearing.answer.is_some() || !hearing.others.is_empty() {
                        self.tasks.go_on(progress, &hearing, run).unwrap()
                    } else {
                        self.tasks.ask_again(progress, words, run).unwrap()
                    }
                }
            };
            if let End::Calling(call) = told.end {
                self.calls.push(call);
                results.push(self.results.remove(0));
                continue;
            }
            self.progress = (told.end == End::Waiting).then_some(told.progress);
            self.effects.tags.extend(told.effects.tags);
            self.effects.record.extend(told.effects.record);
            self.effects.tickets.extend(told.effects.tickets);
            self.end = told.end;
            let line = |line: &Line| match line {
                Line::Words(words) => words.clone(),
                Line::Choices { prompt, options } => format!("{prompt}[{}]", options.join("|")),
                Line::Named(name) | Line::Resumed(name) => format!("<{name}>"),
                Line::CallFailed => "<failed>".to_owned(),
            };
            return told.lines.iter().map(line).collect::<Vec<_>>().join(" ");
        }
    }

    fn finds(&mut self, titles: &[&str]) {
        let items: Vec<Value> =
            titles.iter().enumerate().map(|(at, title)| json!({ "id": at + 1, "title": title })).collect();
        self.results.push(CallResult::Answered(json!(items)));
    }
}

#[test]
fn a_task_runs_to_its_end() {
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫", "白衬衫"]);
    assert_eq!(talk.say("我要换衬衫"), "订单号？");
    assert_eq!(talk.say("202611220001"), "哪一单？[黑衬衫|白衬衫|都不是]");
    // Between two messages nothing is called again.
    assert_eq!(talk.say("第二个"), "换成几码？");
    assert_eq!(talk.say("xl的吧"), "手机号？");
    assert_eq!(talk.say("13800001234"), "还有什么要说的？没有就回复“没有”。");
    assert_eq!(talk.say("没有"), "白衬衫换成XL码，对吗？");
    talk.results.push(CallResult::Answered(json!({ "number": "H1" })));
    assert_eq!(talk.say("对的"), "换好了，单号H1。");
    assert_eq!(talk.end, End::Done);
    let called: Vec<_> = talk.calls.iter().map(|call| (call.name.as_str(), &call.with)).collect();
    let with = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(called[0], ("orders", &with(&[("number", "202611220001")])));
    assert_eq!(called[1], ("exchange", &with(&[("id", "2"), ("size", "XL")])));
    assert_eq!(talk.effects.tags, ["换货中"]);
    assert_eq!(talk.effects.record["phone"], "13800001234");
    let ticket = &talk.effects.tickets[0];
    assert_eq!((ticket.title.as_str(), ticket.fields["尺码"].as_str()), ("换货 H1", "XL"));
}

#[test]
fn what_was_said_is_not_asked_again() {
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫"]);
    talk.customer.record.insert("phone".to_owned(), "13900001111".to_owned());
    // The number stands in the first message, the only order is taken, and the telephone is on record.
    assert_eq!(talk.say("订单202611220001的衬衫要换"), "换成几码？");
    assert_eq!(talk.say("L"), "还有什么要说的？没有就回复“没有”。");
    let mut again = Talk::new();
    again.finds(&["黑衬衫"]);
    again.recalled.insert("order_id".to_owned(), json!("202611220009"));
    assert_eq!(again.say("我要换货"), "换成几码？");
    assert_eq!(again.calls[0].with["number"], "202611220009");
}

#[test]
fn a_correction_goes_back_to_what_it_touches() {
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫"]);
    talk.say("订单202611220001要换");
    talk.say("L");
    talk.say("13800001234");
    assert_eq!(talk.say("没有"), "黑衬衫换成L码，对吗？");
    // At the confirmation a new value needs no “不对”, and what stands behind it is confirmed anew.
    assert_eq!(talk.say("不对，手机号是13900002222"), "黑衬衫换成L码，对吗？");
    assert_eq!(talk.effects.record["phone"], "13900002222");
    talk.finds(&["蓝裙子"]);
    assert_eq!(talk.say("订单号错了，是202611220002"), "蓝裙子换成L码，对吗？");
    assert_eq!(talk.calls.last().unwrap().with["number"], "202611220002");
    assert_eq!(talk.say("尺码要M的"), "蓝裙子换成M码，对吗？");
    assert_eq!(talk.say("不对"), "蓝裙子换成M码，对吗？");
    assert_eq!(talk.say("不要了"), "不换了。");
    assert_eq!((talk.end.clone(), talk.effects.tags.len()), (End::Done, 0));
}

#[test]
fn what_comes_up_at_the_confirmation_is_looked_up_and_shown_before_it_is_done() {
    let mut talk = Talk::new();
    talk.known.tasks[0].step[1].with.insert("goods".to_owned(), "{{ item }}".to_owned());
    talk.tasks = TaskSet::new(&talk.known).unwrap();
    talk.finds(&["黑衬衫", "白衬衫"]);
    talk.say("订单202611220001要换");
    talk.say("1");
    talk.say("L");
    talk.say("13800001234");
    assert_eq!(talk.say("没有"), "黑衬衫换成L码，对吗？");
    // The goods were not named before.
    talk.finds(&["毛衣"]);
    assert_eq!(talk.say("我要的是毛衣"), "毛衣换成L码，对吗？");
    assert_eq!(talk.calls.last().unwrap().with["goods"], "毛衣");
    // A correction of something else leaves the choice as it was.
    talk.finds(&["背心", "毛衣"]);
    let id = talk.progress.as_ref().unwrap().slots["order"]["id"].clone();
    talk.results[0] =
        CallResult::Answered(json!([{ "id": 9, "title": "背心" }, { "id": id, "title": "毛衣" }]));
    assert_eq!(talk.say("不对 订单是202611220002"), "毛衣换成L码，对吗？");
    // Whatever is asked again stands there whole.
    assert_eq!(talk.say("嘿嘿嘿"), "毛衣换成L码，对吗？");
}

#[test]
fn yes_and_no_in_the_words_of_customers() {
    for (words, done) in [
        ("没有问题", true),
        ("不用改了，确认", true),
        ("对的没错", true),
        ("好 登记吧", true),
        ("不要了", false),
        ("先不办了", false),
        ("不退了谢谢", false),
    ] {
        let mut talk = Talk::new();
        talk.finds(&["黑衬衫"]);
        for words in ["订单202611220001要换", "L", "13800001234", "没有"] {
            talk.say(words);
        }
        talk.results.push(CallResult::Answered(json!({ "number": "H1" })));
        assert_eq!(talk.say(words), if done { "换好了，单号H1。" } else { "不换了。" }, "{words}");
    }
    // Neither: something is wrong, and nobody knows what.
    for words in ["等等 是另一单", "别忘了发票", "等下"] {
        let mut talk = Talk::new();
        talk.finds(&["黑衬衫"]);
        for words in ["订单202611220001要换", "L", "13800001234", "没有"] {
            talk.say(words);
        }
        assert_eq!(talk.say(words), "黑衬衫换成L码，对吗？", "{words}");
    }
}

#[test]
fn nonsense_is_told_why_and_then_a_human_goes_on() {
    for (nonsense, kind) in
        [("哈哈哈", MessageKind::Text), ("😀", MessageKind::Text), ("", MessageKind::Image)]
    {
        let mut talk = Talk::new();
        assert_eq!(talk.say("我要换货"), "订单号？");
        assert_eq!(talk.send(nonsense, kind), format!("“{nonsense}”不是订单号。 再发一次订单号："));
        assert_eq!(talk.send(nonsense, kind), "");
        assert_eq!(talk.end, End::Handoff(Some("service".to_owned())), "{nonsense}");
    }
}

#[test]
fn a_call_that_fails_leads_where_the_step_says_and_else_to_a_human() {
    let mut talk = Talk::new();
    talk.results.push(CallResult::Failed("no answer"));
    assert_eq!(talk.say("订单202611220001要换"), "查不到，记下了。");
    assert_eq!(talk.end, End::Done);
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫"]);
    for words in ["订单202611220001要换", "L", "13800001234", "没有"] {
        talk.say(words);
    }
    talk.results.push(CallResult::Refused("没有库存".to_owned()));
    assert_eq!(talk.say("好"), "没有库存");
    assert_eq!(talk.end, End::Handoff(Some("service".to_owned())));
}

#[test]
fn none_of_the_list_and_no_list() {
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫", "白衬衫"]);
    talk.say("订单202611220001要换");
    assert_eq!(talk.say("都不是"), "手机号？");
    let mut talk = Talk::new();
    talk.finds(&[]);
    assert_eq!(talk.say("订单202611220001要换"), "手机号？");
}

#[test]
fn a_step_that_a_new_file_no_longer_has_begins_the_task_again_with_what_is_known() {
    let mut talk = Talk::new();
    talk.finds(&["黑衬衫"]);
    talk.say("订单202611220001要换");
    talk.progress.as_mut().unwrap().step = "gone".to_owned();
    talk.finds(&["黑衬衫"]);
    assert_eq!(talk.say("M"), "换成几码？");
}

#[test]
fn questions_about_the_matter_do_not_start_it() {
    let talk = Talk::new();
    assert_eq!(talk.tasks.started_by("return_exchange", "我要换货"), Some("swap"));
    assert_eq!(talk.tasks.started_by("return_exchange", "怎么换货"), None);
    assert_eq!(talk.tasks.started_by("invoice", "我要换货"), None);
}

/// Codes of the findings about the task with one text in place of another.
fn found(old: &str, new: &str) -> Vec<&'static str> {
    let mut known = Talk::new().known;
    known.connectors = toml::from_str(
        "[connector.shop]\nurl = 'demo-shop'\n[call.orders]\nconnector = 'shop'\nget = '/o'\n[call.exchange]\nconnector = 'shop'\npost = '/e'",
    )
    .unwrap();
    let text = TASK.replacen(old, new, 1);
    assert!(text != TASK || old == new, "{old}");
    known.tasks = vec![TaskSpec { id: "swap".to_owned(), ..toml::from_str(&text).unwrap() }];
    lint::lint(&known).iter().map(|finding| finding.code).collect()
}

#[test]
fn what_would_leave_a_customer_standing_is_found_before() {
    assert_eq!(found("", ""), [""; 0]);
    assert_eq!(found("id = \"tag\"\n", "id = \"tag\"\nnext = \"size\"\n"), ["task-cycle"]);
    assert_eq!(found("id = \"said\"\n", "id = \"said\"\nnext = \"nowhere\"\n"), ["unknown-step"]);
    assert_eq!(found("failed = \"no-system\"\n", ""), ["task-unreachable"]);
    assert_eq!(found("ask = \"size\"", "ask = \"sizes\""), ["unknown-slot"]);
    assert_eq!(found("{{ order.title }}换成", "{{ ordre.title }}换成"), ["unknown-slot"]);
    assert_eq!(found("when = \"order\"", "when = \"order ==\""), ["bad-expression"]);
    assert_eq!(found("call = \"exchange\"", "call = \"exchang\""), ["unknown-action"]);
    assert_eq!(found("group = \"service\"", "group = \"nobody\""), ["unknown-group"]);
    assert_eq!(found("pick = \"found\"", "pick = \"lost\""), ["unknown-list"]);
    assert_eq!(found("entity = \"size\"", "entity = \"sise\""), ["unknown-entity"]);
    assert_eq!(found("'[0-9]{8,}'", "'[0-9'"), ["bad-pattern"]);
    assert_eq!(found("tries_max = 2", "tries_max = 0"), ["out-of-range"]);
    assert_eq!(found("intents = [\"return_exchange\"]", "intents = [\"x\"]"), ["unknown-intent"]);
    assert_eq!(found("id = \"tag\"", "id = \"do\""), ["duplicate-id"]);
    assert_eq!(found("tag = \"换货中\"", "tag = \"换货中\"\nsay = \"好\""), ["step-kind"]);
    assert_eq!(found("[slot.note]\n", "[slot.note]\nconfirm = true\n"), ["slot-kind"]);
}

#[test]
fn a_drawing_names_every_step_and_branch() {
    let talk = Talk::new();
    let drawn = graph::mermaid(talk.tasks.spec("swap").unwrap());
    for step in &talk.known.tasks[0].step {
        assert!(drawn.contains(&format!("{}<br/>", step.id)), "{}: {drawn}", step.id);
    }
    assert!(drawn.contains("|没调通| s12") && drawn.contains("|\"order\"| s4"), "{drawn}");
}
