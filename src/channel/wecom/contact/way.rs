//! Ways to a member (活码) and to a group (拉群), which carry a `state` that tells where a customer came from.

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact::LimitError;
use crate::channel::wecom::contact::customer::text;
use crate::channel::wecom::contact::limit;
use crate::knowledge::limits::STATE_CHARS_MAX;

/// Characters of a remark.
const REMARK_CHARS_MAX: usize = 30;
/// People behind one way.
const PEOPLE_MAX: usize = 100;
/// Groups behind one way.
const GROUPS_MAX: usize = 5;
/// Characters of the name of groups that are made when the others are full.
const ROOM_NAME_CHARS_MAX: usize = 40;
/// Seconds of fourteen days.
const TEMPORARY_SECONDS_MAX: u64 = 14 * 86_400;
/// Bytes of the closing words of a temporary session.
const CONCLUSION_BYTES_MAX: usize = 4_000;

/// Where a way is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scene {
    /// A button of a mini program.
    Miniprogram,
    /// A QR code.
    #[default]
    Qr,
}

impl Scene {
    fn number(self) -> i64 {
        match self {
            Self::Miniprogram => 1,
            Self::Qr => 2,
        }
    }

    fn read(value: &Value) -> Self {
        if value.as_i64() == Some(1) { Self::Miniprogram } else { Self::Qr }
    }
}

/// A way to one member or to several: 「联系我」.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactWay {
    /// Whether several members stand behind it, of whom WeCom picks one.
    pub several: bool,
    /// Where it is met; cannot be changed later.
    pub scene: Scene,
    /// Look of the button, 1 to 3 for one member, 1 to 2 for several.
    pub style: Option<u64>,
    /// For staff, at most 30 characters.
    pub remark: Option<String>,
    /// Whether the member must confirm each customer.
    pub verify: bool,
    /// Comes back with the customers who came through it, at most 30 characters.
    pub state: Option<String>,
    /// UserIDs.
    pub users: Vec<String>,
    /// Departments; for several members only.
    pub parties: Vec<u64>,
    /// Whether one company of customers keeps to one member; `None` leaves it as it is, and a new one without.
    pub exclusive: Option<bool>,
    /// A session that ends; for medical companies, one member and a QR code.
    pub temporary: Option<Temporary>,
}

/// A session that ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Temporary {
    /// Seconds that the code lives, at most 14 days; WeCom's default is 7 days.
    pub expires_in: Option<u64>,
    /// Seconds that the session lives after the customer was added, at most 14 days; WeCom's default is 1 day.
    pub chat_expires_in: Option<u64>,
    /// The one customer who may use it.
    pub unionid: Option<String>,
    /// Closing words, at most 4,000 bytes.
    pub conclusion: Option<String>,
}

impl ContactWay {
    /// The body of `externalcontact/add_contact_way`.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn body(&self) -> Result<Value, LimitError> {
        let mut body = self.changeable()?;
        body["type"] = json!(if self.several { 2 } else { 1 });
        body["scene"] = json!(self.scene.number());
        if let Some(temporary) = &self.temporary {
            if self.several || self.scene != Scene::Qr {
                return Err(LimitError::Together("临时会话只能是一位员工的二维码"));
            }
            body["is_temp"] = json!(true);
            temporary.write(&mut body)?;
        }
        Ok(body)
    }

    /// The body of `externalcontact/update_contact_way`: what is named takes the place of what was there.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn update(&self, config_id: &str) -> Result<Value, LimitError> {
        limit::id("活码的 config_id ", config_id)?;
        let mut body = self.changeable()?;
        body["config_id"] = json!(config_id);
        if let Some(temporary) = &self.temporary {
            temporary.write(&mut body)?;
        }
        Ok(body)
    }

    /// Reads the `contact_way` of `externalcontact/get_contact_way`.
    #[must_use]
    pub fn read(way: &Value) -> Self {
        let list = |key: &str| way[key].as_array().cloned().unwrap_or_default();
        let temporary = || Temporary {
            expires_in: way["expires_in"].as_u64().filter(|seconds| *seconds > 0),
            chat_expires_in: way["chat_expires_in"].as_u64().filter(|seconds| *seconds > 0),
            unionid: text(&way["unionid"]),
            conclusion: text(&way["conclusions"]["text"]["content"]),
        };
        Self {
            several: way["type"].as_i64() == Some(2),
            scene: Scene::read(&way["scene"]),
            style: way["style"].as_u64().filter(|style| *style > 0),
            remark: text(&way["remark"]),
            verify: way["skip_verify"].as_bool() == Some(false),
            state: text(&way["state"]),
            users: list("user").iter().filter_map(text).collect(),
            parties: list("party").iter().filter_map(Value::as_u64).collect(),
            exclusive: way["is_exclusive"].as_bool().filter(|exclusive| *exclusive),
            temporary: (way["is_temp"].as_bool() == Some(true)).then(temporary),
        }
    }

    /// What an update may change, with the limits of all.
    fn changeable(&self) -> Result<Value, LimitError> {
        for user in &self.users {
            limit::user_id(user)?;
        }
        // WeCom counts the members of the departments as well, and tells with 41041.
        limit::items("活码的员工和部门", self.users.len() + self.parties.len(), 1, PEOPLE_MAX)?;
        if !self.several && (self.users.len() != 1 || !self.parties.is_empty()) {
            return Err(LimitError::Together("单人活码要写而且只能写一位员工，不能写部门"));
        }
        if let Some(style) = self.style {
            let max = if self.several { 2 } else { 3 };
            limit::number("样式", style, 1, max)?;
        }
        let mut body = json!({ "skip_verify": !self.verify, "user": self.users });
        if let Some(exclusive) = self.exclusive {
            body["is_exclusive"] = json!(exclusive);
        }
        if self.several {
            body["party"] = json!(self.parties);
        }
        if let Some(style) = self.style {
            body["style"] = json!(style);
        }
        write_text(&mut body, "remark", ("备注", &self.remark), REMARK_CHARS_MAX)?;
        write_text(&mut body, "state", ("渠道 state ", &self.state), STATE_CHARS_MAX)?;
        Ok(body)
    }
}

