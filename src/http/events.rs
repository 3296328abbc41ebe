//! What happens, as it happens: `GET /api/v1/events` for staff, `GET /api/v1/chat/events` for the page of a customer.
//!
//! Both read the store, so that it does not matter which process did something.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::sse::Event;
use axum::response::sse::KeepAlive;
use axum::response::sse::Sse;
use futures_util::Stream;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::message::Channel;
use crate::service::callback::chain;
use crate::service::handover::serves;
use crate::store::Author;
use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::EventRow;
use crate::store::MessageRow;
use crate::store::StoreError;

/// How often the store is looked at for each listener.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const ROWS: u32 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    #[serde(default)]
    after: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    bot: String,
    user: String,
    #[serde(default)]
    after: Option<i64>,
}

type Told = Result<Event, Infallible>;

pub(super) async fn staff(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Told> + use<>>, ApiError> {
    access.require(Scope::Agent)?;
    let Query(After { after }) = after.map_err(|rejection| bad_query(&rejection))?;
    let agent = desk.agent_of(access).await?;
    let from = match after.or_else(|| last_seen(&headers)) {
        Some(after) => after,
        None => desk.service.store().last_event().await.map_err(|error| failed(&error))?,
    };
    let stream = stream::unfold(
        (desk, agent, from, Vec::<EventRow>::new().into_iter()),
        |(desk, agent, mut from, mut ready)| async move {
            while !desk.stopping.load(Ordering::SeqCst) {
                if let Some(row) = ready.next() {
                    from = row.id;
                    let hears = |group: &String| agent.as_ref().is_none_or(|agent| serves(agent, group));
                    if !row.group.as_ref().is_none_or(hears) {
                        continue;
                    }
                    let event = Event::default()
                        .id(row.id.to_string())
                        .event(&row.kind)
                        .data(event(&row).to_string());
                    return Some((Ok(event), (desk, agent, from, ready)));
                }
                match desk.service.store().events(from, ROWS).await {
                    Ok(rows) if rows.is_empty() => tokio::time::sleep(LOOK_EVERY).await,
                    Ok(rows) => ready = rows.into_iter(),
                    Err(error) => return ended(&error),
                }
            }
            None
        },
    );
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

pub(super) async fn customer(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Told> + use<>>, ApiError> {
    access.require_unless_local(Scope::Chat)?;
    let Query(whose) = whose.map_err(|rejection| bad_query(&rejection))?;
    // The same bots as in the chat; a bot that is not for the web is none here.
    let engine = desk.bot(&whose.bot)?;
    if !access.may_meet(engine.known()) {
        let message = format!("没有名为 {} 的机器人", whose.bot);
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown-bot", message));
    }
    let key = CustomerKey::new(&whose.bot, Channel::Web, &whose.user).map_err(|_| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-user", "user 是空的，或者太长".to_owned())
    })?;
    let store = desk.service.store();
    // Listening begins no talk: a stranger has nobody to hear.
    if store.customer(&key).await.map_err(|error| failed(&error))?.is_none() {
        let message = "这位客户还没有说过话".to_owned();
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown-customer", message));
    }
    let id = store.conversation(&key, desk.service.now()).await.map_err(|error| failed(&error))?.id;
    let from = match whose.after.or_else(|| last_seen(&headers)) {
        Some(after) => after,
        None => newest(&desk, id).await.map_err(|error| failed(&error))?,
    };
    let stream = stream::unfold(
        (desk, from, Vec::<MessageRow>::new().into_iter()),
        move |(desk, from, mut ready)| async move {
            let mut from = from;
            while !desk.stopping.load(Ordering::SeqCst) {
                if let Some(row) = ready.next() {
                    from = row.id;
                    // What the bot says comes with the response to the customer's own request.
                    if !matches!(row.author, Author::Agent(_) | Author::System) {
                        continue;
                    }
                    let event = Event::default()
                        .id(row.id.to_string())
                        .event(row.author.as_str())
                        .data(message(&row).to_string());
                    return Some((Ok(event), (desk, from, ready)));
                }
                match desk.service.store().messages_after(id, from, ROWS).await {
                    Ok(rows) if rows.is_empty() => tokio::time::sleep(LOOK_EVERY).await,
                    Ok(rows) => ready = rows.into_iter(),
                    Err(error) => return ended(&error),
                }
            }
            None
        },
    );
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn newest(desk: &Shared, id: ConversationId) -> Result<i64, StoreError> {
    Ok(desk.service.store().messages(id, 1).await?.last().map_or(0, |row| row.id))
}

/// What a browser that comes back has seen last.
fn last_seen(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

fn event(row: &EventRow) -> Value {
    json!({
        "conversation_id": row.conversation_id,
        "bot": row.customer.bot(),
        "channel": row.customer.channel(),
        "kind": row.kind,
        "group": row.group,
        "at": row.at.to_string(),
    })
}

fn message(row: &MessageRow) -> Value {
    let body: Value = serde_json::from_str(&row.body).unwrap_or(Value::Null);
    json!({ "id": row.id, "author": row.author.as_str(), "parts": body["parts"], "at": row.at.to_string() })
}

/// The listener comes back by itself.
fn ended<T>(error: &StoreError) -> Option<T> {
    tracing::warn!(error = %chain(error), "a listener lost its events");
    None
}

fn bad_query(rejection: &QueryRejection) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad-query", rejection.body_text())
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "events could not be read");
    ApiError::internal()
}
