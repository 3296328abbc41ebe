//! How well sentence vectors alone find the entry that answers a question: watched so that training does not cost it.

use std::path::Path;
use std::path::PathBuf;

use candle_core::Tensor;

use crate::encoder::Encoder;
use crate::encoder::unit;
use crate::knowledge;
use crate::text::normalise::normalise;
use crate::training::lines::LinesError;
use crate::training::question;

/// Questions of the bot that are measured with, below its folder.
const QUESTIONS: &str = "questions/choose.jsonl";

/// An entry further down than this counts as not found; the usual depth of such figures.
const RANKS: usize = 10;

/// Sentences run through the encoder at once.
const BATCH: usize = 32;

/// Tokens of questions and of the phrasings to find.
#[derive(Clone, Debug, Default)]
pub struct Retrieval {
    /// The question and the entries that settle it.
    questions: Vec<(Vec<u32>, Vec<usize>)>,
    /// A way of asking and the entry that it belongs to.
    phrasings: Vec<(Vec<u32>, usize)>,
    n_entries: usize,
}

/// Why there is nothing to measure with.
#[derive(Debug, thiserror::Error)]
pub enum RetrievalError {
    /// The bot's folder cannot be read.
    #[error("{} holds no bot that can be read; `yingda check` tells why", folder.display())]
    Knowledge {
        /// The folder.
        folder: PathBuf,
    },
    /// Its questions cannot be read.
    #[error(transparent)]
    Questions(#[from] LinesError),
}

impl Retrieval {
    /// Takes entries and labelled questions of a bot.
    ///
    /// # Errors
    /// The folder holds no bot, or no questions.
    pub fn read(folder: &Path, encoder: &Encoder) -> Result<Self, RetrievalError> {
        let known = knowledge::load(folder)
            .knowledge
            .ok_or_else(|| RetrievalError::Knowledge { folder: folder.to_owned() })?;
        let tokens = |text: &str| encoder.tokens(normalise(text).as_str()).ids;
        let place = |id: &String| known.entries.iter().position(|entry| entry.id == *id);
        let path = folder.join(QUESTIONS);
        let questions = question::read(&path)?
            .iter()
            .map(|question| (tokens(&question.text), question.relevant.iter().filter_map(place).collect()))
            .filter(|(_, relevant): &(_, Vec<usize>)| !relevant.is_empty())
            .collect();
        let phrasings = known
            .entries
            .iter()
            .enumerate()
            .flat_map(|(at, entry)| {
                std::iter::once(&entry.question).chain(&entry.phrasings).map(move |text| (at, text))
            })
            .map(|(at, text)| (tokens(text), at))
            .collect();
        Ok(Self { questions, phrasings, n_entries: known.entries.len() })
    }

    /// Mean reciprocal rank of the first right entry among the first ten (MRR@10), `0.0..=1.0`; an entry is as near as its nearest phrasing.
    /// `None`: no questions.
    ///
    /// # Errors
    /// As candle's.
    pub fn mrr(&self, encoder: &Encoder) -> candle_core::Result<Option<f32>> {
        if self.questions.is_empty() || self.phrasings.is_empty() {
            return Ok(None);
        }
        let phrasings = vectors(encoder, self.phrasings.iter().map(|(ids, _)| ids.as_slice()))?;
        let questions = vectors(encoder, self.questions.iter().map(|(ids, _)| ids.as_slice()))?;
        let near: Vec<Vec<f32>> = questions.matmul(&phrasings.t()?)?.to_vec2()?;
        let mut sum = 0.0;
        for ((_, relevant), near) in self.questions.iter().zip(near) {
            let mut best = vec![f32::MIN; self.n_entries];
            for ((_, entry), near) in self.phrasings.iter().zip(near) {
                best[*entry] = best[*entry].max(near);
            }
            let highest = relevant.iter().map(|entry| best[*entry]).fold(f32::MIN, f32::max);
            // Vectors that have all become one find nothing: an entry as near as the right one stands before it.
            let before = |entry: &usize| !relevant.contains(entry) && best[*entry] >= highest;
            let rank = 1 + (0..self.n_entries).filter(before).count();
            sum += if rank <= RANKS && highest > f32::MIN { 1.0 / rank as f32 } else { 0.0 };
        }
        Ok(Some(sum / self.questions.len() as f32))
    }
}

/// Sentence vectors, `[n, width]`.
fn vectors<'a>(encoder: &Encoder, ids: impl Iterator<Item = &'a [u32]>) -> candle_core::Result<Tensor> {
    let ids: Vec<&[u32]> = ids.collect();
    let batches: Vec<Tensor> = ids
        .chunks(BATCH)
        .map(|batch| unit(&encoder.encode(batch)?.means()?))
        .collect::<candle_core::Result<_>>()?;
    Tensor::cat(&batches, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Shape;
    use crate::encoder::tensor_shapes;
    use crate::encoder::vocabulary::SPECIAL;
    use crate::encoder::vocabulary::Vocabulary;
    use candle_core::Device;

    /// An encoder that has learned nothing; equal sentences still have equal vectors.
    fn encoder() -> Encoder {
        let pieces: Vec<String> =
            SPECIAL.iter().map(|piece| (*piece).to_owned()).chain(["退", "票"].map(String::from)).collect();
        let n_pieces = pieces.len();
        let shape = Shape { n_layers: 1, n_heads: 12, epsilon: 1e-12 };
        let tensors = tensor_shapes(shape, n_pieces)
            .into_iter()
            .map(|(name, dims)| {
                let n: usize = dims.iter().product();
                let values: Vec<f32> = (0..n).map(|at| ((at * 37 % 101) as f32 / 50.0 - 1.0) * 0.1).collect();
                (name, Tensor::from_vec(values, dims, &Device::Cpu).unwrap())
            })
            .collect();
        Encoder::new(shape, Vocabulary::new(pieces, vec![-1.0; n_pieces]).unwrap(), &tensors).unwrap()
    }

    #[test]
    fn the_rank_of_the_nearest_right_entry_counts() {
        let encoder = encoder();
        let ids = |text: &str| encoder.tokens(text).ids;
        let retrieval = Retrieval {
            questions: vec![(ids("退"), vec![0]), (ids("退"), vec![1])],
            phrasings: vec![(ids("退"), 0), (ids("退退退票"), 0), (ids("票"), 1)],
            n_entries: 2,
        };
        // First for the one, second for the other.
        assert_eq!(retrieval.mrr(&encoder).unwrap(), Some(0.75));
        // As near as the right one is not behind it.
        let tied = Retrieval { phrasings: vec![(ids("退"), 0), (ids("退"), 1)], ..retrieval };
        assert_eq!(tied.mrr(&encoder).unwrap(), Some(0.5));
        assert_eq!(Retrieval::default().mrr(&encoder).unwrap(), None);
    }
}
