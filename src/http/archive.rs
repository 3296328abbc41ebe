//! What was said, by whom and when: `GET /api/v1/bots/{bot}/archive`.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::archive::ArchiveError;
use crate::service::archive::Page;
use crate::service::archive::Search;
use crate::service::archive::Wish;
use crate::service::callback::chain;
use crate::store::ROWS_MAX;
use crate::store::StoreError;

/// Messages of a page where nothing else is said.
const ROWS: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    channel: Option<String>,
    customer: Option<String>,
    direction: Option<String>,
    author: Option<String>,
    agent: Option<String>,
    from: Option<String>,
    until: Option<String>,
    /// With blanks between them.
    words: Option<String>,
    order: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(bot): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    access.require(Scope::Agent)?;
    let Query(asked) = asked.map_err(|rejection| bad_query(rejection.body_text()))?;
    let limit = asked.limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        return Err(bad_query(format!("limit 写的是 {limit}，应在 1 到 {ROWS_MAX} 之间")));
    }
    let engine = desk.bot(&bot)?;
    let (after, wish) = (asked.after, asked.into_wish());
    let (store, now) = (desk.service.store().as_ref(), desk.service.now());
    let search = Search::new(store, engine.known(), &wish, access.personal(), now).await.map_err(
        |error| match error {
            ArchiveError::Store(error) => failed(&error),
            other => bad_query(other.to_string()),
        },
    )?;
    search.page(store, after, limit).await.map(Json).map_err(|error| failed(&error))
}

impl Asked {
    fn into_wish(self) -> Wish {
        let words = self.words.as_deref().unwrap_or_default().split_whitespace();
        Wish {
            words: words.map(str::to_owned).collect(),
            channel: self.channel,
            customer: self.customer,
            direction: self.direction,
            author: self.author,
            agent: self.agent,
            from: self.from,
            until: self.until,
            order: self.order,
        }
    }
}

fn bad_query(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad-query", message)
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "the archive could not be read");
    ApiError::internal()
}
