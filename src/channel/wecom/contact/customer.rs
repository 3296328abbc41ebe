//! What WeCom knows of a customer, and what a member notes about them.

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact::LimitError;
use crate::channel::wecom::contact::limit;

/// A customer as `externalcontact/get` tells of them: the first 500 of those who follow them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The name that they have given themselves.
    pub name: Option<String>,
    /// Whether they use WeCom themselves, and not WeChat.
    pub uses_wecom: bool,
    /// Their company, where they use WeCom.
    pub company: Option<String>,
    /// The members who follow them.
    pub followers: Vec<Follower>,
}

/// A member who follows a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// UserID, in lower case: WeCom compares without regard to it.
    pub user_id: String,
    /// What they call the customer.
    pub remark: Option<String>,
    /// What they note about the customer.
    pub description: Option<String>,
    /// What they call the customer's company.
    pub company: Option<String>,
    /// Telephone numbers.
    pub mobiles: Vec<String>,
    /// How the customer came, by WeCom's number.
    pub add_way: i64,
    /// The `state` of the way through which they came.
    pub state: Option<String>,
    /// Tags on the customer.
    pub tags: Vec<FollowerTag>,
}

/// A tag that a member has put on a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerTag {
    /// Its id; personal tags have none.
    pub id: Option<String>,
    /// The group above it.
    pub group: Option<String>,
    /// Its name.
    pub name: String,
}

impl Details {
    /// Reads an answer; `None` where it tells of nobody. Fields that are missing are empty.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let contact = answer.get("external_contact").filter(|contact| contact.is_object())?;
        let followers = answer["follow_user"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(Self {
            name: text(&contact["name"]),
            uses_wecom: contact["type"].as_i64() == Some(2),
            company: text(&contact["corp_name"]),
            followers: followers.iter().filter_map(follower).collect(),
        })
    }
}

fn follower(value: &Value) -> Option<Follower> {
    let mobiles = value["remark_mobiles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tags = value["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tag = |tag: &Value| {
        Some(FollowerTag {
            id: text(&tag["tag_id"]),
            group: text(&tag["group_name"]),
            name: text(&tag["tag_name"])?,
        })
    };
    Some(Follower {
        user_id: text(&value["userid"])?.to_lowercase(),
        remark: text(&value["remark"]),
        description: text(&value["description"]),
        company: text(&value["remark_corp_name"]),
        mobiles: mobiles.iter().filter_map(text).collect(),
        add_way: value["add_way"].as_i64().unwrap_or_default(),
        state: text(&value["state"]),
        tags: tags.iter().filter_map(tag).collect(),
    })
}

/// A text that says something.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// How a customer came, in words.
#[must_use]
pub fn add_way(number: i64) -> &'static str {
    match number {
        1 => "扫描二维码",
        2 => "搜索手机号",
        3 => "名片分享",
        4 => "群聊",
        5 => "手机通讯录",
        6 => "微信联系人",
        8 => "安装第三方应用时自动添加",
        9 => "搜索邮箱",
        10 => "视频号",
        11 => "日程参与人",
        12 => "会议参与人",
        13 => "微信好友对应的企业微信",
        14 => "智慧硬件",
        15 => "上门服务",
        16 => "获客链接",
        17 => "定制开发",
        18 => "需求回复",
        21 => "第三方售前客服",
        22 => "可能的商务伙伴",
        24 => "接受微信账号收到的好友申请",
        201 => "内部成员共享",
        202 => "管理员分配",
        _ => "未知来源",
    }
}

/// What a member notes about a customer. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// UserID of the member.
    pub user_id: String,
    /// The customer.
    pub external_user_id: String,
    /// What to call the customer, at most 20 characters.
    pub remark: Option<String>,
    /// Notes, at most 150 characters.
    pub description: Option<String>,
    /// What to call the company, at most 20 characters; for customers on WeChat only.
    pub company: Option<String>,
    /// Telephone numbers in place of the old ones; an empty list takes them away.
    pub mobiles: Option<Vec<String>>,
}

impl Remark {
    /// The body of `externalcontact/remark`.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn body(&self) -> Result<Value, LimitError> {
        limit::user_id(&self.user_id)?;
        limit::id("客户的 external_userid ", &self.external_user_id)?;
        let mut body = json!({ "userid": self.user_id, "external_userid": self.external_user_id });
        let texts = [
            ("remark", "备注", &self.remark, 20),
            ("description", "描述", &self.description, 150),
            ("remark_company", "备注的公司", &self.company, 20),
        ];
        for (key, what, text, chars_max) in texts {
            if let Some(text) = text {
                limit::chars(what, text, 0, chars_max)?;
                body[key] = json!(text);
            }
        }
        if let Some(mobiles) = &self.mobiles {
            // One empty string stands for none at all.
            body["remark_mobiles"] = if mobiles.is_empty() { json!([""]) } else { json!(mobiles) };
        }
        if body.as_object().is_some_and(|fields| fields.len() == 2) {
            return Err(LimitError::Together("备注、描述、公司、手机号至少要写一样"));
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_with_what_is_missing_left_empty() {
        let answer = json!({
            "errcode": 0, "errmsg": "ok",
            "external_contact": { "external_userid": "wm1", "name": "李四", "type": 1, "gender": 0 },
            "follow_user": [
                { "userid": "ZhangSan", "remark": "李先生", "description": "", "createtime": 1, "add_way": 1,
                  "state": "poster_07", "remark_mobiles": ["13800000001"],
                  "tags": [{ "group_name": "等级", "tag_name": "重要", "tag_id": "et1", "type": 1 },
                           { "group_name": "", "tag_name": "爱喝茶", "type": 2 }] },
                { "userid": "" },
            ],
        });
        let details = Details::read(&answer).unwrap();
        assert_eq!(
            (details.name.as_deref(), details.uses_wecom, details.company),
            (Some("李四"), false, None)
        );
        let [follower] = details.followers.as_slice() else { panic!("one of them has no id") };
        assert_eq!((follower.user_id.as_str(), follower.add_way), ("zhangsan", 1));
        assert_eq!((follower.state.as_deref(), follower.description.as_deref()), (Some("poster_07"), None));
        assert_eq!(follower.mobiles, ["13800000001"]);
        let tag = |id: Option<&str>, group: Option<&str>, name: &str| FollowerTag {
            id: id.map(str::to_owned),
            group: group.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!(follower.tags, [tag(Some("et1"), Some("等级"), "重要"), tag(None, None, "爱喝茶")]);
        assert_eq!(Details::read(&json!({ "errcode": 0 })), None);
    }

    #[test]
    fn a_remark_names_what_it_changes_and_no_more() {
        let base =
            Remark { user_id: "user01".to_owned(), external_user_id: "wm1".to_owned(), ..Remark::default() };
        assert!(matches!(base.body(), Err(LimitError::Together(_))));
        let full = Remark { remark: Some("李".repeat(20)), mobiles: Some(Vec::new()), ..base.clone() };
        let expected = json!({
            "userid": "user01", "external_userid": "wm1", "remark": "李".repeat(20), "remark_mobiles": [""],
        });
        assert_eq!(full.body(), Ok(expected));
        let long = Remark { remark: Some("李".repeat(21)), ..base.clone() };
        let told = long.body().unwrap_err().to_string();
        assert_eq!(told, "备注有 21 个字，要在 0 到 20 个字之间");
        let nobody = Remark { user_id: String::new(), ..full };
        assert!(nobody.body().unwrap_err().to_string().contains("userid"));
    }
}
