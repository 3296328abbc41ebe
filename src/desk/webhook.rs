//! Tells the outside of every handoff, signed after Standard Webhooks, until it is taken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::channel::http_client;
use crate::knowledge::Knowledge;
use crate::knowledge::secret_name;
use crate::message::BotId;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::callback::chain;
use crate::service::personal::Personal;
use crate::service::signature::SigningKey;
use crate::service::view;
use crate::store::HandoffRow;
use crate::store::StoreError;

/// Wait before each further attempt; after the last the webhook is given up and the handoff stays on the list.
const BACK_OFF: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
    Duration::from_secs(18_000),
    Duration::from_secs(36_000),
    Duration::from_secs(86_400),
];

/// After this long without an address a handoff is no longer told; it stays on the list.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

/// How often a server looks for webhooks that are due again.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Webhooks of one look.
const ROWS_MAX: usize = 50;

/// Time for one, below [`WEBHOOK_LEASE`](crate::store::WEBHOOK_LEASE), so that nobody else takes it meanwhile.
const SEND_MAX: Duration = Duration::from_secs(8);

/// Where a bot's handoffs are told.
#[derive(Debug)]
pub struct Endpoint {
    url: reqwest::Url,
    key: SigningKey,
}

/// Why a webhook is off.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// A variable is not set, or the value stands in `bot.toml` itself.
    #[error("handoff webhook of bot {bot:?} is off: {key} must name a variable that is set")]
    NotSet {
        /// The bot.
        bot: BotId,
        /// Key in `bot.toml`.
        key: &'static str,
    },
    /// The address is none.
    #[error("handoff webhook of bot {bot:?} is off: its address is not an http(s) URL")]
    Address {
        /// The bot.
        bot: BotId,
    },
    /// The key is none.
    #[error("handoff webhook of bot {bot:?} is off: its secret is not `whsec_` and base64 of 24 to 64 bytes")]
    Key {
        /// The bot.
        bot: BotId,
    },
}

/// The webhooks of all bots, and those that are off with the reason.
#[must_use]
pub fn endpoints<'k>(
    bots: impl Iterator<Item = &'k Knowledge>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (BTreeMap<BotId, Endpoint>, Vec<EndpointError>) {
    let mut found = BTreeMap::new();
    let mut off = Vec::new();
    for known in bots.filter(|known| known.profile.handoff.webhook.is_some()) {
        match endpoint(known, variable) {
            Ok(endpoint) => {
                found.insert(known.bot.clone(), endpoint);
            }
            Err(error) => off.push(error),
        }
    }
    (found, off)
}

fn endpoint(known: &Knowledge, variable: &dyn Fn(&str) -> Option<String>) -> Result<Endpoint, EndpointError> {
    let bot = || known.bot.clone();
    let handoff = &known.profile.handoff;
    let named = |key, value: Option<&String>| {
        value
            .and_then(|value| secret_name(value))
            .and_then(variable)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| EndpointError::NotSet { bot: bot(), key })
    };
    let url: reqwest::Url = named("handoff.webhook", handoff.webhook.as_ref())?
        .parse()
        .map_err(|_| EndpointError::Address { bot: bot() })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EndpointError::Address { bot: bot() });
    }
    let key = Secret::new(named("handoff.webhook_secret", handoff.webhook_secret.as_ref())?);
    let key = SigningKey::new(key).map_err(|_| EndpointError::Key { bot: bot() })?;
    Ok(Endpoint { url, key })
}

/// Sends webhooks that are due, at once when a handoff opens, for as long as it is polled.
///
/// * `look_every`: how often it looks for those that are due again; see [`LOOK_EVERY`].
pub async fn run(service: Arc<Service>, endpoints: BTreeMap<BotId, Endpoint>, look_every: Duration) {
    let client = match http_client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(error = %chain(&error), "no HTTP client: handoff webhooks are off");
            return;
        }
    };
    let mut tick = tokio::time::interval(look_every);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = service.handoff_opened() => {}
        }
        if let Err(error) = send_due(&service, &endpoints, &client).await {
            tracing::warn!(error = %chain(&error), "webhooks that are due could not be worked on");
        }
    }
}

async fn send_due(
    service: &Service,
    endpoints: &BTreeMap<BotId, Endpoint>,
    client: &reqwest::Client,
) -> Result<(), StoreError> {
    for _ in 0..ROWS_MAX {
        // One at a time: what waits behind a slow receiver is in nobody's hands.
        let Some(row) = service.store().webhooks_due(service.now(), 1).await?.pop() else { break };
        let Some(endpoint) = endpoints.get(row.customer.bot()) else {
            // Off in this process; another one, or the next start, may have the address. Old news helps nobody.
            if service.now().duration_since(row.asked_at) > GIVE_UP {
                service.store().webhook_failed(row.id, row.webhook_attempts, None).await?;
            }
            continue;
        };
        let now = service.now();
        match send(client, endpoint, &row, now).await {
            Sent::Taken => service.store().webhook_done(row.id, now).await?,
            Sent::Gone => {
                tracing::warn!(handoff.id = row.id, "the webhook's receiver is gone (410); not tried again");
                service.store().webhook_failed(row.id, row.webhook_attempts + 1, None).await?;
            }
            Sent::Failed(why) => {
                let attempts = row.webhook_attempts + 1;
                let next = BACK_OFF
                    .get(attempts as usize - 1)
                    .and_then(|wait| now.checked_add(SignedDuration::try_from(*wait).ok()?).ok());
                tracing::warn!(handoff.id = row.id, attempts, why, "a handoff webhook failed");
                service.store().webhook_failed(row.id, attempts, next).await?;
            }
        }
    }
    Ok(())
}

enum Sent {
    Taken,
    Gone,
    Failed(String),
}

async fn send(client: &reqwest::Client, endpoint: &Endpoint, row: &HandoffRow, now: Timestamp) -> Sent {
    let (id, body) = (format!("handoff_{}", row.id), body(row).to_string());
    let request = client.post(endpoint.url.clone()).header("content-type", "application/json");
    let request = endpoint.key.signed(request, &id, now, &body).body(body);
    match request.timeout(SEND_MAX).send().await {
        Ok(response) if response.status().is_success() => Sent::Taken,
        Ok(response) if response.status() == reqwest::StatusCode::GONE => Sent::Gone,
        Ok(response) => Sent::Failed(format!("status {}", response.status().as_u16())),
        // The address may carry a key of the receiver; it stays out of the log.
        Err(error) => Sent::Failed(chain(&error.without_url())),
    }
}

fn body(row: &HandoffRow) -> Value {
    json!({
        "type": "handoff.opened",
        "timestamp": row.opened_at.to_string(),
        "data": view::handoff(row, Personal::Shown),
    })
}
