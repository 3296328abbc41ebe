//! People outside of the inbox are told what happens: once, signed, no faster than a robot takes it, and without a word of
//! what was said.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Sha256;
use tempfile::TempDir;
use yingda::desk::notify;
use yingda::desk::outbox;
use yingda::desk::timers;
use yingda::knowledge::notify::EventKind;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::handover::Deed;
use yingda::service::handover::Handover;
use yingda::service::media::MediaShelf;
use yingda::service::notify::Notifier;
use yingda::service::notify::Urls;
use yingda::store::Fate;
use yingda::store::OutboxRow;
use yingda::store::SqliteStore;
use yingda::store::Store;

use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::TO_HUMAN;
use crate::fixture::bot_toml;

/// A Monday, ten o'clock in Shanghai.
const NOW: &str = "2026-11-23T02:00:00Z";

const SECRET: &str = "SECf00dtestsecret";

const DINGTALK: &str = r#"
[[notify]]
name = "值班群"
on = ["waiting", "overdue"]
to = { dingtalk = { url = "env:DING_URL", secret = "env:DING_SECRET" } }
"#;

/// What was posted.
struct Told {
    path: String,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn text(&self) -> String {
        self.json()["text"]["content"].as_str().expect("words").to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a readable header")
    }

    /// Whether DingTalk would take the signature at a second.
    fn is_signed_at(&self, second: i64) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
        mac.update(format!("{}\n{SECRET}", self.query["timestamp"]).as_bytes());
        self.query["timestamp"] == format!("{second}000")
            && self.query["sign"] == STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// Everybody who is told: what came, and what is answered next; after that, that all is well.
#[derive(Default)]
struct Outside {
    told: Vec<Told>,
    answers: VecDeque<(StatusCode, Value)>,
}

type Shared = Arc<Mutex<Outside>>;

async fn hear(
    State(outside): State<Shared>,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let path = uri.path().to_owned();
    let fine = match path.as_str() {
        "/v1.0/oauth2/accessToken" => json!({ "accessToken": "tok", "expireIn": 7_200 }),
        path if path.starts_with("/v1.0/todo") => json!({ "id": "T1" }),
        "/" if headers.contains_key("x-tc-action") => {
            json!({ "Response": { "SendStatusSet": [{ "Code": "Ok" }] } })
        }
        "/" => json!({ "Code": "OK" }),
        _ => json!({ "errcode": 0, "errmsg": "ok" }),
    };
    let mut outside = outside.lock().unwrap();
    outside.told.push(Told { path, query, headers, body: body.to_vec() });
    let (status, answer) = outside.answers.pop_front().unwrap_or((StatusCode::OK, fine));
    (status, answer.to_string())
}

struct Shop {
    outside: Shared,
    base: String,
    service: Arc<Service>,
    store: Arc<dyn Store>,
    second: Arc<AtomicI64>,
    folder: Folder,
    data: TempDir,
}

impl Shop {
    /// A shop that has followed its events from the very beginning.
    async fn open(entries: &str) -> Self {
        let shop = Self::new(entries).await;
        assert_eq!(notify::follow(&shop.service).await.unwrap(), 0);
        shop
    }

    async fn new(entries: &str) -> Self {
        let outside = Shared::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(hear).with_state(Arc::clone(&outside));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = Folder::new();
        let two_groups = "service = \"在线客服组\"\nnight = \"值班组\"\n";
        let profile = bot_toml().replace("service = \"在线客服组\"\n", two_groups);
        folder.write(&format!("{BOT}/bot.toml"), format!("{profile}{entries}").as_bytes());
        let second = NOW.parse::<Timestamp>().unwrap().as_second();
        let second = Arc::new(AtomicI64::new(second));
        Self::over(folder, tempfile::tempdir().unwrap(), (outside, base), second).await
    }

