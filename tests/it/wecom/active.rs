//! What the bot sends by calls of its own: late answers to members, answers to customers of 微信客服.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;
use yingda::channel::wecom::client::Client;
use yingda::desk::outbox;
use yingda::http::router;
use yingda::message::Channel;
use yingda::secret::Secret;
use yingda::store::CustomerKey;
use yingda::store::Fate;
use yingda::store::Store;

use super::fixture::Disk;
use super::fixture::PATIENCE;
use super::fixture::Wecom;
use super::fixture::desk_over;
use super::fixture::eventually;
use super::fixture::farm_answer_to;
use super::fixture::history;
use super::fixture::now;
use super::fixture::quiet_service;
use super::fixture::service;
use super::stand::Fault;
use super::stand::SECRET;
use super::stand::Stand;

const KF: &str = "wkFARM";

/// A farm over what stands in for WeCom, with everything that `serve` runs for it.
struct Farm {
    stand: Stand,
    router: axum::Router,
    disk: Disk,
    clock: Arc<Mutex<Timestamp>>,
    _tasks: JoinSet<()>,
}

impl Farm {
    async fn open(stand: Stand, disk: Disk, deadline: Duration) -> Self {
        Self::open_quiet(stand, disk, deadline, 0).await
    }

    async fn open_quiet(stand: Stand, disk: Disk, deadline: Duration, quiet_ms: u32) -> Self {
        let clock = Arc::new(Mutex::new(now()));
        let own = Arc::clone(&clock);
        let store = Arc::clone(&disk.store) as Arc<dyn Store>;
        let service = quiet_service(store, Arc::new(move || *own.lock().unwrap()), quiet_ms);
        let mut desk = desk_over(&stand.url, &service, deadline);
        let (kf, apps) = (desk.open_kf(), desk.apps.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(kf.run());
        tasks.spawn(outbox::run(Arc::clone(&service), Arc::clone(&desk.media), apps));
        Self { stand, router: router(desk), disk, clock, _tasks: tasks }
    }

    async fn new() -> Self {
        Self::open(Stand::open(), Disk::new().await, PATIENCE).await
    }

    fn passes(&self, seconds: i64) {
        let mut clock = self.clock.lock().unwrap();
        *clock += SignedDuration::from_secs(seconds);
    }

    async fn wake(&self, token: &str) {
        let wecom = Wecom::farm();
        let event = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><CreateTime>1795485602</CreateTime>\
             <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>\
             <Token><![CDATA[{token}]]></Token><OpenKfId><![CDATA[{KF}]]></OpenKfId></xml>",
            wecom.corp
        );
        wecom.deliver(&self.router, &event).await.assert_acknowledged("a wake-up");
    }

    async fn hears(&self, customer: &str, n: usize) -> Vec<String> {
        eventually("an answer", async || Some(self.stand.heard_by(customer)).filter(|all| all.len() >= n))
            .await
    }
}

fn sent_at() -> i64 {
    now().as_second()
}

#[tokio::test]
async fn customers_of_kf_are_answered_in_order_over_pages() {
    let stand = Stand::open();
    let numbers = ["甲号", "乙号", "丙号", "丁号", "戊号", "己号"];
    for (at, number) in numbers.iter().enumerate() {
        for customer in ["wmA", "wmB", "wmC"] {
            stand.writes(KF, customer, &format!("{customer}-{at}"), number, sent_at() + at as i64);
        }
    }
    // What cannot be read stops nothing.
    stand.happens(KF, json!({ "msgid": "x", "msgtype": "hologram", "send_time": sent_at() }));
    let farm = Farm::open(stand, Disk::new().await, PATIENCE).await;
    for customer in ["wmA", "wmB", "wmC"] {
        let heard = farm.hears(customer, numbers.len()).await;
        assert_eq!(heard, numbers.map(farm_answer_to), "{customer}");
    }
    farm.stand.writes(KF, "wmA", "late", "甲号", sent_at() + 60);
    farm.wake("ENCtoken1").await;
    assert_eq!(farm.hears("wmA", numbers.len() + 1).await.len(), numbers.len() + 1);
    assert_eq!(farm.stand.ledger().pages.last().unwrap().as_deref(), Some("ENCtoken1"));
    let key = CustomerKey::new("farm", Channel::WecomKf, "wmA").unwrap();
    let conversation = farm.disk.store.conversation(&key, now()).await.unwrap();
    assert_eq!(conversation.revision, 7);
}

