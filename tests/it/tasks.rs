//! Tasks against the shop's own system: what it may answer, and that nothing is done twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
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
use yingda::desk::outbox;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::message::Part;
use yingda::policy::decision::Decision;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::call::Calls;
use yingda::service::media::MediaShelf;
use yingda::simulate::shop::Shop as DemoShop;
use yingda::store::CustomerKey;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::store::TicketFilter;

use crate::fixture::BOT;
use crate::fixture::Folder;

const NOW: &str = "2026-11-23T02:00:00Z";

const SIGNING_KEY: &[u8] = b"twenty-four bytes or more";

const TASK: &str = r#"
title = "退货"
group = "service"
[slot.order_id]
entity = "order_id"
pattern = '[0-9]{8,}'
prompts = ["订单号？"]
[slot.order]
pick = "found"
label = "{{ item.title }}"
prompts = ["哪一单？"]
[slot.phone]
entity = "phone"
remember = "phone"
prompts = ["手机号？"]
[slot.ok]
confirm = true
prompts = ["退{{ order.title }}，对吗？"]
[[step]]
id = "number"
ask = "order_id"
[[step]]
id = "find"
call = "orders"
with = { number = "{{ order_id }}" }
save = "found"
[[step]]
id = "which"
ask = "order"
[[step]]
id = "phone"
ask = "phone"
[[step]]
id = "confirm"
ask = "ok"
[[step]]
id = "do"
call = "return"
with = { number = "{{ order.number }}" }
save = "done"
refused = "refused"
[[step]]
id = "ticket"
ticket = "退货 {{ done.number }}"
[[step]]
id = "said"
say = "登记好了，{{ done.number }}。"
end = true
[[step]]
id = "refused"
say = "没登记上：{{ refusal }}。"
"#;

const RULES: &str = r#"
[[rule]]
id = "return"
stage = "hard"
when = { any = ["退货登记"] }
then = [{ task = "return" }, { call = "notify" }]
[[rule]]
id = "human"
stage = "hard"
when = { any = ["转人工"] }
then = [{ handoff = "service" }]
"#;

/// What the shop's system got.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    path: String,
    key: String,
    is_signed: bool,
    body: Value,
}

type Answers = Arc<dyn Fn(&str, usize) -> Response + Send + Sync>;

/// The shop's own system, which answers as a test wants.
#[derive(Clone)]
struct Erp {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Answers,
}

impl Erp {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(erp): State<Erp>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_KEY).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let asked = Asked {
        path: head.uri.to_string(),
        key: header("webhook-id"),
        is_signed: header("webhook-signature") == signature,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let n_before = {
        let mut all = erp.asked.lock().unwrap();
        all.push(asked.clone());
        all.iter().filter(|one| one.path == asked.path).count() - 1
    };
    (erp.answers)(&asked.path, n_before)
}

fn good(path: &str) -> Response {
    let body = match path {
        "/notify" => json!({ "code": 0 }),
        path if path.starts_with("/orders") => {
            json!({ "code": 0, "data": [{ "no": "20261122", "title": "黑衬衫" }] })
        }
        _ => json!({ "code": 0, "data": { "no": "R1" } }),
    };
    axum::Json(body).into_response()
}

/// A served bot with one task, and the system beside it.
struct Shop {
    erp: Erp,
    service: Arc<Service>,
    store: Arc<dyn Store>,
    _folder: Folder,
    _data: TempDir,
}

impl Shop {
    async fn open(answers: impl Fn(&str, usize) -> Response + Send + Sync + 'static) -> Self {
        Self::reached(answers, true).await
    }

