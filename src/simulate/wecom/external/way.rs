//! 联系我: codes through which customers come to members. Source: WeCom developer centre, path 92228.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::Page;
use crate::simulate::wecom::external::attachment;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const ADD: &str = "externalcontact/add_contact_way";
const GET: &str = "externalcontact/get_contact_way";
const LIST: &str = "externalcontact/list_contact_way";
const UPDATE: &str = "externalcontact/update_contact_way";
const DELETE: &str = "externalcontact/del_contact_way";
const CLOSE: &str = "externalcontact/close_temp_chat";

/// Members behind one way.
const MEMBERS_MAX: usize = 100;

/// Characters of `remark` and of `state`.
const WORDS_CHARS_MAX: usize = 30;

/// Seconds of a temporary way, and of a talk through it: unless told otherwise, and at most.
const WAY_SECONDS: i64 = 7 * 86_400;
const TALK_SECONDS: i64 = 86_400;
const SECONDS_MAX: i64 = 14 * 86_400;

/// Root of the departments: everybody. The company that is played has no other.
const EVERYBODY: i64 = 1;

/// What can be changed afterwards.
const CHANGEABLE: [&str; 10] = [
    "remark",
    "skip_verify",
    "style",
    "state",
    "user",
    "party",
    "expires_in",
    "chat_expires_in",
    "unionid",
    "conclusions",
];

/// What stays as it was made.
const FIXED: [&str; 5] = ["type", "scene", "is_temp", "is_exclusive", "mark_source"];

/// A way of contact.
pub(super) struct Way {
    /// How many came before.
    number: usize,
    made: Timestamp,
    /// As it is shown to whoever asks.
    shown: Value,
    members: Vec<String>,
    n_scans: usize,
}

/// What comes of scanning a way.
pub(super) struct Scan {
    pub(super) member: String,
    pub(super) state: Option<String>,
    pub(super) add_way: i64,
    /// Whether the member has to agree first.
    pub(super) is_asked: bool,
    /// Words at the end of a temporary talk.
    pub(super) closing: Option<Value>,
}

impl Way {
    /// Whether a temporary one is used up or too old.
    fn is_over(&self, now: Timestamp) -> bool {
        let seconds = self.shown["expires_in"].as_i64().unwrap_or(WAY_SECONDS);
        self.is_temp() && (self.n_scans > 0 || self.made + SignedDuration::from_secs(seconds) <= now)
    }

    fn is_temp(&self) -> bool {
        self.shown["is_temp"] == true
    }
}

/// A customer scans a way.
pub(super) fn scan(world: &mut World, id: &str, now: Timestamp) -> Result<Scan, String> {
    let way = world.external.ways.get_mut(id).filter(|way| !way.is_over(now));
    let way = way.ok_or_else(|| format!("no way of contact is called {id}, or it is over"))?;
    let member = way.members[way.n_scans % way.members.len()].clone();
    way.n_scans += 1;
    Ok(Scan {
        member,
        state: way.shown["state"].as_str().filter(|state| !state.is_empty()).map(str::to_owned),
        add_way: 1,
        is_asked: way.shown["skip_verify"] == false,
        closing: way.is_temp().then(|| way.shown["conclusions"].clone()),
    })
}

pub(super) fn add(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(ADD, body);
    fields.known(&[&FIXED[..], &CHANGEABLE[..]].concat(), &mut world.ledger);
    let kind = one_or_two(&fields, "type", [41_037, 41_039])?;
    let scene = one_or_two(&fields, "scene", [41_038, 41_040])?;
    let is_temp = fields.flag_if_any("is_temp")?.unwrap_or(false);
    for name in ["is_exclusive", "mark_source"] {
        fields.flag_if_any(name)?;
    }
    if is_temp && kind != 1 {
        return Err(Refusal::new(40_058, "a temporary way is for one member only"));
    }
    check(world, &fields, (kind, scene), is_temp)?;
    let members = members(world, &fields, kind)?;
    let held = world.external.ways.len() + world.external.join_ways.len();
    if held >= world.external.ways_max {
        return Err(Refusal::new(41_045, "contact way count limit"));
    }
    let id = world.id("way");
    let mut shown = json!({
        "config_id": id, "type": kind, "scene": scene, "style": 1, "remark": "", "skip_verify": true, "state": "",
        "user": [], "party": [], "is_temp": is_temp, "is_exclusive": false, "mark_source": true,
    });
    if is_temp {
        shown["expires_in"] = json!(WAY_SECONDS);
        shown["chat_expires_in"] = json!(TALK_SECONDS);
    }
    let mut answer = json!({ "config_id": id });
    if scene == 2 {
        shown["qr_code"] = json!(format!("https://wework.qpic.cn/wwpic/{id}"));
        answer["qr_code"] = shown["qr_code"].clone();
    }
    overlay(&mut shown, body);
    let number = world.external.ways.values().map(|way| way.number + 1).max().unwrap_or_default();
    world.external.ways.insert(id, Way { number, made: now, shown, members, n_scans: 0 });
    Ok(answer)
}

