//! A callback is answered once, however often it comes, however late, whatever breaks in between.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::task::JoinSet;
use yingda::http::Desk;
use yingda::http::router;
use yingda::store::CallbackKey;
use yingda::store::CallbackRow;
use yingda::store::Claim;
use yingda::store::Delivered;
use yingda::store::Store;

use super::fixture::Disk;
use super::fixture::GREETING;
use super::fixture::PATIENCE;
use super::fixture::WAITING;
use super::fixture::Wecom;
use super::fixture::answer_to;
use super::fixture::clock_at;
use super::fixture::desk;
use super::fixture::eventually;
use super::fixture::fixed_clock;
use super::fixture::history;
use super::fixture::now;
use super::fixture::service;
use super::fixture::ticking_clock;
use super::fixture::words;
use super::gate::Gate;
use super::gate::SLOW;

/// Short enough that a test which waits for it is quick.
const IMPATIENT: Duration = Duration::from_millis(20);

const SECOND: i64 = 1;
const DAY: i64 = 86_400;

fn delivered(plaintext: &str) -> Delivered<'_> {
    Delivered { plaintext, sender: "user01" }
}

fn erased(disk: &Disk) -> Arc<dyn Store> {
    Arc::clone(&disk.store) as Arc<dyn Store>
}

fn key(name: &str) -> CallbackKey {
    CallbackKey::new("kf", name).unwrap()
}

async fn late_row(store: &dyn Store, name: &str) -> Option<CallbackRow> {
    store.callbacks_late("kf", 100).await.unwrap().into_iter().find(|row| row.key.key() == name)
}

#[tokio::test]
async fn three_deliveries_one_after_another_make_one_turn_and_equal_replies() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), ticking_clock(SECOND)), PATIENCE));
    let wecom = Wecom::kf();
    let plaintext = wecom.text("user01", 1, "甲号");
    let first = wecom.deliver(&router, &plaintext).await;
    assert_eq!(words(&wecom.opened(&first), "user01"), answer_to("甲号"));
    for _ in 0..2 {
        let again = wecom.deliver(&router, &plaintext).await;
        assert_eq!(wecom.opened(&again), wecom.opened(&first));
        assert_ne!(again.body, first.body, "sealed anew");
    }
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deliveries_side_by_side_make_one_turn_and_equal_replies() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), ticking_clock(SECOND)), PATIENCE));
    let wecom = Wecom::kf();
    for round in 0..10 {
        let mut deliveries = JoinSet::new();
        for _ in 0..3 {
            let (router, wecom) = (router.clone(), wecom.clone());
            deliveries
                .spawn(async move { wecom.ask(&router, &wecom.text("user01", 100 + round, "乙号")).await });
        }
        let replies = deliveries.join_all().await;
        assert_eq!(words(&replies[0], "user01"), answer_to("乙号"));
        assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:#?}");
        let n_rows = history(disk.store.as_ref(), "shop", "user01").await.len() as u64;
        assert_eq!(n_rows, 2 * (round + 1));
    }
}

#[tokio::test]
async fn a_link_in_the_first_reply_and_in_its_repeat_is_the_same_over_midnight() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), ticking_clock(DAY)), PATIENCE));
    let wecom = Wecom::kf();
    let plaintext = wecom.text("user01", 1, "尺码链接");
    let first = wecom.ask(&router, &plaintext).await;
    assert_eq!(wecom.ask(&router, &plaintext).await, first);
}

#[tokio::test]
async fn two_messages_of_one_second_with_the_same_words_get_two_answers() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), fixed_clock()), PATIENCE));
    let wecom = Wecom::kf();
    for msg_id in [u64::MAX, u64::MAX - 1] {
        let xml = wecom.ask(&router, &wecom.text("user01", msg_id, "甲号")).await;
        assert_eq!(words(&xml, "user01"), answer_to("甲号"));
    }
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 4);
}

