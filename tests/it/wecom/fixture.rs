//! Two small bots with a WeCom app each, a router over them, and the other side of the wire: what WeCom sends
//! and how it reads the answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::Request;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;
use yingda::channel::wecom::crypto::CallbackKey as WireKey;
use yingda::engine;
use yingda::engine::Engine;
use yingda::http::Desk;
use yingda::http::link::Signer;
use yingda::http::router;
use yingda::knowledge::Knowledge;
use yingda::message::Channel;
use yingda::secret::Secret;
use yingda::service::Clock;
use yingda::service::Service;
use yingda::service::app;
use yingda::service::app::App;
use yingda::service::callback::Callbacks;
use yingda::store::CustomerKey;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::text::segment::Segmenter;

use super::stand::SECRET;

/// Configuration D of the vectors.
pub(super) const CORP: &str = "wwfac7test00000001";
pub(super) const TOKEN: &str = "kfTestToken2024";
pub(super) const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPR";

const FARM_CORP: &str = "wwfarm000000000002";
pub(super) const FARM_TOKEN: &str = "farmToken";
pub(super) const FARM_AES_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";

/// When every test begins: 2026-11-24, a Tuesday, 10:00 in Shanghai.
const START: i64 = 1_795_485_600;

/// Longer than any test takes on a slow machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const WAITING: &str = "正在为您查询，请稍候……";
pub(super) const GREETING: &str = "您好，我是小应。";

/// Nothing is sure enough to answer but a rule: where an entry is near, the bot always asks back.
const PROFILE: &str = r#"
name = "小应"
title = "云朵小铺客服"
greeting = "您好，我是小应。"
[topics]
return_policy = "退换货"
[handoff]
default_group = "service"
[handoff.groups]
service = "客服组"
[thresholds]
answer = 1.0
clarify = 0.05
[flood]
messages_per_minute = 0
[wecom.kf]
corp_id = "wwfac7test00000001"
token = "env:KF_TOKEN"
aes_key = "env:KF_AES_KEY"
"#;

const FAQ: &str = "编号,分类,问题,相似问,答案,回复,生效,失效
return-how,return_policy,怎么退货,我要退货|退货流程,签收七天内可以退货。,,,
";

const FARM_PROFILE: &str = r#"
name = "小田"
title = "田间果园"
greeting = "您好，我是小田。"
[handoff]
default_group = "service"
[handoff.groups]
service = "客服组"
[wecom.farm]
corp_id = "wwfarm000000000002"
token = "env:FARM_TOKEN"
aes_key = "env:FARM_AES_KEY"
agent_id = 1000002
secret = "env:FARM_SECRET"
kf = ["wkFARM"]
[[welcome]]
state = "poster_07"
text = "您好，{{ bot.name }}欢迎您，海报上的券在这里："
attachments = [{ kind = "link", title = "新人券", url = "https://farm.example/coupon", picture = "https://farm.example/c.png" }]
[[welcome]]
text = "您好，我是{{ bot.name }}。"
"#;

/// Words, each with a rule that answers them.
pub(super) const NUMBERS: [&str; 6] = ["甲号", "乙号", "丙号", "丁号", "戊号", "己号"];

/// What the shop's rule says to one of [`NUMBERS`].
pub(super) fn answer_to(number: &str) -> String {
    format!("这是{number}的答复。")
}

/// What the farm's rule says to one of [`NUMBERS`].
pub(super) fn farm_answer_to(number: &str) -> String {
    format!("果园：{number}。")
}

/// The sentences of the shop's long reply; all of them together are about three messages long.
pub(super) fn terms() -> Vec<String> {
    (1..=120).map(|number| format!("第{number:03}条：请保持吊牌完整，连同包装一起寄回。")).collect()
}