pub(super) fn get(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(GET, body);
    fields.known(&["config_id"], &mut world.ledger);
    let mut shown = own(world, &fields, now)?.shown.clone();
    if let Some(image) = shown.pointer_mut("/conclusions/image") {
        *image = json!({ "pic_url": format!("https://wework.qpic.cn/{}", image["media_id"].as_str().unwrap_or_default()) });
    }
    Ok(json!({ "contact_way": shown }))
}

pub(super) fn list(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(LIST, body);
    fields.known(&["start_time", "end_time", "cursor", "limit"], &mut world.ledger);
    let from = fields.number_if_any("start_time")?.unwrap_or(i64::MIN);
    let to = fields.number_if_any("end_time")?.unwrap_or(i64::MAX);
    if from > to {
        return Err(Refusal::new(40_058, "start_time is after end_time"));
    }
    let page = Page::read(&fields, 100, 1_000)?;
    let ways = world.external.ways.values();
    let mut ways: Vec<&Way> =
        ways.filter(|way| !way.is_temp() && (from..=to).contains(&way.made.as_second())).collect();
    ways.sort_by_key(|way| way.number);
    let ids = ways.iter().map(|way| json!({ "config_id": way.shown["config_id"] }));
    let (ids, next) = page.cut(ids.collect());
    Ok(json!({ "contact_way": ids, "next_cursor": next }))
}

pub(super) fn update(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(UPDATE, body);
    fields.known(&[&["config_id"][..], &CHANGEABLE[..]].concat(), &mut world.ledger);
    let way = own(world, &fields, now)?;
    let kind_of = |name: &str| way.shown[name].as_i64().unwrap_or_default();
    let (kind, scene, is_temp) = (kind_of("type"), kind_of("scene"), way.is_temp());
    check(world, &fields, (kind, scene), is_temp)?;
    let mut members_now = None;
    if fields.has("user") || fields.has("party") {
        members_now = Some(members(world, &fields, kind)?);
    }
    let way = own(world, &fields, now)?;
    if let Some(members) = members_now {
        // The lists that were not sent are replaced as well: by nothing.
        (way.shown["user"], way.shown["party"]) = (json!([]), json!([]));
        way.members = members;
    }
    overlay(&mut way.shown, body);
    Ok(json!({}))
}

pub(super) fn delete(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(DELETE, body);
    fields.known(&["config_id"], &mut world.ledger);
    own(world, &fields, now)?;
    world.external.ways.remove(fields.text("config_id", 41_043)?);
    Ok(json!({}))
}

pub(super) fn close(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(CLOSE, body);
    fields.known(&["userid", "external_userid"], &mut world.ledger);
    let pair = world.pair_of(&fields)?;
    let relation = world.external.relations.get_mut(&pair);
    let closing = relation.and_then(|relation| relation.closing.take());
    let closing = closing.ok_or_else(|| Refusal::new(40_058, "no temporary talk"))?;
    let (member, customer) = pair;
    if let Some(words) = closing.pointer("/text/content") {
        world.arrives(&customer, &member, &json!({ "msgtype": "text", "content": words }), now);
    }
    // Of several the first in this order is sent.
    let shown = ["image", "link", "miniprogram"].into_iter().find(|kind| !closing[*kind].is_null());
    if let Some(kind) = shown {
        let message = attachment::read(&Fields::new(CLOSE, &closing), kind, &mut world.ledger)?;
        world.arrives(&customer, &member, &message, now);
    }
    Ok(json!({}))
}

fn own<'w>(world: &'w mut World, fields: &Fields<'_>, now: Timestamp) -> Result<&'w mut Way, Refusal> {
    let id = fields.text("config_id", 41_043)?;
    let way = world.external.ways.get_mut(id).filter(|way| !way.is_over(now));
    way.ok_or_else(|| Refusal::new(41_044, "invalid contact way config_id"))
}

