//! Old dedupe rows.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::service::Service;
use crate::service::callback::chain;

const EVERY: Duration = Duration::from_secs(600);

/// Throws out answered callbacks that are older than `keep`, every ten minutes, for as long as it is polled.
pub async fn run(service: Arc<Service>, keep: SignedDuration) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let Ok(before) = service.now().checked_sub(keep) else { continue };
        match service.store().callbacks_prune(before).await {
            Ok(pruned) => tracing::debug!(pruned, "threw out old callbacks"),
            Err(error) => tracing::warn!(error = %chain(&error), "old callbacks could not be thrown out"),
        }
    }
}
