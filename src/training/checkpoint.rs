//! Where a training stands on disk, so that a kill loses at most one pass.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use candle_core::Device;
use candle_core::Tensor;
use serde::Deserialize;
use serde::Serialize;

use crate::encoder::artefact::ArtefactError;
use crate::encoder::artefact::Precision;
use crate::encoder::artefact::read;
use crate::encoder::artefact::write;
use crate::nlu::model::Labels;
use crate::training::adam::Moments;
use crate::training::example::Example;
use crate::training::fit::Fit;
use crate::training::fit::FitError;
use crate::training::fit::FitSettings;
use crate::training::paraphrase::Paraphrases;
use crate::training::standing::Standing;

/// Name of the file in the folder of the new model.
const FILE: &str = "checkpoint.safetensors";

/// The best weights so far, and how good they are.
#[derive(Debug, Default)]
pub struct Best {
    /// After which pass, and how good; `None` before the first.
    pub standing: Option<Standing>,
    /// The weights.
    pub tensors: HashMap<String, Tensor>,
}

/// What the head of the file says.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    fingerprint: String,
    epoch: usize,
    n_steps: u32,
    best: Option<Standing>,
}

/// Why a training cannot be gone on with, or not be kept.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be written or read.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// Its weights do not fit.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// It belongs to another training.
    #[error("the checkpoint in {} belongs to another training ({found}, this one is {expected})", folder.display())]
    OtherTraining {
        /// Folder of the new model.
        folder: PathBuf,
        /// Fingerprint in the checkpoint.
        found: String,
        /// Fingerprint of this training.
        expected: String,
    },
}

impl From<candle_core::Error> for CheckpointError {
    fn from(error: candle_core::Error) -> Self {
        Self::Fit(error.into())
    }
}

/// Whether a training in this folder was cut off.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Takes the checkpoint away. One that cannot be removed is in nobody's way.
pub fn remove(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FILE));
}

/// What must be the same for a checkpoint to be gone on from, as 16 hexadecimal digits.
///
/// * `encoder`: its checksum and the layers used.
#[must_use]
pub fn fingerprint(
    settings: &FitSettings,
    labels: &Labels,
    encoder: (&str, &[usize]),
    examples: &[Example],
    held: &[Example],
    paraphrases: &Paraphrases,
) -> String {
    use sha2::Digest;
    let mut sum = sha2::Sha256::new();
    sum.update(format!("{settings:?} {labels:?} {encoder:?} {} {paraphrases:?}", examples.len()));
    for one in examples.iter().chain(held) {
        sum.update(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            one.ids, one.intents, one.wishes, one.foreign, one.tags
        ));
    }
    crate::text::hex::lower_hex(&sum.finalize())[..16].to_owned()
}

/// Writes where a training stands.
///
/// # Errors
/// The folder cannot be written.
pub fn save(fit: &Fit<'_>, folder: &Path, fingerprint: &str, best: &Best) -> Result<(), CheckpointError> {
    let moments = fit.adam().moments();
    let head = Head {
        fingerprint: fingerprint.to_owned(),
        epoch: fit.epoch(),
        n_steps: moments.n_steps,
        best: best.standing,
    };
    let flat = |values: Vec<f32>| {
        let n = values.len();
        Tensor::from_vec(values, n, &Device::Cpu)
    };
    let mut tensors = HashMap::new();
    for (name, tensor) in fit.adam().copies()? {
        tensors.insert(format!("now.{name}"), tensor);
    }
    for (name, (mean, square)) in moments.by_name {
        tensors.insert(format!("mean.{name}"), flat(mean)?);
        tensors.insert(format!("square.{name}"), flat(square)?);
    }
    tensors.extend(best.tensors.iter().map(|(name, tensor)| (format!("best.{name}"), tensor.clone())));
    write(&folder.join(FILE), "checkpoint", &head, &tensors, Precision::Full)?;
    Ok(())
}

/// Brings a training to where it stood.
///
/// # Errors
/// The file is damaged, or belongs to another training.
pub fn resume(fit: &mut Fit<'_>, folder: &Path, fingerprint: &str) -> Result<Best, CheckpointError> {
    let (head, tensors, _): (Head, _, _) = read(&folder.join(FILE), "checkpoint")?;
    if head.fingerprint != fingerprint {
        return Err(CheckpointError::OtherTraining {
            folder: folder.to_owned(),
            found: head.fingerprint,
            expected: fingerprint.to_owned(),
        });
    }
    let part = |prefix: &str| -> HashMap<String, Tensor> {
        tensors
            .iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone())))
            .collect()
    };
    let (means, squares) = (part("mean."), part("square."));
    let mut moments = Moments { n_steps: head.n_steps, ..Moments::default() };
    for (name, mean) in &means {
        if let Some(square) = squares.get(name) {
            moments.by_name.insert(name.clone(), (mean.to_vec1()?, square.to_vec1()?));
        }
    }
    fit.restore(head.epoch, &part("now."), moments)?;
    Ok(Best { standing: head.best, tensors: part("best.") })
}
