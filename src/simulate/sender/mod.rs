//! Those through whom staff are called: DingTalk (钉钉), and the text messages of Aliyun and Tencent Cloud.
//!
//! Signatures are computed here anew from the vendors' pages, and checked against their examples. What came is kept for
//! whoever asks at `/_sim/senders`, with every rule that was broken on the way.

mod aliyun;
mod dingtalk;
mod signature;
mod tencent;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::secret::Secret;

/// Where the real time is read.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Entries that are kept; the oldest go first.
const ENTRIES_MAX: usize = 100_000;

/// What somebody must know to send.
#[derive(Clone, Debug)]
pub struct SenderPlan {
    /// `access_token` of DingTalk's robot.
    pub robot_token: Secret,
    /// The secret that its requests are signed with.
    pub robot_secret: Secret,
    /// DingTalk's app: `appKey` and `appSecret`.
    pub app_key: String,
    /// Of the same app.
    pub app_secret: Secret,
    /// `unionId` of everybody who can have a todo.
    pub union_ids: Vec<String>,
    /// Aliyun's AccessKeyId.
    pub aliyun_id: String,
    /// Aliyun's AccessKeySecret.
    pub aliyun_secret: Secret,
    /// Aliyun's templates: the code, and the parameters that it must be given.
    pub aliyun_templates: Vec<(String, Vec<String>)>,
    /// Tencent Cloud's SecretId.
    pub tencent_id: String,
    /// Tencent Cloud's SecretKey.
    pub tencent_key: Secret,
    /// Tencent Cloud's `SmsSdkAppId`.
    pub tencent_app: String,
    /// Tencent Cloud's templates: the id, and how many parameters it has.
    pub tencent_templates: Vec<(String, usize)>,
    /// The text before each message, approved by both.
    pub sign_name: String,
}

impl SenderPlan {
    /// One robot, one app with two people, one template at each vendor.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            robot_token: Secret::new("simulator-dingtalk-robot"),
            robot_secret: Secret::new("SECsimulatordingtalk"),
            app_key: "dingsimulator".to_owned(),
            app_secret: Secret::new("simulator-dingtalk-app"),
            union_ids: vec!["UNION1".to_owned(), "UNION2".to_owned()],
            aliyun_id: "LTAIsimulator".to_owned(),
            aliyun_secret: Secret::new("simulator-aliyun-secret"),
            aliyun_templates: vec![("SMS_100000001".to_owned(), vec!["code".to_owned()])],
            tencent_id: "AKIDsimulator".to_owned(),
            tencent_key: Secret::new("simulator-tencent-key"),
            tencent_app: "1400000001".to_owned(),
            tencent_templates: vec![("1100001".to_owned(), 1)],
            sign_name: "云朵小铺".to_owned(),
        }
    }

    /// Names and values of what a sender must know.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let aliyun_template = self.aliyun_templates.first().map_or("", |(code, _)| code);
        let tencent_template = self.tencent_templates.first().map_or("", |(id, _)| id);
        [
            ("DINGTALK_ROBOT_TOKEN", self.robot_token.expose()),
            ("DINGTALK_ROBOT_SECRET", self.robot_secret.expose()),
            ("DINGTALK_APP_KEY", &self.app_key),
            ("DINGTALK_APP_SECRET", self.app_secret.expose()),
            ("DINGTALK_UNION_ID", self.union_ids.first().map_or("", String::as_str)),
            ("ALIYUN_ACCESS_KEY_ID", &self.aliyun_id),
            ("ALIYUN_ACCESS_KEY_SECRET", self.aliyun_secret.expose()),
            ("ALIYUN_SMS_TEMPLATE", aliyun_template),
            ("TENCENT_SECRET_ID", &self.tencent_id),
            ("TENCENT_SECRET_KEY", self.tencent_key.expose()),
            ("TENCENT_SMS_APP_ID", &self.tencent_app),
            ("TENCENT_SMS_TEMPLATE", tencent_template),
            ("SMS_SIGN_NAME", &self.sign_name),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// The vendors: cheap to clone, all clones share one state.
#[derive(Clone)]
pub struct Senders {
    plan: Arc<SenderPlan>,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

/// All that is remembered.
#[derive(Default)]
struct Kept {
    /// What came and was taken.
    came: Vec<Value>,
    /// Rules that were broken.
    broken: Vec<Value>,
    /// When the robot spoke, and until when it may not.
    spoke: Vec<Timestamp>,
    silent_until: Option<Timestamp>,
    /// DingTalk's tokens, until when each is good.
    tokens: BTreeMap<String, Timestamp>,
    /// Todos by the caller's own id.
    todos: BTreeMap<String, Value>,
    /// Nonces that Aliyun has seen.
    nonces: BTreeSet<String>,
    /// When each number got a text message, by vendor and number.
    numbers: BTreeMap<(&'static str, String), Vec<Timestamp>>,
    /// Ids that were given out.
    n_ids: u64,
}

impl Senders {
    /// Vendors to whom nobody has sent anything yet.
    #[must_use]
    pub fn new(plan: SenderPlan, clock: Clock) -> Self {
        Self { plan: Arc::new(plan), clock, kept: Arc::default() }
    }

    /// DingTalk below `/dingtalk`, Aliyun at `/aliyun`, Tencent Cloud at `/tencent`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/dingtalk/robot/send", post(dingtalk::say))
            .route("/dingtalk/v1.0/oauth2/accessToken", post(dingtalk::token))
            .route("/dingtalk/v1.0/todo/users/{union_id}/tasks", post(dingtalk::todo))
            .route("/aliyun", post(aliyun::send))
            .route("/aliyun/", post(aliyun::send))
            .route("/tencent", post(tencent::send))
            .route("/tencent/", post(tencent::send))
            .route("/_sim/senders", get(view))
            .with_state(self)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came, and which rules were broken.
async fn view(State(senders): State<Senders>) -> Json<Value> {
    let kept = senders.kept();
    Json(json!({ "came": kept.came, "broken": kept.broken }))
}

impl Kept {
    /// Keeps what a vendor has taken.
    fn takes(&mut self, at: Timestamp, vendor: &str, what: Value) {
        if self.came.len() == ENTRIES_MAX {
            self.came.drain(..ENTRIES_MAX / 10);
        }
        self.came.push(json!({ "at": at.to_string(), "vendor": vendor, "what": what }));
    }

    /// Notes what the real ones overlook, to whose disappointment who sent it.
    fn breaks(&mut self, vendor: &str, rule: impl Into<String>) {
        let rule = rule.into();
        self.broken.push(json!({ "vendor": vendor, "rule": rule }));
    }

    /// Notes fields that a page does not have.
    fn known(&mut self, vendor: &str, body: &Value, names: &[&str]) {
        let fields = body.as_object().into_iter().flatten();
        for (name, _) in fields.filter(|(name, _)| !names.contains(&name.as_str())) {
            self.breaks(vendor, format!("no field is called {name}"));
        }
    }

    fn id(&mut self, kind: &str) -> String {
        self.n_ids += 1;
        format!("{kind}{:012}", self.n_ids)
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The parts of an `Authorization` of either cloud: who signs, which headers, and the signature.
struct Authorization<'h> {
    credential: &'h str,
    names: Vec<&'h str>,
    signature: &'h str,
}

impl<'h> Authorization<'h> {
    fn read(headers: &'h HeaderMap, algorithm: &str) -> Option<Self> {
        let rest = header(headers, "authorization").strip_prefix(algorithm)?;
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            credential: part("Credential")?,
            names: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}
