//! What customers send beside words: fetched from the channel when somebody wants to look at it, for as long as it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::client::Downloaded;
use crate::service::app::App;
use crate::service::handover::Route;
use crate::store::Author;
use crate::store::ConversationId;
use crate::store::MessageId;
use crate::store::Store;
use crate::store::StoreError;

/// Field of a customer's message with the channel's ids of what was sent beside words.
pub(super) const MEDIA: &str = "media";

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub enum EnclosureError {
    /// There is no such conversation or message, or nothing was sent with it.
    #[error("nothing of that number was sent with the message")]
    Unknown,
    /// The channel keeps it no longer.
    #[error("the channel keeps it no longer")]
    Gone,
    /// The app that brought it is off.
    #[error("no app can fetch it")]
    NoApp,
    /// It could not be fetched.
    #[error("it could not be fetched")]
    Client(#[source] ClientError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Fetches what a customer sent with a message.
///
/// * `index`: which of several, from 0.
///
/// # Errors
/// See [`EnclosureError`].
pub async fn fetch(
    store: &dyn Store,
    apps: &BTreeMap<String, Arc<App>>,
    (conversation_id, message_id): (ConversationId, MessageId),
    index: usize,
) -> Result<Downloaded, EnclosureError> {
    let conversation = store.conversation_by_id(conversation_id).await?.ok_or(EnclosureError::Unknown)?;
    let before = message_id.checked_sub(1).ok_or(EnclosureError::Unknown)?;
    let found = store.messages_after(conversation_id, before, 1).await?.pop();
    let said = found.filter(|row| row.id == message_id && row.author == Author::Customer);
    let body: Value =
        said.and_then(|row| serde_json::from_str(&row.body).ok()).ok_or(EnclosureError::Unknown)?;
    let media_id = body[MEDIA][index].as_str().ok_or(EnclosureError::Unknown)?;
    let route: Option<Route> = conversation.route.and_then(|route| serde_json::from_str(&route).ok());
    let app = route.and_then(|route| apps.get(&route.app)).ok_or(EnclosureError::NoApp)?;
    let active = app.active.as_ref().ok_or(EnclosureError::NoApp)?;
    active.client.download(media_id).await.map_err(|error| {
        if error.is_media_gone() { EnclosureError::Gone } else { EnclosureError::Client(error) }
    })
}
