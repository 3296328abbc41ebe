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
use crate::encoder::Encoder;
use crate::encoder::artefact;
use crate::encoder::artefact::Loaded;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::training::fit::FitSettings;
use crate::training::paraphrase::Paraphrases;
use crate::training::retrieval::Retrieval;
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
    #[command(flatten)]
    training: Training,
    /// Folder of the bot on whose questions sentence vectors are measured before and after [default: knowledge/shop,
    /// where there is one].
    #[arg(long, value_name = "DIR")]
    retrieval: Option<PathBuf>,
    /// Write the model even where its sentence vectors find much less than before.
    #[arg(long)]
    force: bool,
    /// Go on from the checkpoint in the folder of the new model; without this, a folder with one is refused.
    #[arg(long)]
    resume: bool,
}

/// How a training goes, whatever becomes of the model.
#[derive(Debug, clap::Args)]
pub(super) struct Training {
    /// Folder of the encoder that is trained further.
    #[arg(long, value_name = "DIR", default_value = "models/encoder")]
    pub(super) encoder: PathBuf,
    /// Rows marked out_of_scope in this file stand for the rest of the world, where the data has none of its own.
    #[arg(long, value_name = "FILE", default_value = "knowledge/shop/nlu/train.jsonl")]
    foreign: PathBuf,
    /// Depth: layers of the encoder that are used [default: all].
    #[arg(long, value_name = "N")]
    layers: Option<usize>,
    /// Layers that are trained, from the top; 0 trains the heads alone.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().tune_layers)]
    tune_layers: usize,
    /// Most passes over the data; at least 1.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().epochs, value_parser = at_least_one)]
    epochs: usize,
    /// Passes without improvement after which training ends.
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().patience, value_parser = at_least_one)]
    patience: usize,
    /// Seed; the same seed gives the same model.
    #[arg(long, value_name = "S", default_value_t = FitSettings::default().seed)]
    pub(super) seed: u64,
    /// Highest learning rate.
    #[arg(long, value_name = "RATE", default_value_t = FitSettings::default().rate, value_parser = positive)]
    rate: f32,
    /// Weight of the entities' loss.
    #[arg(long, value_name = "W", default_value_t = FitSettings::default().slot_weight, value_parser = not_negative)]
    slot_weight: f32,
    /// Weight of keeping sentence vectors where they were.
    #[arg(long, value_name = "W", default_value_t = FitSettings::default().keep_weight, value_parser = not_negative)]
    keep_weight: f32,
    /// Files of messages that mean the same, which sentence vectors learn from beside the rows: rows {"texts": [..],
    /// "near": [..]} or {"a", "b", "label"}.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    paraphrases: Vec<PathBuf>,
    /// Leave out rows whose label is probably wrong, among the held-out ones, too: what is measured on those is
    /// then too high by what the doubtful rows would cost.
    #[arg(long)]
    clean: bool,
}

pub(super) fn at_least_one(number: &str) -> Result<usize, String> {
    match number.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("not a whole number: {error}")),
    }
}

pub(super) fn positive(number: &str) -> Result<f32, String> {
    finite(number)
        .and_then(|found| if found > 0.0 { Ok(found) } else { Err("a number above 0 is needed".to_owned()) })
}

fn not_negative(number: &str) -> Result<f32, String> {
    finite(number)
        .and_then(|found| if found >= 0.0 { Ok(found) } else { Err("0 or more is needed".to_owned()) })
}

fn finite(number: &str) -> Result<f32, String> {
    let found: f32 = number.parse().map_err(|error| format!("not a number: {error}"))?;
    if found.is_finite() { Ok(found) } else { Err("a finite number is needed".to_owned()) }
}

impl Training {
    /// The encoder to start from.
    pub(super) fn load_encoder(&self) -> anyhow::Result<Loaded> {
        artefact::load(&self.encoder)
            .context("loading the encoder (made by `yingda model import`, see models/README.md)")
    }