    async fn over(
        folder: Folder,
        data: TempDir,
        (outside, base): (Shared, String),
        second: Arc<AtomicI64>,
    ) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data.path()).await.unwrap());
        let clock = {
            let second = Arc::clone(&second);
            Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap())
        };
        let urls = Urls { dingtalk: &base, aliyun: &base, tencent: &base };
        let robot = base.clone();
        let variable = move |name: &str| match name {
            "DING_URL" => Some(format!("{robot}/robot/send?access_token=t1")),
            "DING_SECRET" => Some(SECRET.to_owned()),
            "ROBOT_URL" => Some(format!("{robot}/cgi-bin/webhook/send?key=k1")),
            "KEY" => Some("the key".to_owned()),
            "PHONE" => Some("+8613800001234".to_owned()),
            _ => None,
        };
        let notifier = Notifier::new(urls, Arc::new(variable)).unwrap();
        let service = Service::new(vec![folder.engine()], Arc::clone(&store), clock);
        let service = Arc::new(service.with_notifier(notifier));
        Self { outside, base, service, store, second, folder, data }
    }

    /// The same shop after its process has ended.
    async fn restarted(self) -> Self {
        let Self { outside, base, store, second, folder, data, .. } = self;
        store.close().await;
        Self::over(folder, data, (outside, base), second).await
    }

    fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    fn second(&self) -> i64 {
        self.second.load(Ordering::SeqCst)
    }

    fn answers_next(&self, status: StatusCode, answer: Value) {
        self.outside.lock().unwrap().answers.push_back((status, answer));
    }

    async fn asks_for_a_human(&self, customer: &str) {
        let question = Question {
            bot: BOT.to_owned(),
            channel: Channel::Web,
            customer_id: customer.to_owned(),
            name: Some("王小明".to_owned()),
            kind: CustomerKind::Customer,
            content: Content::Text(TO_HUMAN.to_owned()),
            with: Vec::new(),
        };
        self.service.answer(&question).await.unwrap();
    }

    /// What `serve` does again and again; returns how often anybody outside was asked so far.
    async fn look(&self) -> usize {
        while notify::follow(&self.service).await.unwrap() > 0 {}
        let media = Arc::new(MediaShelf::new(Arc::clone(&self.service)));
        while outbox::send_due(&self.service, &media, &BTreeMap::new()).await.unwrap() > 0 {}
        self.outside.lock().unwrap().told.len()
    }

    /// What of the posts is asked for, each.
    fn told<T>(&self, of: impl Fn(&Told) -> T) -> Vec<T> {
        self.outside.lock().unwrap().told.iter().map(of).collect()
    }

    async fn given_up(&self) -> Vec<OutboxRow> {
        self.store.outbox_given_up(99).await.unwrap()
    }
}

#[tokio::test]
async fn a_handoff_is_told_once_although_the_server_fails_and_the_service_ends() {
    let shop = Shop::open(DINGTALK).await;
    shop.asks_for_a_human("wang-xiaoming-7").await;
    shop.answers_next(StatusCode::INTERNAL_SERVER_ERROR, json!({}));
    assert_eq!(shop.look().await, 1);
    let shop = shop.restarted().await;
    assert_eq!(shop.look().await, 1, "not before its time");
    shop.pass(1);
    assert_eq!(shop.look().await, 2);
    let shop = shop.restarted().await;
    shop.pass(3_600);
    assert_eq!(shop.look().await, 2, "what was taken is told no more");
    assert_eq!(shop.given_up().await, []);

    let asked = shop.second() - 3_601;
    let signed = shop.told(|told| (told.is_signed_at(asked), told.is_signed_at(asked + 1)));
    assert_eq!(signed, [(true, false), (false, true)], "signed anew for its own time");
    let texts = shop.told(Told::text);
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].contains("云朵小铺客服") && texts[0].contains("在线客服组"), "{}", texts[0]);
    for kept in [TO_HUMAN, "wang", "王小明"] {
        assert!(!texts[0].contains(kept), "{}", texts[0]);
    }
    assert!(texts[0].contains("****ng-7"), "{}", texts[0]);
}

