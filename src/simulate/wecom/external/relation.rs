//! Customers and the members who follow them. Sources: WeCom developer centre, paths 92571, 92113, 92114, 92994, 92115.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::External;
use crate::simulate::wecom::external::Page;
use crate::simulate::wecom::external::element;
use crate::simulate::wecom::external::tag;
use crate::simulate::wecom::external::tells_of_contact;
use crate::simulate::wecom::external::way::Scan;
use crate::simulate::wecom::external::welcome;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const BATCH: &str = "externalcontact/batch/get_by_user";
const REMARK: &str = "externalcontact/remark";

/// Followers of one customer in one answer.
const FOLLOWERS_MAX: usize = 500;

/// Members of one batch.
const MEMBERS_MAX: usize = 100;

/// `type` of a customer with WeChat.
pub(super) const WECHAT: i64 = 1;

/// A customer.
pub(super) struct Customer {
    pub(super) name: String,
    /// 1 with WeChat, 2 with WeCom in another company.
    pub(super) kind: i64,
}

/// What a member has with a customer.
pub(super) struct Relation {
    pub(super) since: Timestamp,
    pub(super) add_way: i64,
    /// Who made it.
    pub(super) by: String,
    pub(super) state: Option<String>,
    pub(super) remark: String,
    pub(super) description: String,
    pub(super) company: Option<String>,
    pub(super) mobiles: Vec<String>,
    /// Ids of tags.
    pub(super) tags: BTreeSet<String>,
    /// The member has not agreed yet.
    pub(super) is_half: bool,
    /// The customer has deleted the member.
    pub(super) is_left: bool,
    pub(super) is_welcomed: bool,
    /// They have written to one another.
    pub(super) chats: bool,
    /// Words at the end of a temporary talk.
    pub(super) closing: Option<Value>,
}

/// How far an addition has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addition {
    Whole,
    /// The member has not agreed yet.
    Half,
}

/// A customer comes to a member: it is remembered, and told.
///
/// * Returns the welcome's code, where one is earned.
pub(super) fn begin(
    world: &mut World,
    customer: &str,
    scan: Scan,
    addition: Addition,
    now: Timestamp,
) -> Option<String> {
    let Scan { member, state, add_way, closing, .. } = scan;
    let External { relations, customers, greeted, .. } = &mut world.external;
    let relation = relations
        .entry((member.clone(), customer.to_owned()))
        .or_insert_with(|| Relation::new(now, customer));
    (relation.since, relation.add_way, relation.is_left) = (now, add_way, false);
    (relation.state, relation.closing) = (state.clone(), closing);
    relation.is_half = addition == Addition::Half;
    let is_wechat = customers.get(customer).is_none_or(|customer| customer.kind == WECHAT);
    let earns = is_wechat && !greeted.contains(&member) && !relation.chats && !relation.is_welcomed;
    let code = earns.then(|| welcome::code(world, (&member, customer), now));
    let state = state.map(|state| element("State", &state)).unwrap_or_default();
    let more = code.as_ref().map(|code| element("WelcomeCode", code)).unwrap_or_default();
    let change = match addition {
        Addition::Whole => "add_external_contact",
        Addition::Half => "add_half_external_contact",
    };
    tells_of_contact(world, change, (&member, customer), &format!("{state}{more}"), now);
    code
}

impl Relation {
    fn new(now: Timestamp, by: &str) -> Self {
        Self {
            since: now,
            add_way: 0,
            by: by.to_owned(),
            state: None,
            remark: String::new(),
            description: String::new(),
            company: None,
            mobiles: Vec::new(),
            tags: BTreeSet::new(),
            is_half: false,
            is_left: false,
            is_welcomed: false,
            chats: false,
            closing: None,
        }
    }

    /// The same under another member, as an administrator hands it over.
    pub(super) fn handed_over(self, from: &str, now: Timestamp) -> Self {
        Self { since: now, add_way: 202, by: from.to_owned(), chats: false, is_welcomed: false, ..self }
    }

    /// As `get` lists it, less its tags.
    fn shown(&self, member: &str) -> Value {
        let mut shown = json!({
            "userid": member, "remark": self.remark, "description": self.description,
            "createtime": self.since.as_second(), "oper_userid": self.by, "add_way": self.add_way,
        });
        if let Some(state) = &self.state {
            shown["state"] = json!(state);
        }
        if let Some(company) = &self.company {
            shown["remark_corp_name"] = json!(company);
        }
        if !self.mobiles.is_empty() {
            shown["remark_mobiles"] = json!(self.mobiles);
        }
        shown
    }
}

/// Members who may have customers.
pub(super) fn followers(world: &World) -> Vec<&String> {
    world.plan.members.iter().filter(|id| !world.external.resigned.contains(*id)).collect()
}

