//! A new intent from a handful of examples, by the heads alone.
//!
//! The encoder and the weights of the other intents stay as they are; only the new intent's own weights are fitted,
//! against rows of the other intents that the model carries along. So it takes a second, and what the model knew it
//! still knows.

use std::collections::HashMap;

use candle_core::Device;
use candle_core::Tensor;
use candle_core::Var;

use crate::nlu::artefact::SUPPORT;
use crate::nlu::artefact::SUPPORT_INTENTS;
use crate::nlu::model::Model;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::training::adam::Adam;
use crate::training::adam::AdamSettings;
use crate::training::fit::log_softmax;

/// Fewest examples.
pub const EXAMPLES_MIN: usize = 3;

/// Steps of the fit; chosen by hand, the loss has settled long before.
const STEPS: usize = 300;

/// Learning rate, falling to nothing.
const RATE: f32 = 0.02;

/// How strongly the new weights are kept small, relative to one row.
const PENALTY: f64 = 2e-3;

/// Most parts that the examples are cut into, each left out once; more would cost seconds and tell no more.
const FOLDS_MAX: usize = 8;

/// Share of the left-out examples that the network should give to the new intent; chosen by hand.
const REACHED: f32 = 0.8;

/// Share of the rows carried along that may be lost to it; chosen by hand, as a bound of half a point in a hundred.
const LOST: f32 = 0.005;

/// Why an intent cannot be taught.
#[derive(Debug, thiserror::Error)]
pub enum TeachError {
    /// It is there already.
    #[error(
        "the model knows the intent {intent:?} already; more examples of it belong into the training data"
    )]
    Known {
        /// Its name.
        intent: String,
    },
    /// Too few examples.
    #[error("{n} examples are too few for {intent:?}: at least {EXAMPLES_MIN} are needed")]
    TooFew {
        /// Its name.
        intent: String,
        /// Examples given.
        n: usize,
    },
    /// The model carries no rows of its other intents.
    #[error("the model carries no rows to tell the new intent from; train it anew")]
    NoSupport,
    /// A computation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// The tensors of a model with one more intent, which stands behind the others.
///
/// * `tensors`: of the model's file: heads and the rows that it carries along.
/// * `examples`: messages of the new intent, as customers write them.
///
/// # Errors
/// The intent is known, there are too few examples, or the model carries no rows.
pub fn teach(
    model: &Model,
    tensors: &HashMap<String, Tensor>,
    intent: &str,
    examples: &[String],
) -> Result<HashMap<String, Tensor>, TeachError> {
    let labels = model.labels();
    if intent == OUT_OF_SCOPE || labels.intents.iter().any(|known| known == intent) {
        return Err(TeachError::Known { intent: intent.to_owned() });
    }
    if examples.len() < EXAMPLES_MIN {
        return Err(TeachError::TooFew { intent: intent.to_owned(), n: examples.len() });
    }
    let get = |name: &str| tensors.get(name).cloned().ok_or(TeachError::NoSupport);
    let (support, support_intents) = (get(SUPPORT)?, get(SUPPORT_INTENTS)?);
    let (weights, bias) = (get("sentence")?, get("sentence.bias")?);
    let n_intents = labels.intents.len();
    let (old, rest) = (weights.narrow(1, 0, n_intents)?, weights.narrow(1, n_intents, n_intents + 1)?);
    let (old_bias, rest_bias) = (bias.narrow(0, 0, n_intents)?, bias.narrow(0, n_intents, n_intents + 1)?);
    let read: Vec<Normalised> = examples.iter().map(|example| normalise(example)).collect();
    let new: Vec<Tensor> =
        read.iter().map(|example| model.features(example.as_str())).collect::<candle_core::Result<_>>()?;
    let ids: Vec<Vec<u32>> =
        read.iter().map(|example| model.encoder().tokens(example.as_str()).ids).collect();
    let new = Tensor::cat(&new, 0)?;
    let old_intents = Old { weights: &old, bias: &old_bias, support: &support, intents: &support_intents };
    let (column, offset) = old_intents.told_apart(&new)?;
    let head_start = old_intents.head_start(model, &new, &ids, (&column, &offset))?;
    let offset = (offset + f64::from(head_start))?;
    let rows = Tensor::cat(&[&support, &new], 0)?;
    let mut places: Vec<f32> = support_intents.to_vec1()?;
    places.resize(rows.dim(0)?, n_intents as f32);
    let (presence, foreign) = (rest.narrow(1, 0, n_intents)?, rest.narrow(1, n_intents, 1)?);
    let (presence_bias, foreign_bias) =
        (rest_bias.narrow(0, 0, n_intents)?, rest_bias.narrow(0, n_intents, 1)?);
    // As one wish among several it is never reported: five rows do not tell when it is.
    let never = Tensor::full(-20.0_f32, 1, &Device::Cpu)?;
    let mut taught = tensors.clone();
    taught.extend(model.grams().with_class(n_intents, &ids).tensors()?);
    let wide = Tensor::cat(&[&old, &column, &presence, &column.zeros_like()?, &foreign], 1)?;
    let tall = Tensor::cat(&[&old_bias, &offset, &presence_bias, &never, &foreign_bias], 0)?;
    taught.insert("sentence".to_owned(), wide);
    taught.insert("sentence.bias".to_owned(), tall);
    taught.insert(SUPPORT.to_owned(), rows);
    let n = places.len();
    taught.insert(SUPPORT_INTENTS.to_owned(), Tensor::from_vec(places, n, &Device::Cpu)?);
    Ok(taught)
}

