//! The catalogue: products by name, words and attributes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::knowledge::product::Product;
use crate::knowledge::profile::Aspect;
use crate::knowledge::wanted::Wanted;
use crate::probability::Probability;
use crate::retrieval::IndexError;
use crate::retrieval::Score;
use crate::retrieval::index::QueryTerm;
use crate::retrieval::index::TermIndex;
use crate::retrieval::terms::Rarity;
use crate::retrieval::terms::Vocabulary;
use crate::retrieval::terms::is_empty_word;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;
use crate::text::span::ByteSpan;
use crate::text::utterance::Utterance;

/// Products that BM25 hands over for the closer look.
const PRODUCTS_MAX: usize = 200;

const NAME: usize = 0;
const DESCRIPTION: usize = 1;
const COLOUR: usize = 2;
const SIZE: usize = 3;

/// A word of the description counts this much of one of the name. Chosen by hand.
const DESCRIPTION_BOOST: f32 = 0.3;

/// The searchable products of a bot.
#[derive(Debug)]
pub struct Catalogue {
    vocabulary: Vocabulary,
    rarity: Rarity,
    shelf: Vec<Shelf>,
    /// All colours and all sizes of the shelf.
    colours: BTreeSet<String>,
    sizes: BTreeSet<String>,
    aspects: Vec<(Aspect, Vec<String>)>,
    index: TermIndex,
}

/// What is needed of a product while searching.
#[derive(Debug)]
struct Shelf {
    /// Terms of name, category, aliases, series, styles and materials.
    named: BTreeSet<String>,
    /// Terms of the description.
    described: BTreeSet<String>,
    colours: Vec<String>,
    sizes: Vec<String>,
    price_fen: u32,
    /// What it alone is called, in normal form: its full name, that without the series, and long other names.
    names: Vec<String>,
    /// Its colours and sizes as its label has them, in normal form.
    labels: Labels,
}

/// Colours and sizes of one product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    colours: Vec<String>,
    sizes: Vec<String>,
}

/// Where a message names a colour or size of a product as its label does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Colours.
    pub colours: Vec<ByteSpan>,
    /// Sizes.
    pub sizes: Vec<ByteSpan>,
}

impl Labels {
    /// The labels of a product.
    #[must_use]
    pub fn of(product: &Product) -> Self {
        let normal =
            |words: &[String]| words.iter().map(|word| normalise(word).as_str().to_owned()).collect();
        let mut sizes: Vec<String> = normal(&product.sizes);
        let other: Vec<String> =
            sizes.iter().filter_map(|size| other_writing(size)).map(str::to_owned).collect();
        sizes.extend(other);
        Self { colours: normal(&product.colours), sizes }
    }

    /// Where they stand in a message: `28寸`, `15cm`, `军绿`; letters and digits by themselves, and not `35` in `35元`.
    #[must_use]
    pub fn find(&self, text: &str) -> Named {
        let mut taken: Vec<ByteSpan> = Vec::new();
        let mut of = |words: &[String], said: &dyn Fn(&str) -> Vec<String>| {
            let mut words: Vec<String> = words.iter().flat_map(|word| said(word)).collect();
            // The longest first: 浅灰蓝 before 灰蓝, XXL before XL.
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            let mut found = Vec::new();
            for word in words.iter().filter(|word| !word.is_empty()) {
                for (start, said) in text.match_indices(word.as_str()) {
                    let span = ByteSpan::new(start, start + said.len());
                    let is_free = !taken.iter().any(|other| other.overlaps(&span));
                    if is_free && stands_alone(text, span) {
                        taken.push(span);
                        found.push(span);
                    }
                }
            }
            found
        };
        let whole = |word: &str| vec![word.to_owned()];
        // One character of a colour is too little to go by.
        let colour = |word: &str| {
            let stem = colour_stem(word);
            if stem.chars().nth(1).is_some() {
                vec![stem]
            } else {
                vec![format!("{stem}的"), format!("{stem}色")]
            }
        };
        let sizes = of(&self.sizes, &whole);
        Named { colours: of(&self.colours, &colour), sizes }
    }
}

