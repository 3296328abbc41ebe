//! The network's reading of a message: intent, entities and sentence vector in one pass over the encoder.

use std::collections::HashMap;
use std::ops::Range;

use candle_core::Tensor;

use crate::encoder::Encoder;
use crate::encoder::EncoderError;
use crate::encoder::States;
use crate::encoder::kernel;
use crate::encoder::lanes::Lanes;
use crate::encoder::unit;
use crate::nlu::gram::Grams;
use crate::nlu::tag;
use crate::probability::Probability;
use crate::text::span::ByteSpan;

/// The intent that a data file gives to messages from outside of the bot's world.
pub const OUT_OF_SCOPE: &str = "out_of_scope";

/// What a model tells apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Labels {
    /// Intents, [`OUT_OF_SCOPE`] not among them.
    pub intents: Vec<String>,
    /// Entities.
    pub slots: Vec<String>,
    /// Whether the training data spoke of [`OUT_OF_SCOPE`], so that it is an answer and not only a score.
    pub declines: bool,
}

/// From the network's raw outputs to probabilities, fitted on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// How much the score of an intent's phrases adds to its logit.
    pub gram_weight: f32,
    /// Logits of intents, phrases added, are divided by it; above 0.
    pub temperature: f32,
    /// Log-odds of being foreign: a constant, and the weights of [`ScopeSigns`] in order.
    pub scope: [f32; 5],
    /// From this probability of being foreign on, the message is out of scope.
    pub scope_threshold: f32,
    /// From this probability on, a second intent is reported.
    pub presence_threshold: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            gram_weight: 0.0,
            temperature: 1.0,
            scope: [0.0, 1.0, 0.0, 0.0, 0.0],
            scope_threshold: 0.5,
            presence_threshold: 0.5,
        }
    }
}

/// What tells a message from outside of the bot's world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScopeSigns {
    /// Logit of the network's head for it.
    pub foreign: f32,
    /// Log-sum of the intents' logits: a low one says that none of them was moved.
    pub sum: f32,
    /// Score of its phrases for being foreign.
    pub grams: f32,
    /// Highest score of its phrases for an intent, -1 at least.
    pub nearest: f32,
}

impl ScopeSigns {
    /// Takes them from raw outputs.
    ///
    /// * `logits`: of the intents, from the network alone.
    /// * `grams`: of the intents and of being foreign.
    #[must_use]
    pub fn new(foreign: f32, logits: &[f32], grams: &[f32]) -> Self {
        let (of_foreign, of_intents) = grams.split_last().unwrap_or((&0.0, &[]));
        Self {
            foreign,
            sum: if logits.is_empty() { 0.0 } else { log_sum(logits) },
            grams: *of_foreign,
            nearest: of_intents.iter().copied().fold(-1.0, f32::max),
        }
    }
}

/// The last linear layers.
#[derive(Clone, Debug)]
pub struct Heads {
    /// `[2 · width, 2 · n_intents + 1]`, over the mean and the first token: intents that exclude one another,
    /// intents each for itself, and being foreign.
    sentence: Tensor,
    sentence_bias: Tensor,
    /// `[width, n_tags]`.
    tags: Tensor,
    tags_bias: Tensor,
}

/// Raw outputs for a batch.
#[derive(Debug)]
pub struct Outputs {
    /// `[n_sentences, n_intents]`: which one.
    pub intents: Tensor,
    /// `[n_sentences, n_intents]`: each for itself.
    pub presence: Tensor,
    /// `[n_sentences, 1]`.
    pub foreign: Tensor,
    /// `[n_inner_tokens, n_tags]`.
    pub tags: Tensor,
    /// `[n_sentences, width]`, of length 1.
    pub vectors: Tensor,
    /// What intents are told by, `[n_sentences, 2 · width]`.
    pub features: Tensor,
}

/// What the network makes of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Probabilities of all intents in order of the labels, given that the message is in scope; they sum to 1.
    pub intents: Vec<f32>,
    /// Probability that each intent is among the wishes, whatever the others.
    pub presence: Vec<f32>,
    /// Probability of being from outside of the bot's world.
    pub out_of_scope: Probability,
    /// Entities, in order.
    pub spans: Vec<SpanReading>,
    /// Sentence vector, of length 1.
    pub vector: Vec<f32>,
    /// Whether the message was longer than the encoder reads.
    pub cut: bool,
}

