//! A whole training: rows in, model out, with held-out rows, early stopping, checkpoints and calibration.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;

use candle_core::Tensor;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use sha2::Digest as _;
use sha2::Sha256;

use crate::encoder::artefact::ArtefactError;
use crate::encoder::artefact::Loaded;
use crate::encoder::spread;
use crate::nlu::artefact;
use crate::nlu::artefact::EncoderName;
use crate::nlu::artefact::Head;
use crate::nlu::artefact::SUPPORT;
use crate::nlu::artefact::SUPPORT_INTENTS;
use crate::nlu::gram::Grams;
use crate::nlu::model::Calibration;
use crate::nlu::model::Labels;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::training::adam::Moments;
use crate::training::calibration;
use crate::training::calibration::Outcome;
use crate::training::checkpoint;
use crate::training::checkpoint::Best;
use crate::training::checkpoint::CheckpointError;
use crate::training::example::Example;
use crate::training::example::labels;
use crate::training::fit::Fit;
use crate::training::fit::FitError;
use crate::training::fit::FitSettings;
use crate::training::fit::Progress;
use crate::training::linear;
use crate::training::linear::LinearRow;
use crate::training::paraphrase::Paraphrases;
use crate::training::retrieval::Retrieval;
use crate::training::row::Row;
use crate::training::row::without;
use crate::training::standing::Standing;
use crate::training::suspect::suspects;

/// One row in so many is held out where no file of held-out rows is given.
const HELD_OUT: usize = 10;

/// How much mean reciprocal rank sentence vectors may lose.
const MRR_LOSS_MAX: f32 = 0.01;

/// What stands between two messages that customers write as one.
const JOINS: [&str; 12] =
    [" ", ",", "。", "?", "!", ",顺便问下", " 还有", ",还有就是", ",另外", " 对了", ",然后", ",再问一下"];

/// What is trained on what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rows to learn from.
    pub rows: Vec<Row>,
    /// Rows to choose by; empty: a tenth of the rows, fixed by the seed.
    pub dev: Vec<Row>,
    /// Rows from other worlds, for a bot whose own rows have none.
    pub foreign: Vec<Row>,
    /// Messages that mean the same, for sentence vectors to learn from beside the rows; may be empty.
    pub paraphrases: Paraphrases,
    /// Depth: how many of the encoder's layers are used; `None` for all.
    pub layers: Option<usize>,
    /// How.
    pub fit: FitSettings,
    /// Learns nothing from rows whose label is probably wrong.
    pub clean: bool,
    /// What sentence vectors must go on finding.
    pub retrieval: Retrieval,
    /// Writes the model even where its sentence vectors find much less than before.
    pub force: bool,
    /// Goes on from the checkpoint in the output folder, which must be there.
    pub resume: bool,
}

/// What is told while training goes.
#[derive(Clone, Debug)]
pub enum Event {
    /// Rows are ready.
    Start {
        /// Rows to learn from, those from other worlds included.
        n_train: usize,
        /// Rows to choose by.
        n_dev: usize,
        /// Intents.
        n_intents: usize,
        /// Entities.
        n_slots: usize,
        /// Rows left out because their label is probably wrong.
        n_suspects: usize,
        /// Passes done before, when resumed.
        resumed: usize,
    },
    /// A step was taken.
    Step(Progress),
    /// A pass is over.
    Pass(Standing),
    /// What sentence vectors alone find.
    Retrieval {
        /// Mean reciprocal rank before training, `0.0..=1.0`.
        before: f32,
        /// And after.
        after: f32,
    },
    /// The network and its phrases are weighed together.
    Calibrated {
        /// The weights.
        calibration: Calibration,
        /// Phrases.
        n_grams: usize,
        /// Share of held-out messages that get what they should: their intent, or a refusal.
        right: f32,
        /// Shares of the bot's own held-out messages that are kept, and of foreign ones that are let in.
        scope: Option<(f32, f32)>,
    },
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The network cannot be trained.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A file cannot be written or read.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// A depth that the encoder does not have.
    #[error("{wanted} layers are wanted, the encoder has {has}")]
    Layers {
        /// Layers asked for.
        wanted: usize,
        /// Layers of the encoder.
        has: usize,
    },
    /// Too few rows to hold some out.
    #[error("{n} rows are too few: {needed} are needed, so that some can be held out")]
    TooFew {
        /// Rows.
        n: usize,
        /// Fewest.
        needed: usize,
    },
    /// Sentence vectors find less than before.
    #[error(
        "sentence vectors find less than before training: MRR {:.1} % instead of {:.1} %, at most {:.0} point less \
         is allowed; `--resume --force` writes the model all the same, a higher `--keep-weight` keeps more of them",
        100.0 * after, 100.0 * before, 100.0 * MRR_LOSS_MAX
    )]
    Forgets {
        /// Mean reciprocal rank before training, `0.0..=1.0`.
        before: f32,
        /// And after.
        after: f32,
    },
    /// A row to choose by is about something that no row to learn from is about.
    #[error("no row to learn from has the intent {intent:?} of the row {text:?} to choose by")]
    UnknownIntent {
        /// Its intent.
        intent: String,
        /// Its text.
        text: String,
    },
    /// There is no training to go on with.
    #[error("{} has no checkpoint to go on from", folder.display())]
    NoCheckpoint {
        /// Output folder.
        folder: PathBuf,
    },
    /// A training was cut off here.
    #[error(
        "{} holds the checkpoint of a training that was cut off; `--resume` goes on with it, and whoever wants to \
         start anew removes the file first",
        folder.display()
    )]
    Unfinished {
        /// Output folder.
        folder: PathBuf,
    },
    /// The training cannot be kept, or not be gone on with.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Trains a model and writes it to a folder.
