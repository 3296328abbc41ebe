//! DingTalk: the robot of a group, and todos. Source: open.dingtalk.com, 自定义机器人接入, 创建钉钉待办任务.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::secret::same_bytes;
use crate::simulate::sender::Kept;
use crate::simulate::sender::Senders;
use crate::simulate::sender::header;
use crate::simulate::sender::signature;

const VENDOR: &str = "dingtalk";

/// So far the sender's clock may be from ours, either way. The page's figure is not verified.
const APART: SignedDuration = SignedDuration::from_hours(1);

/// Messages a minute, and how long it is silent who sends more.
const MINUTE_MAX: usize = 20;
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// Seconds that a token is good for.
const TOKEN_SECONDS: i64 = 7_200;

/// Longest subject and description of a todo.
const SUBJECT_CHARS_MAX: usize = 1_024;
const DESCRIPTION_CHARS_MAX: usize = 4_096;

#[derive(Deserialize)]
pub(super) struct Signed {
    access_token: Option<String>,
    timestamp: Option<String>,
    sign: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Operator {
    #[serde(rename = "operatorId")]
    operator_id: Option<String>,
}

/// `POST /robot/send`.
pub(super) async fn say(
    State(senders): State<Senders>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    let now = senders.now();
    let refused = |code: i64, words: &str| Json(json!({ "errcode": code, "errmsg": words }));
    if let Err(words) = verified(&senders, &signed, now) {
        return refused(310_000, words);
    }
    let mut kept = senders.kept();
    if !header(&headers, "content-type").starts_with("application/json") {
        kept.breaks(VENDOR, "content type is not application/json");
    }
    if kept.silent_until.is_some_and(|until| until > now) {
        return refused(130_101, "send too fast, exceed 20 times per minute");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Err(words) = message(&mut kept, &body) {
        return refused(40_035, &words);
    }
    kept.spoke.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
    if kept.spoke.len() >= MINUTE_MAX {
        kept.silent_until = Some(now + SILENCE);
        return refused(130_101, "send too fast, exceed 20 times per minute");
    }
    kept.spoke.push(now);
    kept.takes(now, "dingtalk", body);
    Json(json!({ "errcode": 0, "errmsg": "ok" }))
}

fn verified(senders: &Senders, signed: &Signed, now: Timestamp) -> Result<(), &'static str> {
    if !signed.access_token.as_deref().is_some_and(|token| senders.plan.robot_token.matches(token)) {
        return Err("token is not exist");
    }
    let timestamp = signed.timestamp.as_deref().unwrap_or_default();
    let at = timestamp.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    if at.is_none_or(|at| now.duration_since(at).abs() > APART) {
        return Err("invalid timestamp");
    }
    let expected = signature::dingtalk(senders.plan.robot_secret.expose(), timestamp);
    let sign = signed.sign.as_deref().unwrap_or_default();
    if same_bytes(expected.as_bytes(), sign.as_bytes()) { Ok(()) } else { Err("sign not match") }
}

/// Checks a message, and says what is missing.
fn message(kept: &mut Kept, body: &Value) -> Result<(), String> {
    let kind = body["msgtype"].as_str().unwrap_or_default();
    let needed: &[&str] = match kind {
        "text" => &["content"],
        "link" => &["title", "text", "messageUrl"],
        "markdown" | "actionCard" => &["title", "text"],
        "feedCard" => &[],
        _ => return Err(format!("msgtype {kind} is none")),
    };
    kept.known(VENDOR, body, &["msgtype", "at", kind]);
    let inner = &body[kind];
    if let Some(name) = needed.iter().find(|name| inner[**name].as_str().is_none_or(str::is_empty)) {
        return Err(format!("{kind}.{name} is missing"));
    }
    let several = match kind {
        "feedCard" => Some(("links", ["title", "messageURL", "picURL"].as_slice())),
        "actionCard" if inner["singleURL"].is_null() => Some(("btns", ["title", "actionURL"].as_slice())),
        _ => None,
    };
    if let Some((name, needed)) = several {
        let items = inner[name].as_array().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| format!("{kind}.{name} is missing"))?;
        if items.iter().any(|item| needed.iter().any(|name| item[*name].as_str().is_none_or(str::is_empty))) {
            return Err(format!("{kind}.{name} needs {}", needed.join(", ")));
        }
    }
    kept.known(VENDOR, &body["at"], &["atMobiles", "atUserIds", "isAtAll"]);
    let words = inner["text"].as_str().unwrap_or_default();
    let mobiles = body["at"]["atMobiles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for mobile in mobiles.filter(|mobile| kind == "markdown" && !words.contains(&format!("@{mobile}"))) {
        let last: String = mobile.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        kept.breaks(VENDOR, format!("the markdown does not name @…{last}, who is not called then"));
    }
    Ok(())
}

