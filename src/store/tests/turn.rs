//! Customers, conversations and the turns that move them on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::Channel;
use crate::message::CustomerKind;
use crate::store::CallbackKey;
use crate::store::Claim;
use crate::store::CustomerKey;
use crate::store::CustomerSeen;
use crate::store::CustomerTold;
use crate::store::Direction;
use crate::store::HandoffRequest;
use crate::store::PAYLOAD_BYTES_MAX;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::tests::answer;
use crate::store::tests::at;
use crate::store::tests::callback;
use crate::store::tests::customer;
use crate::store::tests::delivered;
use crate::store::tests::handoff;
use crate::store::tests::of_bot;
use crate::store::tests::tags;
use crate::store::tests::turn;

pub(super) async fn customers_keep_what_was_told(store: &dyn Store) {
    let key = customer("told", "c1");
    assert_eq!(store.customer(&key).await.unwrap(), None);
    let mut seen = CustomerSeen {
        key: key.clone(),
        kind: CustomerKind::Employee,
        name: Some("王芳".to_owned()),
        region: None,
    };
    let first = store.customer_seen(&seen, at(0)).await.unwrap();
    assert_eq!((first.first_seen_at, first.last_seen_at), (at(0), at(0)));

    (seen.name, seen.region) = (None, Some("广州".to_owned()));
    let second = store.customer_seen(&seen, at(9)).await.unwrap();
    assert_eq!((second.name.as_deref(), second.region.as_deref()), (Some("王芳"), Some("广州")));
    assert_eq!(
        (second.kind, second.first_seen_at, second.last_seen_at),
        (CustomerKind::Employee, at(0), at(9))
    );

    let third = store.customer_seen(&seen, at(10)).await.unwrap();
    assert_eq!(third, second, "nothing new was told, so nothing is written");
    assert_eq!(store.customer(&key).await.unwrap(), Some(second));

    // The other way about: the conversation first, what the channel tells afterwards.
    let later = customer("told", "c2");
    store.conversation(&later, at(1)).await.unwrap();
    seen.key = later;
    let told = store.customer_seen(&seen, at(2)).await.unwrap();
    assert_eq!((told.kind, told.first_seen_at), (CustomerKind::Employee, at(1)));
}

pub(super) async fn what_a_channel_tells_is_kept_and_equal_words_write_nothing(store: &dyn Store) {
    let key = customer("contacts", "b");
    let told = CustomerTold {
        name: Some("李四".to_owned()),
        tags_added: tags(&["重要", "旧"]),
        record: BTreeMap::from([("wecom_state".to_owned(), Some("p7".to_owned()))]),
        contact: Some(r#"{"app":"x"}"#.to_owned()),
        ..CustomerTold::nothing(key.clone())
    };
    let first = store.customer_told(&told, at(0)).await.unwrap();
    assert_eq!((first.name.as_deref(), &first.tags), (Some("李四"), &tags(&["重要", "旧"])));
    assert_eq!(first.record["wecom_state"], "p7");
    let again = store.customer_told(&told, at(5)).await.unwrap();
    assert_eq!(again, first, "nothing new was told, so nothing is written");

    let less = CustomerTold {
        tags_added: tags(&["重要"]),
        tags_removed: tags(&["重要", "旧"]),
        record: BTreeMap::from([("wecom_state".to_owned(), None)]),
        ..CustomerTold::nothing(key.clone())
    };
    let second = store.customer_told(&less, at(9)).await.unwrap();
    assert_eq!((&second.name, &second.contact), (&first.name, &first.contact), "what is not named stays");
    assert_eq!((&second.tags, second.record.len(), second.last_seen_at), (&tags(&["重要"]), 0, at(9)));
    assert_eq!(store.customer(&key).await.unwrap(), Some(second));

    for id in ["c", "a"] {
        let contact = Some("{}".to_owned());
        let told = CustomerTold { contact, ..CustomerTold::nothing(customer("contacts", id)) };
        store.customer_told(&told, at(1)).await.unwrap();
    }
    store.customer_told(&CustomerTold::nothing(customer("contacts", "d")), at(1)).await.unwrap();
    let page = store.contacts("contacts", None, 2).await.unwrap();
    assert_eq!(page.iter().map(|row| row.key.customer_id()).collect::<Vec<_>>(), ["a", "b"]);
    let rest = store.contacts("contacts", Some(&page[1].key), 2).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.key.customer_id()).collect::<Vec<_>>(), ["c"]);
}

