//! Versions of a bot's knowledge: `/api/v1/bots/{bot}/versions`.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::extract::rejection::PathRejection;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::knowledge::diff::Change;
use crate::knowledge::diff::Difference;
use crate::knowledge::finding::Severity;
use crate::service::callback::chain;
use crate::service::version::VersionError;
use crate::store::NewPublication;
use crate::store::StoreError;
use crate::store::VersionNumber;

/// Versions and publications that are listed.
const LISTED_MAX: u32 = 100;

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    bot: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    let Path(bot) = bot.map_err(|rejection| bad_path(&rejection))?;
    let store = desk.versions.store();
    let versions = store.versions(&bot, LISTED_MAX).await.map_err(|error| failed(&error.into()))?;
    let publications = store.publications(&bot, LISTED_MAX).await.map_err(|error| failed(&error.into()))?;
    if versions.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown-bot", format!("没有名为 {bot} 的机器人")));
    }
    let answers = desk.service.bots().get(&bot).and_then(|engine| engine.known().version);
    Ok(Json(json!({
        "bot": bot,
        "published": publications.first().map(|row| row.number),
        "answers": answers,
        "versions": versions.iter().map(|row| json!({
            "number": row.number,
            "author": row.author,
            "reason": row.reason,
            "created_at": row.created_at.to_string(),
            "published_at": row.published_at.map(|at| at.to_string()),
        })).collect::<Vec<_>>(),
        "publications": publications.iter().map(|row| json!({
            "number": row.number,
            "author": row.author,
            "reason": row.reason,
            "at": row.at.to_string(),
        })).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    from: VersionNumber,
}

pub(super) async fn diff(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    version: Result<Path<(String, VersionNumber)>, PathRejection>,
    comparison: Result<Query<Comparison>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    let Path((bot, number)) = version.map_err(|rejection| bad_path(&rejection))?;
    let Query(Comparison { from }) = comparison
        .map_err(|rejection| ApiError::new(StatusCode::BAD_REQUEST, "bad-query", rejection.body_text()))?;
    let now = desk.service.now();
    let differences = desk.versions.diff(&bot, from, number, now).await.map_err(|error| failed(&error))?;
    let row = |one: &Difference| {
        let parts: &[&str] = if let Change::Changed(parts) = &one.change { parts } else { &[] };
        json!({ "thing": one.thing.as_str(), "id": one.id, "title": one.title, "change": one.change.as_str(), "parts": parts })
    };
    Ok(Json(json!({
        "bot": bot, "from": from, "to": number,
        "differences": differences.iter().map(row).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// The version that the publisher believes to answer; absent where none does.
    instead_of: Option<VersionNumber>,
    reason: String,
}

/// Publishes a version, or rolls back to an older one. It answers from the next look of the watch on.
pub(super) async fn publish(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    version: Result<Path<(String, VersionNumber)>, PathRejection>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    let Path((bot, number)) = version.map_err(|rejection| bad_path(&rejection))?;
    let Json(wish) = wish.map_err(|rejection| ApiError::bad_body(&rejection))?;
    let author = access.key.map_or_else(|| "api".to_owned(), |id| format!("key {id}"));
    let wish =
        NewPublication { bot: bot.clone(), number, instead_of: wish.instead_of, author, reason: wish.reason };
    desk.versions.publish(&wish, desk.service.now()).await.map_err(|error| failed(&error))?;
    Ok(Json(json!({ "bot": bot, "published": number })))
}

fn bad_path(_rejection: &PathRejection) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not-found", "地址里的版本号不是数字")
}

fn failed(error: &VersionError) -> ApiError {
    match error {
        VersionError::Store(StoreError::Outdated { expected, found, .. }) => {
            let said =
                |number: &Option<VersionNumber>| number.map_or("（无）".to_owned(), |n| n.to_string());
            let message = format!(
                "您以为正在使用的是版本 {}，实际是版本 {}：别人先发布了。请看过差异再发布。",
                said(expected),
                said(found)
            );
            ApiError::new(StatusCode::CONFLICT, "outdated", message)
        }
        VersionError::Store(StoreError::NotFound { id, .. }) => {
            ApiError::new(StatusCode::NOT_FOUND, "unknown-version", format!("没有版本 {id}"))
        }
        VersionError::Store(StoreError::TooLong { what, len, limit }) => {
            let message = format!("{what} 有 {len} 字节，最多 {limit} 字节");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too-long", message)
        }
        VersionError::Unfit { findings, .. } => {
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            let told: Vec<String> = errors.take(5).map(ToString::to_string).collect();
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", told.join("\n"))
        }
        _ => {
            tracing::error!(error = %chain(error), "a request about versions failed");
            ApiError::internal()
        }
    }
}
