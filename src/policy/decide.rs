//! The chain: sensitive words, what was left open last time, the answer that a task waits for, hard rules, a task that
//! begins, FAQ and products over the threshold, what the intent alone allows, a clarifying question, soft rules, a human.

use jiff::Timestamp;

use crate::knowledge::Knowledge;
use crate::knowledge::profile::Thresholds;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::Stage;
use crate::knowledge::sensitive::SensitiveAction;
use crate::message::MessageKind;
use crate::nlu::model::OUT_OF_SCOPE;
use crate::policy::attend;
use crate::policy::choice;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Move;
use crate::policy::decision::Reason;
use crate::policy::evidence::Evidence;
use crate::policy::follow;
use crate::policy::state::Choice;
use crate::policy::state::State;
use crate::policy::state::Target;
use crate::policy::survey;
use crate::probability::Probability;
use crate::retrieval::faq::EntryHit;
use crate::rules::RuleHit;

/// Topics offered at most when the bot asks back.
pub const TOPICS_MAX: usize = 3;

/// Products offered at most when several fit.
pub const PRODUCTS_MAX: usize = 5;

/// Words of the choice that leads to a human.
const NONE_OF_THESE: &str = "都不是，转人工";

/// Words that ask for the rest of a long text.
const GO_ON: [&str; 8] = ["继续", "更多", "下一页", "接着说", "后面呢", "还有呢", "继续说", "继续看"];

/// A decision with what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What to do.
    pub decision: Decision,
    /// What the talk remembers.
    pub state: State,
    /// Tags to put on the customer, in the order of the rules.
    pub tags: Vec<String>,
}

/// Decides; answers any evidence.
///
/// * `known`: the bot's knowledge, with thresholds and groups.
/// * `before`: what the talk remembered.
/// * `usable`: whether an entry, by its place, may be shown now.
/// * `now`: when the message came.
#[must_use]
pub fn decide(
    known: &Knowledge,
    before: &State,
    evidence: &Evidence,
    usable: &dyn Fn(usize) -> bool,
    now: Timestamp,
) -> Outcome {
    let picked = left_open(known, before, evidence, usable);
    let decision = alarmed(known, evidence)
        .or_else(|| picked.clone())
        .or_else(|| rated(before, evidence, now))
        .or_else(|| attend::plainly_answered(known, evidence))
        .or_else(|| hard(known, evidence))
        .or_else(|| attend::answered(known, evidence))
        .or_else(|| without_words(evidence).filter(|_| evidence.completed.is_none()))
        .or_else(|| attend::begun(known, evidence))
        .or_else(|| attend::said_again(evidence))
        .or_else(|| match (found(known, evidence), meant(known, evidence)) {
            // Whose wish for a person is plain gets one, and no quiz.
            (Some(Decision::Clarify { .. }), Some(handoff @ Decision::Handoff { .. })) => Some(handoff),
            (found, meant) => {
                let serious = |decision: &Decision| !attend::is_small_talk(known, evidence, decision);
                found.filter(serious).or(meant.filter(serious))
            }
        })
        .or_else(|| attend::asked_again(evidence))
        .or_else(|| nearly_found(known, evidence))
        .or_else(|| ruled(known, &evidence.rules, Stage::Soft))
        .unwrap_or_else(|| to_human(known, None, Reason::Unknown));
    let focus = follow::focus(known, before, &decision, &evidence.products, now);
    let state = match &decision {
        Decision::Answer(Basis::Dropped) => {
            return Outcome { decision, state: State::default(), tags: tags(&evidence.rules) };
        }
        Decision::Clarify { choices, .. } => State { pending: choices.clone(), ..State::default() },
        // A greeting, a sticker or a picture in between takes neither the question back nor the rest.
        Decision::Answer(
            Basis::Greeting | Basis::NoWords | Basis::Media | Basis::NothingLeft | Basis::Intent(_),
        ) => before.clone(),
        Decision::Answer(Basis::Rest) => State { pending: before.pending.clone(), ..State::default() },
        // Who has looked at the second may want to see the first as well.
        Decision::Answer(_) if picked.as_ref() == Some(&decision) => {
            State { pending: before.pending.clone(), ..State::default() }
        }
        Decision::Answer(Basis::Product(at)) if is_offered(before, &known.products[*at].id) => {
            State { pending: before.pending.clone(), ..State::default() }
        }
        Decision::Answer(_)
        | Decision::Task { .. }
        | Decision::Handoff { .. }
        | Decision::Decline(_)
        | Decision::Block { .. } => State::default(),
    };
    Outcome { decision, state: State { focus, ..state }, tags: tags(&evidence.rules) }
}

fn rated(before: &State, evidence: &Evidence, now: Timestamp) -> Option<Decision> {
    let rating = survey::rated(before, evidence.utterance.as_str(), now)?;
    Some(Decision::Answer(Basis::Rated(rating)))
}

fn is_offered(before: &State, product: &str) -> bool {
    before.pending.iter().any(|choice| matches!(&choice.target, Target::Product(id) if id == product))
}

