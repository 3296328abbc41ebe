//! What the phrases of a message say by themselves: a linear reading of its characters and pairs of characters,
//! beside the network.
//!
//! The network generalises, a linear reading remembers: few rows teach it that 抬头 is an invoice. Their mistakes
//! differ, so that the two together are right more often than either. It takes microseconds.

use std::collections::HashMap;

use candle_core::Device;
use candle_core::Tensor;

use crate::encoder::EncoderError;

/// A token and the one behind it, or a token and [`ALONE`].
pub type Gram = [u32; 2];

/// Stands behind a token that is read alone.
pub const ALONE: u32 = u32::MAX;

/// Names of the tensors in a model's file.
const NAMES: [&str; 4] = ["grams", "grams.rarity", "grams.weights", "grams.bias"];

/// Phrases with a weight for every class.
#[derive(Clone, Debug)]
pub struct Grams {
    grams: Vec<Gram>,
    places: HashMap<Gram, u32>,
    /// Of each phrase: the rarer it was in the rows, the more it says.
    rarity: Vec<f32>,
    /// `[n_grams, n_classes]`, row by row.
    weights: Vec<f32>,
    /// `[n_classes]`.
    bias: Vec<f32>,
}

/// The phrases of a message, in order, one as often as it occurs.
///
/// * `ids`: tokens with the signs for begin and end, which make pairs but do not stand alone.
pub fn grams(ids: &[u32]) -> impl Iterator<Item = Gram> {
    let inner = ids.get(1..ids.len().max(1) - 1).unwrap_or_default();
    let alone = inner.iter().map(|id| [*id, ALONE]);
    alone.chain(ids.windows(2).map(|pair| [pair[0], pair[1]]))
}

impl Grams {
    /// Phrases that say nothing yet.
    ///
    /// * `rarity`: of each phrase.
    #[must_use]
    pub fn new(grams: Vec<Gram>, rarity: Vec<f32>, n_classes: usize) -> Self {
        let weights = vec![0.0; grams.len() * n_classes];
        Self::put_together(grams, rarity, weights, vec![0.0; n_classes])
    }

    fn put_together(grams: Vec<Gram>, rarity: Vec<f32>, weights: Vec<f32>, bias: Vec<f32>) -> Self {
        let places = grams.iter().enumerate().map(|(at, gram)| (*gram, at as u32)).collect();
        Self { grams, places, rarity, weights, bias }
    }

