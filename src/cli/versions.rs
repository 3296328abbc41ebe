//! `yingda versions`: what the bots knew, know, and could know next.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use anyhow::bail;
use clap::Subcommand;
use jiff::Timestamp;

use crate::config::Config;
use crate::config::Serve as ServeSettings;
use crate::knowledge::diff::Change;
use crate::knowledge::finding::Severity;
use crate::service::version::Origin;
use crate::service::version::VersionError;
use crate::service::version::Versions;
use crate::store::NewPublication;
use crate::store::SqliteStore;
use crate::store::VersionNumber;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which bot.
    #[arg(long, default_value = "shop")]
    bot: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List versions, newest first, and what was published when.
    List,
    /// Take the bot's folder into the store, as a draft.
    Draft {
        /// What was changed, for those who read the list.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show what a version changes.
    Diff {
        /// The version; the newest when absent.
        number: Option<VersionNumber>,
        /// The version it is compared with; the published one when absent.
        #[arg(long, value_name = "NUMBER")]
        from: Option<VersionNumber>,
    },
    /// Let a version answer: the newest when absent. An older one is a roll-back. A running server follows within
    /// seconds.
    Publish {
        /// The version.
        number: Option<VersionNumber>,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let versions = open(&config.serve).await?;
    let result = obey(args, config, &versions).await;
    versions.store().close().await;
    match result {
        Err(error) => match error.downcast_ref() {
            Some(VersionError::Unfit { findings, .. }) => {
                let mut stderr = std::io::stderr().lock();
                for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                    writeln!(stderr, "{finding}")?;
                }
                Err(error)
            }
            _ => Err(error),
        },
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// The versions in the store of a data folder.
pub(super) async fn open(settings: &ServeSettings) -> anyhow::Result<Versions> {
    let store = SqliteStore::open(&settings.data).await.context("opening the store")?;
    Ok(Versions::new(Arc::new(store), &settings.data))
}

/// Who sits at the terminal.
pub(super) fn author() -> String {
    std::env::var("USER").unwrap_or_else(|_| "command line".to_owned())
}

async fn obey(args: &Args, config: &Config, versions: &Versions) -> anyhow::Result<()> {
    let (bot, now) = (&args.bot, Timestamp::now());
    let store = versions.store();
    let author = author();
    let published = store.published().await?.get(bot).copied();
    let newest = async || -> anyhow::Result<VersionNumber> {
        let rows = store.versions(bot, 1).await?;
        Ok(rows.first().with_context(|| format!("the store has no version of {bot}"))?.number)
    };
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::List => {
            for row in store.versions(bot, u32::MAX).await? {
                let state = match row.published_at {
                    _ if published == Some(row.number) => "使用中",
                    Some(_) => "用过",
                    None => "草稿",
                };
                writeln!(out, "{}\t{state}\t{}\t{}\t{}", row.number, row.created_at, row.author, row.reason)?;
            }
            for row in store.publications(bot, u32::MAX).await? {
                writeln!(out, "发布 {}\t{}\t{}\t{}", row.number, row.at, row.author, row.reason)?;
            }
        }
        Command::Draft { reason } => {
            let origin = Origin { author, reason: reason.clone() };
            let row = versions.take(&config.serve.knowledge.join(bot), &origin, now).await?;
            writeln!(out, "{}", row.number)?;
        }
        Command::Diff { number, from } => {
            let number = match number {
                Some(number) => *number,
                None => newest().await?,
            };
            let Some(from) = from.or(published) else {
                bail!("no version of {bot} is published; say --from")
            };
            for one in versions.diff(bot, from, number, now).await? {
                let mark = match &one.change {
                    Change::Added => "+",
                    Change::Removed => "-",
                    Change::Changed(_) => "~",
                };
                let parts =
                    if let Change::Changed(parts) = &one.change { parts.join(" ") } else { String::new() };
                writeln!(out, "{mark} {}\t{}\t{}\t{parts}", one.thing.as_str(), one.id, one.title)?;
            }
        }
        Command::Publish { number, reason } => {
            let number = match number {
                Some(number) => *number,
                None => newest().await?,
            };
            let wish = NewPublication {
                bot: bot.clone(),
                number,
                instead_of: published,
                author,
                reason: reason.clone(),
            };
            versions.publish(&wish, now).await?;
            writeln!(out, "{number}")?;
        }
    }
    Ok(())
}
