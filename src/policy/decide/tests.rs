//! The chain link by link, and any evidence at all.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::knowledge::sample::sensitive;
use crate::knowledge::sample::shop;
use crate::knowledge::sensitive::Direction;
use crate::nlu::Meaning;
use crate::policy::evidence::Alarm;
use crate::policy::evidence::TaskEvidence;
use crate::probability::Probability;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::catalogue::ProductHit;
use crate::retrieval::faq::EntryHit;
use crate::retrieval::faq::Features;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

static SEGMENTER: LazyLock<Segmenter> = LazyLock::new(|| Segmenter::new(std::iter::empty()));

/// The shop with a sensitive word of each kind that policy looks at.
fn known() -> Knowledge {
    let spec = |id, action| sensitive(id, "词", action, Direction::In);
    let mut known = shop();
    known.sensitive = vec![spec("politics", SensitiveAction::Block), spec("fraud", SensitiveAction::Handoff)];
    known.sensitive[1].group = Some("finance".to_owned());
    known
}

fn text(words: &str) -> Evidence {
    Evidence {
        kind: MessageKind::Text,
        utterance: Utterance::read(words, &SEGMENTER),
        completed: None,
        sensitive: Vec::new(),
        meaning: Meaning { intents: None, slots: Vec::new(), dropped: Vec::new() },
        rules: Vec::new(),
        entries: Vec::new(),
        products: ProductEvidence::default(),
        task: TaskEvidence::default(),
    }
}

fn probability(value: f32) -> Probability {
    Probability::from_logit((value / (1.0 - value)).ln())
}

fn entries(likely: &[(usize, f32)]) -> Vec<EntryHit> {
    let hit = |(entry, value): &(usize, f32)| EntryHit {
        entry: *entry,
        phrasing: 0,
        score: 1.0,
        probability: probability(*value),
        searched: probability(*value),
        features: Features::default(),
        matched: Vec::new(),
    };
    likely.iter().map(hit).collect()
}

fn products(likely: &[(usize, f32)]) -> ProductEvidence {
    let hit = |(product, value): &(usize, f32)| ProductHit {
        product: *product,
        score: 1.0,
        probability: probability(*value),
        matched: Vec::new(),
        in_full: false,
    };
    ProductEvidence { hits: likely.iter().map(hit).collect(), ..ProductEvidence::default() }
}

fn rule(id: &str, stage: Stage, actions: &[ActionSpec]) -> RuleHit {
    RuleHit {
        rule: 0,
        id: id.to_owned(),
        stage,
        priority: 0,
        because: vec!["词".to_owned()],
        actions: actions.to_vec(),
    }
}

fn says(words: &str) -> ActionSpec {
    ActionSpec::Text(words.to_owned())
}

fn alarm(spec: usize, id: &str, action: SensitiveAction) -> Alarm {
    Alarm { spec, id: id.to_owned(), action }
}

fn offered(ids: &[&str]) -> State {
    let known = known();
    let title =
        |id: &str| known.entries.iter().find(|entry| entry.id == id).map(|entry| entry.question.clone());
    let choice =
        |id: &&str| Choice { title: title(id).unwrap_or_default(), target: Target::Entry((*id).to_owned()) };
    State { pending: ids.iter().map(choice).collect(), ..State::default() }
}

fn handoff(group: &str, reason: Reason) -> Decision {
    Decision::Handoff { group: group.to_owned(), reason, said: Vec::new() }
}

fn decided(before: &State, evidence: &Evidence) -> Decision {
    decide(&known(), before, evidence, &|_| true, NOW).decision
}

#[track_caller]
fn check(before: &State, evidence: &Evidence, expected: Decision) {
    assert_eq!(decided(before, evidence), expected, "{}", evidence.utterance.as_str());
}

