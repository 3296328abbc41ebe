//! Rules as a whole: what every key means, in which order rules fire, and that the index changes nothing.

use proptest::prelude::*;
use regex::RegexBuilder;

use super::*;
use crate::knowledge::profile::Holiday;
use crate::knowledge::profile::Hours;
use crate::knowledge::rule::ConditionSpec;
use crate::knowledge::rule::CustomerSpec;
use crate::message::CustomerKind;
use crate::text::normalise::normalise;

#[derive(serde::Deserialize)]
struct RulesFile {
    rule: Vec<RuleSpec>,
}

/// A message with everything around it: a vip from Hangzhou writes on the web on a Monday at noon.
#[derive(Clone, Debug)]
struct World {
    text: String,
    customer: Customer,
    channel: Channel,
    kind: MessageKind,
    now: Moment,
}

impl World {
    fn saying(text: &str) -> Self {
        let mut customer = Customer::new("c1", CustomerKind::Customer);
        customer.tags.insert("vip".to_owned());
        customer.region = Some("浙江省杭州市".to_owned());
        Self {
            text: text.to_owned(),
            customer,
            channel: Channel::Web,
            kind: MessageKind::Text,
            now: Moment { minute_of_day: 12 * 60, weekday: Weekday::Mon, holiday: false, open: true },
        }
    }

    fn at(hour: u16, minute: u16) -> Self {
        let mut world = Self::saying("在吗");
        world.now.minute_of_day = hour * 60 + minute;
        world
    }

    fn context(&self) -> Context<'_> {
        Context { customer: &self.customer, channel: self.channel, kind: self.kind, now: self.now }
    }
}

fn specs(toml: &str) -> Vec<RuleSpec> {
    toml::from_str::<RulesFile>(toml).unwrap().rule
}

fn rule(id: &str, when: ConditionSpec) -> RuleSpec {
    RuleSpec {
        id: id.to_owned(),
        stage: Stage::Soft,
        priority: 0,
        when,
        then: vec![ActionSpec::Text("好".to_owned())],
        continues: false,
        line: 7,
    }
}

fn fire(specs: &[RuleSpec], world: &World) -> Vec<RuleHit> {
    RuleSet::compile(specs).unwrap().matches(&normalise(&world.text), &world.context())
}

fn ids(hits: &[RuleHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.id.as_str()).collect()
}

#[track_caller]
fn check(condition: &str, world: &World, expected: bool) {
    let when = toml::from_str(condition).unwrap();
    assert_eq!(!fire(&[rule("a", when)], world).is_empty(), expected, "{condition}\n{world:?}");
}

#[track_caller]
fn check_text(condition: &str, text: &str, expected: bool) {
    check(condition, &World::saying(text), expected);
}

#[test]
fn keywords_mean_what_they_say() {
    check_text("", "", true);
    check_text("any = ['退款', '退货']", "我要退货", true);
    check_text("any = ['退款', '退货']", "我要换货", false);
    check_text("all = ['退款', '急']", "急,要退款", true);
    check_text("all = ['退款', '急']", "要退款", false);
    check_text("none = ['退款']", "换货", true);
    check_text("none = ['退款']", "不退款", false);
    check_text("any = ['款']\nnone = ['退款']", "货款", true);
    check_text("any = ['款']\nnone = ['退款']", "货款和退款", false);
    // Both sides are normalised.
    check_text("any = ['退貨', 'ＶＩＰ']", "退货", true);
    check_text("any = ['VIP']", "我是ｖｉｐ", true);
}

#[test]
fn expressions_search_the_normalised_text() {
    check_text("regex = '价.*格'", "价位和规格", true);
    check_text("regex = '价.*格'", "價格", true);
    check_text("regex = '价.*格'", "价位", false);
    check_text("regex = '^退'", "要退", false);
    check_text("regex = 'VIP\\d+'", "ＶＩＰ８", true);
    check_text("regex = '\\d{11}'", "电话13800138000", true);
    check_text("regex = '\\d{11}'", "电话1380013800", false);
    check_text("regex = '(?:我想)?.*价格'", "请问价格", true);
    check_text("regex = '价格'\nany = ['裙子']", "价格", false);
}