fn alarmed(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let with = |action| evidence.sensitive.iter().find(|alarm| alarm.action == action);
    if let Some(alarm) = with(SensitiveAction::Block) {
        return Some(Decision::Block { spec: alarm.spec });
    }
    let alarm = with(SensitiveAction::Handoff)?;
    let group = known.sensitive.get(alarm.spec).and_then(|spec| spec.group.as_deref());
    Some(to_human(known, group, Reason::Sensitive(alarm.id.clone())))
}

fn left_open(
    known: &Knowledge,
    before: &State,
    evidence: &Evidence,
    usable: &dyn Fn(usize) -> bool,
) -> Option<Decision> {
    let text = evidence.utterance.as_str().trim_end_matches(|c: char| !c.is_alphanumeric());
    let gives_up = follow::drops(text) || attend::gives_up(evidence);
    if gives_up && *before != State::default() {
        return Some(Decision::Answer(Basis::Dropped));
    }
    let goes_on = GO_ON.contains(&text);
    if goes_on && before.rest.is_some() {
        return Some(Decision::Answer(Basis::Rest));
    }
    // With nothing left to read, 更多 may still be the words of a choice: 更多优惠.
    chosen(known, before, evidence, usable).or(goes_on.then_some(Decision::Answer(Basis::NothingLeft)))
}

fn chosen(
    known: &Knowledge,
    before: &State,
    evidence: &Evidence,
    usable: &dyn Fn(usize) -> bool,
) -> Option<Decision> {
    let choice = &before.pending[choice::pick(evidence.utterance.as_str(), &before.pending)?];
    match &choice.target {
        Target::Human => Some(to_human(known, None, Reason::Chosen)),
        // What was offered may be gone by now; then the words are read as a new message.
        Target::Entry(id) => known
            .entries
            .iter()
            .position(|entry| entry.id == *id)
            .filter(|at| usable(*at))
            .map(|at| Decision::Answer(Basis::Entry(at))),
        Target::Product(id) => known
            .products
            .iter()
            .position(|product| product.id == *id)
            .map(|at| Decision::Answer(Basis::Product(at))),
    }
}

/// What a hard rule says, where it may interrupt a task; an intent knows better which task begins.
fn hard(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let decision = ruled(known, &evidence.rules, Stage::Hard)?;
    let begins = matches!(decision, Decision::Task { .. });
    let decision = attend::interrupts(evidence, &decision).then_some(decision);
    if begins { attend::begun(known, evidence).or(decision) } else { decision }
}

fn ruled(known: &Knowledge, rules: &[RuleHit], stage: Stage) -> Option<Decision> {
    let hits = || rules.iter().enumerate().filter(|(_, hit)| hit.stage == stage);
    let handoff = hits().find_map(|(_, hit)| {
        hit.actions.iter().find_map(|action| match action {
            ActionSpec::Handoff(group) => Some((hit, group)),
            _ => None,
        })
    });
    let speaking: Vec<usize> = hits().filter(|(_, hit)| speaks(hit)).map(|(at, _)| at).collect();
    if let Some((hit, group)) = handoff {
        let decision = to_human(known, Some(group), Reason::Rule(hit.id.clone()));
        return Some(match decision {
            Decision::Handoff { group, reason, .. } => Decision::Handoff { group, reason, said: speaking },
            other => other,
        });
    }
    let task = hits().flat_map(|(_, hit)| &hit.actions).find_map(|action| match action {
        ActionSpec::Task(id) => Some(id),
        _ => None,
    });
    if let Some(id) = task {
        return Some(Decision::Task { id: id.clone(), step: Move::Begin });
    }
    (!speaking.is_empty()).then_some(Decision::Answer(Basis::Rules(speaking)))
}

fn speaks(hit: &RuleHit) -> bool {
    hit.actions.iter().any(|action| matches!(action, ActionSpec::Reply(_) | ActionSpec::Text(_)))
}

fn without_words(evidence: &Evidence) -> Option<Decision> {
    match evidence.kind {
        MessageKind::Entered => Some(Decision::Answer(Basis::Greeting)),
        MessageKind::Image | MessageKind::Voice | MessageKind::Video | MessageKind::File => {
            evidence.task.waiting.is_none().then_some(Decision::Answer(Basis::Media))
        }
        MessageKind::Text | MessageKind::Location | MessageKind::Link => {
            // Figures may be the answer that a task waits for, or a poor try at one.
            let is_silent = !evidence.utterance.has_words() && evidence.task.waiting.is_none();
            is_silent.then_some(Decision::Answer(Basis::NoWords))
        }
    }
}

