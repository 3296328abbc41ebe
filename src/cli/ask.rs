//! `yingda ask`: one question, or a stream of them, each as the first message of a new customer.

use std::io::BufRead;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::cli::bots;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::Turn;
use crate::message::Part;
use crate::service;
use crate::service::view;
use crate::service::view::PartView;
use crate::service::view::SlotView;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to ask.
    #[arg(required_unless_present = "jsonl")]
    text: Option<String>,
    #[command(flatten)]
    choice: bots::Choice,
    /// Everything that every stage saw, as JSON.
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// Read rows {"text": ..} from stdin and write one row out for each, in order.
    #[arg(long, conflicts_with = "text")]
    jsonl: bool,
}

/// A row of stdin; other keys are ignored.
#[derive(Deserialize)]
struct RowIn {
    text: String,
}

/// A row of stdout. What only the network can tell is null for a bot without a model.
#[derive(Serialize)]
struct RowOut<'a> {
    text: &'a str,
    action: &'static str,
    intent: Option<String>,
    confidence: Option<f32>,
    intents: Option<Vec<String>>,
    slots: Vec<SlotView>,
    top: Option<Vec<(String, f32)>>,
    out_of_scope: Option<f32>,
    evidence: Vec<EvidenceRow>,
    reply: Vec<PartView>,
}

#[derive(Serialize)]
struct EvidenceRow {
    kind: &'static str,
    id: String,
    score: f32,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = bots::load_chosen(&config.serve, &args.choice)?;
    let mut out = std::io::stdout().lock();
    if args.jsonl {
        return stream(&engine, &mut out);
    }
    let text = args.text.as_deref().unwrap_or_default();
    let (turn, timings) = service::ask(&engine, text, Timestamp::now());
    if args.json {
        let view = serde_json::json!({
            "reply": parts(&engine, &turn),
            "turn": view::turn(&engine, &turn, &timings),
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&view)?)?;
    } else {
        writeln!(out, "{}", words(&turn.reply.parts))?;
        let view = view::turn(&engine, &turn, &timings);
        writeln!(std::io::stderr(), "（{}）", view.because)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn stream(engine: &Engine, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut failed = false;
    for (at, line) in std::io::stdin().lock().split(b'\n').enumerate() {
        let line = line.context("reading stdin")?;
        // Some programs mark the first line.
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<RowIn>(line) {
            Ok(row) => {
                let (turn, _timings) = service::ask(engine, &row.text, Timestamp::now());
                writeln!(out, "{}", serde_json::to_string(&row_out(engine, &row.text, &turn))?)?;
            }
            Err(error) => {
                // The other rows are answered all the same; the exit code tells.
                failed = true;
                writeln!(std::io::stderr(), "line {}: not a row {{\"text\": ..}}: {error}", at + 1)?;
            }
        }
        out.flush()?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row_out<'a>(engine: &Engine, text: &'a str, turn: &Turn) -> RowOut<'a> {
    let evidence = view::evidence(engine, turn)
        .into_iter()
        .map(|one| EvidenceRow { kind: one.kind, id: one.id, score: one.probability })
        .collect();
    let intent = view::intent(engine, turn);
    let first = intent.as_ref().and_then(|intent| intent.top.first());
    RowOut {
        text,
        action: turn.decision.action(),
        intent: first.map(|(name, _)| name.clone()),
        confidence: first.map(|(_, share)| *share),
        intents: intent.as_ref().map(|intent| intent.wishes.clone()),
        slots: view::slots(engine, turn),
        top: intent.as_ref().map(|intent| intent.top.clone()),
        out_of_scope: intent.as_ref().map(|intent| intent.out_of_scope),
        evidence,
        reply: parts(engine, turn),
    }
}

/// Parts with paths below the bot's folder: there is no server that a link could point to.
fn parts(engine: &Engine, turn: &Turn) -> Vec<PartView> {
    view::reply(engine, turn, &view::Address::own)
}

/// A reply for the terminal.
pub(super) fn words(parts: &[Part]) -> String {
    let lines = parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Choices { prompt, options } => {
            let options = options.iter().enumerate().map(|(at, option)| format!("\n  {}. {option}", at + 1));
            std::iter::once(prompt.clone()).chain(options).collect()
        }
        Part::Image(asset) => format!("[图片] {} ({})", asset.title, asset.path),
        Part::File(asset) => format!("[文件] {} ({})", asset.title, asset.path),
        Part::Voice(asset) => format!("[语音] {} ({})", asset.title, asset.path),
        Part::Card(card) => format!("【{}】\n{}", card.title, card.description),
        Part::Link { title, url } => format!("[链接] {title}：{url}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
