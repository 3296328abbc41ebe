//! Conversations as staff see them: `GET /api/v1/conversations`, one of them, and what an agent does with it.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::http::Desk;
use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::service::callback::chain;
use crate::service::enclosure;
use crate::service::enclosure::EnclosureError;
use crate::service::handover::Deed;
use crate::service::handover::Done;
use crate::service::handover::HandoverError;
use crate::service::handover::WORDS_CHARS_MAX;
use crate::service::handover::in_group;
use crate::service::handover::serves;
use crate::service::inbox;
use crate::store::AgentRow;
use crate::store::ConversationId;
use crate::store::StoreError;
use crate::text::percent::percent_encoded;

const ROWS: u32 = 200;

/// Kinds of files that a browser shows in its place; all others are handed over for download.
const SHOWN: [&str; 5] = ["image/jpeg", "image/png", "audio/amr", "audio/mpeg", "video/mp4"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    group: String,
}

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let agent = desk.agent_of(access).await?;
    let store = desk.service.store();
    let rows = store.attended(ROWS).await.map_err(|error| failed(&error))?;
    let agents = store.agents().await.map_err(|error| failed(&error))?;
    let mut listed = Vec::new();
    for row in &rows {
        let handoff = store.handoff_open(row.id).await.map_err(|error| failed(&error))?;
        let group = handoff.as_ref().map(|handoff| handoff.group.as_str());
        if agent.as_ref().is_none_or(|agent| group.is_none_or(|group| serves(agent, group))) {
            listed.push(inbox::line(row, handoff.as_ref(), &agents));
        }
    }
    Ok(Json(json!({ "conversations": listed })))
}

pub(super) async fn show(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let id = number(&id)?;
    may_see(&desk, access, id).await?;
    let told = inbox::story(&desk.service, id, access.personal()).await.map_err(|error| failed(&error))?;
    told.map(Json).ok_or_else(|| unknown(&id.to_string()))
}

pub(super) async fn take(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Take).await
}

pub(super) async fn reply(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
    body: Result<Json<Words>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Reply(read(body)?.text)).await
}

pub(super) async fn note(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
    body: Result<Json<Words>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Note(read(body)?.text)).await
}

pub(super) async fn give_back(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Return).await
}

pub(super) async fn close(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Close).await
}

pub(super) async fn transfer(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
    body: Result<Json<Target>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    act(&desk, access, &id, Deed::Transfer(read(body)?.group)).await
}

