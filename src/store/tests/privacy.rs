//! Handing out what is kept of a customer, and forgetting it.

use std::collections::BTreeMap;

use crate::store::Claim;
use crate::store::Delivered;
use crate::store::HandoffRequest;
use crate::store::NewTicket;
use crate::store::Store;
use crate::store::TurnRow;
use crate::store::tests::answer;
use crate::store::tests::at;
use crate::store::tests::callback;
use crate::store::tests::customer;
use crate::store::tests::handoff;
use crate::store::tests::of_bot;
use crate::store::tests::turn;

async fn says(store: &dyn Store, bot: &str, id: &str, second: i64) {
    let conversation = store.conversation(&customer(bot, id), at(second)).await.unwrap();
    let delivery = callback(bot, &format!("{id}{second}"));
    store.callback_claim(&delivery, Delivered { plaintext: "<xml/>", sender: id }, at(second)).await.unwrap();
    let request: HandoffRequest = handoff("rule");
    let row = TurnRow {
        answers: vec![answer(&delivery, "好", false)],
        handoff: Some(request),
        tickets: vec![NewTicket { task: "t".into(), title: "换货".into(), fields: "{}".into() }],
        ..turn(&conversation, at(second))
    };
    let receipt = store.record_turn(row).await.unwrap();
    store.feedback(&customer(bot, id), receipt.outbound_id, true, at(second)).await.unwrap();
}

pub(super) async fn a_customer_is_handed_out_and_forgotten_whole(store: &dyn Store) {
    let bot = "privacy";
    for id in ["amy", "bob"] {
        says(store, bot, id, 0).await;
        says(store, bot, id, 1).await;
    }
    let (amy, bob) = (customer(bot, "amy"), customer(bot, "bob"));
    let file = store.customer_file(&amy).await.unwrap().unwrap();
    assert_eq!((file.customer.key.clone(), file.messages.len()), (amy.clone(), 4));
    assert!(
        file.messages.iter().all(|one| Some(one.conversation_id) == file.conversation.as_ref().map(|c| c.id))
    );
    assert_eq!(
        (file.tickets.len(), file.handoffs.len(), file.tickets[0].customer.clone()),
        (2, 1, amy.clone())
    );
    let forgotten = store.customer_forget(&amy).await.unwrap().unwrap();
    assert_eq!(forgotten.n_messages, 4);
    assert_eq!(store.customer_file(&amy).await.unwrap(), None);
    assert_eq!(store.customer_forget(&amy).await.unwrap(), None);
    // Everybody else is as before.
    assert_eq!(store.customer_file(&bob).await.unwrap().unwrap().messages.len(), 4);
    let handoffs = store.handoffs(of_bot(bot, false)).await.unwrap();
    assert!(handoffs.iter().all(|row| row.customer == bob), "{handoffs:?}");
    // What was delivered is gone as well: it would be new if it came again.
    let again = Delivered { plaintext: "<xml/>", sender: "amy" };
    assert_eq!(store.callback_claim(&callback(bot, "amy0"), again, at(2)).await.unwrap(), Claim::New);
    // Who comes again is a stranger.
    assert!(store.conversation(&amy, at(2)).await.unwrap().first_visit());
}

pub(super) async fn what_was_said_long_ago_is_forgotten_and_the_talk_goes_on(store: &dyn Store) {
    let bot = "retention";
    says(store, bot, "amy", 0).await;
    says(store, bot, "amy", 100).await;
    says(store, "retention2", "amy", 0).await;
    let forgotten = store.messages_prune(bot, at(100)).await.unwrap();
    assert_eq!(forgotten.n_messages, 2);
    let file = store.customer_file(&customer(bot, "amy")).await.unwrap().unwrap();
    assert_eq!((file.messages.len(), file.conversation.unwrap().revision), (2, 2));
    let other = store.customer_file(&customer("retention2", "amy")).await.unwrap().unwrap();
    assert_eq!(other.messages.len(), 2, "another bot keeps its own");
    assert_eq!(store.messages_prune(bot, at(100)).await.unwrap().n_messages, 0);
}

pub(super) async fn what_was_kept_of_a_customer_goes_with_their_last_word(store: &dyn Store) {
    let bot = "retention3";
    let conversation = store.conversation(&customer(bot, "amy"), at(0)).await.unwrap();
    let told = TurnRow {
        record: BTreeMap::from([("phone".to_owned(), "13800001234".to_owned())]),
        state: r#"{"rest":"下文"}"#.to_owned(),
        ..turn(&conversation, at(0))
    };
    store.record_turn(told).await.unwrap();
    store.messages_prune(bot, at(0)).await.unwrap();
    let kept = store.customer(&customer(bot, "amy")).await.unwrap().unwrap();
    assert_eq!(kept.record["phone"], "13800001234");
    store.messages_prune(bot, at(100)).await.unwrap();
    let file = store.customer_file(&customer(bot, "amy")).await.unwrap().unwrap();
    assert_eq!((file.customer.record.len(), file.conversation.unwrap().state.as_str()), (0, "{}"));
}
