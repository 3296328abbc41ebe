//! Loading bots for a command.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::versions;
use crate::config::Serve as ServeSettings;
use crate::engine;
use crate::engine::Engine;
use crate::engine::ModelPlaces;
use crate::engine::Vectors;
use crate::knowledge;
use crate::knowledge::Knowledge;
use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::service::version;
use crate::store::SqliteStore;

/// The bot that is meant where none is named.
const DEFAULT_BOT: &str = "shop";

/// Where models are, and where their vectors are kept.
pub(super) fn places(settings: &ServeSettings) -> ModelPlaces {
    ModelPlaces { models: settings.models.clone(), vectors: Some(settings.data.join("vectors")) }
}

/// What a command that answers answers from.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// Which bot [default: shop].
    #[arg(long)]
    bot: Option<String>,
    /// Answer from the folder as it is, not from the published version in the store.
    #[arg(long)]
    folder: bool,
}

/// The one bot that a command is about, as it would answer a customer: from the published version where there is one.
pub(super) fn load_chosen(settings: &ServeSettings, choice: &Choice) -> anyhow::Result<Engine> {
    only(known_chosen(settings, choice)?, settings)
}

/// What that bot knows, for a command that answers nothing.
pub(super) fn known_chosen(settings: &ServeSettings, choice: &Choice) -> anyhow::Result<Knowledge> {
    if choice.folder || !SqliteStore::is_there(&settings.data) {
        return known_one(settings, choice.bot.as_deref());
    }
    match known_published(settings, choice.bot.as_deref())? {
        Some(known) => Ok(known),
        None => known_one(settings, choice.bot.as_deref()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn known_published(settings: &ServeSettings, bot: Option<&str>) -> anyhow::Result<Option<Knowledge>> {
    let versions = versions::open(settings).await?;
    let published = versions.store().published().await?;
    let named = published.get_key_value(bot.unwrap_or(DEFAULT_BOT));
    let Some((bot, number)) = named.or_else(|| published.first_key_value().filter(|_| bot.is_none())) else {
        return Ok(None);
    };
    let known = versions.open(bot, *number, Timestamp::now()).await?.knowledge;
    versions.store().close().await;
    Ok(Some(known))
}

/// The one bot that a command is about, from its folder.
///
/// * `bot`: its name; `shop`, else the only one, when absent.
pub(super) fn load_one(settings: &ServeSettings, bot: Option<&str>) -> anyhow::Result<Engine> {
    only(known_one(settings, bot)?, settings)
}

fn known_one(settings: &ServeSettings, bot: Option<&str>) -> anyhow::Result<Knowledge> {
    let root = settings.knowledge.as_path();
    let dirs =
        knowledge::bots(root).with_context(|| format!("reading the knowledge folder {}", root.display()))?;
    let named = |name: &str| dirs.iter().find(|dir| dir.file_name().is_some_and(|file| file == name));
    let dir = match bot {
        Some(name) => named(name).with_context(|| format!("no bot {name:?} below {}", root.display()))?,
        None => named(DEFAULT_BOT)
            .or_else(|| dirs.first())
            .with_context(|| format!("no bot below {}", root.display()))?,
    };
    match read(dir) {
        Ok(known) => Ok(known),
        Err(findings) => {
            tell(dir, &findings)?;
            bail!("{} has errors and cannot be served", dir.display());
        }
    }
}

/// All groups that a human may serve: of the folders, which may be about to be published, and of what answers now.
pub(super) async fn groups(settings: &ServeSettings) -> anyhow::Result<BTreeSet<String>> {
    let all = all(settings).await?;
    Ok(all.iter().flat_map(|known| known.profile.handoff.groups.keys().cloned()).collect())
}

/// What all bots know: first as their folders say it, then as it is published.
pub(super) async fn all(settings: &ServeSettings) -> anyhow::Result<Vec<Knowledge>> {
    let root = settings.knowledge.as_path();
    let dirs =
        knowledge::bots(root).with_context(|| format!("reading the knowledge folder {}", root.display()))?;
    // One that cannot be read has nothing to offer; `check` tells why.
    let mut all: Vec<Knowledge> = dirs.iter().filter_map(|dir| read(dir).ok()).collect();
    let versions = versions::open(settings).await?;
    for (bot, number) in versions.store().published().await? {
        all.push(versions.open(&bot, number, Timestamp::now()).await?.knowledge);
    }
    versions.store().close().await;
    Ok(all)
}

fn only(known: Knowledge, settings: &ServeSettings) -> anyhow::Result<Engine> {
    version::build(vec![known], &[], &places(settings), Vectors::All).pop().context("one bot was built")?
}

fn read(dir: &Path) -> Result<Knowledge, Vec<Finding>> {
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    let (known, findings) = engine::load(dir, today);
    match known {
        Some(known) if engine::servable(&findings) => Ok(known),
        _ => Err(findings),
    }
}

/// The errors of a folder, on stderr.
fn tell(dir: &Path, findings: &[Finding]) -> std::io::Result<()> {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{}:", dir.display())?;
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        writeln!(stderr, "  {finding}")?;
    }
    Ok(())
}