#[tokio::test]
async fn the_first_reading_answers_no_old_history() {
    let stand = Stand::open();
    // More than one page of it.
    for old in 0..20 {
        stand.writes(KF, "wmA", &format!("old{old}"), "甲号", sent_at() - 3_600 + old);
    }
    stand.writes(KF, "wmA", "new", "乙号", sent_at() - 5);
    let farm = Farm::open(stand, Disk::new().await, PATIENCE).await;
    assert_eq!(farm.hears("wmA", 1).await, [farm_answer_to("乙号")]);
    // After a pause, what has waited longer is answered all the same.
    farm.stand.writes(KF, "wmA", "waited", "丙号", sent_at() - 1_000);
    farm.wake("t").await;
    assert_eq!(farm.hears("wmA", 2).await[1], farm_answer_to("丙号"));
}

#[tokio::test]
async fn who_comes_in_is_greeted_by_the_code() {
    let farm = Farm::new().await;
    farm.stand.happens(
        KF,
        json!({ "msgid": "e1", "send_time": sent_at(), "origin": 4, "msgtype": "event", "event": {
            "event_type": "enter_session", "open_kfid": KF, "external_userid": "wmA", "welcome_code": "WC1" } }),
    );
    farm.wake("t").await;
    let welcome = eventually("a greeting", async || farm.stand.ledger().welcomes.first().cloned()).await;
    assert_eq!((&welcome["code"], &welcome["text"]["content"]), (&json!("WC1"), &json!("您好，我是小田。")));
    assert!(welcome.get("touser").is_none() && welcome.get("open_kfid").is_none(), "{welcome}");
}

#[tokio::test]
async fn what_failed_is_sent_again_and_arrives_once() {
    let farm = Farm::new().await;
    let faults = [Fault::Status(502), Fault::Html, Fault::Code(-1), Fault::Lost];
    for path in ["kf/send_msg", "kf/sync_msg"] {
        for fault in faults {
            let n_before = farm.stand.heard_by("wmA").len();
            farm.stand.ledger().faults.push_back((path, fault));
            farm.stand.writes(KF, "wmA", &format!("{path} {fault:?}"), "甲号", sent_at());
            eventually("the answer", async || {
                farm.passes(1);
                farm.wake("t").await;
                let ledger = farm.stand.ledger();
                let is_met = ledger.faults.is_empty();
                drop(ledger);
                (is_met && farm.stand.heard_by("wmA").len() > n_before).then_some(())
            })
            .await;
        }
    }
    assert_eq!(farm.stand.heard_by("wmA").len(), 2 * faults.len());
    assert_eq!(farm.disk.store.outbox_given_up(10).await.unwrap(), []);
}

#[tokio::test]
async fn what_wecom_refuses_for_good_is_listed_and_blocks_nothing() {
    let farm = Farm::new().await;
    farm.stand.ledger().faults.push_back(("kf/send_msg", Fault::Code(95018)));
    farm.stand.writes(KF, "wmA", "1", "甲号", sent_at());
    farm.stand.writes(KF, "wmA", "2", "乙号", sent_at());
    farm.wake("t").await;
    assert_eq!(farm.hears("wmA", 1).await, [farm_answer_to("乙号")]);
    let given_up = farm.disk.store.outbox_given_up(10).await.unwrap();
    let fates: Vec<&Fate> = given_up.iter().map(|row| &row.fate).collect();
    assert_eq!(fates, [&Fate::GivenUp { reason: "errcode 95018".to_owned() }]);
}

