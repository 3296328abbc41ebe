//! Rows as the network learns from them.

use std::collections::BTreeSet;

use candle_core::Tensor;

use crate::encoder::Encoder;
use crate::nlu::model::Labels;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::nlu::tag;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;
use crate::training::row::Row;
use crate::training::row::RowSlot;

/// A row, cut into tokens, with what the network should say.
#[derive(Clone, Debug)]
pub struct Example {
    /// Tokens, the signs for begin and end included.
    pub ids: Vec<u32>,
    /// Intents that are right, with equal shares; empty: not labelled, or from outside.
    pub intents: Vec<u32>,
    /// All wishes, in order of the labels; the row's own intent alone unless it has several.
    pub wishes: Vec<u32>,
    /// Whether it is from outside of the bot's world; `None`: nobody says.
    pub foreign: Option<bool>,
    /// A tag for every inner token; `None`: not labelled.
    pub tags: Option<Vec<u32>>,
    /// What the lowest trained layer reads, `[n_tokens, width]`, once the layers below have been run.
    pub states: Option<Tensor>,
    /// Sentence vector before training, `[1, width]`.
    pub vector: Option<Tensor>,
}

/// The intents and entities that rows speak of, in alphabetical order.
#[must_use]
pub fn labels(rows: &[Row]) -> Labels {
    let intents: BTreeSet<&String> =
        rows.iter().flat_map(|row| row.also.iter().chain(&row.intents).chain([&row.intent])).collect();
    let slots: BTreeSet<&String> =
        rows.iter().flat_map(|row| row.slots.iter().flatten()).map(|slot| &slot.name).collect();
    Labels {
        declines: intents.iter().any(|intent| *intent == OUT_OF_SCOPE),
        intents: intents
            .into_iter()
            .filter(|intent| !intent.is_empty() && *intent != OUT_OF_SCOPE)
            .cloned()
            .collect(),
        slots: slots.into_iter().cloned().collect(),
    }
}

impl Example {
    /// Cuts a row into tokens. Names that the labels do not know are left out.
    #[must_use]
    pub fn new(row: &Row, labels: &Labels, encoder: &Encoder) -> Self {
        let place = |name: &String| labels.intents.iter().position(|other| other == name).map(|at| at as u32);
        let normalised = normalise(&row.text);
        let tokens = encoder.tokens(normalised.as_str());
        let one = std::slice::from_ref(&row.intent);
        let wishes = if row.intents.is_empty() { one } else { &row.intents };
        let tags = row.slots.as_ref().map(|slots| {
            let spans: Vec<(usize, usize, usize)> = slots
                .iter()
                .filter_map(|slot| {
                    let name = labels.slots.iter().position(|other| *other == slot.name)?;
                    let (first, behind) = covered(&normalised, &tokens.spans, slot)?;
                    Some((name, first, behind))
                })
                .collect();
            tag::encode(&spans, tokens.spans.len())
        });
        let mut wishes: Vec<u32> = wishes.iter().filter_map(place).collect();
        wishes.sort_unstable();
        wishes.dedup();
        Self {
            ids: tokens.ids,
            intents: one.iter().chain(&row.also).filter_map(place).collect(),
            wishes,
            foreign: scope(row),
            tags,
            states: None,
            vector: None,
        }
    }

    /// Two messages in one, for learning to see both wishes.
    ///
    /// * `between`: tokens of what stands between them, without the signs at its ends.
    #[must_use]
    pub fn joined(&self, between: &[u32], other: &Self) -> Self {
        let mut ids = self.ids[..self.ids.len() - 1].to_vec();
        ids.extend_from_slice(between);
        ids.extend_from_slice(&other.ids[1..]);
        let tags = self.tags.as_ref().zip(other.tags.as_ref()).map(|(a, b)| {
            let mut tags = a.clone();
            tags.resize(a.len() + between.len(), 0);
            tags.extend_from_slice(b);
            tags
        });
        let mut wishes = self.wishes.clone();
        wishes.extend(&other.wishes);
        wishes.sort_unstable();
        wishes.dedup();
        Self { ids, intents: wishes.clone(), wishes, foreign: self.foreign, tags, states: None, vector: None }
    }
}

/// Whether a row is from outside of the bot's world; nobody says so of one without a label, or of one that may as well
/// be from inside.
fn scope(row: &Row) -> Option<bool> {
    let mut readings = row.readings().filter(|name| !name.is_empty()).map(|name| name == OUT_OF_SCOPE);
    let first = readings.next()?;
    readings.all(|other| other == first).then_some(first)
}

/// The tokens that an entity covers: first, and the one behind the last.
fn covered(normalised: &Normalised, tokens: &[ByteSpan], slot: &RowSlot) -> Option<(usize, usize)> {
    let byte = |n: usize| {
        let text = normalised.original();
        text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
    };
    let wanted = ByteSpan::new(byte(slot.start), byte(slot.end));
    let inside = |token: &ByteSpan| !token.is_empty() && normalised.to_original(*token).overlaps(&wanted);
    let first = tokens.iter().position(inside)?;
    let last = tokens.iter().rposition(inside)?;
    Some((first, last + 1))
}
