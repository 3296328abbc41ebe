//! Accounts of 微信客服, their servicers, and the links that lead to them: requests with their limits, and what comes back.
//!
//! Sources: WeCom developer centre, 客服账号管理 (paths 94661 to 94665), 接待人员管理 (94645 to 94647).

use reqwest::Url;
use serde_json::Value;
use serde_json::json;

use crate::text::percent::percent_encoded;

/// Characters of an account's name at most.
const NAME_CHARS_MAX: usize = 16;

/// Bytes of a scene at most.
const SCENE_BYTES_MAX: usize = 32;

/// Bytes of what a link brings back at most.
const PARAMETER_BYTES_MAX: usize = 128;

/// Members and departments of one request at most.
const MEMBERS_MAX: usize = 100;
const DEPARTMENTS_MAX: usize = 20;

/// Accounts of one page.
pub const PAGE: usize = 100;

/// Why a request is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Too long, or empty.
    #[error("{what}“{value}”有 {length} {unit}，要求 1 到 {max}")]
    Length {
        /// What it is.
        what: &'static str,
        /// As it was given.
        value: String,
        /// How long it is.
        length: usize,
        /// In what.
        unit: &'static str,
        /// The limit.
        max: usize,
    },
    /// Signs that do not belong there.
    #[error("场景“{0}”只能用字母、数字、下划线和减号")]
    Scene(String),
    /// Too many, or none.
    #[error(
        "一次要有 1 到 {MEMBERS_MAX} 位成员或 1 到 {DEPARTMENTS_MAX} 个部门，给了 {members} 位、{departments} 个"
    )]
    Many {
        /// Members that were given.
        members: usize,
        /// Departments that were given.
        departments: usize,
    },
    /// WeCom's answer has no address in it.
    #[error("企业微信没有给出链接")]
    NoLink,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub open_kfid: String,
    /// What customers see.
    pub name: String,
    /// Whether the app may manage it.
    pub is_managed: bool,
}

/// One who takes customers: a member, or all of a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Servicer {
    /// A member, and whether they take customers now.
    Member {
        /// UserID.
        userid: String,
        /// Whether they do.
        is_on_duty: bool,
    },
    /// A department by its number.
    Department(i64),
}

/// The body of `kf/account/add`, or with `open_kfid` of `kf/account/update`.
///
/// * `avatar`: media id of a picture.
///
/// # Errors
/// For a name of no or too many characters.
pub fn account(
    open_kfid: Option<&str>,
    name: Option<&str>,
    avatar: Option<&str>,
) -> Result<Value, RequestError> {
    let mut body = json!({});
    if let Some(open_kfid) = open_kfid {
        body["open_kfid"] = json!(open_kfid);
    }
    if let Some(name) = name {
        let length = name.chars().count();
        within("名称", name, (length, "个字"), NAME_CHARS_MAX)?;
        body["name"] = json!(name);
    }
    if let Some(avatar) = avatar {
        body["media_id"] = json!(avatar);
    }
    Ok(body)
}

/// The accounts of a page of `kf/account/list`; fewer than [`PAGE`] are the last.
#[must_use]
pub fn accounts(answer: &Value) -> Vec<Account> {
    let listed = answer["account_list"].as_array().into_iter().flatten();
    let account = |one: &Value| {
        Some(Account {
            open_kfid: one["open_kfid"].as_str()?.to_owned(),
            name: one["name"].as_str().unwrap_or_default().to_owned(),
            is_managed: one["manage_privilege"].as_bool().unwrap_or_default(),
        })
    };
    listed.filter_map(account).collect()
}

/// The body of `kf/servicer/add` and `kf/servicer/del`.
///
/// # Errors
/// For nobody, or too many.
pub fn servicing(open_kfid: &str, members: &[String], departments: &[i64]) -> Result<Value, RequestError> {
    let (n_members, n_departments) = (members.len(), departments.len());
    if n_members > MEMBERS_MAX || n_departments > DEPARTMENTS_MAX || n_members + n_departments == 0 {
        return Err(RequestError::Many { members: n_members, departments: n_departments });
    }
    let mut body = json!({ "open_kfid": open_kfid });
    if !members.is_empty() {
        body["userid_list"] = json!(members);
    }
    if !departments.is_empty() {
        body["department_id_list"] = json!(departments);
    }
    Ok(body)
}

/// What came of each of them: whom, `errcode` and `errmsg`.
#[must_use]
pub fn results(answer: &Value) -> Vec<(String, i64, String)> {
    let result = |one: &Value| {
        let department = || one["department_id"].as_i64().map(|id| id.to_string());
        let whom = one["userid"].as_str().map(str::to_owned).or_else(department)?;
        let words = one["errmsg"].as_str().unwrap_or_default().split(',').next().unwrap_or_default();
        Some((whom, one["errcode"].as_i64().unwrap_or_default(), words.to_owned()))
    };
    answer["result_list"].as_array().into_iter().flatten().filter_map(result).collect()
}

