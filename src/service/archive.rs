//! What was said, by whom and when: found by filters, a page at a time, so that handing out all of it takes no memory.
//!
//! What the bot no longer keeps is not shown, even where nobody has thrown it out yet; and who may not see a telephone number
//! cannot find out by searching whose it is.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::knowledge::Knowledge;
use crate::message::Channel;
use crate::service::handover::IN_CLIENT;
use crate::service::handover::name_of;
use crate::service::personal::Personal;
use crate::store::AgentRow;
use crate::store::ArchiveFilter;
use crate::store::ArchiveOrder;
use crate::store::ArchiveRow;
use crate::store::ArchivedBy;
use crate::store::Author;
use crate::store::ConversationId;
use crate::store::Direction;
use crate::store::MessageId;
use crate::store::NAME_BYTES_MAX;
use crate::store::ROWS_MAX;
use crate::store::Store;
use crate::store::StoreError;

/// Words that are looked for at once.
pub const WORDS_MAX: usize = 8;

/// How often the store is asked for one page of which nothing may be shown.
const LOOKS_MAX: usize = 20;

/// What somebody asks for, as they wrote it; what is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `web`, `wecom_app` or `wecom_kf`.
    pub channel: Option<String>,
    /// The channel's id of the customer.
    pub customer: Option<String>,
    /// `in` or `out`.
    pub direction: Option<String>,
    /// `customer`, `bot`, `agent` or `system`.
    pub author: Option<String>,
    /// Name of the human.
    pub agent: Option<String>,
    /// A time, or a day on the bot's clock: from its beginning on.
    pub from: Option<String>,
    /// A time, before which; or a day on the bot's clock: until its end.
    pub until: Option<String>,
    /// Words that the message holds, all of them; at most [`WORDS_MAX`].
    pub words: Vec<String>,
    /// `newest` or `oldest` first; `newest` when absent.
    pub order: Option<String>,
}

/// Why nothing is looked for.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each holds")]
pub enum ArchiveError {
    /// A name that there is not.
    #[error("{field} 写的是“{value}”，可以写 {known}")]
    Name { field: &'static str, value: String, known: String },
    /// Neither a time nor a day.
    #[error("{field} 写的是“{value}”，要写成日期（2026-11-23）或带时区的时刻（2026-11-23T09:00:00+08:00）")]
    Time { field: &'static str, value: String },
    /// A span that ends before it begins.
    #[error("from 写的是“{from}”，不在 until“{until}”之前")]
    Backwards { from: String, until: String },
    /// No human of that name.
    #[error("没有名叫“{0}”的坐席")]
    Agent(String),
    /// A human's name with another author.
    #[error("写了 agent 就只看坐席说的话，author 不能是“{0}”")]
    OtherAuthor(String),
    /// Too many words.
    #[error("words 有 {n_words} 个，最多 {WORDS_MAX} 个")]
    TooManyWords { n_words: usize },
    /// A word that is none, or too long.
    #[error("words 里的“{word}”有 {} 字节，应在 1 到 {NAME_BYTES_MAX} 之间", word.len())]
    Word { word: String },
    /// The store failed.
    #[error("读不了存储")]
    Store(#[from] StoreError),
}

/// A search that was understood.
#[derive(Clone, Debug)]
pub struct Search {
    filter: ArchiveFilter,
    agents: Vec<AgentRow>,
    /// What is older is not kept.
    kept_from: Option<Timestamp>,
    personal: Personal,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The bot.
    pub bot: String,
    /// How it came or went.
    pub channel: String,
    /// The channel's id of the customer.
    pub customer_id: String,
    /// The talk.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// `in` from the customer, `out` to them.
    pub direction: &'static str,
    /// `customer`, `bot`, `agent` or `system`.
    pub author: &'static str,
    /// Name of the human, where one said it.
    pub agent: Option<String>,
    /// What it consists of, such as `text` or `image`; parts of a reply are joined by `+`.
    pub kind: String,
    /// Kinds of what a customer sent together with it.
    pub with: Vec<String>,
    /// All that people read in it, a line each; empty for a picture.
    pub words: String,
    /// The entry that answered.
    pub entry: Option<String>,
    /// The version of the knowledge that answered.
    pub version: Option<i64>,
}

/// Some of the messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// In the order that was asked for.
    pub messages: Vec<Line>,
    /// What to ask for the rest behind; absent at the end. A page with a rest may have fewer messages than were asked for.
    pub next: Option<MessageId>,
}

impl Search {
    /// Understands a wish.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub async fn new(
        store: &dyn Store,
        known: &Knowledge,
        wish: &Wish,
        personal: Personal,
        now: Timestamp,
    ) -> Result<Self, ArchiveError> {
        let agents = store.agents().await?;
        let zone = zone(known);
        let (from, until) = (
            time("from", wish.from.as_deref(), &zone, Some)?,
            time("until", wish.until.as_deref(), &zone, |day| day.tomorrow().ok())?,
        );
        if from.zip(until).is_some_and(|(from, until)| from >= until) {
            let said = |field: &Option<String>| field.clone().unwrap_or_default();
            return Err(ArchiveError::Backwards { from: said(&wish.from), until: said(&wish.until) });
        }
        check_words(&wish.words)?;
        let channels = Channel::ALL.map(|channel| (channel.as_str(), channel));
        let directions = [("in", Direction::In), ("out", Direction::Out)];
        let orders = [("newest", ArchiveOrder::NewestFirst), ("oldest", ArchiveOrder::OldestFirst)];
        let filter = ArchiveFilter {
            bot: known.bot.clone(),
            channel: named("channel", wish.channel.as_deref(), &channels)?,
            customer_id: wish.customer.clone(),
            direction: named("direction", wish.direction.as_deref(), &directions)?,
            by: by(wish, &agents)?,
            from,
            until,
            words: wish.words.clone(),
            order: named("order", wish.order.as_deref(), &orders)?.unwrap_or(ArchiveOrder::NewestFirst),
            after: None,
            limit: ROWS_MAX,
        };
        let kept = |days: u32| now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok();
        let kept_from = known.profile.retention_days.and_then(kept);
        Ok(Self { filter, agents, kept_from, personal })
    }

    /// The messages behind one.
    ///
    /// * `after`: the `next` of the page before; `None` for the first page.
    /// * `limit`: most messages, cut to 1 to [`ROWS_MAX`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(
        &self,
        store: &dyn Store,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        // Where some of what is found may not be shown, a page of one would tell by its end that something was found.
        let looked_at = if self.masks_matches() { ROWS_MAX } else { limit };
        let mut filter = ArchiveFilter { after, limit: looked_at, ..self.filter.clone() };
        let mut page = Page::default();
        for _look in 0..LOOKS_MAX {
            let rows = store.archive(&filter).await?;
            for row in &rows {
                filter.after = Some(row.message.id);
                page.messages.extend(self.line(row));
                if page.messages.len() == limit as usize {
                    return Ok(Page { next: filter.after, ..page });
                }
            }
            if rows.len() < looked_at as usize {
                return Ok(page);
            }
        }
        Ok(Page { next: filter.after, ..page })
    }

