//! The HTTP edge without a socket: who may do what, what an answer looks like, and what goes wrong with words.
//!
//! Every answer is held against `openapi.json` as it comes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use tower::ServiceExt;
use yingda::http::Desk;
use yingda::http::key::Scope;
use yingda::http::key::hash;
use yingda::http::key::new_key;
use yingda::http::link::Signer;
use yingda::secret::Secret;
use yingda::service::Service;
use yingda::service::callback::Callbacks;
use yingda::service::version::Origin;
use yingda::service::version::Versions;
use yingda::store::SqliteStore;
use yingda::store::Store;

use crate::contract::Contract;
use crate::fixture::AMBIGUOUS;
use crate::fixture::BOT;
use crate::fixture::CHART;
use crate::fixture::CHART_BYTES;
use crate::fixture::CHART_FILE;
use crate::fixture::Folder;
use crate::fixture::INVOICES;
use crate::fixture::MESSAGES_PER_MINUTE;
use crate::fixture::RETURN;
use crate::fixture::TO_HUMAN;
use crate::fixture::bot_toml;
use crate::fixture::faq;

/// A Monday, ten o'clock in Shanghai.
const NOW: &str = "2026-11-23T02:00:00Z";

const LINK_DAYS: u32 = 7;

const HERE: &str = "127.0.0.1:50000";
const OUTSIDE: &str = "203.0.113.9:50000";

/// A served bot with its own folder, store and clock.
struct Shop {
    folder: Folder,
    store: Arc<SqliteStore>,
    signer: Signer,
    second: Arc<AtomicI64>,
    router: Router,
    contract: Contract,
    data: TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::with(|_desk| {}).await
    }

    async fn with(change: impl FnOnce(&mut Desk)) -> Self {
        Self::new(Folder::new(), change).await
    }

    /// A shop whose folder is written to before it is read.
    async fn over(write: impl FnOnce(&Folder)) -> Self {
        let folder = Folder::new();
        write(&folder);
        Self::new(folder, |_desk| {}).await
    }

    async fn new(folder: Folder, change: impl FnOnce(&mut Desk)) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let store = Arc::new(SqliteStore::open(data.path()).await.expect("a store"));
        let now: Timestamp = NOW.parse().expect("a time");
        let second = Arc::new(AtomicI64::new(now.as_second()));
        let clock = {
            let second = Arc::clone(&second);
            Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).expect("a time"))
        };
        let service = Service::new(vec![folder.engine()], Arc::clone(&store) as Arc<dyn Store>, clock);
        let service = Arc::new(service);
        let callbacks = Callbacks::new(Arc::clone(&service), Duration::from_secs(4));
        let signer = Signer::new(Secret::new("the tests' link key"), LINK_DAYS);
        let mut desk = Desk::new(service, BTreeMap::new(), callbacks, signer.clone());
        desk.versions = Versions::new(Arc::clone(&store) as Arc<dyn Store>, data.path());
        change(&mut desk);
        let router = yingda::http::router(desk);
        Self { folder, store, signer, second, router, contract: Contract::read(), data }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second.load(Ordering::SeqCst)).expect("a time")
    }

    fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A key that opens a scope.
    async fn key(&self, scope: Scope) -> String {
        let key = new_key(scope, [scope as u8; 32]).expose().to_owned();
        self.store.key_add(scope.as_str(), &hash(&key), "test", self.now()).await.expect("a new key");
        key
    }

    #[track_caller]
    fn send(&self, call: Call) -> impl Future<Output = Answer> {
        let caller = std::panic::Location::caller();
        let (method, path) = (call.method, call.path.split('?').next().unwrap_or_default().to_owned());
        let answering = self.router.clone().oneshot(call.request());
        async move {
            let response = answering.await.expect("a router cannot fail");
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("the whole body").to_vec();
            let answer = Answer { status, headers, body };
            let kind = answer.header("content-type");
            let complaints = self.contract.complaints(method, &path, status, kind, &answer.body);
            assert!(complaints.is_empty(), "{caller}: {complaints:#?}\n{}", answer.text());
            answer
        }
    }

    /// One message from this machine.
    async fn say(&self, user: &str, text: &str) -> Answer {
        self.send(chat(user, text)).await
    }
}

/// A request, from this machine unless it says otherwise.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    peer: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn get(path: &str) -> Call {
    let headers = vec![("host", "127.0.0.1:8640".to_owned())];
    Call { method: "GET", path: path.to_owned(), peer: HERE, headers, body: Vec::new() }
}

fn post(path: &str, body: impl Into<Vec<u8>>) -> Call {
    let call = Call { method: "POST", body: body.into(), ..get(path) };
    call.header("content-type", "application/json")
}

fn chat(user: &str, text: &str) -> Call {
    post("/api/v1/chat", json!({ "bot": BOT, "user": user, "text": text }).to_string())
}

impl Call {
    fn outside(mut self) -> Self {
        self.peer = OUTSIDE;
        self.header("host", "bot.example.com")
    }

    fn peer(mut self, peer: &'static str) -> Self {
        self.peer = peer;
        self
    }

    fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Sets a header, in place of one of that name.
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| *own != name);
        self
    }

    fn request(self) -> Request<Body> {
        let peer: SocketAddr = self.peer.parse().expect("an address");
        let mut request = Request::builder().method(self.method).uri(&self.path).extension(ConnectInfo(peer));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(self.body)).expect("a request")
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// Status and code of an error.
    fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The texts of a reply.
    fn words(&self) -> Vec<String> {
        let parts = self.json()["reply"].as_array().cloned().unwrap_or_default();
        parts.iter().filter_map(|part| part["text"].as_str()).map(str::to_owned).collect()
    }
}

// Versions.

