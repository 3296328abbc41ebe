//! The callback of a 智能机器人 through the real router: in private and in groups, in time and late, before and after a
//! restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::StatusCode;
use serde_json::Value;
use serde_json::json;
use yingda::channel::wecom::aibot::BotMessage;
use yingda::channel::wecom::crypto::CallbackKey as WireKey;
use yingda::engine;
use yingda::engine::Engine;
use yingda::http::Desk;
use yingda::http::key::Scope;
use yingda::http::key::hash;
use yingda::http::key::new_key;
use yingda::http::link::Signer;
use yingda::http::router;
use yingda::message::Channel;
use yingda::message::CustomerKind;
use yingda::secret::Secret;
use yingda::service::Clock;
use yingda::service::Service;
use yingda::service::aibot;
use yingda::service::aibot::AiBot;
use yingda::service::aibot::AiBots;
use yingda::service::callback::Callbacks;
use yingda::store::CallbackKey;
use yingda::store::Claim;
use yingda::store::CustomerKey;
use yingda::store::Delivered;
use yingda::store::ExchangeFilter;
use yingda::store::Store;
use yingda::text::segment::Segmenter;

use super::fixture::AES_KEY;
use super::fixture::CORP;
use super::fixture::Disk;
use super::fixture::GREETING;
use super::fixture::PATIENCE;
use super::fixture::Response;
use super::fixture::WAITING;
use super::fixture::answer_to;
use super::fixture::clock_at;
use super::fixture::desk;
use super::fixture::eventually;
use super::fixture::fixed_clock;
use super::fixture::get;
use super::fixture::now;
use super::fixture::post;
use super::fixture::send;
use super::fixture::service;
use super::fixture::ticking_clock;
use super::gate::Gate;
use super::of;
use super::uri_of;
use super::vector;
use super::vectors;

/// Configuration E of the vectors, whose receiver id is empty.
const TOKEN: &str = "botToken7";

/// What the bot `crew` is called among those that get callbacks.
const APP: &str = "aibot:crew";

const FAILURE: &str = "抱歉，系统刚才出了点问题，请稍后再发一次。";

fn wire(receive_id: &str) -> WireKey {
    WireKey::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), receive_id).unwrap()
}

/// A desk with the 智能机器人 `crew` of `shop`, and `lost` of a bot that is not there.
fn crew_desk(service: &Arc<Service>, deadline: Duration) -> Desk {
    let aibot = |name: &str, bot: &str| {
        let aibot = AiBot { name: name.to_owned(), bot: bot.to_owned(), key: wire(""), employees: true };
        (name.to_owned(), Arc::new(aibot))
    };
    let aibots = BTreeMap::from([aibot("crew", "shop"), aibot("lost", "nobody")]);
    let mut desk = desk(service, deadline);
    desk.aibots = AiBots::new(Arc::clone(service), aibots, deadline);
    desk
}

fn erased(disk: &Disk) -> Arc<dyn Store> {
    Arc::clone(&disk.store) as Arc<dyn Store>
}

/// A router over the store as a process that has just started has it.
fn started(disk: &Disk, clock: Clock, deadline: Duration) -> Router {
    router(crew_desk(&service(erased(disk), clock), deadline))
}

async fn world() -> (Router, Disk) {
    let disk = Disk::new().await;
    (started(&disk, fixed_clock(), PATIENCE), disk)
}

/// Random block, timestamp and nonce of every delivery differ, as they do in the field.
static DELIVERIES: AtomicU32 = AtomicU32::new(1);

/// WeCom, as one 智能机器人 sees it.
struct Wecom {
    name: &'static str,
    key: WireKey,
}

impl Wecom {
    fn crew() -> Self {
        Self { name: "crew", key: wire("") }
    }

    /// Path with query, body and nonce of one delivery.
    fn sealed(&self, plaintext: &str) -> (String, String, String) {
        let number = DELIVERIES.fetch_add(1, Ordering::SeqCst);
        let mut random = [b'b'; 16];
        random[..4].copy_from_slice(&number.to_be_bytes());
        let (timestamp, nonce) = (number.to_string(), format!("bot-nonce{number}"));
        let sealed = self.key.seal(plaintext, random, &timestamp, &nonce);
        let uri = format!(
            "/wecom/{}/aibot?msg_signature={}&timestamp={timestamp}&nonce={nonce}",
            self.name, sealed.msg_signature
        );
        (uri, json!({ "encrypt": sealed.encrypt }).to_string(), nonce)
    }

