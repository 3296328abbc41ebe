//! Tags of the company. Sources: WeCom developer centre, 企业标签库 (path 92117), 编辑客户企业标签 (92118).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::element;
use crate::simulate::wecom::external::tells;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const LIST: &str = "externalcontact/get_corp_tag_list";
const ADD: &str = "externalcontact/add_corp_tag";
const EDIT: &str = "externalcontact/edit_corp_tag";
const DELETE: &str = "externalcontact/del_corp_tag";
const MARK: &str = "externalcontact/mark_tag";

/// Characters of a name.
const NAME_CHARS_MAX: usize = 30;

/// Tags of one company, and of one customer with one member.
const TAGS_MAX: usize = 10_000;
const MARKED_MAX: usize = 3_000;

/// Who made a tag, and may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// The app of that place.
    App(usize),
    /// An administrator in the console.
    Console,
}

/// A group of tags.
pub(super) struct TagGroup {
    id: String,
    name: String,
    made: Timestamp,
    order: i64,
    maker: Maker,
    tags: Vec<Tag>,
    is_deleted: bool,
}

struct Tag {
    id: String,
    name: String,
    made: Timestamp,
    order: i64,
    maker: Maker,
    is_deleted: bool,
}

impl TagGroup {
    fn live(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(|tag| !tag.is_deleted)
    }

    /// The group with those of its tags, the largest order first.
    fn shown(&self, is_wanted: impl Fn(&Tag) -> bool) -> Value {
        let mut tags: Vec<&Tag> = self.tags.iter().filter(|tag| is_wanted(tag)).collect();
        tags.sort_by_key(|tag| std::cmp::Reverse(tag.order));
        let mut shown = json!({
            "group_id": self.id, "group_name": self.name, "create_time": self.made.as_second(), "order": self.order,
            "tag": tags.into_iter().map(Tag::shown).collect::<Vec<_>>(),
        });
        if self.is_deleted {
            shown["deleted"] = json!(true);
        }
        shown
    }
}

impl Tag {
    fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id, "name": self.name, "create_time": self.made.as_second(), "order": self.order,
        });
        if self.is_deleted {
            shown["deleted"] = json!(true);
        }
        shown
    }
}

/// Tags of a customer, as `get` lists them.
pub(super) fn shown(world: &World, ids: &BTreeSet<String>) -> Value {
    let groups = world.external.tag_groups.iter();
    let tags = groups.flat_map(|group| {
        let own = group.live().filter(|tag| ids.contains(&tag.id));
        own.map(|tag| json!({ "group_name": group.name, "tag_name": tag.name, "tag_id": tag.id, "type": 1 }))
    });
    tags.collect()
}

pub(super) fn list(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(LIST, body);
    fields.known(&["tag_id", "group_id"], &mut world.ledger);
    let (tags, groups) = (fields.texts_if_any("tag_id")?, fields.texts_if_any("group_id")?);
    let all = world.external.tag_groups.iter();
    let mut listed: Vec<&TagGroup> = all
        .filter(|group| {
            if !groups.is_empty() {
                groups.contains(&group.id.as_str())
            } else if !tags.is_empty() {
                group.tags.iter().any(|tag| tags.contains(&tag.id.as_str()))
            } else {
                !group.is_deleted
            }
        })
        .collect();
    listed.sort_by_key(|group| std::cmp::Reverse(group.order));
    let shown = listed.into_iter().map(|group| {
        group.shown(|tag| {
            if !groups.is_empty() {
                true
            } else if !tags.is_empty() {
                tags.contains(&tag.id.as_str())
            } else {
                !tag.is_deleted
            }
        })
    });
    Ok(json!({ "tag_group": shown.collect::<Vec<_>>() }))
}

