//! A WeCom server on this machine: a company, its apps, its accounts of 微信客服, its bots and robots, customers whom
//! members follow, and members who write.
//!
//! It answers as the developer centre's pages say, refuses what they forbid with their codes, and writes down every request
//! and every rule that was broken. Of this crate it shares the encryption of callbacks and nothing else, so that one
//! misreading cannot hide in both halves. Endpoints that it does not know answer with 404.

mod aibot;
mod callback;
mod card;
mod content;
mod control;
mod dial;
mod external;
mod fault;
mod fields;
mod kf;
mod ledger;
mod media;
mod message;
mod passive;
mod picture;
mod plan;
mod reception;
mod refusal;
mod robot;
mod session;
#[cfg(test)]
mod tests;
mod token;
mod world;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::FromRequest;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::callback::Courier;
use crate::simulate::wecom::fault::Effect;
use crate::simulate::wecom::media::Part;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

pub use crate::simulate::wecom::fault::Fault;
pub use crate::simulate::wecom::plan::AibotPlan;
pub use crate::simulate::wecom::plan::AppPlan;
pub use crate::simulate::wecom::plan::Plan;
pub use crate::simulate::wecom::plan::RobotPlan;

/// Where the server reads the real time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a stalled answer takes: longer than any client waits.
const STALL: Duration = Duration::from_secs(60);

/// The server: cheap to clone, all clones share one world.
#[derive(Clone)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    courier: Courier,
}

#[derive(Deserialize)]
struct Parameters {
    access_token: Option<String>,
    corpid: Option<String>,
    corpsecret: Option<String>,
    open_kfid: Option<String>,
    agentid: Option<String>,
    userid: Option<String>,
    external_userid: Option<String>,
    cursor: Option<String>,
    media_id: Option<String>,
    /// Of one more answer of a bot's.
    response_code: Option<String>,
    /// Of a robot.
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// A request as it came.
struct Asked {
    path: String,
    parameters: Parameters,
    headers: HeaderMap,
    brought: Brought,
}

/// What a request brought.
enum Brought {
    /// A document; `None` where it could not be read.
    Json(Option<Value>),
    /// A form.
    Form(Result<Vec<Part>, Refusal>),
}

/// What a request is answered with.
enum Said {
    Json(Value),
    Binary(Response),
}

impl Simulator {
    /// A server in whose world nobody has said anything yet.
    ///
    /// * `seed`: of ids and codes; the same seed gives the same ones.
    ///
    /// # Errors
    /// When the plan has a malformed callback key, or the system gives no HTTP client.
    pub fn new(plan: Plan, seed: u64, clock: Clock) -> anyhow::Result<Self> {
        for bot in &plan.aibots {
            CallbackKey::new(&bot.token, &bot.aes_key, "")?;
        }
        let world = Arc::new(Mutex::new(World::new(plan, seed, clock)));
        let courier = Courier::new(Arc::clone(&world))?;
        Ok(Self { world, courier })
    }

    /// WeCom's interface below `/cgi-bin/`, the world's controls below `/_sim/`, and the phones at `/`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(async || Html(include_str!("page.html"))))
            .route("/cgi-bin/{*path}", get(answer).post(answer))
            .route("/_sim/ledger", get(control::ledger))
            .route("/_sim/phones", get(control::phones))
            .route("/_sim/customers/{id}/enter", post(control::enter))
            .route("/_sim/customers/{id}/say", post(control::say))
            .route("/_sim/customers/{id}/send", post(control::send))
            .route("/_sim/customers/{id}/refuse", post(control::refuse))
            .route("/_sim/customers/{id}/fail", post(control::fail))
            .route("/_sim/members/{id}/say", post(control::member_says))
            .route("/_sim/members/{id}/tap", post(control::member_taps))
            .route("/_sim/servicers/{id}/{deed}", post(control::servicer))
            .route("/_sim/callbacks", post(control::callbacks))
            .route("/_sim/clock", post(control::clock))
            .route("/_sim/faults", post(control::faults))
            .route("/_sim/tokens/revoke", post(control::revoke))
            .route("/_sim/media", post(control::bring))
            .route("/_sim/media/{id}", get(control::medium))
            .route("/_sim/pictures/{id}", get(control::picture))
            .merge(external::control::routes())
            .merge(aibot::control::routes())
            .layer(DefaultBodyLimit::max(media::REQUEST_BYTES_MAX))
            .with_state(self)
    }

