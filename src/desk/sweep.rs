//! What time takes away: old dedupe rows, messages sent long ago, and knowledge that nears its last day.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::message::BotId;
use crate::service::Service;
use crate::service::callback::chain;
use crate::store::Forgotten;

const EVERY: Duration = Duration::from_secs(600);

/// Throws out answered callbacks and settled messages that are older than `keep`, every ten minutes, and tells once a day what knowledge nears its
/// end, for as long as it is polled.
pub async fn run(service: Arc<Service>, keep: SignedDuration) {
    let mut tick = tokio::time::interval(EVERY);
    let mut told: BTreeMap<BotId, Date> = BTreeMap::new();
    loop {
        tick.tick().await;
        for (bot, engine) in service.bots().iter() {
            let today = engine.calendar().today(service.now());
            if told.insert(bot.clone(), today) == Some(today) {
                continue;
            }
            let n_ending = engine.known().entries.iter().filter(|one| one.validity.ends_soon(today)).count();
            if n_ending > 0 {
                tracing::warn!(bot, n_ending, "answers end within two weeks; `yingda entries` names them");
            }
        }
        for (bot, engine) in service.bots().iter() {
            let Some(days) = engine.known().profile.retention_days else { continue };
            let Ok(before) = service.now().checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
            else {
                continue;
            };
            match service.store().messages_prune(bot, before).await {
                Ok(Forgotten { n_messages: 0, .. }) => {}
                Ok(Forgotten { n_messages, .. }) => {
                    tracing::info!(bot, n_messages, "forgot what was said long ago")
                }
                Err(error) => {
                    tracing::warn!(bot, error = %chain(&error), "old messages could not be forgotten")
                }
            }
        }
        let Ok(before) = service.now().checked_sub(keep) else { continue };
        match service.store().outbox_prune(before).await {
            Ok(pruned) => tracing::debug!(pruned, "threw out messages that were settled long ago"),
            Err(error) => tracing::warn!(error = %chain(&error), "settled messages could not be thrown out"),
        }
        match service.store().events_prune(before).await {
            Ok(pruned) => tracing::debug!(pruned, "threw out old events"),
            Err(error) => tracing::warn!(error = %chain(&error), "old events could not be thrown out"),
        }
        if let Err(error) = service.store().leases_prune(before).await {
            tracing::warn!(error = %chain(&error), "leases that ran out long ago could not be thrown out");
        }
        match service.store().callbacks_prune(before).await {
            Ok(pruned) => tracing::debug!(pruned, "threw out old callbacks"),
            Err(error) => tracing::warn!(error = %chain(&error), "old callbacks could not be thrown out"),
        }
    }
}
