//! What a message speaks of: entities by lexicon and pattern. The transformer joins them here.

pub mod artefact;
pub mod filter;
pub mod lexicon;
pub mod model;
pub mod pattern;
pub mod slot;
pub mod tag;

use crate::knowledge::product::Product;
use crate::nlu::lexicon::Lexicon;
use crate::nlu::slot::Slot;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

/// Finds the entities of a message.
#[derive(Debug)]
pub struct Nlu {
    lexicon: Lexicon,
}

impl Nlu {
    /// Takes the bot's catalogue as vocabulary, beside the words that every shop shares.
    #[must_use]
    pub fn new(products: &[Product]) -> Self {
        Self { lexicon: Lexicon::new(products) }
    }

    /// The entities of a message, sorted by place, never overlapping: of two readings the longer one
    /// wins, and of two of one length the pattern.
    #[must_use]
    pub fn understand(&self, utterance: &Utterance) -> Vec<Slot> {
        let mut found = pattern::find(utterance.as_str());
        found.extend(self.lexicon.find(utterance));
        found.sort_by_key(|slot| (std::cmp::Reverse(slot.span.len()), slot.span.start));
        let mut kept: Vec<Slot> = Vec::new();
        for slot in found {
            if kept.iter().all(|other| !other.span.overlaps(&slot.span)) {
                kept.push(slot);
            }
        }
        kept.sort_by_key(|slot| slot.span.start);
        kept
    }

    /// Every word the lexicon knows, for the segmenter.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.lexicon.words()
    }

    /// Reads a text and its entities in one go.
    #[must_use]
    pub fn read(&self, text: &str, segmenter: &Segmenter) -> (Utterance, Vec<Slot>) {
        let utterance = Utterance::read(text, segmenter);
        let slots = self.understand(&utterance);
        (utterance, slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Source;

    fn shirt() -> Product {
        Product {
            id: "YR-C101".into(),
            name: "云柔纯棉长袖衬衫".into(),
            category: "衬衫".into(),
            aliases: vec!["衬衣".into()],
            series: "云柔".into(),
            colours: vec!["黑色".into(), "雾霾蓝".into()],
            sizes: vec!["M".into(), "XL".into()],
            materials: vec!["纯棉".into()],
            styles: vec!["长袖".into(), "修身".into()],
            price_fen: 19_900,
            stock: 5,
            sold_out: Vec::new(),
            picture: None,
            description: String::new(),
            source: Source { file: "products.csv".into(), line: 2 },
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let nlu = Nlu::new(&[shirt()]);
        let segmenter = Segmenter::new(nlu.words());
        let (utterance, slots) = nlu.read(text, &segmenter);
        let found: Vec<(&str, &str)> =
            slots.iter().map(|slot| (slot.name.as_str(), slot.span.of(utterance.as_str()))).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_sentence_of_the_front_page() {
        check(
            "我想退换上个月买的黑色衬衫",
            &[("action", "退换"), ("date", "上个月"), ("color", "黑色"), ("item", "衬衫")],
        );
    }

    #[test]
    fn patterns_and_lexicon_agree_on_borders() {
        check("XL码的长袖衬衣有吗", &[("size", "xl码"), ("style", "长袖"), ("item", "衬衣")]);
        check("200以内的纯棉短袖", &[("price", "200以内"), ("material", "纯棉"), ("style", "短袖")]);
        check("一米七 130斤穿多大", &[("body", "一米七"), ("body", "130斤")]);
        check("订单202611220001 电话13800000000", &[("order_id", "202611220001"), ("phone", "13800000000")]);
        check("顺丰SF1234567890123到哪了", &[("courier", "顺丰"), ("tracking_no", "sf1234567890123")]);
        check("昨天下午三点买了两件", &[("date", "昨天下午三点"), ("quantity", "两件")]);
        check("雾霾蓝38码", &[("color", "雾霾蓝"), ("size", "38码")]);
    }

    #[test]
    fn one_character_is_a_word_or_nothing() {
        // 包 in 包邮 is no bag, 黑 in 黑龙江 no colour.
        check("包邮吗", &[]);
        check("发黑龙江吗", &[("place", "黑龙江")]);
    }

    #[test]
    fn no_particle_ends_an_entity() {
        check("黑的有吗", &[("color", "黑")]);
        check("白的衬衫", &[("color", "白"), ("item", "衬衫")]);
        check("已经退了", &[("action", "退")]);
        check("换个大号", &[("action", "换"), ("size", "大号")]);
        check("要退货了吗？", &[("action", "退货")]);
    }

    #[test]
    fn of_two_readings_the_longer_wins() {
        check("顺丰速运", &[("courier", "顺丰速运")]);
        check("咖啡色的运动鞋", &[("color", "咖啡色"), ("item", "运动鞋")]);
        check("云柔纯棉长袖衬衫", &[("item", "云柔纯棉长袖衬衫")]);
        check("退换货", &[("action", "退换货")]);
        check("买38件", &[("quantity", "38件")]);
    }

    fn piece() -> impl proptest::strategy::Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "黑",
            "黑的",
            "黑色",
            "退",
            "退了",
            "换个",
            "换",
            "衬衫",
            "长袖",
            "云柔",
            "M",
            "XL码",
            "Ｌ碼",
            "38",
            "5XL",
            "199元",
            "两百块",
            "以内",
            "一千",
            "的",
            "了",
            "吗",
            "，",
            "。",
            "？",
            " ",
            "!",
            "😀",
            "[微笑]",
            "顺丰",
            "SF123456789012",
            "昨天",
            "上个月",
            "3点",
            "两件",
            "一米七",
            "130斤",
            "退換",
            "襯衫",
            "㎏",
            "①",
            "㋀",
            "包",
            "13800000000",
            "202611220001",
            "¥",
            "-",
        ])
    }

    proptest::proptest! {
        #[test]
        fn entities_keep_the_rules_of_the_taxonomy(pieces in proptest::collection::vec(piece(), 0..12)) {
            static NLU: std::sync::LazyLock<(Nlu, Segmenter)> = std::sync::LazyLock::new(|| {
                let nlu = Nlu::new(&[shirt()]);
                let segmenter = Segmenter::new(nlu.words());
                (nlu, segmenter)
            });
            let (utterance, slots) = NLU.0.read(&pieces.concat(), &NLU.1);
            for slot in &slots {
                let value = slot.span.of(utterance.as_str());
                let last = value.chars().next_back();
                proptest::prop_assert!(last.is_some_and(char::is_alphanumeric), "{value}");
                proptest::prop_assert!(!value.ends_with(['的', '了', '吗']), "{value}");
            }
            for pair in slots.windows(2) {
                proptest::prop_assert!(pair[0].span.end <= pair[1].span.start);
            }
        }
    }
}
