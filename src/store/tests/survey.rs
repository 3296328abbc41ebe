//! Surveys.

use crate::message::Rating;
use crate::store::Change;
use crate::store::HandoffChange;
use crate::store::NewSurvey;
use crate::store::Speaker;
use crate::store::Store;
use crate::store::SurveyRow;
use crate::store::TurnRow;
use crate::store::tests::at;
use crate::store::tests::customer;
use crate::store::tests::turn;

pub(super) async fn a_survey_is_answered_once_and_counted(store: &dyn Store) {
    let key = customer("surveys", "c");
    let read = async || store.conversation(&key, at(0)).await.unwrap();
    let id = read().await.id;
    let ask = async |intent: Option<&str>, second| {
        let row = read().await;
        let change = Change {
            conversation_id: id,
            revision: row.revision,
            at: at(second),
            speaker: Speaker::Closed,
            holder: None,
            said: None,
            state: None,
            note: None,
            outbox: Vec::new(),
            answers: Vec::new(),
            handoff: HandoffChange::None,
            timers: Vec::new(),
            survey: Some(NewSurvey { agent_id: None, intent: intent.map(str::to_owned) }),
            event: None,
        };
        store.change(&change).await.unwrap();
    };
    let rate = async |rating, second| {
        let row = TurnRow { rating: Some(rating), ..turn(&read().await, at(second)) };
        store.record_turn(row).await.unwrap();
    };
    rate(Rating::Good, 1).await;
    assert_eq!(store.surveyed_at(id).await.unwrap(), None, "nobody was asked");
    ask(Some("invoice"), 2).await;
    rate(Rating::Poor, 3).await;
    rate(Rating::Good, 4).await;
    ask(Some("invoice"), 5).await;
    ask(None, 6).await;
    rate(Rating::Fair, 7).await;
    assert_eq!(store.surveyed_at(id).await.unwrap(), Some(at(6)));

    let row = |intent: Option<&str>, n_asked, n_fair, n_poor| SurveyRow {
        agent_id: None,
        intent: intent.map(str::to_owned),
        n_asked,
        n_good: 0,
        n_fair,
        n_poor,
    };
    let all = store.surveys("surveys", at(0)).await.unwrap();
    assert_eq!(all, [row(Some("invoice"), 2, 0, 1), row(None, 1, 1, 0)]);
    assert_eq!(store.surveys("surveys", at(6)).await.unwrap(), [row(None, 1, 1, 0)]);
    // Who is forgotten is counted all the same.
    store.customer_forget(&key).await.unwrap();
    assert_eq!(store.surveys("surveys", at(0)).await.unwrap(), all);
}
