//! Messages with their answers, and what customers think of them.

use crate::store::ExchangeFilter;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::tests::at;
use crate::store::tests::customer;
use crate::store::tests::turn;

pub(super) async fn messages_are_read_back_with_opinions(store: &dyn Store) {
    const BOT: &str = "exchanges";
    let (one, other) = (customer(BOT, "one"), customer(BOT, "other"));
    let mut ids = Vec::new();
    for (key, second, said) in [(&one, 1, "a"), (&other, 2, "b"), (&one, 3, "c")] {
        let read = store.conversation(key, at(0)).await.unwrap();
        let inbound = format!("{{\"text\":\"{said}\"}}");
        let outbound = format!("{{\"to\":\"{said}\"}}");
        let row = TurnRow { inbound, outbound, ..turn(&read, at(second)) };
        ids.push(store.record_turn(row).await.unwrap().outbound_id);
    }
    let list = async |since, after, limit| {
        let filter = ExchangeFilter { bot: BOT.to_owned(), since: at(since), after, limit };
        store.exchanges(&filter).await.unwrap()
    };
    let all = list(0, 0, 10).await;
    let told: Vec<_> = all.iter().map(|row| (row.inbound.as_str(), row.outbound.as_str(), row.at)).collect();
    let expected = [
        (r#"{"text":"a"}"#, r#"{"to":"a"}"#, at(1)),
        (r#"{"text":"b"}"#, r#"{"to":"b"}"#, at(2)),
        (r#"{"text":"c"}"#, r#"{"to":"c"}"#, at(3)),
    ];
    assert_eq!(told, expected);
    assert_eq!((&all[1].customer, all[0].conversation_id), (&other, all[2].conversation_id));
    assert_eq!(list(0, 0, 1).await, all[..1]);
    assert_eq!(list(0, all[0].answer_id, 10).await, all[1..]);
    assert_eq!(list(3, 0, 10).await, all[2..]);

    store.feedback(&one, ids[0], true, at(4)).await.unwrap();
    store.feedback(&one, ids[0], false, at(5)).await.unwrap();
    let opinions: Vec<_> = list(0, 0, 10).await.iter().map(|row| row.helpful).collect();
    assert_eq!(opinions, [Some(false), None, None], "the latest opinion counts");
    for (key, id, why) in [(&other, ids[0], "another's answer"), (&one, ids[0] - 1, "a message of theirs")] {
        let error = store.feedback(key, id, true, at(6)).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { what: "answer", .. }), "{why}: {error:?}");
    }
}