#[test]
fn time_of_day_includes_its_start_and_may_pass_midnight() {
    for (hour, minute, expected) in
        [(21, 59, false), (22, 0, true), (23, 59, true), (0, 0, true), (7, 59, true), (8, 0, false)]
    {
        check("time = '22:00-08:00'", &World::at(hour, minute), expected);
    }
    for (hour, minute, expected) in [(8, 59, false), (9, 0, true), (11, 59, true), (12, 0, false)] {
        check("time = '9:00-12:00'", &World::at(hour, minute), expected);
    }
    check("time = '22:00-24:00'", &World::at(23, 59), true);
    check("time = '22:00-24:00'", &World::at(0, 0), false);
    check("time = '00:00-24:00'", &World::at(23, 59), true);
}

#[test]
fn facts_about_the_moment_the_person_and_the_message() {
    let world = World::saying("在吗");
    for (condition, expected) in [
        ("weekday = ['sat', 'mon']", true),
        ("weekday = ['sat', 'sun']", false),
        ("holiday = false", true),
        ("holiday = true", false),
        ("open = true", true),
        ("open = false", false),
        ("customer = 'customer'", true),
        ("customer = 'employee'", false),
        ("tags = ['svip', 'vip']", true),
        ("tags = ['svip']", false),
        ("first_visit = true", true),
        ("first_visit = false", false),
        ("channel = ['web']", true),
        ("channel = ['wecom_app']", false),
        ("channel = ['wecom_app', 'web']", true),
        ("region = ['上海', '杭州']", true),
        ("region = ['上海']", false),
        ("message = ['text']", true),
        ("message = ['image', 'voice']", false),
        ("open = true\ntags = ['vip']\nregion = ['浙江']", true),
        ("open = true\ntags = ['vip']\nregion = ['江苏']", false),
    ] {
        check(condition, &world, expected);
    }
    let mut other = world;
    other.customer = Customer { first_visit: false, ..Customer::new("c2", CustomerKind::Employee) };
    other.kind = MessageKind::Entered;
    other.channel = Channel::WecomApp;
    other.now = Moment { minute_of_day: 0, weekday: Weekday::Sun, holiday: true, open: false };
    for (condition, expected) in [
        ("weekday = ['sun']\nholiday = true\nopen = false\ncustomer = 'employee'\nfirst_visit = false", true),
        ("channel = ['wecom_app']\nmessage = ['entered']", true),
        ("region = ['浙江']", false),
        ("tags = ['vip']", false),
    ] {
        check(condition, &other, expected);
    }
}

#[test]
fn conditions_nest() {
    for (condition, text, expected) in [
        ("and = [{ any = ['甲'] }, { any = ['乙'] }]", "甲乙", true),
        ("and = [{ any = ['甲'] }, { any = ['乙'] }]", "甲", false),
        ("or = [{ any = ['甲'] }, { any = ['乙'] }]", "乙", true),
        ("or = [{ any = ['甲'] }, { any = ['乙'] }]", "丙", false),
        ("or = [{ any = ['甲'] }, { open = true }]", "丙", true),
        ("or = []", "丙", true),
        ("not = { any = ['甲'] }", "乙", true),
        ("not = { any = ['甲'] }", "甲", false),
        ("not = { any = ['甲'], open = false }", "甲", true),
        ("not = { not = { any = ['甲'] } }", "甲", true),
        ("not = { or = [{ any = ['甲'] }, { any = ['乙'] }] }", "乙", false),
        ("any = ['丙']\nor = [{ any = ['甲'] }, { not = { any = ['乙'] } }]", "丙乙", false),
        ("any = ['丙']\nor = [{ any = ['甲'] }, { not = { any = ['乙'] } }]", "丙乙甲", true),
        ("and = [{ or = [{ all = ['甲', '乙'] }, { regex = '丙.丙' }] }, { none = ['丁'] }]", "丙甲丙", true),
        (
            "and = [{ or = [{ all = ['甲', '乙'] }, { regex = '丙.丙' }] }, { none = ['丁'] }]",
            "甲乙丁",
            false,
        ),
    ] {
        check_text(condition, text, expected);
    }
}