/// What was offered, by title, or the decision that is no question.
fn titles(decision: Decision) -> Vec<String> {
    match decision {
        Decision::Clarify { choices, .. } => choices.into_iter().map(|choice| choice.title).collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn every_link_of_the_chain_goes_before_the_next() {
    let before = State { rest: Some("下文".to_owned()), ..offered(&["return", "invoice"]) };
    let mut found = text("2");
    found.sensitive =
        vec![alarm(1, "fraud", SensitiveAction::Handoff), alarm(0, "politics", SensitiveAction::Block)];
    found.rules = vec![rule("hard", Stage::Hard, &[says("硬")]), rule("soft", Stage::Soft, &[says("软")])];
    found.entries = entries(&[(0, 0.9)]);
    found.products = products(&[(2, 0.95)]);

    check(&before, &found, Decision::Block { spec: 0 });
    found.sensitive.pop();
    check(&before, &found, handoff("finance", Reason::Sensitive("fraud".to_owned())));
    found.sensitive.clear();
    check(&before, &found, Decision::Answer(Basis::Entry(1)));
    found.utterance = Utterance::read("继续！", &SEGMENTER);
    check(&before, &found, Decision::Answer(Basis::Rest));
    found.utterance = Utterance::read("火星", &SEGMENTER);
    check(&before, &found, Decision::Answer(Basis::Rules(vec![0])));
    found.rules.remove(0);
    check(&before, &found, Decision::Answer(Basis::Product(2)));
    found.products = products(&[(2, 0.6)]);
    check(&before, &found, Decision::Answer(Basis::Entry(0)));
    found.products = ProductEvidence::default();
    found.entries = entries(&[(0, 0.9), (1, 0.88)]);
    assert_eq!(titles(decided(&before, &found)), ["怎么申请退货", "电子发票怎么开", NONE_OF_THESE]);
    found.entries = entries(&[(3, 0.3), (1, 0.01)]);
    assert_eq!(titles(decided(&before, &found)), ["门店几点关门", NONE_OF_THESE]);
    found.entries = entries(&[(0, 0.2)]);
    check(&before, &found, Decision::Answer(Basis::Rules(vec![0])));
    found.rules.clear();
    check(&before, &found, handoff("service", Reason::Unknown));
}

#[test]
fn without_a_group_the_bot_declines() {
    let mut known = known();
    known.profile.handoff = Default::default();
    let decision = decide(&known, &State::default(), &text("火星"), &|_| true, NOW).decision;
    assert_eq!(decision, Decision::Decline(Reason::Unknown));
}

#[test]
fn a_message_without_words_is_answered_behind_the_hard_rules() {
    let mut found = text("");
    found.rules = vec![rule("soft", Stage::Soft, &[says("软")])];
    for (kind, basis) in [
        (MessageKind::Entered, Basis::Greeting),
        (MessageKind::Image, Basis::Media),
        (MessageKind::Text, Basis::NoWords),
    ] {
        found.kind = kind;
        check(&State::default(), &found, Decision::Answer(basis));
    }
    found.rules = vec![rule("hard", Stage::Hard, &[says("硬")])];
    check(&State::default(), &found, Decision::Answer(Basis::Rules(vec![0])));
}

#[test]
fn a_rule_names_the_group_and_the_words_before_it() {
    let to = |group: &str| ActionSpec::Handoff(group.to_owned());
    let reason = Reason::Rule("pay".to_owned());
    let mut found = text("扣了两次款");
    found.rules = vec![
        rule("first-aid", Stage::Hard, &[says("别急"), ActionSpec::Tag("急".to_owned())]),
        rule("tag", Stage::Hard, &[ActionSpec::Tag("付款".to_owned())]),
        rule("pay", Stage::Hard, &[says("先截图"), to("finance")]),
        rule("soft", Stage::Soft, &[says("软")]),
    ];
    let expected =
        Decision::Handoff { group: "finance".to_owned(), reason: reason.clone(), said: vec![0, 2] };
    check(&State::default(), &found, expected);
    assert_eq!(decide(&known(), &State::default(), &found, &|_| true, NOW).tags, ["急", "付款"]);

    // Who is gone from bot.toml is replaced by whoever takes over otherwise.
    found.rules = vec![rule("pay", Stage::Hard, &[to("gone")])];
    check(&State::default(), &found, handoff("service", reason));
}

#[test]
fn a_rule_that_only_tags_leaves_the_answer_to_others() {
    let mut found = text("怎么退货");
    found.rules = vec![rule("tag", Stage::Hard, &[ActionSpec::Tag("退货".to_owned())])];
    found.entries = entries(&[(0, 0.9)]);
    check(&State::default(), &found, Decision::Answer(Basis::Entry(0)));
}

#[test]
fn equal_products_become_a_list() {
    let mut found = text("衬衫");
    found.products = products(&[(0, 0.9), (1, 0.89), (3, 0.8)]);
    assert_eq!(
        titles(decided(&State::default(), &found)),
        ["云柔纯棉长袖衬衫 199元", "云柔亚麻短袖衬衫 129元"]
    );
}

#[test]
fn near_certainty_a_hundredth_is_a_great_deal() {
    let mut found = text("在吗");
    found.entries = entries(&[(0, 0.998), (1, 0.985)]);
    check(&State::default(), &found, Decision::Answer(Basis::Entry(0)));
    found.entries = entries(&[(0, 0.998), (1, 0.9976)]);
    assert!(matches!(decided(&State::default(), &found), Decision::Clarify { .. }));
}

#[test]
fn a_margin_of_zero_never_asks_back() {
    let mut known = known();
    known.profile.thresholds.margin = 0.0;
    let mut found = text("衬衫");
    found.entries = entries(&[(0, 0.9), (1, 0.9)]);
    assert_eq!(
        decide(&known, &State::default(), &found, &|_| true, NOW).decision,
        Decision::Answer(Basis::Entry(0))
    );
    found.products = products(&[(2, 0.95), (1, 0.95)]);
    assert_eq!(
        decide(&known, &State::default(), &found, &|_| true, NOW).decision,
        Decision::Answer(Basis::Product(2))
    );
}

#[test]
fn thresholds_of_zero_do_not_make_something_of_nothing() {
    let mut known = known();
    known.profile.thresholds.answer = 0.0;
    known.profile.thresholds.clarify = 0.0;
    let decision = decide(&known, &State::default(), &text("火星"), &|_| true, NOW).decision;
    assert_eq!(decision, handoff("service", Reason::Unknown));
}

#[test]
fn what_is_open_outlives_greeting_sticker_and_picture() {
    let before = State { rest: Some("下文".to_owned()), ..offered(&["return", "invoice"]) };
    let after = |kind, words| {
        let found = Evidence { kind, ..text(words) };
        decide(&known(), &before, &found, &|_| true, NOW).state
    };
    assert_eq!(after(MessageKind::Entered, ""), before);
    assert_eq!(after(MessageKind::Image, ""), before);
    assert_eq!(after(MessageKind::Text, "[微笑]"), before);
    assert_eq!(after(MessageKind::Text, "继续"), State { rest: None, ..before.clone() });
    assert_eq!(after(MessageKind::Text, "火星"), State::default());
}

#[test]
fn more_without_a_rest_is_a_choice_or_the_end() {
    let mut before = offered(&["return", "invoice"]);
    check(&before, &text("更多"), Decision::Answer(Basis::NothingLeft));
    before.pending[1].title = "更多优惠".to_owned();
    check(&before, &text("更多"), Decision::Answer(Basis::Entry(1)));
    before.rest = Some("下文".to_owned());
    check(&before, &text("更多"), Decision::Answer(Basis::Rest));
}

#[test]
fn a_choice_that_is_gone_is_read_as_a_new_message() {
    let mut found = text("第二个");
    found.entries = entries(&[(3, 0.9)]);
    let before = offered(&["return", "invoice"]);
    let decision = decide(&known(), &before, &found, &|entry| entry != 1, NOW).decision;
    assert_eq!(decision, Decision::Answer(Basis::Entry(3)));
    check(&offered(&["return", "deleted"]), &found, Decision::Answer(Basis::Entry(3)));
}

#[test]
fn the_human_among_the_choices() {
    let mut before = offered(&["return"]);
    before.pending.push(Choice { title: NONE_OF_THESE.to_owned(), target: Target::Human });
    for words in ["2", "都不是", "转人工"] {
        check(&before, &text(words), handoff("service", Reason::Chosen));
    }
}

fn hits_strategy() -> impl Strategy<Value = Vec<(usize, f32)>> {
    proptest::collection::btree_map(0usize..4, 0.001f32..0.999, 0..=4).prop_map(|hits| {
        let mut hits: Vec<(usize, f32)> = hits.into_iter().collect();
        hits.sort_by(|a, b| b.1.total_cmp(&a.1));
        hits
    })
}

fn rules_strategy() -> impl Strategy<Value = Vec<RuleHit>> {
    let action = select(vec![
        says("话"),
        ActionSpec::Reply("none".to_owned()),
        ActionSpec::Tag("签".to_owned()),
        ActionSpec::Handoff("finance".to_owned()),
        ActionSpec::Handoff("gone".to_owned()),
    ]);
    let actions = proptest::collection::vec(action, 0..3);
    let hit = (select(vec![Stage::Hard, Stage::Soft]), actions);
    proptest::collection::vec(hit.prop_map(|(stage, actions)| rule("r", stage, &actions)), 0..3)
}

fn evidence_strategy() -> impl Strategy<Value = Evidence> {
    let kinds = vec![
        MessageKind::Text,
        MessageKind::Image,
        MessageKind::Entered,
        MessageKind::Link,
        MessageKind::Location,
    ];
    let words = vec!["", "1", "2", "9", "继续", "更多", "都不是", "退货", "[微笑]", "发票"];
    let alarms = vec![
        alarm(0, "politics", SensitiveAction::Block),
        alarm(1, "fraud", SensitiveAction::Handoff),
        alarm(7, "gone", SensitiveAction::Handoff),
        alarm(0, "mask", SensitiveAction::Mask),
    ];
    let alarms = proptest::collection::vec(select(alarms), 0..=1);
    (select(kinds), select(words), alarms, rules_strategy(), hits_strategy(), hits_strategy()).prop_map(
        |(kind, words, sensitive, rules, likely, goods)| Evidence {
            kind,
            sensitive,
            rules,
            entries: entries(&likely),
            products: products(&goods),
            ..text(words)
        },
    )
}

fn before_strategy() -> impl Strategy<Value = State> {
    let targets = vec![
        Target::Entry("return".to_owned()),
        Target::Entry("deleted".to_owned()),
        Target::Product("YR-C101".to_owned()),
        Target::Product("deleted".to_owned()),
        Target::Human,
    ];
    let choice = select(targets).prop_map(|target| Choice { title: "退货".to_owned(), target });
    let rest = proptest::option::of(Just("下文".to_owned()));
    (proptest::collection::vec(choice, 0..=6), rest).prop_map(|(pending, rest)| State {
        pending,
        rest,
        ..State::default()
    })
}

fn exists(known: &Knowledge, target: &Target) -> bool {
    match target {
        Target::Entry(id) => known.entries.iter().any(|entry| entry.id == *id),
        Target::Product(id) => known.products.iter().any(|product| product.id == *id),
        Target::Human => true,
    }
}

/// Whether a decision points only at what is there.
fn is_sound(decision: &Decision, known: &Knowledge, evidence: &Evidence) -> bool {
    let rules_exist = |places: &[usize]| places.iter().all(|at| *at < evidence.rules.len());
    match decision {
        Decision::Answer(Basis::Entry(at)) => *at < known.entries.len(),
        Decision::Answer(Basis::Product(at)) => *at < known.products.len(),
        Decision::Answer(Basis::Rules(places)) => !places.is_empty() && rules_exist(places),
        Decision::Answer(_) | Decision::Task { .. } | Decision::Decline(_) | Decision::Block { .. } => true,
        Decision::Handoff { group, said, .. } => {
            known.profile.handoff.groups.contains_key(group) && rules_exist(said)
        }
        Decision::Clarify { choices, .. } => {
            let real = choices.iter().filter(|choice| choice.target != Target::Human).count();
            let distinct = (1..choices.len()).all(|at| !choices[..at].contains(&choices[at]));
            (2..=6).contains(&choices.len())
                && real >= 1
                && distinct
                && choices.iter().all(|choice| exists(known, &choice.target))
        }
    }
}

proptest! {
    #[test]
    fn any_evidence_has_a_sound_decision(
        evidence in evidence_strategy(),
        before in before_strategy(),
        limits in (select(vec![0.0f32, 0.3, 0.7, 1.0]), 0.0f32..=1.0, select(vec![0.0f32, 0.05, 1.0])),
        grouped in any::<bool>(),
        expired in 0usize..5,
    ) {
        let mut known = known();
        let (answer, share, margin) = limits;
        known.profile.thresholds = crate::knowledge::profile::Thresholds { answer, clarify: answer * share, margin, intent: 0.8 };
        if !grouped {
            known.profile.handoff = Default::default();
        }
        let usable = |entry: usize| entry != expired;
        let first = decide(&known, &before, &evidence, &usable, NOW);
        prop_assert!(is_sound(&first.decision, &known, &evidence), "{:?}", first.decision);
        prop_assert_eq!(decide(&known, &before, &evidence, &usable, NOW), first);
    }
}
