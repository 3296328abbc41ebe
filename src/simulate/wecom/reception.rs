//! The company's side of 微信客服: accounts, who serves at them, links to them, and who came.
//!
//! Sources: WeCom developer centre, 账号 (path 94661 to 94664), 接待人员 (94645 to 94647), 客服链接 (94665), 客户信息 (95159),
//! 视频号绑定 (95153).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::content;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::media::Kind;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::session::Session;
use crate::simulate::wecom::world::Account;
use crate::simulate::wecom::world::World;

/// Most accounts of a company.
const ACCOUNTS_MAX: usize = 5_000;

/// Most characters of an account's name, and bytes of the media_id of its picture.
const NAME_CHARS_MAX: usize = 16;
const PICTURE_ID_BYTES_MAX: usize = 128;

/// Most people and departments of one call, and of one account.
const PEOPLE_MAX: usize = 100;
const DEPARTMENTS_MAX: usize = 20;
const SERVICERS_MAX: usize = 2_000;

pub(super) fn accounts(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/account/list", body);
    fields.known(&["offset", "limit"], &mut world.ledger);
    let offset = fields.number_if_any("offset")?.unwrap_or_default();
    let limit = fields.number_if_any("limit")?.unwrap_or(100);
    if offset < 0 || !(1..=100).contains(&limit) {
        return Err(Refusal::new(40_058, "offset or limit out of range"));
    }
    let granted = &world.plan.apps[app].accounts;
    let listed = world.accounts.iter().map(|(id, account)| {
        json!({ "open_kfid": id, "name": account.name, "avatar": account.avatar, "manage_privilege": granted.contains(id) })
    });
    Ok(json!({ "account_list": listed.skip(offset as usize).take(limit as usize).collect::<Vec<_>>() }))
}

pub(super) fn servicers(world: &mut World, app: usize, id: Option<&str>) -> Result<Value, Refusal> {
    let account = world.account(app, id.ok_or_else(|| Refusal::new(60_251, "open_kfid missing"))?)?;
    let listed = account
        .servicers
        .iter()
        .map(|(id, on_duty)| json!({ "userid": id, "status": i64::from(!*on_duty), "stop_type": 0 }));
    let departments = account.departments.iter().map(|id| json!({ "department_id": id }));
    Ok(json!({ "servicer_list": listed.chain(departments).collect::<Vec<_>>() }))
}

pub(super) fn contact_way(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/add_contact_way", body);
    fields.known(&["open_kfid", "scene"], &mut world.ledger);
    let id = fields.text("open_kfid", 60_251)?;
    world.account(app, id)?;
    let scene = fields.text_if_any("scene")?.unwrap_or_default();
    fields.within("scene", scene, 32)?;
    if !scene.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        return Err(Refusal::new(40_058, "scene has other signs than letters, figures, _ and -"));
    }
    let code = world.id("ENC");
    Ok(json!({ "url": format!("https://work.weixin.qq.com/kf/{id}?enc_scene={code}") }))
}

pub(super) fn customers(world: &mut World, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/customer/batchget", body);
    fields.known(&["external_userid_list", "need_enter_session_context"], &mut world.ledger);
    let ids = fields.list("external_userid_list")?;
    if !(1..=100).contains(&ids.len()) {
        return Err(Refusal::new(40_058, "external_userid_list has 1 to 100 ids"));
    }
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for id in ids.iter().filter_map(Value::as_str) {
        let sessions = world.accounts.values().filter_map(|account| account.sessions.get(id));
        if sessions.into_iter().any(|session: &Session| session.is_recent(now)) {
            found.push(json!({ "external_userid": id, "nickname": id, "avatar": "", "gender": 0 }));
        } else {
            unknown.push(id);
        }
    }
    Ok(json!({ "customer_list": found, "invalid_external_userid": unknown }))
}

pub(super) fn add_account(
    world: &mut World,
    app: usize,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/account/add", body);
    fields.known(&["name", "media_id"], &mut world.ledger);
    let name = account_name(fields.text("name", 95_006)?)?;
    let avatar = avatar(world, &fields, fields.text("media_id", 41_006)?, now)?;
    if world.accounts.len() >= ACCOUNTS_MAX {
        return Err(Refusal::new(95_005, format!("a company has at most {ACCOUNTS_MAX} accounts")));
    }
    let id = world.id("wk");
    world.accounts.insert(id.clone(), Account { avatar, ..Account::new(name) });
    world.plan.apps[app].accounts.push(id.clone());
    Ok(json!({ "open_kfid": id }))
}

