//! `yingda train`: a model from rows.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;

use crate::cli::note;
use crate::cli::threads;
use crate::encoder::artefact;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::training::fit::FitSettings;
use crate::training::row::Row;
use crate::training::row::read;
use crate::training::train::Event;
use crate::training::train::Plan;
use crate::training::train::foreign_rows;
use crate::training::train::train;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of rows to learn from.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// File of rows to choose by; without it a tenth of the data, fixed by the seed, is held out.
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// Folder of the new model.
    #[arg(long, value_name = "DIR", default_value = "data/model")]
    out: PathBuf,
    /// Folder of the encoder that is trained further.
    #[arg(long, value_name = "DIR", default_value = "models/encoder")]
    encoder: PathBuf,
    /// Rows marked out_of_scope in this file stand for the rest of the world, where the data has none of its own.
    #[arg(long, value_name = "FILE", default_value = "knowledge/shop/nlu/train.jsonl")]
    foreign: PathBuf,
    /// Depth: layers of the encoder that are used [default: all].
    #[arg(long, value_name = "N")]
    layers: Option<usize>,
    /// Layers that are trained, from the top; 0 trains the heads alone.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().tune_layers)]
    tune_layers: usize,
    /// Most passes over the data.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().epochs)]
    epochs: usize,
    /// Passes without improvement after which training ends.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().patience)]
    patience: usize,
    /// Seed; the same seed gives the same model.
    #[arg(long, value_name = "S", default_value_t = FitSettings::default().seed)]
    seed: u64,
    /// Highest learning rate.
    #[arg(long, value_name = "RATE", default_value_t = FitSettings::default().rate)]
    rate: f32,
    /// Weight of the entities' loss.
    #[arg(long, value_name = "W", default_value_t = FitSettings::default().slot_weight)]
    slot_weight: f32,
    /// Weight of keeping sentence vectors where they were.
    #[arg(long, value_name = "W", default_value_t = FitSettings::default().keep_weight)]
    keep_weight: f32,
    /// Go on from the checkpoint in the folder of the new model.
    #[arg(long)]
    resume: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    threads::one_an_operation()?;
    let encoder = artefact::load(&args.encoder)
        .context("loading the encoder (made by `yingda model import`, see models/README.md)")?;
    let mut rows = Vec::new();
    for file in &args.data {
        rows.extend(read(file).context("reading the rows to learn from")?);
    }
    let dev = args.dev.as_deref().map(read).transpose().context("reading the rows to choose by")?;
    let plan = Plan {
        foreign: foreign(&rows, &args.foreign)?,
        rows,
        dev: dev.unwrap_or_default(),
        layers: args.layers,
        fit: FitSettings {
            tune_layers: args.tune_layers,
            epochs: args.epochs,
            patience: args.patience,
            seed: args.seed,
            rate: args.rate,
            slot_weight: args.slot_weight,
            keep_weight: args.keep_weight,
            ..FitSettings::default()
        },
        resume: args.resume,
    };
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}")
            .expect("a fixed template"),
    );
    bar.enable_steady_tick(Duration::from_millis(500));
    let best = train(&plan, &encoder, &args.encoder, &args.out, &mut |event| match event {
        Event::Start { n_train, n_dev, n_intents, n_slots, resumed } => {
            let resumed = if resumed > 0 { format!(", resumed after pass {resumed}") } else { String::new() };
            note(format_args!(
                "{n_train} rows, {n_dev} held out, {n_intents} intents, {n_slots} entities{resumed}"
            ));
        }
        Event::Step(progress) => {
            bar.set_length(progress.steps.1 as u64);
            bar.set_position(progress.steps.0 as u64);
            bar.set_prefix(format!("pass {}", progress.epoch + 1));
            bar.set_message(format!("loss {:.3}, {:.0} rows/s", progress.loss, progress.rows_per_s));
        }
        Event::Pass(standing) => {
            let line = format!(
                "pass {}: held-out intent accuracy {:.2} %, slot F1 {:.2} %, out-of-scope AUROC {:.2} %, {}",
                standing.epoch,
                100.0 * standing.intent_accuracy,
                100.0 * standing.slot_f1,
                100.0 * standing.scope_auroc,
                bar.message(),
            );
            bar.suspend(|| note(format_args!("{line}")));
            bar.reset();
        }
    })?;
    bar.finish_and_clear();
    note(format_args!("{}: the weights after pass {}", args.out.display(), best.epoch));
    Ok(ExitCode::SUCCESS)
}

/// What stands for the rest of the world: nothing, where the data speaks of it itself.
fn foreign(rows: &[Row], file: &Path) -> anyhow::Result<Vec<Row>> {
    if rows.iter().any(|row| row.intent == OUT_OF_SCOPE) || rows.iter().all(|row| row.intent.is_empty()) {
        return Ok(Vec::new());
    }
    if !file.exists() {
        note(format_args!(
            "{} does not exist: the model learns nothing of what is out of scope",
            file.display()
        ));
        return Ok(Vec::new());
    }
    Ok(foreign_rows(read(file).context("reading the rows that stand for the rest of the world")?))
}