    /// * `allowed`: whether the system of the own network is named as one that may be asked.
    async fn reached(
        answers: impl Fn(&str, usize) -> Response + Send + Sync + 'static,
        allowed: bool,
    ) -> Self {
        let erp = Erp { asked: Arc::default(), answers: Arc::new(answers) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(erp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = Folder::new();
        let connectors = format!(
            r#"[connector.erp]
url = "http://{address}"
secret = "env:ERP_SECRET"
timeout_ms = 300
attempts_max = 2
[call.orders]
connector = "erp"
get = "/orders"
query = {{ no = "{{{{ number }}}}" }}
ok = "code == 0"
refusal = "msg"
answer = "data"
fields = {{ number = "no", title = "title" }}
[call.return]
connector = "erp"
post = "/returns/{{{{ number }}}}"
body = {{ who = "{{{{ customer.id }}}}" }}
ok = "code == 0"
refusal = "msg"
answer = "data"
fields = {{ number = "no" }}
[call.notify]
connector = "erp"
post = "/notify"
body = {{ said = "{{{{ text }}}}" }}
"#
        );
        folder.write(&format!("{BOT}/connectors.toml"), connectors.as_bytes());
        folder.write(&format!("{BOT}/tasks/return.toml"), TASK.as_bytes());
        folder.write(&format!("{BOT}/rules.toml"), RULES.as_bytes());
        let data = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data.path()).await.unwrap());
        let now: Timestamp = NOW.parse().unwrap();
        let calls = Calls {
            allowed: if allowed { BTreeSet::from([address.to_string()]) } else { BTreeSet::new() },
            demo_shop: None,
            variable: |name| {
                assert_eq!(name, "ERP_SECRET");
                Some(format!("whsec_{}", STANDARD.encode(SIGNING_KEY)))
            },
        };
        // Time passes: a state is told from an equal one of before by when its words were said.
        let second = AtomicI64::new(now.as_second());
        let clock = move || Timestamp::from_second(second.fetch_add(1, Ordering::SeqCst)).unwrap();
        let service = Service::new(vec![folder.engine()], Arc::clone(&store), Arc::new(clock));
        Self { erp, service: Arc::new(service.with_calls(calls)), store, _folder: folder, _data: data }
    }

    async fn send(&self, content: Content) -> (String, &'static str) {
        let question = Question {
            bot: BOT.to_owned(),
            channel: Channel::Web,
            customer_id: "c".to_owned(),
            name: None,
            kind: CustomerKind::Customer,
            content,
            with: Vec::new(),
        };
        let answer = self.service.answer(&question).await.unwrap();
        let words = answer.reply.parts.iter().flat_map(Part::words).collect::<Vec<_>>().join(" ");
        (words, answer.turn.map_or("", |turn: yingda::engine::Turn| turn.decision.action()))
    }

    async fn say(&self, text: &str) -> String {
        self.send(Content::Text(text.to_owned())).await.0
    }

    /// A talk up to the confirmation.
    async fn to_confirmation(&self) {
        self.say("退货登记 订单202611220001").await;
        assert_eq!(self.say("13800001234").await, "退黑衬衫，对吗？");
    }

    fn posts(&self) -> Vec<Asked> {
        self.erp.asked().into_iter().filter(|asked| asked.path.starts_with("/returns")).collect()
    }
}

