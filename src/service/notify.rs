//! Tells people outside of the inbox what happened: words for an event, the way they go, and how fast.
//!
//! The outbox is the ledger: what is told stands in it before it goes, and what could not be told stays listed.

mod way;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use tokio::sync::Mutex as Turnstile;

use crate::channel::http_client;
use crate::channel::notify::Answer;
use crate::channel::notify::Request;
use crate::channel::notify::aliyun;
use crate::channel::notify::dingtalk;
use crate::channel::notify::robot;
use crate::channel::notify::tencent;
use crate::knowledge::Knowledge;
use crate::knowledge::notify::EventKind;
use crate::knowledge::notify::NotifySpec;
use crate::knowledge::notify::Target;
use crate::nlu::mask::mask_id;
use crate::reply::notice;
use crate::reply::notice::Notice;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::callback::chain;
use crate::service::notify::way::TencentWay;
use crate::service::notify::way::TodoWay;
use crate::service::notify::way::Way;
use crate::service::notify::way::address;
use crate::service::pace::Paces;
use crate::store::EventRow;
use crate::store::NewOutbox;
use crate::store::OutboxRow;
use crate::text::hex::lower_hex;

pub use crate::service::notify::way::OffError;

/// Sender of notices, in the outbox.
pub const SENDER: &str = "notify";

/// After this long a notice helps nobody any more; it is listed as expired.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// Most bytes of the words of one notice; no way takes more.
const WORDS_BYTES_MAX: usize = 4_096;

/// Characters of a title that a list of talks shows. Chosen by hand.
const TITLE_CHARS_MAX: usize = 40;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A token is fetched anew so long before it ends.
const TOKEN_EARLY: SignedDuration = SignedDuration::from_mins(5);

/// Seconds that a token lives at most, whatever an answer says.
const TOKEN_SECONDS_MAX: u64 = 7_200;

/// The environment, or what stands for it.
pub type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where the services answer that have one address for all.
#[derive(Clone, Copy, Debug)]
pub struct Urls<'u> {
    /// DingTalk's API, for todo tasks.
    pub dingtalk: &'u str,
    /// Aliyun's SMS.
    pub aliyun: &'u str,
    /// Tencent's SMS.
    pub tencent: &'u str,
}

impl Default for Urls<'_> {
    /// The official ones.
    fn default() -> Self {
        Self {
            dingtalk: dingtalk::OFFICIAL_URL,
            aliyun: aliyun::OFFICIAL_URL,
            tencent: tencent::OFFICIAL_URL,
        }
    }
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// An address is none.
    #[error("notify.{key} is {value:?}, but must be an http(s) address")]
    Address {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The system's HTTP could not be set up.
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
}

/// What came of telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Taken,
    /// It may not go before then; whether it was tried or not, that counts for nothing.
    Held(Timestamp),
    /// It failed, and may do later.
    Later(String),
    /// It failed for good.
    Refused(String),
}

impl From<Answer> for Sent {
    /// [`Answer::NextWindow`] is met before; here it is as good as any other failure that passes.
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Taken => Self::Taken,
            Answer::Later { reason } | Answer::NextWindow { reason } => Self::Later(reason),
            Answer::Refused { reason } => Self::Refused(reason),
        }
    }
}

/// What of a notice the outbox keeps.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
struct Body {
    /// The words; empty for SMS.
    text: String,
    /// What the variables of an SMS stand for, by their names or places.
    params: Vec<(String, String)>,
}

/// A notice that is to be sent.
///
/// * `now`: from when on it grows old.
#[must_use]
pub fn outbox(known: &Knowledge, spec: &NotifySpec, event: &Event<'_>, now: Timestamp) -> NewOutbox {
    let customer_id = mask_id(event.row.customer.customer_id());
    let notice = Notice {
        known,
        kind: event.kind,
        group: event.row.group.as_deref(),
        customer_id: &customer_id,
        conversation_id: event.row.conversation_id,
        wait_minutes: event.wait_minutes,
    };
    // The lint has tried it; what it did not meet must not keep anybody from being told.
    let filled = |template: &str| match notice::words(template, &notice) {
        Ok(words) if words.len() <= WORDS_BYTES_MAX => words,
        result => {
            let error = result.err().map(|error| chain(&error));
            tracing::warn!(bot = %known.bot, notify = %spec.name, error, "a notice has the built-in words");
            notice::words(notice::BUILT_IN, &notice).unwrap_or_default()
        }
    };
    let text = match &spec.to {
        Target::AliyunSms(_) | Target::TencentSms(_) => String::new(),
        Target::Dingtalk(_) | Target::GroupRobot(_) | Target::DingtalkTodo(_) => {
            filled(spec.template.as_deref().unwrap_or(notice::BUILT_IN))
        }
    };
    let params = spec.to.params().into_iter().map(|(name, template)| (name, filled(template))).collect();
    let body = Body { text, params };
    NewOutbox {
        sender: SENDER.to_owned(),
        recipient: format!("{}/{}", known.bot, spec.name),
        body: serde_json::json!(body).to_string(),
        key: key(&known.bot, &spec.name, event.row),
        to_customer: false,
        latest_only: false,
        expires_at: now.checked_add(OLD).ok(),
    }
}

