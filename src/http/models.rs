//! Exchanging the model of a running bot: `POST /api/v1/models/reload`.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::engine;
use crate::engine::Vectors;
use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    bot: String,
    model: Option<String>,
}

/// Loads a model beside the one in use and exchanges them at once. Messages that are being answered finish with the
/// old one; a model that cannot be loaded changes nothing.
pub(super) async fn reload(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Admin)?;
    if desk.models.are_shared() {
        let message = "多台机器共用一个库：用 yingda model publish 一次换掉所有机器的模型";
        return Err(ApiError::new(StatusCode::CONFLICT, "shared-models", message));
    }
    let Json(wish) = wish.map_err(|rejection| ApiError::bad_body(&rejection))?;
    let engine = desk.bot(&wish.bot)?;
    // A name, not a path: nothing outside of the folder of models is read.
    let is_name = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if let Some(name) = wish.model.as_ref().filter(|name| !is_name(name)) {
        let message = format!("模型名“{name}”只能用字母、数字、- 和 _");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-model", message));
    }
    let places = desk.models.places();
    let name = wish.model.clone();
    let take = move || engine::take_model(&engine, &places, name.as_deref(), Vectors::All);
    let taken = tokio::task::spawn_blocking(take).await;
    match taken {
        Ok(Ok(Some(version))) => Ok(Json(json!({ "bot": wish.bot, "model": version }))),
        Ok(Ok(None)) => {
            let message = format!("机器人 {} 的 bot.toml 没有写 model", wish.bot);
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-model", message))
        }
        Ok(Err(error)) => {
            tracing::error!(bot = %wish.bot, error = %chain(&error), "the model was not exchanged");
            let message = "模型加载失败，继续用原来的模型；原因见服务日志";
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-model", message))
        }
        Err(error) => {
            tracing::error!(bot = %wish.bot, error = %chain(&error), "loading the model ended early");
            Err(ApiError::internal())
        }
    }
}