impl Temporary {
    fn write(&self, body: &mut Value) -> Result<(), LimitError> {
        let lives = [
            ("expires_in", "二维码有效期（秒）", self.expires_in),
            ("chat_expires_in", "会话有效期（秒）", self.chat_expires_in),
        ];
        for (key, what, seconds) in lives {
            if let Some(seconds) = seconds {
                limit::number(what, seconds, 1, TEMPORARY_SECONDS_MAX)?;
                body[key] = json!(seconds);
            }
        }
        if let Some(unionid) = &self.unionid {
            limit::id("unionid ", unionid)?;
            body["unionid"] = json!(unionid);
        }
        if let Some(words) = &self.conclusion {
            limit::bytes("结束语", words, 1, CONCLUSION_BYTES_MAX)?;
            body["conclusions"] = json!({ "text": { "content": words } });
        }
        Ok(())
    }
}

/// A way into customer groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinWay {
    /// Where it is met.
    pub scene: Scene,
    /// For staff, at most 30 characters; WeCom cuts the rest without a word.
    pub remark: Option<String>,
    /// Whether another group is made when the others are full.
    pub auto_create: bool,
    /// What such groups are called, at most 40 characters; a number follows.
    pub room_name: Option<String>,
    /// The number of the first of them.
    pub room_number: Option<u64>,
    /// The groups, 1 to 5.
    pub chats: Vec<String>,
    /// Comes back with the members who came through it, at most 30 characters.
    pub state: Option<String>,
}

impl JoinWay {
    /// The body of `externalcontact/groupchat/add_join_way`.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn body(&self) -> Result<Value, LimitError> {
        limit::items("客户群", self.chats.len(), 1, GROUPS_MAX)?;
        for chat in &self.chats {
            limit::id("客户群的 chat_id ", chat)?;
        }
        if !self.auto_create && (self.room_name.is_some() || self.room_number.is_some()) {
            return Err(LimitError::Together("不自动建群时，不能写新群的群名和起始序号"));
        }
        let mut body = json!({
            "scene": self.scene.number(),
            "auto_create_room": i32::from(self.auto_create),
            "chat_id_list": self.chats,
        });
        write_text(&mut body, "remark", ("备注", &self.remark), REMARK_CHARS_MAX)?;
        write_text(&mut body, "room_base_name", ("新群的群名", &self.room_name), ROOM_NAME_CHARS_MAX)?;
        write_text(&mut body, "state", ("渠道 state ", &self.state), STATE_CHARS_MAX)?;
        if let Some(number) = self.room_number {
            limit::number("新群的起始序号", number, 1, u64::from(u32::MAX))?;
            body["room_base_id"] = json!(number);
        }
        Ok(body)
    }

    /// The body of `externalcontact/groupchat/update_join_way`, which overwrites all of it.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn update(&self, config_id: &str) -> Result<Value, LimitError> {
        limit::id("拉群方式的 config_id ", config_id)?;
        let mut body = self.body()?;
        body["config_id"] = json!(config_id);
        Ok(body)
    }

    /// Reads the `join_way` of `externalcontact/groupchat/get_join_way`.
    #[must_use]
    pub fn read(way: &Value) -> Self {
        let chats = way["chat_id_list"].as_array().map(Vec::as_slice).unwrap_or_default();
        let auto_create = way["auto_create_room"].as_i64() != Some(0);
        Self {
            scene: Scene::read(&way["scene"]),
            remark: text(&way["remark"]),
            auto_create,
            room_name: text(&way["room_base_name"]).filter(|_| auto_create),
            room_number: way["room_base_id"].as_u64().filter(|number| auto_create && *number > 0),
            chats: chats.iter().filter_map(text).collect(),
            state: text(&way["state"]),
        }
    }
}