/// Whether a label is no part of a longer word or number.
fn stands_alone(text: &str, span: ByteSpan) -> bool {
    let word = span.of(text);
    let is_latin = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let begins = !word.starts_with(is_latin) || !text[..span.start].ends_with(is_latin);
    let behind = &text[span.end..];
    let counts = word.bytes().all(|byte| byte.is_ascii_digit())
        && behind.starts_with(['元', '块', '件', '条', '双', '个', '套', '天', '斤', '岁', '%', '多']);
    begins && !(word.ends_with(is_latin) && behind.starts_with(is_latin)) && !counts
}

/// A product that may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductHit {
    /// Place of the product in the bot's knowledge.
    pub product: usize,
    /// BM25 of its words.
    pub score: Score,
    /// How likely the message asks about this product or its kind.
    pub probability: Probability,
    /// Terms of the message that speak of it, in order.
    pub matched: Vec<String>,
    /// Whether the message says its full name.
    pub in_full: bool,
}

/// The products for a message, and what is asked about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductEvidence {
    /// Most probable first.
    pub hits: Vec<ProductHit>,
    /// What the message asks, in the order of the aspects.
    pub aspects: Vec<Aspect>,
    /// Attributes, as said, that no product has together with the others: the hits lack them.
    pub missing: Vec<String>,
    /// What was asked of the goods.
    pub wanted: Wanted,
}

impl Catalogue {
    /// Indexes products; one document each.
    pub(super) fn build(
        products: &[Product],
        aspects: &BTreeMap<Aspect, Vec<String>>,
        vocabulary: Vocabulary,
        segmenter: &Segmenter,
    ) -> Result<Self, IndexError> {
        let terms_of = |text: &str| {
            let utterance = Utterance::read(text, segmenter);
            vocabulary.terms(utterance.as_str(), &utterance.search_words)
        };
        let mut shelf = Vec::with_capacity(products.len());
        let mut documents = Vec::with_capacity(products.len());
        for product in products {
            let named = terms_of(&name_words(product));
            let described = terms_of(&product.description);
            let colours: Vec<String> = product.colours.iter().map(|word| colour_stem(word)).collect();
            let sizes: Vec<String> = product.sizes.iter().map(|word| size_stem(word)).collect();
            shelf.push(Shelf {
                named: named.iter().cloned().collect(),
                described: described.iter().cloned().collect(),
                colours: colours.clone(),
                sizes: sizes.clone(),
                price_fen: product.price_fen,
                names: own_names(product),
                labels: Labels::of(product),
            });
            documents.push(vec![named, described, colours, sizes]);
        }
        keep_own(&mut shelf, products);
        let colours = shelf.iter().flat_map(|one| one.colours.iter().cloned()).collect();
        let sizes = shelf.iter().flat_map(|one| one.sizes.iter().cloned()).collect();
        let rarity = Rarity::count(
            shelf.iter().map(|one| one.named.iter().map(String::as_str).collect::<HashSet<_>>()),
        );
        let aspects = aspects
            .iter()
            .map(|(aspect, words)| {
                (*aspect, words.iter().map(|word| normalise(word).as_str().to_owned()).collect())
            })
            .collect();
        let index = TermIndex::build(&["name", "description", "colour", "size"], documents.into_iter())?;
        Ok(Self { vocabulary, rarity, shelf, colours, sizes, aspects, index })
    }

