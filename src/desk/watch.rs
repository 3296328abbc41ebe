//! Knowledge that changes while bots answer: folders that are edited, versions that others publish.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::engine;
use crate::engine::Engine;
use crate::engine::Vectors;
use crate::knowledge;
use crate::knowledge::finding::Severity;
use crate::knowledge::snapshot;
use crate::knowledge::snapshot::Listing;
use crate::message::BotId;
use crate::service::Service;
use crate::service::callback::chain;
use crate::service::model::Models;
use crate::service::version;
use crate::service::version::VersionError;
use crate::service::version::Versions;
use crate::store::VersionNumber;

/// How often it looks; a publication reaches every process within it, and the time that building an index takes.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Brings the bots of a service up to what is published.
pub struct Watch {
    service: Arc<Service>,
    versions: Versions,
    models: Arc<Models>,
    /// The folder with one folder a bot.
    root: PathBuf,
    /// Folders as they were when they were last read.
    seen: BTreeMap<PathBuf, Listing>,
    /// Versions that could not be built here; they are not tried again.
    unfit: BTreeSet<(BotId, VersionNumber)>,
    /// Versions whose vectors were begun.
    vectored: BTreeSet<(BotId, Option<VersionNumber>)>,
}

impl Watch {
    /// * `root`: the folder with one folder a bot.
    #[must_use]
    pub fn new(service: Arc<Service>, versions: Versions, models: Arc<Models>, root: PathBuf) -> Self {
        Self {
            service,
            versions,
            models,
            root,
            seen: BTreeMap::new(),
            unfit: BTreeSet::new(),
            vectored: BTreeSet::new(),
        }
    }

    /// Looks again and again, for as long as it is polled.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            self.models().await;
            self.folders().await;
            self.publications().await;
            self.vectors();
        }
    }

    /// Takes folders that have changed into the store. One that is being written is looked at again next time.
    pub async fn folders(&mut self) {
        let root = self.root.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let dirs = knowledge::bots(&root).unwrap_or_default();
            dirs.into_iter().filter_map(|dir| Some((snapshot::list(&dir).ok()?, dir))).collect::<Vec<_>>()
        });
        for (listing, dir) in looked.await.unwrap_or_default() {
            if self.seen.get(&dir) == Some(&listing) {
                continue;
            }
            match self.versions.follow(&dir, self.service.now()).await {
                Ok(followed) => {
                    if let Some(followed) = followed {
                        let row = &followed.version;
                        let (bot, version) = (&row.bot, row.number);
                        if followed.published {
                            tracing::info!(bot, version, "the folder changed and is published");
                        } else {
                            tracing::info!(bot, version, "the folder changed: a draft; see yingda versions");
                        }
                    }
                    self.seen.insert(dir, listing);
                }
                Err(error @ VersionError::Store(_) | error @ VersionError::Copy { .. }) => {
                    tracing::warn!(folder = %dir.display(), error = %chain(&error), "the changed folder is tried again");
                }
                Err(VersionError::Snapshot(error)) => {
                    tracing::debug!(error = %chain(&error), "looked too early")
                }
                Err(error) => {
                    if let VersionError::Unfit { findings, .. } = &error {
                        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
                        errors.for_each(|finding| tracing::warn!("{}: {finding}", dir.display()));
                    }
                    tracing::warn!(folder = %dir.display(), error = %chain(&error), "the changed folder is not taken");
                    self.seen.insert(dir, listing);
                }
            }
        }
    }

    /// Lets all bots read with the models that processes over a shared store read with.
    pub async fn models(&mut self) {
        match self.models.follow(self.service.now()).await {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                return tracing::warn!(error = %chain(&error), "the models of the store are tried again");
            }
        }
        for (bot, engine) in self.service.bots().iter() {
            let (engine, places) = (Arc::clone(engine), self.models.places());
            let take = move || engine::take_model(&engine, &places, None, Vectors::All);
            match tokio::task::spawn_blocking(take).await {
                Ok(Ok(version)) => tracing::info!(bot, version, "reads with the models of the store"),
                Ok(Err(error)) => tracing::error!(bot, error = %chain(&error), "goes on with its model"),
                Err(_panic) => tracing::error!(bot, "goes on with its model"),
            }
        }
    }

    /// Builds what was published since beside what answers, then exchanges the two at once.
    pub async fn publications(&mut self) {
        let published = match self.versions.store().published().await {
            Ok(published) => published,
            Err(error) => return tracing::warn!(error = %chain(&error), "publications cannot be read"),
        };
        let bots = self.service.bots();
        let mut opened = Vec::new();
        for (bot, number) in published {
            let standing = bots.get(&bot).and_then(|engine| engine.known().version);
            if standing == Some(number) || self.unfit.contains(&(bot.clone(), number)) {
                continue;
            }
            match self.versions.open(&bot, number, self.service.now()).await {
                Ok(version) => opened.push(version.knowledge),
                Err(error @ VersionError::Unfit { .. }) => self.goes_on(bot, number, &chain(&error)),
                Err(error) => {
                    tracing::warn!(bot, version = number, error = %chain(&error), "a published version is tried again");
                }
            }
        }
        if opened.is_empty() {
            return;
        }
        let names: Vec<(BotId, VersionNumber)> =
            opened.iter().filter_map(|known| Some((known.bot.clone(), known.version?))).collect();
        let places = self.models.places();
        // A bot that answers already goes on until the new one has everything; a first one answers at once, and searches by
        // words until it has its vectors.
        let is_first = names.iter().all(|(bot, _)| !bots.contains_key(bot));
        let vectors = if is_first { Vectors::Kept } else { Vectors::All };
        let built = tokio::task::spawn_blocking(move || {
            let beside: Vec<Arc<Engine>> = bots.values().cloned().collect();
            version::build(opened, &beside, &places, vectors)
        });
        let built = match built.await {
            Ok(built) => built,
            Err(_panic) => {
                return names.into_iter().for_each(|(bot, number)| self.goes_on(bot, number, "panic"));
            }
        };
        for ((bot, number), engine) in names.into_iter().zip(built) {
            match engine {
                Ok(engine) => {
                    self.service.take_bot(engine);
                    tracing::info!(bot, version = number, "answers from this version");
                }
                Err(error) => self.goes_on(bot, number, &format!("{error:#}")),
            }
        }
    }

    /// Begins to make the vectors that bots lack, beside what answers: minutes for a large knowledge without any.
    fn vectors(&mut self) {
        for engine in self.service.bots().values().filter(|engine| engine.lacks_vectors()) {
            let (bot, version) = (engine.known().bot.clone(), engine.known().version);
            if !self.vectored.insert((bot.clone(), version)) {
                continue;
            }
            let (engine, places) = (Arc::clone(engine), self.models.places());
            tokio::task::spawn_blocking(move || {
                match engine::take_model(&engine, &places, None, Vectors::All) {
                    Ok(_version) => tracing::info!(bot, "searches by sentence vectors as well from now on"),
                    Err(error) => tracing::error!(bot, error = %chain(&error), "goes on searching by words"),
                }
            });
        }
    }

    fn goes_on(&mut self, bot: BotId, version: VersionNumber, error: &str) {
        tracing::error!(
            bot,
            version,
            error,
            "a published version cannot answer here; the bot goes on with what it had"
        );
        self.unfit.insert((bot, version));
    }
}
