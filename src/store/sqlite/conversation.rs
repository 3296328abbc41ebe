//! Conversations and their messages in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::SqliteExecutor;
use sqlx::sqlite::SqliteRow;

use crate::store::AgentId;
use crate::store::Author;
use crate::store::ConversationId;
use crate::store::ConversationRow;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::MessageId;
use crate::store::MessageRow;
use crate::store::Revision;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;
use crate::store::sqlite::customer;
use crate::store::sqlite::handover;

/// See [`Store::conversation`](crate::store::Store::conversation).
pub(super) async fn find_or_begin(
    store: &SqliteStore,
    key: &CustomerKey,
    now: Timestamp,
) -> Result<ConversationRow, StoreError> {
    if let Some(row) = find(&store.readers, key).await? {
        return read(&row);
    }
    let mut transaction = store.begin().await?;
    let row = begin(&mut transaction, key, now).await?;
    transaction.commit().await?;
    Ok(row)
}

/// The customer's conversation within a transaction, begun now if there is none.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    key: &CustomerKey,
    now: Timestamp,
) -> Result<ConversationRow, StoreError> {
    customer::note_key(connection, key, now).await?;
    // Somebody else may have begun it since we looked.
    sqlx::query(
        "INSERT INTO conversations (bot, channel, customer_id, created_ms, updated_ms)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (bot, channel, customer_id) DO NOTHING",
    )
    .bind(&key.bot)
    .bind(&key.channel)
    .bind(&key.customer_id)
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    let row = find(connection, key).await?.ok_or(sqlx::Error::RowNotFound)?;
    read(&row)
}

/// See [`Store::messages`](crate::store::Store::messages).
pub(super) async fn messages(
    store: &SqliteStore,
    conversation_id: ConversationId,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT ?")
        .bind(conversation_id)
        .bind(limit::rows(limit))
        .fetch_all(&store.readers)
        .await?;
    rows.iter().rev().map(read_message).collect()
}

/// See [`Store::messages_after`](crate::store::Store::messages_after).
pub(super) async fn messages_after(
    store: &SqliteStore,
    id: ConversationId,
    after: MessageId,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM messages WHERE conversation_id = ? AND id > ? ORDER BY id LIMIT ?")
        .bind(id)
        .bind(after)
        .bind(limit::rows(limit))
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(read_message).collect()
}

/// Adds a message to a conversation.
pub(super) async fn add_message(
    connection: &mut SqliteConnection,
    conversation_id: ConversationId,
    (direction, author): (Direction, Author),
    body: &str,
    at: Timestamp,
) -> Result<MessageId, StoreError> {
    let done =
        sqlx::query(
            "INSERT INTO messages (conversation_id, direction, body, at_ms, author, agent_id) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(conversation_id)
        .bind(column::direction_name(direction))
        .bind(body)
        .bind(at.as_millisecond())
        .bind(author.as_str())
        .bind(match author {
            Author::Agent(id) => Some(id),
            Author::Customer | Author::Bot | Author::System => None,
        })
        .execute(connection)
        .await?;
    Ok(done.last_insert_rowid())
}

/// The customer's conversation, where there is one.
pub(super) async fn find_one(
    store: &SqliteStore,
    key: &CustomerKey,
) -> Result<Option<ConversationRow>, StoreError> {
    find(&store.readers, key).await?.as_ref().map(read).transpose()
}

/// The row of a customer's conversation.
pub(super) async fn find(
    executor: impl SqliteExecutor<'_>,
    key: &CustomerKey,
) -> Result<Option<SqliteRow>, sqlx::Error> {
    sqlx::query("SELECT * FROM conversations WHERE bot = ? AND channel = ? AND customer_id = ?")
        .bind(&key.bot)
        .bind(&key.channel)
        .bind(&key.customer_id)
        .fetch_optional(executor)
        .await
}

/// A conversation, from its row.
pub(super) fn read(row: &SqliteRow) -> Result<ConversationRow, StoreError> {
    let agent: Option<AgentId> = row.try_get("agent_id")?;
    Ok(ConversationRow {
        id: row.try_get("id")?,
        customer: column::customer_key(row)?,
        state: row.try_get("state")?,
        revision: row.try_get("revision")?,
        speaker: handover::speaker(row)?,
        holder: agent.zip(column::time_if_any(row, "lease_ms")?),
        route: row.try_get("route")?,
        created_at: column::time(row, "created_ms")?,
        updated_at: column::time(row, "updated_ms")?,
    })
}

/// A message, from its row.
pub(super) fn read_message(row: &SqliteRow) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        direction: column::direction(row)?,
        author: handover::author(row)?,
        body: row.try_get("body")?,
        at: column::time(row, "at_ms")?,
    })
}

/// Why no conversation had an id and a revision.
pub(super) async fn not_at(
    connection: &mut SqliteConnection,
    id: ConversationId,
    expected: Revision,
) -> Result<StoreError, StoreError> {
    let found = sqlx::query_scalar("SELECT revision FROM conversations WHERE id = ?")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(match found {
        Some(found) if found == expected => StoreError::HumanSpeaks { conversation: id },
        Some(found) => StoreError::Conflict { conversation: id, expected, found },
        None => StoreError::NotFound { what: "conversation", id },
    })
}
