//! One turn as the store keeps it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::engine::Turn;
use crate::message::Inbound;
use crate::message::MessageKind;
use crate::message::Part;
use crate::policy::choice;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Reason;
use crate::policy::state::Choice;
use crate::policy::state::State;
use crate::policy::state::Target;
use crate::service::call;
use crate::service::delivery::Composed;
use crate::service::delivery::Delivery;
use crate::service::delivery::message_key;
use crate::service::enclosure::MEDIA;
use crate::service::handover;
use crate::service::personal;
use crate::service::personal::PLACES;
use crate::service::servicing;
use crate::service::servicing::Talk;
use crate::service::state;
use crate::service::view;
use crate::store::ConversationRow;
use crate::store::HandoffRequest;
use crate::store::NAME_BYTES_MAX;
use crate::store::NewOutbox;
use crate::store::NewTicket;
use crate::store::Speaker;
use crate::store::TaskStep;
use crate::store::TurnRow;
use crate::task::Call;
use crate::task::StepEvent;
use crate::task::Ticket;

/// Above the number of any part of a reply, so that what follows it has a key of its own.
const PARTS_MAX: usize = 1_000;

/// Everything that one message changes, for one transaction.
pub(super) fn row(
    engine: &Engine,
    conversation: &ConversationRow,
    (inbound, with): (&Inbound, &[MessageKind]),
    turn: &Turn,
    composed: Composed,
    now: Timestamp,
) -> serde_json::Result<TurnRow> {
    let text = turn.evidence.utterance.normalised.original();
    let said = said(inbound.content.kind(), (text, &personal::spans(turn)), with, &composed.media);
    // The candidates that lost are left out: they can be computed again from text and version.
    let view = view::turn(engine, turn, &[]);
    let before = state::read(&conversation.state)?;
    let reply = json!({
        "parts": parts(&turn.reply.parts),
        "action": view.action,
        "because": view.because,
        "knowledge": view.knowledge,
        "reason": reason(&turn.decision).map(Reason::as_str),
        "entry": entry(engine, turn),
        "offered": offered(&turn.decision),
        "intent": intent(engine, turn),
        "picked": picked(engine, turn, &before),
        "task": view.task.as_ref().map(|task| json!({ "id": task.id, "step": task.step, "end": task.end })),
        "model": view.intent.as_ref().map(|intent| intent.model.as_str()),
        "evidence": view.evidence.iter().take(3)
            .map(|one| json!({ "kind": one.kind, "id": one.id, "probability": one.probability }))
            .collect::<Vec<_>>(),
    });
    Ok(TurnRow {
        conversation_id: conversation.id,
        revision: conversation.revision,
        at: now,
        inbound: said,
        outbound: reply.to_string(),
        state: state::write(&turn.state)?,
        tags_added: turn.tags.iter().cloned().collect::<BTreeSet<_>>(),
        record: turn.told.as_ref().map(|told| told.effects.record.clone()).unwrap_or_default(),
        tickets: tickets(turn),
        steps: steps(turn),
        rating: match turn.decision {
            Decision::Answer(Basis::Rated(rating)) => Some(rating),
            _ => None,
        },
        idle_at: handover::idle_at(engine, now),
        handoff: handoff(engine, inbound, turn, now),
        answers: composed.answers,
        route: composed.route,
        outbox: composed.outbox,
    })
}

/// What a customer sent, as the store keeps it.
///
/// * `personal`: places of entities that tell who they are.
/// * `media`: the channel's ids of what was sent beside words.
pub(super) fn said(
    kind: MessageKind,
    (text, personal): (&str, &[[usize; 2]]),
    with: &[MessageKind],
    media: &[String],
) -> String {
    let mut said = json!({ "kind": kind.as_str(), "text": text });
    if !personal.is_empty() {
        said[PLACES] = json!(personal);
    }
    if !with.is_empty() {
        said["with"] = with.iter().map(|kind| kind.as_str()).collect();
    }
    if !media.is_empty() {
        said[MEDIA] = json!(media);
    }
    said.to_string()
}

/// The call that lets a customer of 微信客服 wait in the WeCom client, behind the words that say so; where the bot hands
/// over there, and nobody has them yet.
pub(super) fn to_pool(
    engine: &Engine,
    conversation: &ConversationRow,
    delivery: Option<&Delivery>,
    turn: &Turn,
) -> Option<NewOutbox> {
    let route = delivery?.route.as_ref()?;
    let is_handoff = matches!(turn.decision, Decision::Handoff { .. });
    if !is_handoff || !engine.known().profile.handoff.in_client || conversation.speaker == Speaker::Human {
        return None;
    }
    let talk = Talk {
        bot: &engine.known().bot,
        open_kfid: route.kf.as_deref()?,
        external_userid: conversation.customer.customer_id(),
    };
    let key = message_key(delivery?.keys.last()?, PARTS_MAX);
    Some(servicing::to_pool(&route.app, talk, key))
}

