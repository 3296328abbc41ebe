//! `yingda demo-shop`: the order system of a shop that does not exist, so that tasks run to their end on a fresh clone.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::note;
use crate::config::Config;
use crate::config::Serve as ServeSettings;
use crate::engine::Engine;
use crate::http::server;
use crate::http::server::Stop;
use crate::knowledge::task::DEMO_SHOP;
use crate::service::call::Calls;
use crate::simulate::shop::Clock;
use crate::simulate::shop::Shop;

/// How long a stop waits for requests under way.
const STOP: Stop = Stop { farewell: Duration::ZERO, drain: Duration::from_secs(2) };

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port [default: 127.0.0.1:8641].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[tokio::main]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let listener = server::listen(args.listen.unwrap_or(config.serve.demo_shop)).await?;
    let address = listener.local_addr().context("asking for the address")?;
    note(format_args!("演示店铺已启动：http://{address}/"));
    note(format_args!(
        "机器人要用它，在 connectors.toml 写 url = \"http://{address}\"，并在 serve.allow_hosts 里写 \"{address}\""
    ));
    server::serve(listener, Shop::new(Arc::new(Timestamp::now), None).router(), STOP, Arc::default()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a bot works with the demo shop of this process.
pub(super) fn wanted(engine: &Engine) -> bool {
    engine.known().connectors.connector.values().any(|connector| connector.url == DEMO_SHOP)
}

/// Starts the demo shop beside whatever this process does, until the process ends.
///
/// * `clock`: by which its orders were placed.
/// * `listen`: where; any free port of the same address where that one is taken.
/// * Returns where it listens.
pub(super) async fn start(listen: SocketAddr, clock: Clock) -> anyhow::Result<SocketAddr> {
    let listener = match tokio::net::TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(_taken) => {
            let any = SocketAddr::new(listen.ip(), 0);
            tokio::net::TcpListener::bind(any).await.with_context(|| format!("listening on {any}"))?
        }
    };
    let address = listener.local_addr().context("asking for the address of the demo shop")?;
    tokio::spawn(async move {
        server::serve(listener, Shop::new(clock, None).router(), STOP, Arc::default()).await
    });
    Ok(address)
}

/// The way of bots to their systems, for commands that play with them.
///
/// * `clock`: the demo shop's.
pub(super) async fn calls(settings: &ServeSettings, clock: Clock) -> anyhow::Result<Calls> {
    let any = SocketAddr::new(settings.demo_shop.ip(), 0);
    let demo_shop = Some(start(any, clock).await?);
    Ok(Calls { allowed: settings.allow_hosts.clone(), demo_shop, ..Calls::default() })
}