    /// Whether words are looked for by somebody who does not see all of them.
    fn masks_matches(&self) -> bool {
        self.personal == Personal::Hidden && !self.filter.words.is_empty()
    }

    /// A message as it is shown; `None` for one that is not.
    fn line(&self, row: &ArchiveRow) -> Option<Line> {
        let message = &row.message;
        if self.kept_from.is_some_and(|from| message.at < from) {
            return None;
        }
        let body = self.personal.view(serde_json::from_str(&message.body).unwrap_or(Value::Null));
        let words = words(&body);
        if self.masks_matches() && !self.filter.words.iter().all(|word| holds(&words, word)) {
            return None;
        }
        let agent = match message.author {
            Author::Agent(id) => name_of(&self.agents, id),
            Author::System if body["by"] == "servicer" => Some(IN_CLIENT),
            Author::Customer | Author::Bot | Author::System => None,
        };
        let said = |field: &str| body[field].as_str().map(str::to_owned);
        Some(Line {
            at: message.at,
            bot: row.customer.bot().to_owned(),
            channel: row.customer.channel().to_owned(),
            customer_id: row.customer.customer_id().to_owned(),
            conversation_id: message.conversation_id,
            message_id: message.id,
            direction: match message.direction {
                Direction::In => "in",
                Direction::Out => "out",
            },
            author: message.author.as_str(),
            agent: agent.map(str::to_owned),
            kind: said("kind").unwrap_or_else(|| kinds(&body)),
            with: texts(&body["with"]).map(str::to_owned).collect(),
            words,
            entry: said("entry"),
            version: body["knowledge"].as_i64(),
        })
    }
}

/// The bot's zone.
#[must_use]
pub fn zone(known: &Knowledge) -> TimeZone {
    // Loading has looked at its name.
    TimeZone::get(&known.profile.timezone).unwrap_or(TimeZone::UTC)
}

/// A time as it was written.
///
/// * `edge`: the day at whose beginning a day that was written begins or ends.
fn time(
    field: &'static str,
    value: Option<&str>,
    zone: &TimeZone,
    edge: impl Fn(Date) -> Option<Date>,
) -> Result<Option<Timestamp>, ArchiveError> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(at) = value.parse() {
        return Ok(Some(at));
    }
    let day = Date::strptime("%Y-%m-%d", value).ok().and_then(edge);
    let at = day.and_then(|day| day.to_zoned(zone.clone()).ok()).map(|at| at.timestamp());
    at.map(Some).ok_or_else(|| ArchiveError::Time { field, value: value.to_owned() })
}

