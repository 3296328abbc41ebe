//! Messages to members. Source: WeCom developer centre, 发送应用消息 (path 90236), 撤回应用消息 (94867).

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::card;
use crate::simulate::wecom::content;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const SEND: &str = "message/send";

/// Most recipients.
const MEMBERS_MAX: usize = 1_000;

/// Seconds within which a repetition is not delivered: unless told otherwise, and at most.
const REPEAT_SECONDS: i64 = 1_800;
const REPEAT_SECONDS_MAX: i64 = 14_400;

/// Messages to one member in a minute; more are dropped without a word.
const MINUTE_MAX: usize = 30;

/// For so long a message can be taken back.
const RECALL: SignedDuration = SignedDuration::from_hours(24);

/// Files that can be kept from being forwarded.
const SAFE_FILES: [&str; 14] =
    ["txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp", "gif"];

/// Fields of every type.
const COMMON: [&str; 9] = [
    "touser",
    "toparty",
    "totag",
    "msgtype",
    "agentid",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
    "duplicate_check_interval",
];

pub(super) fn send(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(SEND, body);
    let kind = fields.text("msgtype", 40_008)?;
    let own = COMMON.iter().copied().chain([kind]).collect::<Vec<_>>();
    fields.known(&own, &mut world.ledger);
    let agent_id = fields.number_if_any("agentid")?.ok_or_else(|| Refusal::new(41_011, "missing agentid"))?;
    let Some(meant) = world.plan.apps.iter().position(|own| own.agent_id == agent_id) else {
        return Err(Refusal::new(40_056, "invalid agentid"));
    };
    if meant != app {
        return Err(Refusal::new(301_002, "not allow to access app of another token"));
    }
    let message = match kind {
        "template_card" => card::fresh(world, app, &fields.object(kind)?, now)?,
        _ => content::for_member(world, &fields, kind, now)?,
    };
    accept_safe(world, &fields, kind, &message)?;
    let recipients = fields.text("touser", 82_001)?;
    let named: Vec<String> = recipients.split('|').map(str::to_lowercase).collect();
    if named.len() > MEMBERS_MAX {
        return Err(Refusal::new(40_032, "invalid userid list length"));
    }
    let everybody = recipients == "@all";
    if everybody && kind == "miniprogram_notice" {
        return Err(Refusal::new(40_058, "a miniprogram_notice cannot go to @all"));
    }
    let (valid, invalid): (Vec<String>, Vec<String>) = if everybody {
        (world.plan.members.clone(), Vec::new())
    } else {
        named.into_iter().partition(|id| world.plan.members.contains(id))
    };
    if valid.is_empty() {
        return Err(Refusal::new(81_013, "user & party & tag all invalid"));
    }
    let mut answer = json!({ "msgid": world.id("msg") });
    if !invalid.is_empty() {
        answer["invaliduser"] = json!(invalid.join("|"));
    }
    if is_repetition(world, &fields, body, now)? {
        return Ok(answer);
    }
    if let Some(code) = card::sent(world, &message, now) {
        answer["response_code"] = json!(code);
    }
    let id = answer["msgid"].as_str().unwrap_or_default().to_owned();
    world.recallable.insert(id, now);
    for member in valid {
        let pace = world.pace.entry((agent_id, member.clone())).or_default();
        pace.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
        if pace.len() >= MINUTE_MAX {
            world.ledger.breaks(SEND, format!("more than {MINUTE_MAX} messages a minute to one member"));
            continue;
        }
        pace.push(now);
        world.arrives(&member, "app", &message, now);
    }
    Ok(answer)
}

/// Whether the same request was delivered of late, and asks not to be delivered again.
fn is_repetition(
    world: &mut World,
    fields: &Fields<'_>,
    body: &Value,
    now: Timestamp,
) -> Result<bool, Refusal> {
    if fields.number_if_any("enable_duplicate_check")? != Some(1) {
        return Ok(false);
    }
    let seconds = fields.number_if_any("duplicate_check_interval")?.unwrap_or(REPEAT_SECONDS);
    if !(1..=REPEAT_SECONDS_MAX).contains(&seconds) {
        return Err(Refusal::new(40_058, "duplicate_check_interval out of range"));
    }
    let known = world.repeats.get(&body.to_string()).is_some_and(|until| *until > now);
    if !known {
        world.repeats.insert(body.to_string(), now + SignedDuration::from_secs(seconds));
    }
    Ok(known)
}

/// Checks who may forward the message, and whether its type can be told so.
fn accept_safe(world: &mut World, fields: &Fields<'_>, kind: &str, message: &Value) -> Result<(), Refusal> {
    let safe = fields.number_if_any("safe")?.unwrap_or_default();
    match (safe, kind) {
        (0, _) | (1, "text" | "image" | "video" | "file" | "mpnews") | (2, "mpnews") => {}
        (1, _) => world.ledger.breaks(SEND, format!("safe is not for {kind}")),
        _ => return Err(Refusal::new(40_058, format!("safe {safe} is not possible for {kind}"))),
    }
    let filename = message["filename"].as_str().unwrap_or_default().to_lowercase();
    let suffix = filename.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    if safe == 1 && kind == "file" && !SAFE_FILES.contains(&suffix) {
        return Err(Refusal::new(40_058, format!("safe 1 is not possible for a file {filename}")));
    }
    Ok(())
}

/// Source: 获取应用 (path 90227).
pub(super) fn agent(world: &World, app: usize, agent_id: Option<&str>) -> Result<Value, Refusal> {
    let agent_id = agent_id.ok_or_else(|| Refusal::new(41_011, "missing agentid"))?;
    let own = &world.plan.apps[app];
    if agent_id != own.agent_id.to_string() {
        return Err(Refusal::new(301_002, "not allow to access app of another token"));
    }
    let users: Vec<Value> = world.plan.members.iter().map(|id| json!({ "userid": id })).collect();
    Ok(json!({ "agentid": own.agent_id, "name": own.name, "allow_userinfos": { "user": users } }))
}

pub(super) fn recall(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new("message/recall", body);
    fields.known(&["msgid"], &mut world.ledger);
    let id = fields.text("msgid", 40_058)?;
    match world.recallable.get(id) {
        Some(at) if now.duration_since(*at) <= RECALL => Ok(json!({})),
        Some(_) => Err(Refusal::new(42_052, "recall time expired")),
        None => Err(Refusal::new(40_058, "invalid msgid")),
    }
}
