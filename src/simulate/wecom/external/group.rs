//! Groups of customers, and the codes through which they join. Sources: WeCom developer centre, paths 92229, 92120, 92122.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::Page;
use crate::simulate::wecom::external::element;
use crate::simulate::wecom::external::tells;
use crate::simulate::wecom::external::way;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const ADD: &str = "externalcontact/groupchat/add_join_way";
const GET_WAY: &str = "externalcontact/groupchat/get_join_way";
const UPDATE: &str = "externalcontact/groupchat/update_join_way";
const DELETE: &str = "externalcontact/groupchat/del_join_way";
const LIST: &str = "externalcontact/groupchat/list";
const GET: &str = "externalcontact/groupchat/get";

/// Groups behind one way.
const CHATS_MAX: usize = 5;

/// People in one group.
const PEOPLE_MAX: usize = 200;

/// Members in the visible range whose groups can be listed without naming owners.
const RANGE_MAX: usize = 1_000;

/// Owners of one filter.
const OWNERS_MAX: usize = 100;

/// Longest `remark`, which is cut, `state` and `room_base_name`.
const REMARK_CHARS_MAX: usize = 30;
const STATE_CHARS_MAX: usize = 30;
const NAME_CHARS_MAX: usize = 40;

/// A group.
pub(super) struct Chat {
    name: String,
    owner: String,
    notice: String,
    made: Timestamp,
    people: Vec<Person>,
    version: String,
}

struct Person {
    id: String,
    /// A customer, not a member.
    is_external: bool,
    joined: Timestamp,
    /// 1 invited, 3 scanned the code.
    scene: i64,
    state: Option<String>,
}

/// A way of joining.
pub(super) struct JoinWay {
    /// As it is shown to whoever asks.
    shown: Value,
    chats: Vec<String>,
    makes_rooms: bool,
    n_rooms: i64,
}

/// What somebody changes on a group in the client.
pub(super) enum Change {
    Name(String),
    Notice(String),
    Owner(String),
}

impl Person {
    fn shown(&self, owner: &str, is_named: bool) -> Value {
        let kind = if self.is_external { 2 } else { 1 };
        let mut shown = json!({
            "userid": self.id, "type": kind, "join_time": self.joined.as_second(), "join_scene": self.scene,
            "group_nickname": "",
        });
        if self.scene == 1 {
            shown["invitor"] = json!({ "userid": owner });
        }
        if is_named {
            shown["name"] = json!(self.id);
        }
        if let Some(state) = &self.state {
            shown["state"] = json!(state);
        }
        shown
    }
}

pub(super) fn add_way(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(ADD, body);
    let mut way = read_way(world, ADD, &fields)?;
    if world.external.ways.len() + world.external.join_ways.len() >= world.external.ways_max {
        return Err(Refusal::new(41_045, "contact way count limit"));
    }
    let id = world.id("join");
    way.shown["config_id"] = json!(id);
    way.shown["qr_code"] = json!(format!("https://wework.qpic.cn/wwpic/{id}"));
    world.external.join_ways.insert(id.clone(), way);
    Ok(json!({ "config_id": id }))
}

pub(super) fn get_way(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(GET_WAY, body);
    fields.known(&["config_id"], &mut world.ledger);
    let way = own_way(world, &fields)?;
    let mut shown = way.shown.clone();
    shown["chat_id_list"] = json!(way.chats);
    Ok(json!({ "join_way": shown }))
}

pub(super) fn update_way(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(UPDATE, body);
    own_way(world, &fields)?;
    let mut new = read_way(world, UPDATE, &fields)?;
    let way = own_way(world, &fields)?;
    for name in ["config_id", "qr_code"] {
        new.shown[name] = way.shown[name].clone();
    }
    new.n_rooms = way.n_rooms;
    *way = new;
    Ok(json!({}))
}

pub(super) fn delete_way(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(DELETE, body);
    fields.known(&["config_id"], &mut world.ledger);
    own_way(world, &fields)?;
    world.external.join_ways.remove(fields.text("config_id", 41_043)?);
    Ok(json!({}))
}

fn own_way<'w>(world: &'w mut World, fields: &Fields<'_>) -> Result<&'w mut JoinWay, Refusal> {
    let id = fields.text("config_id", 41_043)?;
    let way = world.external.join_ways.get_mut(id);
    way.ok_or_else(|| Refusal::new(41_044, "invalid join way config_id"))
}

