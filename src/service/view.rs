//! A Turn for people and machines: what the console shows, `ask --json` prints and the store keeps.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::engine::Stage;
use crate::engine::Turn;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::Stage as RuleStage;
use crate::knowledge::sensitive::SensitiveAction;
use crate::message::Part;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Reason;
use crate::store::HandoffRow;

/// One part of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the fields are those of message::Part")]
pub enum PartView {
    Text { text: String },
    Choices { prompt: String, options: Vec<String> },
    Image { url: String, title: String },
    Card { title: String, description: String, url: Option<String>, picture: Option<String> },
    File { url: String, title: String },
    Voice { url: String, title: String },
    Link { title: String, url: String },
}

/// * `link`: address of a file of the bot's folder.
#[must_use]
pub fn part(part: &Part, link: &dyn Fn(&str) -> String) -> PartView {
    let picture = |path: &str| {
        if path.starts_with("https://") || path.starts_with("http://") { path.to_owned() } else { link(path) }
    };
    match part {
        Part::Text(text) => PartView::Text { text: text.clone() },
        Part::Choices { prompt, options } => {
            PartView::Choices { prompt: prompt.clone(), options: options.clone() }
        }
        Part::Image(asset) => PartView::Image { url: link(&asset.path), title: asset.title.clone() },
        Part::File(asset) => PartView::File { url: link(&asset.path), title: asset.title.clone() },
        Part::Voice(asset) => PartView::Voice { url: link(&asset.path), title: asset.title.clone() },
        Part::Card(card) => PartView::Card {
            title: card.title.clone(),
            description: card.description.clone(),
            url: card.url.clone(),
            picture: card.picture.as_deref().map(picture),
        },
        Part::Link { title, url } => PartView::Link { title: title.clone(), url: url.clone() },
    }
}

/// A handoff as staff, the command line and the webhook see it.
#[must_use]
pub fn handoff(row: &HandoffRow) -> Value {
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
        "summary": serde_json::from_str::<Value>(&row.summary).unwrap_or(Value::Null),
    })
}

/// How a reply came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TurnView {
    /// `answer`, `clarify`, `handoff`, `decline` or `block`.
    pub action: &'static str,
    /// One sentence in Chinese.
    pub because: String,
    /// What was typed, after masking.
    pub text: String,
    /// Its normal form.
    pub normalised: String,
    /// Its words.
    pub tokens: Vec<String>,
    /// Whether the end of a long message was not looked at.
    pub cut: bool,
    /// Entities, with places in characters of `text`.
    pub slots: Vec<SlotView>,
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
    /// Tags that rules put on the customer.
    pub tags: Vec<String>,
}

/// An entity, as a taxonomy row has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the taxonomy says what they are")]
pub struct SlotView {
    pub name: &'static str,
    pub value: String,
    pub start: usize,
    pub end: usize,
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
    /// How likely it answers the message.
    pub probability: f32,
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
        text: utterance.normalised.original().to_owned(),
        normalised: text.to_owned(),
        tokens: utterance.words.iter().map(|word| word.of(text).to_owned()).collect(),
        cut: utterance.cut,
        slots: slots(turn),
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
        thresholds: ThresholdsView { answer: limits.answer, clarify: limits.clarify, margin: limits.margin },
        sensitive: turn
            .evidence
            .sensitive
            .iter()
            .map(|alarm| AlarmView { id: alarm.id.clone(), action: alarm_action(alarm.action) })
            .collect(),
        timings_us: timings_us(timings),
        tags: turn.tags.clone(),
    }
}

/// Entities with places in characters of what was typed.
#[must_use]
pub fn slots(turn: &Turn) -> Vec<SlotView> {
    let normalised = &turn.evidence.utterance.normalised;
    let original = normalised.original();
    turn.evidence
        .slots
        .iter()
        .map(|slot| {
            let span = normalised.to_original(slot.span);
            let value = span.of(original);
            let start = original[..span.start].chars().count();
            SlotView {
                name: slot.name.as_str(),
                value: value.to_owned(),
                start,
                end: start + value.chars().count(),
            }
        })
        .collect()
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
        Decision::Answer(Basis::Rest) => "客户要看上一条的下文".to_owned(),
        Decision::Answer(Basis::NothingLeft) => "客户要看下文，但已经没有了".to_owned(),
        Decision::Answer(Basis::NoWords) => "消息里没有文字".to_owned(),
        Decision::Answer(Basis::Media) => "机器人看不懂图片、语音和文件".to_owned(),
        Decision::Clarify { about: About::Topics, .. } => {
            format!("最接近的答案把握不够（回答线 {:.2}）或几个答案难分上下，反问一句", limits.answer)
        }
        Decision::Clarify { about: About::Products, .. } => "几款商品都符合，请客户挑".to_owned(),
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
