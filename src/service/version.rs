//! Knowledge in the store: a folder becomes a version, a version becomes an engine.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinError;

use crate::engine;
use crate::engine::Engine;
use crate::engine::ModelPlaces;
use crate::engine::Vectors;
use crate::knowledge::Knowledge;
use crate::knowledge::diff;
use crate::knowledge::diff::Difference;
use crate::knowledge::diff::Side;
use crate::knowledge::finding::Finding;
use crate::knowledge::snapshot;
use crate::knowledge::snapshot::Files;
use crate::knowledge::snapshot::SnapshotError;
use crate::message::BotId;
use crate::service::ask;
use crate::service::callback::chain;
use crate::store::NewPublication;
use crate::store::NewVersion;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::VersionNumber;
use crate::store::VersionRow;
use crate::store::fingerprint;
use crate::text::hex::lower_hex;
use crate::text::segment::Segmenter;

/// The versions of all bots.
#[derive(Clone)]
pub struct Versions {
    store: Arc<dyn Store>,
    /// A folder with a copy of every version that was opened: where attachments are read from.
    copies: PathBuf,
}

/// Where a change of knowledge comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// A version as it was read.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its knowledge.
    pub knowledge: Knowledge,
    /// Reminders; no error is among them.
    pub findings: Vec<Finding>,
    /// Its files.
    pub files: Files,
}

impl Opened {
    fn side(&self) -> Side<'_> {
        Side { knowledge: &self.knowledge, files: &self.files }
    }
}