/// An event as a notice needs it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'e> {
    /// The event.
    pub row: &'e EventRow,
    /// What happened.
    pub kind: EventKind,
    /// For how long the customer has waited for a human; 0 where they do not.
    pub wait_minutes: i64,
}

/// The same for the same event and target, and another for any other, also after the store was made anew.
fn key(bot: &str, name: &str, event: &EventRow) -> String {
    let named = serde_json::json!([SENDER, event.id, event.at.as_millisecond(), bot, name]);
    format!("n{}", &lower_hex(&Sha256::digest(named.to_string()))[..31])
}

/// Sends a notice of the outbox.
pub async fn send(service: &Service, row: &OutboxRow) -> Sent {
    let Some(notifier) = service.notifier() else { return Sent::Later("nobody is told here".to_owned()) };
    let bots = service.bots();
    let found = row.recipient.split_once('/').and_then(|(bot, name)| {
        let known = bots.get(bot)?.known();
        Some((known, known.profile.notify.iter().find(|spec| spec.name == name)?))
    });
    let Some((known, spec)) = found else { return Sent::Refused("no such target".to_owned()) };
    let Ok(body) = serde_json::from_str::<Body>(&row.body) else {
        return Sent::Refused("unreadable".to_owned());
    };
    match notifier.way(known, spec) {
        Ok(way) => notifier.tell(&way, &body, row, service.now()).await.map_or_else(|sent| sent, Sent::from),
        // Its operator may have mended it by the next attempt.
        Err(_off) => Sent::Later("the target is off".to_owned()),
    }
}

/// The ways to people, and how fast they may be gone.
pub struct Notifier {
    http: reqwest::Client,
    dingtalk: Url,
    aliyun: Url,
    tencent: Url,
    variable: Variable,
    paces: Paces,
    /// By the app's key. Held while a token is fetched, so that many callers fetch one.
    tokens: Turnstile<BTreeMap<String, Token>>,
}

struct Token {
    value: Secret,
    good_until: Timestamp,
}

impl Notifier {
    /// # Errors
    /// See [`SetUpError`].
    pub fn new(urls: Urls<'_>, variable: Variable) -> Result<Self, SetUpError> {
        let parsed = |key, value: &str| {
            address(value).ok_or_else(|| SetUpError::Address { key, value: value.to_owned() })
        };
        Ok(Self {
            dingtalk: parsed("dingtalk_url", urls.dingtalk)?,
            aliyun: parsed("aliyun_url", urls.aliyun)?,
            tencent: parsed("tencent_url", urls.tencent)?,
            http: http_client()?,
            variable,
            paces: Paces::default(),
            tokens: Turnstile::default(),
        })
    }

