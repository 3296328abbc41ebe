//! What the bot could not do, and what became of what it can: read back from the messages of a time.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fmt::Display;

use jiff::Span;
use jiff::SpanRelativeTo;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::Serialize;

use crate::engine::Engine;
use crate::message::BotId;
use crate::retrieval::topics::SAME_TOPIC;
use crate::retrieval::topics::topics;
use crate::service::ask;
use crate::service::personal::Personal;
use crate::service::view;
use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::ExchangeFilter;
use crate::store::ExchangeRow;
use crate::store::ROWS_MAX;
use crate::store::Store;
use crate::store::StoreError;
use crate::text::normalise::normalise;

/// Different messages that are put into topics; the rarest beyond them are counted and left out.
const TEXTS_MAX: usize = 2_000;

/// Topics that are reported.
const GAPS_MAX: usize = 100;

/// Messages of a topic that are shown, and that fill the phrasings of its draft.
const TEXTS_SHOWN: usize = 8;

/// Characters of a topic's name.
const TITLE_CHARS_MAX: usize = 40;

/// Nearest entries of a topic that are shown.
const NEAREST_SHOWN: usize = 3;

/// A message and what came of it, as the store's rows tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    conversation_id: ConversationId,
    customer: CustomerKey,
    text: String,
    outcome: Outcome,
    helpful: Option<bool>,
    at: Timestamp,
}

/// What the bot did.
#[derive(Clone, Debug, Deserialize, PartialEq, Default)]
#[serde(default)]
struct Outcome {
    action: String,
    /// Why a human was asked, or the bot gave up.
    reason: Option<String>,
    /// The entry that answered.
    entry: Option<String>,
    /// The entries that were offered.
    offered: Vec<String>,
    /// Whether the customer had picked the entry from what was offered.
    picked: bool,
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

/// A topic that the bot could not settle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The message that stands for all of them.
    pub title: String,
    /// Customers who asked.
    pub n_customers: usize,
    /// Messages.
    pub n_messages: usize,
    /// Different messages, those nearest to the middle first, at most eight.
    pub texts: Vec<String>,
    /// How they ended: `clarify`, `handoff`, `decline` or `unhelpful`, with how many.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// When it was asked last.
    #[serde(serialize_with = "as_text")]
    pub last_at: Timestamp,
    /// The entries that come nearest today.
    pub nearest: Vec<NearView>,
    /// A new entry to begin with.
    pub draft: Draft,
}

/// An entry that comes near.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NearView {
    pub id: String,
    pub title: String,
    pub probability: f32,
}

/// A new entry without its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Draft {
    pub topic: Option<String>,
    pub question: String,
    pub phrasings: Vec<String>,
}

/// All topics that the bot could not settle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gaps {
    /// Messages that were looked at.
    pub n_messages: usize,
    /// Those among them that the bot could not settle.
    pub n_unsettled: usize,
    /// Different messages left out because there were too many.
    pub n_left_out: usize,
    /// The topics, those that most customers asked for first.
    pub gaps: Vec<Gap>,
}

/// What became of an entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EntryUse {
    /// Its id.
    pub id: String,
    /// Its question.
    pub question: String,
    /// How often it answered or was offered.
    pub n_shown: usize,
    /// How often it was picked from what was offered.
    pub n_chosen: usize,
    /// How often its answer was found helpful.
    pub n_helpful: usize,
    /// How often it was not.
    pub n_unhelpful: usize,
    /// When it was shown last; `None`: not in this time.
    #[serde(serialize_with = "as_text_if_any")]
    pub last_used: Option<Timestamp>,
    /// Its last day, where that is near or past.
    #[serde(serialize_with = "as_text_if_any")]
    pub ends: Option<Date>,
    /// Messages that reached it by a detour and could become phrasings, the most frequent first.
    pub suggestions: Vec<String>,
}

fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn as_text_if_any<T: Display, S: serde::Serializer>(
    at: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

/// The instant from which on messages count, looking so far back; a day has 24 hours.
///
/// # Errors
/// It cannot be reckoned: months have no length, or it lies before all time.
pub fn since(back: Span, now: Timestamp) -> Result<Timestamp, jiff::Error> {
    now.checked_sub(back.to_duration(SpanRelativeTo::days_are_24_hours())?)
}

/// Reads all messages of a bot since a time, oldest first. Rows that a later or earlier program wrote in another form
/// are passed over.
///
/// # Errors
/// The store failed.
pub async fn exchanges(
    store: &dyn Store,
    bot: &BotId,
    since: Timestamp,
) -> Result<Vec<Exchange>, StoreError> {
    let mut found = Vec::new();
    let mut filter = ExchangeFilter { bot: bot.clone(), since, after: 0, limit: ROWS_MAX };
    loop {
        let page = store.exchanges(&filter).await?;
        let Some(last) = page.last() else { return Ok(found) };
        filter.after = last.answer_id;
        found.extend(page.into_iter().filter_map(read));
    }
}

fn read(row: ExchangeRow) -> Option<Exchange> {
    // Topics and phrasings are for everybody who keeps the knowledge, and leave the house with it.
    let inbound = Personal::Hidden.view(serde_json::from_str(&row.inbound).ok()?);
    let said: Said = serde_json::from_value(inbound).ok()?;
    let outcome: Outcome = serde_json::from_str(&row.outbound).ok()?;
    Some(Exchange {
        conversation_id: row.conversation_id,
        customer: row.customer,
        text: said.text,
        outcome,
        helpful: row.helpful,
        at: row.at,
    })
}

impl Exchange {
    /// How the message ended, where it was not settled.
    fn failure(&self, next: Option<&Self>) -> Option<&'static str> {
        if self.helpful == Some(false) {
            return Some("unhelpful");
        }
        let is_unknown = matches!(self.outcome.reason.as_deref(), Some("unknown" | "intent"));
        match self.outcome.action.as_str() {
            // One that the customer settled by picking is a detour, not a gap.
            "clarify" if !next.is_some_and(|next| next.outcome.picked) => Some("clarify"),
            "handoff" if is_unknown => Some("handoff"),
            "decline" if is_unknown => Some("decline"),
            _ => None,
        }
    }
}

/// Each exchange with the next one of its conversation.
fn with_next(exchanges: &[Exchange]) -> impl Iterator<Item = (&Exchange, Option<&Exchange>)> {
    let mut later: HashMap<ConversationId, &Exchange> = HashMap::new();
    let mut pairs: Vec<_> = exchanges
        .iter()
        .rev()
        .map(|exchange| (exchange, later.insert(exchange.conversation_id, exchange)))
        .collect();
    pairs.reverse();
    pairs.into_iter()
}

/// Messages that read the same after normalisation.
struct Text<'e> {
    shown: &'e str,
    exchanges: Vec<(&'e Exchange, &'static str)>,
}