/// The answer of `kf/servicer/list`.
#[must_use]
pub fn servicers(answer: &Value) -> Vec<Servicer> {
    let servicer = |one: &Value| match one["userid"].as_str() {
        // Here 0 takes customers; in events it is 1.
        Some(userid) => Some(Servicer::Member {
            userid: userid.to_owned(),
            is_on_duty: one["status"].as_i64() == Some(0),
        }),
        None => one["department_id"].as_i64().map(Servicer::Department),
    };
    answer["servicer_list"].as_array().into_iter().flatten().filter_map(servicer).collect()
}

/// The body of `kf/add_contact_way`.
///
/// * `scene`: where the link is put up; it comes back when a customer enters.
///
/// # Errors
/// For a scene that WeCom would refuse.
pub fn contact_way(open_kfid: &str, scene: Option<&str>) -> Result<Value, RequestError> {
    let mut body = json!({ "open_kfid": open_kfid });
    if let Some(scene) = scene {
        within("场景", scene, (scene.len(), "字节"), SCENE_BYTES_MAX)?;
        if !scene.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
            return Err(RequestError::Scene(scene.to_owned()));
        }
        body["scene"] = json!(scene);
    }
    Ok(body)
}

/// The link of an answer of `kf/add_contact_way`, with what it brings back beside its scene.
///
/// # Errors
/// For a parameter of no or too many bytes, and for an answer without a link.
///
/// ```
/// use serde_json::json;
/// use yingda::channel::wecom::account::link;
///
/// let answer = json!({ "url": "https://work.weixin.qq.com/kf/kfc1?enc_scene=E" });
/// let with = link(&answer, Some("a=1&b")).unwrap();
/// assert_eq!(with, "https://work.weixin.qq.com/kf/kfc1?enc_scene=E&scene_param=a%3D1%26b");
/// ```
pub fn link(answer: &Value, parameter: Option<&str>) -> Result<String, RequestError> {
    let url = answer["url"].as_str().filter(|url| Url::parse(url).is_ok()).ok_or(RequestError::NoLink)?;
    // What WeCom gave stays as it is, to the letter.
    let Some(parameter) = parameter else { return Ok(url.to_owned()) };
    let encoded = percent_encoded(parameter);
    within("参数", parameter, (encoded.len(), "字节（编码后）"), PARAMETER_BYTES_MAX)?;
    let joint = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{joint}scene_param={encoded}"))
}

fn within(
    what: &'static str,
    value: &str,
    (length, unit): (usize, &'static str),
    max: usize,
) -> Result<(), RequestError> {
    if (1..=max).contains(&length) {
        return Ok(());
    }
    Err(RequestError::Length { what, value: value.to_owned(), length, unit, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_within_their_limits() {
        assert_eq!(
            account(None, Some("云朵小铺"), Some("m1")),
            Ok(json!({ "name": "云朵小铺", "media_id": "m1" }))
        );
        let long = "云".repeat(17);
        assert_eq!(
            account(Some("wk1"), Some(&long), None).unwrap_err().to_string(),
            format!("名称“{long}”有 17 个字，要求 1 到 16")
        );
        assert_eq!(
            contact_way("wk1", Some("poster_07")),
            Ok(json!({ "open_kfid": "wk1", "scene": "poster_07" }))
        );
        assert_eq!(contact_way("wk1", Some("海报")), Err(RequestError::Scene("海报".to_owned())));
        assert!(matches!(
            contact_way("wk1", Some(&"a".repeat(33))),
            Err(RequestError::Length { length: 33, .. })
        ));
        let members = |n: usize| vec!["lilei".to_owned(); n];
        assert_eq!(
            servicing("wk1", &members(1), &[2]),
            Ok(json!({ "open_kfid": "wk1", "userid_list": ["lilei"], "department_id_list": [2] }))
        );
        for (n, departments) in [(0, &[][..]), (101, &[]), (1, &[1; 21])] {
            assert!(servicing("wk1", &members(n), departments).is_err(), "{n} {departments:?}");
        }
    }

    #[test]
    fn answers_are_read() {
        let answer = json!({ "servicer_list": [
            { "userid": "lilei", "status": 0 }, { "userid": "hanmei", "status": 1, "stop_type": 1 }, { "department_id": 3 },
        ] });
        let member = |userid: &str, is_on_duty| Servicer::Member { userid: userid.to_owned(), is_on_duty };
        assert_eq!(
            servicers(&answer),
            [member("lilei", true), member("hanmei", false), Servicer::Department(3)]
        );
        let answer = json!({ "result_list": [
            { "userid": "lilei", "errcode": 0, "errmsg": "ignored" },
            { "department_id": 9, "errcode": 60030, "errmsg": "out of range, hint: [1]" },
        ] });
        let whom = |whom: &str, code, words: &str| (whom.to_owned(), code, words.to_owned());
        assert_eq!(results(&answer), [whom("lilei", 0, "ignored"), whom("9", 60030, "out of range")]);
        assert_eq!(
            link(&json!({ "url": "https://a.example/k" }), Some("x")),
            Ok("https://a.example/k?scene_param=x".to_owned())
        );
        assert_eq!(link(&json!({}), None), Err(RequestError::NoLink));
        let long = link(&json!({ "url": "https://a.example/k" }), Some(&"文".repeat(15)));
        assert!(matches!(long, Err(RequestError::Length { length: 135, .. })), "{long:?}");
    }
}
