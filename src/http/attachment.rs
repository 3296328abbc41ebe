//! Files of a bot's folder, by signed link.

use axum::extract::Path;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::http::Shared;
use crate::http::error::ApiError;
use crate::http::link::LinkError;
use crate::knowledge::file_below;
use crate::service::callback::chain;

const EXPIRED_PAGE: &str = include_str!("console/expired.html");

pub(super) async fn serve(
    State(desk): State<Shared>,
    link: Result<Path<(String, String, String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::new(StatusCode::NOT_FOUND, "not-found", "没有这个文件");
    let Path((bot, expires, signature, path)) = link.map_err(|_changed| not_found())?;
    let expires: i64 = expires.parse().map_err(|_changed| not_found())?;
    match desk.signer.check(&bot, expires, &signature, &path, desk.service.now()) {
        Ok(()) => {}
        Err(LinkError::Forged) => return Err(not_found()),
        Err(LinkError::Expired) => {
            let headers = [
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; img-src 'self'"),
            ];
            return Ok((StatusCode::GONE, headers, Html(EXPIRED_PAGE)).into_response());
        }
    }
    let engine = desk.service.bots().get(&bot).cloned().ok_or_else(not_found)?;
    // `check` has seen every attachment; a signature on another path does not exist. All the same, nothing
    // outside of the folder is opened, and no link that has taken a file's place since.
    let (file, _size) = file_below(&engine.known().dir, &path).map_err(|error| {
        tracing::warn!(bot, error = %chain(&error), "an attachment is not a file of the bot's folder");
        not_found()
    })?;
    let bytes = tokio::fs::read(file).await.map_err(|error| {
        tracing::warn!(bot, error = %error, "an attachment could not be read");
        not_found()
    })?;
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, content_type(&path)),
        (header::CACHE_CONTROL, "private, max-age=86400"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
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