pub(super) fn list(world: &World, member: Option<&str>) -> Result<Value, Refusal> {
    let id = member.filter(|id| !id.is_empty()).ok_or_else(|| Refusal::new(41_009, "missing userid"))?;
    let member = world.member(id).ok_or_else(|| Refusal::new(40_003, "invalid userid"))?;
    let pairs = world.external.relations.keys();
    let customers: Vec<&String> = pairs.filter(|(own, _)| *own == member).map(|(_, id)| id).collect();
    if customers.is_empty() {
        return Err(Refusal::new(84_061, "not external contact"));
    }
    Ok(json!({ "external_userid": customers }))
}

pub(super) fn get(world: &World, customer: Option<&str>, cursor: Option<&str>) -> Result<Value, Refusal> {
    let id = customer.filter(|id| world.external.customers.contains_key(*id));
    let id = id.ok_or_else(|| Refusal::new(40_096, "invalid external userid"))?;
    let page = Page::at(cursor, FOLLOWERS_MAX)?;
    let own = world.external.relations.iter().filter(|((_, customer), _)| customer == id);
    let followers: Vec<Value> = own
        .map(|((member, _), relation)| {
            let mut shown = relation.shown(member);
            shown["tags"] = tag::shown(world, &relation.tags);
            shown
        })
        .collect();
    if followers.is_empty() {
        return Err(Refusal::new(84_061, "not external contact"));
    }
    let (followers, next) = page.cut(followers);
    Ok(json!({ "external_contact": shown(world, id), "follow_user": followers, "next_cursor": next }))
}

pub(super) fn batch(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(BATCH, body);
    fields.known(&["userid_list", "cursor", "limit"], &mut world.ledger);
    let ids = fields.texts_if_any("userid_list")?;
    if !(1..=MEMBERS_MAX).contains(&ids.len()) {
        return Err(Refusal::new(40_032, format!("userid_list has {} ids, not 1 to 100", ids.len())));
    }
    let members: BTreeSet<String> = ids
        .into_iter()
        .map(|id| world.member(id).ok_or_else(|| Refusal::new(40_003, "invalid userid")))
        .collect::<Result<_, _>>()?;
    let page = Page::read(&fields, 50, 100)?;
    let own = world.external.relations.iter().filter(|((member, _), _)| members.contains(member));
    let contacts = own.map(|((member, customer), relation)| {
        let mut follow_info = relation.shown(member);
        follow_info["tag_id"] = json!(relation.tags);
        json!({ "external_contact": shown(world, customer), "follow_info": follow_info })
    });
    let (contacts, next) = page.cut(contacts.collect());
    Ok(json!({ "external_contact_list": contacts, "next_cursor": next }))
}

fn shown(world: &World, id: &str) -> Value {
    let (name, kind) = match world.external.customers.get(id) {
        Some(customer) => (customer.name.as_str(), customer.kind),
        None => (id, WECHAT),
    };
    let mut shown = json!({ "external_userid": id, "name": name, "avatar": "", "type": kind, "gender": 0 });
    if kind != WECHAT {
        for name in ["position", "corp_name", "corp_full_name"] {
            shown[name] = json!("");
        }
        shown["external_profile"] = json!({ "external_attr": [] });
    }
    shown
}

pub(super) fn remark(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new(REMARK, body);
    const OPTIONAL: [&str; 5] =
        ["remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid"];
    fields.known(&[&["userid", "external_userid"][..], &OPTIONAL[..]].concat(), &mut world.ledger);
    let pair = world.pair_of(&fields)?;
    if !OPTIONAL.iter().any(|name| fields.has(name)) {
        return Err(Refusal::new(40_063, "nothing to remark"));
    }
    let remark = fields.words_if_any("remark")?;
    let description = fields.words_if_any("description")?;
    let company = fields.words_if_any("remark_company")?;
    for (name, words, chars_max) in
        [("remark", remark, 20), ("description", description, 150), ("remark_company", company, 20)]
    {
        fields.chars_within(name, words.unwrap_or_default(), chars_max)?;
    }
    let is_wechat = world.external.customers.get(&pair.1).is_none_or(|customer| customer.kind == WECHAT);
    if company.is_some() && !is_wechat {
        return Err(Refusal::new(40_058, "remark_company is for customers with WeChat"));
    }
    fields.text_if_any("remark_pic_mediaid")?;
    let mobiles = fields.has("remark_mobiles").then(|| fields.texts_if_any("remark_mobiles")).transpose()?;
    if mobiles.as_ref().is_some_and(|mobiles| mobiles.len() > 1 && mobiles.contains(&"")) {
        return Err(Refusal::new(40_058, "an empty number stands alone, to clear the list"));
    }
    let Some(relation) = world.external.relations.get_mut(&pair) else { return Ok(json!({})) };
    if let Some(words) = remark {
        words.clone_into(&mut relation.remark);
    }
    if let Some(words) = description {
        words.clone_into(&mut relation.description);
    }
    if let Some(words) = company {
        relation.company = Some(words.to_owned());
    }
    if let Some(mobiles) = mobiles {
        relation.mobiles = mobiles.into_iter().filter(|one| !one.is_empty()).map(str::to_owned).collect();
    }
    Ok(json!({}))
}
