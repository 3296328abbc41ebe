//! A new intent from a handful of examples, by the heads alone.
//!
//! The encoder and the weights of the other intents stay as they are; only the new intent's own weights are fitted,
//! against rows of the other intents that the model carries along. So it takes a second, and what the model knew it
//! still knows.

use std::collections::HashMap;

use candle_core::D;
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

/// Fewest examples.
pub const EXAMPLES_MIN: usize = 3;

/// Steps of the fit; chosen by hand, the loss has settled long before.
const STEPS: usize = 300;

/// Learning rate, falling to nothing.
const RATE: f32 = 0.02;

/// How strongly the new weights are kept small, relative to one row.
const PENALTY: f64 = 2e-3;

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
    let rows = Tensor::cat(&[&support, &new], 0)?;
    // The new intent's rows together weigh at least as much as those of an intent that the model carries along.
    let per_intent = support.dim(0)? as f32 / n_intents.max(1) as f32;
    let mut weight = vec![1.0_f32; support.dim(0)?];
    weight.extend(std::iter::repeat_n((per_intent / examples.len() as f32).max(1.0), examples.len()));
    let total: f32 = weight.iter().sum();
    let weight = Tensor::from_vec(weight, (rows.dim(0)?, 1), &Device::Cpu)?;
    let mut target: Vec<u32> = support_intents.to_vec1::<f32>()?.into_iter().map(|at| at as u32).collect();
    target.extend(std::iter::repeat_n(n_intents as u32, examples.len()));
    let target = Tensor::from_vec(target, (rows.dim(0)?, 1), &Device::Cpu)?;
    let known = rows.matmul(&old)?.broadcast_add(&old_bias)?;
    let width = rows.dim(1)?;
    // A start in the middle of the examples, seen from the middle of the rest.
    let apart = (new.mean_keepdim(0)? - support.mean_keepdim(0)?)?;
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
        let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
        let log_share = shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)?;
        let cross = (log_share.gather(&target, 1)? * &weight)?.sum_all()?.neg()?;
        let loss = ((cross / f64::from(total))? + (column.as_tensor().sqr()?.sum_all()? * PENALTY)?)?;
        let gradients = loss.backward()?;
        let by_variable = vec![gradients.get(&column).cloned(), gradients.get(&offset).cloned()];
        adam.step(&[by_variable], RATE * (1.0 - step as f32 / STEPS as f32))?;
    }
    let (column, offset) = (column.as_detached_tensor(), offset.as_detached_tensor());
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
    let places: Vec<f32> = target.flatten_all()?.to_vec1::<u32>()?.into_iter().map(|at| at as f32).collect();
    let n = places.len();
    taught.insert(SUPPORT_INTENTS.to_owned(), Tensor::from_vec(places, n, &Device::Cpu)?);
    Ok(taught)
}
