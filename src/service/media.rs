//! The bots' pictures, voices and files as WeCom has them: handed over before a customer asks, and again before WeCom
//! forgets them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use jiff::SignedDuration;
use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;
use tokio::sync::Notify;

use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::media;
use crate::channel::wecom::media::MediaError;
use crate::engine::Engine;
use crate::knowledge::PathError;
use crate::knowledge::file_below;
use crate::knowledge::reply::AttachmentSpec;
use crate::knowledge::reply::wecom_voice;
use crate::message::Asset;
use crate::message::BotId;
use crate::message::Media;
use crate::message::Part;
use crate::message::Reply;
use crate::service::Service;
use crate::service::app::App;
use crate::service::callback::chain;
use crate::store::MediaKey;
use crate::store::MediaRow;
use crate::store::StoreError;
use crate::store::VersionNumber;

/// So long before WeCom forgets a file it is handed over again.
const RENEWED: SignedDuration = SignedDuration::from_hours(12);

/// So long before that it is no longer sent: a message may wait for its turn.
const SAFE: SignedDuration = SignedDuration::from_hours(1);

/// What WeCom has of the bots' files.
pub struct MediaShelf {
    service: Arc<Service>,
    held: RwLock<BTreeMap<Place, Held>>,
    lost: Notify,
}

/// A file of a bot, for one company.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    corp_id: String,
    bot: BotId,
    path: String,
}

/// What came of a file.
#[derive(Clone, Debug)]
struct Held {
    /// Of the knowledge that it is in.
    version: Option<VersionNumber>,
    /// `None` for one that WeCom would not take.
    row: Option<MediaRow>,
}

/// Why a file could not be handed over now.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// WeCom did not take it.
    #[error("WeCom did not take the file")]
    Client(#[from] ClientError),
    /// What WeCom calls it could not be kept.
    #[error("the file's id could not be kept")]
    Store(#[from] StoreError),
}

/// Why a file is never handed over as it is.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the file is not there")]
    Path(#[from] PathError),
    #[error("the file cannot be read")]
    Read(#[from] std::io::Error),
    #[error("WeCom would not take the file")]
    Media(#[from] MediaError),
}

/// A file that a reply shows or offers.
struct Wanted {
    /// Path of the asset in replies.
    path: String,
    /// Path of what WeCom gets.
    file: String,
    kind: Media,
    /// What its receiver sees of it.
    name: String,
}

impl MediaShelf {
    /// An empty one; [`Self::renew`] fills it.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, held: RwLock::default(), lost: Notify::new() }
    }

    /// The reply with WeCom's ids of the files that it has.
    #[must_use]
    pub fn dressed(&self, app: &App, reply: &Reply) -> Reply {
        let parts = reply.parts.iter().cloned().map(|part| match part {
            Part::Image(asset) => Part::Image(self.known(app, asset)),
            Part::Voice(asset) => Part::Voice(self.known(app, asset)),
            Part::File(asset) => Part::File(self.known(app, asset)),
            other @ (Part::Text(_) | Part::Choices { .. } | Part::Card(_) | Part::Link { .. }) => other,
        });
        Reply { parts: parts.collect() }
    }

    fn known(&self, app: &App, asset: Asset) -> Asset {
        if asset.media_id.is_some() {
            return asset;
        }
        let place = place(app, &asset.path);
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let row = held.get(&place).and_then(|held| held.row.as_ref());
        let row = row.filter(|row| left(row, self.service.now()) > SAFE);
        Asset { media_id: row.map(|row| row.media_id.clone()), ..asset }
    }

    /// Forgets a file that WeCom no longer has; it is handed over again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, media_id: &str) -> Result<(), StoreError> {
        let is_it = |held: &Held| held.row.as_ref().is_some_and(|row| row.media_id == media_id);
        self.held.write().unwrap_or_else(PoisonError::into_inner).retain(|_place, held| !is_it(held));
        self.service.store().media_forget(media_id).await?;
        self.lost.notify_one();
        Ok(())
    }

    /// Waits until a file is forgotten.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Looks up which files of an app's bot WeCom already has, by what the store knows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recall(&self, app: &App) -> Result<(), StoreError> {
        let Some(engine) = self.service.bots().get(&app.bot).cloned() else { return Ok(()) };
        for wanted in wanted(&engine) {
            self.missing(app, &engine, &wanted).await?;
        }
        Ok(())
    }

    /// Hands over the files of an app's bot that WeCom does not have, or not for long; returns how many.
    ///
    /// # Errors
    /// See [`ShelfError`]; what was handed over until then stays so.
    pub async fn renew(&self, app: &App) -> Result<usize, ShelfError> {
        let Some(active) = &app.active else { return Ok(0) };
        let Some(engine) = self.service.bots().get(&app.bot).cloned() else { return Ok(0) };
        let mut n_handed_over = 0;
        for wanted in wanted(&engine) {
            let Some((key, bytes)) = self.missing(app, &engine, &wanted).await? else { continue };
            let now = self.service.now();
            let media_id = active.client.upload(wanted.kind, &wanted.name, &bytes).await?;
            self.service.store().media_keep(&key, &media_id, now).await?;
            let row = Some(MediaRow { media_id, uploaded_at: now });
            self.hold(place(app, &wanted.path), Held { version: engine.known().version, row });
            n_handed_over += 1;
        }
        Ok(n_handed_over)
    }

    /// A file that is to be handed over; `None` for one that WeCom has for long enough, or would not take.
    async fn missing(
        &self,
        app: &App,
        engine: &Engine,
        wanted: &Wanted,
    ) -> Result<Option<(MediaKey, Vec<u8>)>, StoreError> {
        let (place, now, version) = (place(app, &wanted.path), self.service.now(), engine.known().version);
        if self.has(&place, version, now) {
            return Ok(None);
        }
        let (key, bytes) = match read(engine, wanted, &app.corp_id).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(
                    bot = %app.bot, path = %wanted.file, error = %chain(&error),
                    "an attachment is sent to WeCom as a link"
                );
                self.hold(place, Held { version, row: None });
                return Ok(None);
            }
        };
        match self.service.store().media(&key).await?.filter(|row| left(row, now) > RENEWED) {
            Some(row) => {
                self.hold(place, Held { version, row: Some(row) });
                Ok(None)
            }
            None => Ok(Some((key, bytes))),
        }
    }

    fn has(&self, place: &Place, version: Option<VersionNumber>, now: Timestamp) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.get(place).is_some_and(|held| {
            held.version == version && held.row.as_ref().is_none_or(|row| left(row, now) > RENEWED)
        })
    }

    fn hold(&self, place: Place, held: Held) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).insert(place, held);
    }
}