/// What the bot could not settle, put into topics by the bot's model; without one, messages that read the same are a topic.
#[must_use]
pub fn gaps(engine: &Engine, exchanges: &[Exchange], now: Timestamp) -> Gaps {
    let mut texts: BTreeMap<String, Text<'_>> = BTreeMap::new();
    let mut n_unsettled = 0;
    for (exchange, next) in with_next(exchanges) {
        let normal = normalise(&exchange.text).as_str().to_owned();
        let Some(how) = exchange.failure(next).filter(|_| !normal.is_empty()) else { continue };
        n_unsettled += 1;
        let text = texts.entry(normal).or_insert(Text { shown: &exchange.text, exchanges: Vec::new() });
        text.exchanges.push((exchange, how));
    }
    let mut texts: Vec<(String, Text<'_>)> = texts.into_iter().collect();
    texts.sort_by(|a, b| b.1.exchanges.len().cmp(&a.1.exchanges.len()).then(a.0.cmp(&b.0)));
    let n_left_out = texts.len().saturating_sub(TEXTS_MAX);
    texts.truncate(TEXTS_MAX);
    let normals: Vec<&str> = texts.iter().map(|(normal, _)| normal.as_str()).collect();
    let vectors = engine.model().and_then(|model| {
        model
            .model
            .vectors(&normals)
            .map_err(|error| tracing::error!(%error, "messages have no vectors"))
            .ok()
    });
    let weights: Vec<f32> = texts.iter().map(|(_, text)| text.exchanges.len() as f32).collect();
    let groups = match vectors {
        Some(vectors) => {
            let centred = |vector: Vec<f32>| engine.centred(&vector).unwrap_or(vector);
            topics(&vectors.into_iter().map(centred).collect::<Vec<_>>(), &weights, SAME_TOPIC)
        }
        None => (0..texts.len()).map(|at| vec![at]).collect(),
    };
    let mut gaps: Vec<Gap> =
        groups.iter().map(|group| gap(&group.iter().map(|at| &texts[*at].1).collect::<Vec<_>>())).collect();
    gaps.sort_by(|a, b| b.n_customers.cmp(&a.n_customers).then(b.n_messages.cmp(&a.n_messages)));
    gaps.truncate(GAPS_MAX);
    for gap in &mut gaps {
        locate(engine, gap, now);
    }
    Gaps { n_messages: exchanges.len(), n_unsettled, n_left_out, gaps }
}

/// One topic, from its messages, those nearest to its middle first.
fn gap(texts: &[&Text<'_>]) -> Gap {
    let all: Vec<&(&Exchange, &'static str)> = texts.iter().flat_map(|text| &text.exchanges).collect();
    let customers: BTreeSet<String> = all.iter().map(|(one, _)| format!("{:?}", one.customer)).collect();
    let mut outcomes = BTreeMap::new();
    for (_, how) in &all {
        *outcomes.entry(*how).or_default() += 1;
    }
    let shown: Vec<String> = texts.iter().take(TEXTS_SHOWN).map(|text| text.shown.to_owned()).collect();
    let title = match shown[0].char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &shown[0][..end]),
        None => shown[0].clone(),
    };
    Gap {
        title,
        n_customers: customers.len(),
        n_messages: all.len(),
        outcomes,
        last_at: all.iter().map(|(one, _)| one.at).max().unwrap_or(Timestamp::UNIX_EPOCH),
        nearest: Vec::new(),
        draft: Draft { topic: None, question: shown[0].clone(), phrasings: shown[1..].to_vec() },
        texts: shown,
    }
}

/// Asks the bot of today what comes nearest, and takes the topic from it.
fn locate(engine: &Engine, gap: &mut Gap, now: Timestamp) {
    let (turn, _) = ask(engine, &gap.texts[0], now);
    let entries = &turn.evidence.entries;
    gap.draft.topic = entries.first().map(|hit| engine.known().entries[hit.entry].topic.clone());
    gap.nearest = view::candidates(engine, &turn)
        .into_iter()
        .filter(|one| one.kind == "faq")
        .take(NEAREST_SHOWN)
        .map(|one| NearView { id: one.id, title: one.title, probability: one.probability })
        .collect();
}

/// What became of every entry, in the order of the knowledge.
#[must_use]
pub fn uses(engine: &Engine, exchanges: &[Exchange], now: Timestamp) -> Vec<EntryUse> {
    let mut uses: HashMap<&str, EntryUse> = HashMap::new();
    let mut detours: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for (exchange, next) in with_next(exchanges) {
        let outcome = &exchange.outcome;
        for id in outcome.entry.iter().chain(&outcome.offered) {
            let own = uses.entry(id).or_default();
            own.n_shown += 1;
            own.last_used = own.last_used.max(Some(exchange.at));
        }
        if let Some(id) = &outcome.entry {
            let own = uses.entry(id).or_default();
            own.n_chosen += usize::from(outcome.picked);
            own.n_helpful += usize::from(exchange.helpful == Some(true));
            own.n_unhelpful += usize::from(exchange.helpful == Some(false));
        }
        let picked = next.filter(|next| next.outcome.picked).and_then(|next| next.outcome.entry.as_deref());
        if let Some(id) = picked.filter(|_| outcome.action == "clarify") {
            *detours.entry(id).or_default().entry(&exchange.text).or_default() += 1;
        }
    }
    let today = engine.calendar().today(now);
    let entries = engine.known().entries.iter();
    entries
        .map(|entry| {
            let mut own = uses.remove(entry.id.as_str()).unwrap_or_default();
            let known: BTreeSet<String> = std::iter::once(&entry.question)
                .chain(&entry.phrasings)
                .map(|text| normalise(text).as_str().to_owned())
                .collect();
            let detours = detours.remove(entry.id.as_str()).unwrap_or_default();
            let mut detours: Vec<(&str, usize)> =
                detours.into_iter().filter(|(text, _)| !known.contains(normalise(text).as_str())).collect();
            detours.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            own.suggestions = detours.iter().take(TEXTS_SHOWN).map(|(text, _)| (*text).to_owned()).collect();
            let is_worth_telling = |until: &Date| entry.validity.ends_soon(today) || *until < today;
            own.ends = entry.validity.until.filter(is_worth_telling);
            (own.id, own.question) = (entry.id.clone(), entry.question.clone());
            own
        })
        .collect()
}