#[test]
fn hard_goes_before_soft_then_priority_then_the_file() {
    let rules = specs(
        r#"
        rule = [
            { id = "soft-late", then = [{ tag = "t" }] },
            { id = "soft-first", priority = 9, then = [{ tag = "t" }] },
            { id = "hard-low", stage = "hard", priority = -1, then = [{ tag = "t" }] },
            { id = "hard-a", stage = "hard", then = [{ tag = "t" }] },
            { id = "hard-b", stage = "hard", when = { any = ["退"] }, then = [{ tag = "t" }] },
            { id = "soft-last", then = [{ tag = "t" }] },
        ]
        "#,
    );
    let hits = fire(&rules, &World::saying("退"));
    assert_eq!(ids(&hits), ["hard-a", "hard-b", "hard-low", "soft-first", "soft-late", "soft-last"]);
    assert_eq!(hits.iter().map(|hit| hit.rule).collect::<Vec<_>>(), [3, 4, 2, 1, 0, 5]);
    assert_eq!((hits[2].stage, hits[2].priority), (Stage::Hard, -1));
}

#[test]
fn an_answer_stops_its_own_stage() {
    for (then, stops) in [
        ("{ reply = 'r' }", true),
        ("{ text = 'r' }", true),
        ("{ handoff = 'r' }", true),
        ("{ tag = 'r' }, { text = 'r' }", true),
        ("{ tag = 'r' }", false),
    ] {
        for (continues, goes_on) in [("", !stops), (", continue = true", true)] {
            let toml = format!(
                "rule = [
                    {{ id = 'a', stage = 'hard', then = [{then}]{continues} }},
                    {{ id = 'b', stage = 'hard', then = [{{ text = 'b' }}] }},
                    {{ id = 'c', then = [{{ text = 'c' }}] }},
                    {{ id = 'd', then = [{{ text = 'd' }}] }},
                ]"
            );
            let hits = fire(&specs(&toml), &World::saying("好"));
            let expected: &[&str] = if goes_on { &["a", "b", "c"] } else { &["a", "c"] };
            assert_eq!(ids(&hits), expected, "{then}{continues}");
        }
    }
}

#[test]
fn a_rule_that_does_not_fire_stops_nothing() {
    let rules = specs(
        "rule = [
            { id = 'a', when = { any = ['退'], none = ['换'] }, then = [{ text = 'a' }] },
            { id = 'b', when = { any = ['换'] }, then = [{ text = 'b' }] },
        ]",
    );
    assert_eq!(ids(&fire(&rules, &World::saying("退换"))), ["b"]);
}

#[test]
fn hits_say_why_and_what() {
    let check = |condition: &str, expected: &[&str]| {
        let hits =
            fire(&[rule("a", toml::from_str(condition).unwrap())], &World::saying("我要退貨,价位合格"));
        assert_eq!(hits[0].because, expected, "{condition}");
        assert_eq!(hits[0].actions, [ActionSpec::Text("好".to_owned())]);
    };
    check("", &["无条件"]);
    check("any = ['退货', '换货', '价位']", &["退货", "价位"]);
    check("all = ['退貨', '价']", &["退貨", "价"]);
    check("regex = '价.*格'", &["价位合格"]);
    check("regex = '^'\nopen = true", &["正则 ^", "营业时间内"]);
    check(
        "any = ['退货']\ntime = '09:00-18:00'\nweekday = ['mon', 'tue']\nholiday = false\nopen = true",
        &["退货", "时段 09:00-18:00", "周一、周二", "非节假日", "营业时间内"],
    );
    check(
        "customer = 'customer'\nfirst_visit = true\nchannel = ['web']\nmessage = ['text']\ntags = ['svip', 'vip']\nregion = ['杭州']",
        &["外部客户", "首次来访", "渠道 web", "消息类型 text", "标签“vip”", "地区“杭州”"],
    );
    check("none = ['换货', '维修']", &["未出现“换货”、“维修”"]);
    check("or = [{ any = ['换货'] }, { any = ['退货'] }, { open = true }]", &["退货", "营业时间内"]);
    check("not = { any = ['换货', '维修'], open = true }", &["不满足（出现“换货”、“维修”之一且营业时间内）"]);
    check(
        "not = { or = [{ all = ['甲', '乙'] }, { holiday = true }] }",
        &["不满足（（出现“甲”、“乙”）或（节假日））"],
    );
}

