//! What a client is told when something is wrong: a status, a stable code, a sentence, and for a chat the
//! words for the customer.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

use crate::service;
use crate::service::view;
use crate::service::view::PartView;

/// A request that was not carried out.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    reply: Option<Vec<PartView>>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reply: None }
    }

    /// Adds words for the customer.
    pub(super) fn with_reply(mut self, reply: Vec<PartView>) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Adds words for a customer of no bot in particular.
    pub(super) fn with_apology(self) -> Self {
        let words = service::apology_without_bot();
        self.with_reply(words.parts.iter().map(|part| view::part(part, &view::Address::own)).collect())
    }

    /// A body that is no JSON object of the right shape.
    pub(super) fn bad_body(rejection: &JsonRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "body-too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "not-json",
            _ => "bad-json",
        };
        Self::new(rejection.status(), code, rejection.body_text())
    }

    /// Something broke on our side; the log knows what.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "服务暂时不可用，请稍后再试")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": { "code": self.code, "message": self.message } });
        if let Some(reply) = self.reply {
            body["reply"] = json!(reply);
        }
        (self.status, Json(body)).into_response()
    }
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} 不接受 {method} 请求", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", message)
}

pub(super) async fn not_found(uri: Uri) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not-found", format!("没有这个地址：{}", uri.path()))
}