    /// Something will go wrong.
    pub fn add_fault(&self, fault: Fault) {
        self.world().faults.add(fault);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request to the interface.
async fn answer(
    State(simulator): State<Simulator>,
    Path(path): Path<String>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    let fault = simulator.world().faults.take(&path);
    let is_download = path == media::GET;
    match fault {
        Some(Effect::Status { status }) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        Some(Effect::Html) => return Html("<html><body>502 Bad Gateway</body></html>").into_response(),
        Some(Effect::Stall) => {
            tokio::time::sleep(STALL).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some(Effect::Truncated) if !is_download => {
            return ([(header::CONTENT_TYPE, "application/json")], "{\"errcode\":0,\"errm").into_response();
        }
        Some(Effect::Code { code }) => return Refusal::new(code, "by script").into_response(),
        Some(Effect::Truncated | Effect::AnswerLost | Effect::Lose | Effect::Twice { .. }) | None => {}
    }
    let headers = request.headers().clone();
    let brought = match Brought::read(&path, request).await {
        Ok(brought) => brought,
        Err(response) => return response,
    };
    let response = simulator.world().take(&Asked { path, parameters, headers, brought });
    simulator.courier.wake();
    if matches!(fault, Some(Effect::AnswerLost)) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    match response {
        Ok(Said::Binary(response)) if fault == Some(Effect::Truncated) => media::broken_off(response).await,
        Ok(Said::Binary(response)) => response,
        Ok(Said::Json(value)) => axum::Json(value).into_response(),
        Err(Wrong::Unknown) => StatusCode::NOT_FOUND.into_response(),
        Err(Wrong::Refused(refusal)) => refusal.into_response(),
    }
}

impl Brought {
    /// Reads what a request brings, or answers it where there is too much of it.
    async fn read(path: &str, request: Request) -> Result<Self, Response> {
        if [media::UPLOAD, media::UPLOAD_PICTURE, robot::UPLOAD].contains(&path) {
            return Ok(Self::Form(media::parts(request).await));
        }
        let body = Bytes::from_request(request, &()).await.map_err(IntoResponse::into_response)?;
        Ok(Self::Json(serde_json::from_slice(&body).ok()))
    }

    fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "multipart/form-data",
        }
    }
}

impl Asked {
    /// The request as the ledger has it.
    fn written(&self) -> Value {
        match &self.brought {
            Brought::Json(_) if self.path == media::GET => json!({ "media_id": self.parameters.media_id }),
            Brought::Json(body) => body.clone().unwrap_or(Value::Null),
            Brought::Form(parts) => {
                let parts = parts.iter().flatten().map(Part::written).collect::<Vec<_>>();
                json!({ "type": self.parameters.kind, "parts": parts })
            }
        }
    }

