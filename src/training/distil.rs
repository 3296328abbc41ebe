//! Teaching a shallow encoder of characters to say what a deep one of pieces says, and which messages mean the same.

use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use candle_core::Var;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::encoder::Encoder;
use crate::encoder::ops::Mean;
use crate::encoder::unit;
use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;
use crate::training::adam::Adam;
use crate::training::adam::AdamSettings;
use crate::training::fit::FitError;
use crate::training::fit::log_softmax;
use crate::training::paraphrase::Paraphrases;
use crate::training::shards::SHARDS;
use crate::training::shards::Shards;

/// Sentences a step.
pub const BATCH: usize = 64;

/// Most characters of a sentence that are read.
const CHARS_MAX: usize = 40;

/// What the teacher's texts began with when it was trained.
const PREFIX: &str = "query: ";

/// Similarities within a batch are divided by it before they are compared: small, because the teacher's all lie
/// between 0.7 and 1.
const TEMPERATURE: f64 = 0.03;

/// Steps of rising learning rate, as a share of all.
const WARM_UP: f32 = 0.05;

/// How it is taught.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistilSettings {
    /// Steps in all; the learning rate falls towards the last.
    pub steps: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// Seed of the order of sentences.
    pub seed: u64,
    /// Weight of the paraphrases' loss beside the teacher's.
    pub paraphrase_weight: f64,
}

/// A distillation in progress.
#[derive(Debug)]
pub struct Distillation<'a> {
    settings: DistilSettings,
    teacher: &'a Encoder,
    start: &'a Encoder,
    paraphrases: &'a Paraphrases,
    adam: Adam,
    shards: Shards,
    rng: StdRng,
    done: usize,
}

impl<'a> Distillation<'a> {
    /// Makes every weight of `start` a variable.
    ///
    /// * `paraphrases`: what sentence vectors are to learn beyond the teacher; may be empty.
    ///
    /// # Errors
    /// No threads can be started.
    pub fn new(
        teacher: &'a Encoder,
        start: &'a Encoder,
        paraphrases: &'a Paraphrases,
        settings: DistilSettings,
    ) -> Result<Self, FitError> {
        let variables =
            start.tensors().into_iter().map(|(name, tensor)| Ok((name, Var::from_tensor(&tensor)?, 1.0)));
        Ok(Self {
            settings,
            teacher,
            start,
            paraphrases,
            adam: Adam::new(AdamSettings::default(), variables.collect::<candle_core::Result<_>>()?),
            shards: Shards::new()?,
            rng: StdRng::seed_from_u64(settings.seed),
            done: 0,
        })
    }

    /// One step over sentences drawn from `lines`.
    ///
    /// * `lines`: at least one, and not all of them without letters.
    /// * Returns the loss, a mean over the batch.
    ///
    /// # Errors
    /// As candle's.
    pub fn step(&mut self, lines: &[&str]) -> Result<f32, FitError> {
        let batch: Vec<String> = (0..BATCH)
            .map(|_| {
                normalise(lines[self.rng.random_range(0..lines.len())])
                    .as_str()
                    .chars()
                    .take(CHARS_MAX)
                    .collect()
            })
            .filter(|text: &String| !text.is_empty())
            .collect();
        let tensors = self.adam.tensors();
        let student = self.start.with(&tensors)?;
        let vars: Vec<&Var> = self.adam.variables().map(|(_, var)| var).collect();
        let teacher = self.teacher;
        let n = batch.len() as f64;
        let lessons = if self.paraphrases.is_empty() {
            vec![None; SHARDS]
        } else {
            self.paraphrases.lessons(SHARDS, &mut self.rng).into_iter().map(Some).collect()
        };
        let weight = self.settings.paraphrase_weight / SHARDS as f64;
        let parts = batch.chunks(Shards::size(batch.len())).zip(lessons);
        let (total, gradients) = self.shards.gradients(parts, &vars, |(part, lesson)| {
            let taught = (loss(teacher, &student, part)? * (part.len() as f64 / n))?;
            match lesson {
                Some(lesson) => taught + (lesson.loss(&student)? * weight)?,
                None => Ok(taught),
            }
        })?;
        let share = self.done as f32 / self.settings.steps as f32;
        let rise = if share < WARM_UP { share / WARM_UP + 1e-3 } else { (1.0 - share) / (1.0 - WARM_UP) };
        self.adam.step(&gradients, self.settings.rate * rise)?;
        self.done += 1;
        Ok(total)
    }

