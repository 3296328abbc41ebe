//! WeCom apps of the bots: their keys are found by the names that `bot.toml` gives.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::SetUpError;
use crate::channel::wecom::crypto::CallbackKey;
use crate::channel::wecom::crypto::CryptoError;
use crate::knowledge::Knowledge;
use crate::knowledge::secret_name;
use crate::message::BotId;
use crate::secret::Secret;
use crate::service::contact::TagList;
use crate::service::pace::Limit;
use crate::service::pace::Paces;

/// One app whose callback is answered here.
#[derive(Debug)]
pub struct App {
    /// Name in the path `/wecom/{app}/callback`.
    pub name: String,
    /// The bot that answers.
    pub bot: BotId,
    /// CorpID: sender of every passive reply.
    pub corp_id: String,
    /// Token and AES key.
    pub key: CallbackKey,
    /// Whether its members are the company's own.
    pub employees: bool,
    /// Its way to WeCom, where it has a secret.
    pub active: Option<Active>,
    /// Accounts of 微信客服 that it answers; none without a way to WeCom.
    pub kf: Vec<String>,
    /// Whether its bot welcomes customers who add members.
    pub welcomes: bool,
}

/// An app's own way to WeCom.
#[derive(Debug)]
pub struct Active {
    /// Calls WeCom.
    pub client: Client,
    /// The app's number; without it nothing is sent to members.
    pub agent_id: Option<i64>,
    /// Tags that the company puts on customers.
    pub tags: TagList,
    /// How fast members are written to.
    members: Paces,
}

/// What WeCom delivers to one member from one app; it drops more without a word. Source: developer centre, 频率限制
/// (path 90312).
const TO_MEMBER: &[Limit] = &[Limit::per_minute(30), Limit::per_hour(1_000)];

impl Active {
    /// Counts a message to a member that goes now, or says when it may.
    ///
    /// # Errors
    /// The time from which on WeCom would deliver it.
    pub fn write_to(&self, member: &str, now: Timestamp) -> Result<(), Timestamp> {
        self.members.admit(member, TO_MEMBER, now)
    }
}

/// Why an app cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A secret is not in the environment.
    #[error("wecom app {app:?} of bot {bot:?} is off: {key} names the variable {variable}, which is not set")]
    NotSet {
        /// The app.
        app: String,
        /// Its bot.
        bot: BotId,
        /// Key in `bot.toml`.
        key: &'static str,
        /// The variable.
        variable: String,
    },
    /// A secret stands in `bot.toml` itself.
    #[error("wecom app {app:?} of bot {bot:?} is off: {key} must be `env:NAME`, not the secret itself")]
    Literal {
        /// The app.
        app: String,
        /// Its bot.
        bot: BotId,
        /// Key in `bot.toml`.
        key: &'static str,
    },
    /// Token or AES key are malformed.
    #[error("wecom app {app:?} of bot {bot:?} is off")]
    Key {
        /// The app.
        app: String,
        /// Its bot.
        bot: BotId,
        /// What is wrong.
        #[source]
        source: CryptoError,
    },
    /// It could not send.
    #[error("wecom app {app:?} of bot {bot:?} is off")]
    Client {
        /// The app.
        app: String,
        /// Its bot.
        bot: BotId,
        /// What is wrong.
        #[source]
        source: SetUpError,
    },
    /// Accounts of 微信客服 without a way to their messages.
    #[error("wecom app {app:?} of bot {bot:?} is off: kf needs a secret")]
    NoSecret {
        /// The app.
        app: String,
        /// Its bot.
        bot: BotId,
    },
    /// Two bots want the same path.
    #[error("wecom app {app:?} is named by the bots {first:?} and {second:?}; a path serves one bot")]
    Twice {
        /// The app.
        app: String,
        /// The bot that has it.
        first: BotId,
        /// The bot that wants it too.
        second: BotId,
    },
}

