//! Handoffs that wait for a human: `GET /api/v1/handoffs`, `POST /api/v1/handoffs/{id}/close`.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::http::listing;
use crate::http::listing::Listing;
use crate::http::listing::ROWS;
use crate::service::callback::chain;
use crate::service::view;
use crate::store::HandoffFilter;
use crate::store::HandoffId;
use crate::store::StoreError;

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let Listing { bot, all } = listing::read(query)?;
    let filter = HandoffFilter { bot, open_only: !all, limit: ROWS };
    let rows = desk.service.store().handoffs(filter).await.map_err(|error| failed(&error))?;
    let handoffs: Vec<Value> = rows.iter().map(|row| view::handoff(row, access.personal())).collect();
    Ok(Json(json!({ "handoffs": handoffs })))
}

pub(super) async fn close(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let unknown = || {
        let message = format!("没有编号为 {id} 的转人工记录");
        ApiError::new(StatusCode::NOT_FOUND, "unknown-handoff", message)
    };
    let id: HandoffId = id.parse().map_err(|_no_number| unknown())?;
    match desk.service.store().handoff_close(id, desk.service.now()).await {
        Ok(()) => Ok(Json(json!({ "id": id, "closed": true }))),
        Err(StoreError::NotFound { .. }) => Err(unknown()),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "handoffs could not be read or written");
    ApiError::internal()
}
