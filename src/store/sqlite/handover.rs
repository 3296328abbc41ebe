//! Who speaks, timers and events in SQLite.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::AgentRow;
use crate::store::Author;
use crate::store::Change;
use crate::store::ChangeReceipt;
use crate::store::ConversationId;
use crate::store::ConversationRow;
use crate::store::Direction;
use crate::store::EventId;
use crate::store::EventRow;
use crate::store::HandoffChange;
use crate::store::KeyId;
use crate::store::NoteRow;
use crate::store::Queue;
use crate::store::Speaker;
use crate::store::StoreError;
use crate::store::TimerKind;
use crate::store::TimerRow;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::callback;
use crate::store::sqlite::column;
use crate::store::sqlite::conversation;
use crate::store::sqlite::outbox;
use crate::store::sqlite::survey;

/// See [`Store::change`](crate::store::Store::change).
pub(super) async fn change(store: &SqliteStore, change: &Change) -> Result<ChangeReceipt, StoreError> {
    change.check()?;
    let mut transaction = store.begin().await?;
    let connection = &mut *transaction;
    let (id, at) = (change.conversation_id, change.at);
    let moved = sqlx::query(
        "UPDATE conversations SET speaker = ?3, agent_id = ?4, lease_ms = ?5, revision = revision + 1, updated_ms = ?6,
             state = coalesce(?7, state)
         WHERE id = ?1 AND revision = ?2",
    )
    .bind(id)
    .bind(change.revision)
    .bind(change.speaker.as_str())
    .bind(change.holder.map(|(agent, _)| agent))
    .bind(change.holder.map(|(_, until)| until.as_millisecond()))
    .bind(at.as_millisecond())
    .bind(&change.state)
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(conversation::not_at(connection, id, change.revision).await?);
    }
    let message_id = match &change.said {
        Some((author, body)) => {
            let direction = if *author == Author::Customer { Direction::In } else { Direction::Out };
            Some(conversation::add_message(connection, id, (direction, *author), body, at).await?)
        }
        None => None,
    };
    if let Some((agent, words)) = &change.note {
        sqlx::query("INSERT INTO notes (conversation_id, agent_id, words, at_ms) VALUES (?, ?, ?, ?)")
            .bind(id)
            .bind(agent)
            .bind(words)
            .bind(at.as_millisecond())
            .execute(&mut *connection)
            .await?;
    }
    for answer in &change.answers {
        callback::record_answer(connection, answer, at).await?;
    }
    outbox::add(connection, (id, change.revision + 1), (&change.outbox, false), at).await?;
    move_handoff(connection, id, &change.handoff, at).await?;
    if let Some(survey) = &change.survey {
        survey::ask(connection, id, survey, at).await?;
    }
    for (kind, due) in &change.timers {
        set_timer(connection, id, *kind, *due).await?;
    }
    if let Some(kind) = change.event {
        tell(connection, id, kind, at).await?;
    }
    transaction.commit().await?;
    Ok(ChangeReceipt { revision: change.revision + 1, message_id })
}

async fn move_handoff(
    connection: &mut SqliteConnection,
    id: ConversationId,
    change: &HandoffChange,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query = match change {
        HandoffChange::None => return Ok(()),
        // The first taking counts as the wait of the customer.
        HandoffChange::Taken(agent) => sqlx::query(
            "UPDATE handoffs SET taken_ms = coalesce(taken_ms, ?2), agent_id = ?3
             WHERE conversation_id = ?1 AND closed_ms IS NULL",
        )
        .bind(id)
        .bind(at.as_millisecond())
        .bind(*agent),
        // One that an agent took of their own accord had none so far.
        HandoffChange::Waits(group) => sqlx::query(
            "INSERT INTO handoffs (conversation_id, group_name, reason, summary, webhook_pending,
                                   opened_ms, asked_ms, webhook_next_ms)
             VALUES (?1, ?3, 'transfer', '{}', 0, ?2, ?2, ?2)
             ON CONFLICT (conversation_id) WHERE closed_ms IS NULL
             DO UPDATE SET group_name = excluded.group_name, agent_id = NULL, asked_ms = excluded.asked_ms",
        )
        .bind(id)
        .bind(at.as_millisecond())
        .bind(group.clone()),
        HandoffChange::Closed => {
            sqlx::query("UPDATE handoffs SET closed_ms = ?2 WHERE conversation_id = ?1 AND closed_ms IS NULL")
                .bind(id)
                .bind(at.as_millisecond())
        }
    };
    query.execute(connection).await?;
    Ok(())
}