pub(super) async fn a_conversation_begins_once(store: &Arc<dyn Store>) {
    let tasks: Vec<_> = (0..20)
        .map(|second| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.conversation(&customer("once", "c"), at(second)).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    assert!(seen.iter().all(|row| *row == seen[0]), "{seen:?}");
    assert_eq!((seen[0].state.as_str(), seen[0].revision), ("{}", 0));
    assert!(seen[0].first_visit());

    let elsewhere = CustomerKey::new("once", Channel::WecomApp, "c").unwrap();
    assert_ne!(store.conversation(&elsewhere, at(0)).await.unwrap().id, seen[0].id);
}

pub(super) async fn a_turn_is_stored_whole(store: &dyn Store) {
    let key = customer("whole", "c");
    let delivery = callback("whole", "m1");
    store.callback_claim(&delivery, delivered("<xml/>"), at(1)).await.unwrap();
    let before = store.conversation(&key, at(1)).await.unwrap();
    let receipt = store
        .record_turn(TurnRow {
            tags_added: tags(&["退货", "会员"]),
            handoff: Some(handoff("客户要求")),
            answers: vec![answer(&delivery, "七天内可以退", false)],
            ..turn(&before, at(2))
        })
        .await
        .unwrap();

    let after = store.conversation(&key, at(3)).await.unwrap();
    assert_eq!((after.revision, after.state.as_str()), (1, r#"{"task":"return"}"#));
    assert_eq!((after.created_at, after.updated_at), (at(1), at(2)));
    assert_eq!(receipt.revision, 1);
    assert!(!after.first_visit());

    let messages = store.messages(before.id, 10).await.unwrap();
    let told: Vec<_> =
        messages.iter().map(|row| (row.id, row.direction, row.body.as_str(), row.at)).collect();
    assert_eq!(
        told,
        [
            (receipt.inbound_id, Direction::In, r#"{"text":"怎么退货"}"#, at(2)),
            (receipt.outbound_id, Direction::Out, r#"{"text":"七天内可以退"}"#, at(2)),
        ]
    );
    let known = store.customer(&key).await.unwrap().unwrap();
    assert_eq!((known.tags, known.last_seen_at), (tags(&["会员", "退货"]), at(2)));
    let handoffs = store.handoffs(of_bot("whole", true)).await.unwrap();
    assert_eq!(Some(handoffs[0].id), receipt.handoff.map(|handoff| handoff.id));
    let again = store.callback_claim(&delivery, delivered("<xml/>"), at(4)).await.unwrap();
    assert_eq!(again, Claim::Answered { reply: "七天内可以退".to_owned() });

    // Tags add up, and the newest messages win when not all are asked for.
    let second = TurnRow { tags_added: tags(&["会员", "催单"]), ..turn(&after, at(5)) };
    let second = store.record_turn(second).await.unwrap();
    let known = store.customer(&key).await.unwrap().unwrap();
    assert_eq!(known.tags, tags(&["会员", "退货", "催单"]));
    let newest: Vec<_> = store.messages(before.id, 2).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(newest, [second.inbound_id, second.outbound_id]);
}

pub(super) async fn a_failing_part_leaves_nothing_behind(store: &dyn Store) {
    let key = customer("atomic", "c");
    let answered = callback("atomic", "answered");
    store.callback_claim(&answered, delivered("<xml/>"), at(0)).await.unwrap();
    store.callback_answer(&answer(&answered, "", false), at(0)).await.unwrap();
    let before = store.conversation(&key, at(0)).await.unwrap();
    let full =
        TurnRow {
            tags_added: tags(&["退货"]), handoff: Some(handoff("客户要求")), ..turn(&before, at(1))
        };
    let unknown = callback("atomic", "never-claimed");
    let broken_summary = HandoffRequest { summary: "{".to_owned(), ..handoff("客户要求") };
    let failing = [
        TurnRow { answers: vec![answer(&unknown, "好", false)], ..full.clone() },
        TurnRow { answers: vec![answer(&answered, "好", false)], ..full.clone() },
        TurnRow { handoff: Some(broken_summary), ..full.clone() },
        TurnRow { outbound: "{".to_owned(), ..full.clone() },
        TurnRow { state: "{".to_owned(), ..full.clone() },
        TurnRow { tags_added: tags(&[""]), ..full.clone() },
    ];
    let customer_before = store.customer(&key).await.unwrap();
    for (case, turn) in failing.into_iter().enumerate() {
        let error = store.record_turn(turn).await.unwrap_err();
        match case {
            0 => assert!(matches!(error, StoreError::CallbackUnknown { .. }), "{error:?}"),
            1 => assert!(matches!(error, StoreError::CallbackAnswered { .. }), "{error:?}"),
            2..=4 => assert!(matches!(error, StoreError::Database(_)), "{error:?}"),
            _ => assert!(matches!(error, StoreError::Empty { .. }), "{error:?}"),
        }
        assert_eq!(store.conversation(&key, at(2)).await.unwrap(), before, "case {case}");
        assert_eq!(store.messages(before.id, 10).await.unwrap(), [], "case {case}");
        assert_eq!(store.customer(&key).await.unwrap(), customer_before, "case {case}");
        assert_eq!(store.handoffs(of_bot("atomic", false)).await.unwrap(), [], "case {case}");
    }
    store.record_turn(full).await.unwrap();

    let stranger = TurnRow { conversation_id: i64::MAX, ..turn(&before, at(3)) };
    let error = store.record_turn(stranger).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "conversation", id: i64::MAX }), "{error:?}");
}

pub(super) async fn of_turns_from_one_revision_one_is_stored(store: &Arc<dyn Store>) {
    let key = customer("conflict", "c");
    let read = store.conversation(&key, at(0)).await.unwrap();
    let tasks: Vec<_> = (0..10)
        .map(|second| {
            let (store, turn) = (Arc::clone(store), turn(&read, at(second)));
            tokio::spawn(async move { store.record_turn(turn).await })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(receipt) => {
                assert_eq!(receipt.revision, 1);
                stored += 1;
            }
            Err(StoreError::Conflict { conversation, expected: 0, found: 1 }) => {
                assert_eq!(conversation, read.id)
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(stored, 1);
    assert_eq!(store.messages(read.id, 100).await.unwrap().len(), 2);
}

pub(super) async fn different_customers_take_turns_at_once(store: &Arc<dyn Store>) {
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let key = customer("crowd", &number.to_string());
                for second in 0..5 {
                    let read = store.conversation(&key, at(second)).await.unwrap();
                    assert_eq!(read.revision, second);
                    let state = format!(r#"{{"customer":{number},"turn":{second}}}"#);
                    store.record_turn(TurnRow { state, ..turn(&read, at(second)) }).await.unwrap();
                }
                let last = store.conversation(&key, at(9)).await.unwrap();
                assert_eq!(last.state, format!(r#"{{"customer":{number},"turn":4}}"#));
                store.messages(last.id, 100).await.unwrap().len()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 10);
    }
}

pub(super) async fn values_over_their_limit_are_refused(store: &dyn Store) {
    assert!(matches!(
        CustomerKey::new("shop", Channel::Web, ""),
        Err(StoreError::Empty { what: "customer id" })
    ));
    assert!(CallbackKey::new("app", &"k".repeat(257)).is_err());

    let long = "长".repeat(PAYLOAD_BYTES_MAX / 3 + 1);
    let error = store.callback_claim(&callback("limit", "k"), delivered(&long), at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLong { limit: PAYLOAD_BYTES_MAX, .. }), "{error:?}");
    assert_eq!(store.callbacks_unanswered("limit").await.unwrap(), []);

    let read = store.conversation(&customer("limit", "c"), at(0)).await.unwrap();
    let error = store.record_turn(TurnRow { inbound: long, ..turn(&read, at(0)) }).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLong { what: "inbound message", .. }), "{error:?}");
}