    /// The targets that are off, with the reason.
    #[must_use]
    pub fn off<'k>(&self, bots: impl Iterator<Item = &'k Knowledge>) -> Vec<OffError> {
        let specs = bots.flat_map(|known| known.profile.notify.iter().map(move |spec| (known, spec)));
        specs.filter_map(|(known, spec)| self.way(known, spec).err()).collect()
    }

    fn way(&self, known: &Knowledge, spec: &NotifySpec) -> Result<Way, OffError> {
        way::way(known, spec, &*self.variable)
    }

    /// Whether a target has all that it needs.
    #[must_use]
    pub fn is_on(&self, known: &Knowledge, spec: &NotifySpec) -> bool {
        self.way(known, spec).is_ok()
    }

    async fn tell(&self, way: &Way, body: &Body, row: &OutboxRow, now: Timestamp) -> Result<Answer, Sent> {
        let limit = way.limit(&row.recipient);
        self.paces.admit(&limit.key, limit.count.as_slice(), now).map_err(Sent::Held)?;
        let request = self.request(way, body, &row.key, now).await?;
        let (status, answer) = self.post(request).await?;
        if let (401, Way::Todo(todo)) = (status, way) {
            self.tokens.lock().await.remove(todo.app_key.expose());
        }
        match way.read(status, &answer) {
            Answer::NextWindow { reason } => {
                let until = now.checked_add(limit.pause).unwrap_or(now);
                tracing::warn!(to = %row.recipient, %reason, %until, "told too fast: nothing more until then");
                self.paces.close(limit.key, until);
                Err(Sent::Held(until))
            }
            answer => Ok(answer),
        }
    }

    async fn request(&self, way: &Way, body: &Body, key: &str, now: Timestamp) -> Result<Request, Sent> {
        let request = match way {
            Way::Dingtalk { url, secret, at, markdown } => {
                let (text, at) = (body.text.clone(), at.clone());
                let message = if *markdown {
                    dingtalk::Message::Markdown { title: title(&text), text, at }
                } else {
                    dingtalk::Message::Text { content: text, at }
                };
                dingtalk::say(url, secret.as_ref(), &message, now)
            }
            Way::GroupRobot { url, mentions, markdown } => {
                let (content, mentions) = (body.text.clone(), mentions.clone());
                let message = if *markdown {
                    // Who is pointed at stands in the words; nothing there points at everybody.
                    let users = mentions.iter().filter(|user| *user != way::EVERYBODY);
                    let users: String = users.map(|user| format!("<@{user}>")).collect();
                    robot::Message::Markdown(format!("{content}\n{users}").trim_end().to_owned())
                } else {
                    robot::Message::Text { content, mentions, mentioned_mobiles: Vec::new() }
                };
                robot::say(url, &message)
            }
            Way::Todo(way) => {
                let token = self.token(way, now).await?;
                let todo = dingtalk::Todo {
                    source_id: key.to_owned(),
                    subject: body.text.clone(),
                    description: String::new(),
                    creator: way.creator.clone(),
                    executors: way.executors.clone(),
                    detail_url: way.detail_url.clone(),
                };
                dingtalk::make_todo(self.dingtalk.as_str(), &token, &todo)
            }
            Way::Aliyun { credentials, sign, template, phones } => {
                let params: BTreeMap<String, String> = body.params.iter().cloned().collect();
                let sms = aliyun::Sms { phones, sign, template, params: &params, key };
                aliyun::send(&self.aliyun, credentials, &sms, now, &nonce()?)
            }
            Way::Tencent(TencentWay { credentials, app_id, sign, template, phones }) => {
                let params: Vec<String> = body.params.iter().map(|(_, value)| value.clone()).collect();
                let sms = tencent::Sms { phones, app_id, template, sign, params: &params, key };
                tencent::send(&self.tencent, credentials, &sms, now)
            }
        };
        request.map_err(|error| Sent::Refused(error.to_string()))
    }

    async fn token(&self, way: &TodoWay, now: Timestamp) -> Result<Secret, Sent> {
        let mut tokens = self.tokens.lock().await;
        let app = way.app_key.expose();
        if let Some(token) = tokens.get(app).filter(|token| now < token.good_until) {
            return Ok(token.value.clone());
        }
        let request = dingtalk::access_token(self.dingtalk.as_str(), &way.app_key, &way.app_secret);
        let (status, answer) = self.post(request).await?;
        let (value, seconds) = dingtalk::token_of(status, &answer).map_err(Sent::from)?;
        let life = SignedDuration::from_secs(seconds.min(TOKEN_SECONDS_MAX) as i64) - TOKEN_EARLY;
        let good_until = now.checked_add(life).unwrap_or(now);
        tokens.insert(app.to_owned(), Token { value: value.clone(), good_until });
        Ok(value)
    }

    async fn post(&self, request: Request) -> Result<(u16, Vec<u8>), Sent> {
        // Addresses carry keys and telephone numbers; they stay out of the log.
        let failed = |error: reqwest::Error| {
            tracing::info!(error = %chain(&error.without_url()), "a notice met no answer");
            Sent::Later("no answer".to_owned())
        };
        let mut post = self.http.post(request.url.expose()).body(request.body);
        for (name, value) in &request.headers {
            post = post.header(*name, value.expose());
        }
        let mut response = post.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(Sent::Later(format!("an answer of more than {ANSWER_BYTES_MAX} bytes")));
            }
        }
        Ok((status, bytes))
    }
}