#[tokio::test]
async fn a_task_asks_the_shops_system_and_leaves_its_traces_with_the_turn() {
    let shop = Shop::open(|path, _| good(path)).await;
    shop.to_confirmation().await;
    assert_eq!(shop.say("是的").await, "登记好了，R1。");
    let posts = shop.posts();
    assert_eq!((posts.len(), posts[0].path.as_str()), (1, "/returns/20261122"));
    assert!(posts[0].is_signed && !posts[0].key.is_empty());
    assert_eq!(posts[0].body, json!({ "who": "c" }));
    let key = CustomerKey::new(BOT, Channel::Web, "c").unwrap();
    assert_eq!(shop.store.customer(&key).await.unwrap().unwrap().record["phone"], "13800001234");
    let tickets = shop.store.tickets(TicketFilter { bot: None, open_only: true, limit: 9 }).await.unwrap();
    assert_eq!((tickets.len(), tickets[0].title.as_str()), (1, "退货 R1"));
    let steps = shop.store.task_steps(BOT, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(steps.iter().all(|step| step.n_reached == 1 && step.n_passed == 1), "{steps:?}");
    // The next time nobody asks for the telephone, and another order has another key.
    shop.say("退货登记 订单202611220001").await;
    assert_eq!(shop.say("是的").await, "登记好了，R1。");
    assert_ne!(shop.posts()[1].key, posts[0].key);
}

#[tokio::test]
async fn a_call_that_broke_off_is_repeated_under_the_same_key() {
    let shop = Shop::open(|path, n_before| match (path, n_before) {
        ("/returns/20261122", 0) => axum::http::StatusCode::BAD_GATEWAY.into_response(),
        _ => good(path),
    })
    .await;
    shop.to_confirmation().await;
    assert_eq!(shop.say("是的").await, "登记好了，R1。");
    let keys: BTreeSet<String> = shop.posts().into_iter().map(|post| post.key).collect();
    assert_eq!((shop.posts().len(), keys.len()), (2, 1));
}

#[tokio::test]
async fn a_turn_that_was_lost_after_its_call_makes_the_same_call_again() {
    let shop = Shop::open(|path, _| good(path)).await;
    shop.to_confirmation().await;
    // As a kill between the call and the commit would leave it: the state is that from before.
    let key = CustomerKey::new(BOT, Channel::Web, "c").unwrap();
    let before = shop.store.conversation(&key, NOW.parse().unwrap()).await.unwrap();
    let engine = Arc::clone(&shop.service.bots()[BOT]);
    let state = yingda::service::state::read(&before.state).unwrap();
    let customer = yingda::message::Customer::new("c", CustomerKind::Customer);
    let inbound = yingda::message::Inbound {
        bot: BOT.to_owned(),
        channel: Channel::Web,
        customer,
        content: Content::Text("是的".to_owned()),
    };
    let now: Timestamp = NOW.parse().unwrap();
    let turn = engine.respond(&inbound, &state, now, &mut |_| {});
    let origin = yingda::service::call::origin(&before);
    let calls = shop.service.calls();
    let turn = calls.carry_on(&engine, turn, (&inbound, &state), &origin, now).await;
    assert!(matches!(turn.decision, Decision::Task { .. }));
    assert_eq!(shop.say("是的").await, "登记好了，R1。");
    let keys: BTreeSet<String> = shop.posts().into_iter().map(|post| post.key).collect();
    assert_eq!((shop.posts().len(), keys.len()), (2, 1));
}

#[tokio::test]
async fn whatever_the_system_answers_the_customer_gets_an_answer() {
    type Nonsense = fn() -> Response;
    let large: Nonsense = || Body::from(vec![b' '; 10 * 1024 * 1024]).into_response();
    let slow: Nonsense = || {
        Response::new(Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>()))
    };
    let nonsense: [(&str, Nonsense); 6] = [
        ("an error", || axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ("HTML", || "<html>系统升级中</html>".into_response()),
        ("ten megabytes", large),
        ("nothing for ever", slow),
        ("another shape", || axum::Json(json!([1, 2])).into_response()),
        ("no words", || axum::Json(json!({ "code": 7 })).into_response()),
    ];
    for (what, answer) in nonsense {
        let shop = Shop::open(move |_, _| answer()).await;
        let (words, action) = shop.send(Content::Text("退货登记 订单202611220001".to_owned())).await;
        assert!(words.contains("查不到") && words.contains("在线客服组"), "{what}: {words}");
        assert_eq!(action, "handoff", "{what}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_its_words() {
    let shop = Shop::open(|path, _| {
        if path.starts_with("/returns") {
            return axum::Json(json!({ "code": 9, "msg": "过了期限" })).into_response();
        }
        good(path)
    })
    .await;
    shop.to_confirmation().await;
    assert_eq!(shop.say("是的").await, "没登记上：过了期限。");
}

#[tokio::test]
async fn a_system_of_the_own_network_is_asked_only_where_it_is_named() {
    let shop = Shop::reached(|path, _| good(path), false).await;
    let words = shop.say("退货登记 订单202611220001").await;
    assert!(words.contains("查不到"), "{words}");
    assert_eq!(shop.erp.asked(), []);
}

#[tokio::test]
async fn nonsense_a_picture_and_a_wish_for_a_human_lead_somewhere() {
    let shop = Shop::open(|path, _| good(path)).await;
    assert_eq!(shop.say("退货登记").await, "订单号？");
    assert_eq!(shop.say("哈哈").await, "订单号？");
    assert_eq!(shop.send(Content::Image).await.0, "订单号？");
    let (words, action) = shop.send(Content::Text("🙃🙃".to_owned())).await;
    assert_eq!(action, "handoff", "{words}");
    let other = Shop::open(|path, _| good(path)).await;
    other.say("退货登记").await;
    assert_eq!(other.send(Content::Text("转人工".to_owned())).await.1, "handoff");
    // The task rests while a human is asked: the bot does not go on asking.
    assert!(!other.say("怎么申请退货").await.contains("订单号"));
}

#[tokio::test]
async fn what_a_rule_calls_is_called_after_the_commit_and_as_often_as_it_takes() {
    let shop = Shop::open(|path, n_before| {
        if path == "/notify" && n_before < 2 {
            return axum::http::StatusCode::BAD_GATEWAY.into_response();
        }
        good(path)
    })
    .await;
    shop.say("退货登记").await;
    let asked = || shop.erp.asked().into_iter().filter(|asked| asked.path == "/notify").collect::<Vec<_>>();
    let shelf = Arc::new(MediaShelf::new(Arc::clone(&shop.service)));
    let sending = tokio::spawn(outbox::run(Arc::clone(&shop.service), shelf, Default::default()));
    let called = async {
        while asked().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), called).await.expect("the rule's call");
    sending.abort();
    let keys: BTreeSet<String> = asked().into_iter().map(|one| one.key).collect();
    assert_eq!(keys.len(), 1);
    assert_eq!(asked()[0].body, json!({ "said": "退货登记" }));
}

#[tokio::test]
async fn the_demo_shop_takes_the_shipped_task_to_its_end() {
    let now: Timestamp = NOW.parse().unwrap();
    let demo = DemoShop::new(Arc::new(move || now), None);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = demo.clone().router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = Folder::new();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/shop");
    let copy =
        |file: &str| folder.write(&format!("{BOT}/{file}"), &std::fs::read(shipped.join(file)).unwrap());
    for file in ["bot.toml", "replies.toml", "connectors.toml", "tasks/return-exchange.toml", "products.csv"]
    {
        copy(file);
    }
    for attachment in std::fs::read_dir(shipped.join("attachments")).unwrap() {
        copy(&format!("attachments/{}", attachment.unwrap().file_name().to_string_lossy()));
    }
    for picture in std::fs::read_dir(shipped.join("pictures")).unwrap() {
        copy(&format!("pictures/{}", picture.unwrap().file_name().to_string_lossy()));
    }
    // Without the network no intent begins it.
    let rules = "[[rule]]\nid = \"return\"\nstage = \"hard\"\nwhen = { any = [\"退换\"] }\nthen = [{ task = \"return-exchange\" }]\n";
    folder.write(&format!("{BOT}/rules.toml"), rules.as_bytes());
    let profile =
        std::fs::read_to_string(shipped.join("bot.toml")).unwrap().replace("model = \"shop\"\n", "");
    folder.write(&format!("{BOT}/bot.toml"), profile.as_bytes());
    folder.write(
        &format!("{BOT}/faq/faq.csv"),
        "编号,分类,问题,相似问,答案,回复,生效,失效\na,return_policy,能退吗,,能退。,,,\n".as_bytes(),
    );
    let data = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data.path()).await.unwrap());
    let calls = Calls { demo_shop: Some(address), ..Calls::default() };
    let service = Service::new(vec![folder.engine()], store, Arc::new(move || now)).with_calls(calls);
    let say = async |text: &str| {
        let question = Question {
            bot: BOT.to_owned(),
            channel: Channel::Web,
            customer_id: "c".to_owned(),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(text.to_owned()),
            with: Vec::new(),
        };
        let answer = service.answer(&question).await.unwrap();
        answer.reply.parts.iter().flat_map(Part::words).collect::<Vec<_>>().join(" ")
    };
    assert!(say("我想退换上个月买的黑色衬衫").await.contains("退货还是换货"));
    assert!(say("换货").await.contains("云柔新疆长绒棉长袖衬衫 黑色 L"));
    say("XL").await;
    say("偏小").await;
    assert!(say("上门取件").await.contains("换成：XL"));
    assert!(say("对").await.contains("登记好了"));
    let done = demo.done();
    assert_eq!((done.len(), done[0].kind), (1, "return"));
    assert_eq!(done[0].body["new_size"], "XL");
}