#[tokio::test]
async fn a_late_answer_is_sent_to_the_member_and_the_repeat_is_only_acknowledged() {
    let farm = Farm::open(Stand::open(), Disk::new().await, Duration::ZERO).await;
    let wecom = Wecom::farm();
    let plaintext = wecom.text("User01", 1, "甲号");
    let waiting = wecom.ask(&farm.router, &plaintext).await;
    assert!(waiting.contains("正在为您查询"), "{waiting}");
    let sent = eventually("a late answer", async || farm.stand.ledger().members.first().cloned()).await;
    assert_eq!((&sent["touser"], &sent["agentid"]), (&json!("User01"), &json!(1000002)));
    assert_eq!(sent["text"]["content"], json!(farm_answer_to("甲号")));
    assert_eq!(sent["enable_duplicate_check"], json!(1));
    wecom.deliver(&farm.router, &plaintext).await.assert_acknowledged("a repeat of what was sent");
    assert_eq!(farm.stand.ledger().members.len(), 1);
}

#[tokio::test]
async fn a_late_answer_that_was_overtaken_is_not_sent() {
    let stand = Stand::open();
    let disk = Disk::new().await;
    let wecom = Wecom::farm();
    {
        // No sender runs yet: the late answer waits.
        let service = service(Arc::clone(&disk.store) as Arc<dyn Store>, Arc::new(now));
        let slow = router(desk_over(&stand.url, &service, Duration::ZERO));
        wecom.ask(&slow, &wecom.text("User01", 1, "甲号")).await;
        eventually("the turn", async || {
            let key = CustomerKey::new("farm", Channel::WecomApp, "user01").unwrap();
            let conversation = disk.store.conversation(&key, now()).await.unwrap();
            (conversation.revision == 1).then_some(())
        })
        .await;
        let quick = router(desk_over(&stand.url, &service, PATIENCE));
        let second = wecom.ask(&quick, &wecom.text("User01", 2, "乙号")).await;
        assert!(second.contains(&farm_answer_to("乙号")), "{second}");
    }
    let farm = Farm::open(stand, disk, PATIENCE).await;
    let given_up = eventually("the listing", async || {
        Some(farm.disk.store.outbox_given_up(10).await.unwrap()).filter(|rows| !rows.is_empty())
    })
    .await;
    assert_eq!(given_up[0].fate, Fate::GivenUp { reason: "overtaken".to_owned() });
    assert_eq!(farm.stand.ledger().members, [] as [serde_json::Value; 0]);
}

#[tokio::test]
async fn many_callers_fetch_one_token_and_a_forgotten_one_is_fetched_once_more() {
    let stand = Stand::open();
    let client = Arc::new(Client::new(&stand.url, "ww1", Secret::new(SECRET)).unwrap());
    let send_all = async |name: &str| {
        let mut calls = JoinSet::new();
        for at in 0..20 {
            let (client, body) = (Arc::clone(&client), json!({ "touser": format!("{name}{at}") }));
            calls.spawn(async move { client.call("message/send", &body).await.map(drop) });
        }
        calls.join_all().await.into_iter().collect::<Result<Vec<()>, _>>().unwrap();
    };
    send_all("a").await;
    assert_eq!(stand.ledger().n_tokens, 1);
    stand.forget_token();
    send_all("b").await;
    assert_eq!(stand.ledger().n_tokens, 2);
    assert_eq!(stand.ledger().members.len(), 40);
}