pub(super) fn update_account(
    world: &mut World,
    app: usize,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/account/update", body);
    fields.known(&["open_kfid", "name", "media_id"], &mut world.ledger);
    let name = fields.text_if_any("name")?.map(account_name).transpose()?;
    let avatar = fields.text_if_any("media_id")?.map(|id| avatar(world, &fields, id, now)).transpose()?;
    let account = world.account(app, fields.text("open_kfid", 60_251)?)?;
    if let Some(name) = name {
        name.clone_into(&mut account.name);
    }
    if let Some(avatar) = avatar {
        account.avatar = avatar;
    }
    Ok(json!({}))
}

pub(super) fn delete_account(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::new("kf/account/del", body);
    fields.known(&["open_kfid"], &mut world.ledger);
    let id = fields.text("open_kfid", 60_251)?;
    world.account(app, id)?;
    world.accounts.remove(id);
    world.closed.insert(id.to_owned());
    Ok(json!({}))
}

fn account_name(name: &str) -> Result<&str, Refusal> {
    let n_chars = name.chars().count();
    if n_chars <= NAME_CHARS_MAX {
        return Ok(name);
    }
    Err(Refusal::new(95_006, format!("a name of {n_chars} characters, at most {NAME_CHARS_MAX}")))
}

/// The address of an account's picture.
fn avatar(world: &World, fields: &Fields<'_>, id: &str, now: Timestamp) -> Result<String, Refusal> {
    fields.within("media_id", id, PICTURE_ID_BYTES_MAX)?;
    content::filename(world, id, Kind::Image, now)?;
    Ok(format!("/_sim/media/{id}"))
}

pub(super) fn add_servicers(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let (id, people, departments) = named(world, "kf/servicer/add", body)?;
    let members = world.plan.members.clone();
    let account = world.account(app, id)?;
    let mut results = Vec::new();
    for person in people {
        let own = person.to_lowercase();
        let (code, words) = if !members.contains(&own) {
            (60_030, "userid beyond the visible range")
        } else if account.servicers.contains_key(&own) {
            (0, "ignored")
        } else if account.servicers.len() >= SERVICERS_MAX {
            (95_020, "too many servicers")
        } else {
            account.servicers.insert(own, true);
            (0, "success")
        };
        results.push(json!({ "userid": person, "errcode": code, "errmsg": words }));
    }
    for department in departments {
        let (code, words) = if account.departments.contains(&department) {
            (0, "ignored")
        } else if account.departments.len() >= DEPARTMENTS_MAX {
            (95_020, "too many departments")
        } else {
            account.departments.insert(department);
            (0, "success")
        };
        results.push(json!({ "department_id": department, "errcode": code, "errmsg": words }));
    }
    Ok(json!({ "result_list": results }))
}

pub(super) fn delete_servicers(world: &mut World, app: usize, body: &Value) -> Result<Value, Refusal> {
    let (id, people, departments) = named(world, "kf/servicer/del", body)?;
    let account = world.account(app, id)?;
    let told = |was_there: bool| if was_there { (0, "success") } else { (60_253, "servicer not in list") };
    let mut results = Vec::new();
    for person in people {
        let (code, words) = told(account.servicers.remove(&person.to_lowercase()).is_some());
        results.push(json!({ "userid": person, "errcode": code, "errmsg": words }));
    }
    for department in departments {
        let (code, words) = told(account.departments.remove(&department));
        results.push(json!({ "department_id": department, "errcode": code, "errmsg": words }));
    }
    Ok(json!({ "result_list": results }))
}

/// The account that a call names, and the people and departments.
fn named<'r>(
    world: &mut World,
    path: &'static str,
    body: &'r Value,
) -> Result<(&'r str, Vec<&'r str>, Vec<i64>), Refusal> {
    let fields = Fields::new(path, body);
    fields.known(&["open_kfid", "userid_list", "department_id_list"], &mut world.ledger);
    let id = fields.text("open_kfid", 60_251)?;
    let listed = |name: &str, most: usize| {
        let list = if body[name].is_null() { &[] } else { fields.list(name)? };
        if list.len() <= most {
            return Ok(list);
        }
        Err(Refusal::new(40_058, format!("{name} has {} entries, at most {most}", list.len())))
    };
    let (people, departments) =
        (listed("userid_list", PEOPLE_MAX)?, listed("department_id_list", DEPARTMENTS_MAX)?);
    if people.is_empty() && departments.is_empty() {
        return Err(Refusal::new(40_058, "userid_list and department_id_list are both empty"));
    }
    let people = people.iter().map(Value::as_str).collect::<Option<_>>();
    let departments = departments.iter().map(Value::as_i64).collect::<Option<_>>();
    let (people, departments) =
        people.zip(departments).ok_or_else(|| Refusal::new(40_058, "an id is of the wrong type"))?;
    Ok((id, people, departments))
}
