//! A Turn for people and machines: what the console shows, `ask --json` prints and the store keeps.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::engine::Stage;
use crate::engine::Turn;
use crate::knowledge::Knowledge;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::Stage as RuleStage;
use crate::knowledge::sensitive::SensitiveAction;
use crate::message::Asset;
use crate::message::Part;
use crate::nlu::slot::Origin;
use crate::nlu::slot::Slot;
use crate::nlu::value::Value as SlotValue;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Move;
use crate::policy::decision::Reason;
use crate::reply::quote::quotation;
use crate::service::personal::Personal;
use crate::service::servicing;
use crate::store::Fate;
use crate::store::HandoffRow;
use crate::store::OutboxRow;
use crate::store::TicketRow;
use crate::task::End;
use crate::task::Told;
use crate::text::normalise::normalise;

/// One part of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the fields are those of message::Part")]
pub enum PartView {
    Text {
        text: String,
        /// Characters of the sentence that the customer was after: the first, and the one behind the last.
        #[serde(skip_serializing_if = "Option::is_none")]
        quote: Option<[usize; 2]>,
    },
    Choices {
        prompt: String,
        options: Vec<String>,
    },
    Image {
        url: String,
        title: String,
        until: Option<String>,
    },
    Card {
        title: String,
        description: String,
        url: Option<String>,
        picture: Option<String>,
    },
    File {
        url: String,
        title: String,
        until: Option<String>,
    },
    Voice {
        url: String,
        title: String,
        until: Option<String>,
    },
    Link {
        title: String,
        url: String,
    },
}

/// Where a file of the bot's folder is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its address.
    pub url: String,
    /// The last day on which that works; `None`: for ever.
    pub until: Option<Date>,
}

impl Address {
    /// The path itself, for those who have the folder.
    #[must_use]
    pub fn own(path: &str) -> Self {
        Self { url: path.to_owned(), until: None }
    }
}

/// * `link`: address of a file of the bot's folder.
#[must_use]
pub fn part(part: &Part, link: &dyn Fn(&str) -> Address) -> PartView {
    let picture = |path: &str| {
        if path.starts_with("https://") || path.starts_with("http://") {
            path.to_owned()
        } else {
            link(path).url
        }
    };
    let asset = |asset: &Asset| {
        let Address { url, until } = link(&asset.path);
        (url, asset.title.clone(), until.map(|day| day.to_string()))
    };
    match part {
        Part::Text(text) => PartView::Text { text: text.clone(), quote: None },
        Part::Choices { prompt, options } => {
            PartView::Choices { prompt: prompt.clone(), options: options.clone() }
        }
        Part::Image(own) => {
            let (url, title, until) = asset(own);
            PartView::Image { url, title, until }
        }
        Part::File(own) => {
            let (url, title, until) = asset(own);
            PartView::File { url, title, until }
        }
        Part::Voice(own) => {
            let (url, title, until) = asset(own);
            PartView::Voice { url, title, until }
        }
        Part::Card(card) => PartView::Card {
            title: card.title.clone(),
            description: card.description.clone(),
            url: card.url.clone(),
            picture: card.picture.as_deref().map(picture),
        },
        Part::Link { title, url } => PartView::Link { title: title.clone(), url: url.clone() },
    }
}

/// The reply of a turn; in a long answer of an entry the sentence that was asked for is marked.
///
/// * `link`: address of a file of the bot's folder.
#[must_use]
pub fn reply(engine: &Engine, turn: &Turn, link: &dyn Fn(&str) -> Address) -> Vec<PartView> {
    let mut parts: Vec<PartView> = turn.reply.parts.iter().map(|one| part(one, link)).collect();
    if let Decision::Answer(Basis::Entry(at)) = turn.decision
        && let Some(PartView::Text { text, quote }) = parts.first_mut()
    {
        let utterance = &turn.evidence.utterance;
        let words = utterance.words.iter().map(|word| word.of(utterance.as_str()));
        // What the entry is called, all of its answer is about.
        let title = normalise(&engine.known().entries[at].question);
        let words = words.filter(|word| !title.as_str().contains(word));
        *quote = quotation(text, words).map(|span| {
            let Range { start, end } = span.chars(text);
            [start, end]
        });
    }
    parts
}

