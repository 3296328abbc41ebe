//! What a test, or somebody at the page, makes happen in the world: below `/_sim/`.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Fault;
use crate::simulate::wecom::Simulator;
use crate::simulate::wecom::callback::Parcel;
use crate::simulate::wecom::external;
use crate::simulate::wecom::media::Medium;
use crate::simulate::wecom::session::Phase;
use crate::simulate::wecom::session::Session;
use crate::simulate::wecom::world::Occasion;
use crate::simulate::wecom::world::World;

/// `fail_type` of `msg_send_fail`, of a customer who wants no messages, and all there are (path 94670).
const REFUSED_BY_CUSTOMER: i64 = 10;
const FAIL_TYPES: [i64; 11] = [0, 1, 2, 4, 5, 6, 8, REFUSED_BY_CUSTOMER, 11, 12, 13];

pub(super) type Answer = Result<Json<Value>, (StatusCode, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entering {
    account: String,
    #[serde(default)]
    scene: String,
    #[serde(default)]
    scene_param: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    account: String,
    text: String,
    menu_id: Option<String>,
    msgid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sending {
    account: String,
    msgtype: String,
    object: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSaying {
    app: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tapping {
    app: String,
    task_id: String,
    key: String,
    /// Questions and the ids of the options chosen.
    #[serde(default)]
    selected: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Serving {
    account: String,
    customer: String,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Callbacks {
    app: String,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turning {
    advance_seconds: Option<i64>,
    rate: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusing {
    account: String,
    refuses: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bringing {
    #[serde(rename = "type")]
    kind: String,
    filename: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failing {
    account: String,
    fail_type: Option<i64>,
}

/// `GET /_sim/ledger`.
pub(super) async fn ledger(State(simulator): State<Simulator>) -> Json<Value> {
    Json(simulator.world().ledger.view())
}

/// `GET /_sim/phones`: what people see.
pub(super) async fn phones(State(simulator): State<Simulator>) -> Json<Value> {
    let world = simulator.world();
    let accounts = world.accounts.iter().map(|(id, account)| {
        let talks = account.sessions.iter().map(|(customer, session)| {
            json!({ "customer": customer, "state": session.phase.number(), "servicer": session.servicer,
                    "sent": session.n_sent })
        });
        json!({ "id": id, "name": account.name, "talks": talks.collect::<Vec<_>>() })
    });
    Json(json!({
        "now": world.now().to_string(),
        "accounts": accounts.collect::<Vec<_>>(),
        "apps": world.plan.apps.iter().map(|app| &app.name).collect::<Vec<_>>(),
        "members": world.plan.members,
        "aibots": world.plan.aibots.iter().map(|bot| &bot.name).collect::<Vec<_>>(),
        "robots": world.plan.robots.iter().map(|robot| &robot.group).collect::<Vec<_>>(),
        "phones": world.phones,
    }))
}

/// A customer comes in through a link.
pub(super) async fn enter(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Entering { account, scene, scene_param }): Json<Entering>,
) -> Answer {
    simulator.change(|world, now| {
        let session = world.session(&account, &customer, now)?;
        session.seen_at = now;
        let earns = session.earns_welcome(now);
        let mut event = json!({
            "event_type": "enter_session", "open_kfid": account, "external_userid": customer,
            "scene": scene, "scene_param": scene_param,
        });
        if earns {
            event["welcome_code"] = json!(world.code(Occasion::Welcome, (&account, &customer), now));
        }
        world.phones.entry(customer.clone()).or_default();
        world.event(&account, event, now);
        Ok(json!({ "welcome": earns }))
    })
}

/// A customer writes, or taps.
pub(super) async fn say(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Saying { account, text, menu_id, msgid }): Json<Saying>,
) -> Answer {
    let mut object = json!({ "content": text });
    if let Some(menu_id) = menu_id {
        object["menu_id"] = json!(menu_id);
    }
    simulator.change(|world, now| world.writes((&account, &customer), ("text", object), msgid, now))
}

/// A customer sends something else.
pub(super) async fn send(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Sending { account, msgtype, object }): Json<Sending>,
) -> Answer {
    simulator.change(|world, now| world.writes((&account, &customer), (&msgtype, object), None, now))
}

/// Something that a customer may then send: the body is its bytes, in whatever format.
pub(super) async fn bring(
    State(simulator): State<Simulator>,
    Query(Bringing { kind, filename }): Query<Bringing>,
    bytes: Bytes,
) -> Answer {
    simulator.change(|world, now| Ok(json!({ "media_id": world.bring(&kind, &filename, bytes, now)? })))
}

/// A medium as a phone shows it, for as long as its bytes are here.
pub(super) async fn medium(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    simulator.world().media.get(&id).map_or_else(|| StatusCode::NOT_FOUND.into_response(), Medium::whole)
}

/// A permanent picture.
pub(super) async fn picture(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    simulator.world().pictures.get(&id).map_or_else(|| StatusCode::NOT_FOUND.into_response(), Medium::whole)
}

/// A customer wants no messages any more, or again.
pub(super) async fn refuse(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Refusing { account, refuses }): Json<Refusing>,
) -> Answer {
    simulator.change(|world, now| {
        world.session(&account, &customer, now)?.fails = refuses.then_some(REFUSED_BY_CUSTOMER);
        Ok(json!({}))
    })
}

/// Messages to a customer are taken, and then fail, or arrive again.
pub(super) async fn fail(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Failing { account, fail_type }): Json<Failing>,
) -> Answer {
    simulator.change(|world, now| {
        if let Some(wrong) = fail_type.filter(|fail_type| !FAIL_TYPES.contains(fail_type)) {
            return Err(format!("fail_type {wrong} is none of {FAIL_TYPES:?}"));
        }
        world.session(&account, &customer, now)?.fails = fail_type;
        Ok(json!({}))
    })
}

/// A member writes to an app.
pub(super) async fn member_says(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(MemberSaying { app, text }): Json<MemberSaying>,
) -> Answer {
    simulator.change(|world, now| {
        if world.plan.app(&app).is_none() {
            return Err(format!("no app is called {app}"));
        }
        let msg_id = world.number() >> 1;
        world.shows(&member, "self", &shown_text(&text), now);
        world.parcels.push_back(Parcel::Text { app, member, words: text, msg_id });
        Ok(json!({ "msgid": msg_id.to_string() }))
    })
}

/// A member taps on a template card.
pub(super) async fn member_taps(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(Tapping { app, task_id, key, selected }): Json<Tapping>,
) -> Answer {
    simulator.change(|world, now| {
        let tap = world.tap((&app, &task_id), &member, (&key, selected), now)?;
        let response_code = tap.response_code.clone();
        world.parcels.push_back(Parcel::Tap { app, member, tap });
        Ok(json!({ "response_code": response_code }))
    })
}

/// A servicer takes a talk in the client (`take`), writes in it (`say`), or ends it (`end`).
pub(super) async fn servicer(
    State(simulator): State<Simulator>,
    Path((servicer, deed)): Path<(String, String)>,
    Json(Serving { account, customer, text }): Json<Serving>,
) -> Answer {
    simulator.change(|world, now| {
        let before = world.session(&account, &customer, now)?.phase;
        let (phase, change) = match (deed.as_str(), before) {
            ("take", Phase::New | Phase::Assistant | Phase::Queued) => (Phase::Servicer, Some(1)),
            ("say", Phase::Servicer) => (Phase::Servicer, None),
            ("say", Phase::Ended) => (Phase::Servicer, Some(4)),
            ("end", Phase::Servicer) => (Phase::Ended, Some(3)),
            _ => return Err(format!("{deed} is not possible in state {}", before.number())),
        };
        let session = world.session(&account, &customer, now)?;
        session.phase = phase;
        session.servicer = (phase == Phase::Servicer).then(|| servicer.clone());
        if let Some(change) = change {
            let mut event = json!({
                "event_type": "session_status_change", "open_kfid": account, "external_userid": customer,
                "change_type": change,
            });
            let (name, occasion) = match change {
                3 => ("old_servicer_userid", Some(Occasion::Ended)),
                1 => ("new_servicer_userid", Some(Occasion::Taken)),
                _ => ("new_servicer_userid", None),
            };
            event[name] = json!(servicer);
            if let Some(occasion) = occasion {
                event["msg_code"] = json!(world.code(occasion, (&account, &customer), now));
            }
            world.event(&account, event, now);
        }
        if deed == "say" {
            let text = text.unwrap_or_default();
            let item = json!({
                "msgid": world.id("msg"), "open_kfid": account, "external_userid": customer,
                "send_time": now.as_second(), "origin": 5, "servicer_userid": servicer,
                "msgtype": "text", "text": { "content": text },
            });
            world.happens(&account, item, now);
            world.arrives(&customer, &servicer, &shown_text(&text), now);
        }
        Ok(json!({}))
    })
}

/// Where the callbacks of an app, or of a bot `aibot:NAME`, go from now on.
pub(super) async fn callbacks(
    State(simulator): State<Simulator>,
    Json(Callbacks { app, address }): Json<Callbacks>,
) -> Answer {
    simulator.change(|world, _now| {
        let apps = world.plan.apps.iter_mut().map(|own| (own.name.clone(), &mut own.callback));
        let aibots =
            world.plan.aibots.iter_mut().map(|own| (format!("aibot:{}", own.name), &mut own.callback));
        let callback = apps.chain(aibots).find_map(|(name, callback)| (name == app).then_some(callback));
        *callback.ok_or_else(|| format!("no app is called {app}"))? = address;
        Ok(json!({}))
    })
}

/// Moves the world's time on, or lets it run faster.
pub(super) async fn clock(
    State(simulator): State<Simulator>,
    Json(Turning { advance_seconds, rate }): Json<Turning>,
) -> Answer {
    simulator.change(|world, _now| {
        if let Some(rate) = rate {
            if !(0.0..=100_000.0).contains(&rate) {
                return Err(format!("rate {rate} is not in 0 to 100000"));
            }
            world.dial.run(rate);
        }
        world.dial.advance(SignedDuration::from_secs(advance_seconds.unwrap_or_default()));
        Ok(json!({ "now": world.now().to_string() }))
    })
}

/// Something will go wrong.
pub(super) async fn faults(State(simulator): State<Simulator>, Json(fault): Json<Fault>) -> Answer {
    simulator.change(|world, _now| {
        world.faults.add(fault);
        Ok(json!({}))
    })
}

/// All tokens are worth nothing from now on.
pub(super) async fn revoke(State(simulator): State<Simulator>) -> Answer {
    simulator.change(|world, _now| {
        world.revoke();
        Ok(json!({}))
    })
}

/// Words as a phone shows them.
fn shown_text(words: &str) -> Value {
    json!({ "msgtype": "text", "content": words })
}

impl Simulator {
    /// Changes the world, and sends off what came of it.
    pub(super) fn change(&self, deed: impl FnOnce(&mut World, Timestamp) -> Result<Value, String>) -> Answer {
        let done = {
            let mut world = self.world();
            let now = world.now();
            let done = deed(&mut world, now);
            // The deed may have moved the clock.
            external::settle(&mut world);
            done
        };
        self.courier.wake();
        done.map(Json).map_err(|wrong| (StatusCode::UNPROCESSABLE_ENTITY, wrong))
    }
}

impl World {
    fn session(&mut self, account: &str, customer: &str, now: Timestamp) -> Result<&mut Session, String> {
        let own = self.accounts.get_mut(account).ok_or_else(|| format!("no account is called {account}"))?;
        Ok(own.sessions.entry(customer.to_owned()).or_insert_with(|| Session::new(now)))
    }

    fn writes(
        &mut self,
        (account, customer): (&str, &str),
        (kind, object): (&str, Value),
        msgid: Option<String>,
        now: Timestamp,
    ) -> Result<Value, String> {
        self.session(account, customer, now)?.hears(now);
        let msgid = msgid.unwrap_or_else(|| self.id("msg"));
        let mut shown = json!({ "msgtype": kind, "content": object["content"] });
        if let Some(id) = object["media_id"].as_str() {
            shown["media_id"] = json!(id);
            shown["filename"] = json!(self.media.get(id).map(|medium| &medium.filename));
        }
        let item = json!({
            "msgid": msgid, "open_kfid": account, "external_userid": customer, "send_time": now.as_second(),
            "origin": 3, "msgtype": kind, kind: object,
        });
        self.shows(customer, "self", &shown, now);
        self.happens(account, item, now);
        Ok(json!({ "msgid": msgid }))
    }
}