fn write_text(
    body: &mut Value,
    key: &str,
    (what, text): (&'static str, &Option<String>),
    chars_max: usize,
) -> Result<(), LimitError> {
    if let Some(text) = text {
        limit::chars(what, text, 0, chars_max)?;
        body[key] = json!(text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> ContactWay {
        ContactWay {
            users: vec!["user01".to_owned()],
            state: Some("poster_07".to_owned()),
            remark: Some("海报".to_owned()),
            ..ContactWay::default()
        }
    }

    fn many(n: usize) -> ContactWay {
        let users = (0..n).map(|at| format!("user{at}")).collect();
        ContactWay { several: true, users, ..ContactWay::default() }
    }

    #[track_caller]
    fn refused(way: &ContactWay, words: &str) {
        let told = way.body().expect_err("over a limit").to_string();
        assert!(told.contains(words), "{told}");
    }

    #[test]
    fn a_way_to_one_member_is_what_the_interface_wants() {
        let body = json!({
            "type": 1, "scene": 2, "remark": "海报", "skip_verify": true, "state": "poster_07",
            "user": ["user01"],
        });
        assert_eq!(one().body(), Ok(body));
        let update = one().update("cfg1").unwrap();
        assert_eq!((&update["config_id"], &update["user"]), (&json!("cfg1"), &json!(["user01"])));
        assert!(update.get("type").is_none() && update.get("scene").is_none(), "they cannot change");
    }

    #[test]
    fn the_limits_of_a_way_are_named() {
        refused(&ContactWay { state: Some("长".repeat(31)), ..one() }, "31 个字");
        refused(&ContactWay { remark: Some("长".repeat(31)), ..one() }, "0 到 30 个字");
        refused(&ContactWay { users: Vec::new(), ..one() }, "1 到 100 个");
        refused(&ContactWay { users: vec!["a".to_owned(), "b".to_owned()], ..one() }, "只能写一位员工");
        refused(&ContactWay { style: Some(4), ..one() }, "1 到 3");
        refused(&ContactWay { style: Some(3), ..many(2) }, "1 到 2");
        assert!(many(100).body().is_ok());
        refused(&many(101), "101 个");
        refused(&ContactWay { parties: vec![1], ..many(100) }, "101 个");
        let temporary = |temporary| ContactWay { temporary: Some(temporary), ..one() };
        let days = |days: u64| Temporary { expires_in: Some(days * 86_400), ..Temporary::default() };
        assert_eq!(temporary(days(14)).body().unwrap()["is_temp"], json!(true));
        refused(&temporary(days(15)), "1296000");
        refused(&ContactWay { temporary: Some(days(1)), ..many(2) }, "临时会话");
        let words = Temporary { conclusion: Some("好".repeat(1_334)), ..Temporary::default() };
        refused(&temporary(words), "4002 字节");
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let several =
            ContactWay { parties: vec![2], verify: true, exclusive: Some(true), style: Some(1), ..many(3) };
        let temporary = Temporary { conclusion: Some("再见".to_owned()), ..Temporary::default() };
        for way in [one(), several, ContactWay { temporary: Some(temporary), ..one() }] {
            assert_eq!(ContactWay::read(&way.body().unwrap()), way);
        }
        let join = join();
        assert_eq!(JoinWay::read(&join.body().unwrap()), join);
    }

    fn join() -> JoinWay {
        JoinWay {
            scene: Scene::Qr,
            remark: None,
            auto_create: true,
            room_name: Some("老客户群".to_owned()),
            room_number: Some(10),
            chats: vec!["wr1".to_owned()],
            state: Some("store_3".to_owned()),
        }
    }

    #[test]
    fn a_way_into_groups_holds_five_of_them() {
        let body = json!({
            "scene": 2, "auto_create_room": 1, "room_base_name": "老客户群", "room_base_id": 10,
            "chat_id_list": ["wr1"], "state": "store_3",
        });
        assert_eq!(join().body(), Ok(body));
        assert_eq!(join().update("cfg2").unwrap()["config_id"], json!("cfg2"));
        let groups = |n: usize| JoinWay { chats: vec!["wr1".to_owned(); n], ..join() }.body();
        assert!(groups(5).is_ok() && groups(0).is_err());
        assert!(groups(6).unwrap_err().to_string().contains("1 到 5 个"));
        assert!(JoinWay { auto_create: false, ..join() }.body().is_err());
        assert!(JoinWay { room_name: Some("群".repeat(41)), ..join() }.body().is_err());
        assert!(JoinWay { remark: Some("长".repeat(31)), ..join() }.body().is_err());
    }
}
