//! `/healthz`: the process runs. `/readyz`: it can answer.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

use crate::http::Shared;
use crate::service::callback::chain;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(desk): State<Shared>) -> Response {
    if desk.stopping.load(Ordering::SeqCst) {
        let body = json!({ "ready": false, "reason": "stopping" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    match desk.service.store().ping().await {
        Ok(()) => Json(json!({ "ready": true, "bots": desk.service.bots().len() })).into_response(),
        Err(error) => {
            tracing::error!(error = %chain(&error), "not ready: the store does not answer");
            let body = json!({ "ready": false, "reason": "store" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}
