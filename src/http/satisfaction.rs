//! How content customers are: `GET /api/v1/bots/{bot}/satisfaction`.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;
use crate::service::satisfaction::DAYS;
use crate::service::satisfaction::Satisfaction;
use crate::service::satisfaction::satisfaction;

pub(super) async fn show(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(bot): Path<String>,
) -> Result<Json<Satisfaction>, ApiError> {
    access.require(Scope::Agent)?;
    let engine = desk.bot(&bot)?;
    let store = desk.service.store();
    let counted = satisfaction(store.as_ref(), &engine, DAYS, desk.service.now()).await;
    counted.map(Json).map_err(|error| {
        tracing::error!(error = %chain(&error), "surveys could not be counted");
        ApiError::internal()
    })
}