///
/// * `encoder`: what it stands on, with the folder it was loaded from.
/// * Returns how good the written weights are on the held-out rows.
///
/// # Errors
/// Too few rows, nothing to tell apart, a folder that cannot be written, a checkpoint of another training.
pub fn train(
    plan: &Plan,
    encoder: &Loaded,
    encoder_folder: &Path,
    out: &Path,
    tell: &mut dyn FnMut(Event),
) -> Result<Standing, TrainError> {
    match (plan.resume, checkpoint::exists(out)) {
        (true, false) => return Err(TrainError::NoCheckpoint { folder: out.to_owned() }),
        (false, true) => return Err(TrainError::Unfinished { folder: out.to_owned() }),
        _ => {}
    }
    let has = encoder.encoder.shape().n_layers;
    let wanted = plan.layers.unwrap_or(has);
    if wanted > has || wanted == 0 {
        return Err(TrainError::Layers { wanted, has });
    }
    let layers = spread(wanted, has);
    let base = encoder.encoder.thinned(&layers);
    let mut rows = plan.rows.clone();
    // Before rows are held out: confidences that are fitted to wrong labels are wrong themselves.
    let n_suspects = if plan.clean { drop_suspects(&mut rows) } else { 0 };
    // Before, too: the only row of an intent may be held out.
    let labels = labels(&rows);
    let (train_rows, dev_rows) = split(rows, &plan.dev, plan.fit.seed)?;
    let is_known = |name: &str| {
        name.is_empty() || name == OUT_OF_SCOPE || labels.intents.iter().any(|intent| intent == name)
    };
    if let Some(row) = dev_rows.iter().find(|row| !row.readings().any(is_known)) {
        return Err(TrainError::UnknownIntent { intent: row.intent.clone(), text: row.text.clone() });
    }
    let cut =
        |rows: &[Row]| -> Vec<Example> { rows.iter().map(|row| Example::new(row, &labels, &base)).collect() };
    let (mut examples, mut held) = (cut(&train_rows), cut(&dev_rows));
    let mut foreign = cut(&plan.foreign);
    let mut settings = plan.fit;
    if plan.rows.iter().any(|row| row.intents.len() > 1) && settings.joined_share == 0.0 {
        settings.joined_share = 0.15;
    }
    let mut fit = Fit::new(settings, &base, &labels, &plan.paraphrases)?;
    // Rather now than after the first pass.
    std::fs::create_dir_all(out).map_err(|source| ArtefactError::Io { path: out.to_owned(), source })?;
    fit.prepare(&mut examples)?;
    fit.prepare(&mut held)?;
    fit.prepare(&mut foreign)?;
    if settings.keep_weight > 0.0 || !foreign.is_empty() {
        fit.locate(&mut examples)?;
        fit.locate(&mut foreign)?;
    }
    let mut foreign = outside(foreign, &examples).map_err(FitError::from)?;
    foreign.iter_mut().for_each(|one| one.foreign = Some(true));
    foreign.shuffle(&mut StdRng::seed_from_u64(plan.fit.seed));
    held.extend(foreign.split_off(foreign.len() - foreign.len() / HELD_OUT));
    examples.extend(foreign);
    let joins: Vec<Vec<u32>> = JOINS
        .iter()
        .map(|join| {
            let ids = base.tokens(join).ids;
            ids[1..ids.len() - 1].to_vec()
        })
        .collect();
    let fingerprint = checkpoint::fingerprint(
        &settings,
        &labels,
        (&encoder.checksum, &layers),
        &examples,
        &held,
        &plan.paraphrases,
    );
    let mut best = Best::default();
    if plan.resume {
        best = checkpoint::resume(&mut fit, out, &fingerprint)?;
    }
    tell(Event::Start {
        n_train: examples.len(),
        n_dev: held.len(),
        n_intents: labels.intents.len(),
        n_slots: labels.slots.len(),
        n_suspects,
        resumed: fit.epoch(),
    });
    while fit.epoch() < settings.epochs
        && best.standing.is_none_or(|best| fit.epoch() - best.epoch < settings.patience)
    {
        fit.pass(&examples, &joins, &mut |progress| tell(Event::Step(progress)))?;
        let standing = Standing::of(&fit, &held, &labels)?;
        tell(Event::Pass(standing));
        if best.standing.is_none_or(|best| standing.score() > best.score()) {
            let tensors = fit.adam().copies().map_err(FitError::from)?;
            best = Best { standing: Some(standing), tensors };
        }
        checkpoint::save(&fit, out, &fingerprint, &best)?;
    }
    let Best { standing, tensors: mut best_tensors } = best;
    let best =
        standing.unwrap_or(Standing { epoch: 0, intent_accuracy: 0.0, slot_f1: 0.0, scope_auroc: 0.0 });
    fit.restore(fit.epoch(), &best_tensors, Moments::default())?;
    let before = plan.retrieval.mrr(&base).map_err(FitError::from)?;
    let taught = base.with(&best_tensors).map_err(FitError::from)?;
    let after = plan.retrieval.mrr(&taught).map_err(FitError::from)?;
    if let (Some(before), Some(after)) = (before, after) {
        tell(Event::Retrieval { before, after });
        if after < before - MRR_LOSS_MAX && !plan.force {
            // The checkpoint stays, so that nothing need be computed again.
            return Err(TrainError::Forgets { before, after });
        }
    }
    let grams = phrases(&examples, &labels);
    let mut joined = fit.joined_for_calibration(&held, &joins);
    fit.prepare(&mut joined)?;
    let of_held = outcomes(&fit, &grams, &held)?;
    let calibration = calibration::fit(&of_held, &outcomes(&fit, &grams, &joined)?);
    tell(Event::Calibrated {
        calibration,
        n_grams: grams.len(),
        right: calibration::answered_right(&of_held, &calibration),
        scope: calibration::kept_and_let_in(&of_held, &calibration),
    });
    let head = Head {
        labels: labels.clone(),
        calibration,
        encoder: EncoderName { sha256: encoder.checksum.clone(), folder: encoder_folder.to_owned(), layers },
        training: format!(
            "{settings:?}, {} rows, {} held out, best after pass {}",
            examples.len(),
            held.len(),
            best.epoch
        ),
    };
    best_tensors.extend(grams.tensors().map_err(FitError::from)?);
    best_tensors.extend(support(&fit, &examples, labels.intents.len())?);
    artefact::save(&head, &best_tensors, out)?;
    checkpoint::remove(out);
    Ok(best)
}