#[tokio::test]
async fn what_happened_before_anybody_followed_is_told_to_nobody() {
    let shop = Shop::new(DINGTALK).await;
    shop.asks_for_a_human("early").await;
    assert_eq!(shop.look().await, 0);
    shop.asks_for_a_human("late").await;
    assert_eq!(shop.look().await, 1);
}

#[tokio::test]
async fn of_many_events_twenty_go_in_a_minute_and_none_is_lost() {
    let shop = Shop::open(DINGTALK).await;
    for customer in 0..45 {
        shop.asks_for_a_human(&format!("customer-{customer}")).await;
    }
    assert_eq!(shop.look().await, 20);
    shop.pass(60);
    assert_eq!(shop.look().await, 20, "some seconds more than a minute");
    shop.pass(5);
    assert_eq!(shop.look().await, 40);
    shop.pass(65);
    assert_eq!(shop.look().await, 45);
    shop.pass(3_600);
    assert_eq!(shop.look().await, 45);
    let texts: BTreeSet<String> = shop.told(Told::text).into_iter().collect();
    assert_eq!(texts.len(), 45, "each conversation is told of once");
    assert_eq!(shop.given_up().await, []);
}

#[tokio::test]
async fn waiting_for_the_next_minute_uses_up_no_attempt() {
    let shop = Shop::open(DINGTALK).await;
    for customer in 0..21 {
        shop.asks_for_a_human(&format!("customer-{customer}")).await;
    }
    assert_eq!(shop.look().await, 20);
    shop.pass(65);
    // The first attempt of the last one fails, so that it comes again after the shortest wait.
    shop.answers_next(StatusCode::BAD_GATEWAY, json!({}));
    assert_eq!(shop.look().await, 21);
    shop.pass(1);
    assert_eq!(shop.look().await, 22);
}

#[tokio::test]
async fn a_robot_that_was_asked_too_fast_is_let_alone_for_ten_minutes() {
    let shop = Shop::open(DINGTALK).await;
    shop.asks_for_a_human("first").await;
    shop.answers_next(StatusCode::OK, json!({ "errcode": 130_101, "errmsg": "too fast" }));
    assert_eq!(shop.look().await, 1);
    shop.pass(599);
    shop.asks_for_a_human("second").await;
    assert_eq!(shop.look().await, 1);
    shop.pass(1);
    assert_eq!(shop.look().await, 3);
    assert_eq!(shop.given_up().await, []);
}

#[tokio::test]
async fn what_is_refused_for_good_is_listed_with_the_reason() {
    let shop = Shop::open(DINGTALK).await;
    shop.asks_for_a_human("wang").await;
    shop.answers_next(StatusCode::OK, json!({ "errcode": 310_000, "errmsg": "keywords not in content" }));
    assert_eq!(shop.look().await, 1);
    shop.pass(100_000);
    assert_eq!(shop.look().await, 1);
    let given_up = shop.given_up().await;
    let listed: Vec<_> = given_up.iter().map(|row| (row.sender.as_str(), row.recipient.as_str())).collect();
    assert_eq!(listed, [("notify", "shop/值班群")]);
    assert_eq!(given_up[0].fate, Fate::GivenUp { reason: "errcode 310000 keywords".to_owned() });
}

#[tokio::test]
async fn a_target_without_its_variables_is_off_and_named() {
    let entry = DINGTALK.replace("DING_SECRET", "NOT_SET");
    let shop = Shop::open(&entry).await;
    let bots = shop.service.bots();
    let off = shop.service.notifier().unwrap().off(bots.values().map(|engine| engine.known()));
    let told: Vec<String> = off.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["notify \"值班群\" of bot \"shop\" is off: secret must name a variable that is set"]);
    shop.asks_for_a_human("wang").await;
    assert_eq!(shop.look().await, 0);
    shop.pass(100_000);
    assert_eq!(shop.look().await, 0);
    assert_eq!(shop.given_up().await, [], "nothing was written for it");
}