/// Writes the bots `shop` and `farm` below a folder.
pub(super) fn write_bots(root: &Path) {
    let write = |path: &str, text: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("shop/bot.toml", PROFILE.as_bytes());
    write("shop/faq/return.csv", FAQ.as_bytes());
    write("shop/attachments/size.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let replies = r#"
[reply.chart]
attachments = [{ kind = "image", file = "attachments/size.png", title = "尺码表", media_id = "MEDIA-1" }]
[reply.chart-link]
text = "尺码表在这里："
attachments = [{ kind = "image", file = "attachments/size.png", title = "尺码表" }]
[reply.card]
attachments = [{ kind = "card", title = "冬季上新", description = "全场包邮", url = "https://shop.example/new", picture = "attachments/size.png" }]
[reply.terms]
text = "TERMS"
"#;
    write("shop/replies.toml", replies.replace("TERMS", &terms().concat()).as_bytes());
    let rule = |word: &str, then: &str| {
        format!(
            "[[rule]]\nid = \"{word}\"\nstage = \"hard\"\nwhen = {{ any = [\"{word}\"] }}\nthen = [{{ {then} }}]\n"
        )
    };
    let named = [("尺码表", "chart"), ("尺码链接", "chart-link"), ("上新", "card"), ("全部条款", "terms")];
    let rules: String = named
        .iter()
        .map(|(word, name)| rule(word, &format!("reply = \"{name}\"")))
        .chain(NUMBERS.iter().map(|number| rule(number, &format!("text = \"{}\"", answer_to(number)))))
        .collect();
    write("shop/rules.toml", rules.as_bytes());
    write("farm/bot.toml", FARM_PROFILE.as_bytes());
    let farm: String = NUMBERS
        .iter()
        .map(|number| rule(number, &format!("text = \"{}\"", farm_answer_to(number))))
        .chain([
            rule("会员", "tag = \"重要\" }, { text = \"好的。\""),
            rule("常客", "tag = \"常客\" }, { text = \"好的。\""),
        ])
        .collect();
    write("farm/rules.toml", farm.as_bytes());
}

fn secret_of(name: &str) -> Option<String> {
    let secrets = [
        ("KF_TOKEN", TOKEN),
        ("KF_AES_KEY", AES_KEY),
        ("FARM_TOKEN", FARM_TOKEN),
        ("FARM_AES_KEY", FARM_AES_KEY),
        ("FARM_SECRET", SECRET),
    ];
    secrets.iter().find(|(key, _)| *key == name).map(|(_, secret)| (*secret).to_owned())
}

/// Reading the dictionary takes longer than any test, so it is done once.
static BOTS: LazyLock<(Vec<Knowledge>, Arc<Segmenter>)> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    write_bots(root.path());
    let known: Vec<Knowledge> = ["shop", "farm"]
        .iter()
        .map(|bot| {
            let (known, findings) = engine::load(&root.path().join(bot), jiff::civil::date(2026, 11, 24));
            assert!(engine::servable(&findings), "{findings:?}");
            known.unwrap()
        })
        .collect();
    let words: Vec<String> = known.iter().flat_map(engine::vocabulary).collect();
    let segmenter = Segmenter::new(words.iter().map(String::as_str));
    (known, Arc::new(segmenter))
});

/// A store in a folder that goes with it.
pub(super) struct Disk {
    pub(super) store: Arc<SqliteStore>,
    _dir: tempfile::TempDir,
}

impl Disk {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(dir.path()).await.unwrap());
        Self { store, _dir: dir }
    }
}

/// A service of both bots.
pub(super) fn service(store: Arc<dyn Store>, clock: Clock) -> Arc<Service> {
    quiet_service(store, clock, 0)
}

/// The same, of bots that wait for so many quiet milliseconds.
pub(super) fn quiet_service(store: Arc<dyn Store>, clock: Clock, quiet_ms: u32) -> Arc<Service> {
    let (known, segmenter) = &*BOTS;
    let engines = known.iter().map(|known| {
        let mut known = known.clone();
        known.profile.quiet_ms = quiet_ms;
        Engine::new(known, Arc::clone(segmenter)).unwrap()
    });
    Arc::new(Service::new(engines.collect(), store, clock))
}