    async fn deliver(&self, router: &Router, plaintext: &str) -> Response {
        let (uri, body, _nonce) = self.sealed(plaintext);
        send(router, post(&uri, body)).await
    }

    /// Delivers, and reads the packet once its signature, its receiver and its nonce were checked.
    async fn ask(&self, router: &Router, plaintext: &str) -> Value {
        let (uri, body, nonce) = self.sealed(plaintext);
        let response = send(router, post(&uri, body)).await;
        self.opened(&response, &nonce)
    }

    #[track_caller]
    fn opened(&self, response: &Response, nonce: &str) -> Value {
        assert_eq!(response.status, StatusCode::OK, "{}", response.body);
        assert_ne!(response.body, "", "acknowledged instead of answered");
        let sealed: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(sealed["nonce"], nonce, "WeCom takes no other");
        let timestamp = sealed["timestamp"].as_i64().expect("a number").to_string();
        let of = |name: &str| sealed[name].as_str().unwrap_or_else(|| panic!("no {name} in {sealed}"));
        let packet = self.key.open(of("msgsignature"), &timestamp, nonce, of("encrypt")).unwrap();
        serde_json::from_str(&packet).unwrap()
    }

    async fn poll(&self, router: &Router, stream_id: &str) -> Value {
        let number = DELIVERIES.fetch_add(1, Ordering::SeqCst);
        let poll = said(None, "user01", &format!("poll{number}"), "stream", json!({ "id": stream_id }));
        self.ask(router, &poll).await
    }
}

/// A message or event of a member, in private or in a group.
fn said(group: Option<&str>, member: &str, msg_id: &str, msg_type: &str, own: Value) -> String {
    let mut message = json!({
        "msgid": msg_id,
        "aibotid": "AIB1",
        "chattype": "single",
        "from": { "userid": member },
        "response_url": "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=RC1",
        "msgtype": msg_type,
    });
    if let Some(group) = group {
        message["chattype"] = json!("group");
        message["chatid"] = json!(group);
    }
    message[msg_type] = own;
    message.to_string()
}

fn text(group: Option<&str>, member: &str, msg_id: &str, words: &str) -> String {
    said(group, member, msg_id, "text", json!({ "content": words }))
}

fn event(member: &str, msg_id: &str, name: &str, own: Value) -> String {
    let mut event = json!({ "eventtype": name });
    event[name] = own;
    said(None, member, msg_id, "event", event)
}

/// The words of a finished stream.
#[track_caller]
fn finished(packet: &Value) -> String {
    assert_eq!(packet["msgtype"], "stream", "{packet}");
    assert_eq!(packet["stream"]["finish"], true, "{packet}");
    packet["stream"]["content"].as_str().unwrap().to_owned()
}

/// The id of a stream that goes on.
#[track_caller]
fn unfinished(packet: &Value) -> String {
    let stream = &packet["stream"];
    assert_eq!((&stream["finish"], &stream["content"]), (&json!(false), &json!(WAITING)), "{packet}");
    stream["id"].as_str().unwrap().to_owned()
}

fn customer(bot: &str, id: &str) -> CustomerKey {
    CustomerKey::new(bot, Channel::WecomBot, id).unwrap()
}

/// What somebody said, and what was answered, by turns.
async fn history(store: &dyn Store, bot: &str, id: &str) -> Vec<Value> {
    let conversation = store.conversation(&customer(bot, id), now()).await.unwrap();
    let rows = store.messages(conversation.id, 1000).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.body).unwrap()).collect()
}

/// The row of a message.
fn row_key(plaintext: &str) -> CallbackKey {
    CallbackKey::new(APP, &BotMessage::parse(plaintext).unwrap().stream_id(plaintext)).unwrap()
}

