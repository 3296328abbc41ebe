//! Loading bots for a command.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Serve as ServeSettings;
use crate::engine;
use crate::engine::Engine;
use crate::engine::ModelPlaces;
use crate::engine::Stage;
use crate::engine::Turn;
use crate::knowledge;
use crate::knowledge::Knowledge;
use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::policy::state::State;
use crate::service;
use crate::text::segment::Segmenter;

/// All bots below a folder that may be served. The mistakes of the others go to stderr; they do not keep a
/// good bot from serving.
pub(super) fn load_all(settings: &ServeSettings) -> anyhow::Result<Vec<Engine>> {
    let root = settings.knowledge.as_path();
    let dirs =
        knowledge::bots(root).with_context(|| format!("reading the knowledge folder {}", root.display()))?;
    if dirs.is_empty() {
        bail!("no bot below {}: a bot is a folder with a bot.toml", root.display());
    }
    let mut good = Vec::new();
    for dir in dirs {
        match read(&dir) {
            Ok(known) => good.push(known),
            Err(findings) => {
                tell(&dir, &findings)?;
                tracing::error!(folder = %dir.display(), "this bot is not served: its folder has errors");
            }
        }
    }
    if good.is_empty() {
        bail!("no bot below {} can be served; `yingda check` tells why", root.display());
    }
    build(good, &places(settings))
}

/// Where models are, and where their vectors are kept: nowhere until there is a folder for data.
pub(super) fn places(settings: &ServeSettings) -> ModelPlaces {
    let vectors = settings.data.is_dir().then(|| settings.data.join("vectors"));
    ModelPlaces { models: settings.models.clone(), vectors }
}

/// The one bot that a command is about.
///
/// * `bot`: its name; `shop`, else the only one, when absent.
pub(super) fn load_one(settings: &ServeSettings, bot: Option<&str>) -> anyhow::Result<Engine> {
    let root = settings.knowledge.as_path();
    let dirs =
        knowledge::bots(root).with_context(|| format!("reading the knowledge folder {}", root.display()))?;
    let named = |name: &str| dirs.iter().find(|dir| dir.file_name().is_some_and(|file| file == name));
    let dir = match bot {
        Some(name) => named(name).with_context(|| format!("no bot {name:?} below {}", root.display()))?,
        None => named("shop")
            .or_else(|| dirs.first())
            .with_context(|| format!("no bot below {}", root.display()))?,
    };
    match read(dir) {
        Ok(known) => build(vec![known], &places(settings))?.pop().context("one bot was built"),
        Err(findings) => {
            tell(dir, &findings)?;
            bail!("{} has errors and cannot be served", dir.display());
        }
    }
}

fn read(dir: &Path) -> Result<Knowledge, Vec<Finding>> {
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    let (known, findings) = engine::load(dir, today);
    match known {
        Some(known) if engine::servable(&findings) => Ok(known),
        _ => Err(findings),
    }
}

/// One segmenter for all: the dictionary is the largest part of a start.
fn build(known: Vec<Knowledge>, places: &ModelPlaces) -> anyhow::Result<Vec<Engine>> {
    let words: BTreeSet<String> = known.iter().flat_map(engine::vocabulary).collect();
    let segmenter = Arc::new(Segmenter::new(words.iter().map(String::as_str)));
    known
        .into_iter()
        .map(|known| {
            let bot = known.bot.clone();
            let engine = Engine::new(known, Arc::clone(&segmenter))
                .with_context(|| format!("building the bot {bot}"))?;
            // A bot without its model answers by search and rules, which is better than no answer.
            if let Err(error) = engine::take_model(&engine, places, None) {
                tracing::error!(bot = %engine.known().bot, error = %format!("{error:#}"), "goes on without its model");
            }
            // Expressions and tables are made when they are first needed; not at a customer's cost.
            let _warm = ask(&engine, "你好，有黑色M码200元以内的衬衫吗", Timestamp::now());
            Ok(engine)
        })
        .collect()
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

/// Asks a bot as a new customer would.
pub(super) fn ask(engine: &Engine, text: &str, now: Timestamp) -> (Turn, Vec<(Stage, Duration)>) {
    let inbound = Inbound {
        bot: engine.known().bot.clone(),
        channel: Channel::Web,
        customer: Customer::new("ask", CustomerKind::Customer),
        content: Content::Text(text.to_owned()),
    };
    service::timed(engine, &inbound, &State::default(), now)
}
