//! Files of a bot's folder, by signed link.

use std::path::Path as FilePath;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use tower_http::services::ServeFile;

use crate::engine::Engine;
use crate::http::Desk;
use crate::http::Shared;
use crate::http::error::ApiError;
use crate::http::link::LinkError;
use crate::knowledge::file_below;
use crate::knowledge::reply::AttachmentSpec;
use crate::service::callback::chain;

const EXPIRED_PAGE: &str = include_str!("console/expired.html");

/// Parts of a file are sent where a `Range` asks for them. A file's time is that of its copy, which a roll-back turns back,
/// so nothing is answered by it.
pub(super) async fn serve(
    State(desk): State<Shared>,
    link: Result<Path<(String, String, String, String)>, PathRejection>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::new(StatusCode::NOT_FOUND, "not-found", "没有这个文件");
    let Path((bot, expires, signature, path)) = link.map_err(|_changed| not_found())?;
    let expires: i64 = expires.parse().map_err(|_changed| not_found())?;
    let checked = desk.signer.check(&bot, expires, &signature, &path, desk.service.now());
    if checked == Err(LinkError::Forged) {
        return Err(not_found());
    }
    let engine = desk.service.bots().get(&bot).cloned().ok_or_else(not_found)?;
    if checked == Err(LinkError::Expired) {
        return expired(&desk, &engine, &path);
    }
    // `check` has seen every attachment; a signature on another path does not exist. All the same, nothing
    // outside of the folder is opened, and no link that has taken a file's place since.
    let (file, _size) = file_below(&engine.known().dir, &path).map_err(|error| {
        tracing::warn!(bot, error = %chain(&error), "an attachment is not a file of the bot's folder");
        not_found()
    })?;
    let asked = request.headers_mut();
    if asked.remove(header::IF_RANGE).is_some() {
        asked.remove(header::RANGE);
    }
    asked.remove(header::IF_MODIFIED_SINCE);
    asked.remove(header::IF_UNMODIFIED_SINCE);
    let kind = content_type(&path).parse().map_err(|_fixed| not_found())?;
    let served = ServeFile::new_with_mime(file, &kind).try_call(request).await;
    let mut response = served.map_err(|error| {
        tracing::warn!(bot, error = %error, "an attachment could not be read");
        not_found()
    })?;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(not_found());
    }
    let headers: [(HeaderName, &str); 3] = [
        (header::CACHE_CONTROL, "private, max-age=86400"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A file of ours is never a page of ours.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    response.headers_mut().remove(header::LAST_MODIFIED);
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response.map(Body::new))
}

/// The page of a link whose days are over, with a fresh link where there is still something to have.
fn expired(desk: &Desk, engine: &Engine, path: &str) -> Result<Response, ApiError> {
    let known = engine.known();
    let fresh = current(engine, path, desk.service.now())
        .filter(|path| file_below(&known.dir, path).is_ok())
        // Percent-encoded by us: nothing in it could end an attribute.
        .map(|path| minijinja::Value::from_safe_string(desk.links(&known.bot)(&path).url));
    let page = minijinja::Environment::new()
        .render_named_str(
            "expired.html",
            EXPIRED_PAGE,
            minijinja::context! { fresh, bot => known.bot.as_str() },
        )
        .map_err(|error| {
            tracing::error!(%error, "the page of an expired link cannot be drawn");
            ApiError::internal()
        })?;
    let headers = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; img-src 'self'"),
    ];
    Ok((StatusCode::GONE, headers, Html(page)).into_response())
}

/// The file that a customer who once got this one should have today.
fn current(engine: &Engine, path: &str, now: Timestamp) -> Option<String> {
    let replies = &engine.known().replies.reply;
    let today = engine.calendar().today(now);
    let outdated = replies.values().flat_map(|reply| &reply.attachments).find_map(|one| match one {
        AttachmentSpec::File { file, valid_until: Some(until), current, .. }
            if file == path && *until < today =>
        {
            Some(current)
        }
        _ => None,
    });
    let Some(successor) = outdated else { return Some(path.to_owned()) };
    replies.get(successor.as_ref()?)?.attachments.iter().find_map(|one| match one {
        AttachmentSpec::File { file, valid_until, .. } if valid_until.is_none_or(|until| today <= until) => {
            Some(file.clone())
        }
        _ => None,
    })
}

fn content_type(path: &str) -> &'static str {
    let ending = FilePath::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
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