    /// What it tells apart.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.bias.len()
    }

    /// Known phrases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.grams.len()
    }

    /// Whether it knows no phrase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grams.is_empty()
    }

    /// The known phrases of a message by place, each with its share: more of them the rarer and the more often it
    /// occurs; the squares of the shares sum to 1.
    #[must_use]
    pub fn shares(&self, ids: &[u32]) -> Vec<(u32, f32)> {
        let mut found: Vec<u32> = grams(ids).filter_map(|gram| self.places.get(&gram).copied()).collect();
        found.sort_unstable();
        let mut shares: Vec<(u32, f32)> = found
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0], (1.0 + (same.len() as f32).ln()) * self.rarity[same[0] as usize]))
            .collect();
        let length = shares.iter().map(|(_, share)| share * share).sum::<f32>().sqrt();
        shares.iter_mut().for_each(|(_, share)| *share /= length);
        shares
    }

    /// How much the phrases of a message speak for each class, `[n_classes]`: about 1 for, about -1 against.
    ///
    /// * `ids`: tokens with the signs for begin and end.
    #[must_use]
    pub fn scores(&self, ids: &[u32]) -> Vec<f32> {
        let mut scores = self.bias.clone();
        for (place, share) in self.shares(ids) {
            let row = &self.weights[place as usize * scores.len()..][..scores.len()];
            scores.iter_mut().zip(row).for_each(|(score, weight)| *score += share * weight);
        }
        scores
    }

    /// Sets what speaks for one class.
    ///
    /// * `weights`: of every phrase.
    pub fn set(&mut self, class: usize, weights: &[f32], bias: f32) {
        let n_classes = self.n_classes();
        for (row, weight) in self.weights.chunks_exact_mut(n_classes).zip(weights) {
            row[class] = *weight;
        }
        self.bias[class] = bias;
    }

    /// With one more class before class `at`, told by its likeness to examples: 1 for a message with their phrases,
    /// -1 for one with none of them.
    #[must_use]
    pub fn with_class(&self, at: usize, examples: &[Vec<u32>]) -> Self {
        let mut middle = vec![0.0; self.len()];
        for (place, share) in examples.iter().flat_map(|ids| self.shares(ids)) {
            middle[place as usize] += share;
        }
        let length = middle.iter().map(|share| share * share).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        let n_classes = self.n_classes();
        let mut weights = Vec::with_capacity(self.len() * (n_classes + 1));
        for (place, share) in middle.iter().enumerate() {
            let row = &self.weights[place * n_classes..][..n_classes];
            weights.extend_from_slice(&row[..at]);
            weights.push(2.0 * share / length);
            weights.extend_from_slice(&row[at..]);
        }
        let mut bias = self.bias.clone();
        bias.insert(at, -1.0);
        Self::put_together(self.grams.clone(), self.rarity.clone(), weights, bias)
    }

    /// As tensors for a model's file.
    ///
    /// # Errors
    /// As candle's.
    pub fn tensors(&self) -> candle_core::Result<HashMap<String, Tensor>> {
        let (n_grams, n_classes) = (self.len(), self.n_classes());
        let flat: Vec<u32> = self.grams.iter().flatten().copied().collect();
        let tensors = [
            Tensor::from_vec(flat, (n_grams, 2), &Device::Cpu)?,
            Tensor::from_slice(&self.rarity, n_grams, &Device::Cpu)?,
            Tensor::from_slice(&self.weights, (n_grams, n_classes), &Device::Cpu)?,
            Tensor::from_slice(&self.bias, n_classes, &Device::Cpu)?,
        ];
        Ok(NAMES.iter().map(|name| (*name).to_owned()).zip(tensors).collect())
    }

    /// From the tensors of a model's file.
    ///
    /// * `n_classes`: what the model's labels call for.
    ///
    /// # Errors
    /// One is missing or has another shape.
    pub fn from_tensors(tensors: &HashMap<String, Tensor>, n_classes: usize) -> Result<Self, EncoderError> {
        let get = |at: usize, dims: &dyn Fn(&[usize]) -> Option<Vec<usize>>| {
            let name = NAMES[at];
            let tensor = tensors.get(name).ok_or_else(|| EncoderError::Missing { name: name.into() })?;
            match dims(tensor.dims()) {
                None => Ok(tensor),
                Some(expected) => {
                    let found = tensor.dims().to_vec();
                    Err(EncoderError::Shaped { name: name.into(), found, expected })
                }
            }
        };
        let grams = get(0, &|dims| (dims.len() != 2 || dims[1] != 2).then(|| vec![dims[0], 2]))?;
        let n_grams = grams.dims()[0];
        let as_expected =
            |expected: Vec<usize>| move |dims: &[usize]| (dims != expected).then(|| expected.clone());
        let rarity = get(1, &as_expected(vec![n_grams]))?;
        let weights = get(2, &as_expected(vec![n_grams, n_classes]))?;
        let bias = get(3, &as_expected(vec![n_classes]))?;
        let pairs: Vec<u32> = grams.flatten_all()?.to_vec1()?;
        Ok(Self::put_together(
            pairs.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect(),
            rarity.to_vec1()?,
            weights.flatten_all()?.to_vec1()?,
            bias.to_vec1()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrases of two classes: token 5 speaks for the first, the pair 5 6 for the second.
    fn two_classes() -> Grams {
        let mut grams = Grams::new(vec![[5, ALONE], [5, 6]], vec![1.0, 2.0], 2);
        grams.set(0, &[1.0, 0.0], -0.5);
        grams.set(1, &[0.0, 1.0], 0.25);
        grams
    }

    #[test]
    fn phrases_of_a_message() {
        let found: Vec<Gram> = grams(&[0, 5, 6, 2]).collect();
        assert_eq!(found, [[5, ALONE], [6, ALONE], [0, 5], [5, 6], [6, 2]]);
        assert_eq!(grams(&[0, 2]).collect::<Vec<_>>(), [[0, 2]]);
        assert_eq!(grams(&[]).count(), 0);
    }

    #[test]
    fn shares_are_of_length_one_and_grow_with_rarity() {
        let found = two_classes().shares(&[0, 5, 6, 2]);
        assert_eq!(found.len(), 2);
        assert!((found[1].1 / found[0].1 - 2.0).abs() < 1e-6, "{found:?}");
        assert!((found.iter().map(|(_, share)| share * share).sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(two_classes().shares(&[0, 9, 2]).is_empty());
    }

    #[test]
    fn scores_by_hand() {
        let length = 5.0_f32.sqrt();
        let found = two_classes().scores(&[0, 5, 6, 2]);
        assert!((found[0] - (1.0 / length - 0.5)).abs() < 1e-6, "{found:?}");
        assert!((found[1] - (2.0 / length + 0.25)).abs() < 1e-6, "{found:?}");
        assert_eq!(two_classes().scores(&[0, 9, 2]), [-0.5, 0.25]);
    }

    #[test]
    fn a_class_more_is_told_by_likeness_and_the_others_stay() {
        let before = two_classes();
        let after = before.with_class(1, &[vec![0, 5, 6, 2]]);
        let (known, other) = (after.scores(&[0, 5, 6, 2]), after.scores(&[0, 9, 2]));
        assert!((known[1] - 1.0).abs() < 1e-6 && (other[1] + 1.0).abs() < 1e-6, "{known:?} {other:?}");
        assert_eq!([known[0], known[2]], before.scores(&[0, 5, 6, 2])[..]);
    }

    #[test]
    fn tensors_come_back() {
        let grams = two_classes();
        let back = Grams::from_tensors(&grams.tensors().unwrap(), 2).unwrap();
        assert_eq!(back.scores(&[0, 5, 6, 2]), grams.scores(&[0, 5, 6, 2]));
        let error = Grams::from_tensors(&grams.tensors().unwrap(), 3).unwrap_err().to_string();
        assert!(error.contains("grams.weights"), "{error}");
    }
}