/// A desk with the apps `kf` of `shop` and `farm` of `farm`, and `aibot`, whose receiver id is empty.
pub(super) fn desk(service: &Arc<Service>, deadline: Duration) -> Desk {
    // Nobody listens there.
    desk_over("http://127.0.0.1:9", service, deadline)
}

/// The same, over what stands in for WeCom's interface.
pub(super) fn desk_over(wecom_url: &str, service: &Arc<Service>, deadline: Duration) -> Desk {
    let (mut apps, off) = app::apps(BOTS.0.iter(), wecom_url, &secret_of);
    assert!(off.is_empty(), "{off:?}");
    let key = WireKey::new(&Secret::new("botToken7"), &Secret::new(AES_KEY), "").unwrap();
    let aibot = App {
        name: "aibot".into(),
        bot: "shop".into(),
        corp_id: String::new(),
        key,
        employees: true,
        active: None,
        kf: Vec::new(),
        welcomes: false,
    };
    apps.insert(aibot.name.clone(), aibot);
    let apps: BTreeMap<String, Arc<App>> =
        apps.into_iter().map(|(name, app)| (name, Arc::new(app))).collect();
    let mut desk = Desk::new(
        Arc::clone(service),
        apps,
        Callbacks::new(Arc::clone(service), deadline),
        Signer::new(Secret::new("link key"), 7),
    );
    desk.public_url = "https://kf.example".to_owned();
    desk
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(START).unwrap()
}

/// A clock that stands so many seconds behind the start.
pub(super) fn clock_at(seconds: i64) -> Clock {
    Arc::new(move || Timestamp::from_second(START + seconds).unwrap())
}

pub(super) fn fixed_clock() -> Clock {
    Arc::new(now)
}

/// A clock that is `seconds` later each time somebody looks: whatever is computed twice differs.
pub(super) fn ticking_clock(seconds: i64) -> Clock {
    let second = AtomicI64::new(START);
    Arc::new(move || Timestamp::from_second(second.fetch_add(seconds, Ordering::SeqCst)).unwrap())
}

/// The router, for a test that needs no more.
pub(super) async fn world() -> (Router, Disk) {
    let disk = Disk::new().await;
    let service = service(Arc::clone(&disk.store) as Arc<dyn Store>, fixed_clock());
    (router(desk(&service, PATIENCE)), disk)
}

/// What a callback was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Response {
    /// Received, nothing to say.
    #[track_caller]
    pub(super) fn assert_acknowledged(&self, what: &str) {
        assert_eq!((self.status, self.body.as_str()), (StatusCode::OK, ""), "{what}");
    }

    /// Refused in the one way that tells nothing about the reason.
    #[track_caller]
    pub(super) fn assert_refused(&self, what: &str) {
        let nothing = r#"{"error":{"code":"refused","message":"请求无效"}}"#;
        assert_eq!((self.status, self.body.as_str()), (StatusCode::BAD_REQUEST, nothing), "{what}");
    }
}