#[tokio::test]
async fn groups_and_kinds_are_told_apart_and_one_who_fails_holds_up_no_other() {
    let entries = r#"
[[notify]]
name = "别的组"
on = ["waiting"]
groups = ["night"]
to = { group_robot = { url = "env:ROBOT_URL" } }

[[notify]]
name = "别的事"
on = ["closed"]
to = { group_robot = { url = "env:ROBOT_URL" } }

[[notify]]
name = "钉钉群"
on = ["waiting", "taken"]
groups = ["service"]
to = { dingtalk = { url = "env:DING_URL" } }

[[notify]]
name = "企业微信群"
on = ["waiting", "taken"]
template = "{{ title }} {{ kind }} {{ group }}"
to = { group_robot = { url = "env:ROBOT_URL", mention = ["@all"] } }
"#;
    let shop = Shop::open(entries).await;
    shop.asks_for_a_human("wang").await;
    shop.answers_next(StatusCode::BAD_GATEWAY, json!({}));
    shop.answers_next(StatusCode::BAD_GATEWAY, json!({}));
    assert_eq!(shop.look().await, 2, "one message each for the two who hear it");
    let paths: BTreeSet<String> = shop.told(|told| told.path.clone()).into_iter().collect();
    assert_eq!(paths, BTreeSet::from(["/cgi-bin/webhook/send".to_owned(), "/robot/send".to_owned()]));
}

/// One of each other way.
const WAYS: &str = r#"
[[notify]]
name = "群机器人"
on = ["waiting"]
template = "{{ title }}|{{ kind }}|{{ group }}"
to = { group_robot = { url = "env:ROBOT_URL", mention = ["@all"] } }

[[notify]]
name = "待办"
on = ["waiting"]
[notify.to.dingtalk_todo]
app_key = "env:KEY"
app_secret = "env:KEY"
creator = "UNION1"
executors = ["UNION2"]

[[notify]]
name = "阿里云"
on = ["waiting"]
[notify.to.aliyun_sms]
access_key_id = "env:KEY"
access_key_secret = "env:KEY"
sign = "云朵小铺"
template = "SMS_1"
phones = ["env:PHONE"]
params = { what = "{{ title }}" }

[[notify]]
name = "腾讯云"
on = ["waiting"]
[notify.to.tencent_sms]
secret_id = "env:KEY"
secret_key = "env:KEY"
app_id = "1400"
sign = "云朵小铺"
template = "7"
phones = ["env:PHONE"]
params = ["{{ title }}", "{{ conversation_id }}"]
"#;

