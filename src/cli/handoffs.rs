//! `yingda handoffs`: who waits for a human.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::listing::Args;
use crate::cli::listing::plain;
use crate::config::Config;
use crate::service::view;
use crate::store::HandoffFilter;
use crate::store::SqliteStore;
use crate::store::Store;

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
        let view = view::handoff(row, args.personal());
        if args.json {
            writeln!(out, "{view}")?;
            continue;
        }
        let opened = row.asked_at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string();
        let state = if row.closed_at.is_some() { "已关闭" } else { "等待中" };
        let text = plain(view["summary"]["text"].as_str().unwrap_or_default());
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
