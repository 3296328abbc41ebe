//! `yingda export`: a version of a bot's knowledge as files that import back to the same knowledge.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::config::Config;
use crate::knowledge;
use crate::knowledge::snapshot;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::store::VersionNumber;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which bot.
    #[arg(long, default_value = "shop")]
    bot: String,
    /// Which version; the published one when absent.
    #[arg(long, value_name = "NUMBER")]
    version: Option<VersionNumber>,
    /// Folder to be made; it gets a folder of the bot's name, as `--knowledge` takes it.
    #[arg(long)]
    out: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = Arc::new(SqliteStore::open(&config.serve.data).await.context("opening the store")?);
    let number = match args.version {
        Some(number) => number,
        None => {
            let published = store.published().await?.get(&args.bot).copied();
            published.with_context(|| format!("no version of {} is published; say --version", args.bot))?
        }
    };
    let mut files = store.version_files(&args.bot, number).await?;
    store.close().await;
    for (name, content) in &mut files {
        if name.ends_with(".csv") {
            *content = knowledge::guarded_table(content);
        }
    }
    let dir = args.out.join(&args.bot);
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    snapshot::write(&files, &dir).with_context(|| format!("writing {}", dir.display()))?;
    writeln!(std::io::stdout().lock(), "{}：版本 {number}，{} 个文件", dir.display(), files.len())?;
    Ok(ExitCode::SUCCESS)
}
