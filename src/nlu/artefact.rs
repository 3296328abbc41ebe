//! A trained model on disk: the layers that training changed, the heads, the phrases, and what is needed to use them.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use candle_core::Tensor;
use serde::Deserialize;
use serde::Serialize;

use crate::encoder::artefact;
use crate::encoder::artefact::ArtefactError;
use crate::encoder::artefact::Loaded;
use crate::encoder::artefact::Precision;
use crate::nlu::gram::Grams;
use crate::nlu::model::Calibration;
use crate::nlu::model::Heads;
use crate::nlu::model::Labels;
use crate::nlu::model::Model;

/// Name of the file in a model's folder.
pub const FILE: &str = "model.safetensors";

/// Rows that a model carries along, `[n, 2 · width]`, so that a new intent can be told from the old ones.
pub const SUPPORT: &str = "support";

/// The intent of each of these rows, by its place in the labels, `[n]`.
pub const SUPPORT_INTENTS: &str = "support.intents";

/// What the head of a model's file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// What the model tells apart.
    pub labels: Labels,
    /// From logits to probabilities.
    pub calibration: Calibration,
    /// The encoder below, by checksum and by the folder it was taken from.
    pub encoder: EncoderName,
    /// How the model was trained, for the reader of the file.
    pub training: String,
}

/// Which encoder a model stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderName {
    /// SHA-256 of its head and weights.
    pub sha256: String,
    /// Folder at training time.
    pub folder: PathBuf,
    /// Which of its layers the model uses, from the lowest.
    pub layers: Vec<usize>,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// One of the two files is missing, damaged or foreign.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// The encoder found is another one.
    #[error(
        "{} was trained on the encoder {expected}, but {} holds {found}",
        path.display(),
        folder.display()
    )]
    OtherEncoder {
        /// The model's file.
        path: PathBuf,
        /// Where the encoder was found.
        folder: PathBuf,
        /// Checksum of the encoder found.
        found: String,
        /// Checksum of the encoder needed.
        expected: String,
    },
    /// No threads for it.
    #[error("no thread can be started for {}", path.display())]
    Threads {
        /// The model's file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// Writes a model.
///
/// * `tensors`: the heads, and those of the encoder's tensors that training changed.
/// * Returns the checksum.
///
/// # Errors
/// The folder cannot be written.
pub fn save(head: &Head, tensors: &HashMap<String, Tensor>, folder: &Path) -> Result<String, ArtefactError> {
    artefact::write(&folder.join(FILE), "model", head, tensors, Precision::Half)
}

/// A loaded model with its name.
#[derive(Debug)]
pub struct LoadedModel {
    /// The model.
    pub model: Model,
    /// What its file says of it.
    pub head: Head,
    /// SHA-256 of its own file's head and weights: its version.
    pub checksum: String,
    /// What its sentence vectors are told from those of others by: the encoder's checksum, or the model's own where it
    /// changes the encoder.
    pub vectors_version: String,
}

impl LoadedModel {
    /// The version for people: the first digits of the checksum.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.checksum[..12]
    }
}

/// Reads the model of `folder` and the encoder it stands on.
///
/// The encoder is looked for in `folder`, in the folder `encoder` beside it, and where it was at training time.
///
/// # Errors
/// A file is missing, damaged or foreign, or the encoder is not the one that the model was trained on.
pub fn load(folder: &Path) -> Result<LoadedModel, ModelError> {
    let path = folder.join(FILE);
    let (head, tensors, checksum) = parts(folder)?;
    let encoder = encoder_of(folder, &head)?;
    let wrong = |source| ArtefactError::Encoder { path: path.clone(), source };
    let is_own = encoder.encoder.tensors().keys().any(|name| tensors.contains_key(name))
        || head.encoder.layers.len() != encoder.encoder.shape().n_layers;
    let vectors_version = if is_own { checksum.clone() } else { encoder.checksum.clone() };
    let encoder = encoder.encoder.thinned(&head.encoder.layers).with(&tensors).map_err(wrong)?;
    let heads = Heads::new(&head.labels, &tensors).map_err(wrong)?;
    let grams = Grams::from_tensors(&tensors, head.labels.intents.len() + 1).map_err(wrong)?;
    let model = Model::new(encoder, heads, grams, head.labels.clone(), head.calibration)
        .map_err(|source| ModelError::Threads { path, source })?;
    Ok(LoadedModel { model, head, checksum, vectors_version })
}

/// The head and the tensors of a model's file, and its checksum.
///
/// # Errors
/// The file is missing, damaged or foreign.
pub fn parts(folder: &Path) -> Result<(Head, HashMap<String, Tensor>, String), ArtefactError> {
    artefact::read(&folder.join(FILE), "model")
}

/// The encoder that a model stands on.
///
/// # Errors
/// It is missing or damaged, or all that are found are other ones.
pub fn encoder_of(folder: &Path, head: &Head) -> Result<Loaded, ModelError> {
    let beside = folder.parent().map(|parent| parent.join("encoder"));
    let places = [Some(folder.to_owned()), beside, Some(head.encoder.folder.clone())];
    let mut other = None;
    for place in places.into_iter().flatten().filter(|place| place.join(artefact::FILE).exists()) {
        let loaded = artefact::load(&place)?;
        if loaded.checksum == head.encoder.sha256 {
            return Ok(loaded);
        }
        other.get_or_insert(ModelError::OtherEncoder {
            path: folder.join(FILE),
            folder: place,
            found: loaded.checksum,
            expected: head.encoder.sha256.clone(),
        });
    }
    match other {
        Some(other) => Err(other),
        // Says what is missing where.
        None => Ok(artefact::load(&head.encoder.folder)?),
    }
}
