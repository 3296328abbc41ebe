//! The shape of `bot.toml`: who the bot is, when people are there, how sure it must be.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde::Serialize;

use crate::knowledge::notify::NotifySpec;

/// All of `bot.toml`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the bot calls itself, such as `小应`.
    pub name: String,
    /// Heading of the chat page, such as `云朵小铺客服`.
    pub title: String,
    /// First words when a customer opens the chat; a template.
    pub greeting: String,
    /// Questions offered below the greeting, in the customer's words; at most six.
    #[serde(default)]
    pub suggestions: Vec<String>,
    /// IANA name of the zone that dates and hours are meant in.
    #[serde(default = "shanghai")]
    pub timezone: String,
    /// Telephone number for customers, given when nobody can take over.
    #[serde(default)]
    pub phone: Option<String>,
    /// Whether everybody who may chat over HTTP may talk to it (`true`), or only this machine and admins.
    #[serde(default = "yes")]
    pub web: bool,
    /// Days that links to its attachments work, 1 to 365; the server's `serve.link_days` when absent.
    #[serde(default)]
    pub link_days: Option<u32>,
    /// Milliseconds of quiet after which messages sent in a row are read as one, at most 2,500; `0`: each for itself.
    /// WeCom waits five seconds for an answer, and the quiet is part of them.
    #[serde(default)]
    pub quiet_ms: u32,
    /// Days that messages are kept, 1 to 3,650; absent: for ever.
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// What happens when the folder changes while the bot runs.
    #[serde(default)]
    pub watch: Watch,
    /// Topic id to Chinese title; the FAQ uses either.
    #[serde(default)]
    pub topics: BTreeMap<String, String>,
    /// Folder of the bot's model below the folder of models; absent for a bot without one.
    #[serde(default)]
    pub model: Option<String>,
    /// What an intent alone lets the bot do.
    #[serde(default)]
    pub intents: BTreeMap<String, IntentSpec>,
    /// How sure the bot must be.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// When people are there.
    #[serde(default)]
    pub hours: Hours,
    /// Days off that the week does not tell.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
    /// Who takes over.
    #[serde(default)]
    pub handoff: Handoff,
    /// When customers are asked how content they are; absent: never, and the bot closes no talk.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// Flood limit a customer.
    #[serde(default)]
    pub flood: Flood,
    /// What customers ask about a product, as words that give the question away.
    #[serde(default)]
    pub aspects: BTreeMap<Aspect, Vec<String>>,
    /// Where the catalogue comes from, for shops that keep it in a system of their own.
    #[serde(default)]
    pub catalogue: Option<Feed>,
    /// WeCom apps whose callback this bot answers, by the name in the path.
    #[serde(default)]
    pub wecom: BTreeMap<String, WecomApp>,
    /// 智能机器人 of WeCom whose callback this bot answers, by the name in the path.
    #[serde(default)]
    pub aibot: BTreeMap<String, WecomBot>,
    /// Who outside of the inbox is told what.
    #[serde(default)]
    pub notify: Vec<NotifySpec>,
    /// What customers hear who add a member of the company in WeCom, by where they come from.
    #[serde(default)]
    pub welcome: Vec<Welcome>,
}

impl Profile {
    /// The welcome for who comes from somewhere: the one that names it, else the one that names nothing.
    ///
    /// * `state`: of the 联系我 way; absent where they came by none of ours.
    #[must_use]
    pub fn welcome_from(&self, state: Option<&str>) -> Option<&Welcome> {
        let named = |welcome: &&Welcome| welcome.state.is_some() && welcome.state.as_deref() == state;
        let others = || self.welcome.iter().find(|welcome| welcome.state.is_none());
        self.welcome.iter().find(named).or_else(others)
    }
}

