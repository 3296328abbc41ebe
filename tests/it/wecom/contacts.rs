//! 客户联系 from the event to WeCom and back: welcomes once and in time, details into the row, tags both ways.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use axum::Router;
use axum::extract::Query;
use axum::extract::State;
use axum::routing::get;
use axum::routing::post;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tokio::task::JoinSet;
use yingda::desk::outbox;
use yingda::http::router;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::app::App;
use yingda::service::media::MediaShelf;
use yingda::store::CustomerKey;
use yingda::store::CustomerRow;
use yingda::store::Fate;
use yingda::store::Store;

use super::fixture::Disk;
use super::fixture::PATIENCE;
use super::fixture::Wecom;
use super::fixture::desk_over;
use super::fixture::eventually;
use super::fixture::now;
use super::fixture::service;
use super::stand::SECRET;

/// What the endpoints of 客户联系 were asked, and what they are to answer.
#[derive(Default)]
struct Ledger {
    /// Every call of `send_welcome_msg`, refused ones too.
    welcomes: Vec<Value>,
    /// What the calls with a code get instead of success, one after another; the last one for ever.
    refusals: BTreeMap<&'static str, VecDeque<i64>>,
    /// Customers that were asked for.
    looks: Vec<String>,
    /// Times that WeCom does not know a relation yet.
    n_not_yet: usize,
    /// Who follows whom, as `get` tells it.
    customers: BTreeMap<String, Value>,
    /// Calls of `mark_tag`.
    marks: Vec<Value>,
    /// The company's list.
    tag_group: Value,
}

type Shared = State<Arc<Mutex<Ledger>>>;
type Params = Query<BTreeMap<String, String>>;

async fn token(Query(params): Params) -> axum::Json<Value> {
    assert_eq!(params["corpsecret"], SECRET);
    axum::Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": "token1", "expires_in": 7200 }))
}

fn done(fields: Value) -> axum::Json<Value> {
    let mut answer = json!({ "errcode": 0, "errmsg": "ok" });
    answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    axum::Json(answer)
}

fn refused(code: i64) -> axum::Json<Value> {
    axum::Json(json!({ "errcode": code, "errmsg": "refused" }))
}

async fn send_welcome(State(ledger): Shared, body: String) -> axum::Json<Value> {
    let mut ledger = ledger.lock().unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    let code = body["welcome_code"].as_str().unwrap().to_owned();
    ledger.welcomes.push(body);
    match ledger.refusals.get_mut(code.as_str()) {
        Some(codes) if codes.len() > 1 => refused(codes.pop_front().unwrap()),
        Some(codes) if codes[0] != 0 => refused(codes[0]),
        _ => done(json!({})),
    }
}

async fn customer(State(ledger): Shared, Query(params): Params) -> axum::Json<Value> {
    let mut ledger = ledger.lock().unwrap();
    assert_eq!(params["access_token"], "token1");
    let id = params["external_userid"].clone();
    ledger.looks.push(id.clone());
    if ledger.n_not_yet > 0 {
        ledger.n_not_yet -= 1;
        return refused(84061);
    }
    let followers = ledger.customers.get(&id).cloned();
    followers.map_or_else(
        || refused(84061),
        |followers| {
            let contact = json!({ "external_userid": id, "name": "李四", "type": 1, "gender": 0 });
            done(json!({ "external_contact": contact, "follow_user": followers }))
        },
    )
}

async fn tag_list(State(ledger): Shared) -> axum::Json<Value> {
    let groups = ledger.lock().unwrap().tag_group.clone();
    done(json!({ "tag_group": groups }))
}

async fn mark_tag(State(ledger): Shared, body: String) -> axum::Json<Value> {
    ledger.lock().unwrap().marks.push(serde_json::from_str(&body).unwrap());
    done(json!({}))
}

/// A farm over a WeCom that knows 客户联系 and nothing else.
struct Farm {
    ledger: Arc<Mutex<Ledger>>,
    service: Arc<Service>,
    apps: BTreeMap<String, Arc<App>>,
    router: Router,
    disk: Disk,
    clock: Arc<Mutex<Timestamp>>,
    tasks: JoinSet<()>,
}

