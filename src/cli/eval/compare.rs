//! `yingda eval nlu --compare A B`: whether one model is better than another.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::eval::Nlu;
use crate::nlu::artefact;
use crate::training::compare::compare;
use crate::training::prediction::Prediction;
use crate::training::prediction::predict_all;
use crate::training::row::Row;

pub(super) fn run(args: &Nlu, rows: &[Row], a: &Path, b: &Path) -> anyhow::Result<ExitCode> {
    let found = compare(rows, &predictions(rows, a)?, &predictions(rows, b)?);
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} rows of {}", rows.len(), args.data.display())?;
    writeln!(out, "A {}\nB {}", a.display(), b.display())?;
    writeln!(out, "{:<18}{:>9}{:>9}{:>9}   95 % interval of B - A", "", "A", "B", "B - A")?;
    let measures = [
        ("intent accuracy", found.intent_accuracy),
        ("slot F1", found.slot_f1),
        ("whole message", found.whole_message),
    ];
    for (name, difference) in measures {
        let Some(one) = difference else { continue };
        let points = |share: f64| 100.0 * share;
        let verdict = match (one.low > 0.0, one.high < 0.0) {
            (true, _) => "B is better",
            (_, true) => "A is better",
            _ => "may be chance",
        };
        writeln!(
            out,
            "{name:<18}{:>9.2}{:>9.2}{:>+9.2}   {:+.2} to {:+.2}: {verdict}",
            points(one.a),
            points(one.b),
            points(one.b - one.a),
            points(one.low),
            points(one.high),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a model's folder or a file of predictions says of the rows.
fn predictions(rows: &[Row], from: &Path) -> anyhow::Result<Vec<Prediction>> {
    if from.is_dir() {
        let loaded = artefact::load(from).context("loading a model")?;
        return Ok(predict_all(&loaded.model, rows)?);
    }
    let text = std::fs::read_to_string(from).with_context(|| format!("reading {}", from.display()))?;
    let predictions: Vec<Prediction> = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("line {} of {} is no prediction", at + 1, from.display()))
        })
        .collect::<anyhow::Result<_>>()?;
    anyhow::ensure!(
        predictions.len() == rows.len(),
        "{} has {} predictions, the rows are {}",
        from.display(),
        predictions.len(),
        rows.len()
    );
    for (at, (prediction, row)) in predictions.iter().zip(rows).enumerate() {
        anyhow::ensure!(
            prediction.text == row.text,
            "line {} of {} is about another text than the row",
            at + 1,
            from.display()
        );
    }
    Ok(predictions)
}
