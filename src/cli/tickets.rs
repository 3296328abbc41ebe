//! `yingda tickets`: what tasks have left for staff to do.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::service::view;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::store::TicketFilter;

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
    /// Close the ticket with this number.
    #[arg(long, value_name = "ID")]
    close: Option<i64>,
}

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
        let view = view::ticket(row);
        if args.json {
            writeln!(out, "{view}")?;
            continue;
        }
        let opened = row.opened_at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string();
        let fields = view["fields"].as_object().into_iter().flatten();
        let fields: Vec<String> =
            fields.map(|(name, value)| format!("{name}：{}", value.as_str().unwrap_or_default())).collect();
        // What a stranger typed must not steer the terminal.
        let line =
            format!("#{} {opened} [{}] {}（{}）", row.id, row.customer.bot(), row.title, fields.join("；"));
        writeln!(out, "{}", line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>())?;
    }
    if rows.is_empty() && !args.json {
        writeln!(std::io::stderr(), "没有工单")?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