/// A way as a request describes it; what it does not say stands as the page's defaults.
fn read_way(world: &mut World, path: &'static str, fields: &Fields<'_>) -> Result<JoinWay, Refusal> {
    const NAMES: [&str; 9] = [
        "config_id",
        "scene",
        "remark",
        "auto_create_room",
        "room_base_name",
        "room_base_id",
        "chat_id_list",
        "state",
        "mark_source",
    ];
    fields.known(if path == ADD { &NAMES[1..] } else { &NAMES }, &mut world.ledger);
    let scene = way::one_or_two(fields, "scene", [41_038, 41_040])?;
    let remark = fields.words_if_any("remark")?.unwrap_or_default();
    if remark.chars().count() > REMARK_CHARS_MAX {
        world.ledger.breaks(path, format!("remark is cut to {REMARK_CHARS_MAX} characters"));
    }
    let remark: String = remark.chars().take(REMARK_CHARS_MAX).collect();
    let makes_rooms = match fields.number_if_any("auto_create_room")? {
        None | Some(1) => true,
        Some(0) => false,
        Some(_) => return Err(Refusal::new(40_058, "auto_create_room is neither 0 nor 1")),
    };
    let name = fields.words_if_any("room_base_name")?.unwrap_or_default();
    fields.chars_within("room_base_name", name, NAME_CHARS_MAX)?;
    let state = fields.words_if_any("state")?.unwrap_or_default();
    fields.chars_within("state", state, STATE_CHARS_MAX)?;
    let mark_source = fields.flag_if_any("mark_source")?.unwrap_or(true);
    let number = fields.number_if_any("room_base_id")?.unwrap_or(1);
    let chats = fields.texts_if_any("chat_id_list")?;
    if chats.is_empty() {
        return Err(Refusal::new(40_063, "missing chat_id_list"));
    }
    if chats.len() > CHATS_MAX {
        return Err(Refusal::new(
            41_091,
            format!("{} groups behind one way, at most {CHATS_MAX}", chats.len()),
        ));
    }
    if chats.iter().any(|id| !world.external.chats.contains_key(*id)) {
        return Err(Refusal::new(90_501, "chat_id_list names what is no customer group"));
    }
    let shown = json!({
        "scene": scene, "remark": remark, "auto_create_room": i64::from(makes_rooms), "room_base_name": name,
        "room_base_id": number, "state": state, "mark_source": mark_source,
    });
    Ok(JoinWay { shown, chats: chats.into_iter().map(str::to_owned).collect(), makes_rooms, n_rooms: 0 })
}

pub(super) fn list(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(LIST, body);
    fields.known(&["status_filter", "owner_filter", "cursor", "limit"], &mut world.ledger);
    let status = fields.number_if_any("status_filter")?.unwrap_or_default();
    if !(0..=3).contains(&status) {
        return Err(Refusal::new(40_058, "status_filter is not in 0 to 3"));
    }
    if !fields.has("limit") {
        return Err(Refusal::new(40_058, "missing limit"));
    }
    let page = Page::read(&fields, 1, 1_000)?;
    let mut owners = Vec::new();
    if fields.has("owner_filter") {
        let filter = fields.object("owner_filter")?;
        filter.known(&["userid_list"], &mut world.ledger);
        let ids = filter.texts_if_any("userid_list")?;
        if ids.len() > OWNERS_MAX {
            return Err(Refusal::new(40_032, format!("{} owners, at most {OWNERS_MAX}", ids.len())));
        }
        for id in ids {
            owners.push(world.member(id).ok_or_else(|| Refusal::new(40_003, "invalid userid"))?);
        }
    }
    if owners.is_empty() && world.plan.members.len() > RANGE_MAX {
        return Err(Refusal::new(81_017, "too many members in range; name the owners"));
    }
    let external = &world.external;
    let all = external.chats.iter().filter(|(_, chat)| owners.is_empty() || owners.contains(&chat.owner));
    let listed = all.filter_map(|(id, chat)| {
        // Of the standings of an inheritance only the first is played.
        let own = i64::from(external.resigned.contains(&chat.owner));
        (status == 0 || own == status).then(|| json!({ "chat_id": id, "status": own }))
    });
    let (listed, next) = page.cut(listed.collect());
    Ok(json!({ "group_chat_list": listed, "next_cursor": next }))
}

pub(super) fn get(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(GET, body);
    fields.known(&["chat_id", "need_name"], &mut world.ledger);
    let id = fields.text("chat_id", 40_063)?;
    let is_named = fields.number_if_any("need_name")? == Some(1);
    let chat = world.external.chats.get(id).ok_or_else(|| Refusal::new(90_501, "not a customer group"))?;
    let people = chat.people.iter().map(|person| person.shown(&chat.owner, is_named));
    Ok(json!({ "group_chat": {
        "chat_id": id, "name": chat.name, "owner": chat.owner, "create_time": chat.made.as_second(),
        "notice": chat.notice, "member_list": people.collect::<Vec<_>>(), "admin_list": [],
        "member_version": chat.version,
    }}))
}

/// A member makes a group in the client.
pub(super) fn make(world: &mut World, name: &str, owner: &str, now: Timestamp) -> String {
    let (id, version) = (world.id("wr"), world.id("version"));
    let first = Person { id: owner.to_owned(), is_external: false, joined: now, scene: 1, state: None };
    let chat = Chat {
        name: name.to_owned(),
        owner: owner.to_owned(),
        notice: String::new(),
        made: now,
        people: vec![first],
        version,
    };
    world.external.chats.insert(id.clone(), chat);
    told(world, &id, "create", "", now);
    id
}