/// What a customer hears who adds a member of the company. Source: WeCom developer centre, 发送新客户欢迎语 (path 92137).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// For those who came by the way with this `state`, 1 to 30 characters; absent: for all others.
    #[serde(default)]
    pub state: Option<String>,
    /// Words; a template, at most 4,000 bytes when filled in. May be empty where there are attachments.
    #[serde(default)]
    pub text: String,
    /// What follows the words, at most nine.
    #[serde(default)]
    pub attachments: Vec<WelcomeAttachment>,
}

/// What follows a welcome. It has to be with WeCom before the customer comes: twenty seconds leave no time to upload.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum WelcomeAttachment {
    /// A picture that `media/uploadimg` was given.
    Image {
        /// Its address, as `media/uploadimg` gave it.
        pic_url: String,
    },
    /// A link with a picture.
    Link {
        /// First line, 1 to 128 bytes.
        title: String,
        /// Where a tap leads.
        url: String,
        /// Words, at most 512 bytes.
        description: Option<String>,
        /// Address of a picture.
        picture: Option<String>,
    },
    /// A mini program.
    Miniprogram {
        /// Words on the card, 1 to 64 bytes.
        title: String,
        /// Media id of the card's picture; WeCom keeps it for three days.
        pic_media_id: String,
        /// The mini program's app id.
        appid: String,
        /// Its page.
        page: String,
    },
}

/// An address that lists all goods: JSON, CSV or a spreadsheet.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The address, `http` or `https`; `{page}` in it counts from 1 until a page lists nothing new.
    pub url: String,
    /// Minutes from one look to the next, 1 to 10,080.
    #[serde(default = "hour")]
    pub every_minutes: u32,
    /// Value of the header `Authorization`, `env:NAME`.
    #[serde(default)]
    pub authorization: Option<String>,
    /// What the prices are in.
    #[serde(default)]
    pub price_in: PriceUnit,
    /// A column of `products.csv` to what the address calls it, such as `price = "price.sale"`; known names are guessed.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

fn hour() -> u32 {
    60
}

/// What a price counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PriceUnit {
    /// Yuan, with up to two decimals.
    #[default]
    Yuan,
    /// Hundredths of a yuan.
    Fen,
}

/// What happens when a bot's folder changes while it runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// The change waits as a draft until somebody publishes it.
    #[default]
    Draft,
    /// The bot answers from it within seconds, if it has no error.
    Publish,
}

impl Watch {
    /// Whether nobody is asked.
    #[must_use]
    pub fn publishes(self) -> bool {
        self == Self::Publish
    }
}

fn shanghai() -> String {
    "Asia/Shanghai".to_owned()
}

/// What the bot does for an intent when nothing it knows answers the message better.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct IntentSpec {
    /// Reply of `replies.toml` that is said.
    pub reply: Option<String>,
    /// Group that takes over.
    pub handoff: Option<String>,
}

/// Probabilities, `0.0..=1.0`, with `clarify <= answer`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// From here on an entry or a product answers.
    pub answer: f32,
    /// From here on it is offered as a choice.
    pub clarify: f32,
    /// A second candidate this close to the first one makes the bot ask back; near certainty it must be as close in odds.
    pub margin: f32,
    /// From here on an intent acts alone, where `[intents]` says what it does and no entry answers.
    pub intent: f32,
}

impl Default for Thresholds {
    /// Chosen by hand until a bot is calibrated with `yingda calibrate`.
    fn default() -> Self {
        Self { answer: 0.7, clarify: 0.25, margin: 0.05, intent: 0.8 }
    }
}

/// Business hours by day of the week, as `"09:00-12:00"` spans; a day without spans is off.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Hours {
    pub mon: Vec<String>,
    pub tue: Vec<String>,
    pub wed: Vec<String>,
    pub thu: Vec<String>,
    pub fri: Vec<String>,
    pub sat: Vec<String>,
    pub sun: Vec<String>,
}

/// A holiday with the weekend days that are worked in exchange.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Name for people, such as `国庆节`.
    pub name: String,
    /// First day off.
    pub from: Date,
    /// Last day off.
    pub until: Date,
    /// Days worked instead; they take Monday's hours.
    #[serde(default)]
    pub work_days: Vec<Date>,
    /// Hours on the days off, where somebody is there all the same.
    #[serde(default)]
    pub hours: Vec<String>,
}

