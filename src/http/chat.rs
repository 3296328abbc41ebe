//! `POST /api/v1/chat`: one message in, the reply out.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;

use crate::http::Desk;
use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::message::Channel;
use crate::message::Content;
use crate::message::CustomerKind;
use crate::message::Reply;
use crate::service::Question;
use crate::service::ServiceError;
use crate::service::callback::chain;
use crate::service::view;
use crate::service::view::PartView;
use crate::service::view::TurnView;
use crate::store::MessageId;
use crate::store::StoreError;

/// Longest id of a customer, in bytes.
const USER_BYTES_MAX: usize = 128;

/// Longest message, in bytes. What the bot looks at is shorter; see `text::utterance`.
const TEXT_BYTES_MAX: usize = 131_072;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatRequest {
    bot: String,
    user: String,
    text: String,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ChatResponse {
    reply: Vec<PartView>,
    answer_id: Option<MessageId>,
    turn: Option<TurnView>,
    /// `bot`, or `human` where the message went to a human and the reply is empty.
    speaker: &'static str,
}

pub(super) async fn chat(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
    body: Result<Json<ChatRequest>, JsonRejection>,
) -> Result<Json<ChatResponse>, ApiError> {
    access.require_unless_local(Scope::Chat)?;
    let Json(request) = body.map_err(|rejection| ApiError::bad_body(&rejection))?;
    let question = question(request)?;
    if desk.service.bots().get(&question.bot).is_none_or(|engine| !access.may_meet(engine.known())) {
        return Err(unknown_bot(&desk, access, &question.bot));
    }
    let link = desk.links(&question.bot);
    let view =
        |reply: &Reply| -> Vec<PartView> { reply.parts.iter().map(|part| view::part(part, &link)).collect() };
    match desk.service.answer(&question).await {
        Ok(answer) => {
            if answer.turn.is_none() && answer.reply.parts.is_empty() {
                let response =
                    ChatResponse { reply: Vec::new(), answer_id: None, turn: None, speaker: "human" };
                return Ok(Json(response));
            }
            let Some(turn) = &answer.turn else {
                desk.meter.flooded();
                return Err(ApiError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "flood",
                    "这位客户一分钟内的消息太多了",
                )
                .with_reply(view(&answer.reply)));
            };
            desk.meter.answered(&question.bot, turn.decision.action(), &answer.timings);
            let reply = view::reply(&answer.engine, turn, &link);
            let explained = access.scope() == Some(Scope::Admin);
            let turn = explained.then(|| view::turn(&answer.engine, turn, &answer.timings));
            Ok(Json(ChatResponse { reply, answer_id: answer.answer_id, turn, speaker: "bot" }))
        }
        Err(ServiceError::UnknownBot(bot)) => Err(unknown_bot(&desk, access, &bot)),
        Err(ServiceError::Store(StoreError::Empty { what } | StoreError::TooLong { what, .. })) => {
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", format!("{what} 为空或过长")))
        }
        Err(error) => {
            tracing::error!(bot = %question.bot, error = %chain(&error), "a message could not be answered");
            Err(ApiError::internal().with_reply(view(&desk.service.apology(&question))))
        }
    }
}

fn unknown_bot(desk: &Desk, access: Access, bot: &str) -> ApiError {
    let bots = desk.service.bots();
    let met = bots.iter().filter(|(_, engine)| access.may_meet(engine.known()));
    let names: Vec<&str> = met.map(|(name, _)| name.as_str()).collect();
    let message = format!("没有名为“{bot}”的机器人，现有：{}", names.join("、"));
    ApiError::new(StatusCode::NOT_FOUND, "unknown-bot", message)
}

fn question(request: ChatRequest) -> Result<Question, ApiError> {
    let limit = |code, message: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message);
    if request.user.trim().is_empty() || request.user.len() > USER_BYTES_MAX {
        let len = request.user.len();
        return Err(limit("bad-user", format!("user 有 {len} 字节，必须是 1 到 {USER_BYTES_MAX} 字节")));
    }
    if request.text.len() > TEXT_BYTES_MAX {
        let len = request.text.len();
        return Err(limit("text-too-long", format!("text 有 {len} 字节，最多 {TEXT_BYTES_MAX} 字节")));
    }
    let name = request.name.filter(|name| !name.trim().is_empty() && name.len() <= USER_BYTES_MAX);
    Ok(Question {
        bot: request.bot,
        with: Vec::new(),
        channel: Channel::Web,
        customer_id: request.user,
        name,
        kind: CustomerKind::Customer,
        content: Content::Text(request.text),
    })
}