/// Sets a timer, or takes it away.
pub(super) async fn set_timer(
    connection: &mut SqliteConnection,
    id: ConversationId,
    kind: TimerKind,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    let query = match due {
        Some(due) => sqlx::query(
            "INSERT INTO timers (conversation_id, kind, due_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (conversation_id, kind) DO UPDATE SET due_ms = excluded.due_ms",
        )
        .bind(id)
        .bind(kind.as_str())
        .bind(due.as_millisecond()),
        None => sqlx::query("DELETE FROM timers WHERE conversation_id = ? AND kind = ?")
            .bind(id)
            .bind(kind.as_str()),
    };
    query.execute(connection).await?;
    Ok(())
}

/// See [`Store::timer`](crate::store::Store::timer).
pub(super) async fn timer(
    store: &SqliteStore,
    id: ConversationId,
    kind: TimerKind,
) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query("SELECT due_ms FROM timers WHERE conversation_id = $1 AND kind = $2")
        .bind(id)
        .bind(kind.as_str())
        .fetch_optional(&store.readers)
        .await?;
    row.map(|row| column::time(&row, "due_ms")).transpose()
}

/// See [`Store::timer_move`](crate::store::Store::timer_move).
pub(super) async fn timer_move(
    store: &SqliteStore,
    id: ConversationId,
    kind: TimerKind,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    set_timer(&mut transaction, id, kind, due).await?;
    transaction.commit().await?;
    Ok(())
}

/// Whether a timer is set.
pub(super) async fn has_timer(
    connection: &mut SqliteConnection,
    id: ConversationId,
    kind: TimerKind,
) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM timers WHERE conversation_id = ? AND kind = ?")
            .bind(id)
            .bind(kind.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

/// Tells staff that something happened.
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    id: ConversationId,
    kind: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO events (conversation_id, kind, group_name, at_ms) VALUES (?1, ?2,
             (SELECT group_name FROM handoffs WHERE conversation_id = ?1 ORDER BY id DESC LIMIT 1), ?3)",
    )
    .bind(id)
    .bind(kind)
    .bind(at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`Store::conversation_by_id`](crate::store::Store::conversation_by_id).
pub(super) async fn by_id(
    store: &SqliteStore,
    id: ConversationId,
) -> Result<Option<ConversationRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM conversations WHERE id = ?")
        .bind(id)
        .fetch_optional(&store.readers)
        .await?;
    row.as_ref().map(conversation::read).transpose()
}

/// See [`Store::attended`](crate::store::Store::attended).
pub(super) async fn attended(store: &SqliteStore, limit: u32) -> Result<Vec<ConversationRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM conversations WHERE speaker IN ('waiting', 'human') ORDER BY updated_ms LIMIT ?",
    )
    .bind(limit::rows(limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(conversation::read).collect()
}

/// See [`Store::timers_due`](crate::store::Store::timers_due).
pub(super) async fn timers_due(
    store: &SqliteStore,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<TimerRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM timers WHERE due_ms <= ? ORDER BY due_ms, conversation_id LIMIT ?")
        .bind(now.as_millisecond())
        .bind(limit::rows(limit))
        .fetch_all(&store.readers)
        .await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.try_get("kind")?;
            Ok(TimerRow {
                conversation_id: row.try_get("conversation_id")?,
                kind: TimerKind::ALL
                    .into_iter()
                    .find(|known| known.as_str() == kind)
                    .ok_or_else(|| column::unknown("kind", &kind))?,
                due_at: column::time(row, "due_ms")?,
            })
        })
        .collect()
}

/// See [`Store::queue`](crate::store::Store::queue).
pub(super) async fn queue(
    store: &SqliteStore,
    bot: &str,
    group: &str,
    conversation_id: ConversationId,
) -> Result<Queue, StoreError> {
    let n_ahead: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM handoffs h JOIN conversations c ON c.id = h.conversation_id
         WHERE c.bot = ?1 AND h.group_name = ?2 AND h.closed_ms IS NULL AND c.speaker = 'waiting'
             AND c.id != ?3 AND h.id < coalesce(
                 (SELECT id FROM handoffs WHERE conversation_id = ?3 AND closed_ms IS NULL), 9223372036854775807)",
    )
    .bind(bot)
    .bind(group)
    .bind(conversation_id)
    .fetch_one(&store.readers)
    .await?;
    let wait_ms: Option<f64> = sqlx::query_scalar(
        "SELECT avg(wait) FROM (SELECT h.taken_ms - h.opened_ms AS wait
             FROM handoffs h JOIN conversations c ON c.id = h.conversation_id
             WHERE c.bot = ?1 AND h.group_name = ?2 AND h.taken_ms IS NOT NULL ORDER BY h.id DESC LIMIT 20)",
    )
    .bind(bot)
    .bind(group)
    .fetch_one(&store.readers)
    .await?;
    Ok(Queue {
        n_ahead: u32::try_from(n_ahead).unwrap_or(u32::MAX),
        wait_seconds: wait_ms.map(|ms| (ms / 1000.0).max(0.0) as u32),
    })
}

