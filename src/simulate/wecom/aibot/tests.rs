//! A bot of the company, as far as it answers what a test says.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Request;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::Plan;
use crate::simulate::wecom::aibot::Talk;
use crate::simulate::wecom::aibot::control;
use crate::simulate::wecom::aibot::control::Asking;
use crate::simulate::wecom::tests::Server;

/// What the bot does with the outer answer before it leaves.
type Forge = fn(&mut Value);

struct Stand {
    server: Server,
    /// What the bot was told.
    heard: UnboundedReceiver<Value>,
}

impl Stand {
    /// * `script`: replies, the last one for ever; null for an empty packet.
    async fn open(script: Vec<Value>, forge: Forge) -> Self {
        let plan = Plan::demo("http://127.0.0.1:1");
        let key = CallbackKey::new(&plan.aibots[0].token, &plan.aibots[0].aes_key, "").unwrap();
        let (told, heard) = mpsc::unbounded_channel();
        let turn = std::sync::atomic::AtomicUsize::new(0);
        let hear = move |Query(query): Query<BTreeMap<String, String>>, body: String| {
            let (timestamp, nonce) = (&query["timestamp"], &query["nonce"]);
            let outer: Value = serde_json::from_str(&body).unwrap();
            let encrypt = outer["encrypt"].as_str().unwrap();
            let inner = key.open(&query["msg_signature"], timestamp, nonce, encrypt).unwrap();
            told.send(serde_json::from_str(&inner).unwrap()).unwrap();
            let place = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(script.len() - 1);
            let answer = if script[place].is_null() {
                String::new()
            } else {
                let sealed = key.seal(&script[place].to_string(), [7; 16], timestamp, nonce);
                let mut outer = json!({
                    "encrypt": sealed.encrypt, "msgsignature": sealed.msg_signature,
                    "timestamp": timestamp.parse::<i64>().unwrap(), "nonce": nonce,
                });
                forge(&mut outer);
                outer.to_string()
            };
            async move { answer }
        };
        let hear = std::sync::Arc::new(hear);
        let route = post(move |query: Query<BTreeMap<String, String>>, body: String| hear(query, body));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", route)).await });
        let mut plan = plan;
        plan.aibots[0].callback = Some(address);
        let server = Server::over(plan).await;
        // The clock of the test stands; only the waiting between two questions is short.
        server.control("clock", json!({ "rate": 100_000.0 })).await;
        Self { server, heard }
    }

    fn begin(&self) -> Result<Talk, String> {
        let mut world = self.server.simulator.world();
        let now = world.now();
        let asking = Asking { bot: "staff".to_owned(), text: "怎么退货".to_owned(), chatid: None };
        control::begin(&mut world, "LiLei", asking, "sim.example:8642", now)
    }

    async fn asks(&self) {
        let talk = self.begin().unwrap();
        self.server.simulator.converse(talk).await;
    }

    async fn phone(&self) -> Vec<Value> {
        let phones = self.server.control_view("phones").await;
        let shown = phones["phones"]["lilei"].as_array().cloned().unwrap_or_default();
        shown.into_iter().filter(|one| one["from"] != "self").map(|one| one["message"].clone()).collect()
    }
}

fn untouched(_outer: &mut Value) {}

fn stream(changes: Value) -> Value {
    let mut stream = json!({ "id": "s1", "finish": true, "content": "好了" });
    stream.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "msgtype": "stream", "stream": stream })
}

