//! 客户联系: members, their customers, tags, groups and what passes between them.
//!
//! What the interface does calls nobody back; what people do in their clients, played below `/_sim/`, does. Where the
//! developer centre leaves a code open, the nearest of its global table is taken. Sources: paths 92130 (events),
//! 92228, 92137, 92113 to 92118, 92229, 92120, 92122, 92125, 94088.

mod attachment;
pub(super) mod control;
mod group;
mod relation;
mod tag;
#[cfg(test)]
mod tests;
mod transfer;
mod way;
mod welcome;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Parameters;
use crate::simulate::wecom::callback::Parcel;
use crate::simulate::wecom::external::group::Chat;
use crate::simulate::wecom::external::group::JoinWay;
use crate::simulate::wecom::external::relation::Customer;
use crate::simulate::wecom::external::relation::Relation;
use crate::simulate::wecom::external::tag::TagGroup;
use crate::simulate::wecom::external::transfer::Transfer;
use crate::simulate::wecom::external::way::Way;
use crate::simulate::wecom::external::welcome::Welcome;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

/// Ways of contact and of joining that a company may have.
const WAYS_MAX: usize = 500_000;

/// All that is known of members and customers.
pub(super) struct External {
    ways: BTreeMap<String, Way>,
    join_ways: BTreeMap<String, JoinWay>,
    /// Most of both.
    ways_max: usize,
    customers: BTreeMap<String, Customer>,
    /// By member and customer.
    relations: BTreeMap<(String, String), Relation>,
    /// Customers who asked a member and wait for their word; the `state` they came with, and the words at its end.
    waiting: BTreeMap<(String, String), way::Scan>,
    welcomes: BTreeMap<String, Welcome>,
    /// Members for whom the console has a welcome of its own.
    greeted: BTreeSet<String>,
    /// Members who have left the company.
    resigned: BTreeSet<String>,
    tag_groups: Vec<TagGroup>,
    chats: BTreeMap<String, Chat>,
    transfers: Vec<Transfer>,
}

impl Default for External {
    fn default() -> Self {
        Self {
            ways: BTreeMap::new(),
            join_ways: BTreeMap::new(),
            ways_max: WAYS_MAX,
            customers: BTreeMap::new(),
            relations: BTreeMap::new(),
            waiting: BTreeMap::new(),
            welcomes: BTreeMap::new(),
            greeted: BTreeSet::new(),
            resigned: BTreeSet::new(),
            tag_groups: Vec::new(),
            chats: BTreeMap::new(),
            transfers: Vec::new(),
        }
    }
}

/// One request below `externalcontact/`; `None` where there is no such endpoint.
pub(super) fn carry_out(
    world: &mut World,
    app: usize,
    name: &str,
    parameters: &Parameters,
    body: &Value,
    now: Timestamp,
) -> Result<Option<Value>, Refusal> {
    if !world.plan.contacts.contains(&world.plan.apps[app].name) {
        return Err(Refusal::new(48_002, "api forbidden: the app is not listed under 客户联系"));
    }
    settle(world);
    Ok(Some(match name {
        "add_contact_way" => way::add(world, body, now)?,
        "get_contact_way" => way::get(world, body, now)?,
        "list_contact_way" => way::list(world, body)?,
        "update_contact_way" => way::update(world, body, now)?,
        "del_contact_way" => way::delete(world, body, now)?,
        "close_temp_chat" => way::close(world, body, now)?,
        "send_welcome_msg" => welcome::send(world, app, body, now)?,
        "get_follow_user_list" => json!({ "follow_user": relation::followers(world) }),
        "list" => relation::list(world, parameters.userid.as_deref())?,
        "get" => relation::get(world, parameters.external_userid.as_deref(), parameters.cursor.as_deref())?,
        "batch/get_by_user" => relation::batch(world, body)?,
        "remark" => relation::remark(world, body)?,
        "get_corp_tag_list" => tag::list(world, body)?,
        "add_corp_tag" => tag::add(world, app, body, now)?,
        "edit_corp_tag" => tag::edit(world, app, body)?,
        "del_corp_tag" => tag::delete(world, app, body)?,
        "mark_tag" => tag::mark(world, body)?,
        "groupchat/add_join_way" => group::add_way(world, body)?,
        "groupchat/get_join_way" => group::get_way(world, body)?,
        "groupchat/update_join_way" => group::update_way(world, body)?,
        "groupchat/del_join_way" => group::delete_way(world, body)?,
        "groupchat/list" => group::list(world, body)?,
        "groupchat/get" => group::get(world, body)?,
        "transfer_customer" => transfer::begin(world, transfer::Leave::InService, body, now)?,
        "transfer_result" => transfer::result(world, transfer::Leave::InService, body)?,
        "resigned/transfer_customer" => transfer::begin(world, transfer::Leave::Resigned, body, now)?,
        "resigned/transfer_result" => transfer::result(world, transfer::Leave::Resigned, body)?,
        _ => return Ok(None),
    }))
}