    /// The student as it is now.
    ///
    /// # Errors
    /// As candle's.
    pub fn student(&self) -> Result<Encoder, FitError> {
        let tensors = self.adam.copies()?;
        Ok(self.start.with(&tensors)?)
    }
}

/// How far the student is from the teacher, on three scales: the state of each piece (the student's is the mean over
/// its characters), the sentence vector, and which sentences of the batch lie near which.
fn loss(teacher: &Encoder, student: &Encoder, texts: &[String]) -> candle_core::Result<Tensor> {
    let (mut deep_ids, mut flat_ids) = (Vec::new(), Vec::new());
    let (mut deep_rows, mut stretches) = (Vec::new(), Vec::new());
    let (mut deep_start, mut flat_start) = (0, 0);
    for text in texts {
        let prefixed = format!("{PREFIX}{text}");
        let deep = teacher.tokens(&prefixed);
        let flat = student.tokens(text);
        for (place, piece) in deep.spans.iter().enumerate() {
            if piece.start < PREFIX.len() || piece.is_empty() {
                continue;
            }
            let own = ByteSpan::new(piece.start - PREFIX.len(), piece.end - PREFIX.len());
            let first = flat.spans.iter().position(|span| span.overlaps(&own));
            let last = flat.spans.iter().rposition(|span| span.overlaps(&own));
            if let (Some(first), Some(last)) = (first, last) {
                deep_rows.push((deep_start + place + 1) as u32);
                stretches.push((flat_start + first + 1, flat_start + last + 2));
            }
        }
        deep_start += deep.ids.len();
        flat_start += flat.ids.len();
        deep_ids.push(deep.ids);
        flat_ids.push(flat.ids);
    }
    let batch = |ids: &[Vec<u32>], encoder: &Encoder| {
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        encoder.encode(&ids)
    };
    let (deep, flat) = (batch(&deep_ids, teacher)?, batch(&flat_ids, student)?);
    let n = deep_rows.len();
    let wanted = deep.tokens.index_select(&Tensor::from_vec(deep_rows, n, &Device::Cpu)?, 0)?;
    let said = flat.tokens.apply_op1(Mean { stretches: stretches.into() })?;
    let power = wanted.broadcast_sub(&wanted.mean_keepdim(0)?)?.sqr()?.mean_all()?;
    // Few pieces do not tell how far pieces usually are apart.
    let pieces = match n {
        0..2 => power.zeros_like()?,
        _ => (said - &wanted)?.sqr()?.mean_all()?.div(&(power + 1e-6)?)?,
    };
    let (wanted, said) = (unit(&deep.means()?)?, unit(&flat.means()?)?);
    let along = (&wanted * &said)?.sum_all()?;
    let away = ((along / texts.len() as f64)?.neg()? + 1.0)?;
    // Every sentence lies nearest to itself, which says nothing.
    let own = (Tensor::eye(texts.len(), DType::F32, &Device::Cpu)? * 1e4)?;
    let near = |vectors: &Tensor| -> candle_core::Result<Tensor> {
        let logits = ((vectors.matmul(&vectors.t()?)? / TEMPERATURE)? - &own)?;
        log_softmax(&logits)
    };
    let (wanted, said) = (near(&wanted)?, near(&said)?);
    let divergence = ((wanted.exp()? * (wanted - said)?)?.sum_all()? / texts.len() as f64)?;
    (pieces + (away * 5.0)?)? + (divergence * 2.0)?
}