/// A number that is 1 or 2, with the codes for its absence and for another.
pub(super) fn one_or_two(
    fields: &Fields<'_>,
    name: &str,
    [missing, wrong]: [i64; 2],
) -> Result<i64, Refusal> {
    match fields.number_if_any(name)? {
        None => Err(Refusal::new(missing, format!("missing {name}"))),
        Some(number @ (1 | 2)) => Ok(number),
        Some(number) => Err(Refusal::new(wrong, format!("{name} {number} is neither 1 nor 2"))),
    }
}

/// What holds for a new way and for a changed one.
fn check(
    world: &mut World,
    fields: &Fields<'_>,
    (kind, scene): (i64, i64),
    is_temp: bool,
) -> Result<(), Refusal> {
    let styles_max = if kind == 1 { 3 } else { 2 };
    let style = fields.number_if_any("style")?;
    if scene == 1 && style.is_some_and(|style| !(1..=styles_max).contains(&style)) {
        return Err(Refusal::new(41_042, format!("style is not in 1 to {styles_max}")));
    }
    for name in ["remark", "state"] {
        fields.chars_within(name, fields.words_if_any(name)?.unwrap_or_default(), WORDS_CHARS_MAX)?;
    }
    fields.flag_if_any("skip_verify")?;
    fields.words_if_any("unionid")?;
    for name in ["expires_in", "chat_expires_in"] {
        let seconds = fields.number_if_any(name)?;
        if seconds.is_some_and(|seconds| !(1..=SECONDS_MAX).contains(&seconds)) {
            return Err(Refusal::new(40_058, format!("{name} is not in 1 to {SECONDS_MAX} seconds")));
        }
    }
    if !is_temp {
        let idle = ["expires_in", "chat_expires_in", "unionid", "conclusions"];
        for name in idle.into_iter().filter(|name| fields.has(name)) {
            world.ledger.breaks(ADD, format!("{name} says nothing of a way that is not temporary"));
        }
    }
    if !fields.has("conclusions") {
        return Ok(());
    }
    let words = fields.object("conclusions")?;
    words.known(&["text", "image", "link", "miniprogram"], &mut world.ledger);
    attachment::text(&words, &mut world.ledger)?;
    let others = ["image", "link", "miniprogram"].into_iter().filter(|kind| words.has(kind));
    for (place, kind) in others.enumerate() {
        attachment::read(&words, kind, &mut world.ledger)?;
        if place > 0 {
            world
                .ledger
                .breaks(ADD, format!("{kind} of the conclusions is never sent: another goes before it"));
        }
    }
    Ok(())
}

/// The members behind a way.
fn members(world: &World, fields: &Fields<'_>, kind: i64) -> Result<Vec<String>, Refusal> {
    let named = fields.texts_if_any("user")?.into_iter().map(|id| {
        world.member(id).ok_or_else(|| Refusal::new(40_003, "user names nobody in the visible range"))
    });
    let mut members: Vec<String> = named.collect::<Result<_, _>>()?;
    let parties = if fields.has("party") { fields.list("party")? } else { &[] };
    if kind == 1 && !parties.is_empty() {
        return Err(Refusal::new(40_058, "party is for a way of several members"));
    }
    for party in parties {
        if party.as_i64() != Some(EVERYBODY) {
            return Err(Refusal::new(40_058, format!("party {party} is none")));
        }
        members.extend(world.plan.members.iter().cloned());
    }
    members.sort_unstable();
    members.dedup();
    if members.is_empty() {
        return Err(Refusal::new(41_009, "missing user"));
    }
    if kind == 1 && members.len() != 1 {
        return Err(Refusal::new(40_058, "a way of one member names exactly one"));
    }
    if members.len() > MEMBERS_MAX {
        let told = format!("{} members behind one way, at most {MEMBERS_MAX}", members.len());
        return Err(Refusal::new(41_041, told));
    }
    Ok(members)
}

/// Writes what was sent over what was there.
fn overlay(shown: &mut Value, body: &Value) {
    for name in CHANGEABLE.into_iter().chain(["is_exclusive", "mark_source"]) {
        if !body[name].is_null() {
            shown[name] = body[name].clone();
        }
    }
}
