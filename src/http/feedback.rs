//! `POST /api/v1/feedback`: whether an answer helped.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::message::Channel;
use crate::service::callback::chain;
use crate::store::CustomerKey;
use crate::store::MessageId;
use crate::store::StoreError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opinion {
    bot: String,
    user: String,
    /// As the chat gave it.
    answer_id: MessageId,
    helpful: bool,
}

/// Takes a customer's opinion of an answer that the same customer got; a later one takes the place of an earlier one.
pub(super) async fn feedback(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    opinion: Result<Json<Opinion>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require_unless_local(Scope::Chat)?;
    let Json(opinion) = opinion.map_err(|rejection| ApiError::bad_body(&rejection))?;
    let unknown = || {
        let message = format!("这位客户没有编号为 {} 的回答", opinion.answer_id);
        ApiError::new(StatusCode::NOT_FOUND, "unknown-answer", message)
    };
    let customer =
        CustomerKey::new(&opinion.bot, Channel::Web, &opinion.user).map_err(|_too_long| unknown())?;
    let now = desk.service.now();
    match desk.service.store().feedback(&customer, opinion.answer_id, opinion.helpful, now).await {
        Ok(()) => Ok(Json(json!({ "answer_id": opinion.answer_id, "helpful": opinion.helpful }))),
        Err(StoreError::NotFound { .. }) => Err(unknown()),
        Err(error) => {
            tracing::error!(error = %chain(&error), "an opinion was not stored");
            Err(ApiError::internal())
        }
    }
}
