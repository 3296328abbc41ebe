//! What the bot could not do, and what became of its entries: `GET /api/v1/gaps`, `GET /api/v1/entries`.

use axum::Extension;
use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use jiff::Span;
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
    let now = desk.service.now();
    let view = move |engine: &Engine, exchanges: &[Exchange]| json!({ "entries": gap::uses(engine, exchanges, now) });
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
    let back: Option<Span> = since.parse().ok();
    let Some(since) = back.and_then(|back| gap::since(back, desk.service.now()).ok()) else {
        let message = format!("since 是“{since}”，要写成 7d、24h 这样的时长");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-since", message));
    };
    let engine = desk.bot(&wish.bot)?;
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(error = %chain(error), "a report failed");
        ApiError::internal()
    };
    let exchanges = gap::exchanges(desk.service.store().as_ref(), &wish.bot, since).await;
    let exchanges = exchanges.map_err(|error| failed(&error))?;
    let made = tokio::task::spawn_blocking(move || view(&engine, &exchanges)).await;
    made.map(Json).map_err(|error| failed(&error))
}