#[tokio::test]
async fn versions_are_listed_compared_and_published() {
    let shop = Shop::open().await;
    let admin = shop.key(Scope::Admin).await;
    let versions = Versions::new(Arc::clone(&shop.store) as Arc<dyn Store>, shop.data.path());
    let path = format!("/api/v1/bots/{BOT}/versions");
    let ask = |call: Call| shop.send(call.key(&admin));
    assert_eq!(ask(get(&path)).await.error(), (404, "unknown-bot".to_owned()));
    let origin = Origin { author: "小李".to_owned(), reason: "开店".to_owned() };
    for answer in [RETURN.1, "签收十五天内可以退。"] {
        let text = faq().replace(RETURN.1, answer);
        shop.folder.write(&format!("{BOT}/faq/faq.csv"), text.as_bytes());
        versions.take(&shop.folder.bot(), &origin, shop.now()).await.unwrap();
    }
    let publish = |number: i64, instead_of: Option<i64>| {
        let wish = json!({ "instead_of": instead_of, "reason": "试试" }).to_string();
        ask(post(&format!("{path}/{number}/publish"), wish))
    };
    assert_eq!(publish(1, None).await.json(), json!({ "bot": BOT, "published": 1 }));
    assert_eq!(publish(2, None).await.error(), (409, "outdated".to_owned()));
    assert_eq!(publish(9, Some(1)).await.error(), (404, "unknown-version".to_owned()));
    assert_eq!(publish(2, Some(1)).await.status, 200);
    let listed = ask(get(&path)).await.json();
    assert_eq!((&listed["published"], &listed["answers"]), (&json!(2), &Value::Null));
    assert_eq!(listed["publications"][0]["author"], "key 1");
    assert_eq!(
        (&listed["versions"][1]["number"], &listed["versions"][1]["reason"]),
        (&json!(1), &json!("开店"))
    );
    let differences = ask(get(&format!("{path}/2/diff?from=1"))).await.json()["differences"].clone();
    assert_eq!(
        differences,
        json!([{ "thing": "entry", "id": "return-apply", "title": RETURN.0, "change": "changed", "parts": ["answer"] }])
    );
    for call in [get(&path), get(&format!("{path}/2/diff?from=1")), post(&format!("{path}/2/publish"), "{}")]
    {
        assert_eq!(shop.send(call).await.status, 401, "not even on this machine without a key");
    }
    assert_eq!(ask(get(&format!("{path}/x/diff?from=1"))).await.error(), (404, "not-found".to_owned()));
    assert_eq!(ask(get(&format!("{path}/2/diff"))).await.error(), (400, "bad-query".to_owned()));
}

// What the bot could not do.

#[tokio::test]
async fn what_was_not_settled_is_reported_by_topic() {
    let shop = Shop::open().await;
    let admin = shop.key(Scope::Admin).await;
    let unknown = "火星上也能送货吗";
    let mut answer_id = Value::Null;
    for user in ["a", "b"] {
        shop.say(user, unknown).await;
        // Settled, but not to everybody's content.
        answer_id = shop.say(user, RETURN.0).await.json()["answer_id"].clone();
    }
    let opinion = |user: &str, id: &Value| {
        let body = json!({ "bot": BOT, "user": user, "answer_id": id, "helpful": false });
        shop.send(post("/api/v1/feedback", body.to_string()))
    };
    assert_eq!(opinion("b", &answer_id).await.status, 200);
    assert_eq!(opinion("a", &answer_id).await.error(), (404, "unknown-answer".to_owned()));
    let ask = |path: &str| shop.send(get(path).key(&admin));
    let found = ask(&format!("/api/v1/gaps?bot={BOT}&since=24h")).await.json();
    assert_eq!((&found["n_messages"], &found["n_unsettled"]), (&json!(4), &json!(3)));
    let first = &found["gaps"][0];
    assert_eq!((&first["title"], &first["n_customers"]), (&json!(unknown), &json!(2)));
    assert_eq!(found["gaps"][1]["outcomes"], json!({ "unhelpful": 1 }));
    assert_eq!(found["gaps"][1]["nearest"][0]["id"], "return-apply");
    let entries = ask(&format!("/api/v1/entries?bot={BOT}")).await.json()["entries"].clone();
    assert_eq!(
        (&entries[0]["id"], &entries[0]["n_shown"], &entries[0]["n_unhelpful"]),
        (&json!("return-apply"), &json!(2), &json!(1))
    );
    assert_eq!((&entries[3]["n_shown"], &entries[3]["last_used"]), (&json!(0), &Value::Null));
    shop.pass(8 * 86_400);
    assert_eq!(ask(&format!("/api/v1/gaps?bot={BOT}")).await.json()["n_messages"], 0);
    assert_eq!(ask(&format!("/api/v1/gaps?bot={BOT}&since=x")).await.error(), (422, "bad-since".to_owned()));
    assert_eq!(ask("/api/v1/gaps").await.error(), (400, "bad-query".to_owned()));
    assert_eq!(ask("/api/v1/entries?bot=nobody").await.error(), (404, "unknown-bot".to_owned()));
    assert_eq!(shop.send(get(&format!("/api/v1/gaps?bot={BOT}"))).await.status, 401);
}

#[tokio::test]
async fn a_message_that_reached_its_entry_by_a_choice_becomes_a_suggestion() {
    let shop = Shop::open().await;
    let admin = shop.key(Scope::Admin).await;
    shop.say("a", AMBIGUOUS).await;
    shop.say("a", "1").await;
    let ask = |path: &str| shop.send(get(path).key(&admin));
    let entries = ask(&format!("/api/v1/entries?bot={BOT}")).await.json()["entries"].clone();
    let chosen: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|entry| entry["n_chosen"] == 1).collect();
    assert_eq!(chosen.len(), 1, "{entries}");
    assert_eq!((&chosen[0]["suggestions"], &chosen[0]["n_shown"]), (&json!([AMBIGUOUS]), &json!(2)));
    let gaps = ask(&format!("/api/v1/gaps?bot={BOT}")).await.json();
    assert_eq!(gaps["gaps"], json!([]), "what the customer settled is no gap");
}

