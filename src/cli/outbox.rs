//! `yingda outbox`: messages that were never sent, and why.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::service::notify;
use crate::service::servicing;
use crate::service::view;
use crate::store::Fate;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// At most this many, latest first.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let rows = store.outbox_given_up(args.limit).await?;
    store.close().await;
    let mut out = std::io::stdout().lock();
    for row in &rows {
        if args.json {
            writeln!(out, "{}", view::unsent(row))?;
            continue;
        }
        let written = row.created_at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string();
        let reason = match &row.fate {
            Fate::GivenUp { reason } => reason.as_str(),
            Fate::Waiting | Fate::Sent => "",
        };
        // Whom a notice is for is no customer, and helps to find what is wrong.
        let sender = match row.sender.as_str() {
            notify::SENDER => format!("{} {}", row.sender, row.recipient),
            _ => row.sender.clone(),
        };
        writeln!(
            out,
            "#{} {written} [{sender}] 会话 {}，试过 {} 次：{reason} {}",
            row.id,
            row.conversation_id,
            row.attempts,
            servicing::explained(reason)
        )?;
    }
    if rows.is_empty() && !args.json {
        writeln!(std::io::stderr(), "没有发不出去的消息")?;
    }
    Ok(ExitCode::SUCCESS)
}
