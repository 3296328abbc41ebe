//! Claimed deliveries in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::CallbackRow;
use crate::store::Claim;
use crate::store::Delivered;
use crate::store::RecordedAnswer;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::callback_claim`](crate::store::Store::callback_claim).
pub(super) async fn claim(
    store: &SqliteStore,
    key: &CallbackKey,
    delivered: Delivered<'_>,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    limit::payload("callback plaintext", delivered.plaintext)?;
    limit::optional_name("callback sender", delivered.sender)?;
    let mut transaction = store.begin().await?;
    let inserted = sqlx::query(
        "INSERT INTO callbacks (app, key, plaintext, sender, received_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (app, key) DO NOTHING",
    )
    .bind(&key.app)
    .bind(&key.key)
    .bind(delivered.plaintext)
    .bind(delivered.sender)
    .bind(now.as_millisecond())
    .execute(&mut *transaction)
    .await?;
    let claim = if inserted.rows_affected() == 1 { Claim::New } else { held(&mut transaction, key).await? };
    transaction.commit().await?;
    Ok(claim)
}

/// See [`Store::callback_answer`](crate::store::Store::callback_answer).
pub(super) async fn answer(
    store: &SqliteStore,
    answer: &CallbackAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    answer.check()?;
    let mut transaction = store.begin().await?;
    record_answer(&mut transaction, answer, now).await?;
    Ok(transaction.commit().await?)
}

/// Answers a claimed delivery that has no answer yet.
pub(super) async fn record_answer(
    connection: &mut SqliteConnection,
    answer: &CallbackAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE callbacks SET reply = ?3, answered_ms = ?4, late = ?5
         WHERE app = ?1 AND key = ?2 AND answered_ms IS NULL",
    )
    .bind(&answer.key.app)
    .bind(&answer.key.key)
    .bind(&answer.reply)
    .bind(now.as_millisecond())
    .bind(answer.late)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Err(not_answerable(connection, &answer.key).await?);
    }
    Ok(())
}

/// See [`Store::callback`](crate::store::Store::callback).
pub(super) async fn find(store: &SqliteStore, key: &CallbackKey) -> Result<Option<CallbackRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM callbacks WHERE app = ? AND key = ?")
        .bind(&key.app)
        .bind(&key.key)
        .fetch_optional(&store.readers)
        .await?;
    row.as_ref().map(read).transpose()
}

/// See [`Store::callbacks_unanswered`](crate::store::Store::callbacks_unanswered).
pub(super) async fn unanswered(store: &SqliteStore, app: &str) -> Result<Vec<CallbackRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM callbacks WHERE app = ? AND answered_ms IS NULL ORDER BY received_ms, rowid",
    )
    .bind(app)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::callbacks_unanswered_of`](crate::store::Store::callbacks_unanswered_of).
pub(super) async fn unanswered_of(
    store: &SqliteStore,
    app: &str,
    sender: &str,
) -> Result<Vec<CallbackRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM callbacks WHERE app = ? AND sender = ? AND answered_ms IS NULL
         ORDER BY received_ms, rowid",
    )
    .bind(app)
    .bind(sender)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::callbacks_late`](crate::store::Store::callbacks_late).
pub(super) async fn late(store: &SqliteStore, app: &str, limit: u32) -> Result<Vec<CallbackRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM callbacks WHERE app = ? AND late = 1 ORDER BY answered_ms DESC, key LIMIT ?",
    )
    .bind(app)
    .bind(limit::rows(limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::callbacks_prune`](crate::store::Store::callbacks_prune).
pub(super) async fn prune(store: &SqliteStore, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM callbacks WHERE received_ms < ? AND answered_ms IS NOT NULL")
        .bind(before.as_millisecond())
        .execute(&store.writer)
        .await?;
    Ok(done.rows_affected())
}

/// Who has a delivery that was claimed before.
async fn held(connection: &mut SqliteConnection, key: &CallbackKey) -> Result<Claim, StoreError> {
    let row = sqlx::query("SELECT received_ms, reply FROM callbacks WHERE app = ? AND key = ?")
        .bind(&key.app)
        .bind(&key.key)
        .fetch_one(connection)
        .await?;
    Ok(match row.try_get("reply")? {
        Some(reply) => Claim::Answered { reply },
        None => Claim::InProgress { received_at: column::time(&row, "received_ms")? },
    })
}

/// Why no unanswered delivery had that key.
async fn not_answerable(
    connection: &mut SqliteConnection,
    key: &CallbackKey,
) -> Result<StoreError, StoreError> {
    let known = sqlx::query("SELECT 1 FROM callbacks WHERE app = ? AND key = ?")
        .bind(&key.app)
        .bind(&key.key)
        .fetch_optional(connection)
        .await?;
    let CallbackKey { app, key } = key.clone();
    Ok(match known {
        Some(_) => StoreError::CallbackAnswered { app, key },
        None => StoreError::CallbackUnknown { app, key },
    })
}

fn read(row: &SqliteRow) -> Result<CallbackRow, StoreError> {
    let answer = match row.try_get("reply")? {
        Some(reply) => Some(RecordedAnswer {
            reply,
            answered_at: column::time(row, "answered_ms")?,
            late: row.try_get("late")?,
        }),
        None => None,
    };
    Ok(CallbackRow {
        key: CallbackKey { app: row.try_get("app")?, key: row.try_get("key")? },
        plaintext: row.try_get("plaintext")?,
        received_at: column::time(row, "received_ms")?,
        answer,
    })
}
