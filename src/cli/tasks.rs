//! `yingda tasks`: the tasks of a bot, drawn, and where customers drop off.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::bots;
use crate::config::Config;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::store::TaskStepRow;
use crate::task::graph;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw tasks as flow charts in Mermaid's language.
    Graph {
        #[command(flatten)]
        choice: bots::Choice,
        /// The task; all when absent.
        task: Option<String>,
    },
    /// Count how many customers came past each step.
    Steps {
        #[command(flatten)]
        choice: bots::Choice,
        /// Of the last so many days.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::Graph { choice, task } => {
            let engine = bots::load_chosen(&config.serve, choice)?;
            let tasks = &engine.known().tasks;
            let wanted = |id: &String| task.as_ref().is_none_or(|task| task == id);
            anyhow::ensure!(
                tasks.iter().any(|one| wanted(&one.id)),
                "the bot {} has no such task; it has: {}",
                engine.known().bot,
                tasks.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ")
            );
            for one in tasks.iter().filter(|one| wanted(&one.id)) {
                writeln!(out, "{}", graph::mermaid(one))?;
            }
        }
        Command::Steps { choice, days, json } => {
            let engine = bots::load_chosen(&config.serve, choice)?;
            let counted = counted(config, &engine.known().bot, *days)?;
            for task in &engine.known().tasks {
                for step in &task.step {
                    let row = counted.get(&(task.id.clone(), step.id.clone()));
                    let (reached, passed) = row.map_or((0, 0), |row| (row.n_reached, row.n_passed));
                    let words = graph::step_in_words(task, step);
                    if *json {
                        let row = json!({ "task": task.id, "step": step.id, "what": words, "reached": reached, "passed": passed });
                        writeln!(out, "{row}")?;
                    } else {
                        let dropped = reached.saturating_sub(passed);
                        writeln!(
                            out,
                            "{} / {}（{words}）：到达 {reached}，通过 {passed}，停在这里 {dropped}",
                            task.id, step.id
                        )?;
                    }
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn counted(
    config: &Config,
    bot: &str,
    days: u32,
) -> anyhow::Result<BTreeMap<(String, String), TaskStepRow>> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let since = Timestamp::now().saturating_sub(SignedDuration::from_hours(24 * i64::from(days)))?;
    let rows = store.task_steps(bot, since).await?;
    store.close().await;
    Ok(rows.into_iter().map(|row| ((row.task.clone(), row.step.clone()), row)).collect())
}
