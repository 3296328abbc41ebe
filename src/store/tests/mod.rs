//! What every back end must keep to: one list, run against an empty store of each.

pub(super) mod archive;
pub(super) mod callback;
mod exchange;
pub(super) mod handoff;
pub(super) mod lease;
mod media;
mod outbox;
mod privacy;
mod setting;
mod survey;
mod turn;
mod version;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::message::Channel;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::ConversationRow;
use crate::store::CustomerKey;
use crate::store::Delivered;
use crate::store::HandoffFilter;
use crate::store::HandoffRequest;
use crate::store::Store;
use crate::store::TurnRow;

/// Runs the whole list. Each check has a bot or app of its own, so their order does not matter.
pub(super) async fn all(store: Arc<dyn Store>) {
    turn::customers_keep_what_was_told(&*store).await;
    turn::what_a_channel_tells_is_kept_and_equal_words_write_nothing(&*store).await;
    turn::a_conversation_begins_once(&store).await;
    turn::a_turn_is_stored_whole(&*store).await;
    turn::a_failing_part_leaves_nothing_behind(&*store).await;
    turn::of_turns_from_one_revision_one_is_stored(&store).await;
    turn::different_customers_take_turns_at_once(&store).await;
    turn::values_over_their_limit_are_refused(&*store).await;
    archive::messages_are_found_by_every_filter(&*store).await;
    archive::words_are_found_in_what_people_read(&*store).await;
    archive::what_is_forgotten_is_in_no_archive(&*store).await;
    callback::a_claim_is_exclusive(&[Arc::clone(&store)]).await;
    callback::callbacks_are_answered_once(&*store).await;
    callback::callbacks_are_listed_and_pruned(&*store).await;
    exchange::messages_are_read_back_with_opinions(&*store).await;
    handoff::a_conversation_has_one_open_handoff(&*store).await;
    handoff::handoffs_are_filtered(&*store).await;
    handoff::a_webhook_has_one_taker(&[Arc::clone(&store)]).await;
    handoff::webhooks_are_leased_until_done(&*store).await;
    handoff::a_webhook_can_be_given_up(&*store).await;
    lease::a_lease_has_one_holder_until_its_end(&*store).await;
    lease::of_many_one_gets_a_lease(&[Arc::clone(&store)]).await;
    lease::a_token_is_exchanged_whole(&*store).await;
    lease::the_newest_models_count(&*store).await;
    media::files_are_found_until_they_are_forgotten(&*store).await;
    outbox::a_conversation_is_sent_in_order(&*store).await;
    outbox::what_comes_too_late_is_given_up_and_listed(&*store).await;
    outbox::staff_are_told_once_of_what_a_customer_will_not_get(&*store).await;
    outbox::a_key_is_used_once(&*store).await;
    outbox::a_page_moves_its_cursor_with_it(&*store).await;
    outbox::what_a_source_brings_about_moves_its_cursor_with_it(&*store).await;
    outbox::one_who_is_told_waits_for_no_other_and_for_no_attempt(&*store).await;
    outbox::what_the_shops_system_is_told_keeps_no_customer_waiting(&*store).await;
    outbox::a_notice_answers_its_delivery_and_moves_no_conversation(&*store).await;
    privacy::a_customer_is_handed_out_and_forgotten_whole(&*store).await;
    privacy::what_was_said_long_ago_is_forgotten_and_the_talk_goes_on(&*store).await;
    privacy::what_was_kept_of_a_customer_goes_with_their_last_word(&*store).await;
    setting::api_keys_live_until_revoked(&*store).await;
    setting::a_setting_is_set_once(&store).await;
    survey::a_survey_is_answered_once_and_counted(&*store).await;
    version::the_same_files_are_the_same_version(&*store).await;
    version::of_two_publications_one_is_told_to_look_again(&store).await;
    version::what_is_no_version_is_refused(&*store).await;
    version::a_folder_is_seen_as_one_version(&*store).await;
    store.ping().await.unwrap();
}

/// A time in whole seconds after an arbitrary instant.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) fn customer(bot: &str, id: &str) -> CustomerKey {
    CustomerKey::new(bot, Channel::Web, id).unwrap()
}

pub(super) fn delivered(plaintext: &str) -> Delivered<'_> {
    Delivered { plaintext, sender: "user01" }
}

pub(super) fn callback(app: &str, key: &str) -> CallbackKey {
    CallbackKey::new(app, key).unwrap()
}

/// A turn that follows on a conversation as it was read.
pub(super) fn turn(conversation: &ConversationRow, at: Timestamp) -> TurnRow {
    TurnRow {
        route: None,
        record: BTreeMap::new(),
        tickets: Vec::new(),
        steps: Vec::new(),
        rating: None,
        idle_at: None,
        conversation_id: conversation.id,
        revision: conversation.revision,
        at,
        inbound: r#"{"text":"怎么退货"}"#.to_owned(),
        outbound: r#"{"text":"七天内可以退"}"#.to_owned(),
        state: r#"{"task":"return"}"#.to_owned(),
        tags_added: BTreeSet::new(),
        handoff: None,
        answers: Vec::new(),
        outbox: Vec::new(),
    }
}

pub(super) fn handoff(reason: &str) -> HandoffRequest {
    HandoffRequest {
        overdue_at: None,
        group: "售后".to_owned(),
        reason: reason.to_owned(),
        summary: r#"{"said":["转人工"]}"#.to_owned(),
        due: Some("今天 18:00 前".to_owned()),
        webhook_pending: false,
    }
}

pub(super) fn tags(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

pub(super) fn answer(key: &CallbackKey, reply: &str, late: bool) -> CallbackAnswer {
    CallbackAnswer { key: key.clone(), reply: reply.to_owned(), late }
}

pub(super) fn of_bot(bot: &str, open_only: bool) -> HandoffFilter {
    HandoffFilter { bot: Some(bot.to_owned()), open_only, limit: 100 }
}
