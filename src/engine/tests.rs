//! The flow as a whole: what is withheld, masked, chosen and continued.

use std::sync::Arc;
use std::sync::LazyLock;

use super::*;
use crate::knowledge::reply::ReplySpec;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::ConditionSpec;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::rule::Stage as RuleStage;
use crate::knowledge::sample::sensitive;
use crate::knowledge::sample::shop;
use crate::message::Channel;
use crate::message::Content;
use crate::message::CustomerKind;
use crate::policy::decision::Basis;
use crate::policy::state::Target;

static SEGMENTER: LazyLock<Arc<Segmenter>> =
    LazyLock::new(|| Arc::new(Segmenter::new(vocabulary(&shop()).iter().map(String::as_str))));

fn engine(known: Knowledge) -> Engine {
    Engine::new(known, Arc::clone(&SEGMENTER)).unwrap()
}

/// A Monday inside business hours.
fn now() -> Timestamp {
    "2026-11-23T10:00:00+08:00".parse().unwrap()
}

fn respond(engine: &Engine, channel: Channel, text: &str, before: &State) -> Turn {
    let inbound = Inbound {
        bot: "sample".to_owned(),
        channel,
        customer: Customer::new("c", CustomerKind::Customer),
        content: Content::Text(text.to_owned()),
    };
    engine.respond(&inbound, before, now(), &mut |_| {})
}

