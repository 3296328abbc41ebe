//! `yingda eval pairs`: whether sentence vectors of the same meaning lie near each other.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::eval::Vectors;
use crate::encoder::kernel;
use crate::encoder::lanes::Lanes;
use crate::retrieval::nearest::Nearest;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::training::pairs;
use crate::training::pairs::agreement;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rows {"a", "b", "label"} or {"a", "b", "score"}.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    vectors: Vectors,
    /// Print the measures as JSON.
    #[arg(long)]
    json: bool,
    /// Compare as search and topics do: without what all sentences of the file have in common.
    #[arg(long)]
    centred: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rows = pairs::read(&args.data).context("reading the pairs")?;
    let (encoder, version) = args.vectors.load()?;
    let texts: Vec<Normalised> =
        rows.iter().flat_map(|pair| [&pair.a, &pair.b]).map(|text| normalise(text)).collect();
    let texts: Vec<&str> = texts.iter().map(Normalised::as_str).collect();
    let vectors = Lanes::new()?.vectors(&encoder, &texts)?;
    let vectors: Vec<Vec<f32>> = if args.centred {
        let all = Nearest::new(&vectors);
        vectors.iter().map(|vector| all.centred(vector)).collect()
    } else {
        vectors
    };
    let near: Vec<(f32, f32)> = vectors
        .chunks_exact(2)
        .zip(&rows)
        .map(|(pair, row)| (kernel::product(&pair[0], &pair[1]), row.label))
        .collect();
    let found = agreement(&near);
    let mut out = std::io::stdout().lock();
    if args.json {
        let view = serde_json::json!({ "encoder": version, "data": args.data, "agreement": found });
        serde_json::to_writer_pretty(&mut out, &view)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} pairs of {}, encoder {version}", found.n_pairs, args.data.display())?;
    writeln!(out, "Spearman {:>6.2}", 100.0 * found.spearman)?;
    if let Some((accuracy, threshold)) = found.accuracy.zip(found.threshold) {
        writeln!(out, "accuracy {:>6.2} %, threshold chosen on the other half", 100.0 * accuracy)?;
        writeln!(out, "best threshold of all pairs {threshold:.3}")?;
    }
    Ok(ExitCode::SUCCESS)
}