impl Farm {
    /// One that sends nothing yet.
    async fn asleep() -> Self {
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        ledger.lock().unwrap().tag_group = json!([]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let contacts = Router::new()
            .route("/cgi-bin/gettoken", get(token))
            .route("/cgi-bin/externalcontact/send_welcome_msg", post(send_welcome))
            .route("/cgi-bin/externalcontact/get", get(customer))
            .route("/cgi-bin/externalcontact/get_corp_tag_list", post(tag_list))
            .route("/cgi-bin/externalcontact/mark_tag", post(mark_tag))
            .with_state(Arc::clone(&ledger));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, contacts).await.unwrap() });
        let disk = Disk::new().await;
        let clock = Arc::new(Mutex::new(now()));
        let own = Arc::clone(&clock);
        let store = Arc::clone(&disk.store) as Arc<dyn Store>;
        let service = service(store, Arc::new(move || *own.lock().unwrap()));
        let desk = desk_over(&url, &service, PATIENCE);
        let apps = desk.apps.clone();
        Self { ledger, service, apps, router: router(desk), disk, clock, tasks }
    }

    async fn new() -> Self {
        let mut farm = Self::asleep().await;
        farm.wakes();
        farm
    }

    /// Begins to send.
    fn wakes(&mut self) {
        let media = Arc::new(MediaShelf::new(Arc::clone(&self.service)));
        self.tasks.spawn(outbox::run(Arc::clone(&self.service), media, self.apps.clone()));
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn passes(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    async fn happens(&self, plaintext: &str) {
        Wecom::farm().deliver(&self.router, plaintext).await.assert_acknowledged(plaintext);
    }

    /// Waits for so many welcomes.
    async fn welcomes(&self, n: usize) -> Vec<Value> {
        eventually("a welcome", async || {
            Some(self.ledger().welcomes.clone()).filter(|welcomes| welcomes.len() >= n)
        })
        .await
    }

    /// Waits until WeCom was asked so often for customers.
    async fn looks(&self, n: usize) {
        eventually("a look", async || (self.ledger().looks.len() >= n).then_some(())).await;
    }

    async fn row(&self, id: &str) -> Option<CustomerRow> {
        self.disk.store.customer(&key(id)).await.unwrap()
    }

    /// Waits until a row is as it should be.
    async fn becomes(&self, id: &str, what: &str, is_so: impl Fn(&CustomerRow) -> bool) -> CustomerRow {
        eventually(what, async || self.row(id).await.filter(|row| is_so(row))).await
    }

    async fn says(&self, id: &str, text: &str) {
        let question = Question {
            bot: "farm".into(),
            channel: Channel::WecomKf,
            customer_id: id.to_owned(),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(text.to_owned()),
            with: Vec::new(),
        };
        self.service.answer(&question).await.unwrap();
    }
}

fn key(id: &str) -> CustomerKey {
    CustomerKey::new("farm", Channel::WecomKf, id).unwrap()
}

/// An event as WeCom words it.
fn event(name: &str, change: &str, fields: &str, at: Timestamp) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>\
         <ChangeType><![CDATA[{change}]]></ChangeType>{fields}</xml>",
        Wecom::farm().corp,
        at.as_second()
    )
}

/// An event between a customer and `ZhangSan`.
fn of_customer(change: &str, customer: &str, more: &str) -> String {
    let fields = format!(
        "<UserID><![CDATA[ZhangSan]]></UserID><ExternalUserID><![CDATA[{customer}]]></ExternalUserID>{more}"
    );
    event("change_external_contact", change, &fields, now())
}

/// A customer adds `ZhangSan`.
fn adds(customer: &str, state: Option<&str>, code: Option<&str>) -> String {
    let state = state.map(|state| format!("<State><![CDATA[{state}]]></State>")).unwrap_or_default();
    let code = code.map(|code| format!("<WelcomeCode><![CDATA[{code}]]></WelcomeCode>")).unwrap_or_default();
    of_customer("add_external_contact", customer, &format!("{state}{code}"))
}

