//! Talks of 微信客服. Sources: WeCom developer centre, 接收消息 (path 94670), 发送消息 (94677), 事件响应消息 (95122),
//! 会话状态 (94669).

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::content;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::session::Phase;
use crate::simulate::wecom::world::Account;
use crate::simulate::wecom::world::Code;
use crate::simulate::wecom::world::Occasion;
use crate::simulate::wecom::world::World;

const SYNC: &str = "kf/sync_msg";
const SEND: &str = "kf/send_msg";
const SEND_ON_EVENT: &str = "kf/send_msg_on_event";

/// Most messages of one page.
const PAGE_MAX: i64 = 1_000;

/// One page in so many is empty, with more behind it.
const EMPTY_EVERY: u64 = 8;

/// What happened longer ago is no longer listed.
const LISTED: SignedDuration = SignedDuration::from_hours(72);

/// Pages a minute without the token of a wake-up. The page names no number.
const WITHOUT_TOKEN_MAX: usize = 60;

/// A code for a message is good for so long: of a welcome or an end, and else.
const SHORT: SignedDuration = SignedDuration::from_secs(20);
const LONG: SignedDuration = SignedDuration::from_hours(48);

impl World {
    /// An account that the app may use.
    pub(super) fn account(&mut self, app: usize, id: &str) -> Result<&mut Account, Refusal> {
        let granted = self.plan.apps[app].accounts.iter().any(|own| own == id);
        if self.closed.contains(id) {
            return Err(Refusal::new(95_004, "open_kfid deleted"));
        }
        let account = self.accounts.get_mut(id).ok_or_else(|| Refusal::new(95_000, "invalid open_kfid"))?;
        if granted { Ok(account) } else { Err(Refusal::new(48_007, "kf account not granted to this app")) }
    }

    /// A new code for a message to a customer.
    pub(super) fn code(
        &mut self,
        occasion: Occasion,
        (account, customer): (&str, &str),
        now: Timestamp,
    ) -> String {
        let life = match occasion {
            Occasion::Welcome | Occasion::Ended => SHORT,
            Occasion::Queued | Occasion::Taken => LONG,
        };
        let id = self.id("code");
        let code = Code {
            occasion,
            account: account.to_owned(),
            customer: customer.to_owned(),
            until: now + life,
            is_used: false,
        };
        self.codes.insert(id.clone(), code);
        id
    }
}

pub(super) fn sync(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(SYNC, body);
    fields.known(&["cursor", "token", "limit", "voice_format", "open_kfid"], &mut world.ledger);
    let id = fields.text("open_kfid", 60_251)?;
    let limit = fields.number_if_any("limit")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Refusal::new(40_058, "limit out of range"));
    }
    let (cursor, token) = (fields.text_if_any("cursor")?, fields.text_if_any("token")?);
    let (turn, page_max) = (world.number(), world.page_max);
    let account = world.account(app, id)?;
    match token {
        Some(token) => match account.wake_tokens.get(token) {
            Some(until) if *until > now => {}
            _ => return Err(Refusal::new(95_007, "invalid msg token")),
        },
        None => {
            account.bare_reads.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
            account.bare_reads.push(now);
            if account.bare_reads.len() > WITHOUT_TOKEN_MAX {
                return Err(Refusal::new(45_009, "api freq out of limit"));
            }
        }
    }
    let oldest = account.log.partition_point(|(at, _)| now.duration_since(*at) > LISTED);
    let from = match cursor {
        Some(cursor) => place(cursor, id).ok_or_else(|| Refusal::new(40_058, "invalid cursor"))?.max(oldest),
        None => oldest,
    };
    let waiting = account.log.get(from..).unwrap_or_default();
    let is_empty = turn % EMPTY_EVERY == 0 && !waiting.is_empty();
    let page = if is_empty { 0 } else { waiting.len().min(limit as usize).min(page_max) };
    let items: Vec<&Value> = waiting[..page].iter().map(|(_, item)| item).collect();
    Ok(json!({
        "next_cursor": format!("c{:x}.{:x}.{id}", from + page, turn >> 40),
        "has_more": i64::from(page < waiting.len()),
        "msg_list": items,
    }))
}

/// The place in the log that a cursor stands for.
fn place(cursor: &str, account: &str) -> Option<usize> {
    let (place, rest) = cursor.strip_prefix('c')?.split_once('.')?;
    let (_turn, own) = rest.split_once('.')?;
    if own == account { usize::from_str_radix(place, 16).ok() } else { None }
}

pub(super) fn send(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(SEND, body);
    let kind = fields.text("msgtype", 40_008)?;
    fields.known(&["touser", "open_kfid", "msgid", "msgtype", kind], &mut world.ledger);
    let id = fields.text("open_kfid", 60_251)?;
    let customer = fields.text("touser", 40_096)?;
    let own_id = msgid(&fields)?;
    let message = content::for_customer(world, &fields, kind, now)?;
    let given = world.id("kfmsg");
    let account = world.account(app, id)?;
    if own_id.is_some_and(|own| account.sent_ids.contains(own)) {
        return Err(Refusal::new(95_033, "duplicate msgid"));
    }
    let Some(session) = account.sessions.get_mut(customer) else {
        return Err(Refusal::new(40_096, "invalid external userid"));
    };
    let taken = session.takes(now);
    if let Err(refusal) = taken {
        world.ledger.breaks(SEND, format!("{}: {}", refusal.code, refusal.words));
        return Err(refusal);
    }
    let fails = session.fails;
    let msgid = own_id.map_or(given, str::to_owned);
    account.sent_ids.insert(msgid.clone());
    if let Some(fail_type) = fails {
        let event = json!({
            "event_type": "msg_send_fail", "open_kfid": id, "external_userid": customer,
            "fail_msgid": msgid, "fail_type": fail_type,
        });
        world.event(id, event, now);
    } else {
        world.arrives(customer, id, &message, now);
    }
    Ok(json!({ "msgid": msgid }))
}