    /// A training on these rows that holds a tenth of them out, measures no sentence vectors and starts anew.
    pub(super) fn plan(&self, rows: Vec<Row>) -> anyhow::Result<Plan> {
        Ok(Plan {
            foreign: foreign(&rows, &self.foreign)?,
            rows,
            dev: Vec::new(),
            paraphrases: Paraphrases::read(&self.paraphrases).context("reading the paraphrases")?,
            layers: self.layers,
            fit: FitSettings {
                tune_layers: self.tune_layers,
                epochs: self.epochs,
                patience: self.patience,
                seed: self.seed,
                rate: self.rate,
                slot_weight: self.slot_weight,
                keep_weight: self.keep_weight,
                ..FitSettings::default()
            },
            clean: self.clean,
            retrieval: Retrieval::default(),
            force: false,
            resume: false,
        })
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    threads::one_an_operation()?;
    let encoder = args.training.load_encoder()?;
    let mut rows = Vec::new();
    for file in &args.data {
        rows.extend(read(file).context("reading the rows to learn from")?);
    }
    let dev = args.dev.as_deref().map(read).transpose().context("reading the rows to choose by")?;
    let plan = Plan {
        dev: dev.unwrap_or_default(),
        retrieval: retrieval(args.retrieval.as_deref(), &encoder.encoder)?,
        force: args.force,
        resume: args.resume,
        ..args.training.plan(rows)?
    };
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}")
            .expect("a fixed template"),
    );
    bar.enable_steady_tick(Duration::from_millis(500));
    let best = train(&plan, &encoder, &args.training.encoder, &args.out, &mut |event| tell(&bar, &event))?;
    bar.finish_and_clear();
    note(format_args!("{}: the weights after pass {}", args.out.display(), best.epoch));
    Ok(ExitCode::SUCCESS)
}

/// Shows what happens: steps on the bar, the rest as lines above it.
fn tell(bar: &ProgressBar, event: &Event) {
    let percent = |share: f32| 100.0 * share;
    let line = match event {
        Event::Step(progress) => {
            bar.set_length(progress.steps.1 as u64);
            bar.set_position(progress.steps.0 as u64);
            bar.set_prefix(format!("pass {}", progress.epoch + 1));
            bar.set_message(format!("loss {:.3}, {:.0} rows/s", progress.loss, progress.rows_per_s));
            return;
        }
        Event::Start { n_train, n_dev, n_intents, n_slots, n_suspects, resumed } => {
            let mut line =
                format!("{n_train} rows, {n_dev} held out, {n_intents} intents, {n_slots} entities");
            if *n_suspects > 0 {
                line.push_str(&format!(", {n_suspects} suspects left out"));
            }
            if *resumed > 0 {
                line.push_str(&format!(", resumed after pass {resumed}"));
            }
            line
        }
        Event::Pass(standing) => format!(
            "pass {}: held-out intent accuracy {:.2} %, slot F1 {:.2} %, out-of-scope AUROC {:.2} %, {}",
            standing.epoch,
            percent(standing.intent_accuracy),
            percent(standing.slot_f1),
            percent(standing.scope_auroc),
            bar.message(),
        ),
        Event::Retrieval { before, after } => format!(
            "sentence vectors alone: MRR {:.2} % before, {:.2} % after",
            percent(*before),
            percent(*after)
        ),
        Event::Calibrated { calibration, n_grams, right, scope } => {
            let mut line = format!(
                "with {n_grams} phrases, weight {:.1}: {:.2} % of the held-out messages, on which the weights were \
                 fitted, get their intent or a refusal",
                calibration.gram_weight,
                percent(*right)
            );
            if let Some((kept, let_in)) = scope {
                line.push_str(&format!(
                    "; {:.2} % of the bot's own are kept, {:.2} % of the foreign ones let in",
                    percent(*kept),
                    percent(*let_in)
                ));
            }
            line
        }
    };
    bar.suspend(|| note(format_args!("{line}")));
    if matches!(event, Event::Pass(_)) {
        bar.reset();
    }
}

/// What sentence vectors are measured on: the folder that was named, or the shop where there is one.
fn retrieval(named: Option<&Path>, encoder: &Encoder) -> anyhow::Result<Retrieval> {
    let usual = Path::new("knowledge/shop");
    if named.is_none() && !usual.exists() {
        return Ok(Retrieval::default());
    }
    let folder = named.unwrap_or(usual);
    Retrieval::read(folder, encoder).context("reading what sentence vectors are measured on")
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