/// The first line of a notice, without the signs that make it a heading.
fn title(markdown: &str) -> String {
    let line = markdown.lines().map(|line| line.trim_start_matches(['#', '>', ' ']).trim());
    line.into_iter().find(|line| !line.is_empty()).unwrap_or("通知").chars().take(TITLE_CHARS_MAX).collect()
}

/// Random words that were never used.
fn nonce() -> Result<String, Sent> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Sent::Later("no random bytes".to_owned()))?;
    Ok(lower_hex(&random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::sample::shop;
    use crate::message::Channel;
    use crate::store::CustomerKey;

    const ROBOT: &str = "{ group_robot = { url = \"env:X\" } }";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn told(spec: &str, second: i64) -> (String, Body) {
        let row = EventRow {
            id: 7,
            conversation_id: 12,
            customer: CustomerKey::new("sample", Channel::Web, "wm1234567890").unwrap(),
            kind: "waiting".to_owned(),
            group: Some("service".to_owned()),
            at: at(second),
        };
        let event = Event { row: &row, kind: EventKind::Waiting, wait_minutes: 0 };
        let row = outbox(&shop(), &toml::from_str(spec).unwrap(), &event, at(second));
        assert_eq!((row.sender.as_str(), row.to_customer), (SENDER, false));
        (row.key, serde_json::from_str(&row.body).unwrap())
    }

    fn spec(name: &str, template: &str) -> String {
        format!("name = \"{name}\"\non = [\"waiting\"]\ntemplate = \"{template}\"\nto = {ROBOT}")
    }

    #[test]
    fn the_title_of_a_markdown_notice_is_its_first_line() {
        assert_eq!(title("\n## 有客户在等人工\n> 会话 7"), "有客户在等人工");
        assert_eq!(title("  \n"), "通知");
        assert_eq!(title(&"长".repeat(50)).chars().count(), TITLE_CHARS_MAX);
    }

    #[test]
    fn a_notice_has_a_key_of_its_event_and_target() {
        let (key, body) = told(&spec("a", "{{ customer_id }}"), 0);
        assert_eq!(body, Body { text: "****7890".to_owned(), params: Vec::new() });
        assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
        assert_eq!(key, told(&spec("a", "other words"), 0).0);
        assert_ne!(key, told(&spec("b", "{{ customer_id }}"), 0).0);
        assert_ne!(key, told(&spec("a", "{{ customer_id }}"), 1).0, "a store that was made anew counts anew");
    }

    #[test]
    fn words_that_cannot_be_used_give_way_to_the_built_in_ones() {
        let built_in = told(&spec("a", notice::BUILT_IN), 0).1;
        for template in ["{{ nobody }}", "{{ title", "{% for i in [0] * 9999999 %}{% endfor %}"] {
            assert_eq!(told(&spec("a", template), 0).1, built_in, "{template}");
        }
        assert_eq!(told(&spec("a", &"x".repeat(4_096)), 0).1.text.len(), 4_096);
        assert_eq!(told(&spec("a", &"x".repeat(4_097)), 0).1, built_in);
    }

    #[test]
    fn a_message_by_sms_is_its_variables() {
        let sms = "name = \"a\"\non = [\"waiting\"]\nto = { tencent_sms = { secret_id = \"env:I\", secret_key = \"env:K\", \
                   app_id = \"1\", sign = \"s\", template = \"7\", phones = [\"env:P\"], params = [\"{{ group }}\", \"b\"] } }";
        let params = vec![("1".to_owned(), "客服组".to_owned()), ("2".to_owned(), "b".to_owned())];
        assert_eq!(told(sms, 0).1, Body { text: String::new(), params });
    }

    #[test]
    fn addresses_are_checked_when_they_are_given() {
        let with = |dingtalk| {
            let urls = Urls { dingtalk, ..Urls::default() };
            Notifier::new(urls, Arc::new(|_| None)).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(with("http://127.0.0.1:1"), Ok(()));
        let expected = "notify.dingtalk_url is \"api.dingtalk.com\", but must be an http(s) address";
        assert_eq!(with("api.dingtalk.com"), Err(expected.to_owned()));
    }
}
