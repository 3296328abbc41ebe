//! A WeCom server on this machine: a company, its apps, its accounts of 微信客服, its bots and robots, customers whom
//! members follow, and members who write.
//!
//! It answers as the developer centre's pages say, refuses what they forbid with their codes, and writes down every request
//! and every rule that was broken. Of this crate it shares the encryption of callbacks and nothing else, so that one
//! misreading cannot hide in both halves. Endpoints that it does not know answer with 404.

mod aibot;
mod callback;
mod control;
mod dial;
mod external;
mod fault;
mod fields;
mod kf;
mod ledger;
mod message;
mod picture;
mod plan;
mod refusal;
mod robot;
mod session;
#[cfg(test)]
mod tests;
mod token;
mod upload;
mod world;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
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

/// Longest body of a request: a robot's file of 20 MiB, and what its form adds.
const BODY_BYTES_MAX: usize = 21 * 1_024 * 1_024;

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
    /// Of one more answer of a bot's.
    response_code: Option<String>,
    /// Of a robot.
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
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
            .route("/_sim/members/{id}/say", post(control::member_says))
            .route("/_sim/servicers/{id}/{deed}", post(control::servicer))
            .route("/_sim/callbacks", post(control::callbacks))
            .route("/_sim/clock", post(control::clock))
            .route("/_sim/faults", post(control::faults))
            .route("/_sim/tokens/revoke", post(control::revoke))
            .merge(external::control::routes())
            .merge(aibot::control::routes())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
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
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = simulator.world().faults.take(&path);
    match fault {
        Some(Effect::Status { status }) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        Some(Effect::Html) => return Html("<html><body>502 Bad Gateway</body></html>").into_response(),
        Some(Effect::Stall) => {
            tokio::time::sleep(STALL).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some(Effect::Truncated) => {
            return ([(header::CONTENT_TYPE, "application/json")], "{\"errcode\":0,\"errm").into_response();
        }
        Some(Effect::Code { code }) => return Refusal::new(code, "by script").into_response(),
        Some(Effect::AnswerLost | Effect::Lose | Effect::Twice { .. }) | None => {}
    }
    let response = simulator.world().take(&path, &parameters, &headers, &body);
    simulator.courier.wake();
    if matches!(fault, Some(Effect::AnswerLost)) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    match response {
        Ok(value) => axum::Json(value).into_response(),
        Err(Wrong::Unknown) => StatusCode::NOT_FOUND.into_response(),
        Err(Wrong::Refused(refusal)) => refusal.into_response(),
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
    fn take(
        &mut self,
        path: &str,
        parameters: &Parameters,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Value, Wrong> {
        let now = self.now();
        let read: Option<Value> = serde_json::from_slice(body).ok();
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let result = match path {
            "webhook/upload_media" => robot::upload(self, parameters, kind, body, now).map_err(Wrong::from),
            _ => self.carry_out(path, parameters, read.as_ref(), now),
        };
        let code = match &result {
            Ok(_) => Some(0),
            Err(Wrong::Refused(refusal)) => Some(refusal.code),
            Err(Wrong::Unknown) => None,
        };
        let wanted = if path == "webhook/upload_media" { "multipart/form-data" } else { "application/json" };
        if kind.is_some_and(|kind| !kind.starts_with(wanted)) {
            self.ledger.breaks(path, format!("content type is not {wanted}"));
        }
        self.ledger.request(now, path, read.unwrap_or(Value::Null), code);
        result.map(|mut answer| {
            answer["errcode"] = json!(0);
            answer["errmsg"] = json!("ok");
            answer
        })
    }

    fn carry_out(
        &mut self,
        path: &str,
        parameters: &Parameters,
        body: Option<&Value>,
        now: Timestamp,
    ) -> Result<Value, Wrong> {
        // Who calls these is known by something else than a token.
        match path {
            "gettoken" => {
                let (corp_id, secret) = (parameters.corpid.as_deref(), parameters.corpsecret.as_deref());
                return Ok(self.issue(corp_id, secret, now)?);
            }
            "webhook/send" => return Ok(robot::send(self, parameters.key.as_deref(), body, now)?),
            "aibot/response" => {
                let code = parameters.response_code.as_deref();
                return Ok(aibot::reply::respond(self, code, body, now)?);
            }
            _ => {}
        }
        let app = self.authorised(parameters.access_token.as_deref(), now)?;
        let nothing = json!({});
        let body = body.unwrap_or(&nothing);
        if !body.is_object() {
            return Err(Refusal::new(40_033, "body is no JSON object").into());
        }
        Ok(match path {
            "getcallbackip" => json!({ "ip_list": ["127.0.0.1"] }),
            "agent/get" => message::agent(self, app, parameters.agentid.as_deref())?,
            "message/send" => message::send(self, app, body, now)?,
            "message/recall" => message::recall(self, body, now)?,
            "kf/sync_msg" => kf::sync(self, app, body, now)?,
            "kf/send_msg" => kf::send(self, app, body, now)?,
            "kf/send_msg_on_event" => kf::send_on_event(self, app, body, now)?,
            "kf/service_state/get" => kf::state(self, app, body)?,
            "kf/service_state/trans" => kf::transfer(self, app, body, now)?,
            "kf/account/list" => kf::accounts(self, app, body)?,
            "kf/servicer/list" => kf::servicers(self, app, parameters.open_kfid.as_deref())?,
            "kf/add_contact_way" => kf::contact_way(self, app, body)?,
            "kf/customer/batchget" => kf::customers(self, body, now)?,
            _ => {
                let name = path.strip_prefix("externalcontact/").ok_or(Wrong::Unknown)?;
                external::carry_out(self, app, name, parameters, body, now)?.ok_or(Wrong::Unknown)?
            }
        })
    }
}