/// What a name stands for.
fn named<T: Copy>(
    field: &'static str,
    value: Option<&str>,
    known: &[(&str, T)],
) -> Result<Option<T>, ArchiveError> {
    let Some(value) = value else { return Ok(None) };
    let found = known.iter().find(|(name, _)| *name == value);
    found.map(|(_, meant)| Some(*meant)).ok_or_else(|| ArchiveError::Name {
        field,
        value: value.to_owned(),
        known: known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("、"),
    })
}

fn by(wish: &Wish, agents: &[AgentRow]) -> Result<Option<ArchivedBy>, ArchiveError> {
    let authors = [
        ("customer", ArchivedBy::Customer),
        ("bot", ArchivedBy::Bot),
        ("agent", ArchivedBy::Agents),
        ("system", ArchivedBy::System),
    ];
    let author = named("author", wish.author.as_deref(), &authors)?;
    let Some(name) = &wish.agent else { return Ok(author) };
    if author.is_some_and(|author| author != ArchivedBy::Agents) {
        return Err(ArchiveError::OtherAuthor(wish.author.clone().unwrap_or_default()));
    }
    let agent = agents.iter().find(|agent| agent.name == *name);
    agent.map(|agent| Some(ArchivedBy::Agent(agent.id))).ok_or_else(|| ArchiveError::Agent(name.clone()))
}

fn check_words(words: &[String]) -> Result<(), ArchiveError> {
    if words.len() > WORDS_MAX {
        return Err(ArchiveError::TooManyWords { n_words: words.len() });
    }
    let unfit = words.iter().find(|word| !(1..=NAME_BYTES_MAX).contains(&word.len()));
    unfit.map_or(Ok(()), |word| Err(ArchiveError::Word { word: word.clone() }))
}

/// All that people read in a message: the same texts in which the store looks for words.
fn words(body: &Value) -> String {
    let mut found: Vec<&str> = body["text"].as_str().into_iter().collect();
    for part in body["parts"].as_array().into_iter().flatten() {
        let text = |field: &str| part[field].as_str();
        found.extend(text("text").into_iter().chain(text("prompt")));
        found.extend(texts(&part["options"]));
        found.extend(text("title").into_iter().chain(text("description")));
        found.extend(text("url").filter(|url| url.starts_with("http")));
    }
    found.retain(|text| !text.is_empty());
    found.join("\n")
}

/// The kinds of a reply's parts, each once.
fn kinds(body: &Value) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for part in body["parts"].as_array().into_iter().flatten() {
        kinds.extend(part["type"].as_str().filter(|kind| !kinds.contains(kind)));
    }
    if kinds.is_empty() { "text".to_owned() } else { kinds.join("+") }
}

/// The texts of a list.
fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a text holds a word, Latin letters in either case.
fn holds(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(&word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_people_read_is_every_text_of_a_message_and_no_file_name() {
        let reply = json!({ "parts": [
            { "type": "text", "text": "给您看看" },
            { "type": "choices", "prompt": "哪一款？", "options": ["白色", "黑色"] },
            { "type": "image", "url": "attachments/size.png", "title": "尺码表", "until": null },
            { "type": "text", "text": "还有" },
            { "type": "link", "title": "上新", "url": "https://shop.example/new" },
        ], "entry": "not-for-people" });
        assert_eq!(
            words(&reply),
            "给您看看\n哪一款？\n白色\n黑色\n尺码表\n还有\n上新\nhttps://shop.example/new"
        );
        assert_eq!(kinds(&reply), "text+choices+image+link");
        assert_eq!((words(&json!({ "text": "" })), kinds(&Value::Null)), (String::new(), "text".to_owned()));
    }

    #[track_caller]
    fn check_until(value: &str, expected: Option<&str>) {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let read = time("until", Some(value), &zone, |day| day.tomorrow().ok());
        match expected {
            Some(expected) => assert_eq!(read.unwrap(), Some(expected.parse().unwrap()), "{value}"),
            None => assert!(read.unwrap_err().to_string().contains(value), "{value}"),
        }
    }

    #[test]
    fn a_day_is_one_of_the_bots_and_ends_with_it() {
        check_until("2026-11-23", Some("2026-11-23T16:00:00Z"));
        check_until("2026-11-23T09:00:00+08:00", Some("2026-11-23T01:00:00Z"));
        check_until("2026-11-23T09:00:00", None);
        check_until("2026-11-31", None);
        check_until("昨天", None);
    }
}