    /// The products that a message may be about, most probable first.
    ///
    /// A product is likely when its own words, the attributes and the aspect asked about explain the
    /// message; what they leave unexplained (退换, 上个月) speaks against it.
    ///
    /// * `slots`: places of the message that say what the goods are like.
    /// * `wanted`: the attributes; a product that lacks one is no hit.
    /// * `products_max`: length of the list at most.
    #[must_use]
    pub fn search(
        &self,
        utterance: &Utterance,
        slots: &[ByteSpan],
        wanted: &Wanted,
        products_max: usize,
    ) -> ProductEvidence {
        let text = utterance.as_str();
        let asked: Vec<(Aspect, ByteSpan)> = self.asked(text);
        let mut aspects: Vec<Aspect> = asked.iter().map(|(aspect, _)| *aspect).collect();
        aspects.sort_unstable();
        aspects.dedup();
        let terms = self.vocabulary.terms(text, &utterance.search_words);
        let elsewhere: Vec<ByteSpan> =
            slots.iter().copied().chain(asked.iter().map(|(_, span)| *span)).collect();
        let any = self.candidates(&terms, &Wanted::default());
        if let Some((product, score, name)) = self.named_in_full(text, &any) {
            let one = &self.shelf[product];
            let (wanted, spans) = one.wanted_of(text, name, wanted);
            let elsewhere: Vec<ByteSpan> = elsewhere.into_iter().chain(spans).collect();
            let explained = self.explained(utterance, &elsewhere, one).max(NAMED_EXPLAINS);
            let matched = terms.iter().filter(|term| one.named.contains(*term)).cloned().collect();
            let hit = ProductHit {
                product,
                score,
                probability: probability(explained, true),
                matched,
                in_full: true,
            };
            return ProductEvidence { hits: vec![hit], aspects, missing: self.lacking(one, &wanted), wanted };
        }
        let (fitting, missing) = self.fitting(&terms, wanted, &any);
        let mut hits: Vec<ProductHit> = fitting
            .into_iter()
            .map(|(product, score)| {
                let one = &self.shelf[product];
                let matched: Vec<String> =
                    terms.iter().filter(|term| one.named.contains(*term)).cloned().collect();
                let explained = self.explained(utterance, &elsewhere, one);
                let named = is_named(wanted, &matched);
                ProductHit {
                    product,
                    score,
                    probability: probability(explained, named),
                    matched,
                    in_full: false,
                }
            })
            .collect();
        hits.sort_by(|a, b| {
            b.probability
                .total_cmp(a.probability)
                .then(b.score.total_cmp(&a.score))
                .then(a.product.cmp(&b.product))
        });
        hits.truncate(products_max);
        ProductEvidence { hits, aspects, missing, wanted: wanted.clone() }
    }

    /// The products with all attributes; when there are none, those that lack the fewest kinds of them, in the
    /// order in which a customer gives way: traits, then size, then colour, then price. The goods never change.
    ///
    /// * `any`: the candidates for the terms alone.
    fn fitting(
        &self,
        terms: &[String],
        wanted: &Wanted,
        any: &[(usize, Score)],
    ) -> (Vec<(usize, Score)>, Vec<String>) {
        for kinds in GIVEN_UP {
            let Some((looser, missing)) = looser(wanted, kinds) else { continue };
            // Only colours and sizes narrow inside the index.
            let is_any = looser.colours.is_empty() && looser.sizes.is_empty();
            let mut found = if is_any { any.to_vec() } else { self.candidates(terms, &looser) };
            let demand = self.demand(&looser);
            found.retain(|(product, _)| demand.fits(&self.shelf[*product]));
            if !found.is_empty() {
                return (found, missing);
            }
            // Without goods named there is nothing that attributes could be missing from.
            if wanted.items.is_empty() {
                break;
            }
        }
        (Vec::new(), Vec::new())
    }

    /// The one product whose full name the message says.
    ///
    /// * `any`: the candidates for the terms alone.
    fn named_in_full(&self, text: &str, any: &[(usize, Score)]) -> Option<(usize, Score, &str)> {
        let named: Vec<(usize, Score, &str)> = any
            .iter()
            .filter_map(|&(product, score)| {
                let said = self.shelf[product].names.iter().filter(|name| text.contains(name.as_str()));
                Some((product, score, said.max_by_key(|name| name.len())?.as_str()))
            })
            .collect();
        let longest = *named.iter().max_by_key(|(_, _, name)| name.len())?;
        // A name may hold another one; two beside one another are a comparison, and one of two products is neither's.
        let is_held = |(product, _, name): &(usize, Score, &str)| {
            *product == longest.0 || (longest.2.contains(name) && longest.2 != *name)
        };
        named.iter().all(is_held).then_some(longest)
    }

    /// What one product lacks of what is wanted; as little as possible.
    fn lacking(&self, one: &Shelf, wanted: &Wanted) -> Vec<String> {
        let loosened = GIVEN_UP.into_iter().filter_map(|kinds| looser(wanted, kinds));
        let mut fitting = loosened.filter(|(looser, _)| self.demand(looser).fits(one));
        fitting.next().map(|(_, missing)| missing).unwrap_or_default()
    }

