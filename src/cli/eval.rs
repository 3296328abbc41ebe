//! `yingda eval`: how good a model is.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;

use crate::nlu::artefact;
use crate::training::metrics::KEPT;
use crate::training::metrics::Metrics;
use crate::training::metrics::measure;
use crate::training::prediction::Prediction;
use crate::training::prediction::predict;
use crate::training::row::read;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Intents, entities and out-of-scope score of a model on labelled rows.
    Nlu(Nlu),
}

#[derive(Debug, clap::Args)]
struct Nlu {
    /// Folder of the model.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Rows with labels.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Write what the model says of every row.
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Print the measures as JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Summary {
    model: String,
    data: PathBuf,
    metrics: Metrics,
    latency_ms: Latency,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p95: f64,
    p99: f64,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Nlu(nlu) => run_nlu(&nlu),
    }
}

fn run_nlu(args: &Nlu) -> anyhow::Result<ExitCode> {
    let loaded = artefact::load(&args.model).context("loading the model")?;
    let rows = read(&args.data).context("reading the rows")?;
    let mut predictions = Vec::with_capacity(rows.len());
    let mut times = Vec::with_capacity(rows.len());
    for row in &rows {
        let began = Instant::now();
        predictions.push(predict(&loaded.model, &row.text)?);
        times.push(began.elapsed());
    }
    if let Some(path) = &args.predictions {
        write(path, &predictions).with_context(|| format!("writing {}", path.display()))?;
    }
    let summary = Summary {
        model: loaded.checksum,
        data: args.data.clone(),
        metrics: measure(&rows, &predictions),
        latency_ms: latency(times),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        print(&mut out, &summary)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, predictions: &[Prediction]) -> anyhow::Result<()> {
    let mut text = String::new();
    for prediction in predictions {
        text.push_str(&serde_json::to_string(prediction)?);
        text.push('\n');
    }
    Ok(std::fs::write(path, text)?)
}

fn latency(mut times: Vec<Duration>) -> Latency {
    times.sort();
    let at = |share: f64| {
        let place = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

fn print(out: &mut impl std::io::Write, summary: &Summary) -> std::io::Result<()> {
    let metrics = &summary.metrics;
    writeln!(out, "{} rows of {}, model {}", metrics.n_rows, summary.data.display(), &summary.model[..12])?;
    let mut line = |name: &str, value: Option<f32>| match value {
        Some(value) => writeln!(out, "{name:<34}{:>7.2} %", 100.0 * value),
        None => Ok(()),
    };
    line("intent accuracy", metrics.intent_accuracy)?;
    line("intent macro-F1", metrics.intent_macro_f1)?;
    line("slot F1, exact spans", metrics.slots.map(|slots| slots.f1))?;
    line("whole message", metrics.whole_message)?;
    line("exact set of several wishes", metrics.exact_set)?;
    line("expected calibration error", metrics.calibration_error)?;
    line("out-of-scope AUROC", metrics.scope.map(|scope| scope.auroc))?;
    let kept = format!("foreign let in at {:.0} % kept", 100.0 * KEPT);
    line(&kept, metrics.scope.map(|scope| scope.foreign_let_in))?;
    let latency = &summary.latency_ms;
    writeln!(out, "latency p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms", latency.p50, latency.p95, latency.p99)?;
    for (title, table) in [("intent", &metrics.intents), ("entity", &metrics.entities)] {
        if !table.is_empty() {
            writeln!(out, "\n{title:<28}{:>10}{:>8}{:>8}{:>9}", "precision", "recall", "F1", "support")?;
        }
        for (name, scores) in table {
            let (precision, recall, f1) =
                (100.0 * scores.precision, 100.0 * scores.recall, 100.0 * scores.f1);
            writeln!(out, "{name:<28}{precision:>10.1}{recall:>8.1}{f1:>8.1}{:>9}", scores.support)?;
        }
    }
    Ok(())
}
