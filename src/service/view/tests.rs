//! Places in characters, repeatable turns, and no masked word in the view.

use std::sync::Arc;
use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::engine::vocabulary;
use crate::knowledge::Knowledge;
use crate::knowledge::sample::sensitive;
use crate::knowledge::sample::shop;
use crate::knowledge::sensitive::Direction;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::policy::state::State;
use crate::text::segment::Segmenter;

static SEGMENTER: LazyLock<Arc<Segmenter>> =
    LazyLock::new(|| Arc::new(Segmenter::new(vocabulary(&shop()).iter().map(String::as_str))));
static ENGINE: LazyLock<Engine> = LazyLock::new(|| engine(shop()));

fn engine(known: Knowledge) -> Engine {
    Engine::new(known, Arc::clone(&SEGMENTER)).unwrap()
}

fn asked(engine: &Engine, text: &str) -> Turn {
    let inbound = Inbound {
        bot: "sample".to_owned(),
        channel: Channel::Web,
        customer: Customer::new("c", CustomerKind::Customer),
        content: Content::Text(text.to_owned()),
    };
    let now: Timestamp = "2026-11-23T10:00:00+08:00".parse().unwrap();
    engine.respond(&inbound, &State::default(), now, &mut |_| {})
}

fn json(engine: &Engine, text: &str) -> String {
    serde_json::to_string(&turn(engine, &asked(engine, text), &[])).unwrap()
}

/// The characters `start..end`.
fn cut(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end - start).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str, usize)]) {
    let found = slots(&ENGINE, &asked(&ENGINE, text));
    let brief: Vec<(&str, &str, usize)> =
        found.iter().map(|slot| (slot.name, slot.value.as_str(), slot.start)).collect();
    assert_eq!(brief, expected, "{text}");
    for slot in &found {
        assert_eq!(cut(text, slot.start, slot.end), slot.value, "{text}");
    }
}

#[test]
fn places_are_characters_of_what_was_typed() {
    check(
        "我想退换上个月买的黑色衬衫",
        &[("action", "退换", 2), ("date", "上个月", 4), ("color", "黑色", 9), ("item", "衬衫", 11)],
    );
    check("我想退換黑色襯衫", &[("action", "退換", 2), ("color", "黑色", 4), ("item", "襯衫", 6)]);
    check("😀👨‍👩‍👧ＸＬ碼的襯衫", &[("size", "ＸＬ碼", 6), ("item", "襯衫", 10)]);
    check("[微笑]  \n 黑的，２００元以内", &[("color", "黑", 8), ("price", "２００元以内", 11)]);
    check("é!!!衬衫", &[("item", "衬衫", 4)]);
}

#[test]
fn an_emoji_inside_an_entity_belongs_to_it() {
    check("黑😀色衬衫", &[("color", "黑😀色", 0), ("item", "衬衫", 3)]);
}

#[test]
fn the_same_message_gives_the_same_turn() {
    let other = engine(shop());
    for text in ["退货运费谁承担", "退货", "黑色衬衫有货吗", "衬衫", "火星", "", "你好😀"]
    {
        let (first, second) = (asked(&ENGINE, text), asked(&other, text));
        assert_eq!(json(&ENGINE, text), json(&ENGINE, text), "{text}");
        assert_eq!(json(&ENGINE, text), json(&other, text), "{text}");
        assert_eq!((first.reply, first.state), (second.reply, second.state), "{text}");
    }
}

#[test]
fn a_masked_word_is_nowhere_in_the_view() {
    let mut known = shop();
    known.sensitive = vec![sensitive("swear", "笨蛋", SensitiveAction::Mask, Direction::In)];
    let engine = engine(known);
    for text in ["你这个笨蛋，退货", "笨 蛋退货", "笨😀蛋，退货", "bendan，ben蛋，退货", "笨蛋笨蛋"]
    {
        let view = json(&engine, text);
        assert!(view.contains("\"swear\"") && view.contains("**"), "{view}");
        for leak in ["笨", "蛋", "bendan"] {
            assert!(!view.contains(leak), "{leak} is in {view}");
        }
    }
}

proptest! {
    #[test]
    fn entities_lie_where_the_view_says(
        text in "([黑色衫襯退換的了０-９Ｌx碼个😀①㎏㋀㏠ \n,。é]|\\[微笑\\]|衬衫|黑色|XL码|[0-9]{1,3}元|昨天){0,20}"
    ) {
        let mut before = 0;
        for slot in slots(&ENGINE, &asked(&ENGINE, &text)) {
            prop_assert_eq!(cut(&text, slot.start, slot.end), slot.value);
            prop_assert!(before <= slot.start && slot.start < slot.end);
            before = slot.end;
        }
    }
}
