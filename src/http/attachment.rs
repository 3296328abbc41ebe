//! Files of a bot's folder, by signed link.

use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::http::Shared;
use crate::http::error::ApiError;
use crate::http::link::LinkError;

const EXPIRED_PAGE: &str = include_str!("console/expired.html");

pub(super) async fn serve(
    State(desk): State<Shared>,
    Path((bot, expires, signature, path)): Path<(String, i64, String, String)>,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::new(StatusCode::NOT_FOUND, "not-found", "没有这个文件");
    match desk.signer.check(&bot, expires, &signature, &path, desk.service.now()) {
        Ok(()) => {}
        Err(LinkError::Forged) => return Err(not_found()),
        Err(LinkError::Expired) => return Ok((StatusCode::GONE, Html(EXPIRED_PAGE)).into_response()),
    }
    let engine = desk.service.bots().get(&bot).ok_or_else(not_found)?;
    // `check` has seen every attachment; a signature on another path does not exist. All the same, nothing
    // above the folder is opened.
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(not_found());
    }
    let bytes = tokio::fs::read(engine.known().dir.join(&path)).await.map_err(|error| {
        tracing::warn!(bot, error = %error, "an attachment could not be read");
        not_found()
    })?;
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, content_type(&path)),
        (header::CACHE_CONTROL, "private, max-age=86400"),
        // A file of ours is never a page of ours.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, bytes).into_response())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "amr" => "audio/amr",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "txt" | "md" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}
