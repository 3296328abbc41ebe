//! Training the top of the encoder and the heads on labelled rows.

use std::collections::HashMap;
use std::time::Instant;

use candle_core::D;
use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use candle_core::Var;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::encoder::Encoder;
use crate::encoder::EncoderError;
use crate::encoder::States;
use crate::encoder::kernel;
use crate::encoder::tensor_shapes;
use crate::encoder::unit;
use crate::nlu::model::Heads;
use crate::nlu::model::Labels;
use crate::nlu::model::Outputs;
use crate::nlu::model::head_shapes;
use crate::nlu::tag;
use crate::training::adam::Adam;
use crate::training::adam::AdamSettings;
use crate::training::example::Example;
use crate::training::paraphrase::Lesson;
use crate::training::paraphrase::Paraphrases;
use crate::training::shards::SHARDS;
use crate::training::shards::Shards;

/// Sentences a step.
const BATCH: usize = 32;

/// Steps of rising learning rate, as a share of all.
const WARM_UP: f32 = 0.06;

/// Weight of the loss of each intent for itself, which is a sum over all of them.
const PRESENCE_WEIGHT: f32 = 0.5;

/// Steps of which one has a lesson of paraphrases beside its rows; a lesson is three times as long as the rows of a step.
const LESSON_EVERY: usize = 4;

/// Weight of a lesson's loss beside that of a step's rows; chosen by hand.
const LESSON_WEIGHT: f64 = 2.0;

/// How training goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitSettings {
    /// How many of the encoder's top layers are trained.
    pub tune_layers: usize,
    /// Most passes over the rows.
    pub epochs: usize,
    /// Passes without improvement after which training ends.
    pub patience: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Highest learning rate of the encoder.
    pub rate: f32,
    /// Highest learning rate of the heads.
    pub head_rate: f32,
    /// Share of inputs of the heads that are dropped, `0.0..1.0`.
    pub dropout: f32,
    /// Weight of the entities' loss.
    pub slot_weight: f32,
    /// Weight of keeping sentence vectors where they were.
    pub keep_weight: f32,
    /// Share of joined rows a pass, relative to the rows with an intent.
    pub joined_share: f32,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            tune_layers: 4,
            epochs: 6,
            patience: 2,
            seed: 1,
            rate: 2e-4,
            head_rate: 2e-3,
            dropout: 0.1,
            slot_weight: 2.0,
            keep_weight: 1.0,
            joined_share: 0.0,
        }
    }
}

/// Training in progress: variables, optimiser and rows.
#[derive(Debug)]
pub struct Fit<'a> {
    settings: FitSettings,
    labels: &'a Labels,
    base: &'a Encoder,
    paraphrases: &'a Paraphrases,
    adam: Adam,
    shards: Shards,
    /// Passes done.
    epoch: usize,
}

/// How a pass went, told while it goes.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Pass, counted from 0.
    pub epoch: usize,
    /// Steps done and steps of the pass.
    pub steps: (usize, usize),
    /// Mean loss since the pass began.
    pub loss: f32,
    /// Rows a second since the pass began.
    pub rows_per_s: f32,
}

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Weights do not fit.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A computation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// No thread can be started.
    #[error("no thread can be started")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// There is nothing to tell apart.
    #[error("{n_intents} intents and {n_slots} entities leave nothing to learn")]
    Nothing {
        /// Intents in the rows.
        n_intents: usize,
        /// Entities in the rows.
        n_slots: usize,
    },
}

