//! `yingda eval nlu --cross-validate K` and `--learning-curve`: the same training several times.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::eval::Nlu;
use crate::cli::note;
use crate::cli::threads;
use crate::cli::train::Training;
use crate::encoder::artefact::Loaded;
use crate::nlu;
use crate::training::metrics::Metrics;
use crate::training::metrics::measure;
use crate::training::prediction::Prediction;
use crate::training::prediction::predict_all;
use crate::training::repeat::Part;
use crate::training::repeat::folds;
use crate::training::repeat::portions;
use crate::training::repeat::spread;
use crate::training::row::read;
use crate::training::train::Event;
use crate::training::train::train;

/// How each of the trainings goes.
#[derive(Debug, clap::Args)]
pub(super) struct Repeat {
    #[command(flatten)]
    training: Training,
    /// Folder for the models, each of which takes the place of the one before.
    #[arg(long, value_name = "DIR", default_value = "data/repeat")]
    out: PathBuf,
}

/// One training and how good it is on rows that it has not seen.
#[derive(Debug, Serialize)]
struct Point {
    n_learned: usize,
    n_measured: usize,
    metrics: Metrics,
}

/// Every row is measured with once, by a model that has not seen it.
pub(super) fn cross_validate(args: &Nlu, k: usize) -> anyhow::Result<ExitCode> {
    threads::one_an_operation()?;
    let rows = read(&args.data).context("reading the rows")?;
    anyhow::ensure!(rows.len() >= 2 * k, "{} rows are too few for {k} folds", rows.len());
    let (points, predictions) = all(args, folds(&rows, k, args.repeat.training.seed))?;
    if let Some(path) = &args.predictions {
        super::write(path, &predictions).with_context(|| format!("writing {}", path.display()))?;
    }
    tell(args, &points)?;
    if !args.json {
        let mut out = std::io::stdout().lock();
        for (name, value) in MEASURES {
            let values: Vec<f32> = points.iter().filter_map(|point| value(&point.metrics)).collect();
            if let Some((mean, deviation)) = spread(&values) {
                writeln!(out, "{name}: {:.2} % ± {:.2}", 100.0 * mean, 100.0 * deviation)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// More and more rows, measured alike.
pub(super) fn learning_curve(args: &Nlu) -> anyhow::Result<ExitCode> {
    threads::one_an_operation()?;
    let rows = read(&args.data).context("reading the rows")?;
    let (points, _) = all(args, portions(&rows, args.repeat.training.seed))?;
    tell(args, &points)?;
    Ok(ExitCode::SUCCESS)
}

/// A measure by name.
type Measure = (&'static str, fn(&Metrics) -> Option<f32>);

const MEASURES: [Measure; 3] = [
    ("intent accuracy", |metrics| metrics.intent_accuracy),
    ("slot F1", |metrics| metrics.slots.map(|slots| slots.f1)),
    ("whole message", |metrics| metrics.whole_message),
];

fn tell(args: &Nlu, points: &[Point]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, points)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{:>9}{:>10}{:>10}{:>10}{:>10}", "learned", "measured", "intent", "slot F1", "whole")?;
    for point in points {
        write!(out, "{:>9}{:>10}", point.n_learned, point.n_measured)?;
        for (_, value) in MEASURES {
            match value(&point.metrics) {
                Some(share) => write!(out, "{:>10.2}", 100.0 * share)?,
                None => write!(out, "{:>10}", "-")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Trains and measures each part in turn.
///
/// * Returns the predictions in order of the rows' places.
fn all(args: &Nlu, parts: Vec<Part>) -> anyhow::Result<(Vec<Point>, Vec<Prediction>)> {
    let encoder = args.repeat.training.load_encoder()?;
    let (n, mut points, mut predictions) = (parts.len(), Vec::new(), Vec::new());
    for (at, part) in parts.into_iter().enumerate() {
        let (n_learned, said) = one(args, &encoder, &part)?;
        let metrics = measure(&part.measured, &said);
        let intent = metrics
            .intent_accuracy
            .map_or_else(String::new, |share| format!(", intent {:.2} %", 100.0 * share));
        let n_measured = part.measured.len();
        note(format_args!(
            "{} of {n}: {n_learned} rows learned from, {n_measured} measured with{intent}",
            at + 1
        ));
        points.push(Point { n_learned, n_measured, metrics });
        predictions.extend(part.places.into_iter().zip(said));
    }
    predictions.sort_by_key(|(place, _)| *place);
    Ok((points, predictions.into_iter().map(|(_, said)| said).collect()))
}

/// Trains on one part.
///
/// * Returns how many rows were learned from, and what the model says of those that it is measured with.
fn one(args: &Nlu, encoder: &Loaded, part: &Part) -> anyhow::Result<(usize, Vec<Prediction>)> {
    let (out, training) = (&args.repeat.out, &args.repeat.training);
    let mut n_learned = 0;
    train(
        &training.plan(part.learned.clone())?,
        encoder,
        &training.encoder,
        out,
        &mut |event| match event {
            Event::Start { n_train, .. } => n_learned = n_train,
            Event::Pass(standing) => note(format_args!(
                "  pass {}: held-out intent accuracy {:.2} %, slot F1 {:.2} %",
                standing.epoch,
                100.0 * standing.intent_accuracy,
                100.0 * standing.slot_f1,
            )),
            Event::Step(_) | Event::Retrieval { .. } | Event::Calibrated { .. } => {}
        },
    )?;
    let loaded = nlu::artefact::load(out).context("loading what was trained")?;
    Ok((n_learned, predict_all(&loaded.model, &part.measured)?))
}
