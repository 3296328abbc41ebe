//! Targets with their secrets: found by the names that `bot.toml` gives.

use jiff::SignedDuration;
use reqwest::Url;

use crate::channel::notify::Answer;
use crate::channel::notify::aliyun;
use crate::channel::notify::dingtalk;
use crate::channel::notify::robot;
use crate::channel::notify::tencent;
use crate::knowledge::Knowledge;
use crate::knowledge::notify::NotifySpec;
use crate::knowledge::notify::Target;
use crate::knowledge::secret_name;
use crate::message::BotId;
use crate::secret::Secret;
use crate::service::pace;

/// How long anybody but a robot who says that it is too fast is let alone.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Who is everybody, where people are pointed at.
pub(super) const EVERYBODY: &str = "@all";

/// Why one target is off.
#[derive(Debug, thiserror::Error)]
pub enum OffError {
    /// A variable is not set, or the value stands in `bot.toml` itself.
    #[error("notify {name:?} of bot {bot:?} is off: {key} must name a variable that is set")]
    NotSet {
        /// The bot.
        bot: BotId,
        /// The target.
        name: String,
        /// Key in `bot.toml`.
        key: &'static str,
    },
    /// The address is none.
    #[error("notify {name:?} of bot {bot:?} is off: its address is not an http(s) URL")]
    Address {
        /// The bot.
        bot: BotId,
        /// The target.
        name: String,
    },
}

/// A target with its secrets.
pub(super) enum Way {
    Dingtalk { url: Secret, secret: Option<Secret>, at: dingtalk::At, markdown: bool },
    GroupRobot { url: Secret, mentions: Vec<String>, markdown: bool },
    Todo(TodoWay),
    Aliyun { credentials: aliyun::Credentials, sign: String, template: String, phones: Vec<Secret> },
    Tencent(TencentWay),
}

pub(super) struct TodoWay {
    pub(super) app_key: Secret,
    pub(super) app_secret: Secret,
    pub(super) creator: String,
    pub(super) executors: Vec<String>,
    pub(super) detail_url: Option<String>,
}

pub(super) struct TencentWay {
    pub(super) credentials: tencent::Credentials,
    pub(super) app_id: String,
    pub(super) sign: String,
    pub(super) template: String,
    pub(super) phones: Vec<Secret>,
}

/// How fast a way may be gone.
pub(super) struct Limit {
    /// What shares it: the robot, whoever of ours speaks through it.
    pub(super) key: String,
    /// Messages of a minute; `None` for those that set no number.
    pub(super) count: Option<pace::Limit>,
    /// How long it rests after too many.
    pub(super) pause: SignedDuration,
}

impl Way {
    /// * `recipient`: as the outbox calls it.
    pub(super) fn limit(&self, recipient: &str) -> Limit {
        match self {
            Self::Dingtalk { url, .. } => Limit {
                key: url.expose().to_owned(),
                count: Some(pace::Limit::per_minute(dingtalk::PER_MINUTE)),
                pause: dingtalk::THROTTLE,
            },
            Self::GroupRobot { url, .. } => Limit {
                key: url.expose().to_owned(),
                count: Some(pace::Limit::per_minute(robot::PER_MINUTE)),
                pause: robot::WINDOW,
            },
            Self::Todo(_) | Self::Aliyun { .. } | Self::Tencent(_) => {
                Limit { key: recipient.to_owned(), count: None, pause: PAUSE }
            }
        }
    }

    /// What an answer means.
    pub(super) fn read(&self, status: u16, answer: &[u8]) -> Answer {
        match self {
            Self::Dingtalk { .. } => dingtalk::said(status, answer),
            Self::GroupRobot { .. } => robot::said(status, answer),
            Self::Todo(_) => dingtalk::made(status, answer),
            Self::Aliyun { .. } => aliyun::sent(status, answer),
            Self::Tencent(_) => tencent::sent(status, answer),
        }
    }
}

/// Finds what a target names.
///
/// * `variable`: the environment, or what stands for it.
pub(super) fn way(
    known: &Knowledge,
    spec: &NotifySpec,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Way, OffError> {
    let named = |key, value: &str| {
        let value = secret_name(value).and_then(variable);
        value
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| OffError::NotSet { bot: known.bot.clone(), name: spec.name.clone(), key })
    };
    let secret = |key, value: &str| named(key, value).map(Secret::new);
    let plain = |key, value: &String| match secret_name(value) {
        Some(_) => named(key, value),
        None => Ok(value.clone()),
    };
    let robot_url = |value: &str| {
        let url = named("url", value)?;
        let bad = || OffError::Address { bot: known.bot.clone(), name: spec.name.clone() };
        address(&url).ok_or_else(bad).map(|_| Secret::new(url))
    };
    let phones =
        |phones: &[String]| phones.iter().map(|phone| secret("phones", phone)).collect::<Result<_, _>>();
    Ok(match &spec.to {
        Target::Dingtalk(to) => Way::Dingtalk {
            url: robot_url(&to.url)?,
            secret: to.secret.as_ref().map(|value| secret("secret", value)).transpose()?,
            at: dingtalk::At {
                mobiles: Vec::new(),
                users: to.mention.iter().filter(|user| *user != EVERYBODY).cloned().collect(),
                everybody: to.mention.iter().any(|user| user == EVERYBODY),
            },
            markdown: to.markdown,
        },
        Target::GroupRobot(to) => {
            Way::GroupRobot { url: robot_url(&to.url)?, mentions: to.mention.clone(), markdown: to.markdown }
        }
        Target::DingtalkTodo(to) => Way::Todo(TodoWay {
            app_key: secret("app_key", &to.app_key)?,
            app_secret: secret("app_secret", &to.app_secret)?,
            creator: plain("creator", &to.creator)?,
            executors: to.executors.iter().map(|id| plain("executors", id)).collect::<Result<_, _>>()?,
            detail_url: to.detail_url.clone(),
        }),
        Target::AliyunSms(to) => Way::Aliyun {
            credentials: aliyun::Credentials {
                id: secret("access_key_id", &to.access_key_id)?,
                secret: secret("access_key_secret", &to.access_key_secret)?,
            },
            sign: to.sign.clone(),
            template: to.template.clone(),
            phones: phones(&to.phones)?,
        },
        Target::TencentSms(to) => Way::Tencent(TencentWay {
            credentials: tencent::Credentials {
                id: secret("secret_id", &to.secret_id)?,
                key: secret("secret_key", &to.secret_key)?,
            },
            app_id: to.app_id.clone(),
            sign: to.sign.clone(),
            template: to.template.clone(),
            phones: phones(&to.phones)?,
        }),
    })
}

/// An address that can be asked.
pub(super) fn address(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