impl<'a> Fit<'a> {
    /// Makes ready: variables for the top layers and the heads.
    ///
    /// * `paraphrases`: what sentence vectors learn nearness from; may be empty.
    ///
    /// # Errors
    /// There are fewer than two intents and no entities, or no threads.
    pub fn new(
        settings: FitSettings,
        base: &'a Encoder,
        labels: &'a Labels,
        paraphrases: &'a Paraphrases,
    ) -> Result<Self, FitError> {
        if labels.intents.len() < 2 && labels.slots.is_empty() {
            return Err(FitError::Nothing { n_intents: labels.intents.len(), n_slots: labels.slots.len() });
        }
        let mut rng = StdRng::seed_from_u64(settings.seed);
        let mut variables = Vec::new();
        let first_tuned = first_tuned(base, settings.tune_layers);
        let tensors = base.tensors();
        for (name, _) in tensor_shapes(base.shape(), base.vocabulary().len()) {
            if layer_of(&name).is_some_and(|layer| layer >= first_tuned) {
                variables.push((name.clone(), Var::from_tensor(&tensors[&name])?, 1.0));
            }
        }
        let head_rate = settings.head_rate / settings.rate;
        for (name, shape) in head_shapes(labels) {
            let n: usize = shape.iter().product();
            let reach = if shape.len() == 1 { 0.0 } else { 0.02 };
            let mut values: Vec<f32> = (0..n).map(|_| rng.random_range(-1.0..1.0_f32) * reach).collect();
            if name == "sentence.bias" {
                // Most messages wish for one of many intents: say so from the start, or the first hundreds of steps
                // are spent on learning it.
                let n_intents = labels.intents.len();
                values[n_intents..2 * n_intents].fill(-(n_intents.max(2) as f32).ln());
            }
            variables.push((name.to_owned(), Var::from_vec(values, shape, &Device::Cpu)?, head_rate));
        }
        Ok(Self {
            settings,
            labels,
            base,
            paraphrases,
            adam: Adam::new(AdamSettings::default(), variables),
            shards: Shards::new()?,
            epoch: 0,
        })
    }