pub(super) fn send_on_event(
    world: &mut World,
    app: usize,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let fields = Fields::new(SEND_ON_EVENT, body);
    let kind = fields.text("msgtype", 40_008)?;
    fields.known(&["code", "msgid", "msgtype", kind], &mut world.ledger);
    let code = fields.text("code", 41_049)?;
    let own_id = msgid(&fields)?;
    if !["text", "msgmenu"].contains(&kind) {
        return Err(Refusal::new(40_008, format!("msgtype {kind} is not possible with a code")));
    }
    let message = content::for_customer(world, &fields, kind, now)?;
    let given = world.id("kfmsg");
    let bad = || Refusal::new(41_050, "invalid code");
    let held = world.codes.get_mut(code).filter(|held| !held.is_used && held.until > now).ok_or_else(bad)?;
    let (occasion, id, customer) = (held.occasion, held.account.clone(), held.customer.clone());
    if kind == "msgmenu" && !matches!(occasion, Occasion::Welcome | Occasion::Ended) {
        return Err(Refusal::new(40_008, "msgtype not allowed for this code"));
    }
    let account = world.account(app, &id)?;
    if own_id.is_some_and(|own| account.sent_ids.contains(own)) {
        return Err(Refusal::new(95_033, "duplicate msgid"));
    }
    if let Some(session) = account.sessions.get_mut(&customer) {
        let stands = match occasion {
            Occasion::Welcome => true,
            Occasion::Queued => session.phase == Phase::Queued,
            Occasion::Taken => session.phase == Phase::Servicer,
            Occasion::Ended => session.phase == Phase::Ended,
        };
        if !stands {
            return Err(Refusal::new(95_018, "session status has changed"));
        }
        if occasion == Occasion::Welcome {
            session.welcomed_at = Some(now);
        }
    }
    let msgid = own_id.map_or(given, str::to_owned);
    account.sent_ids.insert(msgid.clone());
    if let Some(held) = world.codes.get_mut(code) {
        held.is_used = true;
    }
    world.arrives(&customer, &id, &message, now);
    Ok(json!({ "msgid": msgid }))
}

/// The caller's own id of a message.
fn msgid<'r>(fields: &Fields<'r>) -> Result<Option<&'r str>, Refusal> {
    let Some(id) = fields.text_if_any("msgid")? else { return Ok(None) };
    fields.within("msgid", id, 32)?;
    if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        return Ok(Some(id));
    }
    Err(Refusal::new(40_058, "msgid has other signs than letters, figures, _ and -"))
}

pub(super) fn state(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/service_state/get", body);
    fields.known(&["open_kfid", "external_userid"], &mut world.ledger);
    let customer = fields.text("external_userid", 40_096)?;
    let account = world.account(app, fields.text("open_kfid", 60_251)?)?;
    let session = account.sessions.get(customer);
    let phase = session.map_or(Phase::Ended, |session| session.phase);
    let servicer = session.and_then(|session| session.servicer.clone());
    Ok(json!({ "service_state": phase.number(), "servicer_userid": servicer.unwrap_or_default() }))
}

pub(super) fn transfer(
    world: &mut World,
    app: usize,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/service_state/trans", body);
    fields.known(&["open_kfid", "external_userid", "service_state", "servicer_userid"], &mut world.ledger);
    let (id, customer) = (fields.text("open_kfid", 60_251)?, fields.text("external_userid", 40_096)?);
    let number = fields.number_if_any("service_state")?;
    let next = Phase::ALL.into_iter().find(|phase| Some(phase.number()) == number);
    let next = next.ok_or_else(|| Refusal::new(40_058, "invalid service_state"))?;
    let account = world.account(app, id)?;
    let servicer = match next {
        Phase::Servicer => {
            let servicer = fields.text("servicer_userid", 95_014)?;
            match account.servicers.get(servicer) {
                None => return Err(Refusal::new(95_014, "user is not a servicer")),
                Some(false) => return Err(Refusal::new(95_019, "servicer has stopped")),
                Some(true) => Some(servicer),
            }
        }
        Phase::New | Phase::Assistant | Phase::Queued | Phase::Ended => None,
    };
    let session = account.sessions.get_mut(customer);
    session.ok_or_else(|| Refusal::new(95_013, "session is ended"))?.moves(next, servicer)?;
    let occasion = match next {
        Phase::Queued => Occasion::Queued,
        Phase::Servicer => Occasion::Taken,
        Phase::Ended => Occasion::Ended,
        Phase::New | Phase::Assistant => return Ok(json!({})),
    };
    let code = world.code(occasion, (id, customer), now);
    Ok(json!({ "msg_code": code }))
}

impl World {
    /// Lists an event of an account.
    pub(super) fn event(&mut self, account: &str, event: Value, now: Timestamp) {
        let item = json!({
            "msgid": self.id("event"), "send_time": now.as_second(), "origin": 4,
            "msgtype": "event", "event": event,
        });
        self.happens(account, item, now);
    }
}