/// Who takes over, and who is told.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Handoff {
    /// Group that takes over when a rule names none; absent where nobody can: the bot then gives phone and hours.
    pub default_group: Option<String>,
    /// Group id to Chinese title.
    pub groups: BTreeMap<String, String>,
    /// Minutes after which a customer is told that nobody has come yet, 1 to 1,440; off hours do not count.
    pub wait_minutes: u32,
    /// Group that is asked then; absent: the same group stays asked.
    pub overdue_group: Option<String>,
    /// Minutes that a human may be silent before the customer waits for another, 1 to 240.
    pub lease_minutes: u32,
    /// Whether customers of 微信客服 wait in the WeCom client, where its servicers take them, instead of in our inbox.
    pub in_client: bool,
    /// Address that is told of every handoff, `env:NAME`, after Standard Webhooks.
    pub webhook: Option<String>,
    /// Key of the webhook's signature, `env:NAME`, value `whsec_` and base64.
    pub webhook_secret: Option<String>,
}

impl Default for Handoff {
    /// Nobody takes over.
    fn default() -> Self {
        Self {
            default_group: None,
            groups: BTreeMap::new(),
            wait_minutes: 5,
            overdue_group: None,
            lease_minutes: 10,
            in_client: false,
            webhook: None,
            webhook_secret: None,
        }
    }
}

/// A question of one tap behind a talk.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Survey {
    /// Whether it is asked when a human closes a talk.
    pub after_human: bool,
    /// Minutes of a customer's silence after which the bot closes a talk and asks, 1 to 1,440; absent: it closes none.
    pub idle_minutes: Option<u32>,
    /// Hours in which a customer is asked once at most, 1 to 8,760.
    pub every_hours: u32,
}

impl Default for Survey {
    /// Once a day at most, after humans only.
    fn default() -> Self {
        Self { after_human: true, idle_minutes: None, every_hours: 24 }
    }
}

/// Most messages of one customer over HTTP; on WeCom every message is answered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Flood {
    /// Messages in one minute; more are answered with a request to wait. `0` switches the limit off.
    pub messages_per_minute: u32,
}

impl Default for Flood {
    fn default() -> Self {
        Self { messages_per_minute: 30 }
    }
}

/// What is asked about a product.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// What it costs.
    Price,
    /// Whether it is there.
    Stock,
    /// Which sizes there are.
    Size,
    /// Which colours there are.
    Colour,
    /// What it is made of.
    Material,
    /// Anything like this one: a suggestion.
    Recommend,
}

/// One WeCom app. Secrets are named, never written: `env:NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WecomApp {
    /// CorpID, checked against the id inside every callback; a plain value or `env:NAME`.
    pub corp_id: String,
    /// Token of the callback, `env:NAME`.
    pub token: String,
    /// EncodingAESKey of the callback, `env:NAME`.
    pub aes_key: String,
    /// Whether the app's members are the company's own (`true` for a self-built app).
    #[serde(default = "yes")]
    pub employees: bool,
    /// The app's own number, `AgentId` in the admin console; needed to send.
    #[serde(default)]
    pub agent_id: Option<i64>,
    /// The app's secret, `env:NAME`; without it the bot answers callbacks and sends nothing of its own.
    #[serde(default)]
    pub secret: Option<String>,
    /// Accounts of 微信客服 whose customers this bot answers, `open_kfid` or `env:NAME`; they need the secret.
    #[serde(default)]
    pub kf: Vec<String>,
}

/// One 智能机器人. Secrets are named, never written: `env:NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WecomBot {
    /// Token of the callback, `env:NAME`.
    pub token: String,
    /// EncodingAESKey of the callback, `env:NAME`.
    pub aes_key: String,
    /// Whether those who talk to it are the company's own.
    #[serde(default = "yes")]
    pub employees: bool,
}

fn yes() -> bool {
    true
}