/// What a model knows of its intents: heads, and rows that it carries along.
struct Old<'a> {
    /// `[2 · width, n_intents]`.
    weights: &'a Tensor,
    bias: &'a Tensor,
    /// `[n_rows, 2 · width]`.
    support: &'a Tensor,
    intents: &'a Tensor,
}

impl Old<'_> {
    fn logits(&self, rows: &Tensor) -> candle_core::Result<Tensor> {
        rows.matmul(self.weights)?.broadcast_add(self.bias)
    }

    /// Weights `[2 · width, 1]` and offset `[1]` of a new intent with these rows, fitted beside the old ones.
    fn told_apart(&self, new: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        let (n_old, n_new, width) = (self.support.dim(0)?, new.dim(0)?, new.dim(1)?);
        let n_intents = self.weights.dim(1)?;
        let rows = Tensor::cat(&[self.support, new], 0)?;
        // The new intent's rows together weigh at least as much as those of an intent that the model carries along.
        let per_intent = n_old as f32 / n_intents.max(1) as f32;
        let mut weight = vec![1.0_f32; n_old];
        weight.extend(std::iter::repeat_n((per_intent / n_new as f32).max(1.0), n_new));
        let total: f32 = weight.iter().sum();
        let weight = Tensor::from_vec(weight, (n_old + n_new, 1), &Device::Cpu)?;
        let mut target: Vec<u32> = self.intents.to_vec1::<f32>()?.into_iter().map(|at| at as u32).collect();
        target.extend(std::iter::repeat_n(n_intents as u32, n_new));
        let target = Tensor::from_vec(target, (n_old + n_new, 1), &Device::Cpu)?;
        let known = self.logits(&rows)?;
        // A start in the middle of the examples, seen from the middle of the rest.
        let apart = (new.mean_keepdim(0)? - self.support.mean_keepdim(0)?)?;
        let length = apart.sqr()?.sum_all()?.to_scalar::<f32>()?.max(1e-6);
        let column = Var::from_tensor(&(apart.reshape((width, 1))? * f64::from(4.0 / length))?)?;
        let offset = Var::from_vec(vec![0.0_f32], 1, &Device::Cpu)?;
        let settings = AdamSettings { decay: 0.0, ..AdamSettings::default() };
        let mut adam = Adam::new(
            settings,
            vec![("column".into(), column.clone(), 1.0), ("offset".into(), offset.clone(), 1.0)],
        );
        for step in 0..STEPS {
            let own = rows.matmul(column.as_tensor())?.broadcast_add(offset.as_tensor())?;
            let logits = Tensor::cat(&[&known, &own], 1)?;
            let cross = (log_softmax(&logits)?.gather(&target, 1)? * &weight)?.sum_all()?.neg()?;
            let loss = ((cross / f64::from(total))? + (column.as_tensor().sqr()?.sum_all()? * PENALTY)?)?;
            let gradients = loss.backward()?;
            let by_variable = vec![gradients.get(&column).cloned(), gradients.get(&offset).cloned()];
            adam.step(&[by_variable], RATE * (1.0 - step as f32 / STEPS as f32))?;
        }
        Ok((column.as_detached_tensor(), offset.as_detached_tensor()))
    }

    /// What is added to the new intent's offset so that messages like the examples, but other ones, reach it.
    ///
    /// The network and its phrases know thousands of rows of each old intent and a handful of the new one, so that a
    /// new message of it looks more like an old intent. By how much, is seen on examples that were left out of the
    /// fit; the phrases' part of it is made up for as it is, the network's only as far as hardly a row that the model
    /// carries along is lost.
    ///
    /// * `ids`: tokens of the examples.
    /// * `fitted`: weights and offset of the new intent.
    fn head_start(
        &self,
        model: &Model,
        new: &Tensor,
        ids: &[Vec<u32>],
        fitted: (&Tensor, &Tensor),
    ) -> candle_core::Result<f32> {
        let n = ids.len();
        let n_intents = self.weights.dim(1)?;
        let n_folds = n.min(FOLDS_MAX);
        let (mut behind, mut phrases_behind) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for fold in 0..n_folds {
            let (held, learned): (Vec<u32>, Vec<u32>) =
                (0..n as u32).partition(|at| *at as usize % n_folds == fold);
            let of = |places: &[u32]| new.index_select(&Tensor::new(places, &Device::Cpu)?, 0);
            let (apart, offset) = self.told_apart(&of(&learned)?)?;
            let held_rows = of(&held)?;
            let own: Vec<f32> = held_rows.matmul(&apart)?.broadcast_add(&offset)?.flatten_all()?.to_vec1()?;
            let others: Vec<f32> = self.logits(&held_rows)?.max(1)?.to_vec1()?;
            behind.extend(others.iter().zip(&own).map(|(other, own)| other - own));
            let learned: Vec<Vec<u32>> = learned.iter().map(|at| ids[*at as usize].clone()).collect();
            let grams = model.grams().with_class(n_intents, &learned);
            phrases_behind.extend(held.iter().map(|at| {
                let scores = grams.scores(&ids[*at as usize]);
                scores[..n_intents].iter().copied().fold(f32::MIN, f32::max) - scores[n_intents]
            }));
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
        // So far ahead of the new intent is the best old one on rows of its own.
        let own = self.support.matmul(fitted.0)?.broadcast_add(fitted.1)?.flatten_all()?.to_vec1::<f32>()?;
        let best = self.logits(self.support)?.max(1)?.to_vec1::<f32>()?;
        let mut ahead: Vec<f32> = best.iter().zip(&own).map(|(best, own)| best - own).collect();
        ahead.sort_by(f32::total_cmp);
        behind.sort_by(f32::total_cmp);
        let reached = behind[(REACHED * (n - 1) as f32).round() as usize];
        let lost = ahead[(LOST * ahead.len() as f32) as usize];
        let by_phrases = model.calibration().gram_weight * mean(&phrases_behind).max(0.0);
        Ok(reached.max(0.0).min(lost.max(0.0)) + by_phrases)
    }
}