#[test]
fn errors_name_rule_line_value_and_limit() {
    let error =
        |condition: &str| RuleSet::compile(&[rule("甲", toml::from_str(condition).unwrap())]).unwrap_err();
    for (condition, expected) in [
        (
            "any = ['退', '😀']",
            "rule `甲` in line 7: `any` holds `😀`, of which normalisation leaves nothing",
        ),
        (
            "not = { tags = [' '] }",
            "rule `甲` in line 7: `tags` holds ` `, of which normalisation leaves nothing",
        ),
        ("region = ['']", "rule `甲` in line 7: `region` holds ``, of which normalisation leaves nothing"),
        (
            "or = [{ channel = ['qq'] }]",
            "rule `甲` in line 7: `channel` holds `qq`, which is none of `web`, `wecom_app`, `wecom_kf`, `wecom_bot`",
        ),
        (
            "time = '8-9'",
            "rule `甲` in line 7: `time` holds `8-9`, which is not a span like `22:00-08:00` of at least a minute \
             between 00:00 and 24:00",
        ),
        (
            "time = '08:00-08:00'",
            "rule `甲` in line 7: `time` holds `08:00-08:00`, which is not a span like `22:00-08:00` of at least a \
             minute between 00:00 and 24:00",
        ),
        ("regex = '退('", "rule `甲` in line 7: `regex` holds `退(`, which cannot be used"),
    ] {
        assert_eq!(error(condition).to_string(), expected);
    }
    let too_long = error(&format!("regex = '{}'", "退".repeat(1_001)));
    let cause = std::error::Error::source(&too_long).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("it has 1001 characters, the limit is 1000"));
    let nested = |depth: usize| format!("{}any = ['甲']{}", "not = { ".repeat(depth), " }".repeat(depth));
    assert_eq!(
        error(&nested(9)).to_string(),
        "rule `甲` in line 7: conditions are nested deeper than the limit of 8 levels"
    );
    check_text(&nested(8), "甲", true);
}

#[test]
fn a_moment_is_looked_up_once() {
    let hours = Hours { mon: vec!["09:00-21:00".to_owned()], ..Hours::default() };
    let holiday = Holiday {
        name: "元旦".to_owned(),
        from: "2027-01-01".parse().unwrap(),
        until: "2027-01-03".parse().unwrap(),
        work_days: vec!["2026-12-27".parse().unwrap()],
        hours: Vec::new(),
    };
    let calendar = Calendar::new(&hours, &[holiday], "Asia/Shanghai").unwrap();
    let at = |utc: &str| Moment::at(&calendar, utc.parse().unwrap());
    // 20:30 on a Monday in Shanghai.
    assert_eq!(
        at("2026-11-23T12:30:59Z"),
        Moment { minute_of_day: 20 * 60 + 30, weekday: Weekday::Mon, holiday: false, open: true }
    );
    assert_eq!(
        at("2026-12-31T16:00:00Z"),
        Moment { minute_of_day: 0, weekday: Weekday::Fri, holiday: true, open: false }
    );
    // A Sunday worked in exchange has Monday's hours and stays a Sunday.
    assert_eq!(
        at("2026-12-27T02:00:00Z"),
        Moment { minute_of_day: 600, weekday: Weekday::Sun, holiday: false, open: true }
    );
}

