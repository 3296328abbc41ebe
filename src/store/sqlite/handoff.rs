//! Handoffs and their webhooks in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::ConversationId;
use crate::store::HandoffFilter;
use crate::store::HandoffId;
use crate::store::HandoffReceipt;
use crate::store::HandoffRequest;
use crate::store::HandoffRow;
use crate::store::StoreError;
use crate::store::WEBHOOK_LEASE;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// Opens a handoff, or notes that the open one was asked for again.
///
/// The group and the promise stay as they were first given: that group has been told, and the customer too.
pub(super) async fn request(
    connection: &mut SqliteConnection,
    conversation_id: ConversationId,
    request: &HandoffRequest,
    now: Timestamp,
) -> Result<HandoffReceipt, StoreError> {
    let open = sqlx::query_scalar(
        "UPDATE handoffs SET reason = ?2, summary = ?3, asked_ms = ?4
         WHERE conversation_id = ?1 AND closed_ms IS NULL
         RETURNING id",
    )
    .bind(conversation_id)
    .bind(&request.reason)
    .bind(&request.summary)
    .bind(now.as_millisecond())
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(id) = open {
        return Ok(HandoffReceipt { id, opened: false });
    }
    let done = sqlx::query(
        "INSERT INTO handoffs (conversation_id, group_name, reason, summary, due, webhook_pending,
                               opened_ms, asked_ms, webhook_next_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7)",
    )
    .bind(conversation_id)
    .bind(&request.group)
    .bind(&request.reason)
    .bind(&request.summary)
    .bind(&request.due)
    .bind(request.webhook_pending)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(HandoffReceipt { id: done.last_insert_rowid(), opened: true })
}

/// See [`Store::handoffs`](crate::store::Store::handoffs).
pub(super) async fn list(store: &SqliteStore, filter: HandoffFilter) -> Result<Vec<HandoffRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT h.*, c.bot, c.channel, c.customer_id
         FROM handoffs h JOIN conversations c ON c.id = h.conversation_id
         WHERE (?1 IS NULL OR c.bot = ?1) AND (NOT ?2 OR h.closed_ms IS NULL)
         ORDER BY h.id DESC LIMIT ?3",
    )
    .bind(filter.bot)
    .bind(filter.open_only)
    .bind(limit::rows(filter.limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::handoff_open`](crate::store::Store::handoff_open).
pub(super) async fn open(store: &SqliteStore, id: ConversationId) -> Result<Option<HandoffRow>, StoreError> {
    let row = sqlx::query(
        "SELECT h.*, c.bot, c.channel, c.customer_id
         FROM handoffs h JOIN conversations c ON c.id = h.conversation_id
         WHERE h.conversation_id = ? AND h.closed_ms IS NULL",
    )
    .bind(id)
    .fetch_optional(&store.readers)
    .await?;
    row.as_ref().map(read).transpose()
}

/// See [`Store::handoff_close`](crate::store::Store::handoff_close).
pub(super) async fn close(store: &SqliteStore, id: HandoffId, now: Timestamp) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let done = sqlx::query("UPDATE handoffs SET closed_ms = coalesce(closed_ms, ?2) WHERE id = ?1")
        .bind(id)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    column::found(&done, "handoff", id)?;
    // Nobody is waited for any more. A human who speaks goes on speaking.
    sqlx::query(
        "UPDATE conversations SET speaker = 'bot', revision = revision + 1
         WHERE speaker = 'waiting' AND id = (SELECT conversation_id FROM handoffs WHERE id = ?)",
    )
    .bind(id)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "DELETE FROM timers WHERE kind = 'overdue'
         AND conversation_id = (SELECT conversation_id FROM handoffs WHERE id = ?)",
    )
    .bind(id)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// See [`Store::webhooks_due`](crate::store::Store::webhooks_due).
pub(super) async fn webhooks_due(
    store: &SqliteStore,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<HandoffRow>, StoreError> {
    let lease_ms = i64::try_from(WEBHOOK_LEASE.as_millis()).expect("the lease is seconds");
    let mut transaction = store.begin().await?;
    let rows = sqlx::query(
        "SELECT h.*, c.bot, c.channel, c.customer_id
         FROM handoffs h JOIN conversations c ON c.id = h.conversation_id
         WHERE h.webhook_pending = 1 AND h.webhook_next_ms <= ?1
         ORDER BY h.webhook_next_ms, h.id LIMIT ?2",
    )
    .bind(now.as_millisecond())
    .bind(limit::rows(limit))
    .fetch_all(&mut *transaction)
    .await?;
    let due: Vec<HandoffRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
    for handoff in &due {
        sqlx::query("UPDATE handoffs SET webhook_next_ms = ?2 WHERE id = ?1")
            .bind(handoff.id)
            .bind(now.as_millisecond() + lease_ms)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(due)
}

/// All handoffs of a conversation, oldest first.
pub(super) async fn of_conversation(
    store: &SqliteStore,
    id: ConversationId,
) -> Result<Vec<HandoffRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT h.*, c.bot, c.channel, c.customer_id
         FROM handoffs h JOIN conversations c ON c.id = h.conversation_id WHERE c.id = ? ORDER BY h.id",
    )
    .bind(id)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::webhook_done`](crate::store::Store::webhook_done).
pub(super) async fn webhook_done(
    store: &SqliteStore,
    id: HandoffId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE handoffs SET webhook_pending = 0, webhook_done_ms = coalesce(webhook_done_ms, ?2)
         WHERE id = ?1",
    )
    .bind(id)
    .bind(now.as_millisecond())
    .execute(&store.writer)
    .await?;
    column::found(&done, "handoff", id)
}

/// See [`Store::webhook_failed`](crate::store::Store::webhook_failed).
pub(super) async fn webhook_failed(
    store: &SqliteStore,
    id: HandoffId,
    attempts: u32,
    next_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    // Where the lease ran out, another process may have delivered it meanwhile.
    let done = sqlx::query(
        "UPDATE handoffs SET
             webhook_attempts = ?2,
             webhook_pending = ?3 IS NOT NULL AND webhook_done_ms IS NULL,
             webhook_next_ms = coalesce(?3, webhook_next_ms)
         WHERE id = ?1",
    )
    .bind(id)
    .bind(attempts)
    .bind(next_at.map(Timestamp::as_millisecond))
    .execute(&store.writer)
    .await?;
    column::found(&done, "handoff", id)
}

fn read(row: &SqliteRow) -> Result<HandoffRow, StoreError> {
    Ok(HandoffRow {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        customer: column::customer_key(row)?,
        group: row.try_get("group_name")?,
        reason: row.try_get("reason")?,
        summary: row.try_get("summary")?,
        due: row.try_get("due")?,
        opened_at: column::time(row, "opened_ms")?,
        asked_at: column::time(row, "asked_ms")?,
        closed_at: column::time_if_any(row, "closed_ms")?,
        webhook_pending: row.try_get("webhook_pending")?,
        webhook_attempts: row.try_get("webhook_attempts")?,
        webhook_done_at: column::time_if_any(row, "webhook_done_ms")?,
    })
}
