//! What a message means: intents and entities, by the network where there is one, by lexicon and pattern always.

pub mod amount;
pub mod artefact;
pub mod colour;
pub mod date;
pub mod filter;
pub mod gram;
pub mod lexicon;
pub mod link;
pub mod mask;
pub mod measure;
pub mod merge;
pub mod model;
pub mod money;
pub mod negation;
mod numeral;
pub mod pattern;
pub mod slot;
pub mod tag;
pub mod value;

use jiff::Zoned;

use crate::knowledge::product::Product;
use crate::nlu::lexicon::Lexicon;
use crate::nlu::link::Linker;
use crate::nlu::merge::Merged;
use crate::nlu::merge::merge;
use crate::nlu::model::Model;
use crate::nlu::slot::Origin;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::nlu::value::Catalogue;
use crate::probability::Probability;
use crate::text::span::ByteSpan;
use crate::text::utterance::Utterance;

/// Finds out what a message means.
#[derive(Debug)]
pub struct Nlu {
    lexicon: Lexicon,
    linker: Linker,
    catalogue: Catalogue,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// What the network says; `None` without a model, or where its computation failed.
    pub intents: Option<Intents>,
    /// Entities that count, sorted by place, never overlapping.
    pub slots: Vec<Slot>,
    /// Entities that lost to one that counts.
    pub dropped: Vec<Slot>,
}

/// The network's reading of the whole message.
#[derive(Clone, Debug, PartialEq)]
pub struct Intents {
    /// Every intent with its probability, most probable first; they sum to 1.
    pub ranked: Vec<(String, Probability)>,
    /// All wishes of the message, the most probable first.
    pub wishes: Vec<String>,
    /// Probability of being from outside of the bot's world.
    pub out_of_scope: Probability,
    /// Whether that is enough to decline.
    pub foreign: bool,
    /// Sentence vector, of length 1.
    pub vector: Vec<f32>,
    /// Whether the end of the message was not read.
    pub cut: bool,
}

impl Intents {
    /// The most probable intent.
    #[must_use]
    pub fn first(&self) -> Option<(&str, Probability)> {
        self.ranked.first().map(|(name, probability)| (name.as_str(), *probability))
    }

    /// How probable an intent is; 0 for one that the model does not know.
    #[must_use]
    pub fn probability(&self, intent: &str) -> Probability {
        self.ranked.iter().find(|(name, _)| name == intent).map_or(Probability::ZERO, |(_, found)| *found)
    }
}

impl Nlu {
    /// Takes the bot's catalogue as vocabulary, beside the words that every shop shares.
    #[must_use]
    pub fn new(products: &[Product]) -> Self {
        let lexicon = Lexicon::new(products);
        let linked = lexicon.entries().filter(|(_, name)| links(*name)).map(|(word, _)| word.to_owned());
        Self { linker: Linker::new(linked), catalogue: Catalogue::new(products), lexicon }
    }

    /// What a message means.
    ///
    /// * `model`: the network, where the bot has one.
    /// * `now`: when the message came, in the bot's zone.
    #[must_use]
    pub fn understand(&self, utterance: &Utterance, model: Option<&Model>, now: &Zoned) -> Meaning {
        let text = utterance.as_str();
        let mut certain = pattern::find(text);
        certain.extend(self.lexicon.find(utterance));
        certain.extend(self.by_sound(text));
        let mut intents = None;
        let mut spans = Vec::new();
        // Weights that loaded compute; if ever they do not, the message is answered without them.
        if let Some(model) = model
            && let Ok(reading) = model.read(text)
        {
            spans.extend(reading.spans.iter().filter_map(|span| {
                let name = SlotName::named(&model.labels().slots[span.slot])?;
                Some(Slot::found(name, span.span, Origin::Network(span.confidence)))
            }));
            intents = Some(Intents {
                ranked: model.ranked(&reading).into_iter().map(|(name, p)| (name.to_owned(), p)).collect(),
                wishes: model.wishes(&reading).into_iter().map(str::to_owned).collect(),
                out_of_scope: reading.out_of_scope,
                foreign: model.is_foreign(&reading),
                vector: reading.vector,
                cut: reading.cut,
            });
        }
        let Merged { mut slots, dropped } = merge(certain, spans);
        for slot in &mut slots {
            slot.negated = negation::negated(text, (slot.span.start, slot.span.end));
        }
        self.catalogue.value_all(&mut slots, text, &self.linker, now);
        Meaning { intents, slots, dropped }
    }

    /// Words of the lexicon that sound like a stretch of the text, though not written so.
    fn by_sound(&self, text: &str) -> Vec<Slot> {
        self.linker
            .find(text)
            .into_iter()
            .filter_map(|((start, end), word)| {
                let name = self.lexicon.meaning(&word)?;
                Some(Slot::found(name, ByteSpan::new(start, end), Origin::Sound))
            })
            .collect()
    }

    /// Every word the lexicon knows, for the segmenter.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.lexicon.words()
    }
}

/// Whether words of an entity are found by their sound; numbers and codes are not.
fn links(name: SlotName) -> bool {
    match name {
        SlotName::Item
        | SlotName::Color
        | SlotName::Material
        | SlotName::Style
        | SlotName::Brand
        | SlotName::Courier
        | SlotName::Place
        | SlotName::Action => true,
        SlotName::Size
        | SlotName::Spec
        | SlotName::Body
        | SlotName::Quantity
        | SlotName::Price
        | SlotName::Date
        | SlotName::OrderId
        | SlotName::TrackingNo
        | SlotName::Phone
        | SlotName::Person => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Source;
    use crate::text::segment::Segmenter;

    fn now() -> Zoned {
        "2026-11-22T10:00[Asia/Shanghai]".parse().unwrap()
    }

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
        let utterance = Utterance::read(text, &segmenter);
        let slots = nlu.understand(&utterance, None, &now()).slots;
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
            let utterance = Utterance::read(&pieces.concat(), &NLU.1);
            let slots = NLU.0.understand(&utterance, None, &now()).slots;
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