    fn candidates(&self, terms: &[String], wanted: &Wanted) -> Vec<(usize, Score)> {
        // Colours and sizes narrow inside the index; the rest is checked on what it hands over.
        let mut must: Vec<(usize, Vec<&str>)> = Vec::new();
        if !wanted.colours.is_empty() {
            let stems: Vec<String> = wanted.colours.iter().map(|said| colour_stem(said)).collect();
            let meant = |own: &&str| stems.iter().any(|stem| own.ends_with(stem.as_str()));
            must.push((COLOUR, self.colours.iter().map(String::as_str).filter(meant).collect()));
        }
        if !wanted.sizes.is_empty() {
            let stems: Vec<String> = wanted.sizes.iter().map(|said| size_stem(said)).collect();
            let meant = |own: &&str| stems.iter().any(|stem| own == stem);
            must.push((SIZE, self.sizes.iter().map(String::as_str).filter(meant).collect()));
        }
        if must.iter().any(|(_, values)| values.is_empty()) {
            return Vec::new();
        }
        let should: Vec<QueryTerm<'_>> = terms
            .iter()
            .flat_map(|term| {
                [(NAME, 1.0), (DESCRIPTION, DESCRIPTION_BOOST)].map(|(field, boost)| QueryTerm {
                    field,
                    term: term.as_str(),
                    boost,
                })
            })
            .collect();
        self.index.search(&must, &should, PRODUCTS_MAX).unwrap_or_else(|error| {
            tracing::error!(%error, "search in the catalogue failed");
            Vec::new()
        })
    }

    /// What is wanted in the form in which products are compared with it; made once, not once a product.
    fn demand(&self, wanted: &Wanted) -> Demand {
        let own = |word: &String| Own {
            term: self.vocabulary.term(normalise(word).as_str()).to_owned(),
            size: size_stem(word),
        };
        Demand {
            items: wanted.items.iter().map(own).collect(),
            colours: wanted.colours.iter().map(|word| colour_stem(word)).collect(),
            sizes: wanted.sizes.iter().map(|word| size_stem(word)).collect(),
            traits: wanted.traits.iter().map(own).collect(),
            prices: wanted.price_fen_min.unwrap_or(0)..=wanted.price_fen_max.unwrap_or(u32::MAX),
        }
    }

    /// Share of the message's weight that the product's words, attributes or the aspects account for.
    fn explained(&self, utterance: &Utterance, elsewhere: &[ByteSpan], one: &Shelf) -> f32 {
        let text = utterance.as_str();
        let (mut whole, mut part) = (0.0, 0.0);
        for word in &utterance.words {
            let term = self.vocabulary.term(word.of(text));
            if !term.chars().any(char::is_alphanumeric) || is_empty_word(term) {
                continue;
            }
            let weight = self.rarity.weight(term);
            whole += weight;
            if one.named.contains(term) || elsewhere.iter().any(|span| span.overlaps(word)) {
                part += weight;
            } else if one.described.contains(term) {
                part += weight * 0.5;
            }
        }
        if whole > 0.0 { part / whole } else { 0.0 }
    }

    fn asked(&self, text: &str) -> Vec<(Aspect, ByteSpan)> {
        self.aspects
            .iter()
            .flat_map(|(aspect, words)| words.iter().map(move |word| (*aspect, word)))
            .flat_map(|(aspect, word)| {
                text.match_indices(word.as_str())
                    .map(move |(start, found)| (aspect, ByteSpan::new(start, start + found.len())))
            })
            .collect()
    }
}