/// Calls of rules that fired, to be made once the turn is committed and as often as it takes.
pub(super) fn rule_calls(
    conversation: &ConversationRow,
    inbound: &Inbound,
    turn: &Turn,
    now: Timestamp,
) -> Vec<NewOutbox> {
    let text = turn.evidence.utterance.normalised.original();
    let outbox = turn.rule_calls().map(|name| {
        let with = BTreeMap::from([("text".to_owned(), text.to_owned())]);
        let call = Call { name: name.to_owned(), with };
        NewOutbox {
            sender: call::SENDER.to_owned(),
            recipient: inbound.bot.clone(),
            body: call::to_outbox(&inbound.customer, &call, now).to_string(),
            key: call::key(&call::origin(conversation), &call),
            to_customer: false,
            latest_only: false,
            expires_at: None,
        }
    });
    outbox.collect()
}

fn tickets(turn: &Turn) -> Vec<NewTicket> {
    let Some(told) = &turn.told else { return Vec::new() };
    let ticket = |ticket: &Ticket| NewTicket {
        task: told.task.clone(),
        title: cut(&ticket.title),
        fields: json!(ticket.fields).to_string(),
    };
    told.effects.tickets.iter().map(ticket).collect()
}

/// A name as long as the store takes it.
fn cut(name: &str) -> String {
    let end = name.floor_char_boundary(NAME_BYTES_MAX);
    name[..end].to_owned()
}

fn steps(turn: &Turn) -> Vec<TaskStep> {
    let Some(told) = &turn.told else { return Vec::new() };
    let step = |event: &StepEvent| TaskStep {
        task: event.task.clone(),
        step: event.step.clone(),
        passed: event.passed,
    };
    told.events.iter().map(step).collect()
}

fn reason(decision: &Decision) -> Option<&Reason> {
    match decision {
        Decision::Handoff { reason, .. } | Decision::Decline(reason) => Some(reason),
        Decision::Answer(_) | Decision::Clarify { .. } | Decision::Task { .. } | Decision::Block { .. } => {
            None
        }
    }
}

/// Id of the entry that answered.
fn entry<'e>(engine: &'e Engine, turn: &Turn) -> Option<&'e str> {
    match turn.decision {
        Decision::Answer(Basis::Entry(at)) => Some(&engine.known().entries[at].id),
        _ => None,
    }
}

/// What the customer wants, as far as the bot is sure.
fn intent<'e>(engine: &'e Engine, turn: &'e Turn) -> Option<&'e str> {
    let known = engine.known();
    match &turn.decision {
        Decision::Answer(Basis::Entry(at)) => Some(&known.entries[*at].topic),
        Decision::Answer(Basis::Rated(_)) => None,
        Decision::Task { id, .. } => {
            let task = known.tasks.iter().find(|task| task.id == *id)?;
            task.intents.first().map(String::as_str)
        }
        _ => {
            let (intent, probability) = turn.evidence.meaning.intents.as_ref()?.first()?;
            (probability.value() >= known.profile.thresholds.intent).then_some(intent)
        }
    }
}

/// Ids of the entries that were offered.
fn offered(decision: &Decision) -> Vec<&str> {
    let Decision::Clarify { choices, .. } = decision else { return Vec::new() };
    fn id(choice: &Choice) -> Option<&str> {
        match &choice.target {
            Target::Entry(id) => Some(id),
            Target::Product(_) | Target::Human => None,
        }
    }
    choices.iter().filter_map(id).collect()
}

/// Whether the entry that answered is the one that the customer picked from what was offered before.
fn picked(engine: &Engine, turn: &Turn, before: &State) -> bool {
    let said = turn.evidence.utterance.as_str();
    let picked = choice::pick(said, &before.pending).map(|at| &before.pending[at].target);
    let answered = entry(engine, turn);
    matches!(picked, Some(Target::Entry(id)) if answered == Some(id))
}

fn parts(parts: &[Part]) -> Value {
    json!(parts.iter().map(|part| view::part(part, &view::Address::own)).collect::<Vec<_>>())
}

fn handoff(engine: &Engine, inbound: &Inbound, turn: &Turn, now: Timestamp) -> Option<HandoffRequest> {
    let Decision::Handoff { group, reason, .. } = &turn.decision else { return None };
    let calendar = engine.calendar();
    let detail = match reason {
        Reason::Rule(id) | Reason::Sensitive(id) | Reason::Intent(id) | Reason::Task(id) => Some(id.as_str()),
        Reason::Chosen | Reason::Unknown => None,
    };
    let summary = json!({
        "text": turn.evidence.utterance.normalised.original(),
        PLACES: personal::spans(turn),
        "kind": inbound.content.kind().as_str(),
        "cut": turn.evidence.utterance.cut,
        "detail": detail,
        "customer_name": inbound.customer.name,
        "slots": view::slots(engine, turn),
        "task": turn.told.as_ref().map(view::task),
        "nearest": view::candidates(engine, turn).iter().take(3)
            .map(|one| json!({ "kind": one.kind, "id": one.id, "title": one.title }))
            .collect::<Vec<_>>(),
    });
    let opening = (!calendar.is_open(now)).then(|| calendar.next_opening(now)).flatten();
    Some(HandoffRequest {
        group: group.clone(),
        reason: reason.as_str().to_owned(),
        summary: summary.to_string(),
        due: opening.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()),
        overdue_at: Some(handover::overdue_at(engine, now)),
        webhook_pending: engine.known().profile.handoff.webhook.is_some(),
    })
}