/// A process took the message and died.
async fn cut_off(disk: &Disk, plaintext: &str) -> CallbackKey {
    let key = row_key(plaintext);
    let delivered = Delivered { plaintext, sender: "user01" };
    assert_eq!(disk.store.callback_claim(&key, delivered, now()).await.unwrap(), Claim::New);
    key
}

#[tokio::test]
async fn the_address_check_is_answered_with_the_bare_plaintext() {
    let (router, _disk) = world().await;
    let all = vectors();
    let e1 = vector(&all, "callback_vectors", "E1");
    let sound = uri_of("crew", e1, true).replace("/callback?", "/aibot?");
    let response = send(&router, get(&sound)).await;
    assert_eq!((response.status, response.body.as_str()), (StatusCode::OK, of(e1, "plaintext")));
    for (what, uri) in [
        ("signature", sound.replace("msg_signature=b", "msg_signature=c")),
        ("nonce", sound.replace("nonce=n0nce-4", "nonce=n0nce-5")),
        ("no parameters", "/wecom/crew/aibot".to_owned()),
        // The vectors of an app: another token, and a receiver id.
        (
            "an app's",
            uri_of("crew", vector(&all, "callback_vectors", "D1"), true).replace("/callback?", "/aibot?"),
        ),
    ] {
        assert_ne!(uri, sound);
        send(&router, get(&uri)).await.assert_refused(what);
    }
    let unknown = send(&router, get(&sound.replace("/crew/", "/other/"))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.body.contains("unknown-app"), "{}", unknown.body);
}

#[tokio::test]
async fn the_message_of_the_vectors_is_answered_under_its_nonce() {
    let (router, disk) = world().await;
    let all = vectors();
    let e1 = vector(&all, "callback_vectors", "E1");
    let uri = uri_of("crew", e1, false).replace("/callback?", "/aibot?");
    let response = send(&router, post(&uri, of(e1, "post_body").to_owned())).await;
    let packet = Wecom::crew().opened(&response, of(e1, "nonce"));
    assert_ne!(finished(&packet), "");
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await[0]["text"], "你好");
}

#[tokio::test]
async fn what_is_not_signed_and_sealed_for_this_bot_is_refused_and_leaves_nothing_behind() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    let plaintext = text(None, "user01", "m1", "甲号");
    let (uri, body, nonce) = wecom.sealed(&plaintext);
    for (what, uri, body) in [
        ("signature", uri.replace("msg_signature=", "msg_signature=0"), body.clone()),
        ("nonce", uri.replace("nonce=bot", "nonce=bat"), body.clone()),
        ("ciphertext", uri.clone(), body.replace("\"encrypt\":\"", "\"encrypt\":\"A")),
        ("no envelope", uri.clone(), "{}".to_owned()),
        ("no JSON", uri.clone(), body.replace('}', "")),
        ("another field", uri.clone(), body.replace("encrypt", "crypt")),
    ] {
        send(&router, post(&uri, body)).await.assert_refused(what);
    }
    let for_a_corp = Wecom { key: wire(CORP), ..Wecom::crew() };
    for_a_corp.deliver(&router, &plaintext).await.assert_refused("receiver id");
    for inner in ["<xml></xml>", "[]", "", "{\"msgid\":", "{\"from\":{\"userid\":\"a b\"}}"] {
        wecom.deliver(&router, inner).await.assert_refused(inner);
    }
    assert_eq!(disk.store.callbacks_unanswered(APP).await.unwrap(), []);
    let answered = wecom.opened(&send(&router, post(&uri, body)).await, &nonce);
    assert_eq!(finished(&answered), answer_to("甲号"), "the same id is still free");
}

