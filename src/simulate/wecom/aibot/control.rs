//! What members do with bots in the client: below `/_sim/`.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::routing::post;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Simulator;
use crate::simulate::wecom::aibot::Response;
use crate::simulate::wecom::aibot::Talk;
use crate::simulate::wecom::control::Answer;
use crate::simulate::wecom::world::World;

/// So long after the question one more answer may come by its own address.
const RESPONSE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Questions of one member that one bot answers at a time.
const TALKS_MAX: usize = 3;

/// Where the members' day begins at midnight.
const BEIJING: Offset = jiff::tz::offset(8);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asking {
    pub(super) bot: String,
    pub(super) text: String,
    /// The group that it is asked in.
    pub(super) chatid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    bot: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opinion {
    bot: String,
    id: String,
    /// 1 good, 2 bad, 3 withdrawn.
    #[serde(rename = "type")]
    kind: i64,
    content: Option<String>,
    #[serde(default)]
    inaccurate_reason_list: Vec<i64>,
}

/// What members do with bots.
pub(in crate::simulate::wecom) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_sim/members/{id}/aibot", post(ask))
        .route("/_sim/members/{id}/aibot/enter", post(enter))
        .route("/_sim/members/{id}/aibot/feedback", post(feedback))
}

/// A member asks.
async fn ask(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    headers: HeaderMap,
    Json(asking): Json<Asking>,
) -> Answer {
    // The address that this server was reached by is one by which it can be reached again.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let mut asked = None;
    let answer = simulator.change(|world, now| {
        let talk = begin(world, &member, asking, host, now)?;
        let told = json!({ "msgid": talk.msg_id, "response_url": talk.response_url });
        asked = Some(talk);
        Ok(told)
    });
    if let Some(talk) = asked {
        tokio::spawn(async move { simulator.converse(talk).await });
    }
    answer
}

/// A question under way.
pub(super) fn begin(
    world: &mut World,
    member: &str,
    asking: Asking,
    host: &str,
    now: Timestamp,
) -> Result<Talk, String> {
    let Asking { bot, text, chatid } = asking;
    let pair = known(world, &bot, member)?;
    let under_way = world.aibots.talks.entry(pair.clone()).or_default();
    if *under_way == TALKS_MAX {
        return Err(format!("{member} has {TALKS_MAX} questions to {bot} under way"));
    }
    *under_way += 1;
    let whom = chatid.clone().unwrap_or_else(|| pair.1.clone());
    let (msg_id, code) = (world.id("aimsg"), world.id("RC"));
    let response =
        Response { bot: bot.clone(), whom: whom.clone(), until: now + RESPONSE_LIFE, is_used: false };
    world.aibots.responses.insert(code.clone(), response);
    world.shows(&whom, "self", &json!({ "msgtype": "text", "content": text }), now);
    let response_url = format!("http://{host}/cgi-bin/aibot/response?response_code={code}");
    Ok(Talk { bot, member: pair.1, chat: chatid, msg_id, begun: now, words: text, response_url })
}

/// A bot and a member that there are.
fn known(world: &World, bot: &str, member: &str) -> Result<(String, String), String> {
    let member = member.to_lowercase();
    if !world.plan.members.contains(&member) {
        return Err(format!("no member is called {member}"));
    }
    world.plan.aibot(bot).ok_or_else(|| format!("no bot is called {bot}"))?;
    Ok((bot.to_owned(), member))
}

/// A member opens a bot: told once a day.
async fn enter(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(Opening { bot }): Json<Opening>,
) -> Answer {
    let mut event = None;
    let answer = simulator.change(|world, now| {
        let pair = known(world, &bot, &member)?;
        let today = BEIJING.to_datetime(now).date();
        let is_first = world.aibots.opened.insert(pair.clone(), today) != Some(today);
        event = is_first.then(|| happened(world, &pair, "enter_chat", json!({}), now));
        Ok(json!({ "event": is_first }))
    });
    if let Some(inner) = event {
        tokio::spawn(async move { simulator.opens(&bot, &member, inner).await });
    }
    answer
}

/// A member says what they think of an answer.
async fn feedback(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(opinion): Json<Opinion>,
) -> Answer {
    let bot = opinion.bot.clone();
    let mut event = None;
    let answer = simulator.change(|world, now| {
        let pair = known(world, &opinion.bot, &member)?;
        if !world.aibots.feedback.contains(&(opinion.bot.clone(), opinion.id.clone())) {
            return Err(format!("no answer has the feedback id {}", opinion.id));
        }
        if !(1..=3).contains(&opinion.kind) {
            return Err(format!("type {} is not in 1 to 3", opinion.kind));
        }
        let mut told = json!({ "id": opinion.id, "type": opinion.kind });
        if let Some(content) = opinion.content {
            told["content"] = json!(content);
        }
        if !opinion.inaccurate_reason_list.is_empty() {
            told["inaccurate_reason_list"] = json!(opinion.inaccurate_reason_list);
        }
        event = Some(happened(world, &pair, "feedback_event", told, now));
        Ok(json!({}))
    });
    if let Some(inner) = event {
        tokio::spawn(async move { simulator.opines(&bot, inner).await });
    }
    answer
}

/// An event, as it is told.
fn happened(
    world: &mut World,
    (bot, member): &(String, String),
    kind: &str,
    object: Value,
    now: Timestamp,
) -> Value {
    let bot_id = world.plan.aibot(bot).map(|bot| bot.bot_id.clone());
    json!({
        "msgid": world.id("aimsg"), "create_time": now.as_second(), "aibotid": bot_id, "chattype": "single",
        "from": { "userid": member }, "msgtype": "event", "event": { "eventtype": kind, kind: object },
    })
}
