//! Messages that were never sent: `GET /api/v1/outbox`.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;
use crate::service::view;

const ROWS: u32 = 100;

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let rows = desk.service.store().outbox_given_up(ROWS).await.map_err(|error| {
        tracing::error!(error = %chain(&error), "messages that were never sent could not be read");
        ApiError::internal()
    })?;
    Ok(Json(json!({ "unsent": rows.iter().map(view::unsent).collect::<Vec<_>>() })))
}