fn ask(engine: &Engine, text: &str) -> Turn {
    respond(engine, Channel::Web, text, &State::default())
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

/// The shop that says `word` in its first answer, and what `sensitive.toml` asks for it on the way out.
fn saying(word: &str, action: SensitiveAction) -> Knowledge {
    let mut known = shop();
    known.entries[0].answer = format!("请找{word}。");
    known.sensitive = vec![sensitive("rival", word, action, Direction::Out)];
    known
}

#[test]
fn the_stages_pass_in_order() {
    let mut passed = Vec::new();
    let inbound = Inbound {
        bot: "sample".to_owned(),
        channel: Channel::Web,
        customer: Customer::new("c", CustomerKind::Customer),
        content: Content::Entered,
    };
    let turn = engine(shop()).respond(&inbound, &State::default(), now(), &mut |stage| passed.push(stage));
    assert_eq!(passed, Stage::ALL);
    assert_eq!(turn.reply, Reply::text("您好，我是小应。"));
}

#[test]
fn an_outgoing_word_is_masked_in_every_kind_of_part() {
    let masked = |mut known: Knowledge, question: &str| {
        known.sensitive = vec![sensitive("rival", "某宝", SensitiveAction::Mask, Direction::Out)];
        format!("{:?}", ask(&engine(known), question).reply)
    };
    let mut answer = shop();
    answer.entries[0].answer = "请找某宝。".to_owned();
    assert!(masked(answer, "怎么申请退货").contains("请找**。"));

    let mut card = shop();
    card.products[2].picture = Some("a.png".to_owned());
    card.products[2].description = "比某 宝便宜".to_owned();
    let said = masked(card, "星河真丝连衣裙多少钱");
    assert!(said.contains("Card") && said.contains("比***便宜"), "{said}");

    let mut choices = shop();
    choices.profile.thresholds.answer = 1.0;
    choices.entries[0].question = "怎么申请某宝退货".to_owned();
    let said = masked(choices, "申请退货");
    assert!(said.contains("Choices") && said.contains("怎么申请**退货"), "{said}");
}

#[test]
fn an_answer_with_a_word_that_calls_a_human_is_withheld() {
    for action in [SensitiveAction::Block, SensitiveAction::Handoff] {
        let turn = ask(&engine(saying("某宝", action)), "怎么申请退货");
        let reason = Reason::Sensitive("rival".to_owned());
        assert_eq!(
            turn.decision,
            Decision::Handoff { group: "service".to_owned(), reason, said: Vec::new() }
        );
        assert_eq!(turn.reply.parts[0], text(Sentence::Withheld.built_in()));
        assert!(!format!("{:?}", turn.reply).contains("某宝"));
    }
}

#[test]
fn a_question_that_nobody_saw_leaves_no_choices() {
    let mut known = saying("电子发票", SensitiveAction::Handoff);
    known.profile.thresholds.answer = 1.0;
    let turn = ask(&engine(known), "电子发票怎么开");
    assert!(matches!(turn.decision, Decision::Handoff { .. }), "{:?}", turn.decision);
    assert_eq!(turn.state, State::default());
}

#[test]
fn a_masked_word_in_a_long_message_leaves_it_cut() {
    let mut known = shop();
    known.sensitive = vec![sensitive("swear", "笨蛋", SensitiveAction::Mask, Direction::In)];
    let engine = engine(known);
    let long = format!("笨蛋{}", "退货".repeat(2_000));
    assert!(ask(&engine, &long).evidence.utterance.cut);
    assert!(!ask(&engine, "笨蛋退货").evidence.utterance.cut);
    assert_eq!(ask(&engine, "笨蛋退货").evidence.utterance.normalised.original(), "**退货");
}

#[test]
fn rules_do_not_see_what_is_masked() {
    let mut known = shop();
    known.sensitive = vec![sensitive("swear", "笨蛋", SensitiveAction::Mask, Direction::In)];
    known.rules = vec![RuleSpec {
        id: "swearing".to_owned(),
        stage: RuleStage::Hard,
        priority: 0,
        when: ConditionSpec { any: vec!["笨蛋".to_owned()], ..ConditionSpec::default() },
        then: vec![ActionSpec::Text("请文明。".to_owned())],
        continues: false,
        line: 1,
    }];
    let turn = ask(&engine(known), "笨蛋");
    assert_eq!((turn.evidence.rules, turn.evidence.sensitive.len()), (Vec::new(), 1));
}

#[test]
fn an_entry_out_of_its_period_neither_answers_nor_is_chosen() {
    let mut known = shop();
    known.entries[0].validity.until = Some(jiff::civil::date(2026, 11, 22));
    let engine = engine(known);
    let found = |turn: &Turn| turn.evidence.entries.iter().any(|hit| hit.entry == 0);
    let turn = ask(&engine, "怎么申请退货");
    assert!(!found(&turn) && turn.decision != Decision::Answer(Basis::Entry(0)));
    let choice = crate::policy::state::Choice {
        title: "怎么申请退货".to_owned(),
        target: Target::Entry("return".to_owned()),
    };
    let before = State { pending: vec![choice], ..State::default() };
    let turn = respond(&engine, Channel::Web, "1", &before);
    assert_ne!(turn.decision, Decision::Answer(Basis::Entry(0)));
}

#[test]
fn a_question_is_answered_by_number_and_by_words() {
    let mut known = shop();
    known.profile.thresholds.answer = 1.0;
    let engine = engine(known);
    let first = ask(&engine, "退货");
    let Decision::Clarify { choices, .. } = &first.decision else { panic!("{:?}", first.decision) };
    assert!(choices.len() >= 3, "{choices:?}");
    assert_eq!(first.state.pending, *choices);
    for (at, choice) in choices.iter().enumerate() {
        let meant = |decision: &Decision| match (&choice.target, decision) {
            (Target::Entry(id), Decision::Answer(Basis::Entry(at))) => engine.known().entries[*at].id == *id,
            (Target::Human, Decision::Handoff { reason, .. }) => *reason == Reason::Chosen,
            _ => false,
        };
        for picked in [format!("{}", at + 1), format!("第{}个", at + 1), choice.title.clone()] {
            let turn = respond(&engine, Channel::Web, &picked, &first.state);
            assert!(meant(&turn.decision), "{picked}: {:?}", turn.decision);
            // Who has seen one of the list may want to see another; who goes to a human is done with it.
            let open = turn.state.pending == first.state.pending;
            assert_eq!(open, choice.target != Target::Human, "{picked}");
        }
    }
}

#[test]
fn a_long_answer_goes_on_past_a_sticker_until_its_end() {
    let mut known = shop();
    let long: String = (0..300).map(|number| format!("第{number}条，七天无理由。\n")).collect();
    known.entries[0].answer = long.clone();
    known.entries[0].reply = Some("guide".to_owned());
    let attachments = vec![crate::knowledge::reply::AttachmentSpec::Link {
        title: "指南".to_owned(),
        url: "https://example.com".to_owned(),
    }];
    known.replies.reply.insert("guide".to_owned(), ReplySpec { text: String::new(), attachments });
    let engine = engine(known);
    let mut turn = respond(&engine, Channel::WecomApp, "怎么申请退货", &State::default());
    assert_eq!(turn.reply.parts.len(), 2, "the link comes with the first piece");
    let notice = format!("\n{}", Sentence::More.built_in());
    let mut said = String::new();
    loop {
        let Part::Text(words) = &turn.reply.parts[0] else { panic!("{:?}", turn.reply) };
        said.push_str(words.strip_suffix(&notice).unwrap_or(words));
        said.push('\n');
        if turn.state.rest.is_none() {
            break;
        }
        let sticker = respond(&engine, Channel::WecomApp, "[微笑]", &turn.state);
        turn = respond(&engine, Channel::WecomApp, "继续", &sticker.state);
        assert_eq!(turn.decision, Decision::Answer(Basis::Rest));
    }
    assert!(said.trim_end() == long.trim_end(), "something was lost or said twice");
    let end = respond(&engine, Channel::WecomApp, "继续", &turn.state);
    assert_eq!(end.decision, Decision::Answer(Basis::NothingLeft));
}