impl AppError {
    /// The app that is off.
    #[must_use]
    pub fn app(&self) -> &str {
        match self {
            Self::NotSet { app, .. }
            | Self::Literal { app, .. }
            | Self::Key { app, .. }
            | Self::Client { app, .. }
            | Self::NoSecret { app, .. }
            | Self::Twice { app, .. } => app,
        }
    }
}

/// The apps of all bots, and those that are off with the reason.
///
/// * `wecom_url`: where WeCom's interface answers.
/// * `variable`: the environment, or what stands for it.
#[must_use]
pub fn apps<'k>(
    bots: impl Iterator<Item = &'k Knowledge>,
    wecom_url: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (BTreeMap<String, App>, Vec<AppError>) {
    let mut apps: BTreeMap<String, App> = BTreeMap::new();
    let mut off = Vec::new();
    for known in bots {
        for name in known.profile.wecom.keys() {
            if let Some(other) = apps.get(name) {
                let (first, second) = (other.bot.clone(), known.bot.clone());
                off.push(AppError::Twice { app: name.clone(), first, second });
                continue;
            }
            match app(known, name, wecom_url, variable) {
                Ok(app) => {
                    apps.insert(name.clone(), app);
                }
                Err(error) => off.push(error),
            }
        }
    }
    (apps, off)
}

fn app(
    known: &Knowledge,
    name: &str,
    wecom_url: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<App, AppError> {
    let spec = &known.profile.wecom[name];
    let named = |key, value: &str| named((name, &known.bot), (key, value), variable);
    let corp_id = if secret_name(&spec.corp_id).is_some() {
        named("corp_id", &spec.corp_id)?
    } else {
        spec.corp_id.clone()
    };
    let token = Secret::new(named("token", &spec.token)?);
    let aes_key = Secret::new(named("aes_key", &spec.aes_key)?);
    let key = CallbackKey::new(&token, &aes_key, &corp_id).map_err(|source| AppError::Key {
        app: name.to_owned(),
        bot: known.bot.clone(),
        source,
    })?;
    let (own, bot) = (|| name.to_owned(), || known.bot.clone());
    let active = match &spec.secret {
        // Without its secret an app answers callbacks all the same, and sends nothing of its own.
        Some(secret)
            if spec.kf.is_empty() && secret_name(secret).is_some_and(|name| variable(name).is_none()) =>
        {
            tracing::warn!(app = name, "the app's secret is not set: late answers are recorded and not sent");
            None
        }
        Some(secret) => {
            let secret = Secret::new(named("secret", secret)?);
            let client = Client::new(wecom_url, &corp_id, secret).map_err(|source| AppError::Client {
                app: own(),
                bot: bot(),
                source,
            })?;
            Some(Active {
                client,
                agent_id: spec.agent_id,
                tags: TagList::default(),
                members: Paces::default(),
            })
        }
        None if !spec.kf.is_empty() => return Err(AppError::NoSecret { app: own(), bot: bot() }),
        None => None,
    };
    let account = |account: &String| match secret_name(account) {
        Some(_) => named("kf", account),
        None => Ok(account.clone()),
    };
    let kf = spec.kf.iter().map(account).collect::<Result<_, _>>()?;
    let welcomes = !known.profile.welcome.is_empty();
    Ok(App { name: own(), bot: bot(), corp_id, key, employees: spec.employees, active, kf, welcomes })
}

/// The value of a secret that `bot.toml` names.
///
/// * `app`, `bot`: whose it is. `key`, `value`: as `bot.toml` has them.
///
/// # Errors
/// `NotSet` or `Literal`.
pub(super) fn named(
    (app, bot): (&str, &BotId),
    (key, value): (&'static str, &str),
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, AppError> {
    let (app, bot) = (app.to_owned(), bot.clone());
    let Some(wanted) = secret_name(value) else { return Err(AppError::Literal { app, bot, key }) };
    let found = variable(wanted).filter(|value| !value.is_empty());
    found.ok_or_else(|| AppError::NotSet { app, bot, key, variable: wanted.to_owned() })
}