#[tokio::test]
async fn errors_name_the_call_and_never_the_token() {
    let stand = Stand::open();
    let wrong = Client::new(&stand.url, "ww1", Secret::new("wrongSecret")).unwrap();
    let error = wrong.call("message/send", &json!({})).await.unwrap_err().to_string();
    assert_eq!(error, "gettoken: errcode 40001: refused");
    let nobody = Client::new("http://127.0.0.1:9", "ww1", Secret::new(SECRET)).unwrap();
    let error = nobody.call("message/send", &json!({})).await.unwrap_err().to_string();
    assert!(error.starts_with("gettoken: no answer") && !error.contains(SECRET), "{error}");
    let client = Client::new(&stand.url, "ww1", Secret::new(SECRET)).unwrap();
    stand.ledger().faults.push_back(("message/send", Fault::Html));
    let error = client.call("message/send", &json!({})).await.unwrap_err().to_string();
    assert!(error.contains("<html>nginx") && !error.contains("token1"), "{error}");
}

#[tokio::test]
async fn messages_in_a_row_are_one_turn_with_the_pictures_between_them() {
    let stand = Stand::open();
    let picture = json!({
        "msgid": "2", "open_kfid": KF, "external_userid": "wmA", "send_time": sent_at(), "origin": 3,
        "msgtype": "image", "image": { "media_id": "M1" },
    });
    stand.writes(KF, "wmA", "1", "你好", sent_at());
    stand.happens(KF, picture);
    stand.writes(KF, "wmA", "3", "我问甲号", sent_at());
    stand.writes(KF, "wmB", "4", "乙号", sent_at());
    let farm = Farm::open_quiet(stand, Disk::new().await, PATIENCE, 50).await;
    assert_eq!(farm.hears("wmB", 1).await, [farm_answer_to("乙号")]);
    // The clock stands still, so nobody is quiet yet but for the quiet itself.
    assert_eq!(farm.hears("wmA", 1).await, [farm_answer_to("甲号")]);
    let key = CustomerKey::new("farm", Channel::WecomKf, "wmA").unwrap();
    let conversation = farm.disk.store.conversation(&key, now()).await.unwrap();
    let rows = farm.disk.store.messages(conversation.id, 10).await.unwrap();
    let said: serde_json::Value = serde_json::from_str(&rows[0].body).unwrap();
    assert_eq!((rows.len(), &said["text"], &said["with"]), (2, &json!("你好\n我问甲号"), &json!(["image"])));
    assert_eq!(farm.disk.store.callbacks_unanswered("kf:wkFARM").await.unwrap(), []);
}

#[tokio::test]
async fn of_callbacks_in_a_row_the_last_gets_the_reply_and_the_others_are_acknowledged() {
    let farm = Farm::open_quiet(Stand::open(), Disk::new().await, PATIENCE, 300).await;
    let wecom = Wecom::farm();
    let (first, second) = (wecom.text("User01", 1, "你好"), wecom.text("User01", 2, "甲号"));
    let other = wecom.text("User02", 3, "乙号");
    let of = |plaintext: &str| {
        let (wecom, router, plaintext) = (wecom.clone(), farm.router.clone(), plaintext.to_owned());
        async move { wecom.deliver(&router, &plaintext).await }
    };
    let early = tokio::spawn(of(&first));
    let unanswered = async || farm.disk.store.callbacks_unanswered("farm").await.unwrap().len();
    eventually("the first message", async || (unanswered().await == 1).then_some(())).await;
    let (late, beside) = tokio::join!(of(&second), of(&other));
    early.await.unwrap().assert_acknowledged("covered by the next");
    assert!(wecom.opened(&late).contains(&farm_answer_to("甲号")));
    assert!(wecom.opened(&beside).contains(&farm_answer_to("乙号")), "nobody waits for another");
    let rows = history(farm.disk.store.as_ref(), "farm", "user01").await;
    assert_eq!((rows.len(), &rows[0]["text"]), (2, &json!("你好\n甲号")));
    // A repeat of either hears what it heard before.
    wecom.deliver(&farm.router, &first).await.assert_acknowledged("a repeat of a covered message");
    assert_eq!(wecom.opened(&wecom.deliver(&farm.router, &second).await), wecom.opened(&late));
    assert_eq!(unanswered().await, 0);
}
