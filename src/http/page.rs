//! The chat page and its files, and the description of the interface.

use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::http::error::ApiError;

const FILES: &[(&str, &str, &str)] = &[
    ("chat.css", "text/css; charset=utf-8", include_str!("console/chat.css")),
    ("chat.js", SCRIPT, include_str!("console/chat.js")),
    ("api.js", SCRIPT, include_str!("console/api.js")),
    ("dom.js", SCRIPT, include_str!("console/dom.js")),
    ("parts.js", SCRIPT, include_str!("console/parts.js")),
    ("why.js", SCRIPT, include_str!("console/why.js")),
    ("words.js", SCRIPT, include_str!("console/words.js")),
    ("favicon.svg", "image/svg+xml", include_str!("console/favicon.svg")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

const PAGE: &str = include_str!("console/index.html");

const OPENAPI: &str = include_str!("openapi.json");

/// Nothing but our own files, no inline code; pictures of cards may come from elsewhere by https.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; \
                      media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

pub(super) async fn index() -> Response {
    answer("text/html; charset=utf-8", PAGE)
}

pub(super) async fn file(Path(name): Path<String>) -> Result<Response, ApiError> {
    let found = FILES.iter().find(|(file, _, _)| *file == name);
    let (_, kind, text) = found
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "not-found", format!("没有这个地址：/{name}")))?;
    Ok(answer(kind, text))
}

pub(super) async fn openapi() -> Response {
    answer("application/json", OPENAPI)
}

fn answer(kind: &'static str, text: &'static str) -> Response {
    let set = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let headers = [
        set(header::CONTENT_TYPE, kind),
        set(header::CONTENT_SECURITY_POLICY, POLICY),
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        set(header::REFERRER_POLICY, "no-referrer"),
        set(header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