#[tokio::test]
async fn a_staff_group_is_answered_from_the_newest_file_of_the_staff_bot() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/staff");
    let (known, findings) = engine::load(&dir, jiff::civil::date(2026, 11, 24));
    assert!(engine::servable(&findings), "{findings:?}");
    let known = known.unwrap();
    let (none, off) = aibot::aibots([&known].into_iter(), &|_name| None);
    assert!(none.is_empty());
    assert_eq!(
        off.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "wecom app \"aibot:staff\" of bot \"staff\" is off: token names the variable STAFF_AIBOT_TOKEN, which is not set"
        ]
    );
    let variable = |name: &str| match name {
        "STAFF_AIBOT_TOKEN" => Some(TOKEN.to_owned()),
        "STAFF_AIBOT_AES_KEY" => Some(AES_KEY.to_owned()),
        _ => None,
    };
    let (aibots, off) = aibot::aibots([&known].into_iter(), &variable);
    assert!(off.is_empty(), "{off:?}");

    let words = engine::vocabulary(&known);
    let segmenter = Arc::new(Segmenter::new(words.iter().map(String::as_str)));
    let entry = known.entries.iter().find(|entry| entry.id == "attendance-policy-full").unwrap();
    let policy = entry.answer.trim().to_owned();
    let disk = Disk::new().await;
    let engine = Engine::new(known, segmenter).unwrap();
    let service = Arc::new(Service::new(vec![engine], erased(&disk), fixed_clock()));
    let mut desk = Desk::new(
        Arc::clone(&service),
        BTreeMap::new(),
        Callbacks::new(Arc::clone(&service), PATIENCE),
        Signer::new(Secret::new("link key"), 7),
    );
    desk.aibots = AiBots::new(Arc::clone(&service), aibots, PATIENCE);
    desk.public_url = "https://kf.example".to_owned();
    let router = router(desk);

    let wecom = Wecom { name: "staff", ..Wecom::crew() };
    let group = Some("wrSTAFF");
    let asked = text(group, "ZhangSan", "m1", "@小云\u{2005}考勤制度");
    let told = finished(&wecom.ask(&router, &asked).await);
    assert!(told.starts_with("《考勤管理办法》（2026 年 1 月 1 日起执行"), "{told}");
    let last_line = policy.lines().last().unwrap();
    assert!(policy.len() > 2_048 && told.contains(last_line), "all of it at once, up to {last_line}");
    let id = "wrSTAFF zhangsan";
    assert_eq!(history(disk.store.as_ref(), "staff", id).await[0]["text"], "考勤制度");
    let row = disk.store.customer(&customer("staff", id)).await.unwrap().unwrap();
    assert_eq!(row.kind, CustomerKind::Employee);

    let handbook = text(group, "ZhangSan", "m2", "@小云 发我最新版员工手册");
    let told = finished(&wecom.ask(&router, &handbook).await);
    let (_, link) = told.split_once("[员工手册（2026 版）](").expect("a link");
    let (url, until) = link.split_once(')').unwrap();
    assert!(url.starts_with("https://kf.example/a/staff/"), "{url}");
    assert!(until.starts_with("\n（2026年12月1日前有效）"), "{until}");
    assert!(!told.contains("2025 版"), "{told}");
}

#[tokio::test]
async fn a_message_that_comes_again_gets_the_identical_answer() {
    let disk = Disk::new().await;
    let day = 86_400;
    let router = started(&disk, ticking_clock(day), PATIENCE);
    let wecom = Wecom::crew();
    // Its link is the same over midnight.
    for (msg_id, words) in [("m1", "甲号"), ("m2", "尺码链接")] {
        let plaintext = text(None, "User01", msg_id, words);
        let first = wecom.ask(&router, &plaintext).await;
        finished(&first);
        assert_eq!(wecom.ask(&router, &plaintext).await, first);
        assert_eq!(wecom.ask(&started(&disk, ticking_clock(day), PATIENCE), &plaintext).await, first);
    }
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 4);
}

#[tokio::test]
async fn members_of_a_group_and_private_talks_share_no_state() {
    const ASKS_BACK: &str = "怎么退货?😀 a<b & c";
    const PICKED: &str = "签收七天内可以退货。";
    let (router, _disk) = world().await;
    let wecom = Wecom::crew();
    let asked = wecom.ask(&router, &text(Some("wrA"), "amy", "m1", &format!("@小应 {ASKS_BACK}"))).await;
    let choices = "您想了解的是下面哪一个？回复数字就行：\n1. 怎么退货\n2. 都不是，转人工";
    assert_eq!(finished(&asked), choices);
    for (what, plaintext) in [
        ("another member", text(Some("wrA"), "bob", "m2", "@小应 1")),
        ("another group", text(Some("wrB"), "amy", "m3", "@小应 1")),
        ("in private", text(None, "amy", "m4", "1")),
    ] {
        assert_ne!(finished(&wecom.ask(&router, &plaintext).await), PICKED, "{what}");
    }
    let picked = wecom.ask(&router, &text(Some("wrA"), "AMY", "m5", "@小应 1")).await;
    assert_eq!(finished(&picked), PICKED);
}