/// Rows to learn from and rows to choose by, no text in both.
fn split(mut rows: Vec<Row>, dev: &[Row], seed: u64) -> Result<(Vec<Row>, Vec<Row>), TrainError> {
    let needed = 2 * HELD_OUT;
    if rows.len() < needed {
        return Err(TrainError::TooFew { n: rows.len(), needed });
    }
    if !dev.is_empty() {
        return Ok((without(rows, dev), dev.to_vec()));
    }
    rows.sort_by_cached_key(|row| lot(seed, &row.text));
    let held = rows.split_off(rows.len() - rows.len() / HELD_OUT);
    Ok((without(rows, &held), held))
}

/// Where a row falls among all of a seed. It hangs on what was typed alone, so that nearly all rows which were held
/// out stay so when the file grows: an encoder that was trained on an earlier state of the file has not seen them.
fn lot(seed: u64, text: &str) -> [u8; 32] {
    let typed: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Sha256::new().chain_update(seed.to_le_bytes()).chain_update(typed).finalize().into()
}

/// Takes out the rows whose label is probably wrong.
///
/// * Returns how many.
fn drop_suspects(rows: &mut Vec<Row>) -> usize {
    let found: HashSet<usize> = suspects(rows).into_iter().map(|suspect| suspect.row).collect();
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        !found.contains(&(at - 1))
    });
    found.len()
}