/// A member as `get` tells of them.
fn follower(user_id: &str, remark: &str, tags: &Value) -> Value {
    json!({
        "userid": user_id, "remark": remark, "description": "", "createtime": 1_795_485_600, "add_way": 1,
        "oper_userid": user_id, "state": "poster_07", "remark_mobiles": ["13800000001"], "tags": tags,
    })
}

/// A tag of the company's list, as `get` tells of it.
fn on_customer(id: &str, name: &str) -> Value {
    json!({ "group_name": "等级", "tag_name": name, "tag_id": id, "type": 1 })
}

fn by_poster(code: &str) -> Value {
    json!({
        "welcome_code": code,
        "text": { "content": "您好，小田欢迎您，海报上的券在这里：" },
        "attachments": [{ "msgtype": "link", "link": {
            "title": "新人券", "url": "https://farm.example/coupon", "picurl": "https://farm.example/c.png" } }],
    })
}

fn otherwise(code: &str) -> Value {
    json!({ "welcome_code": code, "text": { "content": "您好，我是小田。" } })
}

fn names(tags: &[&str]) -> BTreeSet<String> {
    tags.iter().map(|&tag| tag.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_customers_of_one_second_are_welcomed_once_each_though_every_event_comes_three_times() {
    let farm = Farm::new().await;
    for number in 0..100 {
        farm.ledger().customers.insert(format!("wm{number}"), json!([follower("ZhangSan", "", &json!([]))]));
    }
    // All of them at once, then the repetitions, two of each side by side.
    for copies in [1, 2] {
        let mut deliveries = JoinSet::new();
        for number in 0..100 {
            let state = (number % 2 == 0).then_some("poster_07");
            let plaintext = adds(&format!("wm{number}"), state, Some(&format!("WC{number}")));
            for _ in 0..copies {
                let (router, plaintext) = (farm.router.clone(), plaintext.clone());
                deliveries.spawn(async move { Wecom::farm().deliver(&router, &plaintext).await });
            }
        }
        for delivery in deliveries.join_all().await {
            delivery.assert_acknowledged("one of three deliveries");
        }
    }
    farm.welcomes(100).await;
    farm.passes(2);
    farm.looks(100).await;
    let mut said: Vec<String> = farm.ledger().welcomes.iter().map(Value::to_string).collect();
    let expected = (0..100).map(|number| {
        let code = format!("WC{number}");
        if number % 2 == 0 { by_poster(&code) } else { otherwise(&code) }.to_string()
    });
    let mut expected: Vec<String> = expected.collect();
    said.sort();
    expected.sort();
    assert_eq!(said, expected);
    assert_eq!(farm.ledger().looks.len(), 100, "each is asked for once");
    assert_eq!(farm.disk.store.outbox_given_up(10).await.unwrap(), []);
    assert_eq!(farm.disk.store.callbacks_unanswered("farm").await.unwrap(), []);
}

#[tokio::test]
async fn the_welcome_goes_by_the_state_and_leaves_before_anything_is_asked() {
    let farm = Farm::new().await;
    farm.happens(&adds("wmA", Some("poster_07"), Some("WCA"))).await;
    assert_eq!(farm.welcomes(1).await, [by_poster("WCA")]);
    farm.happens(&adds("wmB", Some("elsewhere"), Some("WCB"))).await;
    assert_eq!(farm.welcomes(2).await[1], otherwise("WCB"));
    let half = adds("wmC", None, Some("WCC")).replace("add_external_contact", "add_half_external_contact");
    farm.happens(&half).await;
    assert_eq!(farm.welcomes(3).await[2], otherwise("WCC"));
    // They chat already, or the console has a welcome of its own.
    farm.happens(&adds("wmD", Some("poster_07"), None)).await;
    let group = event("change_external_chat", "create", "<ChatId><![CDATA[wr1]]></ChatId>", now());
    farm.happens(&group).await;
    assert_eq!(farm.ledger().looks, [] as [String; 0], "two seconds later");
    farm.passes(2);
    farm.looks(4).await;
    let looks: BTreeSet<String> = farm.ledger().looks.iter().cloned().collect();
    assert_eq!(looks, names(&["wmA", "wmB", "wmC", "wmD"]));
    assert_eq!(farm.ledger().welcomes.len(), 3);
}

#[tokio::test]
async fn a_welcome_that_was_said_is_settled_and_one_in_another_apps_hands_is_tried_again() {
    let farm = Farm::new().await;
    // The answer to the first call of LOST is none, and the second finds the code used.
    let refusals =
        [("BUSY", vec![41096, 0]), ("LOST", vec![-1, 41050]), ("SAID", vec![41051]), ("USED", vec![41050])];
    for (n_before, (code, codes)) in refusals.into_iter().enumerate() {
        farm.ledger().refusals.insert(code, codes.into());
        let id = format!("wm{code}");
        farm.ledger().customers.insert(id.clone(), json!([follower("ZhangSan", "", &json!([]))]));
        farm.happens(&adds(&id, None, Some(code))).await;
        farm.welcomes(n_before + 1).await;
    }
    // Results are written round by round, so those before the last one are on record with it.
    eventually("the refusal on record", async || {
        let given_up = farm.disk.store.outbox_given_up(10).await.unwrap();
        (given_up.len() == 1).then_some(())
    })
    .await;
    farm.passes(1);
    farm.welcomes(6).await;
    farm.passes(1);
    // What comes after shows that nothing else was to be sent.
    farm.looks(4).await;
    let codes = farm.ledger().welcomes.clone();
    let times = |code: &str| codes.iter().filter(|welcome| welcome["welcome_code"] == code).count();
    assert_eq!([times("SAID"), times("USED"), times("BUSY"), times("LOST")], [1, 1, 2, 2]);
    let given_up = farm.disk.store.outbox_given_up(10).await.unwrap();
    let fates: Vec<_> = given_up.iter().map(|row| (row.recipient.as_str(), &row.fate)).collect();
    assert_eq!(fates, [("wmUSED", &Fate::GivenUp { reason: "errcode 41050".to_owned() })]);
}

#[tokio::test]
async fn a_code_of_twenty_seconds_is_not_sent_and_one_that_a_stop_held_back_is() {
    let mut farm = Farm::asleep().await;
    farm.happens(&adds("wmEarly", None, Some("EARLY"))).await;
    farm.passes(1);
    let later = now() + SignedDuration::from_secs(1);
    let late = adds("wmLate", None, Some("LATE"));
    let late = late.replace(&now().as_second().to_string(), &later.as_second().to_string());
    farm.happens(&late).await;
    // Both are on disk; the first one's code has run out by now.
    farm.passes(19);
    farm.wakes();
    assert_eq!(farm.welcomes(1).await, [otherwise("LATE")]);
    farm.looks(2).await;
    assert_eq!(farm.ledger().welcomes.len(), 1);
    let given_up = farm.disk.store.outbox_given_up(10).await.unwrap();
    let fates: Vec<_> = given_up.iter().map(|row| (row.recipient.as_str(), &row.fate)).collect();
    assert!(fates.contains(&("wmEarly", &Fate::GivenUp { reason: "expired".to_owned() })), "{fates:?}");
}

#[tokio::test]
async fn what_wecom_knows_of_a_customer_comes_into_the_row_of_the_same_person() {
    let farm = Farm::new().await;
    // They have written to 微信客服 before.
    farm.says("wm1", "会员").await;
    let personal = json!({ "group_name": "", "tag_name": "爱喝茶", "type": 2 });
    let tags = json!([on_customer("et2", "一般"), personal]);
    farm.ledger().customers.insert("wm1".to_owned(), json!([follower("ZhangSan", "李先生", &tags)]));
    farm.ledger().n_not_yet = 1;
    farm.happens(&adds("wm1", Some("poster_07"), Some("WC1"))).await;
    farm.welcomes(1).await;
    farm.passes(2);
    // WeCom does not know the relation yet.
    farm.looks(1).await;
    eventually("the second look", async || {
        farm.passes(1);
        tokio::task::yield_now().await;
        (farm.ledger().looks.len() >= 2).then_some(())
    })
    .await;
    let row = farm.becomes("wm1", "a name", |row| row.name.is_some()).await;
    assert_eq!((row.name.as_deref(), &row.tags), (Some("李四"), &names(&["一般", "爱喝茶", "重要"])));
    let field = |name: &str| row.record.get(name).map(String::as_str);
    assert_eq!((field("wecom_staff"), field("wecom_state")), (Some("zhangsan"), Some("poster_07")));
    assert_eq!((field("wecom_remark"), field("wecom_mobiles")), (Some("李先生"), Some("13800000001")));
    assert_eq!((field("wecom_add_way"), field("wecom_description")), (Some("扫描二维码"), None));
    assert_eq!(field("wecom_tags"), Some("爱喝茶、等级/一般"));
    // The member takes the personal tag off and calls them otherwise.
    let tags = json!([on_customer("et2", "一般")]);
    farm.ledger().customers.insert("wm1".to_owned(), json!([follower("ZhangSan", "李总", &tags)]));
    farm.happens(&of_customer("edit_external_contact", "wm1", "")).await;
    farm.passes(2);
    let edited = farm.becomes("wm1", "the new remark", |row| row.record["wecom_remark"] == "李总").await;
    assert_eq!(edited.tags, names(&["一般", "重要"]), "what the bot put on stays");
    // The customer deletes the member.
    farm.happens(&of_customer("del_follow_user", "wm1", "")).await;
    let row = farm.row("wm1").await.unwrap();
    assert!(row.record["wecom_left"].ends_with("客户删除了 zhangsan"), "{}", row.record["wecom_left"]);
    assert!(!row.record.contains_key("wecom_staff"));
}

#[tokio::test]
async fn tags_of_the_bot_are_marked_and_what_happens_in_wecom_stands() {
    let farm = Farm::new().await;
    let list = |second: &str| {
        let tag = |id: &str, name: &str| json!({ "id": id, "name": name, "create_time": 1, "order": 1 });
        let tags = json!([tag("et1", "重要"), tag("et2", second)]);
        json!([{ "group_id": "eg1", "group_name": "等级", "create_time": 1, "order": 1, "tag": tags }])
    };
    let followed = |tags: Value| json!([follower("ZhangSan", "", &tags), follower("lisi", "", &tags)]);
    farm.ledger().tag_group = list("一般");
    farm.ledger().customers.insert("wm1".to_owned(), followed(json!([])));
    farm.happens(&adds("wm1", None, None)).await;
    farm.passes(2);
    farm.becomes("wm1", "followers", |row| row.contact.is_some()).await;

    farm.says("wm1", "会员").await;
    eventually("both marks", async || (farm.ledger().marks.len() >= 2).then_some(())).await;
    let mark = |user_id: &str| json!({ "userid": user_id, "external_userid": "wm1", "add_tag": ["et1"], "remove_tag": [] });
    assert_eq!(farm.ledger().marks, [mark("lisi"), mark("zhangsan")]);
    farm.becomes("wm1", "the mark on record", |row| {
        row.contact.as_deref().is_some_and(|contact| contact.contains("et1"))
    })
    .await;

    // The same tag again, and one that the company does not have: nothing is to be marked.
    farm.says("wm1", "会员").await;
    farm.says("wm1", "常客").await;
    // A member takes the bot's tag off: it is off here too, and the bot does not fight for it.
    farm.ledger().customers.insert("wm1".to_owned(), followed(json!([on_customer("et2", "一般")])));
    farm.happens(&of_customer("edit_external_contact", "wm1", "")).await;
    farm.passes(2);
    let row = farm.becomes("wm1", "the other tag", |row| row.tags.contains("一般")).await;
    assert_eq!(row.tags, names(&["一般", "常客"]));

    // The tag is renamed for the whole company; no customer's event tells of it.
    farm.ledger().tag_group = list("普通");
    let fields = "<Id><![CDATA[et2]]></Id><TagType><![CDATA[tag]]></TagType>";
    farm.happens(&event("change_external_tag", "update", fields, now())).await;
    let row = farm.row("wm1").await.unwrap();
    assert_eq!(row.tags, names(&["常客", "普通"]));
    assert_eq!(row.record["wecom_tags"], "等级/普通");
    assert_eq!(farm.ledger().marks.len(), 2);
}