    /// A header, where it is there and a text.
    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Under which name this server was reached.
    fn host(&self) -> &str {
        self.header(header::HOST).unwrap_or("127.0.0.1")
    }
}

/// Why a request came to nothing.
enum Wrong {
    /// There is no such endpoint here.
    Unknown,
    Refused(Refusal),
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl World {
    /// Does what a request asks for, and writes it down.
    fn take(&mut self, asked: &Asked) -> Result<Said, Wrong> {
        let now = self.now();
        let path = asked.path.as_str();
        let expected = asked.brought.content_type();
        if asked.header(header::CONTENT_TYPE).is_some_and(|kind| !kind.starts_with(expected)) {
            self.ledger.breaks(path, format!("content type is not {expected}"));
        }
        let result = match path {
            media::GET => self.hand_out(asked, now).map(Said::Binary),
            _ => self.carry_out(asked, now).map(Said::Json),
        };
        let code = match &result {
            Ok(_) => Some(0),
            Err(Wrong::Refused(refusal)) => Some(refusal.code),
            Err(Wrong::Unknown) => None,
        };
        self.ledger.request(now, path, asked.written(), code);
        result
    }

    fn hand_out(&self, asked: &Asked, now: Timestamp) -> Result<Response, Wrong> {
        self.authorised(asked.parameters.access_token.as_deref(), now)?;
        let id = asked.parameters.media_id.as_deref();
        Ok(media::get(self, id, asked.header(header::RANGE), now)?)
    }

    fn carry_out(&mut self, asked: &Asked, now: Timestamp) -> Result<Value, Wrong> {
        let mut answer = json!({ "errcode": 0, "errmsg": "ok" });
        let own = match self.answer_stranger(asked, now)? {
            Some(own) => own,
            None => self.answer_app(asked, now)?,
        };
        for (name, value) in own.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        Ok(answer)
    }

    /// The answer's own fields, where who asks is known by something else than a token.
    fn answer_stranger(&mut self, asked: &Asked, now: Timestamp) -> Result<Option<Value>, Refusal> {
        let Asked { path, parameters, brought, .. } = asked;
        Ok(Some(match (path.as_str(), brought) {
            ("gettoken", _) => {
                self.issue(parameters.corpid.as_deref(), parameters.corpsecret.as_deref(), now)?
            }
            (robot::UPLOAD, Brought::Form(parts)) => robot::upload(self, parameters, parts.as_deref(), now)?,
            (robot::SEND, Brought::Json(body)) => {
                robot::send(self, parameters.key.as_deref(), body.as_ref(), now)?
            }
            (aibot::reply::RESPONSE, Brought::Json(body)) => {
                aibot::reply::respond(self, parameters.response_code.as_deref(), body.as_ref(), now)?
            }
            _ => return Ok(None),
        }))
    }

    /// The answer's own fields, for an app with a token.
    fn answer_app(&mut self, asked: &Asked, now: Timestamp) -> Result<Value, Wrong> {
        let Asked { path, parameters, brought, .. } = asked;
        let app = self.authorised(parameters.access_token.as_deref(), now)?;
        let nothing = json!({});
        let body = match brought {
            Brought::Json(body) => body.as_ref().unwrap_or(&nothing),
            Brought::Form(parts) => {
                let parts = parts.as_deref().map_err(Clone::clone)?;
                return Ok(match path.as_str() {
                    media::UPLOAD => media::upload(self, parameters.kind.as_deref(), parts, now)?,
                    _ => media::upload_picture(self, asked.host(), parts, now)?,
                });
            }
        };
        if !body.is_object() {
            return Err(Refusal::new(40_033, "body is no JSON object").into());
        }
        Ok(match path.as_str() {
            "getcallbackip" => json!({ "ip_list": ["127.0.0.1"] }),
            "agent/get" => message::agent(self, app, parameters.agentid.as_deref())?,
            "message/send" => message::send(self, app, body, now)?,
            "message/update_template_card" => card::update(self, app, body, now)?,
            "message/recall" => message::recall(self, body, now)?,
            "kf/sync_msg" => kf::sync(self, app, body, now)?,
            "kf/send_msg" => kf::send(self, app, body, now)?,
            "kf/send_msg_on_event" => kf::send_on_event(self, app, body, now)?,
            "kf/service_state/get" => kf::state(self, app, body)?,
            "kf/service_state/trans" => kf::transfer(self, app, body, now)?,
            "kf/account/list" => reception::accounts(self, app, body)?,
            "kf/account/add" => reception::add_account(self, app, body, now)?,
            "kf/account/update" => reception::update_account(self, app, body, now)?,
            "kf/account/del" => reception::delete_account(self, app, body)?,
            "kf/servicer/list" => reception::servicers(self, app, parameters.open_kfid.as_deref())?,
            "kf/servicer/add" => reception::add_servicers(self, app, body)?,
            "kf/servicer/del" => reception::delete_servicers(self, app, body)?,
            "kf/add_contact_way" => reception::contact_way(self, app, body)?,
            "kf/get_corp_qualification" => json!({ "wechat_channels_binding": false }),
            "kf/customer/batchget" => reception::customers(self, body, now)?,
            _ => {
                let name = path.strip_prefix("externalcontact/").ok_or(Wrong::Unknown)?;
                external::carry_out(self, app, name, parameters, body, now)?.ok_or(Wrong::Unknown)?
            }
        })
    }
}