    /// Passes done.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The optimiser, for a checkpoint.
    #[must_use]
    pub fn adam(&self) -> &Adam {
        &self.adam
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// A variable of the checkpoint has another shape.
    pub fn restore(
        &mut self,
        epoch: usize,
        tensors: &HashMap<String, Tensor>,
        moments: crate::training::adam::Moments,
    ) -> Result<(), FitError> {
        for (name, var) in self.adam.variables() {
            let tensor = tensors.get(name).ok_or_else(|| EncoderError::Missing { name: name.to_owned() })?;
            var.set(tensor)?;
        }
        self.adam.restore(moments);
        self.epoch = epoch;
        Ok(())
    }

    /// Runs the layers that stay as they are once over every example.
    ///
    /// # Errors
    /// As candle's.
    pub fn prepare(&self, examples: &mut [Example]) -> Result<(), FitError> {
        let first_tuned = first_tuned(self.base, self.settings.tune_layers);
        // The embedding is looked up again faster than it is kept.
        if first_tuned > 0 {
            let n_shard = Shards::size(examples.len());
            self.shards.run(examples.chunks_mut(n_shard), |shard| states(self.base, first_tuned, shard))?;
        }
        Ok(())
    }

    /// Notes where the sentence vector of every example lies before training, so that it can be kept there.
    ///
    /// # Errors
    /// As candle's.
    pub fn locate(&self, examples: &mut [Example]) -> Result<(), FitError> {
        let first_tuned = first_tuned(self.base, self.settings.tune_layers);
        let n_shard = Shards::size(examples.len());
        self.shards.run(examples.chunks_mut(n_shard), |shard| vectors(self.base, first_tuned, shard))?;
        Ok(())
    }

    /// One pass over the examples, in an order drawn from seed and pass.
    ///
    /// * `joins`: tokens that may stand between two joined messages.
    ///
    /// # Errors
    /// As candle's; a gradient that is no number.
    pub fn pass(
        &mut self,
        examples: &[Example],
        joins: &[Vec<u32>],
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), FitError> {
        let mut rng =
            StdRng::seed_from_u64(self.settings.seed ^ (self.epoch as u64 + 1).wrapping_mul(0x9E37_79B9));
        let mut joined = self.joined(examples, joins, &mut rng);
        self.prepare(&mut joined)?;
        if self.settings.keep_weight > 0.0 {
            self.locate(&mut joined)?;
        }
        let mut order: Vec<&Example> = examples.iter().chain(&joined).collect();
        order.shuffle(&mut rng);
        let n_steps = order.len().div_ceil(BATCH);
        let n_all = (n_steps * self.settings.epochs) as f32;
        let began = Instant::now();
        let mut loss_sum = 0.0;
        for (step, batch) in order.chunks(BATCH).enumerate() {
            let done = (self.epoch * n_steps + step) as f32 / n_all;
            let share =
                if done < WARM_UP { done / WARM_UP + 1.0 / n_all } else { (1.0 - done) / (1.0 - WARM_UP) };
            let lessons = match step % LESSON_EVERY {
                0 if !self.paraphrases.is_empty() => self.paraphrases.lessons(SHARDS, &mut rng),
                _ => Vec::new(),
            };
            loss_sum += self.step(batch, &lessons, self.settings.rate * share, &mut rng)?;
            let rows_per_s = ((step + 1) * BATCH) as f32 / began.elapsed().as_secs_f32().max(1e-6);
            let loss = loss_sum / (step + 1) as f32;
            tell(Progress { epoch: self.epoch, steps: (step + 1, n_steps), loss, rows_per_s });
        }
        self.epoch += 1;
        Ok(())
    }

    /// Joined rows for the choice of the threshold for second wishes, in the share that training joins.
    #[must_use]
    pub fn joined_for_calibration(&self, examples: &[Example], joins: &[Vec<u32>]) -> Vec<Example> {
        let mut rng = StdRng::seed_from_u64(self.settings.seed);
        if self.settings.joined_share > 0.0 { self.joined(examples, joins, &mut rng) } else { Vec::new() }
    }

    fn joined(&self, examples: &[Example], joins: &[Vec<u32>], rng: &mut StdRng) -> Vec<Example> {
        let whole: Vec<&Example> = examples
            .iter()
            .filter(|one| one.wishes.len() == 1 && one.foreign == Some(false) && one.ids.len() < 60)
            .collect();
        let n_joined = (whole.len() as f32 * self.settings.joined_share) as usize;
        let mut joined = Vec::with_capacity(n_joined);
        while joined.len() < n_joined && whole.len() > 1 && !joins.is_empty() {
            let (a, b) = (whole[rng.random_range(0..whole.len())], whole[rng.random_range(0..whole.len())]);
            joined.push(a.joined(&joins[rng.random_range(0..joins.len())], b));
        }
        joined
    }

    fn step(
        &mut self,
        batch: &[&Example],
        lessons: &[Lesson<'_>],
        rate: f32,
        rng: &mut StdRng,
    ) -> Result<f32, FitError> {
        let totals = Totals::of(batch);
        let tensors = self.adam.tensors();
        let encoder = self.base.with(&tensors)?;
        let heads = Heads::new(self.labels, &tensors)?;
        let vars: Vec<&Var> = self.adam.variables().map(|(_, var)| var).collect();
        let n_tags = tag::n_tags(self.labels.slots.len());
        // Long and short sentences dealt out in turn, so that no thread waits long for the other.
        let mut by_length = batch.to_vec();
        by_length.sort_by_key(|one| one.ids.len());
        let deal = |part: usize| by_length.iter().skip(part).step_by(SHARDS).copied().collect();
        let parts: Vec<(Vec<&Example>, u64, Option<&Lesson<'_>>)> =
            (0..SHARDS.min(batch.len())).map(|part| (deal(part), rng.random(), lessons.get(part))).collect();
        let (loss, gradients) = self.shards.gradients(parts.into_iter(), &vars, |(part, seed, lesson)| {
            let rows = loss(&encoder, &heads, &self.settings, n_tags, &part, &totals, seed)?;
            match lesson {
                Some(lesson) => rows + (lesson.loss(&encoder)? * (LESSON_WEIGHT / SHARDS as f64))?,
                None => Ok(rows),
            }
        })?;
        self.adam.step(&gradients, rate)?;
        Ok(loss)
    }

    /// Raw outputs for examples that were prepared, with the weights as they are now.
    ///
    /// # Errors
    /// As candle's.
    pub fn outputs(&self, examples: &[Example]) -> Result<Vec<Outputs>, FitError> {
        // Detached copies, so that no graph is built.
        let tensors: HashMap<String, Tensor> = self
            .adam
            .variables()
            .map(|(name, var)| Ok((name.to_owned(), var.as_detached_tensor())))
            .collect::<candle_core::Result<_>>()?;
        let encoder = self.base.with(&tensors)?;
        let heads = Heads::new(self.labels, &tensors)?;
        let first_tuned = first_tuned(self.base, self.settings.tune_layers);
        let n_layers = encoder.shape().n_layers;
        let read = |one: &Example| {
            let states = match &one.states {
                Some(tokens) => States { tokens: tokens.clone(), borders: [0, one.ids.len()].into() },
                None => encoder.run(&encoder.embed(&[&one.ids])?, 0..first_tuned)?,
            };
            heads.forward(&encoder.run(&states, first_tuned..n_layers)?, None)
        };
        let shards = self.shards.run(examples.chunks(Shards::size(examples.len())), |shard| {
            shard.iter().map(read).collect::<candle_core::Result<Vec<Outputs>>>()
        })?;
        Ok(shards.into_iter().flatten().collect())
    }
}

/// What the losses of a batch are divided by, so that shards add up to the batch's mean.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    n_intents: f32,
    n_foreign: f32,
    n_tags: f32,
    n_rows: f32,
}

impl Totals {
    fn of(batch: &[&Example]) -> Self {
        let count =
            |what: &dyn Fn(&Example) -> usize| batch.iter().map(|one| what(one)).sum::<usize>().max(1) as f32;
        Self {
            n_intents: count(&|one| usize::from(!one.intents.is_empty())),
            n_foreign: count(&|one| usize::from(one.foreign.is_some())),
            n_tags: count(&|one| one.tags.as_ref().map_or(0, Vec::len)),
            n_rows: batch.len() as f32,
        }
    }
}

fn loss(
    encoder: &Encoder,
    heads: &Heads,
    settings: &FitSettings,
    n_tags: usize,
    shard: &[&Example],
    totals: &Totals,
    seed: u64,
) -> candle_core::Result<Tensor> {
    let first_tuned = first_tuned(encoder, settings.tune_layers);
    let states = gathered(encoder, first_tuned, shard)?;
    let states = encoder.run(&states, first_tuned..encoder.shape().n_layers)?;
    let mut rng = StdRng::seed_from_u64(seed);
    let n_inner: usize = shard.iter().map(|one| one.ids.len() - 2).sum();
    let mut mask = |rows: usize, columns: usize| {
        let keep = 1.0 - settings.dropout;
        let values: Vec<f32> =
            (0..rows * columns).map(|_| if rng.random::<f32>() < keep { 1.0 / keep } else { 0.0 }).collect();
        Tensor::from_vec(values, (rows, columns), &Device::Cpu)
    };
    let masks = (mask(shard.len(), 2 * kernel::WIDTH)?, mask(n_inner, kernel::WIDTH)?);
    let outputs = heads.forward(&states, Some(&masks))?;
    let n_intents = outputs.intents.dim(1)?;
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu)?;
    if n_intents > 1 {
        // Cross-entropy against equal shares of the readings that are right.
        let mut target = vec![0.0_f32; shard.len() * n_intents];
        for (row, one) in target.chunks_exact_mut(n_intents).zip(shard) {
            for intent in &one.intents {
                row[*intent as usize] = 1.0 / one.intents.len() as f32;
            }
        }
        let target = Tensor::from_vec(target, (shard.len(), n_intents), &Device::Cpu)?;
        let cross = (log_softmax(&outputs.intents)? * target)?.sum_all()?;
        loss = (loss - (cross / f64::from(totals.n_intents))?)?;
    }
    if n_intents > 1 && settings.joined_share > 0.0 {
        // Each intent for itself; rows from outside wish for none.
        let mut target = vec![0.0_f32; shard.len() * n_intents];
        let mut weight = vec![0.0_f32; shard.len() * n_intents];
        for ((row, weight), one) in
            target.chunks_exact_mut(n_intents).zip(weight.chunks_exact_mut(n_intents)).zip(shard)
        {
            if one.foreign.is_some() {
                weight.fill(1.0);
            }
            one.wishes.iter().for_each(|wish| row[*wish as usize] = 1.0);
            // The other good reading of a row is neither asked for nor held against the network.
            one.intents
                .iter()
                .filter(|intent| !one.wishes.contains(intent))
                .for_each(|intent| weight[*intent as usize] = 0.0);
        }
        let each = binary(&outputs.presence, target, weight)?;
        loss = (loss + (each * f64::from(PRESENCE_WEIGHT / totals.n_foreign))?)?;
    }
    let target: Vec<f32> = shard.iter().map(|one| f32::from(u8::from(one.foreign == Some(true)))).collect();
    let weight: Vec<f32> = shard.iter().map(|one| f32::from(u8::from(one.foreign.is_some()))).collect();
    loss = (loss + (binary(&outputs.foreign, target, weight)? / f64::from(totals.n_foreign))?)?;
    if n_tags > 1 {
        let mut at = Vec::new();
        let mut weight = Vec::new();
        for one in shard {
            let n_tokens = one.ids.len() - 2;
            match &one.tags {
                Some(tags) => {
                    at.extend_from_slice(tags);
                    weight.extend(std::iter::repeat_n(1.0_f32, n_tokens));
                }
                None => {
                    at.extend(std::iter::repeat_n(0, n_tokens));
                    weight.extend(std::iter::repeat_n(0.0_f32, n_tokens));
                }
            }
        }
        if !at.is_empty() {
            let n = at.len();
            let at = Tensor::from_vec(at, (n, 1), &Device::Cpu)?;
            let weight = Tensor::from_vec(weight, (n, 1), &Device::Cpu)?;
            let cross = (log_softmax(&outputs.tags)?.gather(&at, 1)? * weight)?.sum_all()?;
            loss = (loss - (cross * f64::from(settings.slot_weight / totals.n_tags))?)?;
        }
    }
    if settings.keep_weight > 0.0 {
        let before: Vec<&Tensor> = shard.iter().filter_map(|one| one.vector.as_ref()).collect();
        if before.len() == shard.len() {
            let along = (outputs.vectors * Tensor::cat(&before, 0)?)?.sum_all()?;
            let away = (along.neg()? + shard.len() as f64)?;
            loss = (loss + (away * f64::from(settings.keep_weight / totals.n_rows))?)?;
        }
    }
    Ok(loss)
}

/// The states that the lowest trained layer reads, of all examples one behind another.
fn gathered(encoder: &Encoder, first_tuned: usize, shard: &[&Example]) -> candle_core::Result<States> {
    let prepared: Vec<&Tensor> = shard.iter().filter_map(|one| one.states.as_ref()).collect();
    if prepared.len() < shard.len() {
        let ids: Vec<&[u32]> = shard.iter().map(|one| one.ids.as_slice()).collect();
        return encoder.run(&encoder.embed(&ids)?, 0..first_tuned);
    }
    let mut borders = vec![0];
    for one in shard {
        borders.push(borders[borders.len() - 1] + one.ids.len());
    }
    Ok(States { tokens: Tensor::cat(&prepared, 0)?, borders: borders.into() })
}

fn states(base: &Encoder, first_tuned: usize, examples: &mut [Example]) -> candle_core::Result<()> {
    for batch in examples.chunks_mut(BATCH) {
        let ids: Vec<&[u32]> = batch.iter().map(|one| one.ids.as_slice()).collect();
        let below = base.run(&base.embed(&ids)?, 0..first_tuned)?;
        for (n, one) in batch.iter_mut().enumerate() {
            let (start, end) = (below.borders[n], below.borders[n + 1]);
            // A copy of the rows alone: a view or a plain copy would keep the whole batch in memory.
            one.states = Some(below.tokens.narrow(0, start, end - start)?.force_contiguous()?);
        }
    }
    Ok(())
}

fn vectors(base: &Encoder, first_tuned: usize, examples: &mut [Example]) -> candle_core::Result<()> {
    for batch in examples.chunks_mut(BATCH) {
        let below = {
            let shard: Vec<&Example> = batch.iter().collect();
            gathered(base, first_tuned, &shard)?
        };
        let vectors = unit(&base.run(&below, first_tuned..base.shape().n_layers)?.means()?)?;
        for (n, one) in batch.iter_mut().enumerate() {
            one.vector = Some(vectors.narrow(0, n, 1)?.force_contiguous()?);
        }
    }
    Ok(())
}

/// Binary cross-entropy from logits, summed; stable for logits of any size.
fn binary(logits: &Tensor, target: Vec<f32>, weight: Vec<f32>) -> candle_core::Result<Tensor> {
    let target = Tensor::from_vec(target, logits.shape(), &Device::Cpu)?;
    let weight = Tensor::from_vec(weight, logits.shape(), &Device::Cpu)?;
    // max(x, 0) - x·t + ln(1 + e^-|x|)
    let tail = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let each = ((logits.relu()? - (logits * target)?)? + tail)?;
    (each * weight)?.sum_all()
}

/// Logarithms of the shares of logits along the last dimension, from plain operations, so that gradients flow.
pub(super) fn log_softmax(logits: &Tensor) -> candle_core::Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

fn first_tuned(encoder: &Encoder, tune_layers: usize) -> usize {
    encoder.shape().n_layers.saturating_sub(tune_layers)
}

/// The layer that a tensor of the encoder belongs to; `None` for the embedding.
fn layer_of(name: &str) -> Option<usize> {
    name.strip_prefix('l')?.split_once('.')?.0.parse().ok()
}
