//! `/wecom/{app}/callback`: the URL verification and the callbacks of WeCom apps.
//!
//! Whoever fails a check learns nothing about the reason; the log and the counters do.

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

use crate::channel::wecom::active;
use crate::channel::wecom::envelope::Envelope;
use crate::channel::wecom::envelope::reply_xml;
use crate::channel::wecom::event::Event;
use crate::channel::wecom::message::Body;
use crate::channel::wecom::message::CallbackMessage;
use crate::channel::wecom::passive;
use crate::channel::wecom::passive::Linked;
use crate::http::Desk;
use crate::http::Shared;
use crate::http::error::ApiError;
use crate::message::Asset;
use crate::message::Reply;
use crate::service::app::App;
use crate::service::callback::Outcome;
use crate::service::callback::Plan;
use crate::service::callback::chain;
use crate::service::kf::Messages;
use crate::service::view::Address;
use crate::text::hex::lower_hex;

type Params = Query<HashMap<String, String>>;

/// Answers the console's check of the address with the decrypted `echostr`, bare.
pub(super) async fn verify(
    State(desk): State<Shared>,
    Path(app): Path<String>,
    Query(params): Params,
) -> Result<Response, ApiError> {
    let app = found(&desk, &app)?;
    let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    match app.key.open(of("msg_signature"), of("timestamp"), of("nonce"), of("echostr")) {
        Ok(plain) => {
            desk.meter.callback(&app.name, "verified");
            Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], plain).into_response())
        }
        Err(error) => Err(refused(&desk, &app.name, error.code(), &error)),
    }
}

/// Takes a message or event, and answers it in the same response.
pub(super) async fn receive(
    State(desk): State<Shared>,
    Path(app): Path<String>,
    Query(params): Params,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let app = found(&desk, &app)?;
    let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    let envelope = Envelope::parse(&body).map_err(|error| refused(&desk, &app.name, error.code(), &error))?;
    let plaintext = app
        .key
        .open(of("msg_signature"), of("timestamp"), of("nonce"), &envelope.encrypt)
        .map_err(|error| refused(&desk, &app.name, error.code(), &error))?;
    let message = CallbackMessage::parse(&plaintext)
        .map_err(|error| refused(&desk, &app.name, error.code(), &error))?;
    let plan = plan(&desk, app, &host(&desk, &headers));
    if let Body::Event(Event::KfMsgOrEvent { token, open_kfid }) = message.body {
        // It carries no message; one that nobody serves here is read by whoever does.
        let result = if desk.kf.wake(&open_kfid, token) { "woken" } else { "unknown-kf" };
        desk.meter.callback(&app.name, result);
        return Ok(StatusCode::OK.into_response());
    }
    match desk.callbacks.receive(app, message, &plaintext, plan).await {
        Ok(Outcome::Acknowledge) => {
            desk.meter.callback(&app.name, "acknowledged");
            Ok(StatusCode::OK.into_response())
        }
        Ok(Outcome::Reply(xml)) => {
            let sealed = seal(&desk, app, &xml)?;
            desk.meter.callback(&app.name, "answered");
            Ok(([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], sealed).into_response())
        }
        Err(error) => {
            tracing::error!(app = %app.name, error = %chain(&error), "a callback could not be stored");
            desk.meter.callback(&app.name, "failed");
            Err(ApiError::internal())
        }
    }
}

/// How replies of an app are laid out: one passive message, files as WeCom has them or as signed links.
pub(super) fn plan(desk: &Desk, app: &Arc<App>, host: &str) -> Plan {
    let (links, host) = (desk.links(&app.bot), host.to_owned());
    let (media, app) = (Arc::clone(&desk.media), Arc::clone(app));
    Arc::new(move |reply: &Reply| {
        let address = |path: &str| format!("{host}{}", links(path).url);
        let linked = |path: &str| Linked { url: address(path), until: links(path).until };
        let picture = |path: &str| {
            let absolute = path.starts_with("https://") || path.starts_with("http://");
            Some(if absolute { path.to_owned() } else { address(path) })
        };
        passive::plan(&media.dressed(&app, reply), &|asset| Some(linked(&asset.path)), &picture)
    })
}

/// How replies of an app's customer service are laid out: texts and menus, files as WeCom has them or as signed
/// links.
pub(super) fn kf_messages(desk: &Desk, app: &Arc<App>, host: &str) -> Messages {
    let (links, host) = (desk.links_of(&app.bot), host.to_owned());
    let (media, app) = (Arc::clone(&desk.media), Arc::clone(app));
    Arc::new(move |reply: &Reply| {
        let links = links();
        let linked = |asset: &Asset| {
            let Address { url, until } = links(&asset.path);
            Some(Linked { url: format!("{host}{url}"), until })
        };
        active::to_customer(&media.dressed(&app, reply), &|part| passive::as_words(part, &linked))
    })
}

fn seal(desk: &Desk, app: &App, xml: &str) -> Result<String, ApiError> {
    let (block, nonce): ([u8; 16], [u8; 8]) = (random()?, random()?);
    let timestamp = desk.service.now().as_second().to_string();
    Ok(reply_xml(&app.key.seal(xml, block, &timestamp, &lower_hex(&nonce))))
}

/// Fresh random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        ApiError::internal()
    })?;
    Ok(random)
}

fn found<'d>(desk: &'d Desk, name: &str) -> Result<&'d Arc<App>, ApiError> {
    desk.apps.get(name).ok_or_else(|| {
        // The name is the caller's; its length is all that is worth a line.
        tracing::warn!(app.bytes = name.len(), "a callback for an app that is not served here");
        ApiError::new(StatusCode::NOT_FOUND, "unknown-app", "没有这个应用")
    })
}

/// Tells the log and the counters why, and the sender nothing.
pub(super) fn refused(desk: &Desk, app: &str, code: i32, error: &dyn std::error::Error) -> ApiError {
    tracing::warn!(app, code, error = %chain(error), "refused a callback");
    desk.meter.callback(app, "refused");
    ApiError::new(StatusCode::BAD_REQUEST, "refused", "请求无效")
}

/// The address under which the sender reaches us.
pub(super) fn host(desk: &Desk, headers: &HeaderMap) -> String {
    if !desk.public_url.is_empty() {
        return desk.public_url.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}