/// An entity as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpanReading {
    /// Place in [`Labels::slots`].
    pub slot: usize,
    /// Where it stands in the normal form.
    pub span: ByteSpan,
    /// How sure the network is of its least sure token.
    pub confidence: Probability,
}

/// Encoder and heads with the names of what they tell apart.
#[derive(Debug)]
pub struct Model {
    encoder: Encoder,
    heads: Heads,
    grams: Grams,
    labels: Labels,
    calibration: Calibration,
    lanes: Lanes,
}

/// Names and shapes of the heads' tensors.
#[must_use]
pub fn head_shapes(labels: &Labels) -> [(&'static str, Vec<usize>); 4] {
    let n_outputs = 2 * labels.intents.len() + 1;
    let n_tags = tag::n_tags(labels.slots.len());
    [
        ("sentence", vec![2 * kernel::WIDTH, n_outputs]),
        ("sentence.bias", vec![n_outputs]),
        ("tags", vec![kernel::WIDTH, n_tags]),
        ("tags.bias", vec![n_tags]),
    ]
}

impl Heads {
    /// Takes the tensors of [`head_shapes`].
    ///
    /// # Errors
    /// One is missing or has another shape.
    pub fn new(labels: &Labels, tensors: &HashMap<String, Tensor>) -> Result<Self, EncoderError> {
        let mut found = Vec::new();
        for (name, expected) in head_shapes(labels) {
            let tensor = tensors.get(name).ok_or_else(|| EncoderError::Missing { name: name.into() })?;
            if tensor.dims() != expected {
                let found = tensor.dims().to_vec();
                return Err(EncoderError::Shaped { name: name.into(), found, expected });
            }
            found.push(tensor.clone());
        }
        let [sentence, sentence_bias, tags, tags_bias] =
            <[Tensor; 4]>::try_from(found).expect("four shapes gave four tensors");
        Ok(Self { sentence, sentence_bias, tags, tags_bias })
    }

    /// The heads over the encoder's last states.
    ///
    /// * `masks`: dropout for the sentence `[n_sentences, 2 · width]` and the tokens `[n_inner_tokens, width]`;
    ///   `None` when answering.
    ///
    /// # Errors
    /// As candle's.
    pub fn forward(&self, states: &States, masks: Option<&(Tensor, Tensor)>) -> candle_core::Result<Outputs> {
        let means = states.means()?;
        let features = features(&means, states)?;
        let mut sentence = features.clone();
        let mut tokens = states.inner()?.tokens;
        if let Some((sentence_mask, token_mask)) = masks {
            sentence = (sentence * sentence_mask)?;
            tokens = (tokens * token_mask)?;
        }
        let outputs = sentence.matmul(&self.sentence)?.broadcast_add(&self.sentence_bias)?;
        let n_intents = (outputs.dim(1)? - 1) / 2;
        Ok(Outputs {
            intents: outputs.narrow(1, 0, n_intents)?,
            presence: outputs.narrow(1, n_intents, n_intents)?,
            foreign: outputs.narrow(1, 2 * n_intents, 1)?,
            tags: tokens.matmul(&self.tags)?.broadcast_add(&self.tags_bias)?,
            vectors: unit(&means)?,
            features,
        })
    }
}

/// What intents are told by: the mean over a sentence's tokens beside its first token, `[n_sentences, 2 · width]`.
fn features(means: &Tensor, states: &States) -> candle_core::Result<Tensor> {
    Tensor::cat(&[means, &states.firsts()?], 1)
}

impl Model {
    /// Puts a model together.
    ///
    /// * `grams`: with a class for each intent and one for being foreign.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(
        encoder: Encoder,
        heads: Heads,
        grams: Grams,
        labels: Labels,
        calibration: Calibration,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        Ok(Self { encoder, heads, grams, labels, calibration, lanes: Lanes::new()? })
    }

    /// What it tells apart.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// From logits to probabilities.
    #[must_use]
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The encoder below the heads.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Reads a message.
    ///
    /// * `text`: in normal form; may be empty.
    ///
    /// # Errors
    /// The computation failed, which weights that loaded do not let happen.
    pub fn read(&self, text: &str) -> candle_core::Result<Reading> {
        self.lanes.run(|| self.read_here(text))
    }

    /// Sentence vectors of many texts in their order, the same that [`Self::read`] gives for each.
    ///
    /// * `texts`: in normal form; may be empty.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn vectors(&self, texts: &[&str]) -> candle_core::Result<Vec<Vec<f32>>> {
        self.lanes.vectors(&self.encoder, texts)
    }

    /// What speaks by phrases beside the network.
    #[must_use]
    pub fn grams(&self) -> &Grams {
        &self.grams
    }

    /// What the network tells the intents of a message by, `[1, 2 · width]`.
    ///
    /// * `text`: in normal form.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn features(&self, text: &str) -> candle_core::Result<Tensor> {
        let states = self.encoder.encode(&[&self.encoder.tokens(text).ids])?;
        features(&states.means()?, &states)
    }

    fn read_here(&self, text: &str) -> candle_core::Result<Reading> {
        let tokens = self.encoder.tokens(text);
        let outputs = self.heads.forward(&self.encoder.encode(&[&tokens.ids])?, None)?;
        let grams = self.grams.scores(&tokens.ids);
        let logits: Vec<f32> = outputs.intents.flatten_all()?.to_vec1()?;
        let presence: Vec<f32> = outputs.presence.flatten_all()?.to_vec1()?;
        let foreign: Vec<f32> = outputs.foreign.flatten_all()?.to_vec1()?;
        let mut tags: Vec<f32> = outputs.tags.flatten_all()?.to_vec1()?;
        let n_slots = self.labels.slots.len();
        for row in tags.chunks_exact_mut(tag::n_tags(n_slots)) {
            let total = log_sum(row);
            row.iter_mut().for_each(|logit| *logit -= total);
        }
        let spans = tag::decode(&tags, n_slots)
            .into_iter()
            .filter_map(|span| {
                let (first, last) = (tokens.spans[span.first], tokens.spans[span.behind - 1]);
                Some(SpanReading {
                    slot: span.slot,
                    span: trimmed(text, first.start..last.end)?,
                    confidence: Probability::from_share(span.confidence),
                })
            })
            .collect();
        Ok(Reading {
            out_of_scope: out_of_scope(&self.calibration, ScopeSigns::new(foreign[0], &logits, &grams)),
            intents: calibrated(&together(&logits, &grams, &self.calibration), self.calibration.temperature),
            presence: presence.into_iter().map(|logit| Probability::from_logit(logit).value()).collect(),
            spans,
            vector: outputs.vectors.flatten_all()?.to_vec1()?,
            cut: tokens.cut,
        })
    }

    /// The intents of a reading with their probabilities, which sum to 1, [`OUT_OF_SCOPE`] among them where the model
    /// declines. The most probable comes first, but that [`OUT_OF_SCOPE`] is first if, and only if, the message is
    /// foreign by the fitted threshold.
    #[must_use]
    pub fn ranked(&self, reading: &Reading) -> Vec<(&str, Probability)> {
        let foreign = if self.labels.declines { reading.out_of_scope.value() } else { 0.0 };
        let mut ranked: Vec<(&str, Probability)> = self
            .labels
            .intents
            .iter()
            .zip(&reading.intents)
            .map(|(name, share)| (name.as_str(), Probability::from_share(share * (1.0 - foreign))))
            .collect();
        if self.labels.declines {
            ranked.push((OUT_OF_SCOPE, reading.out_of_scope));
        }
        ranked.sort_by(|a, b| b.1.total_cmp(a.1));
        if let Some(place) = ranked.iter().position(|(name, _)| *name == OUT_OF_SCOPE) {
            if self.is_foreign(reading) {
                ranked[..=place].rotate_right(1);
            } else if place == 0 && ranked.len() > 1 {
                ranked.swap(0, 1);
            }
        }
        ranked
    }

    /// Whether the message is from outside of the bot's world.
    #[must_use]
    pub fn is_foreign(&self, reading: &Reading) -> bool {
        reading.out_of_scope.value() >= self.calibration.scope_threshold
    }

    /// All wishes of a message: the most probable intent, and every other that is surely there too.
    #[must_use]
    pub fn wishes(&self, reading: &Reading) -> Vec<&str> {
        let first = self.ranked(reading).first().map(|(name, _)| *name);
        let mut wishes: Vec<&str> = first.into_iter().collect();
        if first == Some(OUT_OF_SCOPE) {
            return wishes;
        }
        let mut others: Vec<(&str, f32)> = self
            .labels
            .intents
            .iter()
            .zip(&reading.presence)
            .filter(|(name, share)| {
                **share >= self.calibration.presence_threshold && Some(name.as_str()) != first
            })
            .map(|(name, share)| (name.as_str(), *share))
            .collect();
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        wishes.extend(others.into_iter().map(|(name, _)| name));
        wishes
    }
}

