//! From a bot's folder to a running engine, with every finding on the way.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::RwLock;

use jiff::civil::Date;

use crate::encoder::shelf::Shelf;
use crate::engine::Engine;
use crate::engine::Vectors;
use crate::knowledge;
use crate::knowledge::Knowledge;
use crate::knowledge::Source;
use crate::knowledge::calendar::Calendar;
use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::nlu::Nlu;
use crate::nlu::artefact;
use crate::nlu::model::Labels;
use crate::nlu::slot::SlotName;
use crate::reply;
use crate::reply::render::Renderer;
use crate::retrieval::Retriever;
use crate::rules;
use crate::rules::RuleSet;
use crate::rules::sensitive::SensitiveSet;
use crate::task;
use crate::task::TaskSet;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;

/// Reads a bot's folder and lints all of it.
///
/// * `today`: for periods of validity.
/// * Returns the knowledge where it could be read at all, and the findings; one of them being an error
///   means that the bot must not be served.
#[must_use]
pub fn load(dir: &Path, today: Date) -> (Option<Knowledge>, Vec<Finding>) {
    let loaded = knowledge::load(dir);
    let mut findings = loaded.findings;
    if let Some(known) = &loaded.knowledge {
        findings.extend(knowledge::lint(known, today));
        findings.extend(rules::lint(&known.rules, &known.sensitive));
        findings.extend(reply::lint::lint(known));
        findings.extend(task::lint::lint(known));
        if let Err(error) = calendar(known) {
            let source = Source { file: "bot.toml".to_owned(), line: 1 };
            findings.push(Finding::error(
                "bad-hours",
                source,
                format!("营业时间、节假日或时区写错了：{error}"),
                "时段写成 \"09:00-18:00\"，一天内不重叠；时区用 IANA 名称",
            ));
        }
    }
    findings.sort_by(|a, b| a.source.cmp(&b.source).then(a.code.cmp(b.code)));
    (loaded.knowledge, findings)
}

/// Words of a bot that segmentation must know.
#[must_use]
pub fn vocabulary(known: &Knowledge) -> BTreeSet<String> {
    let nlu = Nlu::new(&known.products);
    let own = known
        .terms
        .iter()
        .chain(known.synonyms.iter().flatten())
        .map(|word| normalise(word).as_str().to_owned());
    nlu.words().map(str::to_owned).chain(own).collect()
}

impl Engine {
    /// Builds the engine of a bot whose folder holds no error.
    ///
    /// # Errors
    /// When rules, sensitive words, tasks or hours do not compile (which [`load`] reports as findings), or the
    /// index cannot be built.
    pub fn new(known: Knowledge, segmenter: Arc<Segmenter>) -> anyhow::Result<Self> {
        let calendar = calendar(&known)?;
        let nlu = Nlu::new(&known.products);
        let rules = RuleSet::compile(&known.rules)?;
        let sensitive = SensitiveSet::compile(&known.sensitive)?;
        let retriever = Retriever::build(&known, &segmenter)?;
        let tasks = TaskSet::new(&known)?;
        let renderer = Renderer::new(&known);
        let reader = RwLock::new(None);
        Ok(Self { known, calendar, segmenter, nlu, reader, rules, sensitive, retriever, tasks, renderer })
    }
}

/// Where models and what they make are kept.
#[derive(Clone, Debug)]
pub struct ModelPlaces {
    /// The folder of models.
    pub models: PathBuf,
    /// The folder of sentence vectors, made where it is not there; `None`: they are made anew every time.
    pub vectors: Option<PathBuf>,
}

/// Reads a model and lets the bot read with it; nothing to do for a bot that names none.
///
/// * `name`: the model's folder in it; `None` for the one that `bot.toml` names.
/// * Returns the version of the model.
///
/// # Errors
/// The model is missing, damaged, or was trained for another bot. The bot goes on with what it had.
pub fn take_model(
    engine: &Engine,
    places: &ModelPlaces,
    name: Option<&str>,
    vectors: Vectors,
) -> Result<Option<String>, ModelError> {
    let Some(name) = name.or(engine.known.profile.model.as_deref()) else { return Ok(None) };
    let loaded = Arc::new(artefact::load(&places.models.join(name))?);
    let version = loaded.version().to_owned();
    let mut shelf = places
        .vectors
        .as_ref()
        .map_or_else(Shelf::default, |folder| Shelf::open(folder, &loaded.vectors_version));
    engine.exchange_model(Some(loaded), &mut shelf, vectors)?;
    if let Err(error) = shelf.save() {
        tracing::warn!(%error, "sentence vectors are not kept: the next start makes them anew");
    }
    Ok(Some(version))
}

/// Why a bot reads without the model that it names.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no model to be had.
    #[error(transparent)]
    Load(#[from] artefact::ModelError),
    /// It is for another bot.
    #[error(transparent)]
    Other(#[from] OtherLabels),
    /// It cannot read the bot's knowledge.
    #[error("the model cannot read the knowledge")]
    Compute(#[from] candle_core::Error),
}

/// A model that was trained for another bot.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the model tells apart the {what} {name:?}, which the bot {bot} does not know")]
pub struct OtherLabels {
    /// `intent` or `entity`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// The bot.
    pub bot: String,
}

/// Whether a model speaks of what the bot knows: its topics, and the entities of the taxonomy.
pub(super) fn fits(known: &Knowledge, labels: &Labels) -> Result<(), OtherLabels> {
    let other = |what, name: &String| OtherLabels { what, name: name.clone(), bot: known.bot.to_string() };
    if let Some(name) = labels.intents.iter().find(|name| !known.profile.topics.contains_key(*name)) {
        return Err(other("intent", name));
    }
    match labels.slots.iter().find(|name| SlotName::named(name).is_none()) {
        Some(name) => Err(other("entity", name)),
        None => Ok(()),
    }
}

fn calendar(known: &Knowledge) -> Result<Calendar, knowledge::calendar::CalendarError> {
    Calendar::new(&known.profile.hours, &known.profile.holidays, &known.profile.timezone)
}

/// Whether any finding keeps the bot from being served.
#[must_use]
pub fn servable(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Error)
}
