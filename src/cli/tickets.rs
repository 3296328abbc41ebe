//! `yingda tickets`: what tasks have left for staff to do.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::listing::Args;
use crate::cli::listing::plain;
use crate::config::Config;
use crate::service::view;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::store::TicketFilter;

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let mut out = std::io::stdout().lock();
    if let Some(id) = args.close {
        store.ticket_close(id, Timestamp::now()).await?;
        writeln!(out, "已关闭 {id}")?;
        store.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let filter = TicketFilter { bot: args.bot.clone(), open_only: !args.all, limit: args.limit };
    let rows = store.tickets(filter).await?;
    for row in &rows {
        let view = view::ticket(row, args.personal());
        if args.json {
            writeln!(out, "{view}")?;
            continue;
        }
        let opened = row.opened_at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string();
        let fields = view["fields"].as_object().into_iter().flatten();
        let fields: Vec<String> =
            fields.map(|(name, value)| format!("{name}：{}", value.as_str().unwrap_or_default())).collect();
        let line =
            format!("#{} {opened} [{}] {}（{}）", row.id, row.customer.bot(), row.title, fields.join("；"));
        writeln!(out, "{}", plain(&line))?;
    }
    if rows.is_empty() && !args.json {
        writeln!(std::io::stderr(), "没有工单")?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
