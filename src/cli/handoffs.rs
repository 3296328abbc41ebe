//! `yingda handoffs`: who waits for a human.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::config::Config;
use crate::service::view;
use crate::store::HandoffFilter;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those of one bot.
    #[arg(long)]
    bot: Option<String>,
    /// Closed ones as well.
    #[arg(long)]
    all: bool,
    /// At most this many, newest first.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Close the handoff with this number.
    #[arg(long, value_name = "ID")]
    close: Option<i64>,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let mut out = std::io::stdout().lock();
    if let Some(id) = args.close {
        store.handoff_close(id, Timestamp::now()).await?;
        writeln!(out, "已关闭 {id}")?;
        store.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let filter = HandoffFilter { bot: args.bot.clone(), open_only: !args.all, limit: args.limit };
    let rows = store.handoffs(filter).await?;
    for row in &rows {
        if args.json {
            writeln!(out, "{}", view::handoff(row))?;
            continue;
        }
        let summary: Value = serde_json::from_str(&row.summary).unwrap_or(Value::Null);
        let opened = row.asked_at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string();
        let state = if row.closed_at.is_some() { "已关闭" } else { "等待中" };
        // What a stranger typed must not steer the terminal.
        let plain =
            |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let text = plain(summary["text"].as_str().unwrap_or_default());
        writeln!(
            out,
            "#{} {opened} {state} [{}/{}] {} → {}（{}）：{text}",
            row.id,
            row.customer.bot(),
            row.customer.channel(),
            plain(row.customer.customer_id()),
            row.group,
            row.reason,
        )?;
    }
    if rows.is_empty() && !args.json {
        writeln!(std::io::stderr(), "没有等待人工的客户")?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