impl Shelf {
    /// What a message that says this product's name wants of it: its name wants nothing, and its own labels are its colours
    /// and sizes, whatever else they may look like.
    ///
    /// * `name`: the one of its names that the message says.
    fn wanted_of(&self, text: &str, name: &str, wanted: &Wanted) -> (Wanted, Vec<ByteSpan>) {
        let blanked = text.replace(name, &" ".repeat(name.len()));
        let found = self.labels.find(&blanked);
        let said = |spans: &[ByteSpan]| -> Vec<String> {
            spans.iter().map(|span| span.of(text).to_owned()).collect()
        };
        let plain = |spans: &[ByteSpan]| -> Vec<ByteSpan> {
            let is_denied = |span: &&ByteSpan| wanted.denied.iter().any(|word| word.contains(span.of(text)));
            spans.iter().filter(|span| !is_denied(span)).copied().collect()
        };
        let (colours, sizes) = (said(&plain(&found.colours)), said(&plain(&found.sizes)));
        let is_label = |word: &String| {
            colours
                .iter()
                .chain(&sizes)
                .any(|label| label.contains(word.as_str()) || word.contains(label.as_str()))
        };
        let rest = |words: &[String]| -> Vec<String> {
            let own = |word: &&String| !name.contains(word.as_str()) && !is_label(word);
            words.iter().filter(own).cloned().collect()
        };
        let wanted = Wanted {
            items: Vec::new(),
            colours: colours.iter().cloned().chain(rest(&wanted.colours)).collect(),
            sizes: sizes.iter().cloned().chain(rest(&wanted.sizes)).collect(),
            traits: rest(&wanted.traits),
            ..wanted.clone()
        };
        let named = text.find(name).map(|start| ByteSpan::new(start, start + name.len()));
        (wanted, found.colours.into_iter().chain(found.sizes).chain(named).collect())
    }
}

/// The variant of a product that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'p> {
    /// The colour as the product calls it, where one was asked for.
    pub colour: Option<&'p str>,
    /// The size as the product calls it, where one was asked for.
    pub size: Option<&'p str>,
    /// Whether any piece of it is there.
    pub is_there: bool,
}

/// Which variant of a product was asked for; `None` where no colour or size was, or the product has none of them.
#[must_use]
pub fn asked<'p>(product: &'p Product, wanted: &Wanted) -> Option<Asked<'p>> {
    let colours: Vec<String> = wanted.colours.iter().map(|said| colour_stem(said)).collect();
    let sizes: Vec<String> = wanted.sizes.iter().map(|said| size_stem(said)).collect();
    // The label itself before one that ends like it: 蓝色 before 深蓝.
    let colour = product.colours.iter().find(|own| colours.contains(&colour_stem(own))).or_else(|| {
        let ends_like = |own: &&String| colours.iter().any(|stem| colour_stem(own).ends_with(stem.as_str()));
        product.colours.iter().find(ends_like)
    });
    let colour = colour.map(String::as_str);
    let size = product.sizes.iter().find(|own| sizes.contains(&size_stem(own))).map(String::as_str);
    // What the product does not come in is told as lacking; of several the card tells.
    let several = |stems: &[String]| stems.iter().collect::<BTreeSet<_>>().len() > 1;
    let lacks = (colour.is_none() && !colours.is_empty()) || (size.is_none() && !sizes.is_empty());
    if lacks || several(&colours) || several(&sizes) || (colour.is_none() && size.is_none()) {
        return None;
    }
    // A variant is gone when it, its whole colour or its whole size is; a colour, when all of its sizes are.
    let is_gone = |colour: &str, size: &str| {
        product.sold_out.iter().any(|one| {
            (one.colour.is_empty() || one.colour == colour) && (one.size.is_empty() || one.size == size)
        })
    };
    let none = [String::new()];
    let all = |own: &'p [String]| if own.is_empty() { none.iter() } else { own.iter() };
    let is_there = product.stock > 0
        && all(&product.colours).filter(|own| colour.is_none_or(|one| one == own.as_str())).any(|colour| {
            all(&product.sizes)
                .filter(|own| size.is_none_or(|one| one == own.as_str()))
                .any(|size| !is_gone(colour, size))
        });
    Some(Asked { colour, size, is_there })
}

/// What is wanted, ready to be compared.
struct Demand {
    items: Vec<Own>,
    colours: Vec<String>,
    sizes: Vec<String>,
    traits: Vec<Own>,
    prices: RangeInclusive<u32>,
}

/// A word that must be a product's own: in its name, or on its label as a size.
struct Own {
    term: String,
    size: String,
}

impl Own {
    fn fits(&self, one: &Shelf) -> bool {
        one.named.contains(&self.term) || one.sizes.contains(&self.size)
    }
}

