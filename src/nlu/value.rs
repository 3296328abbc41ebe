//! What a machine makes of an entity: instants, numbers, bounds, canonical names, products.

use jiff::Zoned;

use crate::knowledge::product::Product;
use crate::nlu::amount::Amount;
use crate::nlu::amount::amount;
use crate::nlu::colour::Colour;
use crate::nlu::colour::colour;
use crate::nlu::date::Period;
use crate::nlu::date::period;
use crate::nlu::link::Linker;
use crate::nlu::measure::Measure;
use crate::nlu::measure::measure;
use crate::nlu::money::Money;
use crate::nlu::money::money;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::text::normalise::normalise;

/// Products that an item is linked to at most.
const PRODUCTS_MAX: usize = 5;

/// A value that needs no words to be understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A range of instants.
    Period(Period),
    /// A number of things.
    Amount(Amount),
    /// A sum of money, or bounds for one.
    Money(Money),
    /// A measure of the buyer or of the goods.
    Measure(Measure),
    /// A colour by its usual name, and its family.
    Colour(Colour),
    /// The word of the lexicon that was meant.
    Word(String),
    /// Goods: the word of the lexicon that was meant, and products of the catalogue, by their places, best first.
    Products {
        /// The word.
        word: String,
        /// Places in the bot's knowledge, at most 5.
        products: Vec<usize>,
    },
}

/// The catalogue as entities are linked to it. Everything in normal form.
#[derive(Debug)]
pub struct Catalogue {
    products: Vec<Listed>,
}

#[derive(Debug)]
struct Listed {
    name: String,
    /// Category and other names.
    called: Vec<String>,
    colours: Vec<String>,
    families: Vec<&'static str>,
    sizes: Vec<String>,
    traits: Vec<String>,
}

impl Catalogue {
    /// Takes the bot's products in their order.
    #[must_use]
    pub fn new(products: &[Product]) -> Self {
        let plain = |words: &[String]| -> Vec<String> { words.iter().map(|word| normal(word)).collect() };
        let listed = products.iter().map(|product| {
            let colours = plain(&product.colours);
            let mut called = plain(&product.aliases);
            called.push(normal(&product.category));
            let mut traits = plain(&product.materials);
            traits.extend(plain(&product.styles));
            traits.push(normal(&product.series));
            Listed {
                name: normal(&product.name),
                called,
                families: colours.iter().filter_map(|word| colour(word)).map(|found| found.family).collect(),
                colours,
                sizes: plain(&product.sizes),
                traits,
            }
        });
        Self { products: listed.collect() }
    }

    /// Gives every entity of a message its value.
    ///
    /// * `text`: the normal form that the entities point into.
    /// * `linker`: knows the lexicon's words, for slips of the pen.
    pub fn value_all(&self, slots: &mut [Slot], text: &str, linker: &Linker, now: &Zoned) {
        let values: Vec<Option<Value>> =
            slots.iter().map(|slot| self.value(slot, slots, text, linker, now)).collect();
        for (slot, value) in slots.iter_mut().zip(values) {
            slot.value = value;
        }
    }

    fn value(&self, slot: &Slot, all: &[Slot], text: &str, linker: &Linker, now: &Zoned) -> Option<Value> {
        let said = slot.span.of(text);
        let meant = || linker.link(said).map_or_else(|| said.to_owned(), |link| link.word);
        match slot.name {
            SlotName::Date => period(said, now).map(Value::Period),
            SlotName::Quantity => amount(said).map(Value::Amount),
            SlotName::Price => money(said).map(Value::Money),
            SlotName::Body | SlotName::Spec => measure(said).map(Value::Measure),
            SlotName::Color => colour(said).map(Value::Colour),
            SlotName::Item => {
                let word = meant();
                let products = self.products(&word, all, text);
                Some(Value::Products { word, products })
            }
            SlotName::Material | SlotName::Style | SlotName::Brand | SlotName::Courier | SlotName::Action => {
                linker.link(said).map(|link| Value::Word(link.word))
            }
            SlotName::Size
            | SlotName::OrderId
            | SlotName::TrackingNo
            | SlotName::Phone
            | SlotName::Person
            | SlotName::Place => None,
        }
    }

    /// Products that are called so, those first that agree with most of what else is said of goods.
    fn products(&self, word: &str, all: &[Slot], text: &str) -> Vec<usize> {
        let mut found: Vec<(usize, usize)> = self
            .products
            .iter()
            .enumerate()
            .filter(|(_, listed)| listed.name.contains(word) || listed.called.iter().any(|name| name == word))
            .map(|(place, listed)| {
                let agrees = all.iter().filter(|slot| !slot.negated && listed.agrees(slot, text)).count();
                (place, agrees)
            })
            .collect();
        found.sort_by_key(|(place, agrees)| (std::cmp::Reverse(*agrees), *place));
        found.into_iter().take(PRODUCTS_MAX).map(|(place, _)| place).collect()
    }
}

impl Listed {
    fn agrees(&self, slot: &Slot, text: &str) -> bool {
        let said = slot.span.of(text);
        match slot.name {
            SlotName::Color => {
                self.colours.iter().any(|own| own == said)
                    || colour(said).is_some_and(|found| self.families.contains(&found.family))
            }
            SlotName::Size => {
                let bare = said.trim_end_matches(['码', '号']);
                self.sizes.iter().any(|own| own == said || own == bare)
            }
            SlotName::Material | SlotName::Style | SlotName::Brand => {
                self.traits.iter().any(|own| own == said)
            }
            _ => false,
        }
    }
}

fn normal(word: &str) -> String {
    normalise(word).as_str().to_owned()
}