/// See [`Store::events`](crate::store::Store::events).
pub(super) async fn events(
    store: &SqliteStore,
    after: EventId,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT e.*, c.bot, c.channel, c.customer_id FROM events e JOIN conversations c ON c.id = e.conversation_id
         WHERE e.id > ? ORDER BY e.id LIMIT ?",
    )
    .bind(after)
    .bind(limit::rows(limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(EventRow {
                id: row.try_get("id")?,
                conversation_id: row.try_get("conversation_id")?,
                customer: column::customer_key(row)?,
                kind: row.try_get("kind")?,
                group: row.try_get("group_name")?,
                at: column::time(row, "at_ms")?,
            })
        })
        .collect()
}

/// See [`Store::last_event`](crate::store::Store::last_event).
pub(super) async fn last_event(store: &SqliteStore) -> Result<EventId, StoreError> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(id) FROM events").fetch_one(&store.readers).await?;
    Ok(last.unwrap_or(0))
}

/// See [`Store::events_prune`](crate::store::Store::events_prune).
pub(super) async fn prune(store: &SqliteStore, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM events WHERE at_ms < ?")
        .bind(before.as_millisecond())
        .execute(&store.writer)
        .await?;
    Ok(done.rows_affected())
}

/// See [`Store::notes`](crate::store::Store::notes).
pub(super) async fn notes(store: &SqliteStore, id: ConversationId) -> Result<Vec<NoteRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM notes WHERE conversation_id = ? ORDER BY id LIMIT ?")
        .bind(id)
        .bind(limit::rows(u32::MAX))
        .fetch_all(&store.readers)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(NoteRow {
                agent_id: row.try_get("agent_id")?,
                words: row.try_get("words")?,
                at: column::time(row, "at_ms")?,
            })
        })
        .collect()
}

/// See [`Store::agent_add`](crate::store::Store::agent_add).
pub(super) async fn agent_add(
    store: &SqliteStore,
    name: &str,
    groups: &BTreeSet<String>,
    key_id: KeyId,
    now: Timestamp,
) -> Result<AgentRow, StoreError> {
    limit::name("agent", name)?;
    let row = sqlx::query(
        "INSERT INTO agents (name, groups, key_id, created_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET groups = excluded.groups, key_id = excluded.key_id
         RETURNING *",
    )
    .bind(name)
    .bind(column::tags_json(groups))
    .bind(key_id)
    .bind(now.as_millisecond())
    .fetch_one(&store.writer)
    .await?;
    read_agent(&row)
}

/// See [`Store::agents`](crate::store::Store::agents).
pub(super) async fn agents(store: &SqliteStore) -> Result<Vec<AgentRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM agents ORDER BY id").fetch_all(&store.readers).await?;
    rows.iter().map(read_agent).collect()
}

fn read_agent(row: &SqliteRow) -> Result<AgentRow, StoreError> {
    let groups: String = row.try_get("groups")?;
    Ok(AgentRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        groups: serde_json::from_str(&groups)
            .map_err(|source| StoreError::Unreadable { column: "groups", source: source.into() })?,
        key_id: row.try_get("key_id")?,
    })
}

/// The speaker of a row.
pub(super) fn speaker(row: &SqliteRow) -> Result<Speaker, StoreError> {
    let name: String = row.try_get("speaker")?;
    [Speaker::Bot, Speaker::Waiting, Speaker::Human, Speaker::Closed]
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or_else(|| column::unknown("speaker", &name))
}

/// The author of a row.
pub(super) fn author(row: &SqliteRow) -> Result<Author, StoreError> {
    let name: String = row.try_get("author")?;
    Ok(match name.as_str() {
        "customer" => Author::Customer,
        "bot" => Author::Bot,
        "system" => Author::System,
        "agent" => Author::Agent(row.try_get("agent_id")?),
        _ => return Err(column::unknown("author", &name)),
    })
}
