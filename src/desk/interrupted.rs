//! Callbacks that a crash interrupted and that the channel does not send again: answered late, and not forgotten.

use std::sync::Arc;
use std::time::Duration;

use crate::service::ServiceError;
use crate::service::aibot::AiBot;
use crate::service::aibot::AiBots;
use crate::service::aibot::Planner;
use crate::service::app::App;
use crate::service::callback::Callbacks;
use crate::service::callback::Plan;
use crate::service::callback::chain;

/// How often it looks for them.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Answers them for as long as it is polled.
///
/// * `apps`, `bots`: with how the replies of each are laid out.
pub async fn run(
    (callbacks, apps): (Callbacks, Vec<(Arc<App>, Plan)>),
    (aibots, bots): (AiBots, Vec<(Arc<AiBot>, Planner)>),
) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        for (app, plan) in &apps {
            tell(&app.name, callbacks.resume(app, plan).await);
        }
        for (bot, planner) in &bots {
            tell(&bot.app(), aibots.resume(bot, &planner()).await);
        }
    }
}

fn tell(app: &str, result: Result<usize, ServiceError>) {
    match result {
        Ok(0) => {}
        Ok(resumed) => tracing::warn!(app, resumed, "answered callbacks that were cut off"),
        Err(error) => {
            tracing::warn!(app, error = %chain(&error), "callbacks that were cut off stay open");
        }
    }
}
