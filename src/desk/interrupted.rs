//! Callbacks that a crash interrupted and that the channel does not send again: answered late, and not forgotten.

use std::sync::Arc;
use std::time::Duration;

use crate::service::app::App;
use crate::service::callback::Callbacks;
use crate::service::callback::Plan;
use crate::service::callback::chain;

/// How often it looks for them.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Answers them for as long as it is polled.
///
/// * `apps`: with how the replies of each are laid out.
pub async fn run(callbacks: Callbacks, apps: Vec<(Arc<App>, Plan)>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        for (app, plan) in &apps {
            match callbacks.resume(app, plan).await {
                Ok(0) => {}
                Ok(resumed) => {
                    tracing::warn!(app = %app.name, resumed, "answered callbacks that were cut off")
                }
                Err(error) => {
                    tracing::warn!(app = %app.name, error = %chain(&error), "callbacks that were cut off stay open");
                }
            }
        }
    }
}
