//! Where models are read from: a folder of this machine, or the store that several machines share.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use jiff::Timestamp;
use tokio::task::JoinError;

use crate::engine::ModelPlaces;
use crate::knowledge::snapshot;
use crate::knowledge::snapshot::SnapshotError;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::fingerprint;
use crate::text::hex::lower_hex;

/// The models of this process.
pub struct Models {
    store: Arc<dyn Store>,
    /// The folder of models on this machine.
    own: PathBuf,
    /// Where sets of the store are copied to.
    copies: PathBuf,
    vectors: Option<PathBuf>,
    standing: RwLock<Standing>,
}

/// What is read with now.
struct Standing {
    folder: PathBuf,
    /// Its set in the store; `None` before the store was asked.
    set: Option<[u8; 32]>,
}

/// Why models stay as they were.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The store did not do it.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The folder cannot be read.
    #[error("the folder of models cannot be read")]
    Folder(#[from] SnapshotError),
    /// A copy cannot be written to disk.
    #[error("a copy of the models cannot be written to {}", path.display())]
    Copy {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread panicked or was cancelled.
    #[error("reading models ended early")]
    Ended(#[from] JoinError),
}

impl Models {
    /// * `places`: the folder of models on this machine, and the one of vectors.
    /// * `copies`: a folder for models that come from the store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, places: ModelPlaces, copies: PathBuf) -> Self {
        let standing = RwLock::new(Standing { folder: places.models.clone(), set: None });
        Self { store, own: places.models, copies, vectors: places.vectors, standing }
    }

    /// Where models are now.
    #[must_use]
    pub fn places(&self) -> ModelPlaces {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        ModelPlaces { models: standing.folder.clone(), vectors: self.vectors.clone() }
    }

    /// Whether all processes over the store read with the models in it, so that a folder of one machine's counts for nothing.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Brings this process up to the models of a shared store; the first process of all gives it those of its folder. Returns
    /// whether the models are others than before.
    ///
    /// # Errors
    /// See [`ModelsError`]; the models stay as they were.
    pub async fn follow(&self, now: Timestamp) -> Result<bool, ModelsError> {
        if !self.are_shared() {
            return Ok(false);
        }
        let found = self.store.models().await?;
        let known = self.standing.read().unwrap_or_else(PoisonError::into_inner).set;
        if found.is_some() && found == known {
            return Ok(false);
        }
        let Some(set) = found else {
            let set = self.keep(&self.own, now).await?;
            self.stand(self.own.clone(), set);
            return Ok(false);
        };
        let folder = self.folder_of(set).await?;
        self.stand(folder, set);
        Ok(known.is_some())
    }

    /// Gives all processes over the store the models of a folder.
    ///
    /// # Errors
    /// See [`ModelsError`].
    pub async fn keep(&self, folder: &Path, now: Timestamp) -> Result<[u8; 32], ModelsError> {
        let folder = folder.to_owned();
        let files = tokio::task::spawn_blocking(move || snapshot::read(&folder)).await??;
        Ok(self.store.models_keep(&files, now).await?)
    }

    /// A folder of this machine with a set of the store.
    async fn folder_of(&self, set: [u8; 32]) -> Result<PathBuf, ModelsError> {
        let copy = self.copies.join(&lower_hex(&set)[..16]);
        for folder in [self.own.clone(), copy.clone()] {
            let found = tokio::task::spawn_blocking({
                let folder = folder.clone();
                move || snapshot::read(&folder).is_ok_and(|files| fingerprint(&files) == set)
            });
            if found.await? {
                return Ok(folder);
            }
        }
        let files = self.store.models_files(&set).await?;
        let path = copy.clone();
        let written = tokio::task::spawn_blocking(move || {
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            snapshot::write(&files, &path)
        });
        written.await?.map_err(|source| ModelsError::Copy { path: copy.clone(), source })?;
        Ok(copy)
    }

    fn stand(&self, folder: PathBuf, set: [u8; 32]) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        *standing = Standing { folder, set: Some(set) };
    }
}