/// The foreign rows that are foreign to these examples: a question about the weather is none to an assistant. A row
/// that lies nearer to an example than most examples lie to each other is left out.
fn outside(foreign: Vec<Example>, examples: &[Example]) -> candle_core::Result<Vec<Example>> {
    /// Examples that the usual distance is taken from, and foreign rows that are compared at once.
    const SAMPLE: usize = 500;
    if foreign.is_empty() || examples.len() < 2 {
        return Ok(foreign);
    }
    let vectors = |examples: &[Example]| -> candle_core::Result<Tensor> {
        let rows: Vec<&Tensor> = examples.iter().filter_map(|one| one.vector.as_ref()).collect();
        Tensor::cat(&rows, 0)
    };
    let all = vectors(examples)?.t()?.contiguous()?;
    let sample = &examples[..examples.len().min(SAMPLE)];
    let near: Vec<Vec<f32>> = vectors(sample)?.matmul(&all)?.to_vec2()?;
    let mut usual: Vec<f32> = near
        .iter()
        .enumerate()
        .map(|(own, row)| {
            row.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, near)| *near).fold(-1.0, f32::max)
        })
        .collect();
    usual.sort_by(f32::total_cmp);
    let limit = usual[usual.len() / 2];
    let mut nearest: Vec<f32> = Vec::with_capacity(foreign.len());
    for part in foreign.chunks(SAMPLE) {
        nearest.extend(vectors(part)?.matmul(&all)?.max(1)?.to_vec1::<f32>()?);
    }
    Ok(foreign.into_iter().zip(nearest).filter(|(_, near)| *near < limit).map(|(one, _)| one).collect())
}

/// Rows of every intent that the model carries along, so that it can be taught another one later.
fn support(
    fit: &Fit<'_>,
    examples: &[Example],
    n_intents: usize,
) -> Result<HashMap<String, Tensor>, TrainError> {
    /// Rows an intent.
    const ROWS: usize = 12;
    let mut rows = Vec::new();
    let mut intents = Vec::new();
    for intent in 0..n_intents as u32 {
        let own = examples.iter().filter(|one| one.intents == [intent]).take(ROWS);
        rows.extend(own.cloned());
        intents.resize(rows.len(), intent as f32);
    }
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let outputs = fit.outputs(&rows)?;
    let features: Vec<&Tensor> = outputs.iter().map(|outputs| &outputs.features).collect();
    let n = intents.len();
    let tensors = [
        (SUPPORT, Tensor::cat(&features, 0).map_err(FitError::from)?),
        (SUPPORT_INTENTS, Tensor::from_vec(intents, n, &candle_core::Device::Cpu).map_err(FitError::from)?),
    ];
    Ok(tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect())
}

/// What phrases say, learned from the same examples as the network.
fn phrases(examples: &[Example], labels: &Labels) -> Grams {
    let foreign = [labels.intents.len() as u32];
    let rows: Vec<LinearRow<'_>> = examples
        .iter()
        .filter(|one| one.foreign.is_some())
        .map(|one| match one.foreign {
            Some(true) => LinearRow { ids: &one.ids, right: &foreign, open: &one.intents },
            _ => LinearRow { ids: &one.ids, right: &one.wishes, open: &one.intents },
        })
        .collect();
    linear::fit(&rows, labels.intents.len() + 1)
}

/// What network and phrases say of examples, for calibration.
fn outcomes(fit: &Fit<'_>, grams: &Grams, examples: &[Example]) -> Result<Vec<Outcome>, TrainError> {
    let outputs = fit.outputs(examples)?;
    let rows = examples.iter().zip(&outputs).map(|(one, outputs)| {
        Ok(Outcome {
            logits: outputs.intents.flatten_all()?.to_vec1()?,
            grams: grams.scores(&one.ids),
            intents: one.intents.clone(),
            presence: outputs.presence.flatten_all()?.to_vec1()?,
            wishes: one.wishes.clone(),
            foreign_logit: outputs.foreign.flatten_all()?.to_vec1::<f32>()?[0],
            foreign: one.foreign,
        })
    });
    Ok(rows.collect::<candle_core::Result<_>>().map_err(FitError::from)?)
}

/// The rows of a file that are from outside of a shop's world.
#[must_use]
pub fn foreign_rows(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().filter(|row| row.intent == OUT_OF_SCOPE).map(|row| Row { slots: None, ..row }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_held_out_stays_so_when_the_file_grows() {
        let held = |n: usize| -> HashSet<String> {
            let rows = (0..n).map(|at| Row { text: format!("第{at}句"), ..Row::default() }).collect();
            let (learned, held) = split(rows, &[], 1).unwrap();
            assert_eq!((learned.len(), held.len()), (n - n / HELD_OUT, n / HELD_OUT));
            held.into_iter().map(|row| row.text).collect()
        };
        let (before, after) = (held(1_000), held(1_200));
        let stayed = before.intersection(&after).count();
        // All but those at the border, which moves by chance; a new draw would keep a tenth of them.
        assert!(stayed > before.len() / 2, "{stayed} of {}", before.len());
    }
}
