//! Keeps WeCom in possession of the bots' files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::service::app::App;
use crate::service::callback::chain;
use crate::service::media::MediaShelf;

/// How often it looks for files that have changed or grown old.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// The first wait after a failure; each doubles the one before, up to the longest.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// The longest wait after failures.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Looks up what WeCom has from before, so that the first customer gets it.
pub async fn recall(shelf: &MediaShelf, apps: &BTreeMap<String, Arc<App>>) {
    for app in apps.values() {
        if let Err(error) = shelf.recall(app).await {
            tracing::warn!(app = %app.name, error = %chain(&error), "what WeCom has could not be looked up");
        }
    }
}

/// Hands files over for as long as it is polled.
pub async fn run(shelf: Arc<MediaShelf>, apps: BTreeMap<String, Arc<App>>) {
    let mut again = WAIT_MIN;
    loop {
        let mut failed = false;
        for app in apps.values() {
            match shelf.renew(app).await {
                Ok(0) => {}
                Ok(n_files) => tracing::info!(app = %app.name, n_files, "handed files to WeCom"),
                Err(error) => {
                    failed = true;
                    tracing::warn!(
                        app = %app.name, error = %chain(&error),
                        "files could not be handed to WeCom; replies link to them"
                    );
                }
            }
        }
        let wait = if failed { again } else { LOOK_EVERY };
        again = if failed { (2 * again).min(WAIT_MAX) } else { WAIT_MIN };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shelf.lost() => {}
        }
    }
}