pub(super) fn add(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(ADD, body);
    fields.known(&["group_id", "group_name", "order", "tag", "agentid"], &mut world.ledger);
    let mut new: Vec<(&str, i64)> = Vec::new();
    for one in fields.list("tag")? {
        let own = Fields::new(ADD, one);
        own.known(&["name", "order"], &mut world.ledger);
        let name = named(own.text("name", 40_063)?)?;
        // A name that is said twice is one tag.
        if !new.iter().any(|(known, _)| *known == name) {
            new.push((name, order(&own)?.unwrap_or_default()));
        }
    }
    if new.is_empty() {
        return Err(Refusal::new(40_063, "a group without tags"));
    }
    let n_tags: usize = live(world).map(|group| group.live().count()).sum();
    if n_tags + new.len() > TAGS_MAX {
        return Err(Refusal::new(40_126, format!("more than {TAGS_MAX} tags")));
    }
    let group_name = fields.text_if_any("group_name")?.map(named).transpose()?;
    let place = match (fields.text_if_any("group_id")?, group_name) {
        (Some(id), _) => Some(place_of(world, id)?),
        (None, Some(name)) => live_place(world, |group| group.name == name),
        (None, None) => return Err(Refusal::new(40_063, "missing group_id or group_name")),
    };
    let group_order = order(&fields)?.unwrap_or_default();
    let place = match place {
        Some(place) => {
            let taken: BTreeSet<&str> =
                world.external.tag_groups[place].live().map(|tag| tag.name.as_str()).collect();
            if new.iter().any(|(name, _)| taken.contains(name)) {
                return Err(Refusal::new(40_071, "tag name already exists"));
            }
            place
        }
        None => add_group(world, group_name.unwrap_or_default(), group_order, Maker::App(app), now),
    };
    let added: BTreeSet<String> = new
        .into_iter()
        .map(|(name, order)| add_tag(world, place, (name, order), Maker::App(app), now))
        .collect();
    Ok(json!({ "tag_group": world.external.tag_groups[place].shown(|tag| added.contains(&tag.id)) }))
}

fn add_group(world: &mut World, name: &str, order: i64, maker: Maker, now: Timestamp) -> usize {
    let id = world.id("et");
    let (name, tags) = (name.to_owned(), Vec::new());
    world.external.tag_groups.push(TagGroup { id, name, made: now, order, maker, tags, is_deleted: false });
    world.external.tag_groups.len() - 1
}

fn add_tag(
    world: &mut World,
    place: usize,
    (name, order): (&str, i64),
    maker: Maker,
    now: Timestamp,
) -> String {
    let id = world.id("et");
    let tag = Tag { id: id.clone(), name: name.to_owned(), made: now, order, maker, is_deleted: false };
    world.external.tag_groups[place].tags.push(tag);
    id
}

pub(super) fn edit(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(EDIT, body);
    fields.known(&["id", "name", "order", "agentid"], &mut world.ledger);
    let id = fields.text("id", 40_063)?;
    let name = fields.text_if_any("name")?.map(named).transpose()?;
    let order = order(&fields)?;
    if let Ok(place) = place_of(world, id) {
        if name.is_some_and(|name| live(world).any(|group| group.name == name && group.id != id)) {
            return Err(Refusal::new(40_071, "tag group name already exists"));
        }
        let group = &mut world.external.tag_groups[place];
        allowed(group.maker, app)?;
        group.order = order.unwrap_or(group.order);
        if let Some(name) = name {
            name.clone_into(&mut group.name);
        }
        return Ok(json!({}));
    }
    let place = holder_of(world, id)?;
    let group = &mut world.external.tag_groups[place];
    if name.is_some_and(|name| group.live().any(|tag| tag.name == name && tag.id != id)) {
        return Err(Refusal::new(40_071, "tag name already exists"));
    }
    for tag in group.tags.iter_mut().filter(|tag| tag.id == id) {
        allowed(tag.maker, app)?;
        tag.order = order.unwrap_or(tag.order);
        if let Some(name) = name {
            name.clone_into(&mut tag.name);
        }
    }
    Ok(json!({}))
}

pub(super) fn delete(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(DELETE, body);
    fields.known(&["tag_id", "group_id", "agentid"], &mut world.ledger);
    let (tags, groups) = (fields.texts_if_any("tag_id")?, fields.texts_if_any("group_id")?);
    if tags.is_empty() && groups.is_empty() {
        return Err(Refusal::new(40_063, "neither tag_id nor group_id"));
    }
    // All are looked at before any is taken away.
    for id in &groups {
        allowed(world.external.tag_groups[place_of(world, id)?].maker, app)?;
    }
    for id in &tags {
        let group = &world.external.tag_groups[holder_of(world, id)?];
        group.live().filter(|tag| tag.id == *id).try_for_each(|tag| allowed(tag.maker, app))?;
    }
    for group in &mut world.external.tag_groups {
        let goes = groups.contains(&group.id.as_str());
        for tag in group.tags.iter_mut().filter(|tag| goes || tags.contains(&tag.id.as_str())) {
            tag.is_deleted = true;
        }
        let is_empty = group.tags.iter().all(|tag| tag.is_deleted);
        group.is_deleted = is_empty;
    }
    Ok(json!({}))
}