#[tokio::test]
async fn each_way_is_asked_as_it_wants_to_be() {
    let shop = Shop::open(WAYS).await;
    shop.asks_for_a_human("wang").await;
    assert_eq!(shop.look().await, 5, "four ways, and a token for one of them");
    assert_eq!(shop.given_up().await, []);
    let outside = shop.outside.lock().unwrap();
    let of = |wanted: &dyn Fn(&Told) -> bool| outside.told.iter().find(|told| wanted(told)).unwrap();

    let robot = of(&|told| told.path == "/cgi-bin/webhook/send");
    let expected = json!({ "content": "有客户在等人工|waiting|在线客服组", "mentioned_list": ["@all"] });
    assert_eq!((&robot.json()["text"], robot.query["key"].as_str()), (&expected, "k1"));

    let todo = of(&|told| told.path == "/v1.0/todo/users/UNION1/tasks");
    assert_eq!(todo.header("x-acs-dingtalk-access-token"), "tok");
    assert_eq!(todo.json()["executorIds"], json!(["UNION2"]));
    assert!(todo.json()["subject"].as_str().unwrap().contains("有客户在等人工"));

    let aliyun = of(&|told| told.headers.contains_key("x-acs-action"));
    assert_eq!(aliyun.query["PhoneNumbers"], "+8613800001234");
    assert_eq!(aliyun.query["TemplateParam"], r#"{"what":"有客户在等人工"}"#);
    assert_eq!(format!("http://{}", aliyun.header("host")), shop.base, "the host that was signed");
    assert!(aliyun.header("authorization").starts_with("ACS3-HMAC-SHA256 Credential=the key,"));

    let tencent = of(&|told| told.headers.contains_key("x-tc-action"));
    assert_eq!(tencent.json()["PhoneNumberSet"], json!(["+8613800001234"]));
    assert_eq!(tencent.json()["TemplateParamSet"][0], "有客户在等人工");
    assert_eq!(tencent.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(format!("http://{}", tencent.header("host")), shop.base, "the host that was signed");

    let keys = [&todo.json()["sourceId"], &json!(aliyun.query["OutId"]), &tencent.json()["SessionContext"]]
        .map(|key| key.as_str().unwrap().to_owned());
    assert_eq!(BTreeSet::from(keys).len(), 3, "each has a key of its own");
}

#[tokio::test]
async fn a_token_that_ended_early_is_fetched_anew() {
    let from = WAYS.find("[[notify]]\nname = \"待办\"").unwrap();
    let until = WAYS.find("[[notify]]\nname = \"阿里云\"").unwrap();
    let shop = Shop::open(&format!("\n{}", &WAYS[from..until])).await;
    shop.asks_for_a_human("first").await;
    shop.answers_next(StatusCode::OK, json!({ "accessToken": "old", "expireIn": 7_200 }));
    shop.answers_next(StatusCode::UNAUTHORIZED, json!({ "code": "InvalidAuthentication" }));
    assert_eq!(shop.look().await, 2);
    shop.pass(1);
    assert_eq!(shop.look().await, 4);
    shop.asks_for_a_human("second").await;
    assert_eq!(shop.look().await, 5, "a good token is kept");
    let tokens = shop.told(|told| told.headers.get("x-acs-dingtalk-access-token").cloned());
    let tokens: Vec<String> =
        tokens.into_iter().flatten().map(|token| token.to_str().unwrap().to_owned()).collect();
    assert_eq!(tokens, ["old", "tok", "tok"]);
}

#[tokio::test]
async fn what_the_store_tells_staff_has_a_name_that_can_be_asked_for() {
    let shop = Shop::open("").await;
    let handover = Handover::new(Arc::clone(&shop.service), BTreeMap::new());
    let key = shop.store.key_add("agent", &[7; 32], "小王", shop.service.now()).await.unwrap();
    let wang = shop.store.agent_add("小王", &BTreeSet::new(), key, shop.service.now()).await.unwrap();
    let deeds = [
        Deed::Take,
        Deed::Reply("好的".to_owned()),
        Deed::Note("记一笔".to_owned()),
        Deed::Transfer("service".to_owned()),
        Deed::Take,
        Deed::Return,
        Deed::Take,
        Deed::Close,
    ];
    shop.asks_for_a_human("wang").await;
    shop.asks_for_a_human("wang").await;
    let id = shop.store.events(0, 1).await.unwrap()[0].conversation_id;
    for deed in deeds {
        handover.act(&wang, id, &deed).await.unwrap();
    }
    shop.asks_for_a_human("li").await;
    shop.pass(3_600);
    timers::fire_due(&shop.service, &handover).await.unwrap();
    let li = shop.store.events(0, 99).await.unwrap().last().unwrap().conversation_id;
    handover.act(&wang, li, &Deed::Take).await.unwrap();
    shop.pass(3_600);
    timers::fire_due(&shop.service, &handover).await.unwrap();
    let told: BTreeSet<String> =
        shop.store.events(0, 99).await.unwrap().into_iter().map(|event| event.kind).collect();
    // What did not arrive is told by the outbox, and the store's own tests see to that.
    let by_people = EventKind::ALL.iter().filter(|kind| **kind != EventKind::Undelivered);
    let known: BTreeSet<String> = by_people.map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(told, known);
}
