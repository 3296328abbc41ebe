//! `yingda gaps` and `yingda entries`: what the bot could not do, and what became of what it can.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use jiff::Span;
use jiff::Timestamp;

use crate::cli::bots;
use crate::config::Config;
use crate::engine::Engine;
use crate::service::gap;
use crate::service::gap::Exchange;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    choice: bots::Choice,
    /// How far to look back, such as 7d or 24h.
    #[arg(long, default_value = "7d")]
    since: Span,
    /// One JSON object, as the HTTP interface gives it.
    #[arg(long)]
    json: bool,
}

/// Topics that the bot could not settle, each with a draft of an entry.
pub(super) fn gaps(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let (engine, exchanges) = read(args, config)?;
    let found = gap::gaps(&engine, &exchanges, Timestamp::now());
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{} 条消息，{} 条没有解决，{} 个话题",
        found.n_messages,
        found.n_unsettled,
        found.gaps.len()
    )?;
    for gap in &found.gaps {
        let outcomes: Vec<String> =
            gap.outcomes.iter().map(|(how, n)| format!("{} {n}", chinese(how))).collect();
        writeln!(
            out,
            "\n{}　{} 位客户，{} 次（{}）",
            gap.title,
            gap.n_customers,
            gap.n_messages,
            outcomes.join("，")
        )?;
        gap.texts.iter().skip(1).try_for_each(|text| writeln!(out, "    {text}"))?;
        for near in &gap.nearest {
            writeln!(out, "    最近的知识 {:.0}% {} [{}]", 100.0 * near.probability, near.title, near.id)?;
        }
    }
    if found.n_left_out > 0 {
        writeln!(out, "\n另有 {} 种少见的说法没有归类", found.n_left_out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every entry with how often it was shown, picked and found helpful; those never used stand last.
pub(super) fn entries(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let (engine, exchanges) = read(args, config)?;
    let mut uses = gap::uses(&engine, &exchanges, Timestamp::now());
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({ "entries": uses }))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    uses.sort_by_key(|one| std::cmp::Reverse(one.n_shown));
    for one in uses {
        let last = one.last_used.map_or_else(|| "没有用过".to_owned(), |at| at.to_string());
        writeln!(
            out,
            "{}\t{}\t出现 {}，选中 {}，有用 {}，没用 {}\t{last}",
            one.id, one.question, one.n_shown, one.n_chosen, one.n_helpful, one.n_unhelpful
        )?;
        one.ends.iter().try_for_each(|day| writeln!(out, "    到 {day} 为止"))?;
        one.suggestions.iter().try_for_each(|text| writeln!(out, "    可以加的问法：{text}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &Args, config: &Config) -> anyhow::Result<(Engine, Vec<Exchange>)> {
    let engine = bots::load_chosen(&config.serve, &args.choice)?;
    let exchanges = exchanges(&engine, args.since, config)?;
    Ok((engine, exchanges))
}

#[tokio::main(flavor = "current_thread")]
async fn exchanges(engine: &Engine, since: Span, config: &Config) -> anyhow::Result<Vec<Exchange>> {
    let since = gap::since(since, Timestamp::now()).with_context(|| format!("looking {since} back"))?;
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&config.serve.data).await.context("opening the store")?);
    let exchanges = gap::exchanges(store.as_ref(), &engine.known().bot, since).await?;
    store.close().await;
    Ok(exchanges)
}

fn chinese(how: &str) -> &'static str {
    match how {
        "clarify" => "反问",
        "handoff" => "转人工",
        "decline" => "答不了",
        _ => "没帮上忙",
    }
}
