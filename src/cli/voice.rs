//! `yingda voice`: any sound as WeCom and pages play it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::service::voice;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sound, in any form that ffmpeg reads.
    file: PathBuf,
    /// Folder that the clips go to, such as knowledge/shop/attachments [default: beside the sound].
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stem = match &args.out {
        Some(folder) => folder.join(args.file.file_stem().unwrap_or_default()),
        None => args.file.with_extension(""),
    };
    let pieces = voice::convert(&args.file, &stem)?;
    let mut out = std::io::stdout().lock();
    for piece in &pieces {
        writeln!(out, "{}\n{}", piece.amr.display(), piece.mp3.display())?;
    }
    writeln!(out, "\n写进 replies.toml：")?;
    for piece in &pieces {
        let name = piece.mp3.file_name().unwrap_or_default().to_string_lossy();
        writeln!(out, "    {{ kind = \"voice\", file = \"attachments/{name}\" }},")?;
    }
    Ok(ExitCode::SUCCESS)
}
