//! One turn as the store keeps it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::engine::Turn;
use crate::message::Inbound;
use crate::message::Part;
use crate::policy::decision::Decision;
use crate::policy::decision::Reason;
use crate::service::state;
use crate::service::view;
use crate::store::CallbackAnswer;
use crate::store::ConversationRow;
use crate::store::HandoffRequest;
use crate::store::TurnRow;

/// Everything that one message changes, for one transaction.
pub(super) fn row(
    engine: &Engine,
    conversation: &ConversationRow,
    inbound: &Inbound,
    turn: &Turn,
    answer: Option<CallbackAnswer>,
    now: Timestamp,
) -> serde_json::Result<TurnRow> {
    let text = turn.evidence.utterance.normalised.original();
    let said = json!({ "kind": inbound.content.kind().as_str(), "text": text });
    // The candidates that lost are left out: they can be computed again from text and version.
    let view = view::turn(engine, turn, &[]);
    let reply = json!({
        "parts": parts(&turn.reply.parts),
        "action": view.action,
        "because": view.because,
        "knowledge": view.knowledge,
        "evidence": view.evidence.iter().take(3)
            .map(|one| json!({ "kind": one.kind, "id": one.id, "probability": one.probability }))
            .collect::<Vec<_>>(),
    });
    Ok(TurnRow {
        conversation_id: conversation.id,
        revision: conversation.revision,
        at: now,
        inbound: said.to_string(),
        outbound: reply.to_string(),
        state: state::write(&turn.state)?,
        tags_added: turn.tags.iter().cloned().collect::<BTreeSet<_>>(),
        handoff: handoff(engine, inbound, turn, now),
        answer,
    })
}

fn parts(parts: &[Part]) -> Value {
    let own_path = |path: &str| path.to_owned();
    json!(parts.iter().map(|part| view::part(part, &own_path)).collect::<Vec<_>>())
}

fn handoff(engine: &Engine, inbound: &Inbound, turn: &Turn, now: Timestamp) -> Option<HandoffRequest> {
    let Decision::Handoff { group, reason, .. } = &turn.decision else { return None };
    let calendar = engine.calendar();
    let detail = match reason {
        Reason::Rule(id) | Reason::Sensitive(id) | Reason::Intent(id) => Some(id.as_str()),
        Reason::Chosen | Reason::Unknown => None,
    };
    let summary = json!({
        "text": turn.evidence.utterance.normalised.original(),
        "kind": inbound.content.kind().as_str(),
        "cut": turn.evidence.utterance.cut,
        "detail": detail,
        "customer_name": inbound.customer.name,
        "slots": view::slots(engine, turn),
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
        webhook_pending: engine.known().profile.handoff.webhook.is_some(),
    })
}