/// A customer scans a way of joining.
///
/// * Returns the group that they are in now.
pub(super) fn join(world: &mut World, id: &str, customer: &str, now: Timestamp) -> Result<String, String> {
    let way = world.external.join_ways.get(id).ok_or_else(|| format!("no way of joining is called {id}"))?;
    let state = way.shown["state"].as_str().filter(|state| !state.is_empty()).map(str::to_owned);
    let chats = &world.external.chats;
    let known = |chat: &&String| chats.contains_key(chat.as_str());
    let is_inside = |chat: &&String| chats[chat.as_str()].people.iter().any(|one| one.id == customer);
    if let Some(chat) = way.chats.iter().filter(known).find(is_inside) {
        return Ok(chat.clone());
    }
    let has_room = |chat: &&String| chats[chat.as_str()].people.len() < PEOPLE_MAX;
    let chat = match way.chats.iter().filter(known).find(has_room) {
        Some(chat) => chat.clone(),
        None if way.makes_rooms && way.chats.len() < CHATS_MAX => next_room(world, id, now)?,
        None => return Err(format!("all groups of {id} are full")),
    };
    let versions = change_people(world, &chat, |people| {
        let id = customer.to_owned();
        people.push(Person { id, is_external: true, joined: now, scene: 3, state });
    })?;
    people_changed(world, &chat, ("add_member", "JoinScene", 3), customer, versions, now);
    Ok(chat)
}

/// Makes the group that takes those who find the others full.
fn next_room(world: &mut World, id: &str, now: Timestamp) -> Result<String, String> {
    let way =
        world.external.join_ways.get_mut(id).ok_or_else(|| format!("no way of joining is called {id}"))?;
    let number = way.shown["room_base_id"].as_i64().unwrap_or(1) + way.n_rooms;
    way.n_rooms += 1;
    let name = format!("{}{number}", way.shown["room_base_name"].as_str().unwrap_or_default());
    let first = way.chats.first().and_then(|chat| world.external.chats.get(chat));
    let owner = first.map(|chat| chat.owner.clone()).ok_or_else(|| format!("{id} has no group left"))?;
    let chat = make(world, &name, &owner, now);
    if let Some(way) = world.external.join_ways.get_mut(id) {
        way.chats.push(chat.clone());
    }
    Ok(chat)
}

/// A customer leaves a group, or is sent away.
///
/// * `scene`: 0 left, 1 sent away.
pub(super) fn leave(
    world: &mut World,
    chat: &str,
    customer: &str,
    scene: i64,
    now: Timestamp,
) -> Result<(), String> {
    let inside =
        world.external.chats.get(chat).is_some_and(|chat| chat.people.iter().any(|one| one.id == customer));
    if !inside {
        return Err(format!("{customer} is not in {chat}"));
    }
    let versions = change_people(world, chat, |people| people.retain(|one| one.id != customer))?;
    people_changed(world, chat, ("del_member", "QuitScene", scene), customer, versions, now);
    Ok(())
}

/// The versions of the list before and after.
fn change_people(
    world: &mut World,
    id: &str,
    change: impl FnOnce(&mut Vec<Person>),
) -> Result<[String; 2], String> {
    let next = world.id("version");
    let chat = world.external.chats.get_mut(id).ok_or_else(|| format!("no group is called {id}"))?;
    change(&mut chat.people);
    Ok([std::mem::replace(&mut chat.version, next.clone()), next])
}

fn people_changed(
    world: &mut World,
    chat: &str,
    (detail, scene_name, scene): (&str, &str, i64),
    who: &str,
    [last, current]: [String; 2],
    now: Timestamp,
) {
    let inner = format!(
        "{}<{scene_name}>{scene}</{scene_name}><MemChangeCnt>1</MemChangeCnt><MemChangeList>{}</MemChangeList>{}{}",
        element("UpdateDetail", detail),
        element("Item", who),
        element("LastMemVer", &last),
        element("CurMemVer", &current),
    );
    told(world, chat, "update", &inner, now);
}

/// Somebody changes a group in the client.
pub(super) fn change(world: &mut World, id: &str, change: Change, now: Timestamp) -> Result<(), String> {
    let chat = world.external.chats.get_mut(id).ok_or_else(|| format!("no group is called {id}"))?;
    let detail = match change {
        Change::Name(name) => {
            chat.name = name;
            "change_name"
        }
        Change::Notice(notice) => {
            chat.notice = notice;
            "change_notice"
        }
        Change::Owner(owner) => {
            chat.owner = owner;
            "change_owner"
        }
    };
    told(world, id, "update", &element("UpdateDetail", detail), now);
    Ok(())
}

/// The owner dissolves a group.
pub(super) fn dismiss(world: &mut World, id: &str, now: Timestamp) -> Result<(), String> {
    world.external.chats.remove(id).ok_or_else(|| format!("no group is called {id}"))?;
    told(world, id, "dismiss", "", now);
    Ok(())
}

fn told(world: &mut World, chat: &str, change: &str, more: &str, now: Timestamp) {
    let inner = format!("{}{}{more}", element("ChatId", chat), element("ChangeType", change));
    tells(world, "change_external_chat", &inner, now);
}
