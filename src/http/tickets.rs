//! What tasks have left for staff: `GET /api/v1/tickets`, `POST /api/v1/tickets/{id}/close`, and the count of steps.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use jiff::SignedDuration;
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
use crate::store::StoreError;
use crate::store::TicketFilter;
use crate::store::TicketId;
use crate::task::graph::step_in_words;

/// Days that steps are counted over.
const DAYS: i64 = 30;

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let Listing { bot, all } = listing::read(query)?;
    let filter = TicketFilter { bot, open_only: !all, limit: ROWS };
    let rows = desk.service.store().tickets(filter).await.map_err(|error| failed(&error))?;
    let tickets: Vec<Value> = rows.iter().map(|row| view::ticket(row, access.personal())).collect();
    Ok(Json(json!({ "tickets": tickets })))
}

pub(super) async fn close(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let unknown =
        || ApiError::new(StatusCode::NOT_FOUND, "unknown-ticket", format!("没有编号为 {id} 的工单"));
    let id: TicketId = id.parse().map_err(|_no_number| unknown())?;
    match desk.service.store().ticket_close(id, desk.service.now()).await {
        Ok(()) => Ok(Json(json!({ "id": id, "closed": true }))),
        Err(StoreError::NotFound { .. }) => Err(unknown()),
        Err(error) => Err(failed(&error)),
    }
}

pub(super) async fn steps(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(bot): Path<String>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let engine = desk.bot(&bot)?;
    let now = desk.service.now();
    let since = now.saturating_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
    let counted = desk.service.store().task_steps(&bot, since).await.map_err(|error| failed(&error))?;
    let tasks = engine.known().tasks.iter().map(|task| {
        let steps = task.step.iter().map(|step| {
            let row = counted.iter().find(|row| row.task == task.id && row.step == step.id);
            let (reached, passed) = row.map_or((0, 0), |row| (row.n_reached, row.n_passed));
            json!({ "id": step.id, "what": step_in_words(task, step), "reached": reached, "passed": passed })
        });
        json!({ "id": task.id, "title": task.title, "steps": steps.collect::<Vec<_>>() })
    });
    Ok(Json(json!({ "days": DAYS, "tasks": tasks.collect::<Vec<_>>() })))
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "tickets could not be read or written");
    ApiError::internal()
}
