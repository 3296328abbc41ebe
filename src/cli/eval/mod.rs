//! `yingda eval`: how good a model is.

mod bot;
mod compare;
mod pairs;
mod repeat;
mod search;

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::ProgressBar;
use jiff::Zoned;
use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;
use serde::Serialize;

use crate::cli::note;
use crate::config::Config;
use crate::encoder;
use crate::encoder::Encoder;
use crate::nlu::artefact;
use crate::nlu::model::Model;
use crate::text::normalise::normalise;
use crate::training::metrics::KEPT;
use crate::training::metrics::Metrics;
use crate::training::metrics::measure;
use crate::training::prediction::Prediction;
use crate::training::prediction::predict;
use crate::training::report::Latency;
use crate::training::report::Learned;
use crate::training::report::Occasion;
use crate::training::report::page;
use crate::training::row::read;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Intents, entities and out-of-scope score of a model on labelled rows.
    Nlu(Box<Nlu>),
    /// Search in a corpus of questions: how far up the right ones are found.
    Search(search::Args),
    /// Sentence vectors of pairs that mean the same or not.
    Pairs(pairs::Args),
    /// Whole conversations with the bots. Exit code 1: an expectation was not met.
    Bot(bot::Args),
}

/// Whose sentence vectors are measured.
#[derive(Debug, clap::Args)]
struct Vectors {
    /// Folder of a model.
    #[arg(long, value_name = "DIR", default_value = "models/shop")]
    model: PathBuf,
    /// Folder of an encoder without a model.
    #[arg(long, value_name = "DIR", conflicts_with = "model")]
    encoder: Option<PathBuf>,
}

impl Vectors {
    /// The encoder and its version.
    fn load(&self) -> anyhow::Result<(Encoder, String)> {
        if let Some(folder) = &self.encoder {
            let loaded = encoder::artefact::load(folder).context("loading the encoder")?;
            return Ok((loaded.encoder, loaded.checksum[..12].to_owned()));
        }
        let loaded = artefact::load(&self.model).context("loading the model")?;
        Ok((loaded.model.encoder().clone(), loaded.version().to_owned()))
    }
}

#[derive(Debug, clap::Args)]
struct Nlu {
    /// Folder of the model.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["compare", "cross_validate", "learning_curve"])]
    model: Option<PathBuf>,
    /// Rows with labels.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Write what the model says of every row.
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Print the measures as JSON.
    #[arg(long)]
    json: bool,
    /// Write a page with plots and errors into this folder.
    #[arg(long, value_name = "DIR", requires = "model")]
    report: Option<PathBuf>,
    /// Rows that the model learned from; the report shows the nearest beside each error.
    #[arg(long, value_name = "FILE", requires = "report")]
    learned: Option<PathBuf>,
    /// Compare two models, or two files of predictions, on the same rows.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["model", "report", "predictions"])]
    compare: Option<Vec<PathBuf>>,
    /// Train this many times, each time measuring with another part of the rows.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=50), conflicts_with_all = ["model", "report", "compare"])]
    cross_validate: Option<u8>,
    /// Train on an eighth, a quarter, half and all of the rows, measuring with the same tenth.
    #[arg(long, conflicts_with_all = ["model", "report", "compare", "cross_validate", "predictions"])]
    learning_curve: bool,
    #[command(flatten)]
    repeat: repeat::Repeat,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Summary {
    model: String,
    data: PathBuf,
    metrics: Metrics,
    latency_ms: Latency,
}

pub(super) fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Nlu(nlu) => run_nlu(&nlu),
        Command::Search(args) => search::run(&args),
        Command::Pairs(args) => pairs::run(&args),
        Command::Bot(args) => bot::run(&args, config),
    }
}

fn run_nlu(args: &Nlu) -> anyhow::Result<ExitCode> {
    if let Some(k) = args.cross_validate {
        return repeat::cross_validate(args, k.into());
    }
    if args.learning_curve {
        return repeat::learning_curve(args);
    }
    let rows = read(&args.data).context("reading the rows")?;
    if let Some([a, b]) = args.compare.as_deref() {
        return compare::run(args, &rows, a, b);
    }
    let folder = args.model.as_ref().context("no model is named")?;
    let loaded = artefact::load(folder).context("loading the model")?;
    let mut predictions = Vec::with_capacity(rows.len());
    let mut vectors = Vec::with_capacity(rows.len());
    let mut times_ms = Vec::with_capacity(rows.len());
    for row in &rows {
        let began = Instant::now();
        let (prediction, vector) = predict(&loaded.model, &row.text)?;
        times_ms.push(began.elapsed().as_secs_f64() * 1e3);
        predictions.push(prediction);
        vectors.push(vector);
    }
    if let Some(path) = &args.predictions {
        write(path, &predictions).with_context(|| format!("writing {}", path.display()))?;
    }
    let summary = Summary {
        model: loaded.checksum.clone(),
        data: args.data.clone(),
        metrics: measure(&rows, &predictions),
        latency_ms: Latency::of(times_ms),
    };
    if let Some(folder) = &args.report {
        let occasion = Occasion {
            model: loaded.version().to_owned(),
            data: args.data.display().to_string(),
            date: Zoned::now().date().to_string(),
            latency_ms: summary.latency_ms,
        };
        let learned =
            args.learned.as_deref().map(|file| learned(&loaded.model, file)).transpose()?.unwrap_or_default();
        let page = page(&occasion, &summary.metrics, &rows, &predictions, &vectors, &learned)?;
        let path = folder.join("index.html");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, page))
            .with_context(|| format!("writing {}", path.display()))?;
        note(format_args!("the report is {}", path.display()));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        print(&mut out, &summary)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows that a model learned from, with their sentence vectors.
fn learned(model: &Model, file: &Path) -> anyhow::Result<Learned> {
    let rows = read(file).context("reading the rows that the model learned from")?;
    let bar = ProgressBar::new(rows.len() as u64);
    let rows: Vec<(String, String, Vec<f32>)> = rows
        .into_par_iter()
        .map(|row| {
            let reading = model.read(normalise(&row.text).as_str())?;
            bar.inc(1);
            Ok((row.text, row.intent, reading.vector))
        })
        .collect::<candle_core::Result<_>>()?;
    bar.finish_and_clear();
    Ok(Learned { rows })
}

fn write(path: &Path, predictions: &[Prediction]) -> anyhow::Result<()> {
    let mut text = String::new();
    for prediction in predictions {
        text.push_str(&serde_json::to_string(prediction)?);
        text.push('\n');
    }
    Ok(std::fs::write(path, text)?)
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