pub(super) async fn send(router: &Router, request: Request<Body>) -> Response {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 22).await.unwrap();
    Response { status, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// WeCom, as one app sees it.
#[derive(Clone)]
pub(super) struct Wecom {
    pub(super) app: &'static str,
    pub(super) corp: &'static str,
    pub(super) key: WireKey,
}

/// Random block, timestamp and nonce of every delivery differ, as they do in the field.
static DELIVERIES: AtomicU32 = AtomicU32::new(1);

impl Wecom {
    /// The sender of the app `kf`.
    pub(super) fn kf() -> Self {
        let key = WireKey::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), CORP).unwrap();
        Self { app: "kf", corp: CORP, key }
    }

    /// The sender of the app `farm`.
    pub(super) fn farm() -> Self {
        let key = WireKey::new(&Secret::new(FARM_TOKEN), &Secret::new(FARM_AES_KEY), FARM_CORP).unwrap();
        Self { app: "farm", corp: FARM_CORP, key }
    }

    /// Path with query, and body, of one delivery.
    pub(super) fn sealed(&self, plaintext: &str) -> (String, String) {
        let number = DELIVERIES.fetch_add(1, Ordering::SeqCst);
        let mut random = [b'r'; 16];
        random[..4].copy_from_slice(&number.to_be_bytes());
        let (timestamp, nonce) = ((START + i64::from(number)).to_string(), format!("nonce{number}"));
        let sealed = self.key.seal(plaintext, random, &timestamp, &nonce);
        let uri = format!(
            "/wecom/{}/callback?msg_signature={}&timestamp={timestamp}&nonce={nonce}",
            self.app, sealed.msg_signature
        );
        (uri, envelope(&sealed.encrypt))
    }

    pub(super) async fn deliver(&self, router: &Router, plaintext: &str) -> Response {
        let (uri, body) = self.sealed(plaintext);
        send(router, post(&uri, body)).await
    }

    /// Delivers, and reads the passive reply.
    pub(super) async fn ask(&self, router: &Router, plaintext: &str) -> String {
        self.opened(&self.deliver(router, plaintext).await)
    }

    /// The inner XML of a passive reply, once its signature and receiver were checked.
    #[track_caller]
    pub(super) fn opened(&self, response: &Response) -> String {
        assert_eq!(response.status, StatusCode::OK, "{}", response.body);
        assert_ne!(response.body, "", "acknowledged instead of answered");
        self.open(&response.body)
    }

    #[track_caller]
    pub(super) fn open(&self, body: &str) -> String {
        let of = |name| tag(body, name).unwrap_or_else(|| panic!("no {name} in {body}"));
        self.key.open(&of("MsgSignature"), &of("TimeStamp"), &of("Nonce"), &of("Encrypt")).unwrap()
    }

    pub(super) fn text(&self, member: &str, msg_id: u64, words: &str) -> String {
        self.message(
            member,
            "text",
            &format!("<Content><![CDATA[{words}]]></Content><MsgId>{msg_id}</MsgId>"),
        )
    }

    /// A message or event of one member in one second.
    pub(super) fn message(&self, member: &str, msg_type: &str, fields: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[{member}]]></FromUserName>\
             <CreateTime>1795485601</CreateTime><MsgType><![CDATA[{msg_type}]]></MsgType>{fields}\
             <AgentID>1000002</AgentID></xml>",
            self.corp
        )
    }
}

pub(super) fn envelope(encrypt: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[ww]]></ToUserName><AgentID><![CDATA[1000002]]></AgentID>\
         <Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
    )
}

pub(super) fn post(uri: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(uri).header("host", "kf.example").body(body.into()).unwrap()
}

pub(super) fn get(uri: &str) -> Request<Body> {
    Request::get(uri).header("host", "kf.example").body(Body::empty()).unwrap()
}

/// The text of the first element of that name, CDATA or bare; not for elements within elements of one name.
pub(super) fn tag(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let bare = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    Some(bare.unwrap_or(text).replace("]]]]><![CDATA[>", "]]>"))
}

/// The words of a text reply, addressed to the member by the corp.
#[track_caller]
pub(super) fn words(xml: &str, member: &str) -> String {
    assert_eq!(tag(xml, "MsgType").as_deref(), Some("text"), "{xml}");
    assert_eq!(tag(xml, "ToUserName").as_deref(), Some(member), "{xml}");
    assert_eq!(tag(xml, "FromUserName").as_deref(), Some(CORP), "{xml}");
    tag(xml, "Content").unwrap()
}

/// What a member said to a bot, and what was answered, as the store has it: in and out by turns.
pub(super) async fn history(store: &dyn Store, bot: &str, member: &str) -> Vec<Value> {
    let key = CustomerKey::new(bot, Channel::WecomApp, member).unwrap();
    let conversation = store.conversation(&key, now()).await.unwrap();
    let rows = store.messages(conversation.id, 1000).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.body).unwrap()).collect()
}

/// Looks again and again until there is something to see.
pub(super) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        tokio::task::yield_now().await;
    }
}