// Chat.

#[tokio::test]
async fn chat_answers_on_this_machine_without_a_key_and_without_a_turn() {
    let shop = Shop::open().await;
    let answer = shop.say("a", RETURN.0).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.words(), [RETURN.1]);
    assert_eq!(answer.json()["turn"], Value::Null);
}

#[tokio::test]
async fn only_an_admin_key_shows_how_an_answer_came_about() {
    let shop = Shop::open().await;
    for scope in Scope::ALL {
        let key = shop.key(scope).await;
        let answer = shop.send(chat("a", RETURN.0).outside().key(&key)).await;
        let turn = &answer.json()["turn"];
        assert_eq!(turn.is_object(), scope == Scope::Admin, "{scope:?}");
        if scope == Scope::Admin {
            assert_eq!(turn["evidence"][0]["id"], "return-apply");
            assert_eq!(turn["action"], "answer");
            assert!(turn["timings_us"]["total"].is_u64(), "{turn}");
        }
    }
}

#[tokio::test]
async fn a_clarification_is_settled_by_a_number() {
    let shop = Shop::open().await;
    let asked = shop.say("a", AMBIGUOUS).await.json();
    let options = asked["reply"].as_array().and_then(|parts| parts.last()).expect("a part");
    let second = options["options"][1].as_str().expect("a second option").to_owned();
    let (_, expected) = INVOICES.into_iter().find(|(title, _)| *title == second).expect("one of the two");
    assert_eq!(shop.say("a", "2").await.words(), [expected]);
    // To a stranger the number means nothing.
    assert_ne!(shop.say("b", "2").await.words(), [expected]);
}

#[tokio::test]
async fn every_text_gets_words() {
    let shop = Shop::open().await;
    let long = RETURN.0.repeat(100 * 1024 / RETURN.0.len());
    let texts = [
        ("empty", String::new()),
        ("blank", " \t\r\n\u{3000}".to_owned()),
        ("emoji", "😀👍🏽🇨🇳".to_owned()),
        ("controls", "\0\u{1}\u{7}\u{1b}[2J\u{202e}\u{feff}\u{7f}".to_owned()),
        ("a right-to-left mark inside", format!("{}\u{200f}\u{0}", RETURN.0)),
        ("syntax", "title:\"a\" AND (b OR /.*/) ]]>{{ 7*7 }}'; --".to_owned()),
        ("100 kB", long),
    ];
    for (name, text) in texts {
        let answer = shop.say(name, &text).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert!(answer.words().iter().all(|words| !words.trim().is_empty()), "{name}: {}", answer.text());
        assert!(!answer.text().contains("49"), "{name}: a template of the customer's ran");
    }
}

