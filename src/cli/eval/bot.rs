//! `yingda eval bot`: whole conversations with the bots, judged line by line.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::bots;
use crate::cli::demo_shop;
use crate::config::Config;
use crate::engine::Engine;
use crate::training::dialogue;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of dialogues: files *.txt with customer lines and what is expected of the replies.
    #[arg(long, value_name = "DIR")]
    dialogues: PathBuf,
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    title: String,
    lines: usize,
    expected: usize,
    not_yet: usize,
    faults: Vec<Fault>,
}

/// A line whose reply was not what was expected.
#[derive(Debug, Serialize)]
struct Fault {
    said: String,
    action: &'static str,
    reply: String,
    faults: Vec<String>,
}

/// Exit code 1: an expectation was not met.
pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let dialogues = dialogue::read_all(&args.dialogues).context("reading the dialogues")?;
    let mut engines: BTreeMap<String, Engine> = BTreeMap::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // The demo shop lives in the time of the talk that is being played.
    let shop_now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&shop_now);
    let clock = Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap_or_default());
    let calls = runtime.block_on(demo_shop::calls(&config.serve, clock))?;
    let mut rows = Vec::new();
    for (name, dialogue) in dialogues {
        if !engines.contains_key(&dialogue.bot) {
            let engine = bots::load_one(&config.serve, Some(&dialogue.bot))
                .with_context(|| format!("loading the bot of the dialogue {name}"))?;
            engines.insert(dialogue.bot.clone(), engine);
        }
        let engine = &engines[&dialogue.bot];
        let mut n_turns = 0;
        let played = dialogue.play(engine.known(), &mut |inbound, state, now| {
            shop_now.store(now.as_second(), Ordering::Relaxed);
            n_turns += 1;
            let origin = format!("{name}.{n_turns}");
            let turn = engine.respond(inbound, state, now, &mut |_| {});
            runtime.block_on(calls.carry_on(engine, turn, (inbound, state), &origin, now))
        });
        rows.push(Row {
            name,
            title: dialogue.title,
            lines: played.len(),
            expected: played.iter().map(|line| line.n_expected).sum(),
            not_yet: played.iter().map(|line| line.n_not_yet).sum(),
            faults: played
                .into_iter()
                .filter(|line| !line.faults.is_empty())
                .map(|line| Fault {
                    said: line.said,
                    action: line.action,
                    reply: line.reply,
                    faults: line.faults,
                })
                .collect(),
        });
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        print(&mut out, &rows)?;
    }
    let clean = rows.iter().all(|row| row.faults.is_empty());
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    for row in rows {
        let mark = if row.faults.is_empty() { "✓" } else { "✗" };
        let not_yet = if row.not_yet > 0 {
            format!("，其中 {} 项目前做不到", row.not_yet)
        } else {
            String::new()
        };
        writeln!(
            out,
            "{mark} {} {}（{} 句，{} 项期望{not_yet}）",
            row.name, row.title, row.lines, row.expected
        )?;
        for fault in &row.faults {
            writeln!(out, "    > {}", fault.said)?;
            let first = fault.reply.lines().next().unwrap_or_default();
            writeln!(out, "      {} {first}", fault.action)?;
            for expected in &fault.faults {
                writeln!(out, "      ✗ {expected}")?;
            }
        }
    }
    let (good, lines): (usize, usize) =
        (rows.iter().filter(|row| row.faults.is_empty()).count(), rows.iter().map(|row| row.lines).sum());
    let faults: usize = rows.iter().map(|row| row.faults.len()).sum();
    let not_yet: usize = rows.iter().map(|row| row.not_yet).sum();
    writeln!(
        out,
        "{good}/{} 段对话符合期望；{lines} 句里 {faults} 句不符；另有 {not_yet} 项记为目前做不到",
        rows.len()
    )
}
