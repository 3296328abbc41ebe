//! What the bot could not do, and what became of its entries: `GET /api/v1/gaps`, `GET /api/v1/entries`.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use jiff::Span;
use jiff::SpanRelativeTo;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;
use crate::service::gap;
use crate::service::gap::Exchange;

/// How far back is looked where nothing else is said.
const SINCE: &str = "7d";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    bot: String,
    since: Option<String>,
}

pub(super) async fn gaps(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let now = desk.service.now();
    report(desk, access, wish, move |engine, exchanges| json!(gap::gaps(engine, exchanges, now))).await
}

pub(super) async fn entries(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let view = |engine: &Engine, exchanges: &[Exchange]| json!({ "entries": gap::uses(engine, exchanges) });
    report(desk, access, wish, view).await
}

async fn report(
    desk: Shared,
    access: Access,
    wish: Result<Query<Wish>, QueryRejection>,
    view: impl FnOnce(&Engine, &[Exchange]) -> Value + Send + 'static,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    let Query(wish) =
        wish.map_err(|rejection| ApiError::new(StatusCode::BAD_REQUEST, "bad-query", rejection.body_text()))?;
    let since = wish.since.as_deref().unwrap_or(SINCE);
    let span =
        since.parse().ok().and_then(|span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let Some(since) = span.and_then(|span| desk.service.now().checked_sub(span).ok()) else {
        let message = format!("since 是“{since}”，要写成 7d、24h 这样的时长");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-since", message));
    };
    let Some(engine) = desk.service.bots().get(&wish.bot).map(Arc::clone) else {
        let message = format!("没有名为 {} 的机器人", wish.bot);
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown-bot", message));
    };
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(error = %chain(error), "a report failed");
        ApiError::internal()
    };
    let exchanges = gap::exchanges(desk.service.store().as_ref(), &wish.bot, since).await;
    let exchanges = exchanges.map_err(|error| failed(&error))?;
    let made = tokio::task::spawn_blocking(move || view(&engine, &exchanges)).await;
    made.map(Json).map_err(|error| failed(&error))
}
