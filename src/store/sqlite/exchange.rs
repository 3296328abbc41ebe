//! Messages with their answers, and what customers think of them, in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::store::CustomerKey;
use crate::store::ExchangeFilter;
use crate::store::ExchangeRow;
use crate::store::MessageId;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::exchanges`](crate::store::Store::exchanges).
pub(super) async fn list(
    store: &SqliteStore,
    filter: &ExchangeFilter,
) -> Result<Vec<ExchangeRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT o.id AS answer_id, o.conversation_id, o.body AS outbound, o.at_ms, f.helpful,
                c.bot, c.channel, c.customer_id,
                (SELECT i.body FROM messages i
                 WHERE i.conversation_id = o.conversation_id AND i.id < o.id AND i.direction = 'in'
                 ORDER BY i.id DESC LIMIT 1) AS inbound
         FROM messages o
         JOIN conversations c ON c.id = o.conversation_id
         LEFT JOIN feedback f ON f.answer_id = o.id
         WHERE c.bot = ?1 AND o.direction = 'out' AND o.author = 'bot' AND o.at_ms >= ?2 AND o.id > ?3 AND inbound IS NOT NULL
         ORDER BY o.id LIMIT ?4",
    )
    .bind(&filter.bot)
    .bind(filter.since.as_millisecond())
    .bind(filter.after)
    .bind(limit::rows(filter.limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::feedback`](crate::store::Store::feedback).
pub(super) async fn feedback(
    store: &SqliteStore,
    customer: &CustomerKey,
    answer_id: MessageId,
    helpful: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO feedback (answer_id, helpful, at_ms)
         SELECT m.id, ?5, ?6 FROM messages m JOIN conversations c ON c.id = m.conversation_id
         WHERE m.id = ?1 AND m.direction = 'out' AND c.bot = ?2 AND c.channel = ?3 AND c.customer_id = ?4
         ON CONFLICT (answer_id) DO UPDATE SET helpful = excluded.helpful, at_ms = excluded.at_ms",
    )
    .bind(answer_id)
    .bind(&customer.bot)
    .bind(&customer.channel)
    .bind(&customer.customer_id)
    .bind(helpful)
    .bind(now.as_millisecond())
    .execute(&store.writer)
    .await?;
    column::found(&done, "answer", answer_id)
}

fn read(row: &SqliteRow) -> Result<ExchangeRow, StoreError> {
    Ok(ExchangeRow {
        answer_id: row.try_get("answer_id")?,
        conversation_id: row.try_get("conversation_id")?,
        customer: column::customer_key(row)?,
        inbound: row.try_get("inbound")?,
        outbound: row.try_get("outbound")?,
        helpful: row.try_get("helpful")?,
        at: column::time(row, "at_ms")?,
    })
}
