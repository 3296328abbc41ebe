//! The shape of `[[notify]]` in `bot.toml`: who outside of the inbox is told what.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Most characters of a name; it stands in the outbox with the bot's.
pub const NAME_CHARS_MAX: usize = 40;

macro_rules! events {
    ($($variant:ident $name:literal $title:literal $doc:literal),+ $(,)?) => {
        /// Something that staff are told, as the store calls it.
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind {
            $(#[doc = $doc] $variant),+
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Name in the store and in `bot.toml`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What people read.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

events! {
    Waiting "waiting" "有客户在等人工" "A customer waits for a human.",
    Message "message" "客户有新消息" "A customer who waits or is served has written.",
    Taken "taken" "同事已接待" "A human has taken over.",
    Replied "replied" "同事已回复" "A human has replied.",
    Noted "noted" "同事写了备注" "A human has noted something.",
    Returned "returned" "已交还机器人" "The talk was given back to the bot.",
    Closed "closed" "会话已结束" "The talk was closed.",
    Transferred "transferred" "已转给其他组" "The talk was handed to another group.",
    Overdue "overdue" "客户等了很久还没人接待" "Nobody has taken over in time.",
    Lapsed "lapsed" "同事太久没有回复，客户重新排队" "A human was silent for too long.",
    Undelivered "undelivered" "有消息没能送到客户" "A message will not reach its customer.",
}

/// One who is told.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NotifySpec {
    /// What maintainers call it, unique within the bot.
    pub name: String,
    /// What it is told, at least one kind.
    pub on: Vec<EventKind>,
    /// Groups of `[handoff.groups]` whose events it is told; all where there is none.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Where to.
    pub to: Target,
    /// The words, a template; absent: built-in ones. SMS have none but their `params`.
    #[serde(default)]
    pub template: Option<String>,
}

/// A way to people. Keys, addresses that hold keys, and telephone numbers are named, never written: `env:NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The robot of a DingTalk group.
    Dingtalk(DingtalkRobot),
    /// The robot of a WeCom group.
    GroupRobot(GroupRobot),
    /// A task on lists in DingTalk.
    DingtalkTodo(DingtalkTodo),
    /// SMS by Aliyun.
    AliyunSms(AliyunSms),
    /// SMS by Tencent.
    TencentSms(TencentSms),
}

/// See [`Target::Dingtalk`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DingtalkRobot {
    /// Its address with the token, `env:NAME`.
    pub url: String,
    /// What it wants signatures with, `env:NAME`; absent where it checks keywords or addresses.
    #[serde(default)]
    pub secret: Option<String>,
    /// User ids of those who are pointed at; `@all` for everybody.
    #[serde(default)]
    pub mention: Vec<String>,
    /// Whether the template is markdown.
    #[serde(default)]
    pub markdown: bool,
}

/// See [`Target::GroupRobot`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct GroupRobot {
    /// Its address with the key, `env:NAME`.
    pub url: String,
    /// User ids of those who are pointed at; `@all` for everybody.
    #[serde(default)]
    pub mention: Vec<String>,
    /// Whether the template is markdown.
    #[serde(default)]
    pub markdown: bool,
}

/// See [`Target::DingtalkTodo`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DingtalkTodo {
    /// AppKey of the app, `env:NAME`.
    pub app_key: String,
    /// AppSecret of the app, `env:NAME`.
    pub app_secret: String,
    /// Union id of the one who asks; a plain value or `env:NAME`.
    pub creator: String,
    /// Union ids of those who are to do it, at least one; plain values or `env:NAME`.
    pub executors: Vec<String>,
    /// Where to do it, such as the address of the console.
    #[serde(default)]
    pub detail_url: Option<String>,
}

/// See [`Target::AliyunSms`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AliyunSms {
    /// AccessKeyId, `env:NAME`.
    pub access_key_id: String,
    /// AccessKeySecret, `env:NAME`.
    pub access_key_secret: String,
    /// The approved signature.
    pub sign: String,
    /// Code of the approved template.
    pub template: String,
    /// Numbers, `env:NAME` each.
    pub phones: Vec<String>,
    /// The template's variables; templates of ours.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// See [`Target::TencentSms`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TencentSms {
    /// SecretId, `env:NAME`.
    pub secret_id: String,
    /// SecretKey, `env:NAME`.
    pub secret_key: String,
    /// Number of the SMS application.
    pub app_id: String,
    /// The approved signature.
    pub sign: String,
    /// Number of the approved template.
    pub template: String,
    /// Numbers with `+86` in front, `env:NAME` each.
    pub phones: Vec<String>,
    /// The template's variables in their order; templates of ours.
    #[serde(default)]
    pub params: Vec<String>,
}

impl NotifySpec {
    /// Whether it is told of an event.
    ///
    /// * `kind`, `group`: as the store has them.
    #[must_use]
    pub fn hears(&self, kind: EventKind, group: Option<&str>) -> bool {
        let of_group = |group: &str| self.groups.iter().any(|own| own == group);
        self.on.contains(&kind) && (self.groups.is_empty() || group.is_some_and(of_group))
    }
}

impl Target {
    /// The templates of an SMS's variables, by their names or places.
    #[must_use]
    pub fn params(&self) -> Vec<(String, &str)> {
        match self {
            Self::AliyunSms(sms) => {
                sms.params.iter().map(|(name, words)| (name.clone(), words.as_str())).collect()
            }
            Self::TencentSms(sms) => (1..)
                .zip(&sms.params)
                .map(|(place, words): (usize, _)| (place.to_string(), words.as_str()))
                .collect(),
            Self::Dingtalk(_) | Self::GroupRobot(_) | Self::DingtalkTodo(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> NotifySpec {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_kind_is_read_by_the_name_it_is_written_with() {
        for kind in EventKind::ALL {
            let text = format!(
                "name = \"a\"\non = [\"{}\"]\nto = {{ group_robot = {{ url = \"env:X\" }} }}",
                kind.as_str()
            );
            assert_eq!(spec(&text).on, [*kind]);
        }
    }

    #[test]
    fn it_hears_its_kinds_of_its_groups() {
        let all = spec("name = \"a\"\non = [\"waiting\"]\nto = { group_robot = { url = \"env:X\" } }");
        assert!(all.hears(EventKind::Waiting, None) && all.hears(EventKind::Waiting, Some("a")));
        assert!(!all.hears(EventKind::Overdue, None));
        let some = NotifySpec { groups: vec!["a".to_owned()], ..all };
        assert!(some.hears(EventKind::Waiting, Some("a")));
        assert!(!some.hears(EventKind::Waiting, Some("b")) && !some.hears(EventKind::Waiting, None));
    }

    #[test]
    fn exactly_one_way_is_taken() {
        let read = |to: &str| toml::from_str::<NotifySpec>(&format!("name = \"a\"\non = []\nto = {to}"));
        assert!(read("{ dingtalk = { url = \"env:X\", secret = \"env:Y\" } }").is_ok());
        for bad in
            ["{}", "{ pigeon = {} }", "{ dingtalk = {} }", "{ group_robot = { url = \"x\", key = \"y\" } }"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
