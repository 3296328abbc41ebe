//! Sentence vectors on disk, so that no encoder reads the same text twice.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use candle_core::Device;
use candle_core::Tensor;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::encoder::artefact;
use crate::encoder::artefact::ArtefactError;
use crate::encoder::artefact::Precision;
use crate::text::hex::lower_hex;

/// What [`artefact::read`] asks for.
const KIND: &str = "vectors";

/// Digits of an encoder's version, and of a text's fingerprint, that tell it from all others.
const DIGITS: usize = 32;

/// Vectors that one encoder has made, by text.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Where they are kept; `None`: nowhere.
    path: Option<PathBuf>,
    /// By fingerprint of the text.
    vectors: HashMap<String, Vec<f32>>,
    has_grown: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    encoder: String,
    /// Fingerprints, in the order of the rows.
    texts: Vec<String>,
}

impl Shelf {
    /// The shelf of an encoder in a folder. One that is not there yet, or cannot be read, is empty: all that is lost is
    /// time.
    ///
    /// * `encoder`: its version, hexadecimal digits.
    #[must_use]
    pub fn open(folder: &Path, encoder: &str) -> Self {
        let path = folder.join(format!("{}.safetensors", &encoder[..encoder.len().min(DIGITS)]));
        let vectors = if path.exists() { read(&path, encoder) } else { Ok(HashMap::new()) };
        let vectors = vectors.unwrap_or_else(|error| {
            tracing::warn!(%error, file = %path.display(), "kept vectors cannot be read and are made anew");
            HashMap::new()
        });
        Self { path: Some(path), vectors, has_grown: false }
    }

    /// Vectors of texts in their order, if all of them are on the shelf.
    #[must_use]
    pub fn kept(&self, texts: &[&str]) -> Option<Vec<Vec<f32>>> {
        texts.iter().map(|text| self.vectors.get(&fingerprint(text)).cloned()).collect()
    }

    /// Vectors of texts in their order; those that are not on the shelf are made and put there.
    ///
    /// * `make`: reads texts with the shelf's encoder.
    ///
    /// # Errors
    /// As `make`.
    pub fn vectors<E>(
        &mut self,
        texts: &[&str],
        make: impl FnOnce(&[&str]) -> Result<Vec<Vec<f32>>, E>,
    ) -> Result<Vec<Vec<f32>>, E> {
        let names: Vec<String> = texts.iter().map(|text| fingerprint(text)).collect();
        let mut missing: Vec<usize> =
            (0..texts.len()).filter(|at| !self.vectors.contains_key(&names[*at])).collect();
        missing.sort_by(|a, b| names[*a].cmp(&names[*b]));
        missing.dedup_by(|a, b| names[*a] == names[*b]);
        if !missing.is_empty() {
            let made = make(&missing.iter().map(|at| texts[*at]).collect::<Vec<_>>())?;
            self.vectors.extend(missing.iter().map(|at| names[*at].clone()).zip(made));
            self.has_grown = true;
        }
        Ok(names.iter().map(|name| self.vectors[name].clone()).collect())
    }

    /// Writes what is new, where the shelf has a place.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&mut self) -> Result<(), ArtefactError> {
        let Some(path) = self.path.as_ref().filter(|_| self.has_grown) else { return Ok(()) };
        let mut texts: Vec<String> = self.vectors.keys().cloned().collect();
        texts.sort();
        let encoder = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let (n, width) = (texts.len(), self.vectors[&texts[0]].len());
        let rows: Vec<f32> = texts.iter().flat_map(|text| &self.vectors[text]).copied().collect();
        let rows = Tensor::from_vec(rows, (n, width), &Device::Cpu)
            .map_err(|source| ArtefactError::Encoder { path: path.clone(), source: source.into() })?;
        let tensors = HashMap::from([(KIND.to_owned(), rows)]);
        artefact::write(path, KIND, &Head { encoder, texts }, &tensors, Precision::Full)?;
        self.has_grown = false;
        Ok(())
    }
}

fn read(path: &Path, encoder: &str) -> Result<HashMap<String, Vec<f32>>, ArtefactError> {
    let (head, tensors, _): (Head, _, _) = artefact::read(path, KIND)?;
    let foreign = |detail: String| ArtefactError::Foreign { path: path.to_owned(), detail };
    if !encoder.starts_with(&head.encoder) {
        return Err(foreign(format!("its vectors are of the encoder {}", head.encoder)));
    }
    let rows = tensors.get(KIND).and_then(|rows| rows.to_vec2::<f32>().ok()).unwrap_or_default();
    if rows.len() != head.texts.len() {
        return Err(foreign(format!("{} vectors stand for {} texts", rows.len(), head.texts.len())));
    }
    Ok(head.texts.into_iter().zip(rows).collect())
}

fn fingerprint(text: &str) -> String {
    lower_hex(&Sha256::digest(text.as_bytes())[..DIGITS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// Asks the shelf for vectors; returns them with the texts that had to be read.
    fn ask(shelf: &mut Shelf, texts: &[&str]) -> (Vec<Vec<f32>>, usize) {
        let mut n_made = 0;
        let found = shelf.vectors(texts, |missing| {
            n_made = missing.len();
            Ok::<_, ()>(missing.iter().map(|text| vec![text.len() as f32, 0.1]).collect())
        });
        (found.unwrap(), n_made)
    }

    #[test]
    fn a_text_is_read_once_by_each_encoder() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(folder.path(), ENCODER);
        let (found, n_made) = ask(&mut shelf, &["退货", "退", "退货"]);
        assert_eq!((found, n_made), (vec![vec![6.0, 0.1], vec![3.0, 0.1], vec![6.0, 0.1]], 2));
        assert_eq!(shelf.kept(&["退", "退货"]), Some(vec![vec![3.0, 0.1], vec![6.0, 0.1]]));
        assert_eq!(shelf.kept(&["退", "发票"]), None);
        assert_eq!(ask(&mut shelf, &["退", "发票"]).1, 1);
        shelf.save().unwrap();
        let mut again = Shelf::open(folder.path(), ENCODER);
        assert_eq!(
            ask(&mut again, &["发票", "退货", "退"]),
            (vec![vec![6.0, 0.1], vec![6.0, 0.1], vec![3.0, 0.1]], 0)
        );
        let mut other = Shelf::open(folder.path(), &ENCODER.replace('0', "f"));
        assert_eq!(ask(&mut other, &["退"]).1, 1);
    }

    #[test]
    fn a_damaged_file_costs_time_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(folder.path(), ENCODER);
        ask(&mut shelf, &["退货"]);
        shelf.save().unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let mut again = Shelf::open(folder.path(), ENCODER);
        assert_eq!(ask(&mut again, &["退货"]).1, 1);
        again.save().unwrap();
        assert_eq!(ask(&mut Shelf::open(folder.path(), ENCODER), &["退货"]).1, 0);
    }
}