impl Demand {
    fn fits(&self, one: &Shelf) -> bool {
        let colour =
            |stem: &String| one.colours.iter().any(|own| own == stem || own.ends_with(stem.as_str()));
        (self.items.is_empty() || self.items.iter().any(|item| item.fits(one)))
            && (self.colours.is_empty() || self.colours.iter().any(colour))
            && (self.sizes.is_empty() || self.sizes.iter().any(|size| one.sizes.contains(size)))
            && self.traits.iter().all(|own| own.fits(one))
            && self.prices.contains(&one.price_fen)
    }
}

const TRAITS: u8 = 1;
const SIZES: u8 = 2;
const COLOURS: u8 = 4;
const PRICE: u8 = 8;

/// Kinds of attributes that are given up to find anything, the fewest first.
const GIVEN_UP: [u8; 16] = [
    0,
    TRAITS,
    SIZES,
    COLOURS,
    PRICE,
    TRAITS | SIZES,
    TRAITS | COLOURS,
    SIZES | COLOURS,
    TRAITS | PRICE,
    SIZES | PRICE,
    COLOURS | PRICE,
    TRAITS | SIZES | COLOURS,
    TRAITS | SIZES | PRICE,
    TRAITS | COLOURS | PRICE,
    SIZES | COLOURS | PRICE,
    TRAITS | SIZES | COLOURS | PRICE,
];

/// What is still wanted without some kinds of attributes, and the words for those; `None` where a kind was not
/// asked for, because a smaller set of kinds says the same.
fn looser(wanted: &Wanted, kinds: u8) -> Option<(Wanted, Vec<String>)> {
    let (mut looser, mut missing) = (wanted.clone(), Vec::new());
    let lists = [(TRAITS, &mut looser.traits), (SIZES, &mut looser.sizes), (COLOURS, &mut looser.colours)];
    for (_, list) in lists.into_iter().filter(|(kind, _)| kinds & kind != 0) {
        if list.is_empty() {
            return None;
        }
        missing.append(list);
    }
    if kinds & PRICE != 0 {
        if (looser.price_fen_min.take(), looser.price_fen_max.take()) == (None, None) {
            return None;
        }
        missing.push("价位".to_owned());
    }
    Some((looser, missing))
}

/// Whether the message names the product or its kind, and does not merely share a word with it.
fn is_named(wanted: &Wanted, matched: &[String]) -> bool {
    !wanted.items.is_empty() || (!wanted.traits.is_empty() && !matched.is_empty()) || matched.len() >= 2
}

/// Share of a message that a product's full name explains at least. Chosen by hand: a probability of 0.95.
const NAMED_EXPLAINS: f32 = 0.925;

/// Chosen by hand: with everything explained 0.98, with three quarters 0.62, with half 0.05.
fn probability(explained: f32, named: bool) -> Probability {
    if named { Probability::from_logit(14.0 * explained - 10.0) } else { Probability::ZERO }
}

fn name_words(product: &Product) -> String {
    let kinds = kinds(&product.category);
    [&product.id, &product.name, &product.category, &product.series]
        .into_iter()
        .chain(&product.aliases)
        .chain(&product.materials)
        .chain(&product.styles)
        .chain(&kinds)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The wider words for a kind of goods, from its last character: 连衣裙 is a 裙 and a 裙子, 双肩包 a 包 and a 包包.
fn kinds(category: &str) -> Vec<String> {
    let Some(last) = category.chars().next_back().filter(|_| category.chars().count() > 1) else {
        return Vec::new();
    };
    vec![last.to_string(), format!("{last}子"), format!("{last}{last}")]
}

/// `黑色`, `黑的` and `黑` are one colour.
fn colour_stem(said: &str) -> String {
    let text = normalise(said);
    let text = text.as_str();
    let stem = text.strip_suffix('色').or_else(|| text.strip_suffix('的')).unwrap_or(text);
    if stem.is_empty() { text.to_owned() } else { stem.to_owned() }
}

/// `XL码`, `xl号` and `XL` are one size.
fn size_stem(said: &str) -> String {
    let text = normalise(said);
    let stem = text.as_str().trim_end_matches(['码', '号']);
    match stem {
        "2xl" | "xxxl" => other_writing(stem).unwrap_or(stem).to_owned(),
        _ => stem.to_owned(),
    }
}

/// `2XL` and `XXL` are one size, and so are `3XL` and `XXXL`.
fn other_writing(size: &str) -> Option<&'static str> {
    match size {
        "xxl" => Some("2xl"),
        "2xl" => Some("xxl"),
        "3xl" => Some("xxxl"),
        "xxxl" => Some("3xl"),
        _ => None,
    }
}