#[tokio::test]
async fn an_answer_grows_on_the_phone_until_it_is_whole() {
    let part = stream(json!({ "finish": false, "content": "正在查询", "feedback": { "id": "fb1" } }));
    let more = stream(json!({ "finish": false, "content": "正在查询" }));
    let mut stand = Stand::open(
        vec![part, Value::Null, more, stream(json!({ "content": "正在查询，查到了" }))],
        untouched,
    )
    .await;
    stand.asks().await;
    let question = stand.heard.recv().await.unwrap();
    assert_eq!((&question["msgtype"], &question["text"]["content"]), (&json!("text"), &json!("怎么退货")));
    assert_eq!((&question["from"]["userid"], &question["chattype"]), (&json!("lilei"), &json!("single")));
    let url = question["response_url"].as_str().unwrap();
    assert!(url.starts_with("http://sim.example:8642/cgi-bin/aibot/response?response_code=RC"), "{url}");
    for _ in 0..3 {
        let rest = stand.heard.recv().await.unwrap();
        assert_eq!((&rest["msgtype"], &rest["stream"]["id"]), (&json!("stream"), &json!("s1")));
        assert_eq!(rest.get("response_url"), None);
        assert_ne!(rest["msgid"], question["msgid"]);
    }
    assert!(stand.heard.try_recv().is_err(), "nothing is asked of a whole answer");
    let shown = stand.phone().await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["content"], "正在查询，查到了");
    assert_eq!(stand.server.broken().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_is_not_sealed_by_the_rules_is_not_shown() {
    let cases: [(Forge, &str); 6] = [
        (|outer| outer["timestamp"] = json!("1"), "timestamp of the answer is no number"),
        (|outer| outer["nonce"] = json!("other"), "nonce of the answer is not that of the address"),
        (|outer| outer["msgsignature"] = Value::Null, "the answer has no msgsignature"),
        (|outer| outer["agentid"] = json!(1), "the answer has a field that nobody knows"),
        (|outer| outer["encrypt"] = json!("AAAA"), "the answer is not sealed, or by another key"),
        (|outer| *outer = json!([]), "timestamp of the answer is no number"),
    ];
    for (forge, rule) in cases {
        let stand = Stand::open(vec![stream(json!({}))], forge).await;
        stand.asks().await;
        assert_eq!(stand.server.broken().await, [rule]);
        assert_eq!(stand.phone().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn replies_keep_the_rules_of_the_page() {
    let picture = json!({ "msgtype": "image", "image": { "base64": "iVBORw==", "md5": "0" } });
    let cases = [
        (stream(json!({ "content": "x".repeat(20_480) })), ""),
        (stream(json!({ "content": "x".repeat(20_481) })), "content has 20481 bytes"),
        (stream(json!({ "id": "" })), "id missing"),
        (stream(json!({ "finish": "yes" })), "finish is neither true nor false"),
        (stream(json!({ "feedback": { "id": "f".repeat(257) } })), "feedback.id has 257 bytes"),
        (stream(json!({ "finish": false, "msg_item": [picture] })), "msg_item comes with the end"),
        (stream(json!({ "msg_item": vec![picture.clone(); 11] })), "11 pictures"),
        (stream(json!({ "msg_item": [picture] })), "md5 is not that of the picture"),
        (stream(json!({ "delta": "x" })), "no field is called delta"),
        (json!({ "msgtype": "text", "text": { "content": "好" } }), "text is no answer to Question"),
        (json!({ "msgtype": "template_card", "template_card": { "card_type": "text_notice" } }), ""),
        (json!({ "msgtype": "template_card", "template_card": {} }), "card_type missing"),
    ];
    for (reply, rule) in cases {
        let stand = Stand::open(vec![reply], untouched).await;
        stand.asks().await;
        let broken = stand.server.broken().await;
        assert_eq!(broken.len(), usize::from(!rule.is_empty()), "{rule}: {broken:?}");
        assert!(broken.iter().all(|one| one.contains(rule)), "{rule}: {broken:?}");
    }
    let rest = stream(json!({ "feedback": { "id": "fb2" } }));
    let stand =
        Stand::open(vec![stream(json!({ "finish": false })), rest, stream(json!({}))], untouched).await;
    stand.asks().await;
    assert!(stand.server.broken().await[0].contains("feedback comes with the beginning"));
    let other = stream(json!({ "id": "s2" }));
    let stand = Stand::open(vec![stream(json!({ "finish": false })), other], untouched).await;
    stand.asks().await;
    assert_eq!(stand.server.broken().await, ["the rest of an answer has another stream id"]);
}

#[tokio::test]
async fn after_six_minutes_nobody_asks_for_the_rest() {
    let mut stand = Stand::open(vec![stream(json!({ "finish": false }))], untouched).await;
    let talk = stand.begin().unwrap();
    let simulator = stand.server.simulator.clone();
    let converses = tokio::spawn(async move { simulator.converse(talk).await });
    for _ in 0..3 {
        stand.heard.recv().await.unwrap();
    }
    stand.server.control("clock", json!({ "advance_seconds": 360 })).await;
    converses.await.unwrap();
    assert_eq!(stand.server.broken().await, ["a stream was not finished within 6 minutes"]);
}

#[tokio::test]
async fn a_question_comes_twice_or_not_at_all_by_script() {
    let mut stand = Stand::open(vec![stream(json!({}))], untouched).await;
    stand.server.control("faults", json!({ "path": "aibot", "effect": "twice", "copies": 2 })).await;
    stand.asks().await;
    let told = [stand.heard.recv().await.unwrap(), stand.heard.recv().await.unwrap()];
    assert_eq!(told[0], told[1], "the same message, for the bot to know again");
    stand.server.control("faults", json!({ "path": "aibot", "effect": "lose" })).await;
    stand.asks().await;
    assert!(stand.heard.try_recv().is_err());
    assert_eq!(stand.phone().await.len(), 1, "the answer to the copy is nobody's");
}

#[test]
fn the_company_names_what_a_bots_server_must_know() {
    let variables = Plan::demo("http://127.0.0.1:8640/").variables();
    let of = |name: &str| {
        let found = variables.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone()).unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(of("STAFF_AIBOT_AES_KEY").len(), 43);
    assert_eq!(of("STAFF_AIBOT_TOKEN"), "simTokenAibot");
    let bot = &Plan::demo("http://127.0.0.1:8640/").aibots[0];
    assert_eq!(bot.callback.as_deref(), Some("http://127.0.0.1:8640/wecom/staff/aibot"));
}

#[tokio::test]
async fn three_questions_of_a_member_are_answered_at_a_time() {
    let stand = Stand::open(vec![stream(json!({}))], untouched).await;
    let talks = [stand.begin(), stand.begin(), stand.begin()].map(Result::unwrap);
    assert!(stand.begin().is_err_and(|wrong| wrong.contains("3 questions")));
    let [first, ..] = talks;
    stand.server.simulator.converse(first).await;
    assert!(stand.begin().is_ok());
    let nobody = json!({ "bot": "other", "text": "?" });
    let answer = stand.server.control("members/lilei/aibot", nobody).await;
    assert_eq!(answer, "no bot is called other");
}

#[tokio::test]
async fn one_more_answer_comes_by_its_address_within_the_hour() {
    let stand = Stand::open(vec![Value::Null], untouched).await;
    let respond = async |code: &str, body: Value| {
        let uri = format!("/cgi-bin/aibot/response?response_code={code}");
        let request = Request::post(uri).header("content-type", "application/json");
        stand.server.send(request.body(Body::from(body.to_string())).unwrap()).await["errcode"].clone()
    };
    let markdown = |words: &str| json!({ "msgtype": "markdown", "markdown": { "content": words } });
    let code = |talk: &Talk| talk.response_url.rsplit('=').next().unwrap().to_owned();
    let first = code(&stand.begin().unwrap());
    assert_eq!(respond("other", markdown("好了")).await, 60_140);
    assert_eq!(respond(&first, json!({ "msgtype": "text", "text": { "content": "好了" } })).await, 40_008);
    assert_eq!(respond(&first, markdown(&"x".repeat(20_481))).await, 45_002);
    assert_eq!(respond(&first, markdown("")).await, 44_004);
    assert_eq!(respond(&first, markdown("好了")).await, 0, "what was refused has not used it up");
    assert_eq!(respond(&first, markdown("再说")).await, 60_140);
    assert_eq!(stand.phone().await, [json!({ "msgtype": "markdown", "content": "好了" })]);
    let second = code(&stand.begin().unwrap());
    stand.server.control("clock", json!({ "advance_seconds": 3_601 })).await;
    assert_eq!(respond(&second, markdown("太晚")).await, 60_140);
}

#[tokio::test]
async fn an_opening_is_told_once_a_day_and_may_be_greeted() {
    let greeting = json!({ "msgtype": "text", "text": { "content": "您好" } });
    let mut stand = Stand::open(vec![greeting], untouched).await;
    let enter = async || {
        stand.server.control("members/lilei/aibot/enter", json!({ "bot": "staff" })).await["event"].clone()
    };
    assert_eq!([enter().await, enter().await], [json!(true), json!(false)]);
    stand.server.control("clock", json!({ "advance_seconds": 86_400 })).await;
    assert_eq!(enter().await, true);
    let event = stand.heard.recv().await.unwrap();
    assert_eq!((&event["msgtype"], &event["event"]["eventtype"]), (&json!("event"), &json!("enter_chat")));
    assert_eq!(event["event"]["enter_chat"], json!({}));
    stand.server.simulator.opens("staff", "zhaomin", event).await;
    let phones = stand.server.control_view("phones").await;
    assert_eq!(phones["phones"]["zhaomin"][0]["message"]["content"], "您好");
    assert_eq!(stand.server.broken().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_opinion_is_told_and_not_answered() {
    let judged = stream(json!({ "feedback": { "id": "fb1" } }));
    let mut stand = Stand::open(vec![judged], untouched).await;
    let opine = async |id: &str, kind: i64| {
        let body = json!({ "bot": "staff", "id": id, "type": kind, "inaccurate_reason_list": [2] });
        stand.server.control("members/lilei/aibot/feedback", body).await
    };
    assert_eq!(opine("fb1", 2).await, "no answer has the feedback id fb1");
    stand.asks().await;
    assert_eq!(opine("fb1", 4).await, "type 4 is not in 1 to 3");
    assert_eq!(opine("fb1", 2).await, json!({}));
    stand.heard.recv().await.unwrap();
    let event = stand.heard.recv().await.unwrap();
    let told = json!({ "eventtype": "feedback_event",
                       "feedback_event": { "id": "fb1", "type": 2, "inaccurate_reason_list": [2] } });
    assert_eq!(event["event"], told);
    stand.server.simulator.opines("staff", event).await;
    let broken = stand.server.broken().await;
    assert!(broken.iter().any(|rule| rule == "stream is no answer to Opinion"), "{broken:?}");
}