/// Five thousand rules, each with keywords of its own and every tenth with an expression instead.
fn five_thousand() -> Vec<RuleSpec> {
    let name = |number: usize| -> String {
        let digits = "零一二三四五六七八九".chars().collect::<Vec<_>>();
        format!("{number:04}").bytes().map(|digit| digits[usize::from(digit - b'0')]).collect()
    };
    let when = |number: usize| match number % 10 {
        0 => {
            ConditionSpec { regex: Some(format!("型号.*{}号", name(number))), ..ConditionSpec::default() }
        }
        1 => ConditionSpec {
            all: vec!["退款".to_owned(), format!("{}款", name(number))],
            ..ConditionSpec::default()
        },
        _ => ConditionSpec {
            any: vec![format!("{}款", name(number)), format!("{}型", name(number))],
            open: Some(true),
            ..ConditionSpec::default()
        },
    };
    (0..5_000).map(|number| rule(&number.to_string(), when(number))).collect()
}

#[test]
fn few_of_five_thousand_rules_are_evaluated() {
    let set = RuleSet::compile(&five_thousand()).unwrap();
    let world = World::saying("");
    let evaluate = |text: &str| {
        let (hits, n_evaluated) = set.matches_counted(&normalise(text), &world.context());
        (hits.into_iter().map(|hit| hit.rule).collect::<Vec<_>>(), n_evaluated)
    };
    assert_eq!(evaluate("你好,请问这件衣服有货吗"), (vec![], 0));
    assert_eq!(evaluate("我要退款"), (vec![], 0), "the longer of two demanded words is waited for");
    assert_eq!(evaluate("四二三五型怎么用"), (vec![4_235], 1));
    assert_eq!(evaluate("零零零一款要退款"), (vec![1], 1));
    // 一二三四款 also ends in nothing else: only rules whose own word occurs are looked at.
    let (hits, n_evaluated) = evaluate("一二三四款和零零零一款");
    assert_eq!(hits, [1_234]);
    assert!(n_evaluated <= 2, "{n_evaluated}");
}

/// What the rules mean, word for word, without index and compilation.
fn naive(specs: &[RuleSpec], text: &str, context: &Context<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..specs.len()).collect();
    order.sort_by_key(|at| (specs[*at].stage != Stage::Hard, -i64::from(specs[*at].priority), *at));
    let mut fired: Vec<usize> = Vec::new();
    for at in order {
        let stopped = fired.iter().any(|earlier| {
            let earlier = &specs[*earlier];
            let speaks = earlier.then.iter().any(|action| !matches!(action, ActionSpec::Tag(_)));
            earlier.stage == specs[at].stage && speaks && !earlier.continues
        });
        if !stopped && naive_holds(&specs[at].when, text, context) {
            fired.push(at);
        }
    }
    fired
}

fn naive_holds(spec: &ConditionSpec, text: &str, context: &Context<'_>) -> bool {
    let occurs = |word: &String| text.contains(normalise(word).as_str());
    let finds =
        |pattern: &String| RegexBuilder::new(pattern).case_insensitive(true).build().unwrap().is_match(text);
    let kind = context.customer.kind;
    (spec.any.is_empty() || spec.any.iter().any(occurs))
        && spec.all.iter().all(occurs)
        && !spec.none.iter().any(occurs)
        && spec.regex.iter().all(finds)
        && spec.open.is_none_or(|open| open == context.now.open)
        && spec
            .customer
            .is_none_or(|wanted| (wanted == CustomerSpec::Employee) == (kind == CustomerKind::Employee))
        && (spec.tags.is_empty() || spec.tags.iter().any(|tag| context.customer.tags.contains(tag)))
        && spec.and.iter().all(|child| naive_holds(child, text, context))
        && (spec.or.is_empty() || spec.or.iter().any(|child| naive_holds(child, text, context)))
        && spec.not.as_ref().is_none_or(|child| !naive_holds(child, text, context))
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[退款货aA]{1,2}", 0..3)
}