/// Characters from which on a name without the series, or another name, is one product's own.
const NAME_CHARS_MIN: usize = 4;

/// Products up to which names are compared with one another; of more only full names count.
const COMPARED_MAX: usize = 5_000;

/// Takes away names that are another product's as well, or part of what it is called: 男士西装 is no one's own.
fn keep_own(shelf: &mut [Shelf], products: &[Product]) {
    let called: Vec<Vec<String>> = products
        .iter()
        .map(|product| {
            let words = std::iter::once(&product.name).chain(&product.aliases);
            words.map(|word| normalise(word).as_str().to_owned()).collect()
        })
        .collect();
    for at in 0..shelf.len() {
        let full = normalise(&products[at].name).as_str().to_owned();
        let is_own = |name: &String| {
            let is_others =
                |other: usize| other != at && called[other].iter().any(|words| words.contains(name.as_str()));
            *name == full || (called.len() <= COMPARED_MAX && !(0..called.len()).any(is_others))
        };
        let names = std::mem::take(&mut shelf[at].names);
        shelf[at].names = names.into_iter().filter(is_own).collect();
    }
}

fn own_names(product: &Product) -> Vec<String> {
    let normal = |words: &str| normalise(words).as_str().to_owned();
    let name = normal(&product.name);
    let short = name.strip_prefix(normal(&product.series).as_str()).unwrap_or_default().to_owned();
    let others = product.aliases.iter().map(|alias| normal(alias));
    let mut names: Vec<String> =
        std::iter::once(short).chain(others).filter(|name| name.chars().count() >= NAME_CHARS_MIN).collect();
    names.push(name);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(colours: &[&str], sizes: &[&str]) -> Labels {
        let product = Product {
            colours: colours.iter().map(|word| (*word).to_owned()).collect(),
            sizes: sizes.iter().map(|word| (*word).to_owned()).collect(),
            ..crate::knowledge::sample::shop().products[0].clone()
        };
        Labels::of(&product)
    }

    #[track_caller]
    fn check(labels: &Labels, text: &str, colours: &[&str], sizes: &[&str]) {
        let named = labels.find(text);
        let words =
            |spans: &[ByteSpan]| spans.iter().map(|span| span.of(text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (words(&named.colours), words(&named.sizes)),
            (
                colours.iter().copied().map(str::to_owned).collect(),
                sizes.iter().copied().map(str::to_owned).collect()
            ),
            "{text}"
        );
    }

    #[track_caller]
    fn check_asked(colours: &[&str], wanted: &[&str], expected: Option<&str>) {
        let product = Product {
            colours: colours.iter().map(|word| (*word).to_owned()).collect(),
            ..crate::knowledge::sample::shop().products[0].clone()
        };
        let wanted =
            Wanted { colours: wanted.iter().map(|word| (*word).to_owned()).collect(), ..Wanted::default() };
        assert_eq!(asked(&product, &wanted).and_then(|asked| asked.colour), expected, "{colours:?}");
    }

    #[test]
    fn the_variant_is_the_one_that_was_named() {
        check_asked(&["深蓝", "蓝色"], &["蓝色"], Some("蓝色"));
        check_asked(&["深蓝", "黑色"], &["蓝色"], Some("深蓝"));
        check_asked(&["黑色", "白色"], &["黑色", "白色"], None);
        check_asked(&["黑色"], &["红色"], None);
    }

    #[test]
    fn labels_are_found_as_they_stand_on_the_article() {
        let case = labels(&["樱花粉", "橘色"], &["20寸", "28寸", "35", "XXL", "L"]);
        check(&case, "樱花粉28寸有吗", &["樱花粉"], &["28寸"]);
        check(&case, "橘的 35", &["橘的"], &["35"]);
        check(&case, "35元贵吗", &[], &[]);
        check(&case, "135的", &[], &[]);
        check(&case, "2xl嘞", &[], &["2xl"]);
        check(&case, "xxl还是l", &[], &["xxl", "l"]);
        check(&case, "xl", &[], &[]);
    }
}
