//! `yingda teach`: a new intent from a handful of examples.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::note;
use crate::nlu::artefact;
use crate::training::teach::teach;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id of the new intent.
    intent: String,
    /// Messages of it, as customers write them; at least 3, better 5 or more.
    examples: Vec<String>,
    /// File with more of them, one a line.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Folder of the model that learns it.
    #[arg(long, value_name = "DIR", default_value = "models/shop")]
    model: PathBuf,
    /// Folder of the taught model [default: the same].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut examples = args.examples;
    if let Some(file) = &args.file {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        examples.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let loaded = artefact::load(&args.model).context("loading the model")?;
    let (mut head, tensors, _) = artefact::parts(&args.model)?;
    let taught = teach(&loaded.model, &tensors, &args.intent, &examples)?;
    head.labels.intents.push(args.intent.clone());
    head.training = format!("{}; taught {} with {} examples", head.training, args.intent, examples.len());
    let out = args.out.unwrap_or(args.model);
    let version = artefact::save(&head, &taught, &out)?;
    note(format_args!(
        "{}: {} intents, version {}",
        out.display(),
        head.labels.intents.len(),
        &version[..12]
    ));
    Ok(ExitCode::SUCCESS)
}