fn conditions() -> impl Strategy<Value = ConditionSpec> {
    let patterns = prop::sample::select(vec![
        "退.*货",
        "(退|换)货",
        "a+",
        "[ab]款",
        ".*款",
        "退?货",
        "^退",
        "款$",
        "(?:.|退)款",
        r"\d",
        "A货|.退",
        "K|S",
        "(退款)?a",
        "货{2,3}",
    ]);
    let pattern = prop::option::weighted(0.3, patterns.prop_map(str::to_owned));
    let facts = (
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, any::<bool>()),
        any::<bool>(),
    );
    let level = (words(), words(), words(), pattern, facts).prop_map(|(any, all, none, regex, facts)| {
        let (open, employee, keep_none) = facts;
        let customer = employee.map(|yes| if yes { CustomerSpec::Employee } else { CustomerSpec::Customer });
        let none = if keep_none { none } else { Vec::new() };
        ConditionSpec { any, all, none, regex, open, customer, ..ConditionSpec::default() }
    });
    level.prop_recursive(3, 12, 3, |inner| {
        let children = || prop::collection::vec(inner.clone(), 0..3);
        (inner.clone(), children(), children(), prop::option::weighted(0.3, inner.clone()))
            .prop_map(|(level, and, or, not)| ConditionSpec { and, or, not: not.map(Box::new), ..level })
    })
}

fn rules() -> impl Strategy<Value = RuleSpec> {
    let stage = prop::sample::select(vec![Stage::Hard, Stage::Soft]);
    (conditions(), stage, -1..2_i32, any::<bool>(), any::<bool>()).prop_map(
        |(when, stage, priority, continues, tags)| {
            let then = if tags { ActionSpec::Tag("t".to_owned()) } else { ActionSpec::Text("t".to_owned()) };
            RuleSpec { stage, priority, continues, then: vec![then], ..rule("r", when) }
        },
    )
}

proptest! {
    #[test]
    fn the_index_changes_nothing(
        rules in prop::collection::vec(rules(), 0..8),
        texts in prop::collection::vec("[退款貨aＡkſ1换 😀]{0,8}", 1..8),
        open in any::<bool>(),
    ) {
        let set = RuleSet::compile(&rules).unwrap();
        for text in texts {
            let mut world = World::saying(&text);
            world.now.open = open;
            let text = normalise(&text);
            let hits = set.matches(&text, &world.context());
            let fired: Vec<usize> = hits.iter().map(|hit| hit.rule).collect();
            prop_assert_eq!(fired, naive(&rules, text.as_str(), &world.context()), "{}", text.as_str());
            prop_assert!(hits.iter().all(|hit| !hit.because.is_empty()));
        }
    }

    /// A rule that the lint calls shadowed or impossible really never fires.
    #[test]
    fn what_never_fires_never_fires(
        mut rules in prop::collection::vec(rules(), 1..6),
        texts in prop::collection::vec("[退款货a换]{0,8}", 1..8),
        open in any::<bool>(),
    ) {
        for (position, rule) in rules.iter_mut().enumerate() {
            rule.line = position;
        }
        let dead: Vec<usize> = lint(&rules, &[])
            .iter()
            .filter(|finding| ["rule-never-fires", "rule-shadowed"].contains(&finding.code))
            .map(|finding| finding.source.line)
            .collect();
        let set = RuleSet::compile(&rules).unwrap();
        for text in texts {
            let mut world = World::saying(&text);
            world.now.open = open;
            for hit in set.matches(&normalise(&text), &world.context()) {
                prop_assert!(!dead.contains(&hit.rule), "{:?}", rules[hit.rule]);
            }
        }
    }
}
