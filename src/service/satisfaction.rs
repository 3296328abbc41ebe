//! How content customers are, by the agent who served them and by what they wanted.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Serialize;

use crate::engine::Engine;
use crate::service::handover::name_of;
use crate::service::view;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::SurveyRow;

/// Days that a report looks back over where nothing else is said.
pub const DAYS: u32 = 30;

/// How many were asked, and what they said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Count {
    pub asked: u64,
    pub good: u64,
    pub fair: u64,
    pub poor: u64,
}

/// The counts of one agent, or of one intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Name of the agent, absent for the bot; id of the intent, absent where none was sure.
    pub id: Option<String>,
    /// The words for it.
    pub title: String,
    /// The counts.
    #[serde(flatten)]
    pub count: Count,
}

/// All surveys of a bot since a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Satisfaction {
    pub days: u32,
    #[serde(flatten)]
    pub all: Count,
    pub by_agent: Vec<Line>,
    pub by_intent: Vec<Line>,
}

impl Count {
    fn add(&mut self, row: &SurveyRow) {
        self.asked += row.n_asked;
        self.good += row.n_good;
        self.fair += row.n_fair;
        self.poor += row.n_poor;
    }
}

/// Counts the surveys of a bot, most asked first.
///
/// # Errors
/// When the store fails.
pub async fn satisfaction(
    store: &dyn Store,
    engine: &Engine,
    days: u32,
    now: Timestamp,
) -> Result<Satisfaction, StoreError> {
    let known = engine.known();
    let since = now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
    let rows = store.surveys(&known.bot, since).await?;
    let agents = store.agents().await?;
    let mut all = Count::default();
    rows.iter().for_each(|row| all.add(row));
    let agent = |row: &SurveyRow| name_of(&agents, row.agent_id?).map(str::to_owned);
    let by_agent = lines(&rows, agent, |id| id.unwrap_or(&known.profile.name).to_owned());
    let intent_title = |id: Option<&str>| id.map_or("不明", |id| view::topic(known, id)).to_owned();
    let by_intent = lines(&rows, |row| row.intent.clone(), intent_title);
    Ok(Satisfaction { days, all, by_agent, by_intent })
}

fn lines(
    rows: &[SurveyRow],
    id: impl Fn(&SurveyRow) -> Option<String>,
    title: impl Fn(Option<&str>) -> String,
) -> Vec<Line> {
    let mut counts: BTreeMap<Option<String>, Count> = BTreeMap::new();
    for row in rows {
        counts.entry(id(row)).or_default().add(row);
    }
    let line = |(id, count): (Option<String>, Count)| Line { title: title(id.as_deref()), id, count };
    let mut lines: Vec<Line> = counts.into_iter().map(line).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.count.asked));
    lines
}
