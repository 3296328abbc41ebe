//! What a bot finds for a message, and why: `GET /api/v1/search`.

use axum::Extension;
use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service;
use crate::service::view;

/// Longest text in bytes; a link holds no more in every browser and proxy.
const TEXT_BYTES_MAX: usize = 4_096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    bot: String,
    text: String,
}

/// Answers as the first message of a new customer would be answered, and records nothing.
pub(super) async fn search(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    let Query(wish) =
        wish.map_err(|rejection| ApiError::new(StatusCode::BAD_REQUEST, "bad-query", rejection.body_text()))?;
    if wish.text.len() > TEXT_BYTES_MAX {
        let message = format!("text 有 {} 字节，最多 {TEXT_BYTES_MAX} 字节", wish.text.len());
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "text-too-long", message));
    }
    let engine = desk.bot(&wish.bot)?;
    let now = desk.service.now();
    let answered = tokio::task::spawn_blocking(move || {
        let (turn, timings) = service::ask(&engine, &wish.text, now);
        json!({ "turn": view::turn(&engine, &turn, &timings) })
    });
    match answered.await {
        Ok(view) => Ok(Json(view)),
        Err(error) => {
            tracing::error!(error = %service::callback::chain(&error), "a search ended early");
            Err(ApiError::internal())
        }
    }
}
