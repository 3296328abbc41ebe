//! Customers who go from one member to another. Sources: WeCom developer centre, paths 92125, 94088, 94081, 94082.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::Page;
use crate::simulate::wecom::external::element;
use crate::simulate::wecom::external::tells_of_contact;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

/// So long a customer may object.
const OBJECTION: SignedDuration = SignedDuration::from_hours(24);

/// Transfers of one customer within this time.
const TRANSFERS_MAX: usize = 2;
const TRANSFERS_WITHIN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Customers of one request.
const CUSTOMERS_MAX: usize = 100;

/// Customers of one page of results.
const PAGE_MAX: usize = 1_000;

/// Whether the member who hands over is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    InService,
    Resigned,
}

impl Leave {
    fn paths(self) -> [&'static str; 2] {
        match self {
            Self::InService => ["externalcontact/transfer_customer", "externalcontact/transfer_result"],
            Self::Resigned => {
                ["externalcontact/resigned/transfer_customer", "externalcontact/resigned/transfer_result"]
            }
        }
    }
}

/// How a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Done,
    Waiting,
    Refused,
    TakerAtCap,
}

impl Standing {
    /// `status`.
    fn number(self) -> i64 {
        match self {
            Self::Done => 1,
            Self::Waiting => 2,
            Self::Refused => 3,
            Self::TakerAtCap => 4,
        }
    }
}

/// One customer's transfer.
pub(super) struct Transfer {
    leave: Leave,
    from: String,
    to: String,
    customer: String,
    begun: Timestamp,
    ended: Option<Timestamp>,
    standing: Standing,
    /// What the customer reads when it is done.
    words: Option<String>,
}

pub(super) fn begin(world: &mut World, leave: Leave, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let [path, _] = leave.paths();
    let fields = Fields::new(path, body);
    let mut names = vec!["handover_userid", "takeover_userid", "external_userid"];
    if leave == Leave::InService {
        names.push("transfer_success_msg");
    }
    fields.known(&names, &mut world.ledger);
    let (from, to) = pair(world, &fields)?;
    if leave == Leave::Resigned && !world.external.resigned.contains(&from) {
        return Err(Refusal::new(40_097, "handover user has not resigned"));
    }
    if from == to {
        return Err(Refusal::new(40_130, "handover user is takeover user"));
    }
    let customers = fields.texts_if_any("external_userid")?;
    if !(1..=CUSTOMERS_MAX).contains(&customers.len()) {
        let told = format!("external_userid has {} ids, not 1 to {CUSTOMERS_MAX}", customers.len());
        return Err(Refusal::new(40_058, told));
    }
    let words = fields.words_if_any("transfer_success_msg")?;
    fields.chars_within("transfer_success_msg", words.unwrap_or_default(), 200)?;
    let words = words.filter(|words| !words.is_empty() && leave == Leave::InService).map(str::to_owned);
    let begun = customers.into_iter().map(|customer| {
        let code = obstacle(world, leave, (&from, customer), now);
        if code == 0 {
            world.external.transfers.push(Transfer {
                leave,
                from: from.clone(),
                to: to.clone(),
                customer: customer.to_owned(),
                begun: now,
                ended: None,
                standing: Standing::Waiting,
                words: words.clone(),
            });
        }
        json!({ "external_userid": customer, "errcode": code })
    });
    Ok(json!({ "customer": begun.collect::<Vec<_>>() }))
}

/// The code of what stands in a transfer's way, 0 for nothing.
fn obstacle(world: &World, leave: Leave, (from, customer): (&str, &str), now: Timestamp) -> i64 {
    if !world.external.customers.contains_key(customer) {
        return 40_096;
    }
    if !world.external.relations.contains_key(&(from.to_owned(), customer.to_owned())) {
        return 40_131;
    }
    let own = || world.external.transfers.iter().filter(|one| one.customer == customer);
    if own().any(|one| one.standing == Standing::Waiting) {
        return if leave == Leave::Resigned { 40_100 } else { 40_129 };
    }
    let done = own().filter(|one| one.standing == Standing::Done);
    let recent = done.filter(|one| now.duration_since(one.begun) < TRANSFERS_WITHIN);
    if recent.count() >= TRANSFERS_MAX { 40_128 } else { 0 }
}

pub(super) fn result(world: &mut World, leave: Leave, body: &Value) -> Result<Value, Refusal> {
    let [_, path] = leave.paths();
    let fields = Fields::new(path, body);
    fields.known(&["handover_userid", "takeover_userid", "cursor"], &mut world.ledger);
    let (from, to) = pair(world, &fields)?;
    let page = Page::at(fields.words_if_any("cursor")?, PAGE_MAX)?;
    let own = world.external.transfers.iter();
    let own = own.filter(|one| one.leave == leave && one.from == from && one.to == to);
    let customers = own.map(|one| {
        json!({ "external_userid": one.customer, "status": one.standing.number(),
                "takeover_time": one.ended.map_or(0, Timestamp::as_second) })
    });
    let (customers, next) = page.cut(customers.collect());
    Ok(json!({ "customer": customers, "next_cursor": next }))
}

fn pair(world: &World, fields: &Fields<'_>) -> Result<(String, String), Refusal> {
    Ok((world.member_of(fields, "handover_userid")?, world.member_of(fields, "takeover_userid")?))
}

/// Carries out the transfers to which nobody has objected in time.
pub(super) fn settle(world: &mut World, now: Timestamp) {
    let mut done = Vec::new();
    for one in &mut world.external.transfers {
        let at = one.begun + OBJECTION;
        if one.standing == Standing::Waiting && at <= now {
            (one.standing, one.ended) = (Standing::Done, Some(at));
            done.push((one.from.clone(), one.to.clone(), one.customer.clone(), one.words.clone(), at));
        }
    }
    for (from, to, customer, words, at) in done {
        let Some(relation) = world.external.relations.remove(&(from.clone(), customer.clone())) else {
            continue;
        };
        let handed_over = relation.handed_over(&from, at);
        world.external.relations.entry((to.clone(), customer.clone())).or_insert(handed_over);
        let source = element("Source", "DELETE_BY_TRANSFER");
        tells_of_contact(world, "del_external_contact", (&from, &customer), &source, at);
        if let Some(words) = words {
            world.arrives(&customer, &to, &json!({ "msgtype": "text", "content": words }), at);
        }
    }
}

/// A transfer comes to nothing.
///
/// * `standing`: why.
pub(super) fn fail(
    world: &mut World,
    customer: &str,
    standing: Standing,
    now: Timestamp,
) -> Result<Value, String> {
    let reason = match standing {
        Standing::Refused => "customer_refused",
        Standing::TakerAtCap => "customer_limit_exceed",
        Standing::Done | Standing::Waiting => return Err("that is no failure".to_owned()),
    };
    let mut waiting = world.external.transfers.iter_mut();
    let one = waiting.find(|one| one.customer == customer && one.standing == Standing::Waiting);
    let one = one.ok_or_else(|| format!("no transfer of {customer} waits"))?;
    one.standing = standing;
    let taker = one.to.clone();
    let more = element("FailReason", reason);
    tells_of_contact(world, "transfer_fail", (&taker, customer), &more, now);
    Ok(json!({}))
}
