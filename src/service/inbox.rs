//! What an agent reads of a conversation: a line for the list, and the whole story with what the bot would answer.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;
use serde_json::json;

use crate::engine::Engine;
use crate::service;
use crate::service::Service;
use crate::service::handover::name_of;
use crate::service::personal::Personal;
use crate::service::state;
use crate::service::view;
use crate::store::AgentRow;
use crate::store::Author;
use crate::store::ConversationId;
use crate::store::ConversationRow;
use crate::store::HandoffRow;
use crate::store::MessageRow;
use crate::store::ROWS_MAX;
use crate::store::StoreError;

/// Answers suggested at most.
const SUGGESTIONS_MAX: usize = 3;

/// A conversation in a list.
#[must_use]
pub fn line(row: &ConversationRow, handoff: Option<&HandoffRow>, agents: &[AgentRow]) -> Value {
    json!({
        "id": row.id,
        "bot": row.customer.bot(),
        "channel": row.customer.channel(),
        "customer_id": row.customer.customer_id(),
        "speaker": row.speaker.as_str(),
        "agent": row.holder.and_then(|(agent, _)| name_of(agents, agent)),
        "lease_until": row.holder.map(|(_, until)| until.to_string()),
        "group": handoff.map(|handoff| &handoff.group),
        "reason": handoff.map(|handoff| &handoff.reason),
        "waiting_since": handoff.map(|handoff| handoff.opened_at.to_string()),
        "updated_at": row.updated_at.to_string(),
    })
}

/// Everything that an agent should know; `None` for an unknown conversation.
///
/// * `personal`: of what the customer and others have said; suggested answers are the shop's own words.
///
/// # Errors
/// When the store fails.
pub async fn story(
    service: &Service,
    id: ConversationId,
    personal: Personal,
) -> Result<Option<Value>, StoreError> {
    let store = service.store();
    let Some(row) = store.conversation_by_id(id).await? else { return Ok(None) };
    let (handoff, agents) = (store.handoff_open(id).await?, store.agents().await?);
    let messages = store.messages(id, ROWS_MAX).await?;
    let customer = store.customer(&row.customer).await?;
    let notes = store.notes(id).await?;
    let engine = service.bots().get(row.customer.bot()).cloned();
    let tags: Vec<String> =
        customer.as_ref().map(|customer| customer.tags.iter().cloned().collect()).unwrap_or_default();
    let mut told = line(&row, handoff.as_ref(), &agents);
    told["customer"] = customer.map_or(Value::Null, |customer| {
        json!({ "name": customer.name, "tags": customer.tags, "record": customer.record, "region": customer.region })
    });
    told["summary"] = summary(engine.as_deref(), &row, handoff.as_ref(), (&messages, &tags));
    told["suggestions"] = match engine {
        Some(engine) => {
            let (now, messages) = (service.now(), messages.clone());
            // Reading and searching are work for a processor. A panic of theirs leaves the rest of the story.
            let suggested = tokio::task::spawn_blocking(move || suggestions(&engine, &messages, now)).await;
            suggested.unwrap_or(Value::Null)
        }
        None => Value::Null,
    };
    told["notes"] = notes
        .iter()
        .map(|note| json!({ "agent": name_of(&agents, note.agent_id), "text": note.words, "at": note.at.to_string() }))
        .collect();
    told["messages"] = messages.iter().map(|one| message(one, &agents)).collect();
    for part in ["customer", "summary", "notes", "messages"] {
        told[part] = personal.view(told[part].take());
    }
    Ok(Some(told))
}

fn message(row: &MessageRow, agents: &[AgentRow]) -> Value {
    let agent = match row.author {
        Author::Agent(id) => name_of(agents, id),
        Author::Customer | Author::Bot | Author::System => None,
    };
    json!({
        "id": row.id,
        "author": row.author.as_str(),
        "agent": agent,
        "at": row.at.to_string(),
        "body": body(row),
    })
}