/// How sure we are of each intent, on a scale where 0.8 is right about 8 times in 10.
///
/// * `logits`: `[n_intents]`, finite, unnormalised.
/// * `temperature`: above 0. Above 1 softens, 1 leaves as is; the ranking never changes.
/// * Returns `[n_intents]`, each in `0.0..=1.0`, summing to 1 within 1e-5. Empty in, empty out.
///
/// Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
///
/// ```
/// use yingda::nlu::model::calibrated;
/// let cold = calibrated(&[2.0, 0.0], 1.0);
/// let warm = calibrated(&[2.0, 0.0], 2.0);
/// assert!(cold[0] > warm[0] && warm[0] > 0.5);
/// ```
#[must_use]
pub fn calibrated(logits: &[f32], temperature: f32) -> Vec<f32> {
    let scaled: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
    let total = log_sum(&scaled);
    scaled.iter().map(|logit| (logit - total).exp()).collect()
}

/// Logits of the intents with what their phrases add.
///
/// * `grams`: of the intents, and anything behind them.
#[must_use]
pub fn together(logits: &[f32], grams: &[f32], calibration: &Calibration) -> Vec<f32> {
    logits.iter().zip(grams).map(|(logit, score)| logit + calibration.gram_weight * score).collect()
}

/// The probability of being foreign.
#[must_use]
pub fn out_of_scope(calibration: &Calibration, signs: ScopeSigns) -> Probability {
    let [constant, by_head, by_sum, by_grams, by_nearest] = calibration.scope;
    let odds =
        by_head * signs.foreign + by_sum * signs.sum + by_grams * signs.grams + by_nearest * signs.nearest;
    Probability::from_logit(constant + odds)
}

