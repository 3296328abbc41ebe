//! `yingda simulate`: a WeCom server, and the other vendors, on this machine: for trying everything out without an
//! account anywhere.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::note;
use crate::http::server;
use crate::http::server::Stop;
use crate::simulate::sender::SenderPlan;
use crate::simulate::sender::Senders;
use crate::simulate::wecom::Fault;
use crate::simulate::wecom::Plan;
use crate::simulate::wecom::Simulator;

/// Where it listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8642);

/// How long a stop waits for requests under way.
const STOP: Stop = Stop { farewell: Duration::ZERO, drain: Duration::from_secs(2) };

/// Of ids and codes where no other seed is given.
const SEED: u64 = 20_261_124;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port [default: 127.0.0.1:8642].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The server of the company that is played: where callbacks go.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8640")]
    server: String,
    /// Faults, in TOML: [[fault]] with path, times and effect.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Of ids and codes.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    fault: Vec<Fault>,
}

#[tokio::main]
pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plan = Plan::demo(&args.server);
    let senders = SenderPlan::demo();
    let variables = [plan.variables(), senders.variables()].concat();
    let simulator = Simulator::new(plan, args.seed, Arc::new(Timestamp::now))?;
    if let Some(path) = &args.script {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let script: Script = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        script.fault.into_iter().for_each(|fault| simulator.add_fault(fault));
    }
    let listener = server::listen(args.listen.unwrap_or(LISTEN)).await?;
    let address = listener.local_addr().context("asking for the address")?;
    note(format_args!("企业微信模拟器已启动：http://{address}/"));
    note(format_args!("让机器人连上它：\n"));
    for (name, value) in &variables {
        note(format_args!("export {name}={value}"));
    }
    note(format_args!("export YINGDA_WECOM_URL=http://{address}\nyingda serve"));
    note(format_args!("钉钉、阿里云短信、腾讯云短信：http://{address}/dingtalk、/aliyun、/tencent"));
    let senders = Senders::new(senders, Arc::new(Timestamp::now));
    server::serve(listener, simulator.router().merge(senders.router()), STOP, Arc::default()).await?;
    Ok(ExitCode::SUCCESS)
}

/// A simulator beside a server.
pub(super) struct Beside {
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// What the environment would say of the company that it plays.
    pub(super) variables: BTreeMap<String, String>,
}

/// Starts a simulator beside a server, until the process ends.
pub(super) async fn start(server: SocketAddr) -> anyhow::Result<Beside> {
    let plan = Plan::demo(&format!("http://{server}"));
    let senders = SenderPlan::demo();
    let variables = plan.variables().into_iter().chain(senders.variables()).collect();
    let simulator = Simulator::new(plan, SEED, Arc::new(Timestamp::now))?;
    let senders = Senders::new(senders, Arc::new(Timestamp::now));
    let listener = server::listen(LISTEN).await?;
    let address = listener.local_addr().context("asking for the address of the simulator")?;
    let router = simulator.router().merge(senders.router());
    tokio::spawn(async move { server::serve(listener, router, STOP, Arc::default()).await });
    Ok(Beside { address, variables })
}