#[tokio::test]
async fn who_opens_the_chat_is_greeted_once_a_message() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    let enter = event("User01", "e1", "enter_chat", json!({}));
    let greeted = wecom.ask(&router, &enter).await;
    assert_eq!(greeted, json!({ "msgtype": "text", "text": { "content": GREETING } }));
    assert_eq!(wecom.ask(&router, &enter).await, greeted);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn what_has_nothing_to_say_is_acknowledged_with_an_empty_body() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    let tap = json!({ "card_type": "vote_interaction", "event_key": "k", "task_id": "t" });
    for plaintext in [
        event("user01", "e1", "something_of_next_year", json!({ "new": 1 })),
        event("user01", "e2", "template_card_event", tap),
        event("user01", "e3", "feedback_event", json!({ "id": "unknown", "type": 1 })),
        event("user01", "e4", "feedback_event", json!({ "id": "x".repeat(300), "type": 2 })),
        said(None, "user01", "e5", "merged_forward", json!({})),
        text(None, "", "e6", "甲号"),
        "{}".to_owned(),
    ] {
        wecom.deliver(&router, &plaintext).await.assert_acknowledged(&plaintext);
        wecom.deliver(&router, &plaintext).await.assert_acknowledged("the repeat");
    }
    assert_eq!(disk.store.callbacks_unanswered(APP).await.unwrap(), []);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 0, "nobody said anything");
}

#[tokio::test]
async fn past_the_deadline_a_stream_is_open_until_a_poll_finds_the_answer_after_a_restart_too() {
    let disk = Disk::new().await;
    let router = started(&disk, fixed_clock(), Duration::ZERO);
    let wecom = Wecom::crew();
    let plaintext = text(Some("wrA"), "user01", "m1", "@小应 甲号");
    let first = wecom.ask(&router, &plaintext).await;
    let id = unfinished(&first);
    assert_eq!(first["stream"]["feedback"]["id"], json!(id));

    let polled = eventually("the answer", async || {
        let polled = wecom.poll(&router, &id).await;
        (polled["stream"]["finish"] == true).then_some(polled)
    })
    .await;
    assert_eq!((finished(&polled), &polled["stream"]["id"]), (answer_to("甲号"), &json!(id)));
    assert_eq!(polled["stream"].get("feedback"), None, "the first packet has said it");

    let restarted = started(&disk, clock_at(60), PATIENCE);
    assert_eq!(wecom.poll(&restarted, &id).await, polled);
    let repeated = wecom.ask(&restarted, &plaintext).await;
    assert_eq!((finished(&repeated), &repeated["stream"]["id"]), (answer_to("甲号"), &json!(id)));
    assert_eq!(history(disk.store.as_ref(), "shop", "wrA user01").await.len(), 2);
}

#[tokio::test]
async fn a_poll_is_answered_at_once_while_the_answer_is_being_committed() {
    let disk = Disk::new().await;
    let gate = Arc::new(Gate::new(Arc::clone(&disk.store)));
    let service = service(Arc::clone(&gate) as Arc<dyn Store>, fixed_clock());
    let router = router(crew_desk(&service, Duration::ZERO));
    let wecom = Wecom::crew();
    let closed = gate.commits.write().await;
    let id = unfinished(&wecom.ask(&router, &text(None, "user01", "m1", "甲号")).await);
    eventually("the slow turn", async || (gate.n_arrived.load(Ordering::SeqCst) == 1).then_some(())).await;
    for _poll in 0..3 {
        assert_eq!(unfinished(&wecom.poll(&router, &id).await), id);
    }
    drop(closed);
    let told = eventually("the answer", async || {
        let polled = wecom.poll(&router, &id).await;
        (polled["stream"]["finish"] == true).then(|| finished(&polled))
    })
    .await;
    assert_eq!(told, answer_to("甲号"));
    assert_eq!(gate.n_arrived.load(Ordering::SeqCst), 1, "polls join the work that is under way");
}