/// What a customer sent with a message: a picture, a voice clip, a file.
pub(super) async fn media(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    Path((id, message, index)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    access.require(Scope::Agent)?;
    let id = number(&id)?;
    may_see(&desk, access, id).await?;
    let nothing = || ApiError::new(StatusCode::NOT_FOUND, "unknown-media", "这条消息里没有这个文件");
    let (message, index) = message.parse().ok().zip(index.parse().ok()).ok_or_else(nothing)?;
    let fetched = enclosure::fetch(desk.service.store().as_ref(), &desk.apps, (id, message), index).await;
    let file = fetched.map_err(|error| match error {
        EnclosureError::Unknown => nothing(),
        EnclosureError::Gone => {
            ApiError::new(StatusCode::GONE, "media-gone", "企业微信只保留三天，这个文件已经没有了")
        }
        EnclosureError::NoApp => {
            let message = "收到它的企业微信应用没有启用，或者没有设置 secret，取不到文件";
            ApiError::new(StatusCode::CONFLICT, "media-unreachable", message)
        }
        EnclosureError::Client(error) => {
            tracing::warn!(error = %chain(&error), "what a customer sent could not be fetched");
            ApiError::new(
                StatusCode::BAD_GATEWAY,
                "media-unreachable",
                "现在从企业微信取不到这个文件，请稍后再试",
            )
        }
        EnclosureError::Store(error) => failed(&error),
    })?;
    // Only what a browser shows and does not run is shown.
    let shown = SHOWN.iter().find(|kind| file.content_type == **kind);
    let disposition = if shown.is_some() { "inline" } else { "attachment" };
    let disposition = format!("{disposition}; filename*=UTF-8''{}", percent_encoded(&file.name));
    let headers = [
        (header::CONTENT_TYPE, (*shown.unwrap_or(&"application/octet-stream")).to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}

/// Refuses an agent a conversation that another group is asked for.
async fn may_see(desk: &Desk, access: Access, id: ConversationId) -> Result<(), ApiError> {
    let Some(agent) = desk.agent_of(access).await? else { return Ok(()) };
    let handoff = desk.service.store().handoff_open(id).await.map_err(|error| failed(&error))?;
    in_group(&agent, handoff.as_ref()).map_err(|error| refused(&error))
}

async fn act(desk: &Desk, access: Access, id: &str, deed: Deed) -> Result<Json<Value>, ApiError> {
    access.require(Scope::Agent)?;
    let id = number(id)?;
    let agent = desk.agent_of(access).await?.ok_or_else(|| {
        let message = "这个密钥不属于任何坐席；用 yingda agent add 名字 --group 组 建一个".to_owned();
        ApiError::new(StatusCode::FORBIDDEN, "not-an-agent", message)
    })?;
    let Done { speaker, lease_until, message_id } =
        desk.handover.act(&agent, id, &deed).await.map_err(|error| refused(&error))?;
    Ok(Json(json!({
        "id": id,
        "speaker": speaker.as_str(),
        "agent": agent.name,
        "lease_until": lease_until.map(|at| at.to_string()),
        "message_id": message_id,
    })))
}

impl Desk {
    /// The agent whose key it is; `None` for a key without one.
    pub(super) async fn agent_of(&self, access: Access) -> Result<Option<AgentRow>, ApiError> {
        let agents = self.service.store().agents().await.map_err(|error| failed(&error))?;
        Ok(agents.into_iter().find(|agent| Some(agent.key_id) == access.key))
    }
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    let Json(body) =
        body.map_err(|rejection| ApiError::new(rejection.status(), "bad-request", rejection.body_text()))?;
    Ok(body)
}

fn number(id: &str) -> Result<ConversationId, ApiError> {
    id.parse().map_err(|_no_number| unknown(id))
}

fn unknown(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "unknown-conversation", format!("没有编号为 {id} 的会话"))
}

fn refused(error: &HandoverError) -> ApiError {
    let conflict = |code, message: String| ApiError::new(StatusCode::CONFLICT, code, message);
    match error {
        HandoverError::Unknown(id) => unknown(&id.to_string()),
        HandoverError::Taken { by, .. } => conflict("taken", format!("{by}正在接待这位顾客")),
        HandoverError::NotHeld(_) => {
            conflict("not-held", "您没有接待这个会话，或者超时已经交还；请先接入（take）".to_owned())
        }
        HandoverError::OtherGroup(group) => ApiError::new(
            StatusCode::FORBIDDEN,
            "other-group",
            format!("这个会话在等 {group} 组，您不在这个组"),
        ),
        HandoverError::UnknownGroup(group) => {
            ApiError::new(StatusCode::BAD_REQUEST, "unknown-group", format!("没有坐席组 {group}"))
        }
        HandoverError::Unreachable(_) => {
            conflict("unreachable", "没有能给这位顾客发消息的企业微信应用，消息没有发出".to_owned())
        }
        HandoverError::OnlyAnswered(_) => conflict(
            "unreachable",
            "对方是在企业微信里问的智能机器人，它只能回答提问，不能转发坐席的话，消息没有发出；请直接联系对方，办完后交还（return）或结束（close）这个会话".to_owned(),
        ),
        HandoverError::Words { n_chars } => {
            let message = format!("内容有 {n_chars} 个字，应在 1 到 {WORDS_CHARS_MAX} 之间");
            ApiError::new(StatusCode::BAD_REQUEST, "bad-words", message)
        }
        HandoverError::Busy(_) => {
            conflict("busy-conversation", "这个会话正在被别人改动，请再试一次".to_owned())
        }
        HandoverError::Store(error) => failed(error),
    }
}

fn failed(error: &StoreError) -> ApiError {
    tracing::error!(error = %chain(error), "a conversation could not be read or changed");
    ApiError::internal()
}
