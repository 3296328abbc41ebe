//! Requests for a person, and their webhooks.

use std::sync::Arc;

use crate::store::HandoffFilter;
use crate::store::HandoffRequest;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::WEBHOOK_LEASE;
use crate::store::tests::at;
use crate::store::tests::customer;
use crate::store::tests::handoff;
use crate::store::tests::of_bot;
use crate::store::tests::turn;

pub(super) async fn a_conversation_has_one_open_handoff(store: &dyn Store) {
    let key = customer("one-open", "c");
    let ask = async |request: HandoffRequest, second| {
        let read = store.conversation(&key, at(0)).await.unwrap();
        let turn = TurnRow { handoff: Some(request), ..turn(&read, at(second)) };
        store.record_turn(turn).await.unwrap().handoff.unwrap()
    };
    let first = ask(handoff("客户要求"), 1).await;
    let other_group = HandoffRequest { group: "销售".to_owned(), due: None, ..handoff("再次要求") };
    let second = ask(other_group, 2).await;
    assert_eq!((first.opened, second.opened, second.id), (true, false, first.id));

    let rows = store.handoffs(of_bot("one-open", false)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].reason.as_str(), rows[0].opened_at, rows[0].asked_at), ("再次要求", at(1), at(2)));
    assert_eq!((rows[0].group.as_str(), rows[0].due.as_deref()), ("售后", Some("今天 18:00 前")));
    assert_eq!((&rows[0].customer, rows[0].closed_at), (&key, None));

    store.handoff_close(first.id, at(3)).await.unwrap();
    store.handoff_close(first.id, at(4)).await.unwrap();
    let third = ask(handoff("又来了"), 5).await;
    assert!(third.opened && third.id != first.id);
    let rows = store.handoffs(of_bot("one-open", false)).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.id, row.closed_at)).collect();
    assert_eq!(told, [(third.id, None), (first.id, Some(at(3)))], "newest first, first closing stands");

    let error = store.handoff_close(i64::MAX, at(6)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "handoff", .. }), "{error:?}");
}

pub(super) async fn handoffs_are_filtered(store: &dyn Store) {
    let mut ids = Vec::new();
    for (bot, id) in [("filter-a", "c1"), ("filter-b", "c2"), ("filter-a", "c3")] {
        let read = store.conversation(&customer(bot, id), at(0)).await.unwrap();
        let turn = TurnRow { handoff: Some(handoff("客户要求")), ..turn(&read, at(0)) };
        ids.push(store.record_turn(turn).await.unwrap().handoff.unwrap().id);
    }
    store.handoff_close(ids[0], at(1)).await.unwrap();
    let list =
        async |filter| -> Vec<_> { store.handoffs(filter).await.unwrap().iter().map(|row| row.id).collect() };
    assert_eq!(list(of_bot("filter-a", false)).await, [ids[2], ids[0]]);
    assert_eq!(list(of_bot("filter-a", true)).await, [ids[2]]);
    assert_eq!(list(HandoffFilter { bot: None, open_only: true, limit: 2 }).await, [ids[2], ids[1]]);
}

pub(super) async fn webhooks_are_leased_until_done(store: &dyn Store) {
    let id = announced(store, "webhook", 0).await;
    let lease = i64::try_from(WEBHOOK_LEASE.as_secs()).unwrap();
    check_due(store, -1, &[]).await;
    check_due(store, 0, &[id]).await;
    check_due(store, lease - 1, &[]).await;
    // Nobody said done or failed in time: whoever had it is gone.
    check_due(store, lease, &[id]).await;

    store.webhook_failed(id, 1, Some(at(1000))).await.unwrap();
    check_due(store, 999, &[]).await;
    let again = store.webhooks_due(at(1000), 10).await.unwrap();
    assert_eq!((again[0].id, again[0].webhook_attempts), (id, 1));
    assert_eq!(again[0].customer, customer("webhook", "c"));

    store.webhook_done(id, at(1001)).await.unwrap();
    // A slow process that had it first comes back with bad news; the delivery stands.
    store.webhook_failed(id, 2, Some(at(1002))).await.unwrap();
    check_due(store, 9999, &[]).await;
    let row = store.handoffs(of_bot("webhook", false)).await.unwrap().remove(0);
    assert_eq!((row.webhook_pending, row.webhook_done_at), (false, Some(at(1001))));

    let error = store.webhook_done(i64::MAX, at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "handoff", .. }), "{error:?}");
}

pub(super) async fn a_webhook_can_be_given_up(store: &dyn Store) {
    let id = announced(store, "given-up", 0).await;
    check_due(store, 0, &[id]).await;
    store.webhook_failed(id, 5, None).await.unwrap();
    check_due(store, 99_999, &[]).await;
    let row = store.handoffs(of_bot("given-up", true)).await.unwrap().remove(0);
    assert_eq!((row.webhook_pending, row.webhook_attempts, row.webhook_done_at), (false, 5, None));
}

/// Whichever stores of one database the tasks use, one of them gets the webhook.
pub(in crate::store) async fn a_webhook_has_one_taker(stores: &[Arc<dyn Store>]) {
    let id = announced(&*stores[0], "one-taker", 0).await;
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let store = Arc::clone(&stores[task % stores.len()]);
            tokio::spawn(async move { store.webhooks_due(at(0), 10).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for task in tasks {
        taken.extend(task.await.unwrap().iter().map(|row| row.id));
    }
    assert_eq!(taken, [id]);
    stores[0].webhook_done(id, at(1)).await.unwrap();
}

/// A new handoff of a bot, with a webhook to be delivered.
async fn announced(store: &dyn Store, bot: &str, second: i64) -> i64 {
    let read = store.conversation(&customer(bot, "c"), at(second)).await.unwrap();
    let request = HandoffRequest { webhook_pending: true, ..handoff("客户要求") };
    let turn = TurnRow { handoff: Some(request), ..turn(&read, at(second)) };
    store.record_turn(turn).await.unwrap().handoff.unwrap().id
}

/// Takes the webhooks that are due at a time, and compares their handoffs.
async fn check_due(store: &dyn Store, second: i64, expected: &[i64]) {
    let taken: Vec<_> = store.webhooks_due(at(second), 10).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(taken, expected, "at second {second}");
}
