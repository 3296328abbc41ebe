//! Follows what staff are told, and puts into the outbox what people outside of the inbox are to hear of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::knowledge::notify::EventKind;
use crate::knowledge::notify::NotifySpec;
use crate::service::Service;
use crate::service::callback::chain;
use crate::service::notify;
use crate::service::notify::Event;
use crate::store::ConversationId;
use crate::store::EventId;
use crate::store::EventRow;
use crate::store::NAME_BYTES_MAX;
use crate::store::NewOutbox;
use crate::store::Reading;
use crate::store::StoreError;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events of one look.
const ROWS_MAX: u32 = 200;

/// What the cursor is called.
const SOURCE: &str = "notify:events";

/// Follows the events for as long as it is polled.
pub async fn run(service: Arc<Service>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        loop {
            match follow(&service).await {
                Ok(0) => break,
                Ok(_n_read) => {}
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "events could not be told to those outside");
                    break;
                }
            }
        }
    }
}

/// Reads on in the events; returns how many it read. The very first time it begins behind the latest: what happened before
/// anybody followed is told to nobody.
///
/// # Errors
/// When the store fails; nothing is lost then, and nothing is told twice.
pub async fn follow(service: &Service) -> Result<usize, StoreError> {
    let (store, now) = (service.store(), service.now());
    let from = store.cursor(SOURCE).await?;
    let reading = |to: EventId, outbox| Reading {
        source: SOURCE.to_owned(),
        from: from.clone(),
        to: to.to_string(),
        outbox,
    };
    let Some(after) = from.as_deref().and_then(|value| value.parse::<EventId>().ok()) else {
        let last = store.last_event().await?;
        return read_on(service, &reading(last, Vec::new()), now).await.map(|_| 0);
    };
    let events = store.events(after, ROWS_MAX).await?;
    let Some(last) = events.last() else { return Ok(0) };
    let mut outbox = Vec::new();
    for event in &events {
        outbox.extend(notices(service, event, now).await?);
    }
    read_on(service, &reading(last.id, outbox), now).await?;
    Ok(events.len())
}

async fn read_on(service: &Service, reading: &Reading, now: Timestamp) -> Result<(), StoreError> {
    match service.store().outbox_read(reading, now).await {
        Ok(n_added) => {
            service.outbox_written(n_added > 0);
            Ok(())
        }
        // Another process was faster, and has told it.
        Err(StoreError::CursorMoved { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is to be sent because of an event.
async fn notices(
    service: &Service,
    row: &EventRow,
    now: Timestamp,
) -> Result<Vec<(ConversationId, NewOutbox)>, StoreError> {
    let kind = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == row.kind);
    let (Some(kind), Some(notifier)) = (kind, service.notifier()) else { return Ok(Vec::new()) };
    let bots = service.bots();
    let Some(engine) = bots.get(row.customer.bot()) else { return Ok(Vec::new()) };
    let known = engine.known();
    let hears = |spec: &&NotifySpec| spec.hears(kind, row.group.as_deref()) && notifier.is_on(known, spec);
    let specs: Vec<&NotifySpec> = known.profile.notify.iter().filter(hears).collect();
    if specs.is_empty() {
        return Ok(Vec::new());
    }
    let wait_minutes = match kind {
        EventKind::Waiting | EventKind::Overdue | EventKind::Lapsed | EventKind::Transferred => {
            let handoff = service.store().handoff_open(row.conversation_id).await?;
            handoff.map_or(0, |handoff| row.at.duration_since(handoff.opened_at).as_mins().max(0))
        }
        EventKind::Message
        | EventKind::Taken
        | EventKind::Replied
        | EventKind::Noted
        | EventKind::Returned
        | EventKind::Closed
        | EventKind::Undelivered => 0,
    };
    let event = Event { row, kind, wait_minutes };
    let all = specs.into_iter().map(|spec| notify::outbox(known, spec, &event, now)).filter(|notice| {
        // The store would refuse it, and all that happens later with it.
        let fits = notice.recipient.len() <= NAME_BYTES_MAX;
        if !fits {
            tracing::error!(to = %notice.recipient, "the names of bot and target are too long together: not told");
        }
        fits
    });
    Ok(all.map(|notice| (row.conversation_id, notice)).collect())
}