/// A handoff as staff, the command line and the webhook see it.
#[must_use]
pub fn handoff(row: &HandoffRow, personal: Personal) -> Value {
    json!({
        "id": row.id,
        "conversation_id": row.conversation_id,
        "bot": row.customer.bot(),
        "channel": row.customer.channel(),
        "customer_id": row.customer.customer_id(),
        "group": row.group,
        "reason": row.reason,
        "due": row.due,
        "opened_at": row.opened_at.to_string(),
        "asked_at": row.asked_at.to_string(),
        "closed_at": row.closed_at.map(|at| at.to_string()),
        "summary": personal.view(serde_json::from_str(&row.summary).unwrap_or(Value::Null)),
    })
}

/// A ticket as staff and the command line see it.
#[must_use]
pub fn ticket(row: &TicketRow, personal: Personal) -> Value {
    json!({
        "id": row.id,
        "conversation_id": row.conversation_id,
        "bot": row.customer.bot(),
        "channel": row.customer.channel(),
        "customer_id": row.customer.customer_id(),
        "task": row.task,
        "title": row.title,
        "fields": personal.view(serde_json::from_str(&row.fields).unwrap_or(Value::Null)),
        "opened_at": row.opened_at.to_string(),
        "closed_at": row.closed_at.map(|at| at.to_string()),
    })
}

/// A message that was never sent, without its words.
#[must_use]
pub fn unsent(row: &OutboxRow) -> Value {
    let reason = match &row.fate {
        Fate::GivenUp { reason } => Some(reason),
        Fate::Waiting | Fate::Sent => None,
    };
    json!({
        "id": row.id,
        "conversation_id": row.conversation_id,
        "app": row.sender,
        "customer_id": row.recipient,
        "attempts": row.attempts,
        "written_at": row.created_at.to_string(),
        "reason": reason,
        "advice": reason.map(|reason| servicing::explained(reason)),
    })
}

/// How a reply came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TurnView {
    /// `answer`, `clarify`, `task`, `handoff`, `decline` or `block`.
    pub action: &'static str,
    /// One sentence in Chinese.
    pub because: String,
    /// Version of the knowledge that answered; absent for a folder.
    pub knowledge: Option<i64>,
    /// What was typed, after masking.
    pub text: String,
    /// Its normal form.
    pub normalised: String,
    /// The message as it was searched with, where it leans on what was said before.
    pub completed: Option<String>,
    /// Its words.
    pub tokens: Vec<String>,
    /// Whether the end of a long message was not looked at.
    pub cut: bool,
    /// What the network says of the whole message; absent for a bot without a model.
    pub intent: Option<IntentView>,
    /// Entities, with places in characters of `text`.
    pub slots: Vec<SlotView>,
    /// Entities that somebody saw and that lost to one of `slots`.
    pub dropped: Vec<SlotView>,
    /// Rules that fired.
    pub rules: Vec<RuleView>,
    /// Candidates, most probable first.
    pub evidence: Vec<EvidenceView>,
    /// What they had to reach.
    pub thresholds: ThresholdsView,
    /// Sensitive words seen.
    pub sensitive: Vec<AlarmView>,
    /// Microseconds a stage, and `total`.
    pub timings_us: BTreeMap<&'static str, u64>,
    /// Tags that rules and tasks put on the customer.
    pub tags: Vec<String>,
    /// Where a task stands that had a part in it; absent where none had.
    pub task: Option<TaskView>,
}

/// A task as it stands after a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// The step that it stands at.
    pub step: String,
    /// `waiting`, `calling`, `done` or `handoff`.
    pub end: &'static str,
    /// Slots that are filled.
    pub slots: BTreeMap<String, Value>,
    /// Times that the step's prompt was put.
    pub tries: u32,
    /// Steps that were reached (`false`) and passed (`true`) by this message.
    pub steps: Vec<(String, bool)>,
}

/// Where a task stands.
#[must_use]
pub fn task(told: &Told) -> TaskView {
    TaskView {
        id: told.task.clone(),
        step: told.progress.step.clone(),
        end: match told.end {
            End::Waiting => "waiting",
            End::Calling(_) => "calling",
            End::Done => "done",
            End::Handoff(_) => "handoff",
        },
        slots: told.progress.slots.clone(),
        tries: told.progress.tries,
        steps: told.events.iter().map(|event| (event.step.clone(), event.passed)).collect(),
    }
}

/// What the network says of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntentView {
    /// The most probable intents with their probabilities, at most 5.
    pub top: Vec<(String, f32)>,
    /// All wishes, the most probable first.
    pub wishes: Vec<String>,
    /// Probability of being from outside of the bot's world.
    pub out_of_scope: f32,
    /// Whether that is enough to decline.
    pub foreign: bool,
    /// Version of the model: the first digits of its checksum.
    pub model: String,
}