#[tokio::test]
async fn an_event_without_an_id_is_told_from_others_by_all_it_says() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), ticking_clock(SECOND)), PATIENCE));
    let wecom = Wecom::kf();
    let enter = |member| wecom.message(member, "event", "<Event>enter_agent</Event><EventKey></EventKey>");
    let first = wecom.ask(&router, &enter("user01")).await;
    assert_eq!(words(&first, "user01"), GREETING);
    assert_eq!(wecom.ask(&router, &enter("user01")).await, first);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);

    // Another member in the same second, and the same member a second later, are other events.
    assert_eq!(words(&wecom.ask(&router, &enter("user02")).await, "user02"), GREETING);
    let later = enter("user01").replace("1795485601", "1795485602");
    assert_eq!(words(&wecom.ask(&router, &later).await, "user01"), GREETING);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 4);
    assert_eq!(history(disk.store.as_ref(), "shop", "user02").await.len(), 2);
}

#[tokio::test]
async fn a_callback_that_a_crash_cut_off_is_answered_when_it_comes_again() {
    let disk = Disk::new().await;
    let wecom = Wecom::kf();
    let plaintext = wecom.text("user01", 7, "甲号");
    assert_eq!(
        disk.store.callback_claim(&key("msg:7"), delivered(&plaintext), now()).await.unwrap(),
        Claim::New
    );

    let router = router(desk(&service(erased(&disk), fixed_clock()), PATIENCE));
    let answered = wecom.ask(&router, &plaintext).await;
    assert_eq!(words(&answered, "user01"), answer_to("甲号"));
    assert_eq!(wecom.ask(&router, &plaintext).await, answered);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
    assert_eq!(late_row(disk.store.as_ref(), "msg:7").await, None, "WeCom was still waiting");
}

#[tokio::test]
async fn callbacks_that_a_crash_cut_off_and_nobody_repeats_are_answered_and_recorded_as_late() {
    let disk = Disk::new().await;
    let wecom = Wecom::kf();
    let plaintext = wecom.text("user01", 7, "甲号");
    disk.store.callback_claim(&key("msg:7"), delivered(&plaintext), now()).await.unwrap();
    disk.store.callback_claim(&key("msg:8"), delivered("<xml>broken"), now()).await.unwrap();

    // While WeCom may send it again, it is left to that.
    let desk = desk(&service(erased(&disk), clock_at(19)), PATIENCE);
    let resume = async |desk: &Desk| {
        let (app, plan) = desk.plans().into_iter().find(|(app, _)| app.name == "kf").unwrap();
        desk.callbacks.resume(&app, &plan).await.unwrap()
    };
    assert_eq!(resume(&desk).await, 0);
    let desk = self::desk(&service(erased(&disk), clock_at(20)), PATIENCE);
    assert_eq!(resume(&desk).await, 1, "the broken one cannot be answered");
    assert_eq!(resume(&desk).await, 0);
    assert_eq!(disk.store.callbacks_unanswered("kf").await.unwrap(), []);
    let recorded = late_row(disk.store.as_ref(), "msg:7").await.unwrap().answer.unwrap().reply;
    assert_eq!(words(&recorded, "user01"), answer_to("甲号"));

    assert_eq!(wecom.ask(&router(desk), &plaintext).await, recorded, "a repeat hears the same");
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn past_the_deadline_the_member_is_asked_to_wait_and_the_answer_is_recorded_late() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), fixed_clock()), Duration::ZERO));
    let wecom = Wecom::kf();
    let plaintext = wecom.text("User01", 1, "甲号");
    assert_eq!(words(&wecom.ask(&router, &plaintext).await, "User01"), WAITING);

    let row = eventually("a late answer", async || late_row(disk.store.as_ref(), "msg:1").await).await;
    assert_eq!(words(&row.answer.unwrap().reply, "User01"), answer_to("甲号"));
    assert_eq!(words(&wecom.ask(&router, &plaintext).await, "User01"), answer_to("甲号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn a_member_waits_behind_a_slow_message_of_their_own_and_others_do_not() {
    let disk = Disk::new().await;
    let gate = Arc::new(Gate::new(Arc::clone(&disk.store)));
    let service = service(Arc::clone(&gate) as Arc<dyn Store>, fixed_clock());
    let (patient, impatient) = (router(desk(&service, PATIENCE)), router(desk(&service, IMPATIENT)));
    let wecom = Wecom::kf();

    let closed = gate.commits.write().await;
    let slow = tokio::spawn({
        let (patient, wecom) = (patient.clone(), wecom.clone());
        async move { wecom.ask(&patient, &wecom.text("user01", 1, SLOW)).await }
    });
    eventually("the slow turn", async || (gate.n_arrived.load(Ordering::SeqCst) == 1).then_some(())).await;
    let behind = wecom.ask(&impatient, &wecom.text("user01", 2, "乙号")).await;
    assert_eq!(words(&behind, "user01"), WAITING);
    let other = wecom.ask(&patient, &wecom.text("user02", 3, "乙号")).await;
    assert_eq!(words(&other, "user02"), answer_to("乙号"));
    assert!(!slow.is_finished());
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 0);
    drop(closed);

    assert_eq!(words(&slow.await.unwrap(), "user01"), answer_to(SLOW));
    let row = eventually("a late answer", async || late_row(disk.store.as_ref(), "msg:2").await).await;
    assert_eq!(words(&row.answer.unwrap().reply, "user01"), answer_to("乙号"));
    assert_eq!(late_row(disk.store.as_ref(), "msg:1").await, None, "it was told in time");
    let said = history(disk.store.as_ref(), "shop", "user01").await;
    assert_eq!((said.len(), &said[0]["text"], &said[2]["text"]), (4, &SLOW.into(), &"乙号".into()));
}