fn body(row: &MessageRow) -> Value {
    serde_json::from_str(&row.body).unwrap_or(Value::Null)
}

/// The wish, what is known of it, what the bot has tried, and how the customer takes it.
fn summary(
    engine: Option<&Engine>,
    row: &ConversationRow,
    handoff: Option<&HandoffRow>,
    (messages, tags): (&[MessageRow], &[String]),
) -> Value {
    let asked: Value =
        handoff.and_then(|handoff| serde_json::from_str(&handoff.summary).ok()).unwrap_or(Value::Null);
    // A state that this version cannot read is told by the messages all the same.
    let state = state::read(&row.state).unwrap_or_default();
    let said = |one: &&MessageRow| one.author == Author::Customer;
    let texts: Vec<String> = messages
        .iter()
        .filter(said)
        .filter_map(|one| body(one)["text"].as_str().map(str::to_owned))
        .collect();
    let tried: Vec<Value> = messages
        .iter()
        .filter(|one| one.author == Author::Bot)
        .map(|one| {
            let body = body(one);
            json!({ "action": body["action"], "entry": body["entry"], "because": body["because"] })
        })
        .collect();
    let tasks: Vec<Value> = state
        .tasks
        .iter()
        .map(|progress| {
            let spec =
                engine.and_then(|engine| engine.known().tasks.iter().find(|task| task.id == progress.task));
            json!({
                "id": progress.task,
                "title": spec.map(|spec| &spec.title),
                "step": progress.step,
                "slots": progress.slots,
                "order": progress.slots.get("order"),
            })
        })
        .collect();
    json!({
        "wish": texts.last(),
        "asked": asked,
        "known": state.recalled.map(|recalled| recalled.values),
        "goods": state.focus.map(|focus| json!({ "product": focus.product, "items": focus.wanted.items })),
        "tasks": tasks,
        "tried": tried.iter().rev().take(5).collect::<Vec<_>>(),
        "mood": mood(&texts, tags),
    })
}

/// `angry`, or `calm`: by the last words of the customer, and the tags that rules have put on them.
fn mood(texts: &[String], tags: &[String]) -> &'static str {
    let tagged = tags.iter().any(|tag| tag.contains("投诉"));
    let angry = texts.iter().rev().take(5).any(|text| ANGRY.is_match(text));
    if tagged || angry { "angry" } else { "calm" }
}

/// What the bot would answer to the customer's last words, most probable first.
fn suggestions(engine: &Engine, messages: &[MessageRow], now: Timestamp) -> Value {
    let last = messages.iter().rev().filter(|one| one.author == Author::Customer);
    let Some(text) =
        last.filter_map(|one| body(one)["text"].as_str().map(str::to_owned)).find(|text| !text.is_empty())
    else {
        return json!([]);
    };
    let (turn, _timings) = service::ask(engine, &text, now);
    let known = engine.known();
    let candidates = view::candidates(engine, &turn);
    let answer =
        |id: &str| known.entries.iter().find(|entry| entry.id == id).map(|entry| entry.answer.clone());
    candidates
        .iter()
        .take(SUGGESTIONS_MAX)
        .map(|one| {
            json!({ "kind": one.kind, "id": one.id, "title": one.title, "probability": one.probability,
                    "answer": answer(&one.id) })
        })
        .collect()
}

static ANGRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"垃圾|骗子|骗人|投诉|气死|差评|12315|无语|什么破|烂|滚|有病|恶心|到底|几次了|[!！]{2,}|[?？]{3,}",
    )
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mood_is_read_from_the_last_words_and_from_tags() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(mood(&texts(&["请问几点关门"]), &[]), "calm");
        assert_eq!(mood(&texts(&["你们是骗子吧", "转人工"]), &[]), "angry");
        assert_eq!(mood(&texts(&["转人工"]), &["投诉升级".to_owned()]), "angry");
        assert_eq!(mood(&texts(&["气死", "1", "2", "3", "4", "好的"]), &[]), "calm");
    }
}
