//! Timers that have run out: rows of the store, so that a restart forgets none and fires each once.

use std::time::Duration;

use crate::service::Service;
use crate::service::callback::chain;
use crate::service::handover::Handover;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Timers of one look.
const ROWS_MAX: u32 = 100;

/// Fires timers for as long as it is polled.
pub async fn run(service: std::sync::Arc<Service>, handover: Handover) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = fire_due(&service, &handover).await {
            tracing::warn!(error = %chain(&error), "timers that are due could not be read");
        }
    }
}

/// Fires what is due, in the order of its time; returns how many.
///
/// # Errors
/// When they cannot be read. One that cannot be fired is logged, and due again at the next look.
pub async fn fire_due(service: &Service, handover: &Handover) -> Result<usize, crate::store::StoreError> {
    let due = service.store().timers_due(service.now(), ROWS_MAX).await?;
    for timer in &due {
        if let Err(error) = handover.fire(timer).await {
            tracing::warn!(
                conversation.id = timer.conversation_id,
                timer = timer.kind.as_str(),
                error = %chain(&error),
                "a timer could not be fired"
            );
        }
    }
    Ok(due.len())
}
