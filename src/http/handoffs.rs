//! Handoffs that wait for a human: `GET /api/v1/handoffs`, `POST /api/v1/handoffs/{id}/close`.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;
use crate::store::HandoffFilter;
use crate::store::StoreError;

const ROWS: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    bot: Option<String>,
    #[serde(default)]
    all: bool,
}

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let filter = HandoffFilter { bot: filter.bot, open_only: !filter.all, limit: ROWS };
    let rows = desk.service.store().handoffs(filter).await.map_err(|error| failed(&error))?;
    let handoffs: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "conversation_id": row.conversation_id,
                "bot": row.customer.bot(),
                "channel": row.customer.channel(),
                "customer_id": row.customer.customer_id(),
                "group": row.group,
                "reason": row.reason,
                "due": row.due,
                "opened_at": row.opened_at.to_string(),
                "asked_at": row.asked_at.to_string(),
                "closed_at": row.closed_at.map(|at| at.to_string()),
                "summary": serde_json::from_str::<Value>(&row.summary).unwrap_or(Value::Null),
            })
        })
        .collect();
    Ok(Json(json!({ "handoffs": handoffs })))
}

pub(super) async fn close(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    match desk.service.store().handoff_close(id, desk.service.now()).await {
        Ok(()) => Ok(Json(json!({ "id": id, "closed": true }))),
        Err(StoreError::NotFound { .. }) => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "unknown-handoff",
            format!("没有编号为 {id} 的转人工记录"),
        )),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "handoffs could not be read or written");
    ApiError::internal()
}
