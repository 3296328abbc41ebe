//! Which rows a list for staff shows.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::http::error::ApiError;

/// Most rows of such a list.
pub(super) const ROWS: u32 = 100;

/// What the query says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Of this bot only.
    pub(super) bot: Option<String>,
    /// Closed ones as well.
    #[serde(default)]
    pub(super) all: bool,
}

/// # Errors
/// 400 for a parameter that is unknown or of the wrong type.
pub(super) fn read(query: Result<Query<Listing>, QueryRejection>) -> Result<Listing, ApiError> {
    let wrong = |rejection: QueryRejection| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-query", rejection.body_text())
    };
    query.map(|Query(listing)| listing).map_err(wrong)
}
