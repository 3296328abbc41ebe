//! What differs between two states of a bot's knowledge, in the maintainer's words.

use std::collections::BTreeMap;

use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::product::Product;
use crate::knowledge::snapshot::Files;

/// What kind of thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// `bot.toml`.
    Profile,
    /// An entry of the FAQ.
    Entry,
    /// An article.
    Product,
    /// A rule.
    Rule,
    /// A named reply or a standard sentence.
    Reply,
    /// A group of sensitive words.
    Sensitive,
    /// `synonyms.txt` or `terms.txt`.
    Words,
    /// An attachment, or a file that nobody reads.
    File,
}

impl Thing {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Entry => "entry",
            Self::Product => "product",
            Self::Rule => "rule",
            Self::Reply => "reply",
            Self::Sensitive => "sensitive",
            Self::Words => "words",
            Self::File => "file",
        }
    }
}

/// How it differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its parts of these names are others.
    Changed(Vec<&'static str>),
}

impl Change {
    /// Stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed(_) => "changed",
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What it is.
    pub thing: Thing,
    /// Its id, name or path.
    pub id: String,
    /// What people call it; as now, or as it was where it is gone.
    pub title: String,
    /// How it differs.
    pub change: Change,
}

/// A state of the knowledge: what was read, and the files it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Side<'k> {
    /// What was read.
    pub knowledge: &'k Knowledge,
    /// All of its files.
    pub files: &'k Files,
}

/// All that differs, sorted by kind and id. Where something was written, and in which order, is no difference.
#[must_use]
pub fn diff(old: Side<'_>, new: Side<'_>) -> Vec<Difference> {
    let (before, after) = (old.knowledge, new.knowledge);
    let mut found = Vec::new();
    if before.profile != after.profile {
        found.push(Difference {
            thing: Thing::Profile,
            id: "bot.toml".to_owned(),
            title: after.profile.title.clone(),
            change: Change::Changed(Vec::new()),
        });
    }
    let entry = |entry: &'_ Entry| (entry.id.clone(), entry.question.clone());
    compare(Thing::Entry, &before.entries, &after.entries, entry, entry_parts, &mut found);
    let product = |product: &'_ Product| (product.id.clone(), product.name.clone());
    compare(Thing::Product, &before.products, &after.products, product, product_parts, &mut found);
    compare(
        Thing::Rule,
        &before.rules,
        &after.rules,
        |rule| (rule.id.clone(), rule.id.clone()),
        |a, b| {
            let same = crate::knowledge::rule::RuleSpec { line: b.line, ..a.clone() } == *b;
            (!same).then(Vec::new)
        },
        &mut found,
    );
    compare(
        Thing::Sensitive,
        &before.sensitive,
        &after.sensitive,
        |group| (group.id.clone(), group.id.clone()),
        |a, b| {
            let same = crate::knowledge::sensitive::SensitiveSpec { line: b.line, ..a.clone() } == *b;
            (!same).then(Vec::new)
        },
        &mut found,
    );
    let replies = |known: &Knowledge| -> Vec<(String, String)> {
        let own = known.replies.reply.iter().map(|(name, reply)| (name.clone(), format!("{reply:?}")));
        own.chain(known.replies.standard.clone()).collect()
    };
    compare(
        Thing::Reply,
        &replies(before),
        &replies(after),
        |(name, _)| (name.clone(), name.clone()),
        |(_, a), (_, b)| (a != b).then(Vec::new),
        &mut found,
    );
    let words = |known: &Knowledge| {
        [("synonyms.txt", format!("{:?}", known.synonyms)), ("terms.txt", format!("{:?}", known.terms))]
    };
    compare(
        Thing::Words,
        &words(before),
        &words(after),
        |(name, _)| ((*name).to_owned(), (*name).to_owned()),
        |(_, a), (_, b)| (a != b).then(Vec::new),
        &mut found,
    );
    let others = |files: &Files| -> Vec<(String, Vec<u8>)> {
        let is_read = |name: &str| !name.contains('/') || name.starts_with("faq/");
        files
            .iter()
            .filter(|(name, _)| !is_read(name))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect()
    };
    compare(
        Thing::File,
        &others(old.files),
        &others(new.files),
        |(name, _)| (name.clone(), name.clone()),
        |(_, a), (_, b)| (a != b).then(Vec::new),
        &mut found,
    );
    found.sort();
    found
}

/// * `name`: id and title.
/// * `parts`: `None` where two of one id are the same, else what of them differs.
fn compare<T>(
    thing: Thing,
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> (String, String),
    parts: impl Fn(&T, &T) -> Option<Vec<&'static str>>,
    found: &mut Vec<Difference>,
) {
    let mut before: BTreeMap<String, &T> = old.iter().map(|one| (name(one).0, one)).collect();
    for one in new {
        let (id, title) = name(one);
        let change = match before.remove(&id) {
            None => Some(Change::Added),
            Some(was) => parts(was, one).map(Change::Changed),
        };
        found.extend(change.map(|change| Difference { thing, id, title, change }));
    }
    found.extend(before.into_values().map(|was| {
        let (id, title) = name(was);
        Difference { thing, id, title, change: Change::Removed }
    }));
}

fn entry_parts(a: &Entry, b: &Entry) -> Option<Vec<&'static str>> {
    let Entry { id: _, topic, question, phrasings, answer, reply, validity, source: _ } = a;
    named([
        ("topic", *topic != b.topic),
        ("question", *question != b.question),
        ("phrasings", *phrasings != b.phrasings),
        ("answer", *answer != b.answer),
        ("reply", *reply != b.reply),
        ("validity", *validity != b.validity),
    ])
}

fn product_parts(a: &Product, b: &Product) -> Option<Vec<&'static str>> {
    let rest = Product {
        name: b.name.clone(),
        price_fen: b.price_fen,
        stock: b.stock,
        sold_out: b.sold_out.clone(),
        description: b.description.clone(),
        source: Source::clone(&b.source),
        ..a.clone()
    };
    named([
        ("name", a.name != b.name),
        ("price", a.price_fen != b.price_fen),
        ("stock", a.stock != b.stock || a.sold_out != b.sold_out),
        ("description", a.description != b.description),
        ("attributes", rest != *b),
    ])
}

fn named<const N: usize>(parts: [(&'static str, bool); N]) -> Option<Vec<&'static str>> {
    let changed: Vec<&str> =
        parts.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name).collect();
    (!changed.is_empty()).then_some(changed)
}
