//! `/wecom/{name}/aibot`: the URL verification and the callback of 智能机器人.
//!
//! As with apps, whoever fails a check learns nothing about the reason.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::channel::wecom::aibot::BotMessage;
use crate::channel::wecom::aibot::packet;
use crate::channel::wecom::aibot::packet::as_markdown;
use crate::channel::wecom::envelope::Envelope;
use crate::channel::wecom::passive::Linked;
use crate::http::Desk;
use crate::http::Shared;
use crate::http::error::ApiError;
use crate::http::wecom::host;
use crate::http::wecom::random;
use crate::http::wecom::refused;
use crate::message::Asset;
use crate::message::Reply;
use crate::service::aibot::AiBot;
use crate::service::aibot::Plan;
use crate::service::callback::chain;
use crate::service::view::Address;

type Params = Query<HashMap<String, String>>;

/// Answers the console's check of the address with the decrypted `echostr`, bare.
pub(super) async fn verify(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Query(params): Params,
) -> Result<Response, ApiError> {
    let aibot = found(&desk, &name)?;
    let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    match aibot.key.open(of("msg_signature"), of("timestamp"), of("nonce"), of("echostr")) {
        Ok(plain) => {
            desk.meter.callback(&aibot.app(), "verified");
            Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], plain).into_response())
        }
        Err(error) => Err(refused(&desk, &aibot.app(), error.code(), &error)),
    }
}

/// Takes a message, an event or a poll, and answers it in the same response.
pub(super) async fn receive(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Query(params): Params,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let aibot = found(&desk, &name)?;
    let app = aibot.app();
    let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    let envelope = Envelope::parse(&body).map_err(|error| refused(&desk, &app, error.code(), &error))?;
    let plaintext = aibot
        .key
        .open(of("msg_signature"), of("timestamp"), of("nonce"), &envelope.encrypt)
        .map_err(|error| refused(&desk, &app, error.code(), &error))?;
    let message =
        BotMessage::parse(&plaintext).map_err(|error| refused(&desk, &app, error.code(), &error))?;
    let plan = plan(desk.links(&aibot.bot), &host(&desk, &headers));
    match desk.aibots.receive(aibot, message, &plaintext, &plan).await {
        Ok(None) => {
            desk.meter.callback(&app, "acknowledged");
            Ok(StatusCode::OK.into_response())
        }
        Ok(Some(packet)) => {
            let at = desk.service.now().as_second();
            let sealed = packet::sealed(&aibot.key, &packet, random()?, (at, of("nonce")));
            desk.meter.callback(&app, "answered");
            Ok(([(header::CONTENT_TYPE, "application/json; charset=utf-8")], sealed).into_response())
        }
        Err(error) => {
            tracing::error!(app, error = %chain(&error), "a message of a bot could not be stored");
            desk.meter.callback(&app, "failed");
            Err(ApiError::internal())
        }
    }
}

/// How replies are laid out: one text of markdown, files as signed links.
///
/// * `links`: all of one time, as a reply may be written more than once.
pub(super) fn plan(links: impl Fn(&str) -> Address + Send + Sync + 'static, host: &str) -> Plan {
    let host = host.to_owned();
    Arc::new(move |reply: &Reply| {
        let linked = |asset: &Asset| {
            let Address { url, until } = links(&asset.path);
            Some(Linked { url: format!("{host}{url}"), until })
        };
        as_markdown(reply, &linked)
    })
}

fn found<'d>(desk: &'d Desk, name: &str) -> Result<&'d Arc<AiBot>, ApiError> {
    desk.aibots.all().get(name).ok_or_else(|| {
        // The name is the caller's; its length is all that is worth a line.
        tracing::warn!(aibot.bytes = name.len(), "a callback for a 智能机器人 that is not served here");
        ApiError::new(StatusCode::NOT_FOUND, "unknown-app", "没有这个智能机器人")
    })
}
