//! What a model says of a row, in the rows' own terms.

use std::ops::Range;

use serde::Deserialize;
use serde::Serialize;

use crate::nlu::model::Model;
use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;
use crate::training::row::Row;
use crate::training::row::RowSlot;

/// A line of a predictions file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// What was typed.
    pub text: String,
    /// The most probable intent.
    pub intent: String,
    /// Its probability, `0.0..=1.0`.
    pub confidence: f32,
    /// Probability of being from outside of the bot's world.
    pub out_of_scope: f32,
    /// All wishes, the most probable first.
    pub intents: Vec<String>,
    /// Entities; offsets count characters of the text.
    pub slots: Vec<RowSlot>,
    /// The most probable intents, at most 5.
    pub top: Vec<(String, f32)>,
}

/// Intents listed in [`Prediction::top`].
const TOP: usize = 5;

/// Reads one text with a model.
///
/// * Returns the prediction and the sentence vector, of length 1.
///
/// # Errors
/// The computation failed.
pub fn predict(model: &Model, text: &str) -> candle_core::Result<(Prediction, Vec<f32>)> {
    let normalised = normalise(text);
    let reading = model.read(normalised.as_str())?;
    let ranked = model.ranked(&reading);
    let (intent, confidence) = ranked.first().map_or(("", 0.0), |(name, share)| (*name, share.value()));
    let slots = reading.spans.iter().map(|span| {
        let place = normalised.to_original(span.span);
        let Range { start, end } = place.chars(text);
        let value = place.of(text).to_owned();
        RowSlot { name: model.labels().slots[span.slot].clone(), value, start, end, negated: false }
    });
    let prediction = Prediction {
        text: text.to_owned(),
        intent: intent.to_owned(),
        confidence,
        out_of_scope: reading.out_of_scope.value(),
        intents: model.wishes(&reading).into_iter().map(str::to_owned).collect(),
        slots: slots.collect(),
        top: ranked.iter().take(TOP).map(|(name, share)| ((*name).to_owned(), share.value())).collect(),
    };
    Ok((prediction, reading.vector))
}

/// Reads the texts of many rows with a model, in their order.
///
/// # Errors
/// The computation failed.
pub fn predict_all(model: &Model, rows: &[Row]) -> candle_core::Result<Vec<Prediction>> {
    rows.iter().map(|row| predict(model, &row.text).map(|(prediction, _)| prediction)).collect()
}

impl Prediction {
    /// Where an entity of the prediction stands, for telling which are the same.
    #[must_use]
    pub fn spans(slots: &[RowSlot]) -> Vec<(&str, ByteSpan)> {
        slots.iter().map(|slot| (slot.name.as_str(), ByteSpan::new(slot.start, slot.end))).collect()
    }
}
