//! What is to be sent, and how far sources were read, in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::Attempt;
use crate::store::ConversationId;
use crate::store::Fate;
use crate::store::NewOutbox;
use crate::store::Notice;
use crate::store::OUTBOX_LEASE;
use crate::store::OutboxId;
use crate::store::OutboxRow;
use crate::store::Page;
use crate::store::Reading;
use crate::store::Revision;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::callback;
use crate::store::sqlite::column;
use crate::store::sqlite::conversation;
use crate::store::sqlite::handover;

/// Adds what a turn has to send.
///
/// * `revision`: of the conversation with the turn.
/// * `by_bot`: whether the bot says it; what it said is not sent once a human speaks.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    (conversation_id, revision): (ConversationId, Revision),
    (rows, by_bot): (&[NewOutbox], bool),
    at: Timestamp,
) -> Result<(), StoreError> {
    for row in rows {
        sqlx::query(
            "INSERT INTO outbox
                 (conversation_id, revision, sender, recipient, body, key, latest_only, created_ms, expires_ms, next_ms,
                  by_bot, to_customer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?10, ?11)",
        )
        .bind(conversation_id)
        .bind(revision)
        .bind(&row.sender)
        .bind(&row.recipient)
        .bind(&row.body)
        .bind(&row.key)
        .bind(row.latest_only)
        .bind(at.as_millisecond())
        .bind(row.expires_at.map(Timestamp::as_millisecond))
        // What a rule has set off goes on, whoever speaks.
        .bind(by_bot && row.to_customer)
        .bind(row.to_customer)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// See [`Store::notice`](crate::store::Store::notice).
pub(super) async fn notice(store: &SqliteStore, notice: &Notice) -> Result<(), StoreError> {
    notice.check()?;
    let mut transaction = store.begin().await?;
    callback::record_answer(&mut transaction, &notice.answer, notice.at).await?;
    if !notice.outbox.is_empty() {
        let row = conversation::begin(&mut transaction, &notice.customer, notice.at).await?;
        for (message, from) in &notice.outbox {
            let rows = std::slice::from_ref(message);
            add(&mut transaction, (row.id, row.revision), (rows, false), notice.at).await?;
            sqlx::query("UPDATE outbox SET next_ms = ?2 WHERE key = ?1")
                .bind(&message.key)
                .bind(from.as_millisecond())
                .execute(&mut *transaction)
                .await?;
        }
    }
    Ok(transaction.commit().await?)
}

/// See [`Store::outbox_take`](crate::store::Store::outbox_take).
pub(super) async fn take(
    store: &SqliteStore,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OutboxRow>, StoreError> {
    // Nothing due is the usual case, and needs no write.
    let due: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM outbox WHERE fate = 'waiting' AND next_ms <= ? LIMIT 1")
            .bind(now.as_millisecond())
            .fetch_optional(&store.readers)
            .await?;
    if due.is_none() {
        return Ok(Vec::new());
    }
    let mut transaction = store.begin().await?;
    // One in somebody's hands is let be: it may be on its way.
    sqlx::query(
        "UPDATE outbox SET fate = 'given up', done_ms = ?1,
             reason = iif(expires_ms <= ?1, 'expired', 'overtaken')
         WHERE fate = 'waiting' AND next_ms <= ?1 AND (expires_ms <= ?1
             OR (latest_only = 1
                 AND revision < (SELECT revision FROM conversations WHERE id = outbox.conversation_id))
             OR (by_bot = 1
                 AND (SELECT speaker FROM conversations WHERE id = outbox.conversation_id) = 'human'))",
    )
    .bind(now.as_millisecond())
    .execute(&mut *transaction)
    .await?;
    let taken = sqlx::query(
        "UPDATE outbox SET next_ms = ?2 WHERE id IN (
             SELECT id FROM outbox AS own
             WHERE fate = 'waiting' AND next_ms <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM outbox AS earlier
                 WHERE earlier.conversation_id = own.conversation_id AND earlier.fate = 'waiting'
                     AND earlier.to_customer = own.to_customer AND earlier.id < own.id
                     AND (own.to_customer = 1
                         OR (earlier.sender = own.sender AND earlier.recipient = own.recipient)))
             ORDER BY expires_ms IS NULL, next_ms, id LIMIT ?3)
         RETURNING *",
    )
    .bind(now.as_millisecond())
    .bind((now + OUTBOX_LEASE).as_millisecond())
    .bind(limit::rows(limit))
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let mut rows = taken.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// What staff are told of a message that its customer will not get.
const UNDELIVERED: &str = "undelivered";

/// See [`Store::outbox_tried`](crate::store::Store::outbox_tried).
pub(super) async fn tried(
    store: &SqliteStore,
    attempts: &[(OutboxId, Attempt)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    for (id, attempt) in attempts {
        let (fate, reason, next) = match attempt {
            Attempt::Taken => ("sent", None, None),
            Attempt::Again { at } | Attempt::Held { until: at } => {
                ("waiting", None, Some(at.as_millisecond()))
            }
            Attempt::Failed { reason } => {
                limit::name("reason", reason)?;
                ("given up", Some(reason), None)
            }
        };
        let counts = matches!(attempt, Attempt::Again { .. } | Attempt::Failed { .. });
        // What was taken stays taken, whoever comes late with another opinion.
        let told: Option<(ConversationId, bool)> = sqlx::query_as(
            "UPDATE outbox SET fate = ?2, reason = ?3, next_ms = coalesce(?4, next_ms),
                 attempts = attempts + ?6, done_ms = iif(?2 = 'waiting', NULL, ?5)
             WHERE id = ?1 AND fate != 'sent' RETURNING conversation_id, to_customer",
        )
        .bind(id)
        .bind(fate)
        .bind(reason)
        .bind(next)
        .bind(now.as_millisecond())
        .bind(counts)
        .fetch_optional(&mut *transaction)
        .await?;
        if let (Attempt::Failed { .. }, Some((conversation_id, true))) = (attempt, told) {
            handover::tell(&mut transaction, conversation_id, UNDELIVERED, now).await?;
        }
    }
    Ok(transaction.commit().await?)
}

/// See [`Store::outbox_undelivered`](crate::store::Store::outbox_undelivered).
pub(super) async fn undelivered(
    store: &SqliteStore,
    key: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    limit::name("reason", reason)?;
    let mut transaction = store.begin().await?;
    let told: Option<ConversationId> = sqlx::query_scalar(
        "UPDATE outbox SET fate = 'given up', reason = ?2, done_ms = ?3
         WHERE key = ?1 AND fate = 'sent' RETURNING conversation_id",
    )
    .bind(key)
    .bind(reason)
    .bind(now.as_millisecond())
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(conversation_id) = told {
        handover::tell(&mut transaction, conversation_id, UNDELIVERED, now).await?;
    }
    Ok(transaction.commit().await?)
}

/// See [`Store::outbox_given_up`](crate::store::Store::outbox_given_up).
pub(super) async fn given_up(store: &SqliteStore, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM outbox WHERE fate = 'given up' ORDER BY done_ms DESC, id DESC LIMIT ?")
            .bind(limit::rows(limit))
            .fetch_all(&store.readers)
            .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::outbox_prune`](crate::store::Store::outbox_prune).
pub(super) async fn prune(store: &SqliteStore, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM outbox WHERE fate != 'waiting' AND done_ms < ?")
        .bind(before.as_millisecond())
        .execute(&store.writer)
        .await?;
    Ok(done.rows_affected())
}

/// See [`Store::cursor`](crate::store::Store::cursor).
pub(super) async fn cursor(store: &SqliteStore, source: &str) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar("SELECT value FROM cursors WHERE source = ?")
        .bind(source)
        .fetch_optional(&store.readers)
        .await?;
    Ok(found)
}

/// See [`Store::page_take`](crate::store::Store::page_take).
pub(super) async fn page_take(store: &SqliteStore, page: &Page, now: Timestamp) -> Result<usize, StoreError> {
    page.check()?;
    let mut transaction = store.begin().await?;
    move_cursor(&mut transaction, &page.source, (page.from.as_deref(), &page.to)).await?;
    let mut n_new = 0;
    for item in &page.items {
        let answered = (!item.is_open).then_some(now.as_millisecond());
        let done = sqlx::query(
            "INSERT INTO callbacks (app, key, plaintext, received_ms, reply, answered_ms, sender)
             VALUES (?1, ?2, ?3, ?4, iif(?5 IS NULL, NULL, ''), ?5, ?6)
             ON CONFLICT (app, key) DO NOTHING",
        )
        .bind(&page.source)
        .bind(&item.key)
        .bind(&item.plaintext)
        .bind(now.as_millisecond())
        .bind(answered)
        .bind(&item.sender)
        .execute(&mut *transaction)
        .await?;
        n_new += usize::from(done.rows_affected() == 1 && item.is_open);
    }
    transaction.commit().await?;
    Ok(n_new)
}

/// See [`Store::outbox_read`](crate::store::Store::outbox_read).
pub(super) async fn read_on(
    store: &SqliteStore,
    reading: &Reading,
    now: Timestamp,
) -> Result<usize, StoreError> {
    reading.check()?;
    let mut transaction = store.begin().await?;
    move_cursor(&mut transaction, &reading.source, (reading.from.as_deref(), &reading.to)).await?;
    let mut n_added = 0;
    for (id, row) in &reading.outbox {
        let revision: Option<Revision> = sqlx::query_scalar(
            "SELECT revision FROM conversations
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE key = ?2)",
        )
        .bind(id)
        .bind(&row.key)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(revision) = revision else { continue };
        add(&mut transaction, (*id, revision), (std::slice::from_ref(row), false), now).await?;
        n_added += 1;
    }
    transaction.commit().await?;
    Ok(n_added)
}

/// Moves a cursor on, unless it does not stand where it was read.
async fn move_cursor(
    connection: &mut SqliteConnection,
    source: &str,
    (from, to): (Option<&str>, &str),
) -> Result<(), StoreError> {
    let found: Option<String> = sqlx::query_scalar("SELECT value FROM cursors WHERE source = ?")
        .bind(source)
        .fetch_optional(&mut *connection)
        .await?;
    if found.as_deref() != from {
        return Err(StoreError::CursorMoved { source_name: source.to_owned() });
    }
    sqlx::query(
        "INSERT INTO cursors (source, value) VALUES (?1, ?2)
         ON CONFLICT (source) DO UPDATE SET value = excluded.value",
    )
    .bind(source)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<OutboxRow, StoreError> {
    let fate: String = row.try_get("fate")?;
    let reason: Option<String> = row.try_get("reason")?;
    let fate = match fate.as_str() {
        "waiting" => Fate::Waiting,
        "sent" => Fate::Sent,
        "given up" => Fate::GivenUp { reason: reason.unwrap_or_default() },
        _ => {
            let source = format!("`{fate}` is not one of its names").into();
            return Err(StoreError::Unreadable { column: "fate", source });
        }
    };
    Ok(OutboxRow {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        sender: row.try_get("sender")?,
        recipient: row.try_get("recipient")?,
        body: row.try_get("body")?,
        key: row.try_get("key")?,
        created_at: column::time(row, "created_ms")?,
        attempts: row.try_get("attempts")?,
        fate,
    })
}
