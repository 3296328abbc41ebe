//! Messages that are to be sent, and pages that are read.

use crate::store::Attempt;
use crate::store::Fate;
use crate::store::NewOutbox;
use crate::store::Notice;
use crate::store::OUTBOX_LEASE;
use crate::store::OutboxRow;
use crate::store::Page;
use crate::store::PageItem;
use crate::store::Reading;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::tests::answer;
use crate::store::tests::at;
use crate::store::tests::callback;
use crate::store::tests::customer;
use crate::store::tests::delivered;
use crate::store::tests::turn;

fn message(key: &str) -> NewOutbox {
    NewOutbox {
        to_customer: true,
        sender: "app:x".to_owned(),
        recipient: "user01".to_owned(),
        body: r#"{"text":"好"}"#.to_owned(),
        key: key.to_owned(),
        latest_only: false,
        expires_at: None,
    }
}

/// A turn of a customer at a second, with what it has to send.
async fn say(store: &dyn Store, id: &str, second: i64, outbox: Vec<NewOutbox>) {
    let conversation = store.conversation(&customer("outbox", id), at(second)).await.unwrap();
    store.record_turn(TurnRow { outbox, ..turn(&conversation, at(second)) }).await.unwrap();
}

fn keys(rows: &[OutboxRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

pub(super) async fn what_the_shops_system_is_told_keeps_no_customer_waiting(store: &dyn Store) {
    let call = NewOutbox { to_customer: false, ..message("call1") };
    say(store, "aside", 90_000, vec![call, message("aside1")]).await;
    let mut taken = store.outbox_take(at(90_001), 99).await.unwrap();
    taken.retain(|row| ["call1", "aside1"].contains(&row.key.as_str()));
    assert_eq!(keys(&taken), ["call1", "aside1"]);
    let attempts: Vec<_> = taken.iter().map(|row| (row.id, Attempt::Taken)).collect();
    store.outbox_tried(&attempts, at(90_001)).await.unwrap();
}

pub(super) async fn a_notice_answers_its_delivery_and_moves_no_conversation(store: &dyn Store) {
    let (key, whose) = (callback("notice", "k1"), customer("notice", "n"));
    store.callback_claim(&key, delivered("<xml/>"), at(95_000)).await.unwrap();
    let look = NewOutbox { to_customer: false, ..message("notice2") };
    let notice = Notice {
        customer: whose.clone(),
        at: at(95_000),
        outbox: vec![(message("notice1"), at(95_000)), (look, at(95_002))],
        answer: answer(&key, "", false),
    };
    store.notice(&notice).await.unwrap();
    // A repeat writes nothing a second time.
    assert!(matches!(store.notice(&notice).await, Err(StoreError::CallbackAnswered { .. })));
    let conversation = store.conversation(&whose, at(95_001)).await.unwrap();
    assert_eq!(conversation.revision, 0, "the first talk is still to come");
    for (second, expected) in [(95_001, "notice1"), (95_002, "notice2")] {
        let mut taken = store.outbox_take(at(second), 99).await.unwrap();
        taken.retain(|row| row.key.starts_with("notice"));
        assert_eq!(keys(&taken), [expected], "each has its time");
        let attempts: Vec<_> = taken.iter().map(|row| (row.id, Attempt::Taken)).collect();
        store.outbox_tried(&attempts, at(second)).await.unwrap();
    }
}

pub(super) async fn a_conversation_is_sent_in_order(store: &dyn Store) {
    say(store, "a", 0, vec![message("a1"), message("a2")]).await;
    say(store, "b", 0, vec![message("b1")]).await;
    let taken = store.outbox_take(at(1), 10).await.unwrap();
    assert_eq!(keys(&taken), ["a1", "b1"]);
    // In somebody's hands, until its lease has run out.
    assert_eq!(store.outbox_take(at(1), 10).await.unwrap(), []);
    let later = at(1) + OUTBOX_LEASE;
    assert_eq!(keys(&store.outbox_take(later, 10).await.unwrap()), ["a1", "b1"]);
    // The second waits for the first, also while that is tried again.
    let again = Attempt::Again { at: at(60) };
    store.outbox_tried(&[(taken[0].id, again), (taken[1].id, Attempt::Taken)], later).await.unwrap();
    assert_eq!(store.outbox_take(at(59), 10).await.unwrap(), []);
    let tried = store.outbox_take(at(60), 10).await.unwrap();
    assert_eq!((keys(&tried), tried[0].attempts), (vec!["a1"], 1));
    store.outbox_tried(&[(tried[0].id, Attempt::Taken)], at(61)).await.unwrap();
    // What was taken stays taken.
    let late = Attempt::Failed { reason: "x".to_owned() };
    store.outbox_tried(&[(tried[0].id, late)], at(61)).await.unwrap();
    let last = store.outbox_take(at(61), 10).await.unwrap();
    assert_eq!(keys(&last), ["a2"]);
    store.outbox_tried(&[(last[0].id, Attempt::Taken)], at(62)).await.unwrap();
    assert_eq!(store.outbox_prune(at(62)).await.unwrap(), 2);
}

pub(super) async fn what_comes_too_late_is_given_up_and_listed(store: &dyn Store) {
    let expiring = NewOutbox { expires_at: Some(at(110)), ..message("c1") };
    let overtaken = NewOutbox { latest_only: true, ..message("c2") };
    say(store, "c", 100, vec![expiring, overtaken, message("c3")]).await;
    say(store, "c", 101, vec![NewOutbox { latest_only: true, ..message("c4") }]).await;
    let taken = store.outbox_take(at(110), 10).await.unwrap();
    assert_eq!(keys(&taken), ["c3"]);
    let refused = Attempt::Failed { reason: "60020".to_owned() };
    store.outbox_tried(&[(taken[0].id, refused)], at(111)).await.unwrap();
    assert_eq!(keys(&store.outbox_take(at(111), 10).await.unwrap()), ["c4"]);
    let given_up = store.outbox_given_up(10).await.unwrap();
    let reason = |row: &OutboxRow| match &row.fate {
        Fate::GivenUp { reason } => reason.clone(),
        fate => panic!("{fate:?}"),
    };
    let listed: Vec<(String, String)> = given_up.iter().map(|row| (row.key.clone(), reason(row))).collect();
    let expected = [("c3", "60020"), ("c2", "overtaken"), ("c1", "expired")];
    assert_eq!(listed, expected.map(|(key, why)| (key.to_owned(), why.to_owned())));
}

pub(super) async fn staff_are_told_once_of_what_a_customer_will_not_get(store: &dyn Store) {
    let call = NewOutbox { to_customer: false, ..message("g3") };
    say(store, "g", 200, vec![message("g1"), message("g2"), call]).await;
    let before = store.last_event().await.unwrap();
    let told = async || {
        let events = store.events(before, 10).await.unwrap();
        events.iter().filter(|event| event.kind == "undelivered").count()
    };
    let taken = store.outbox_take(at(200), 99).await.unwrap();
    let of = |key: &str| taken.iter().find(|row| row.key == key).unwrap().id;
    let failed = || Attempt::Failed { reason: "errcode 95001".to_owned() };
    store.outbox_tried(&[(of("g1"), Attempt::Taken), (of("g3"), failed())], at(201)).await.unwrap();
    assert_eq!(told().await, 0, "what the shop's system did not get is no customer's loss");
    for _twice in 0..2 {
        store.outbox_undelivered("g1", "fail_type 4", at(202)).await.unwrap();
    }
    assert_eq!(told().await, 1);
    let last = store.outbox_take(at(202), 99).await.unwrap();
    assert_eq!(keys(&last), ["g2"]);
    store.outbox_undelivered("g2", "fail_type 4", at(202)).await.unwrap();
    store.outbox_undelivered("unknown", "fail_type 4", at(202)).await.unwrap();
    assert_eq!(told().await, 1, "one on its way is not lost yet, and one of others is not ours");
    store.outbox_tried(&[(last[0].id, failed())], at(203)).await.unwrap();
    assert_eq!(told().await, 2);
    let given_up = store.outbox_given_up(2).await.unwrap();
    assert_eq!(keys(&given_up), ["g2", "g1"]);
}

pub(super) async fn a_key_is_used_once(store: &dyn Store) {
    say(store, "d", 0, vec![message("d1")]).await;
    let conversation = store.conversation(&customer("outbox", "d"), at(1)).await.unwrap();
    let twice = TurnRow { outbox: vec![message("d2"), message("d1")], ..turn(&conversation, at(1)) };
    assert!(store.record_turn(twice).await.is_err());
    let after = store.conversation(&customer("outbox", "d"), at(1)).await.unwrap();
    assert_eq!(after.revision, conversation.revision, "nothing of the turn is left behind");
    let taken = store.outbox_take(at(1), 100).await.unwrap();
    assert!(!keys(&taken).contains(&"d2"), "{taken:?}");
    let done: Vec<_> = taken.iter().map(|row| (row.id, Attempt::Taken)).collect();
    store.outbox_tried(&done, at(2)).await.unwrap();
}

pub(super) async fn a_page_moves_its_cursor_with_it(store: &dyn Store) {
    let item = |key: &str, is_open| PageItem {
        key: key.to_owned(),
        plaintext: "{}".to_owned(),
        sender: if key == "b" { "bob" } else { "amy" }.to_owned(),
        is_open,
    };
    let page = |from: Option<&str>, to: &str, items: Vec<PageItem>| Page {
        source: "kf:wk1".to_owned(),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        items,
    };
    assert_eq!(store.cursor("kf:wk1").await.unwrap(), None);
    let first = page(None, "c1", vec![item("z", true), item("old", false), item("a", true)]);
    assert_eq!(store.page_take(&first, at(0)).await.unwrap(), 2);
    // Somebody else with the same page finds that it was taken.
    assert!(matches!(store.page_take(&first, at(0)).await, Err(StoreError::CursorMoved { .. })));
    // A message that comes again is the one that is there.
    let second = page(Some("c1"), "c2", vec![item("a", true), item("b", true)]);
    assert_eq!(store.page_take(&second, at(0)).await.unwrap(), 1);
    assert_eq!(store.cursor("kf:wk1").await.unwrap().as_deref(), Some("c2"));
    let open = store.callbacks_unanswered("kf:wk1").await.unwrap();
    // In the order in which they came, not in that of their keys.
    assert_eq!(open.iter().map(|row| row.key.key()).collect::<Vec<_>>(), ["z", "a", "b"]);
    let bobs = store.callbacks_unanswered_of("kf:wk1", "bob").await.unwrap();
    assert_eq!(bobs.iter().map(|row| row.key.key()).collect::<Vec<_>>(), ["b"]);
}

fn told(key: &str, recipient: &str) -> NewOutbox {
    let (sender, recipient) = ("notify".to_owned(), recipient.to_owned());
    NewOutbox { sender, recipient, to_customer: false, ..message(key) }
}

pub(super) async fn what_a_source_brings_about_moves_its_cursor_with_it(store: &dyn Store) {
    let conversation = store.conversation(&customer("outbox", "r"), at(0)).await.unwrap();
    let reading = |from: Option<&str>, to: &str, keys: &[&str]| Reading {
        source: "events:told".to_owned(),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        outbox: keys.iter().map(|key| (conversation.id, told(key, "outbox/a"))).collect(),
    };
    assert_eq!(store.outbox_read(&reading(None, "4", &[]), at(200_000)).await.unwrap(), 0);
    assert_eq!(store.outbox_read(&reading(Some("4"), "6", &["r5", "r6"]), at(200_000)).await.unwrap(), 2);
    let late = store.outbox_read(&reading(Some("4"), "6", &["r5"]), at(200_000)).await;
    assert!(matches!(late, Err(StoreError::CursorMoved { .. })), "{late:?}");
    // One that was there already, and one whose customer was forgotten.
    let mut again = reading(Some("6"), "8", &["r6", "r7"]);
    again.outbox.push((i64::MAX, told("r8", "outbox/a")));
    assert_eq!(store.outbox_read(&again, at(200_000)).await.unwrap(), 1);
    assert_eq!(store.cursor("events:told").await.unwrap().as_deref(), Some("8"));
    let long = Reading {
        outbox: vec![(conversation.id, told("r9", &"x".repeat(257)))],
        ..reading(Some("8"), "9", &[])
    };
    assert!(matches!(store.outbox_read(&long, at(200_000)).await, Err(StoreError::TooLong { .. })));
    assert_eq!(store.cursor("events:told").await.unwrap().as_deref(), Some("8"));
    take_all(store, &["r5", "r6", "r7"]).await;
}

pub(super) async fn one_who_is_told_waits_for_no_other_and_for_no_attempt(store: &dyn Store) {
    let conversation = store.conversation(&customer("outbox", "w"), at(0)).await.unwrap();
    let rows = [told("w1", "outbox/a"), told("w2", "outbox/a"), told("w3", "outbox/b")];
    let reading = Reading {
        source: "events:line".to_owned(),
        from: None,
        to: "1".to_owned(),
        outbox: rows.map(|row| (conversation.id, row)).to_vec(),
    };
    store.outbox_read(&reading, at(300_000)).await.unwrap();
    let own = |rows: Vec<OutboxRow>| -> Vec<OutboxRow> {
        rows.into_iter().filter(|row| row.key.starts_with('w')).collect()
    };
    let first = own(store.outbox_take(at(300_000), 99).await.unwrap());
    assert_eq!(keys(&first), ["w1", "w3"], "two recipients, two lines");
    let until = at(300_060);
    store.outbox_tried(&[(first[0].id, Attempt::Held { until })], at(300_000)).await.unwrap();
    assert_eq!(own(store.outbox_take(at(300_005), 99).await.unwrap()), []);
    let held = own(store.outbox_take(until, 99).await.unwrap());
    assert_eq!((keys(&held), held[0].attempts), (vec!["w1", "w3"], 0));
    take_all(store, &["w1", "w2", "w3"]).await;
}

/// Takes these rows and notes that they were sent, so that they stand in no other check's way.
async fn take_all(store: &dyn Store, expected: &[&str]) {
    let mut found = Vec::new();
    for second in 0..expected.len() {
        let now = at(400_000) + OUTBOX_LEASE * i32::try_from(second).unwrap();
        let mut rows = store.outbox_take(now, 99).await.unwrap();
        rows.retain(|row| expected.contains(&row.key.as_str()));
        let sent: Vec<_> = rows.iter().map(|row| (row.id, Attempt::Taken)).collect();
        store.outbox_tried(&sent, now).await.unwrap();
        found.extend(rows.into_iter().map(|row| row.key));
    }
    found.sort();
    assert_eq!(found, expected);
}