pub(super) fn mark(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(MARK, body);
    fields.known(&["userid", "external_userid", "add_tag", "remove_tag"], &mut world.ledger);
    let pair = world.pair_of(&fields)?;
    let (more, less) = (fields.texts_if_any("add_tag")?, fields.texts_if_any("remove_tag")?);
    if more.is_empty() && less.is_empty() {
        return Err(Refusal::new(40_063, "neither add_tag nor remove_tag"));
    }
    set(world, &pair, &more, &less)?;
    Ok(json!({}))
}

/// Puts tags on a customer, and takes some away.
pub(super) fn set(
    world: &mut World,
    pair: &(String, String),
    more: &[&str],
    less: &[&str],
) -> Result<(), Refusal> {
    for id in more.iter().chain(less) {
        holder_of(world, id)?;
    }
    let Some(relation) = world.external.relations.get_mut(pair) else {
        return Err(Refusal::new(84_061, "not external contact"));
    };
    let mut tags = relation.tags.clone();
    tags.extend(more.iter().map(|id| (*id).to_owned()));
    tags.retain(|id| !less.contains(&id.as_str()));
    if tags.len() > MARKED_MAX {
        return Err(Refusal::new(40_144, format!("more than {MARKED_MAX} tags on one customer")));
    }
    relation.tags = tags;
    Ok(())
}

/// An administrator makes a tag in the console.
pub(super) fn make(world: &mut World, group: &str, name: &str, now: Timestamp) -> Value {
    let told = |world: &mut World, id: &str, kind: &str| {
        let inner = [element("Id", id), element("TagType", kind), element("ChangeType", "create")];
        tells(world, "change_external_tag", &inner.concat(), now);
    };
    let place = match live_place(world, |own| own.name == group) {
        Some(place) => place,
        None => {
            let place = add_group(world, group, 0, Maker::Console, now);
            let id = world.external.tag_groups[place].id.clone();
            told(world, &id, "tag_group");
            place
        }
    };
    let id = add_tag(world, place, (name, 0), Maker::Console, now);
    told(world, &id, "tag");
    json!({ "group_id": world.external.tag_groups[place].id, "id": id })
}

fn live(world: &World) -> impl Iterator<Item = &TagGroup> {
    world.external.tag_groups.iter().filter(|group| !group.is_deleted)
}

fn live_place(world: &World, is_meant: impl Fn(&TagGroup) -> bool) -> Option<usize> {
    world.external.tag_groups.iter().position(|group| !group.is_deleted && is_meant(group))
}

/// The place of a group.
fn place_of(world: &World, id: &str) -> Result<usize, Refusal> {
    live_place(world, |group| group.id == id).ok_or_else(|| Refusal::new(40_068, "invalid tagid"))
}

/// The place of the group that a tag is in.
fn holder_of(world: &World, id: &str) -> Result<usize, Refusal> {
    let place = live_place(world, |group| group.live().any(|tag| tag.id == id));
    place.ok_or_else(|| Refusal::new(40_068, "invalid tagid"))
}

fn allowed(maker: Maker, app: usize) -> Result<(), Refusal> {
    if maker == Maker::App(app) {
        return Ok(());
    }
    Err(Refusal::new(60_011, "no privilege: another has made this tag"))
}

fn named(name: &str) -> Result<&str, Refusal> {
    if name.chars().count() <= NAME_CHARS_MAX {
        return Ok(name);
    }
    Err(Refusal::new(40_072, format!("a name has more than {NAME_CHARS_MAX} characters")))
}

fn order(fields: &Fields<'_>) -> Result<Option<i64>, Refusal> {
    let order = fields.number_if_any("order")?;
    if order.is_some_and(|order| u32::try_from(order).is_err()) {
        return Err(Refusal::new(40_058, "order is not in 0 to 4294967295"));
    }
    Ok(order)
}