/// Does what was to happen by itself until now.
pub(super) fn settle(world: &mut World) {
    let now = world.now();
    transfer::settle(world, now);
}

/// Tells the apps that may hear of it what somebody did in a client.
fn tells(world: &mut World, event: &str, inner: &str, now: Timestamp) {
    let inner = format!("{}{inner}", element("Event", event));
    for app in world.plan.contacts.clone() {
        world.parcels.push_back(Parcel::Contact { app, at: now.as_second(), inner: inner.clone() });
    }
}

/// Tells of a change between a member and a customer.
fn tells_of_contact(
    world: &mut World,
    change: &str,
    (member, customer): (&str, &str),
    more: &str,
    now: Timestamp,
) {
    let inner =
        [element("ChangeType", change), element("UserID", member), element("ExternalUserID", customer)];
    tells(world, "change_external_contact", &format!("{}{more}", inner.concat()), now);
}

fn element(name: &str, value: &str) -> String {
    format!("<{name}><![CDATA[{}]]></{name}>", value.replace("]]>", "]]]]><![CDATA[>"))
}

impl World {
    /// A member by a UserID in any case.
    fn member(&self, id: &str) -> Option<String> {
        let id = id.to_lowercase();
        self.plan.members.contains(&id).then_some(id)
    }

    /// The member that a field names.
    fn member_of(&self, fields: &Fields<'_>, name: &str) -> Result<String, Refusal> {
        let id = fields.text(name, 41_009)?;
        self.member(id).ok_or_else(|| Refusal::new(40_003, format!("invalid {name}")))
    }

    /// The member and the customer whom a request names, who must know each other.
    fn pair_of(&self, fields: &Fields<'_>) -> Result<(String, String), Refusal> {
        let member = self.member_of(fields, "userid")?;
        let customer = fields.text("external_userid", 40_096)?;
        if !self.external.customers.contains_key(customer) {
            return Err(Refusal::new(40_096, "invalid external userid"));
        }
        let pair = (member, customer.to_owned());
        if self.external.relations.contains_key(&pair) {
            return Ok(pair);
        }
        Err(Refusal::new(84_061, "not external contact"))
    }
}

/// The place that a page begins at, and how long it is.
struct Page {
    from: usize,
    limit: usize,
}

impl Page {
    /// Reads `cursor` and `limit`.
    fn read(fields: &Fields<'_>, default: i64, limit_max: i64) -> Result<Self, Refusal> {
        let limit = fields.number_if_any("limit")?.unwrap_or(default);
        if !(1..=limit_max).contains(&limit) {
            return Err(Refusal::new(40_058, format!("limit {limit} is not in 1 to {limit_max}")));
        }
        Self::at(fields.words_if_any("cursor")?, limit as usize)
    }

    fn at(cursor: Option<&str>, limit: usize) -> Result<Self, Refusal> {
        let from = match cursor.filter(|cursor| !cursor.is_empty()) {
            None => 0,
            Some(cursor) => cursor
                .strip_prefix("page")
                .and_then(|place| place.parse().ok())
                .ok_or_else(|| Refusal::new(40_058, "invalid cursor"))?,
        };
        Ok(Self { from, limit })
    }

    /// The items of the page, and the cursor of the next; an empty one at the end.
    fn cut(self, items: Vec<Value>) -> (Vec<Value>, String) {
        let end = self.from.saturating_add(self.limit);
        let next = if end < items.len() { format!("page{end}") } else { String::new() };
        (items.into_iter().skip(self.from).take(self.limit).collect(), next)
    }
}