/// Why a version could not be made, opened or published. What answered before still answers.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The store did not do it.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The folder cannot be read as a version.
    #[error("the folder cannot become a version")]
    Snapshot(#[from] SnapshotError),
    /// A version's copy cannot be written to disk.
    #[error("a copy of a version cannot be written to {}", path.display())]
    Copy {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has mistakes with which no bot may answer.
    #[error("the knowledge of {bot} has errors and cannot answer")]
    Unfit {
        /// Whose.
        bot: BotId,
        /// All that was found.
        findings: Vec<Finding>,
    },
    /// A thread panicked or was cancelled.
    #[error("reading a version ended early")]
    Ended(#[from] JoinError),
}

impl Versions {
    /// * `data`: the folder of the store; copies are kept below it.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, data: &Path) -> Self {
        Self { store, copies: data.join("versions") }
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Takes a bot's folder into the store. The same files are the same version, whoever brings them.
    ///
    /// # Errors
    /// See [`VersionError`]; a folder with errors makes no version.
    pub async fn take(
        &self,
        dir: &Path,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<VersionRow, VersionError> {
        let bot = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (own, name, folder) = (self.clone(), bot.clone(), dir.to_owned());
        // What is checked is the copy: the folder may change meanwhile.
        let files = tokio::task::spawn_blocking(move || {
            snapshot::read(&folder).map_err(VersionError::from).and_then(|files| own.read(&name, files, now))
        });
        self.keep(bot, files.await??.files, origin, now).await
    }

    /// Takes files into the store, as [`Self::take`] takes those of a folder.
    ///
    /// # Errors
    /// See [`VersionError`].
    pub async fn add(
        &self,
        bot: &str,
        files: Files,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<VersionRow, VersionError> {
        let files = self.checked(bot, files, now).await?.files;
        self.keep(bot.to_owned(), files, origin, now).await
    }

    /// What is to be said of files that could become a version; no error is among it.
    ///
    /// # Errors
    /// [`VersionError::Unfit`] with all that was found where there is one.
    pub async fn check(&self, bot: &str, files: Files, now: Timestamp) -> Result<Vec<Finding>, VersionError> {
        Ok(self.checked(bot, files, now).await?.findings)
    }

    async fn checked(&self, bot: &str, files: Files, now: Timestamp) -> Result<Opened, VersionError> {
        let (own, bot) = (self.clone(), bot.to_owned());
        tokio::task::spawn_blocking(move || own.read(&bot, files, now)).await?
    }

    async fn keep(
        &self,
        bot: BotId,
        files: Files,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<VersionRow, VersionError> {
        let Origin { author, reason } = origin.clone();
        Ok(self.store.version_add(&NewVersion { bot, files, author, reason }, now).await?)
    }

    /// Reads a version.
    ///
    /// # Errors
    /// See [`VersionError`]; one that was fit when it was made may be unfit for a newer program.
    pub async fn open(
        &self,
        bot: &str,
        number: VersionNumber,
        now: Timestamp,
    ) -> Result<Opened, VersionError> {
        let files = self.store.version_files(bot, number).await?;
        let mut opened = self.checked(bot, files, now).await?;
        opened.knowledge.version = Some(number);
        Ok(opened)
    }

    /// What a version changes.
    ///
    /// * `from`: the version it is compared with.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn diff(
        &self,
        bot: &str,
        from: VersionNumber,
        to: VersionNumber,
        now: Timestamp,
    ) -> Result<Vec<Difference>, VersionError> {
        let (old, new) = (self.open(bot, from, now).await?, self.open(bot, to, now).await?);
        Ok(diff::diff(old.side(), new.side()))
    }

    /// Lets a version answer from now on, in every process over the store; an older one is rolled back to the same way.
    /// It is opened first, so that nothing is published that cannot answer.
    ///
    /// # Errors
    /// [`StoreError::Outdated`] where another version answers than the publisher believed; see [`VersionError`].
    pub async fn publish(&self, wish: &NewPublication, now: Timestamp) -> Result<Opened, VersionError> {
        let opened = self.open(&wish.bot, wish.number, now).await?;
        self.store.publish(wish, now).await?;
        Ok(opened)
    }

    /// Brings the store up to a bot's folder: the first version of all is published, and a change where the bot says
    /// `watch = "publish"`; else a change waits as a draft.
    ///
    /// * Returns the version that the folder became, where it has changed since it was last looked at.
    ///
    /// # Errors
    /// See [`VersionError`].
    pub async fn follow(&self, dir: &Path, now: Timestamp) -> Result<Option<Followed>, VersionError> {
        let origin = Origin { author: "folder".to_owned(), reason: "the folder changed".to_owned() };
        let version = self.take(dir, &origin, now).await?;
        let standing = self.store.published().await?.get(&version.bot).copied();
        let before = self.store.folder_seen(&version.bot, version.number).await?;
        if before == Some(version.number) && standing.is_some() {
            return Ok(None);
        }
        let (bot, number) = (version.bot.clone(), version.number);
        if standing == Some(number) {
            return Ok(Some(Followed { version, published: true }));
        }
        let publishes = match standing {
            None => true,
            Some(_) => self.open(&bot, number, now).await?.knowledge.profile.watch.publishes(),
        };
        if publishes {
            let Origin { author, reason } = origin;
            let wish = NewPublication { bot: bot.clone(), number, instead_of: standing, author, reason };
            if let Err(error) = self.publish(&wish, now).await {
                // The change has not been dealt with: the next look finds it again.
                if let Some(before) = before {
                    self.store.folder_seen(&bot, before).await?;
                }
                return Err(error);
            }
        }
        Ok(Some(Followed { version, published: publishes }))
    }

    /// Checks and reads files by way of their copy on disk.
    fn read(&self, bot: &str, files: Files, now: Timestamp) -> Result<Opened, VersionError> {
        let name = &lower_hex(&fingerprint(&files))[..16];
        // A bot is called like its folder.
        let dir = self.copies.join(name).join(bot);
        let failed = |source| VersionError::Copy { path: dir.clone(), source };
        if !snapshot::read(&dir).is_ok_and(|found| found == files) {
            match fs::remove_dir_all(&dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            fs::create_dir_all(self.copies.join(name)).map_err(failed)?;
            match snapshot::write(&files, &dir) {
                // Another process was faster.
                Err(_) if snapshot::read(&dir).is_ok_and(|found| found == files) => {}
                written => written.map_err(failed)?,
            }
        }
        let today = now.to_zoned(TimeZone::system()).date();
        match engine::load(&dir, today) {
            (Some(knowledge), findings) if engine::servable(&findings) => {
                Ok(Opened { knowledge, findings, files })
            }
            (_, findings) => {
                // A draft that was never made leaves no copy; what cannot be removed is only in the way.
                let _left = fs::remove_dir_all(self.copies.join(name));
                Err(VersionError::Unfit { bot: bot.to_owned(), findings })
            }
        }
    }
}

/// A folder that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// What it became.
    pub version: VersionRow,
    /// Whether that answers from now on.
    pub published: bool,
}

/// Builds engines over one segmenter: the dictionary is the largest part of a start.
///
/// * `beside`: the bots that answer now. Their words count as well, so that a bot cuts messages the same way after the
///   next start.
///
/// # Errors
/// For each bot that cannot be built, which a checked folder does not let happen.
pub fn build(
    known: Vec<Knowledge>,
    beside: &[Arc<Engine>],
    places: &ModelPlaces,
    vectors: Vectors,
) -> Vec<anyhow::Result<Engine>> {
    let others = beside.iter().map(|engine| engine.known());
    let words: BTreeSet<String> = known.iter().chain(others).flat_map(engine::vocabulary).collect();
    let segmenter = Arc::new(Segmenter::new(words.iter().map(String::as_str)));
    let engine = |known: Knowledge| {
        let bot = known.bot.clone();
        let engine = Engine::new(known, Arc::clone(&segmenter))
            .map_err(|error| error.context(format!("building the bot {bot}")))?;
        // A bot without its model answers by search and rules, which is better than no answer.
        if let Err(error) = engine::take_model(&engine, places, None, vectors) {
            tracing::error!(bot, error = %chain(&error), "goes on without its model");
        }
        // Expressions and tables are made when they are first needed; not at a customer's cost.
        let _warm = ask(&engine, "你好，有黑色M码200元以内的衬衫吗", Timestamp::UNIX_EPOCH);
        Ok(engine)
    };
    known.into_iter().map(engine).collect()
}