fn place(app: &App, path: &str) -> Place {
    Place { corp_id: app.corp_id.clone(), bot: app.bot.clone(), path: path.to_owned() }
}

/// How long WeCom still has a file.
fn left(row: &MediaRow, now: Timestamp) -> SignedDuration {
    media::LIFE - now.duration_since(row.uploaded_at)
}

/// The files of a bot's replies, without those that WeCom keeps by another hand.
fn wanted(engine: &Engine) -> Vec<Wanted> {
    let attachments = engine.known().replies.reply.values().flat_map(|reply| &reply.attachments);
    let wanted = attachments.filter_map(|attachment| match attachment {
        AttachmentSpec::Image { file, media_id: None, .. } => {
            let name = last(file).to_owned();
            Some(Wanted { path: file.clone(), file: file.clone(), kind: Media::Image, name })
        }
        AttachmentSpec::Voice { file, media_id: None, .. } => {
            let wecom = wecom_voice(file);
            let name = last(&wecom).to_owned();
            Some(Wanted { path: file.clone(), file: wecom, kind: Media::Voice, name })
        }
        AttachmentSpec::File { file, title, media_id: None, .. } => {
            let name = titled(title, file);
            Some(Wanted { path: file.clone(), file: file.clone(), kind: Media::File, name })
        }
        AttachmentSpec::Image { .. }
        | AttachmentSpec::Voice { .. }
        | AttachmentSpec::File { .. }
        | AttachmentSpec::Card { .. }
        | AttachmentSpec::Link { .. } => None,
    });
    wanted.collect()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A document's title with the ending that its receiver's system opens it by.
fn titled(title: &str, file: &str) -> String {
    match last(file).rsplit_once('.') {
        Some((_, ending)) if !title.to_lowercase().ends_with(&format!(".{}", ending.to_lowercase())) => {
            format!("{title}.{ending}")
        }
        _ => title.to_owned(),
    }
}

/// A file with what it is kept under.
async fn read(engine: &Engine, wanted: &Wanted, corp_id: &str) -> Result<(MediaKey, Vec<u8>), Unfit> {
    let (path, _size) = file_below(&engine.known().dir, &wanted.file)?;
    let bytes = tokio::fs::read(path).await?;
    media::check(wanted.kind, &bytes)?;
    let hash = Sha256::new().chain_update(&wanted.name).chain_update([0]).chain_update(&bytes).finalize();
    let (corp_id, kind) = (corp_id.to_owned(), wanted.kind.as_str().to_owned());
    Ok((MediaKey { corp_id, kind, hash: hash.into() }, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_the_ending_of_its_file_once() {
        assert_eq!(titled("2026年价目表.pdf", "attachments/price-list-2026.pdf"), "2026年价目表.pdf");
        assert_eq!(titled("价目表", "attachments/price-list-2026.pdf"), "价目表.pdf");
        assert_eq!(titled("价目表.PDF", "attachments/a.pdf"), "价目表.PDF");
        assert_eq!(titled("说明", "attachments/README"), "说明");
    }
}
