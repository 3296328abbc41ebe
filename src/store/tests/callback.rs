//! Who gets a delivery, and what is known of it afterwards.

use std::sync::Arc;

use crate::store::Claim;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::tests::answer;
use crate::store::tests::at;
use crate::store::tests::callback;
use crate::store::tests::delivered;

/// Whichever stores of one database the tasks use, one of them gets the claim.
pub(in crate::store) async fn a_claim_is_exclusive(stores: &[Arc<dyn Store>]) {
    let key = callback("exclusive", "7450000000000000001");
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let (store, key) = (Arc::clone(&stores[task % stores.len()]), key.clone());
            tokio::spawn(async move { store.callback_claim(&key, delivered("<xml/>"), at(5)).await.unwrap() })
        })
        .collect();
    let (mut new, mut in_progress) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Claim::New => new += 1,
            Claim::InProgress { received_at } => {
                assert_eq!(received_at, at(5));
                in_progress += 1;
            }
            Claim::Answered { reply } => panic!("nobody answered `{reply}`"),
        }
    }
    assert_eq!((new, in_progress), (1, 49));
}

pub(super) async fn callbacks_are_answered_once(store: &dyn Store) {
    let (spoken, silent) = (callback("answers", "spoken"), callback("answers", "silent"));
    for key in [&spoken, &silent] {
        assert_eq!(store.callback_claim(key, delivered("<xml/>"), at(0)).await.unwrap(), Claim::New);
    }
    store.callback_answer(&answer(&spoken, "好的", false), at(1)).await.unwrap();
    store.callback_answer(&answer(&silent, "", false), at(1)).await.unwrap();
    let error = store.callback_answer(&answer(&spoken, "再说一次", false), at(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::CallbackAnswered { .. }), "{error:?}");
    for (key, reply) in [(&spoken, "好的"), (&silent, "")] {
        let claim = store.callback_claim(key, delivered("<xml/>"), at(3)).await.unwrap();
        assert_eq!(claim, Claim::Answered { reply: reply.to_owned() });
        let row = store.callback(key).await.unwrap().unwrap();
        let recorded = row.answer.unwrap();
        assert_eq!((row.received_at, recorded.reply.as_str(), recorded.answered_at), (at(0), reply, at(1)));
    }

    let same_key_elsewhere = callback("other-app", "spoken");
    assert_eq!(store.callback(&same_key_elsewhere).await.unwrap(), None);
    let error = store.callback_answer(&answer(&same_key_elsewhere, "好", false), at(4)).await.unwrap_err();
    assert!(matches!(error, StoreError::CallbackUnknown { .. }), "{error:?}");
    assert_eq!(
        store.callback_claim(&same_key_elsewhere, delivered("<xml/>"), at(4)).await.unwrap(),
        Claim::New
    );
    assert_eq!(store.callback(&same_key_elsewhere).await.unwrap().map(|row| row.answer), Some(None));
}

pub(super) async fn callbacks_are_listed_and_pruned(store: &dyn Store) {
    // Long before all other checks, so that pruning touches only these.
    let open = [callback("lists", "older"), callback("lists", "newer")];
    let (quick, late) = (callback("lists", "quick"), callback("lists", "late"));
    store.callback_claim(&open[1], delivered("<b/>"), at(-800)).await.unwrap();
    store.callback_claim(&open[0], delivered("<a/>"), at(-900)).await.unwrap();
    for (key, is_late) in [(&quick, false), (&late, true)] {
        store.callback_claim(key, delivered("<c/>"), at(-700)).await.unwrap();
        store.callback_answer(&answer(key, "好的", is_late), at(-690)).await.unwrap();
    }

    let unanswered = store.callbacks_unanswered("lists").await.unwrap();
    let told: Vec<_> =
        unanswered.iter().map(|row| (&row.key, row.plaintext.as_str(), row.received_at)).collect();
    assert_eq!(told, [(&open[0], "<a/>", at(-900)), (&open[1], "<b/>", at(-800))]);
    assert!(unanswered.iter().all(|row| row.answer.is_none()));

    let listed = store.callbacks_late("lists", 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    let recorded = listed[0].answer.as_ref().unwrap();
    assert_eq!(listed[0].key, late);
    assert_eq!((recorded.reply.as_str(), recorded.answered_at, recorded.late), ("好的", at(-690), true));

    assert_eq!(store.callbacks_prune(at(-700)).await.unwrap(), 0, "the limit itself is kept");
    assert_eq!(store.callbacks_prune(at(-699)).await.unwrap(), 2);
    assert_eq!(store.callbacks_unanswered("lists").await.unwrap(), unanswered);
    assert_eq!(store.callback_claim(&quick, delivered("<c/>"), at(-1)).await.unwrap(), Claim::New);
}
