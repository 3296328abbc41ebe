//! What members, customers and administrators do in their clients: below `/_sim/`.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::routing::post;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Simulator;
use crate::simulate::wecom::control::Answer;
use crate::simulate::wecom::external::group;
use crate::simulate::wecom::external::group::Change;
use crate::simulate::wecom::external::relation;
use crate::simulate::wecom::external::relation::Addition;
use crate::simulate::wecom::external::relation::Customer;
use crate::simulate::wecom::external::tag;
use crate::simulate::wecom::external::tells_of_contact;
use crate::simulate::wecom::external::transfer;
use crate::simulate::wecom::external::transfer::Standing;
use crate::simulate::wecom::external::way;
use crate::simulate::wecom::external::way::Scan;
use crate::simulate::wecom::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scanning {
    config_id: Option<String>,
    /// In place of a way: the member whose own code it is.
    userid: Option<String>,
    /// `customer_channel` of a 获客链接; only with `userid`.
    state: Option<String>,
    /// The member has not agreed yet.
    #[serde(default)]
    half: bool,
    name: Option<String>,
    /// 1 with WeChat, 2 with WeCom of another company.
    #[serde(rename = "type")]
    kind: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithMember {
    userid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithCustomer {
    customer: String,
    remark: Option<String>,
    mobiles: Option<Vec<String>>,
    #[serde(default)]
    add_tag: Vec<String>,
    #[serde(default)]
    remove_tag: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Greeting {
    greets: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Joining {
    config_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaving {
    chat_id: String,
    /// By the owner or an administrator.
    #[serde(default)]
    removed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Making {
    name: String,
    owner: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Editing {
    name: Option<String>,
    notice: Option<String>,
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tagging {
    group: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failing {
    /// `refused` or `limit`.
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quota {
    max: usize,
}

/// The deeds of 客户联系.
pub(in crate::simulate::wecom) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_sim/customers/{id}/scan", post(scan))
        .route("/_sim/customers/{id}/unfollow", post(unfollow))
        .route("/_sim/customers/{id}/join", post(join))
        .route("/_sim/customers/{id}/leave", post(leave))
        .route("/_sim/customers/{id}/transfer", post(object))
        .route("/_sim/members/{id}/contacts/{deed}", post(member))
        .route("/_sim/members/{id}/greets", post(greets))
        .route("/_sim/members/{id}/resign", post(resign))
        .route("/_sim/chats", post(make))
        .route("/_sim/chats/{id}/edit", post(edit))
        .route("/_sim/chats/{id}/dismiss", post(dismiss))
        .route("/_sim/tags", post(make_tag))
        .route("/_sim/contact_ways/quota", post(quota))
}

/// A customer scans a way of contact, or a member's own code.
async fn scan(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(scanning): Json<Scanning>,
) -> Answer {
    simulator.change(|world, now| scanned(world, customer, scanning, now))
}

fn scanned(world: &mut World, customer: String, scanning: Scanning, now: Timestamp) -> Result<Value, String> {
    let Scanning { config_id, userid, state, half, name, kind } = scanning;
    let kind = kind.unwrap_or(relation::WECHAT);
    if !matches!(kind, 1 | 2) {
        return Err(format!("type {kind} is neither 1 nor 2"));
    }
    let scan = match (config_id, userid) {
        (Some(id), None) if state.is_none() => way::scan(world, &id, now)?,
        (None, Some(id)) => {
            let member = world.member(&id).ok_or_else(|| format!("no member is called {id}"))?;
            // Who comes by a link with a channel comes through 获客助手.
            let add_way = if state.is_some() { 16 } else { 1 };
            Scan { member, state, add_way, is_asked: false, closing: None }
        }
        _ => return Err("one of config_id and userid, and state only with userid".to_owned()),
    };
    let external = &mut world.external;
    let name = name.unwrap_or_else(|| customer.clone());
    external.customers.entry(customer.clone()).or_insert(Customer { name, kind });
    let pair = (scan.member.clone(), customer.clone());
    let member = scan.member.clone();
    if external.relations.get(&pair).is_some_and(|relation| !relation.is_left) {
        return Ok(json!({ "userid": member, "event": false }));
    }
    if scan.is_asked {
        external.waiting.insert(pair, scan);
        return Ok(json!({ "userid": member, "event": false, "waits": true }));
    }
    let addition = if half { Addition::Half } else { Addition::Whole };
    let code = relation::begin(world, &customer, scan, addition, now);
    world.phones.entry(customer).or_default();
    Ok(json!({ "userid": member, "event": true, "welcome_code": code }))
}

/// A customer deletes a member.
async fn unfollow(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(WithMember { userid }): Json<WithMember>,
) -> Answer {
    simulator.change(|world, now| {
        let relation = world.external.relations.get_mut(&(userid.to_lowercase(), customer.clone()));
        let relation = relation.filter(|relation| !relation.is_left);
        let relation = relation.ok_or_else(|| format!("{customer} has no contact to {userid}"))?;
        (relation.is_left, relation.chats, relation.is_welcomed) = (true, false, false);
        tells_of_contact(world, "del_follow_user", (&userid.to_lowercase(), &customer), "", now);
        Ok(json!({}))
    })
}

/// A customer scans a way of joining.
async fn join(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Joining { config_id }): Json<Joining>,
) -> Answer {
    simulator.change(|world, now| {
        let chat = group::join(world, &config_id, &customer, now)?;
        Ok(json!({ "chat_id": chat }))
    })
}

/// A customer leaves a group, or is sent away.
async fn leave(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Leaving { chat_id, removed }): Json<Leaving>,
) -> Answer {
    simulator.change(|world, now| {
        group::leave(world, &chat_id, &customer, i64::from(removed), now)?;
        Ok(json!({}))
    })
}

/// A customer refuses their transfer, or the taker has too many.
async fn object(
    State(simulator): State<Simulator>,
    Path(customer): Path<String>,
    Json(Failing { reason }): Json<Failing>,
) -> Answer {
    let standing = match reason.as_str() {
        "refused" => Ok(Standing::Refused),
        "limit" => Ok(Standing::TakerAtCap),
        _ => Err(format!("reason {reason} is neither refused nor limit")),
    };
    simulator.change(|world, now| transfer::fail(world, &customer, standing?, now))
}

/// What a member does with a customer: `confirm`, `chat`, `edit` or `delete`.
async fn member(
    State(simulator): State<Simulator>,
    Path((member, deed)): Path<(String, String)>,
    Json(with): Json<WithCustomer>,
) -> Answer {
    simulator.change(|world, now| {
        let member = world.member(&member).ok_or_else(|| format!("no member is called {member}"))?;
        let pair = (member, with.customer.clone());
        match deed.as_str() {
            "confirm" => confirm(world, &pair, now),
            "chat" | "edit" | "delete" if !world.external.relations.contains_key(&pair) => {
                Err(format!("{} does not follow {}", pair.0, pair.1))
            }
            "chat" => {
                world.external.relations.entry(pair).and_modify(|relation| relation.chats = true);
                Ok(json!({}))
            }
            "edit" => edited(world, &pair, &with, now),
            "delete" => {
                world.external.relations.remove(&pair);
                tells_of_contact(world, "del_external_contact", (&pair.0, &pair.1), "", now);
                Ok(json!({}))
            }
            _ => Err(format!("{deed} is no deed of a member")),
        }
    })
}

/// A member agrees to a customer who waits.
fn confirm(world: &mut World, pair: &(String, String), now: Timestamp) -> Result<Value, String> {
    let half = world.external.relations.get(pair).filter(|relation| relation.is_half);
    let scan = match (world.external.waiting.remove(pair), half) {
        (Some(scan), _) => scan,
        (None, Some(half)) => Scan {
            member: pair.0.clone(),
            state: half.state.clone(),
            add_way: half.add_way,
            is_asked: false,
            closing: half.closing.clone(),
        },
        (None, None) => return Err(format!("{} does not wait for {}", pair.1, pair.0)),
    };
    let code = relation::begin(world, &pair.1, scan, Addition::Whole, now);
    world.phones.entry(pair.1.clone()).or_default();
    Ok(json!({ "welcome_code": code }))
}

fn edited(
    world: &mut World,
    pair: &(String, String),
    with: &WithCustomer,
    now: Timestamp,
) -> Result<Value, String> {
    let more: Vec<&str> = with.add_tag.iter().map(String::as_str).collect();
    let less: Vec<&str> = with.remove_tag.iter().map(String::as_str).collect();
    tag::set(world, pair, &more, &less).map_err(|refusal| refusal.words)?;
    if let Some(relation) = world.external.relations.get_mut(pair) {
        if let Some(remark) = &with.remark {
            relation.remark.clone_from(remark);
        }
        if let Some(mobiles) = &with.mobiles {
            relation.mobiles.clone_from(mobiles);
        }
    }
    tells_of_contact(world, "edit_external_contact", (&pair.0, &pair.1), "", now);
    Ok(json!({}))
}

/// The console gets a welcome of its own for a member, or loses it.
async fn greets(
    State(simulator): State<Simulator>,
    Path(member): Path<String>,
    Json(Greeting { greets }): Json<Greeting>,
) -> Answer {
    simulator.change(|world, _now| {
        if greets {
            world.external.greeted.insert(member);
        } else {
            world.external.greeted.remove(&member);
        }
        Ok(json!({}))
    })
}

/// A member leaves the company.
async fn resign(State(simulator): State<Simulator>, Path(member): Path<String>) -> Answer {
    simulator.change(|world, _now| {
        let member = world.member(&member).ok_or_else(|| format!("no member is called {member}"))?;
        world.external.resigned.insert(member);
        Ok(json!({}))
    })
}

/// A member makes a group.
async fn make(State(simulator): State<Simulator>, Json(Making { name, owner }): Json<Making>) -> Answer {
    simulator.change(|world, now| {
        let owner = world.member(&owner).ok_or_else(|| format!("no member is called {owner}"))?;
        Ok(json!({ "chat_id": group::make(world, &name, &owner, now) }))
    })
}

/// Somebody changes a group.
async fn edit(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(Editing { name, notice, owner }): Json<Editing>,
) -> Answer {
    simulator.change(|world, now| {
        let owner = match owner {
            Some(owner) => Some(world.member(&owner).ok_or_else(|| format!("no member is called {owner}"))?),
            None => None,
        };
        let changes = [name.map(Change::Name), notice.map(Change::Notice), owner.map(Change::Owner)];
        for change in changes.into_iter().flatten() {
            group::change(world, &id, change, now)?;
        }
        Ok(json!({}))
    })
}

/// The owner dissolves a group.
async fn dismiss(State(simulator): State<Simulator>, Path(id): Path<String>) -> Answer {
    simulator.change(|world, now| {
        group::dismiss(world, &id, now)?;
        Ok(json!({}))
    })
}

/// An administrator makes a tag.
async fn make_tag(
    State(simulator): State<Simulator>,
    Json(Tagging { group, name }): Json<Tagging>,
) -> Answer {
    simulator.change(|world, now| Ok(tag::make(world, &group, &name, now)))
}

/// The company may have only so many ways of contact and of joining.
async fn quota(State(simulator): State<Simulator>, Json(Quota { max }): Json<Quota>) -> Answer {
    simulator.change(|world, _now| {
        world.external.ways_max = max;
        Ok(json!({}))
    })
}
