//! The welcome that an app sends to a new customer. Source: WeCom developer centre, 发送新客户欢迎语 (path 92137).

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::external::attachment;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const SEND: &str = "externalcontact/send_welcome_msg";

/// For so long after the event a welcome may be sent.
const LIFE: SignedDuration = SignedDuration::from_secs(20);

/// Most attachments of one welcome.
const ATTACHMENTS_MAX: usize = 9;

/// A welcome that may be sent.
pub(super) struct Welcome {
    member: String,
    customer: String,
    until: Timestamp,
    /// Place of the app that has sent it.
    sent_by: Option<usize>,
}

/// A new code for a welcome.
pub(super) fn code(world: &mut World, (member, customer): (&str, &str), now: Timestamp) -> String {
    let id = world.id("welcome");
    let welcome = Welcome {
        member: member.to_owned(),
        customer: customer.to_owned(),
        until: now + LIFE,
        sent_by: None,
    };
    world.external.welcomes.insert(id.clone(), welcome);
    id
}

pub(super) fn send(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(SEND, body);
    fields.known(&["welcome_code", "text", "attachments"], &mut world.ledger);
    let code = fields.text("welcome_code", 41_049)?;
    let messages = messages(world, &fields)?;
    let external = &mut world.external;
    let bad = || Refusal::new(41_050, "invalid welcome code");
    let welcome = external.welcomes.get_mut(code).filter(|held| held.until >= now).ok_or_else(bad)?;
    match welcome.sent_by {
        None => {}
        Some(other) if other == app => return Err(bad()),
        Some(_) => return Err(Refusal::new(41_051, "welcome msg has been distributed by another app")),
    }
    let (member, customer) = (welcome.member.clone(), welcome.customer.clone());
    let relation = external.relations.get_mut(&(member.clone(), customer.clone())).ok_or_else(bad)?;
    if relation.chats {
        return Err(Refusal::new(41_051, "the customer has started chatting"));
    }
    welcome.sent_by = Some(app);
    relation.is_welcomed = true;
    for message in messages {
        world.arrives(&customer, &member, &message, now);
    }
    Ok(json!({}))
}

/// What appears on the customer's phone: the words, then one message an attachment.
fn messages(world: &mut World, fields: &Fields<'_>) -> Result<Vec<Value>, Refusal> {
    let mut messages = Vec::new();
    if let Some(words) = attachment::text(fields, &mut world.ledger)? {
        messages.push(json!({ "msgtype": "text", "content": words }));
    }
    let attachments = if fields.has("attachments") { fields.list("attachments")? } else { &[] };
    if attachments.len() > ATTACHMENTS_MAX {
        let told = format!("{} attachments, at most {ATTACHMENTS_MAX}", attachments.len());
        return Err(Refusal::new(41_064, told));
    }
    for one in attachments {
        let own = Fields::new(SEND, one);
        let kind = own.text("msgtype", 41_065)?;
        own.known(&["msgtype", kind], &mut world.ledger);
        messages.push(attachment::read(&own, kind, &mut world.ledger)?);
    }
    if messages.is_empty() {
        return Err(Refusal::new(41_088, "neither text nor attachments"));
    }
    Ok(messages)
}