/// What the intent alone allows: manners for small talk, a refusal for what is no business of ours, a human.
fn meant(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let intents = evidence.meaning.intents.as_ref()?;
    let (intent, probability) = intents.first()?;
    // What is foreign is none of the bot's intents, however probable the best of them is among themselves.
    let sure = if intents.foreign {
        intent == OUT_OF_SCOPE
    } else {
        probability.value() >= known.profile.thresholds.intent
    };
    let spec = known.profile.intents.get(intent).filter(|_| sure && intents.wishes.len() == 1)?;
    match (&spec.handoff, &spec.reply) {
        (Some(group), _) => Some(to_human(known, Some(group), Reason::Intent(intent.to_owned()))),
        (None, Some(_)) => Some(Decision::Answer(Basis::Intent(intent.to_owned()))),
        (None, None) => None,
    }
}

/// FAQ and products that are sure enough: an answer, or a question which of several.
pub(super) fn found(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let limits = known.profile.thresholds;
    let entry = evidence.entries.first().map(|hit| hit.probability.value());
    let product = evidence.products.hits.first().map(|hit| hit.probability.value());
    // `None` is below every threshold, one of 0 included.
    if product >= Some(limits.answer) && product >= entry {
        return Some(products(known, evidence));
    }
    if let (Some(best), [first, others @ ..]) = (entry, evidence.entries.as_slice())
        && best >= limits.answer
    {
        let is_close = |hit: &&EntryHit| is_close(limits, first.probability, hit.probability);
        let n_rivals = others.iter().filter(is_close).count();
        if n_rivals == 0 {
            return Some(Decision::Answer(Basis::Entry(first.entry)));
        }
        return Some(topics(known, evidence, TOPICS_MAX.min(n_rivals + 1)));
    }
    None
}

/// Whether a candidate is as good as the best one. Near certainty a hundredth is a great deal: there the odds have to be
/// close as well, as close as the margin makes them where the best one is right nineteen times in twenty.
fn is_close(limits: Thresholds, best: Probability, other: Probability) -> bool {
    // By so much the log-odds grow with the probability there.
    const SLOPE: f32 = 1.0 / (0.95 * 0.05);
    best.value() - other.value() < limits.margin && best.logit() - other.logit() < SLOPE * limits.margin
}

/// FAQ and products that may be meant: a question back.
fn nearly_found(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let limit = known.profile.thresholds.clarify;
    let entry = evidence.entries.first().map(|hit| hit.probability.value());
    let product = evidence.products.hits.first().map(|hit| hit.probability.value());
    (entry >= Some(limit) || product >= Some(limit)).then(|| topics(known, evidence, TOPICS_MAX))
}

/// All products as likely as the first one: it alone, or a list to choose from.
fn products(known: &Knowledge, evidence: &Evidence) -> Decision {
    let hits = &evidence.products.hits;
    let limits = known.profile.thresholds;
    let rivals = hits[1..].iter().take_while(|hit| is_close(limits, hits[0].probability, hit.probability));
    let equal: Vec<usize> = hits[..1].iter().chain(rivals).map(|hit| hit.product).collect();
    match equal.as_slice() {
        [only] => Decision::Answer(Basis::Product(*only)),
        several => Decision::Clarify {
            choices: several.iter().take(PRODUCTS_MAX).map(|at| product_choice(known, *at)).collect(),
            about: About::Products,
        },
    }
}

/// The nearest topics, the nearest product among them, and the way to a human.
fn topics(known: &Knowledge, evidence: &Evidence, topics_max: usize) -> Decision {
    let near = known.profile.thresholds.clarify / 2.0;
    let mut nearest: Vec<(f32, Choice)> = evidence
        .entries
        .iter()
        .map(|hit| {
            let entry = &known.entries[hit.entry];
            let choice = Choice { title: entry.question.clone(), target: Target::Entry(entry.id.clone()) };
            (hit.probability.value(), choice)
        })
        .chain(
            evidence
                .products
                .hits
                .first()
                .map(|hit| (hit.probability.value(), product_choice(known, hit.product))),
        )
        .filter(|(probability, _)| *probability >= near)
        .collect();
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut choices: Vec<Choice> = nearest.into_iter().take(topics_max).map(|(_, choice)| choice).collect();
    choices.push(Choice { title: NONE_OF_THESE.to_owned(), target: Target::Human });
    Decision::Clarify { choices, about: About::Topics }
}

fn product_choice(known: &Knowledge, at: usize) -> Choice {
    let product = &known.products[at];
    Choice {
        title: format!("{} {}元", product.name, product.price_yuan()),
        target: Target::Product(product.id.clone()),
    }
}

/// A human of the group, else of the default group; without either the bot says how to reach the company.
pub(super) fn to_human(known: &Knowledge, group: Option<&str>, reason: Reason) -> Decision {
    let handoff = &known.profile.handoff;
    let mut named = group.into_iter().chain(handoff.default_group.as_deref());
    match named.find(|group| handoff.groups.contains_key(*group)) {
        Some(group) => Decision::Handoff { group: group.to_owned(), reason, said: Vec::new() },
        None => Decision::Decline(reason),
    }
}

fn tags(rules: &[RuleHit]) -> Vec<String> {
    rules
        .iter()
        .flat_map(|hit| &hit.actions)
        .filter_map(|action| match action {
            ActionSpec::Tag(tag) => Some(tag.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
