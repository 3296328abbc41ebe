//! `yingda health`: whether a server can answer, for whoever restarts it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::channel::http_client;
use crate::cli::note;
use crate::config::Config;

/// A server that takes longer than this cannot answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address of the server [default: the one of the settings, on this machine].
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let own = || {
        let listen = config.serve.listen;
        // Who listens everywhere listens here.
        if listen.ip().is_unspecified() {
            format!("http://127.0.0.1:{}", listen.port())
        } else {
            format!("http://{listen}")
        }
    };
    let base = args.url.clone().unwrap_or_else(own);
    let address = format!("{}/readyz", base.trim_end_matches('/'));
    let client = http_client().context("setting up HTTP")?;
    let response = match client.get(&address).timeout(PATIENCE).send().await {
        Ok(response) => response,
        Err(error) if error.is_builder() => anyhow::bail!("{base:?} is not an http(s) address"),
        Err(_unreachable) => {
            note(format_args!("{address} 没有回应"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let (status, body) = (response.status(), response.bytes().await.unwrap_or_default());
    if status.is_success() {
        note(format_args!("可以回答"));
        return Ok(ExitCode::SUCCESS);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = match body["reason"].as_str() {
        Some("store") => "数据库没有回应",
        Some("stopping") => "正在停止",
        _ => "原因未知",
    };
    note(format_args!("还不能回答（{}）：{why}", status.as_u16()));
    Ok(ExitCode::FAILURE)
}