#[tokio::test]
async fn a_long_message_is_read_in_part_and_a_longer_one_refused() {
    let shop = Shop::open().await;
    let admin = shop.key(Scope::Admin).await;
    let at_limit = shop.send(chat("a", &"退".repeat(131_072 / 3)).key(&admin)).await;
    assert_eq!((at_limit.status, &at_limit.json()["turn"]["cut"]), (200, &json!(true)));
    assert_eq!(shop.say("a", &"a".repeat(131_072)).await.status, 200);
    assert_eq!(shop.say("a", &"a".repeat(131_073)).await.error(), (422, "text-too-long".to_owned()));
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_a_code() {
    let shop = Shop::open().await;
    let body = |body: &str| post("/api/v1/chat", body);
    let over_limit = chat("a", &"a".repeat(262_144));
    let long_user = "u".repeat(129);
    for (name, call, expected) in [
        ("unknown bot", body(r#"{"bot":"nobody","user":"a","text":"x"}"#), (404, "unknown-bot")),
        ("empty bot", body(r#"{"bot":"","user":"a","text":"x"}"#), (404, "unknown-bot")),
        ("empty user", chat("", "x"), (422, "bad-user")),
        ("blank user", chat(" \u{3000}", "x"), (422, "bad-user")),
        ("long user", chat(&long_user, "x"), (422, "bad-user")),
        ("no JSON", body("{"), (400, "bad-json")),
        ("an empty body", body(""), (400, "bad-json")),
        (
            "invalid UTF-8",
            post("/api/v1/chat", b"{\"bot\":\"shop\",\"user\":\"a\",\"text\":\"\xff\"}"),
            (400, "bad-json"),
        ),
        ("half a surrogate pair", body(r#"{"bot":"shop","user":"a","text":"\ud83d"}"#), (400, "bad-json")),
        ("no text", body(r#"{"bot":"shop","user":"a"}"#), (422, "bad-json")),
        ("a number as text", body(r#"{"bot":"shop","user":"a","text":1}"#), (422, "bad-json")),
        ("an unknown key", body(r#"{"bot":"shop","user":"a","text":"x","txet":"y"}"#), (422, "bad-json")),
        ("no content type", chat("a", "x").without("content-type"), (415, "not-json")),
        ("a form's content type", chat("a", "x").header("content-type", "text/plain"), (415, "not-json")),
        ("over the body limit", over_limit, (413, "body-too-large")),
    ] {
        let answer = shop.send(call).await;
        assert_eq!(answer.error(), (expected.0, expected.1.to_owned()), "{name}: {}", answer.text());
    }
    assert_eq!(shop.say(&"u".repeat(128), RETURN.0).await.words(), [RETURN.1]);
}

#[tokio::test]
async fn a_flood_is_slowed_down_with_words_and_by_customer() {
    let shop = Shop::open().await;
    for _ in 0..MESSAGES_PER_MINUTE {
        assert_eq!(shop.say("a", RETURN.0).await.status, 200);
    }
    let over = shop.say("a", RETURN.0).await;
    assert_eq!(over.error(), (429, "flood".to_owned()));
    assert!(over.words().iter().any(|words| !words.is_empty()), "{}", over.text());
    assert_eq!(shop.say("b", RETURN.0).await.status, 200);
    shop.pass(60);
    assert_eq!(shop.say("a", RETURN.0).await.status, 200);
}

// The archive.

/// Text as a query holds it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn the_archive_is_searched_and_turned_over_page_by_page() {
    let shop = Shop::open().await;
    let agent = shop.key(Scope::Agent).await;
    shop.say("a", "你好").await;
    shop.pass(86_400);
    shop.say("b", RETURN.0).await;
    let ask =
        async |query: &str| shop.send(get(&format!("/api/v1/bots/{BOT}/archive?{query}")).key(&agent)).await;
    let ids = |page: &Value| -> Vec<i64> {
        page["messages"].as_array().unwrap().iter().map(|one| one["message_id"].as_i64().unwrap()).collect()
    };
    let all = ask("order=oldest").await.json();
    assert_eq!((ids(&all).len(), &all["next"]), (4, &Value::Null));
    let (said, answered) = (&all["messages"][2], &all["messages"][3]);
    assert_eq!(
        (&said["author"], &said["words"], &said["kind"]),
        (&json!("customer"), &json!(RETURN.0), &json!("text"))
    );
    assert_eq!((&answered["words"], &answered["entry"]), (&json!(RETURN.1), &json!("return-apply")));
    assert_eq!(
        (&said["customer_id"], &said["channel"], &answered["direction"]),
        (&json!("b"), &json!("web"), &json!("out"))
    );

    let mut newest = ids(&all);
    newest.reverse();
    let first = ask("limit=3").await.json();
    assert_eq!((ids(&first), &first["next"]), (newest[..3].to_vec(), &json!(newest[2])));
    let rest = ask(&format!("limit=3&after={}", newest[2])).await.json();
    assert_eq!((ids(&rest), &rest["next"]), (newest[3..].to_vec(), &Value::Null));

    let found = async |query: &str| ids(&ask(query).await.json());
    assert_eq!(found(&format!("words={}", encoded("七天内 退货"))).await, newest[..1]);
    assert_eq!(found("customer=b&direction=in").await, newest[1..2]);
    // Days of the bot's clock: the last one counts whole.
    assert_eq!(found("from=2026-11-24").await, newest[..2]);
    assert_eq!(found("until=2026-11-23").await, newest[2..]);
    assert_eq!(found("from=2026-11-24T02:00:01Z").await, Vec::<i64>::new());

    let many = format!("words={}", encoded("1 2 3 4 5 6 7 8 9"));
    let name = format!("agent={}", encoded("小王"));
    for (query, told) in [
        ("channel=fax", "fax"),
        ("author=me", "customer、bot、agent、system"),
        ("direction=up", "up"),
        ("order=up", "newest、oldest"),
        (name.as_str(), "小王"),
        ("from=yesterday", "yesterday"),
        ("until=2026-11-23T10:00:00", "2026-11-23T10:00:00"),
        ("from=2026-11-24&until=2026-11-23", "2026-11-24"),
        ("limit=0", "1 到 1000"),
        ("limit=1001", "1001"),
        ("after=x", "after"),
        ("nothing=1", "nothing"),
        (many.as_str(), "9 个"),
    ] {
        let answer = ask(query).await;
        assert_eq!(answer.error(), (400, "bad-query".to_owned()), "{query}");
        assert!(answer.text().contains(told), "{query}: {}", answer.text());
    }
    let path = format!("/api/v1/bots/{BOT}/archive");
    assert_eq!(
        shop.send(get("/api/v1/bots/nobody/archive").key(&agent)).await.error(),
        (404, "unknown-bot".to_owned())
    );
    assert_eq!(shop.send(get(&path)).await.status, 401, "not even on this machine without a key");
    let chat = shop.key(Scope::Chat).await;
    assert_eq!(shop.send(get(&path).key(&chat)).await.status, 403);
}

#[tokio::test]
async fn the_archive_tells_nobody_a_number_who_may_not_see_it() {
    let shop = Shop::open().await;
    let (agent, admin) = (shop.key(Scope::Agent).await, shop.key(Scope::Admin).await);
    shop.say("a", "打我电话13800138000").await;
    let ask = async |key: &str, query: &str| {
        let path = format!("/api/v1/bots/{BOT}/archive?author=customer&{query}");
        shop.send(get(&path).key(key)).await.json()
    };
    assert_eq!(ask(&agent, "").await["messages"][0]["words"], "打我电话****8000");
    assert_eq!(ask(&admin, "").await["messages"][0]["words"], "打我电话13800138000");
    // Nor by looking for it, and not by where a page ends.
    let nothing = json!({ "messages": [], "next": null });
    for query in ["words=1380013", "words=13800138000", "words=1380013&limit=1"] {
        assert_eq!(ask(&agent, query).await, nothing, "{query}");
        assert_eq!(ask(&admin, query).await["messages"].as_array().unwrap().len(), 1, "{query}");
    }
    assert_eq!(
        ask(&agent, "words=8000").await["messages"].as_array().unwrap().len(),
        1,
        "what is shown is found"
    );
}

#[tokio::test]
async fn the_archive_shows_only_what_the_bot_keeps_even_where_nobody_has_swept() {
    let keeping = format!("retention_days = 1\n{}", bot_toml());
    let shop = Shop::over(|folder| folder.write(&format!("{BOT}/bot.toml"), keeping.as_bytes())).await;
    let agent = shop.key(Scope::Agent).await;
    shop.say("a", "你好").await;
    shop.pass(86_401);
    shop.say("b", RETURN.0).await;
    let all = shop.send(get(&format!("/api/v1/bots/{BOT}/archive?limit=3")).key(&agent)).await.json();
    let customers: Vec<&str> =
        all["messages"].as_array().unwrap().iter().map(|one| one["customer_id"].as_str().unwrap()).collect();
    assert_eq!((customers, &all["next"]), (vec!["b", "b"], &Value::Null));
}

// Who may do what.

#[tokio::test]
async fn from_outside_a_key_is_needed_and_its_scope_counts() {
    let shop = Shop::open().await;
    let mut keys = vec![("no key", None)];
    for scope in Scope::ALL {
        keys.push((scope.as_str(), Some(shop.key(scope).await)));
    }
    let routes = [
        // Status without a key, then with chat, agent and admin.
        (chat("a", "谢谢"), [401, 200, 200, 200]),
        (get("/api/v1/bots"), [401, 200, 200, 200]),
        (get("/api/v1/openapi.json"), [401, 200, 200, 200]),
        (get("/api/v1/handoffs"), [401, 403, 200, 200]),
        (post("/api/v1/handoffs/1/close", ""), [401, 403, 404, 404]),
        (get("/metrics"), [401, 403, 200, 200]),
        (get("/"), [401, 200, 200, 200]),
        (get("/no/such/address"), [401, 404, 404, 404]),
        (get("/healthz"), [200, 200, 200, 200]),
        (get("/readyz"), [200, 200, 200, 200]),
    ];
    for (call, expected) in routes {
        for ((name, key), expected) in keys.iter().zip(expected) {
            let mut outside = call.clone().outside();
            if let Some(key) = key {
                outside = outside.key(key);
            }
            let path = outside.path.clone();
            assert_eq!(shop.send(outside).await.status, expected, "{path} with {name}");
        }
    }
    let here = |call: Call| async { shop.send(call).await.status };
    assert_eq!(here(get("/api/v1/handoffs")).await, 401, "handoffs take a key on this machine too");
    assert_eq!(here(get("/metrics")).await, 200);
}

#[tokio::test]
async fn a_browser_from_outside_is_asked_for_the_key() {
    let shop = Shop::open().await;
    let asked = shop.send(get("/").outside()).await;
    assert_eq!(asked.status, 401);
    assert!(asked.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    let programs = shop.send(get("/api/v1/bots").outside()).await;
    assert!(!programs.headers.contains_key("www-authenticate"), "a program is not asked by a window");
    let basic = |name: &str, key: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{key}")));
    let key = shop.key(Scope::Chat).await;
    for (header, expected) in [
        (basic("老板", &key), 200),
        (basic("", &key), 200),
        (basic("老板", "yd_chat_0000"), 401),
        ("Basic !!!".to_owned(), 401),
    ] {
        assert_eq!(
            shop.send(get("/").outside().header("authorization", &header)).await.status,
            expected,
            "{header}"
        );
    }
    assert_eq!(
        shop.send(get("/chat.css").outside()).await.status,
        200,
        "the page of an expired link wears it"
    );
}

#[tokio::test]
async fn a_page_elsewhere_cannot_send_for_its_visitor() {
    let shop = Shop::open().await;
    let from = |site: &str| chat("a", "谢谢").header("sec-fetch-site", site);
    for (site, expected) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
        assert_eq!(shop.send(from(site)).await.status, expected, "{site}");
    }
    assert_eq!(
        shop.send(get("/").header("sec-fetch-site", "cross-site")).await.status,
        200,
        "a link may be followed"
    );
}

#[tokio::test]
async fn a_bot_that_is_not_for_the_web_meets_this_machine_and_admins() {
    let shop = Shop::over(|folder| {
        let hidden = format!("web = false\n{}", bot_toml());
        folder.write(&format!("{BOT}/bot.toml"), hidden.as_bytes());
    })
    .await;
    assert_eq!(shop.say("a", "谢谢").await.status, 200);
    let (chat_key, admin) = (shop.key(Scope::Chat).await, shop.key(Scope::Admin).await);
    let outside = |key: &str| chat("a", "谢谢").outside().key(key);
    assert_eq!(shop.send(outside(&chat_key)).await.status, 404);
    assert_eq!(shop.send(outside(&admin)).await.status, 200);
    let list = shop.send(get("/api/v1/bots").outside().key(&chat_key)).await;
    assert!(!list.text().contains(BOT), "{}", list.text());
}

#[tokio::test]
async fn only_this_machine_itself_is_inside() {
    let shop = Shop::open().await;
    let bots = || get("/api/v1/bots");
    let host = |host: &str| bots().header("host", host);
    for (name, call, expected) in [
        ("loopback", bots(), 200),
        ("a name", host("localhost:8640"), 200),
        ("no port", host("127.0.0.1"), 200),
        ("IPv6", host("[::1]:8640").peer("[::1]:50000"), 200),
        ("IPv4 inside of IPv6", bots().peer("[::ffff:127.0.0.1]:50000"), 200),
        ("a foreign peer", bots().peer(OUTSIDE), 401),
        ("a peer of the same network", bots().peer("192.168.1.5:50000"), 401),
        ("a foreign host", host("bot.example.com"), 401),
        ("a host that begins like ours", host("127.0.0.1.example.com"), 401),
        ("a host that ends like ours", host("evil-localhost"), 401),
        ("no host", bots().without("host"), 401),
        ("X-Forwarded-For", bots().header("x-forwarded-for", "127.0.0.1"), 401),
        ("X-Forwarded-Host", bots().header("x-forwarded-host", "localhost"), 401),
        ("X-Real-IP", bots().header("x-real-ip", "127.0.0.1"), 401),
        ("Forwarded", bots().header("forwarded", "for=127.0.0.1"), 401),
        ("Via", bots().header("via", "1.1 proxy"), 401),
    ] {
        assert_eq!(shop.send(call).await.status, expected, "{name}");
    }
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_refused_everywhere() {
    let shop = Shop::open().await;
    let key = shop.key(Scope::Chat).await;
    assert_eq!(shop.send(chat("a", "谢谢").outside().key(&key)).await.status, 200);
    let id = shop.store.keys().await.unwrap()[0].id;
    shop.store.key_revoke(id).await.unwrap();
    for (name, key) in [("revoked", key.as_str()), ("made up", "yd_admin_0000"), ("empty", "")] {
        for call in [chat("a", "谢谢").outside(), chat("a", "谢谢")] {
            assert_eq!(shop.send(call.key(key)).await.error(), (401, "bad-key".to_owned()), "{name}");
        }
    }
}

// Handoffs.

#[tokio::test]
async fn a_search_is_explained_to_admins_and_recorded_nowhere() {
    let shop = Shop::open().await;
    // 退货 in a link.
    let path = format!("/api/v1/search?bot={BOT}&text=%E9%80%80%E8%B4%A7");
    assert_eq!(shop.send(get(&path)).await.status, 401);
    let key = shop.key(Scope::Admin).await;
    let found = shop.send(get(&path).key(&key)).await;
    assert_eq!(found.status, 200, "{}", found.text());
    let turn = &found.json()["turn"];
    assert_eq!((&turn["text"], &turn["evidence"][0]["id"]), (&json!("退货"), &json!("return-apply")));
    for (path, status, code) in [
        (format!("/api/v1/search?bot={BOT}"), 400, "bad-query"),
        ("/api/v1/search?bot=none&text=a".to_owned(), 404, "unknown-bot"),
        (format!("/api/v1/search?bot={BOT}&text={}", "a".repeat(4_097)), 422, "text-too-long"),
    ] {
        let refused = shop.send(get(&path).key(&key)).await;
        assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn a_handoff_is_listed_until_it_is_closed() {
    let shop = Shop::open().await;
    let agent = shop.key(Scope::Agent).await;
    let list = |query: &'static str| {
        let call = get(&format!("/api/v1/handoffs{query}")).key(&agent);
        async { shop.send(call).await.json()["handoffs"].as_array().expect("a list").clone() }
    };
    assert_eq!(list("").await, [] as [Value; 0]);
    shop.say("customer-7", TO_HUMAN).await;
    shop.say("customer-7", TO_HUMAN).await;
    let open = list("").await;
    assert_eq!(open.len(), 1, "{open:?}");
    let row = &open[0];
    assert_eq!((&row["bot"], &row["customer_id"]), (&json!(BOT), &json!("customer-7")));
    assert_eq!((&row["group"], &row["reason"]), (&json!("service"), &json!("rule")));
    assert_eq!((&row["summary"]["text"], &row["summary"]["detail"]), (&json!(TO_HUMAN), &json!("human")));
    assert_eq!(list("?bot=other").await, [] as [Value; 0]);

    let close = |id: &str| {
        let call = post(&format!("/api/v1/handoffs/{id}/close"), "").key(&agent);
        async { shop.send(call).await }
    };
    assert_eq!(close(&row["id"].to_string()).await.json(), json!({ "id": row["id"], "closed": true }));
    assert_eq!(list("").await, [] as [Value; 0]);
    let all = list("?all=true").await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["closed_at"].as_str().map(|at| at.parse::<Timestamp>().unwrap()), Some(shop.now()));
    for unknown in ["999", "0", "-1", "abc", "99999999999999999999"] {
        assert_eq!(close(unknown).await.error(), (404, "unknown-handoff".to_owned()), "{unknown}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named_not_passed_over() {
    let shop = Shop::open().await;
    let agent = shop.key(Scope::Agent).await;
    for (query, named) in [("bto=shop", "bto"), ("all=perhaps", "all")] {
        let answer = shop.send(get(&format!("/api/v1/handoffs?{query}")).key(&agent)).await;
        assert_eq!(answer.error(), (400, "bad-query".to_owned()), "{query}");
        assert!(answer.text().contains(named), "{}", answer.text());
    }
}

// Attachments.

/// The picture's address in an answer.
async fn picture(shop: &Shop) -> String {
    let reply = shop.say("a", CHART).await.json();
    let parts = reply["reply"].as_array().expect("parts").clone();
    let image = parts.iter().find(|part| part["type"] == "image").unwrap_or_else(|| panic!("{reply}"));
    image["url"].as_str().expect("an address").to_owned()
}

#[tokio::test]
async fn a_link_of_a_reply_opens_from_outside_without_a_key() {
    let shop = Shop::open().await;
    let link = picture(&shop).await;
    let answer = shop.send(get(&link).outside()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"));
    assert_eq!(answer.body, CHART_BYTES);
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_changed_link_does_not_exist() {
    let shop = Shop::open().await;
    let link = picture(&shop).await;
    let parts: Vec<&str> = link.splitn(6, '/').collect();
    let [_, _, bot, expires, signature, path] = parts[..] else { panic!("{link}") };
    let later = (expires.parse::<i64>().unwrap() + 86_400).to_string();
    let first = if signature.starts_with('0') { "1" } else { "0" };
    let other = format!("{first}{}", &signature[1..]);
    for changed in [
        format!("/a/{bot}/{expires}/{signature}/bot.toml"),
        format!("/a/other/{expires}/{signature}/{path}"),
        format!("/a/{bot}/{later}/{signature}/{path}"),
        format!("/a/{bot}/soon/{signature}/{path}"),
        format!("/a/{bot}/{expires}/{other}/{path}"),
        format!("/a/{bot}/{expires}/{}/{path}", &signature[1..]),
        format!("/a/{bot}/{expires}/{signature}/{path}%FF"),
    ] {
        assert_eq!(shop.send(get(&changed)).await.error(), (404, "not-found".to_owned()), "{changed}");
    }
    assert_eq!(shop.send(get(&link)).await.status, 200);
}

#[tokio::test]
async fn parts_of_a_file_are_sent_where_they_are_asked_for() {
    let shop = Shop::open().await;
    let link = picture(&shop).await;
    let part = shop.send(get(&link).header("range", "bytes=1-3")).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &CHART_BYTES[1..=3]));
    assert_eq!(part.header("content-range"), format!("bytes 1-3/{}", CHART_BYTES.len()));
    assert_eq!(shop.send(get(&link).header("range", "bytes=999-")).await.status, 416);
    // After a roll-back the older file is the newer one to a clock.
    let later = get(&link).header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT");
    assert_eq!(shop.send(later).await.body, CHART_BYTES);
}

#[tokio::test]
async fn a_bot_has_its_own_days_and_tells_the_last_one() {
    let shop = Shop::over(|folder| {
        let own = format!("link_days = 2\n{}", bot_toml());
        folder.write(&format!("{BOT}/bot.toml"), own.as_bytes());
    })
    .await;
    let reply = shop.say("a", CHART).await.json();
    let parts = reply["reply"].as_array().unwrap();
    let image = parts.iter().find(|part| part["type"] == "image").unwrap();
    assert_eq!(image["until"], "2026-11-25");
    let link = image["url"].as_str().unwrap();
    shop.pass(2 * 86_400);
    assert_eq!(shop.send(get(link).outside()).await.status, 200);
    shop.pass(86_400);
    assert_eq!(shop.send(get(link).outside()).await.status, 410);
}

#[tokio::test]
async fn an_expired_link_offers_what_holds_today() {
    const REPLIES: &str = r#"[reply.size-chart]
attachments = [{ kind = "file", file = "attachments/old.txt", title = "旧价目", valid_until = "2026-11-24", current = "new" }]
[reply.new]
attachments = [{ kind = "file", file = "attachments/new.txt", title = "新价目" }]
"#;
    let shop = Shop::over(|folder| {
        folder.write(&format!("{BOT}/replies.toml"), REPLIES.as_bytes());
        folder.write(&format!("{BOT}/attachments/old.txt"), b"old prices");
        folder.write(&format!("{BOT}/attachments/new.txt"), b"new prices");
    })
    .await;
    let reply = shop.say("a", CHART).await.json();
    let parts = reply["reply"].as_array().unwrap();
    let old = parts.iter().find(|part| part["type"] == "file").unwrap()["url"].as_str().unwrap();
    assert_eq!(shop.send(get(old)).await.body, b"old prices");
    shop.pass(i64::from(LINK_DAYS + 1) * 86_400);
    let page = shop.send(get(old).outside()).await;
    assert_eq!(page.status, 410);
    let text = page.text();
    let fresh =
        quoted(&text, "href=\"").find(|link| link.starts_with("/a/")).expect("a fresh link").to_owned();
    assert_eq!(shop.send(get(&fresh).outside()).await.body, b"new prices");
    assert!(text.contains(&format!("href=\"/?bot={BOT}\"")), "{text}");
}

#[tokio::test]
async fn a_link_works_for_its_days_and_then_says_that_it_has_expired() {
    let shop = Shop::open().await;
    let link = picture(&shop).await;
    shop.pass(i64::from(LINK_DAYS) * 86_400);
    assert_eq!(shop.send(get(&link).outside()).await.status, 200);
    shop.pass(86_400);
    let expired = shop.send(get(&link).outside()).await;
    assert_eq!((expired.status, expired.header("content-type")), (410, "text/html; charset=utf-8"));
    // Whoever changes an old link does not learn that it was one.
    assert_eq!(shop.send(get(&format!("{link}x"))).await.status, 404);
}

#[tokio::test]
async fn no_link_leaves_the_folder_even_when_we_signed_it() {
    let shop = Shop::open().await;
    shop.folder.write("secret.txt", b"secret");
    let secret = shop.folder.root().join("secret.txt");
    let absolute = secret.to_str().expect("a path in UTF-8");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, shop.folder.bot().join("attachments/linked.txt")).unwrap();
    let now = shop.now().to_zoned(jiff::tz::TimeZone::UTC);
    let signed = |path: &str| shop.signer.path(BOT, path, shop.signer.term(None, &now));
    assert_eq!(shop.send(get(&signed(CHART_FILE))).await.status, 200);
    for path in
        ["../secret.txt", "attachments/../../secret.txt", "attachments", "attachments/linked.txt", absolute]
    {
        for link in [signed(path), signed(path).replace("/../", "/..%2F").replace("//", "/%2F")] {
            let answer = shop.send(get(&link)).await;
            assert_eq!(answer.status, 404, "{link}: {}", answer.text());
        }
    }
}

// Files of the page.

fn console() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/console")
}

/// Values between `before` and the next quotation mark.
fn quoted<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

#[tokio::test]
async fn the_page_and_all_it_loads_come_with_a_strict_policy() {
    let shop = Shop::open().await;
    let page = shop.send(get("/")).await;
    let html = page.text();
    let mut wanted = vec![String::new()];
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let answer = shop.send(get(&format!("/{name}"))).await;
        assert_eq!(answer.status, 200, "{name}");
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(rule), "{name}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        let text = answer.text();
        let scripts = quoted(&text, "from \"./").chain(quoted(&text, "import(\"./"));
        wanted.extend(scripts.map(str::to_owned));
        if name.is_empty() {
            let own = quoted(&text, "src=\"").chain(quoted(&text, "href=\""));
            wanted.extend(own.filter(|to| !to.starts_with(['#', '/'])).map(str::to_owned));
        }
    }
    // The policy would keep these from working.
    for inline in ["<script>", "<style", " style=\"", " onclick=\"", "javascript:"] {
        assert!(!html.contains(inline), "{inline}");
    }
    let mut there: Vec<String> = fs::read_dir(console())
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".html"))
        .collect();
    there.sort();
    let seen: Vec<String> = seen.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(seen, there, "each file of the console is served, and loaded by the page");
    assert_eq!(shop.send(get("/expired.html")).await.error(), (404, "not-found".to_owned()));
}

#[tokio::test]
async fn the_bots_are_introduced() {
    let shop = Shop::open().await;
    let bots = shop.send(get("/api/v1/bots")).await.json();
    let bot = &bots["bots"][0];
    assert_eq!((&bot["id"], &bot["open"]), (&json!(BOT), &json!(true)));
    assert_eq!(bot["greeting"], "您好，我是小应。");
    shop.pass(12 * 3600);
    assert_eq!(shop.send(get("/api/v1/bots")).await.json()["bots"][0]["open"], false);
}

// Operation.

#[tokio::test]
async fn health_and_counters() {
    let shop = Shop::open().await;
    assert_eq!(shop.send(get("/healthz")).await.text(), "ok\n");
    assert_eq!(shop.send(get("/readyz")).await.json(), json!({ "ready": true, "bots": 1 }));
    let stopping = Shop::with(|desk| desk.stopping.store(true, Ordering::SeqCst)).await;
    let told = stopping.send(get("/readyz")).await;
    assert_eq!((told.status, told.json()), (503, json!({ "ready": false, "reason": "stopping" })));
    shop.say("a", RETURN.0).await;
    shop.say("a", TO_HUMAN).await;
    for _ in 0..=MESSAGES_PER_MINUTE {
        shop.say("b", "谢谢").await;
    }
    let metrics = shop.send(get("/metrics")).await.text();
    for line in [
        r#"yingda_answers_total{bot="shop",action="handoff"} 1"#,
        r#"yingda_http_requests_total{route="/api/v1/chat",status="429"} 1"#,
        "yingda_flooded_total 1",
        "yingda_http_requests_under_way 1",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_broken_store_is_told_to_the_probe_and_the_customer_gets_words() {
    let shop = Shop::open().await;
    let key = shop.key(Scope::Chat).await;
    shop.store.close().await;
    for call in [chat("a", RETURN.0), chat("a", RETURN.0).outside().key(&key)] {
        let answer = shop.send(call).await;
        assert_eq!(answer.error(), (503, "unavailable".to_owned()));
        assert!(answer.words().iter().any(|words| !words.is_empty()), "{}", answer.text());
        assert!(!answer.text().to_lowercase().contains("sql"), "{}", answer.text());
        assert!(!answer.text().contains("pool"), "{}", answer.text());
    }
    assert_eq!(shop.send(get("/readyz")).await.json(), json!({ "ready": false, "reason": "store" }));
    assert_eq!(shop.send(get("/healthz")).await.status, 200);
}

#[tokio::test]
async fn too_many_requests_at_once_are_sent_away_but_health_is_told() {
    let shop = Shop::with(|desk| desk.requests_max = 0).await;
    let busy = shop.say("a", RETURN.0).await;
    assert_eq!(busy.error(), (503, "busy".to_owned()));
    assert_eq!(busy.header("retry-after"), "1");
    assert_eq!(shop.send(get("/healthz")).await.status, 200);
    assert_eq!(shop.send(get("/readyz")).await.status, 200);
}

// The document.

/// Method and path of every route, as the source of the router has them.
fn routes() -> BTreeSet<(String, String)> {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/mod.rs")).unwrap();
    let mut routes = BTreeSet::new();
    for route in source.split(".route(\"").skip(1) {
        let (path, rest) = route.split_once('"').expect("a path in quotation marks");
        let handlers = rest.split(".layer(").next().and_then(|rest| rest.split(".route(").next());
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.is_some_and(|handlers| handlers.contains(&format!("{method}("))) {
                routes.insert((method.to_owned(), path.replace("{*", "{")));
            }
        }
    }
    routes
}

#[test]
fn every_route_is_described() {
    let routes = routes();
    assert!(routes.len() > 10, "{routes:?}");
    assert_eq!(routes, Contract::read().operations());
}

#[tokio::test]
async fn every_description_has_its_route() {
    // Streams of events end at once where the server stops.
    let shop = Shop::with(|desk| desk.stopping.store(true, Ordering::SeqCst)).await;
    let admin = shop.key(Scope::Admin).await;
    for (method, path) in shop.contract.operations() {
        let filled = path.replace("{id}", "1").replace("{expires}", "1").replace(['{', '}'], "");
        let call = if method == "post" { post(&filled, "{}") } else { get(&filled) };
        let answer = shop.send(call.key(&admin)).await;
        assert_ne!(answer.status, 405, "{method} {path}");
        let metrics = shop.send(get("/metrics").key(&admin)).await.text();
        let routed = path.replace("{path}", "{*path}");
        let counted = format!("yingda_http_requests_total{{route=\"{routed}\",");
        assert!(metrics.contains(&counted), "{method} {path} is not routed:\n{metrics}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let shop = Shop::open().await;
    let served = shop.send(get("/api/v1/openapi.json")).await.json();
    assert_eq!(&served, shop.contract.document());
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_wrong_method_or_address_is_an_error_with_a_code() {
    let shop = Shop::open().await;
    assert_eq!(shop.send(get("/api/v1/chat")).await.error(), (405, "method-not-allowed".to_owned()));
    assert_eq!(shop.send(get("/api/v1/nothing")).await.error(), (404, "not-found".to_owned()));
    assert_eq!(shop.send(get("/nothing.js")).await.error(), (404, "not-found".to_owned()));
}
