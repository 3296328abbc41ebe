//! `yingda satisfaction`: what customers say about talks that are over.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::bots;
use crate::cli::listing::plain;
use crate::config::Config;
use crate::engine::Engine;
use crate::service::satisfaction::DAYS;
use crate::service::satisfaction::Line;
use crate::service::satisfaction::Satisfaction;
use crate::service::satisfaction::satisfaction;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    choice: bots::Choice,
    /// Of the last so many days.
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// One JSON object, as the HTTP interface gives it.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = bots::load_chosen(&config.serve, &args.choice)?;
    let counted = count(&engine, args.days, config)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&counted)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = counted.all;
    writeln!(
        out,
        "{} 天：问了 {} 次，满意 {}，一般 {}，不满意 {}",
        counted.days, all.asked, all.good, all.fair, all.poor
    )?;
    for (head, lines) in [("按接待", &counted.by_agent), ("按意图", &counted.by_intent)] {
        if !lines.is_empty() {
            writeln!(out, "\n{head}")?;
        }
        for Line { title, count, .. } in lines {
            let (asked, good, fair, poor) = (count.asked, count.good, count.fair, count.poor);
            writeln!(out, "    {}\t问 {asked}，满意 {good}，一般 {fair}，不满意 {poor}", plain(title))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn count(engine: &Engine, days: u32, config: &Config) -> anyhow::Result<Satisfaction> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let counted = satisfaction(&store, engine, days, Timestamp::now()).await?;
    store.close().await;
    Ok(counted)
}