/// `POST /v1.0/oauth2/accessToken`.
pub(super) async fn token(State(senders): State<Senders>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut kept = senders.kept();
    kept.known(VENDOR, &body, &["appKey", "appSecret"]);
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    if text("appKey") != senders.plan.app_key || !senders.plan.app_secret.matches(text("appSecret")) {
        return refused(
            &mut kept,
            StatusCode::BAD_REQUEST,
            "invalidClientIdOrSecret",
            "无效的appKey或appSecret",
        );
    }
    let token = kept.id("dingtoken");
    kept.tokens.insert(token.clone(), senders.now() + SignedDuration::from_secs(TOKEN_SECONDS));
    Json(json!({ "accessToken": token, "expireIn": TOKEN_SECONDS })).into_response()
}

/// `POST /v1.0/todo/users/{unionId}/tasks`.
pub(super) async fn todo(
    State(senders): State<Senders>,
    Path(union_id): Path<String>,
    Query(Operator { operator_id }): Query<Operator>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = senders.now();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut kept = senders.kept();
    let token = header(&headers, "x-acs-dingtalk-access-token");
    if kept.tokens.get(token).is_none_or(|until| *until <= now) {
        return refused(&mut kept, StatusCode::UNAUTHORIZED, "InvalidAuthentication", "不合法的access_token");
    }
    if let Err(wrong) = sound(&senders, &union_id, operator_id.as_deref(), &body) {
        return refused(&mut kept, StatusCode::BAD_REQUEST, "invalidParameter", &wrong);
    }
    kept.known(
        VENDOR,
        &body,
        &[
            "sourceId",
            "subject",
            "creatorId",
            "description",
            "dueTime",
            "executorIds",
            "participantIds",
            "detailUrl",
            "contentFieldList",
            "actionList",
            "bizCategoryId",
            "isOnlyShowExecutor",
            "priority",
            "notifyConfigs",
            "remindNotifyConfigs",
            "reminderTimeStamp",
            "todoType",
        ],
    );
    let source = body["sourceId"].as_str().unwrap_or_default().to_owned();
    if let Some(known) = kept.todos.get(&source) {
        return Json(known.clone()).into_response();
    }
    let at = now.as_millisecond();
    let answer = json!({
        "id": kept.id("task"), "subject": body["subject"], "done": false, "createdTime": at, "modifiedTime": at,
        "creatorId": body["creatorId"], "executorIds": body["executorIds"], "sourceId": body["sourceId"],
        "source": "isv", "bizTag": "isv", "requestId": kept.id("request"),
    });
    if !source.is_empty() {
        kept.todos.insert(source, answer.clone());
    }
    kept.takes(now, "dingtalk-todo", body);
    Json(answer).into_response()
}

/// Says what is wrong with a todo.
fn sound(senders: &Senders, union_id: &str, operator: Option<&str>, body: &Value) -> Result<(), String> {
    let is_known = |id: &str| senders.plan.union_ids.iter().any(|known| known == id);
    if !is_known(union_id) {
        return Err("unionId不存在".to_owned());
    }
    if !operator.is_some_and(is_known) {
        return Err("operatorId不存在".to_owned());
    }
    let subject = body["subject"].as_str().unwrap_or_default();
    if subject.is_empty() || subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(format!("subject不能为空，且不超过{SUBJECT_CHARS_MAX}个字"));
    }
    if body["description"].as_str().is_some_and(|words| words.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(format!("description不超过{DESCRIPTION_CHARS_MAX}个字"));
    }
    for name in ["executorIds", "participantIds"] {
        let ids = body[name].as_array().into_iter().flatten();
        if ids.into_iter().any(|id| !id.as_str().is_some_and(is_known)) {
            return Err(format!("{name}里有不存在的unionId"));
        }
    }
    Ok(())
}

fn refused(kept: &mut Kept, status: StatusCode, code: &str, words: &str) -> Response {
    let request = kept.id("request");
    (status, Json(json!({ "code": code, "message": words, "requestid": request }))).into_response()
}