#[tokio::test]
async fn what_a_crash_cut_off_is_answered_for_the_polls_that_follow() {
    let disk = Disk::new().await;
    let wecom = Wecom::crew();
    let key = cut_off(&disk, &text(None, "user01", "m1", "甲号")).await;
    let router = started(&disk, clock_at(1), PATIENCE);
    assert_eq!(unfinished(&wecom.poll(&router, key.key()).await), key.key());
    let told = eventually("the answer", async || {
        let polled = wecom.poll(&router, key.key()).await;
        (polled["stream"]["finish"] == true).then(|| finished(&polled))
    })
    .await;
    assert_eq!(told, answer_to("甲号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn what_a_crash_cut_off_and_nobody_asks_about_is_answered_all_the_same() {
    let disk = Disk::new().await;
    let wecom = Wecom::crew();
    let plaintext = text(None, "user01", "m1", "甲号");
    let key = cut_off(&disk, &plaintext).await;
    let broken = CallbackKey::new(APP, "broken").unwrap();
    let delivered = Delivered { plaintext: "{", sender: "" };
    disk.store.callback_claim(&broken, delivered, now()).await.unwrap();
    let resumed = async |seconds| {
        let desk = crew_desk(&service(erased(&disk), clock_at(seconds)), PATIENCE);
        let (aibot, planner) =
            desk.planners().into_iter().find(|(aibot, _planner)| aibot.name == "crew").unwrap();
        desk.aibots.resume(&aibot, &planner()).await.unwrap()
    };
    assert_eq!(resumed(19).await, 0, "it is left to repeats and polls");
    assert_eq!(resumed(20).await, 1, "the broken one cannot be answered");
    assert_eq!(resumed(20).await, 0);
    assert_eq!(disk.store.callbacks_unanswered(APP).await.unwrap(), []);
    let router = started(&disk, clock_at(21), PATIENCE);
    assert_eq!(finished(&wecom.poll(&router, key.key()).await), answer_to("甲号"));
    assert_eq!(finished(&wecom.ask(&router, &plaintext).await), answer_to("甲号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn a_poll_that_cannot_be_answered_ends_with_an_apology() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    for id in ["s0000", "", &"x".repeat(300)] {
        let polled = wecom.poll(&router, id).await;
        assert_eq!((finished(&polled).as_str(), &polled["stream"]["id"]), (FAILURE, &json!(id)));
    }
    // A stream is closed before WeCom stops asking.
    let key = cut_off(&disk, &text(None, "user01", "m1", "甲号")).await;
    let late = started(&disk, clock_at(330), PATIENCE);
    assert_eq!(finished(&wecom.poll(&late, key.key()).await), FAILURE);
    let in_time = started(&disk, clock_at(329), PATIENCE);
    assert_eq!(unfinished(&wecom.poll(&in_time, key.key()).await), key.key());
}

#[tokio::test]
async fn what_no_bot_can_answer_ends_with_an_apology() {
    let (router, _disk) = world().await;
    let lost = Wecom { name: "lost", ..Wecom::crew() };
    let plaintext = text(None, "user01", "m1", "甲号");
    let told = lost.ask(&router, &plaintext).await;
    assert_eq!(finished(&told), FAILURE);
    assert_eq!(lost.ask(&router, &plaintext).await, told);
}

#[tokio::test]
async fn without_the_store_messages_are_not_acknowledged_and_streams_stay_open() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    disk.store.close().await;
    let refused = wecom.deliver(&router, &text(None, "user01", "m1", "甲号")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(unfinished(&wecom.poll(&router, "s0001").await), "s0001");
}

#[tokio::test]
async fn an_answer_that_cannot_be_committed_is_not_acknowledged_and_the_repeat_is_answered() {
    let disk = Disk::new().await;
    let gate = Arc::new(Gate::new(Arc::clone(&disk.store)));
    let service = service(Arc::clone(&gate) as Arc<dyn Store>, fixed_clock());
    let router = router(crew_desk(&service, PATIENCE));
    let wecom = Wecom::crew();
    let plaintext = text(None, "user01", "m1", "乙号");
    gate.broken.store(true, Ordering::SeqCst);
    let refused = wecom.deliver(&router, &plaintext).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    gate.broken.store(false, Ordering::SeqCst);
    assert_eq!(finished(&wecom.ask(&router, &plaintext).await), answer_to("乙号"));
}

#[tokio::test]
async fn an_opinion_is_noted_of_the_answer_that_it_is_about() {
    let disk = Disk::new().await;
    let router = started(&disk, ticking_clock(1), PATIENCE);
    let wecom = Wecom::crew();
    let mut ids = Vec::new();
    for (msg_id, words) in [("m1", "甲号"), ("m2", "乙号")] {
        let told = wecom.ask(&router, &text(Some("wrA"), "user01", msg_id, words)).await;
        ids.push(told["stream"]["feedback"]["id"].as_str().unwrap().to_owned());
    }
    let opinion = async |member: &str, msg_id: &str, id: &str, kind: u32| {
        let own = json!({ "eventtype": "feedback_event", "feedback_event": { "id": id, "type": kind } });
        let event = said(Some("wrA"), member, msg_id, "event", own);
        wecom.deliver(&router, &event).await.assert_acknowledged(&event);
        let filter = ExchangeFilter { bot: "shop".to_owned(), since: now(), after: 0, limit: 10 };
        let rows = disk.store.exchanges(&filter).await.unwrap();
        rows.iter().map(|row| row.helpful).collect::<Vec<_>>()
    };
    assert_eq!(opinion("user02", "f1", &ids[0], 1).await, [None, None], "it was no answer to them");
    assert_eq!(opinion("user01", "f2", &ids[0], 2).await, [Some(false), None]);
    assert_eq!(opinion("user01", "f3", &ids[1], 1).await, [Some(false), Some(true)]);
    assert_eq!(
        opinion("user01", "f4", &ids[0], 1).await,
        [Some(true), Some(true)],
        "they changed their mind"
    );
    let taken_back = opinion("user01", "f5", &ids[0], 3).await;
    assert_eq!(taken_back, [Some(true), Some(true)], "there is no way to take one back");
}

#[tokio::test]
async fn while_a_human_has_the_talk_the_bot_is_silent_and_the_human_is_told_that_they_cannot_write() {
    let (router, disk) = world().await;
    let wecom = Wecom::crew();
    finished(&wecom.ask(&router, &text(None, "user01", "m1", "甲号")).await);
    let key = new_key(Scope::Agent, [7; 32]).expose().to_owned();
    let key_id = disk.store.key_add("agent", &hash(&key), "小王", now()).await.unwrap();
    disk.store.agent_add("小王", &Default::default(), key_id, now()).await.unwrap();
    let id = disk.store.conversation(&customer("shop", "user01"), now()).await.unwrap().id;
    let act = async |deed: &str, body: &str| {
        let request = Request::post(format!("/api/v1/conversations/{id}/{deed}"))
            .header("host", "kf.example")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        send(&router, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    assert_eq!(act("take", "").await.status, StatusCode::OK);
    let silent = text(None, "user01", "m2", "乙号");
    wecom.deliver(&router, &silent).await.assert_acknowledged("a human has it");
    let polled = wecom.poll(&router, row_key(&silent).key()).await;
    assert_eq!(finished(&polled), "您的消息已转给正在服务的同事。");

    let refused = act("reply", r#"{"text":"我查一下"}"#).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(
        refused.body.contains("unreachable") && refused.body.contains("消息没有发出"),
        "{}",
        refused.body
    );
    let said = history(disk.store.as_ref(), "shop", "user01").await;
    assert!(
        said.iter().all(|body| !body.to_string().contains("我查一下")),
        "nothing is on record that was not sent"
    );

    assert_eq!(act("return", "").await.status, StatusCode::OK);
    assert_eq!(finished(&wecom.ask(&router, &text(None, "user01", "m3", "乙号")).await), answer_to("乙号"));
}