/// Intents that are shown.
const INTENTS_SHOWN: usize = 5;

/// An entity: name, value, start and end as a taxonomy row has them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlotView {
    /// Its name.
    pub name: &'static str,
    /// As typed.
    pub value: String,
    /// First character.
    pub start: usize,
    /// The character behind the last.
    pub end: usize,
    /// Whether the mention is denied.
    pub negated: bool,
    /// Who found it: `pattern`, `lexicon`, `sound` or `network`.
    pub found_by: &'static str,
    /// How sure the network is, where it found it.
    pub confidence: Option<f32>,
    /// Who else saw the same.
    pub seconded_by: Vec<&'static str>,
    /// What a machine makes of it.
    pub meaning: Value,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "see rules::RuleHit")]
pub struct RuleView {
    pub id: String,
    pub stage: &'static str,
    pub because: Vec<String>,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceView {
    /// `faq`, `product` or `rule`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What to call it.
    pub title: String,
    /// BM25; absent for rules.
    pub score: Option<f32>,
    /// How likely it answers the message, all that speaks for it taken together.
    pub probability: f32,
    /// The same by search alone; absent for rules and products.
    pub searched: Option<f32>,
    /// Cosine of the nearest way of asking; absent for rules and products, and without a model.
    pub cosine: Option<f32>,
    /// The way of asking that spoke for the entry; absent for rules and products.
    pub phrasing: Option<String>,
    /// What each feature adds to the log-odds by search alone; absent for rules and products.
    pub shares: Option<BTreeMap<&'static str, f32>>,
    /// Words of the message that speak for it.
    pub matched: Vec<String>,
    /// File and line.
    pub source: String,
}

/// The thresholds of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "see knowledge::profile::Thresholds")]
pub struct ThresholdsView {
    pub answer: f32,
    pub clarify: f32,
    pub margin: f32,
    pub intent: f32,
}

/// A sensitive word that was seen; the word itself is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "see policy::evidence::Alarm")]
pub struct AlarmView {
    pub id: String,
    pub action: &'static str,
}

/// Writes a Turn down.
#[must_use]
pub fn turn(engine: &Engine, turn: &Turn, timings: &[(Stage, Duration)]) -> TurnView {
    let known = engine.known();
    let utterance = &turn.evidence.utterance;
    let text = utterance.as_str();
    let limits = known.profile.thresholds;
    TurnView {
        action: turn.decision.action(),
        because: because(engine, turn),
        knowledge: known.version,
        text: utterance.normalised.original().to_owned(),
        normalised: text.to_owned(),
        completed: turn.evidence.completed.clone(),
        tokens: utterance.words.iter().map(|word| word.of(text).to_owned()).collect(),
        cut: utterance.cut,
        intent: intent(engine, turn),
        slots: slots(engine, turn),
        dropped: turn.evidence.meaning.dropped.iter().map(|one| slot(engine, turn, one)).collect(),
        rules: turn
            .evidence
            .rules
            .iter()
            .map(|hit| RuleView {
                id: hit.id.clone(),
                stage: match hit.stage {
                    RuleStage::Hard => "hard",
                    RuleStage::Soft => "soft",
                },
                because: hit.because.clone(),
            })
            .collect(),
        evidence: candidates(engine, turn),
        thresholds: ThresholdsView {
            answer: limits.answer,
            clarify: limits.clarify,
            margin: limits.margin,
            intent: limits.intent,
        },
        sensitive: turn
            .evidence
            .sensitive
            .iter()
            .map(|alarm| AlarmView { id: alarm.id.clone(), action: alarm_action(alarm.action) })
            .collect(),
        timings_us: timings_us(timings),
        tags: turn.tags.clone(),
        task: turn.told.as_ref().map(task),
    }
}

/// What the network says of the whole message.
#[must_use]
pub fn intent(engine: &Engine, turn: &Turn) -> Option<IntentView> {
    let intents = turn.evidence.meaning.intents.as_ref()?;
    let top = intents.ranked.iter().take(INTENTS_SHOWN).map(|(name, share)| (name.clone(), share.value()));
    Some(IntentView {
        top: top.collect(),
        wishes: intents.wishes.clone(),
        out_of_scope: intents.out_of_scope.value(),
        foreign: intents.foreign,
        model: engine.model().map_or_else(String::new, |loaded| loaded.version().to_owned()),
    })
}

/// Entities with places in characters of what was typed.
#[must_use]
pub fn slots(engine: &Engine, turn: &Turn) -> Vec<SlotView> {
    turn.evidence.meaning.slots.iter().map(|one| slot(engine, turn, one)).collect()
}

fn slot(engine: &Engine, turn: &Turn, slot: &Slot) -> SlotView {
    let normalised = &turn.evidence.utterance.normalised;
    let original = normalised.original();
    let span = normalised.to_original(slot.span);
    let value = span.of(original);
    let Range { start, end } = span.chars(original);
    SlotView {
        name: slot.name.as_str(),
        value: value.to_owned(),
        start,
        end,
        negated: slot.negated,
        found_by: slot.origin.as_str(),
        confidence: match slot.origin {
            Origin::Network(sure) => Some(sure.value()),
            Origin::Pattern | Origin::Lexicon | Origin::Sound => None,
        },
        seconded_by: slot.seconded.iter().map(|origin| origin.as_str()).collect(),
        meaning: slot.value.as_ref().map_or(Value::Null, |value| meaning(engine, value)),
    }
}

fn meaning(engine: &Engine, value: &SlotValue) -> Value {
    let yuan = |fen: Option<u64>| fen.map(|fen| fen as f64 / 100.0);
    match value {
        SlotValue::Period(period) => {
            // The bot's wall clock with its offset: readers elsewhere see the customer's hours.
            let told = |at| engine.calendar().zoned(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
            json!({ "from": told(period.from), "to": told(period.to) })
        }
        SlotValue::Amount(amount) => json!({ "count": amount.count, "unit": amount.unit }),
        SlotValue::Money(money) => {
            json!({ "yuan_min": yuan(money.fen_min), "yuan_max": yuan(money.fen_max) })
        }
        SlotValue::Measure(measure) => {
            let kind = format!("{:?}", measure.kind).to_lowercase();
            json!({ "measure": kind, "value": measure.value, "unit": measure.unit })
        }
        SlotValue::Colour(colour) => json!({ "colour": colour.canonical, "family": colour.family }),
        SlotValue::Word(word) => json!({ "word": word }),
        SlotValue::Products { word, products } => {
            let known = &engine.known().products;
            let ids: Vec<&str> = products.iter().map(|place| known[*place].id.as_str()).collect();
            json!({ "word": word, "products": ids })
        }
    }
}

fn task_title<'a>(known: &'a Knowledge, id: &'a str) -> &'a str {
    known.tasks.iter().find(|task| task.id == id).map_or(id, |task| &task.title)
}

/// The Chinese title of an intent.
#[must_use]
pub fn topic<'a>(known: &'a Knowledge, intent: &'a str) -> &'a str {
    known.profile.topics.get(intent).map_or(intent, String::as_str)
}

/// What speaks for the reply: rules with words or a handoff, then the candidates.
#[must_use]
pub fn evidence(engine: &Engine, turn: &Turn) -> Vec<EvidenceView> {
    let known = engine.known();
    let rules =
        turn.evidence.rules.iter().filter(|hit| hit.actions.iter().any(ActionSpec::is_heard)).map(|hit| {
            EvidenceView {
                kind: "rule",
                id: hit.id.clone(),
                title: hit.because.join("、"),
                score: None,
                probability: 1.0,
                searched: None,
                cosine: None,
                phrasing: None,
                shares: None,
                matched: hit.because.clone(),
                source: format!("rules.toml:{}", known.rules.get(hit.rule).map_or(0, |rule| rule.line)),
            }
        });
    rules.chain(candidates(engine, turn)).collect()
}

/// Entries and products, most probable first.
#[must_use]
pub fn candidates(engine: &Engine, turn: &Turn) -> Vec<EvidenceView> {
    let known = engine.known();
    let entries = turn.evidence.entries.iter().map(|hit| {
        let entry = &known.entries[hit.entry];
        EvidenceView {
            kind: "faq",
            id: entry.id.clone(),
            title: entry.question.clone(),
            score: Some(hit.score),
            probability: hit.probability.value(),
            searched: Some(hit.searched.value()),
            cosine: hit.features.nearness.map(|nearness| nearness.cosine),
            phrasing: Some(match hit.phrasing {
                0 => entry.question.clone(),
                at => entry.phrasings.get(at - 1).cloned().unwrap_or_default(),
            }),
            shares: Some(hit.features.shares().into_iter().collect()),
            matched: hit.matched.clone(),
            source: format!("{}:{}", entry.source.file, entry.source.line),
        }
    });
    let products = turn.evidence.products.hits.iter().map(|hit| {
        let product = &known.products[hit.product];
        EvidenceView {
            kind: "product",
            id: product.id.clone(),
            title: product.name.clone(),
            score: Some(hit.score),
            probability: hit.probability.value(),
            searched: None,
            cosine: None,
            phrasing: None,
            shares: None,
            matched: hit.matched.clone(),
            source: format!("{}:{}", product.source.file, product.source.line),
        }
    });
    let mut found: Vec<EvidenceView> = entries.chain(products).collect();
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found
}

fn because(engine: &Engine, turn: &Turn) -> String {
    let known = engine.known();
    let limits = known.profile.thresholds;
    let reason = |reason: &Reason| match reason {
        Reason::Rule(id) => format!("规则“{id}”要求"),
        Reason::Sensitive(id) => format!("敏感词“{id}”要求"),
        Reason::Intent(id) => format!("意图“{}”要求", topic(known, id)),
        Reason::Task(id) => format!("任务“{}”走到了人工", task_title(known, id)),
        Reason::Chosen => "客户在选项里选了人工".to_owned(),
        Reason::Unknown => "知识库里没有把握足够的答案".to_owned(),
    };
    match &turn.decision {
        Decision::Answer(Basis::Greeting) => "客户打开了会话，先打招呼".to_owned(),
        Decision::Answer(Basis::Entry(at)) => {
            let entry = &known.entries[*at];
            let hit = turn.evidence.entries.iter().find(|hit| hit.entry == *at);
            match hit.filter(|hit| hit.probability.value() >= limits.answer) {
                Some(hit) => format!(
                    "知识条目“{}”的把握 {:.2} 达到回答线 {:.2}",
                    entry.question,
                    hit.probability.value(),
                    limits.answer
                ),
                None => format!("客户从选项里选了“{}”", entry.question),
            }
        }
        Decision::Answer(Basis::Product(at)) => format!("说的是商品“{}”", known.products[*at].name),
        Decision::Answer(Basis::Rules(places)) => {
            let ids: Vec<&str> = places
                .iter()
                .filter_map(|at| turn.evidence.rules.get(*at))
                .map(|hit| hit.id.as_str())
                .collect();
            format!("规则“{}”给出回复", ids.join("、"))
        }
        Decision::Answer(Basis::Intent(id)) => {
            format!("意图是“{}”，按 bot.toml 的 [intents] 回复", topic(known, id))
        }
        Decision::Answer(Basis::Rest) => "客户要看上一条的下文".to_owned(),
        Decision::Answer(Basis::Dropped) => "客户不办了，前面说的都放下".to_owned(),
        Decision::Answer(Basis::Rated(rating)) => format!("客户评价这次服务：{}", rating.title()),
        Decision::Answer(Basis::NothingLeft) => "客户要看下文，但已经没有了".to_owned(),
        Decision::Answer(Basis::NoWords) => "消息里没有文字".to_owned(),
        Decision::Answer(Basis::Media) => "机器人看不懂图片、语音和文件".to_owned(),
        Decision::Clarify { about: About::Topics, .. } => {
            format!("最接近的答案把握不够（回答线 {:.2}）或几个答案难分上下，反问一句", limits.answer)
        }
        Decision::Clarify { about: About::Products, .. } => "几款商品都符合，请客户挑".to_owned(),
        Decision::Task { id, step } => {
            let title = task_title(known, id);
            match step {
                Move::Begin => format!("开始办“{title}”"),
                Move::GoOn => format!("接着办“{title}”"),
                Move::AskAgain => format!("“{title}”在等一个回答，这句不是，再问一次"),
            }
        }
        Decision::Handoff { group, reason: why, .. } => format!("{}，转给 {group}", reason(why)),
        Decision::Decline(why) => format!("{}，但这个机器人没有可转接的人，给出联系方式", reason(why)),
        Decision::Block { spec } => {
            let id = known.sensitive.get(*spec).map_or("?", |spec| spec.id.as_str());
            format!("敏感词“{id}”要求拦下")
        }
    }
}

fn alarm_action(action: SensitiveAction) -> &'static str {
    match action {
        SensitiveAction::Block => "block",
        SensitiveAction::Mask => "mask",
        SensitiveAction::Handoff => "handoff",
    }
}

fn timings_us(timings: &[(Stage, Duration)]) -> BTreeMap<&'static str, u64> {
    let mut before = Duration::ZERO;
    let mut result = BTreeMap::new();
    for (stage, reached) in timings {
        result.insert(stage.as_str(), micros(reached.saturating_sub(before)));
        before = *reached;
    }
    result.insert("total", micros(before));
    result
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