/// Logarithm of the sum of exponentials.
#[must_use]
pub fn log_sum(logits: &[f32]) -> f32 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    highest + logits.iter().map(|logit| (logit - highest).exp()).sum::<f32>().ln()
}

/// The range without blanks and signs at its ends; `None` when nothing is left.
fn trimmed(text: &str, range: Range<usize>) -> Option<ByteSpan> {
    let said = text.get(range.clone())?;
    let noise = |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '?' | '!' | '。' | '、' | '，' | '~');
    let front = said.len() - said.trim_start_matches(noise).len();
    let inner = said.trim_matches(noise);
    (!inner.is_empty()).then(|| ByteSpan::new(range.start + front, range.start + front + inner.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_signs_end_no_entity() {
        assert_eq!(trimmed("a 黑色,b", 1..9), Some(ByteSpan::new(2, 8)));
        assert_eq!(trimmed("a ,b", 1..3), None);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let found = calibrated(&[400.0, -400.0, 3.0], 0.7);
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{found:?}");
        assert!(calibrated(&[], 1.0).is_empty());
    }

    #[test]
    fn a_low_sum_of_logits_makes_foreign() {
        let calibration = Calibration { scope: [0.0, 1.0, -1.0, 0.0, 0.0], ..Calibration::default() };
        let near = out_of_scope(&calibration, ScopeSigns::new(0.0, &[5.0, 0.0], &[]));
        let far = out_of_scope(&calibration, ScopeSigns::new(0.0, &[-3.0, -4.0], &[]));
        assert!(far.value() > 0.9 && near.value() < 0.1, "{far:?} {near:?}");
    }
}
