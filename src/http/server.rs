//! Listening and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

/// The server could not listen or broke while it did.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: is another process using the port? choose one with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The listener broke.
    #[error("the server stopped")]
    Serve(#[source] std::io::Error),
}

/// Takes the address, so that a port in use is told before anything else is set up.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { address, source })
}

/// How a server comes to its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stop {
    /// How long it still takes requests, so that whoever sends them can look elsewhere.
    pub farewell: Duration,
    /// How long those under way may take after that; then they are cut off.
    pub drain: Duration,
}

/// Serves until SIGTERM or Ctrl-C, then takes no more connections and lets those under way finish.
///
/// * `stopping`: set when the stop begins, for those who would otherwise never end.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    stopping: Arc<AtomicBool>,
) -> Result<(), ServerError> {
    let (told, mut stopped) = tokio::sync::watch::channel(false);
    let Stop { farewell, drain } = stop;
    let stop = async move {
        stop_signal().await;
        stopping.store(true, Ordering::SeqCst);
        if !farewell.is_zero() {
            tracing::info!(farewell_seconds = farewell.as_secs(), "about to stop: not ready any more");
            tokio::time::sleep(farewell).await;
        }
        tracing::info!("stopping: no new requests, those under way are finished");
        told.send_replace(true);
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop);
    let over_time = async {
        // The sender lives inside the server's future: an error means that the server is done.
        if stopped.wait_for(|stopped| *stopped).await.is_ok() {
            tokio::time::sleep(drain).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = server.into_future() => result.map_err(ServerError::Serve),
        () = over_time => {
            tracing::warn!(drain_seconds = drain.as_secs(), "requests took longer than the stop waits; cut off");
            Ok(())
        }
    }
}

async fn stop_signal() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "cannot listen for SIGTERM");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