/// The deadline may pass while the turn is being committed. Then either the member hears the answer, or the
/// answer is recorded as late: an answer that is neither heard nor late is lost.
#[tokio::test]
async fn an_answer_whose_commit_outlasts_the_deadline_is_heard_or_late() {
    let disk = Disk::new().await;
    let gate = Arc::new(Gate::new(Arc::clone(&disk.store)));
    let service = service(Arc::clone(&gate) as Arc<dyn Store>, fixed_clock());
    let router = router(desk(&service, IMPATIENT));
    let wecom = Wecom::kf();

    let closed = gate.commits.write().await;
    let mut delivery = tokio::spawn({
        let wecom = wecom.clone();
        async move { wecom.ask(&router, &wecom.text("user01", 1, SLOW)).await }
    });
    eventually("the slow turn", async || (gate.n_arrived.load(Ordering::SeqCst) == 1).then_some(())).await;
    // Ten deadlines with the gate closed: by now the waiting sentence is out, if it is to go out at all.
    let early = tokio::time::timeout(10 * IMPATIENT, &mut delivery).await;
    drop(closed);
    let heard = match early {
        Ok(heard) => heard.unwrap(),
        Err(_still_waiting) => delivery.await.unwrap(),
    };

    let recorded = eventually("an answer", async || {
        let claim = disk.store.callback_claim(&key("msg:1"), delivered(""), now()).await.unwrap();
        if let Claim::Answered { reply } = claim { Some(reply) } else { None }
    })
    .await;
    assert_eq!(words(&recorded, "user01"), answer_to(SLOW));
    let late = late_row(disk.store.as_ref(), "msg:1").await.is_some();
    assert_eq!(late, heard != recorded, "heard: {}", words(&heard, "user01"));
}

#[tokio::test]
async fn without_the_store_nothing_is_acknowledged() {
    let disk = Disk::new().await;
    let router = router(desk(&service(erased(&disk), fixed_clock()), PATIENCE));
    let wecom = Wecom::kf();
    disk.store.close().await;
    let enter = wecom.message("user01", "event", "<Event>enter_agent</Event>");
    let silent = wecom.message("sys", "event", "<Event>change_contact</Event>");
    for plaintext in [wecom.text("user01", 1, "甲号"), enter, silent] {
        let response = wecom.deliver(&router, &plaintext).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE, "{plaintext}");
        assert!(!response.body.contains("database"), "{}", response.body);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_committed_is_not_acknowledged_and_the_repeat_is_answered() {
    let disk = Disk::new().await;
    let gate = Arc::new(Gate::new(Arc::clone(&disk.store)));
    let router = router(desk(&service(Arc::clone(&gate) as Arc<dyn Store>, fixed_clock()), PATIENCE));
    let wecom = Wecom::kf();
    let plaintext = wecom.text("user01", 1, "甲号");
    gate.broken.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let response = wecom.deliver(&router, &plaintext).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    gate.broken.store(false, Ordering::SeqCst);
    assert_eq!(words(&wecom.ask(&router, &plaintext).await, "user01"), answer_to("甲号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}
