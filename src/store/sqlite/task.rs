//! Tickets and steps of tasks in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::ConversationId;
use crate::store::NewTicket;
use crate::store::StoreError;
use crate::store::TaskStep;
use crate::store::TaskStepRow;
use crate::store::TicketFilter;
use crate::store::TicketId;
use crate::store::TicketRow;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

const MS_A_DAY: i64 = 86_400_000;

/// Adds the tickets of a turn.
pub(super) async fn add_tickets(
    connection: &mut SqliteConnection,
    conversation_id: ConversationId,
    tickets: &[NewTicket],
    now: Timestamp,
) -> Result<(), StoreError> {
    for ticket in tickets {
        sqlx::query(
            "INSERT INTO tickets (conversation_id, task, title, fields, opened_ms) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(conversation_id)
        .bind(&ticket.task)
        .bind(&ticket.title)
        .bind(&ticket.fields)
        .bind(now.as_millisecond())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Counts the steps of a turn.
pub(super) async fn count_steps(
    connection: &mut SqliteConnection,
    bot: &str,
    steps: &[TaskStep],
    now: Timestamp,
) -> Result<(), StoreError> {
    for step in steps {
        sqlx::query(
            "INSERT INTO task_steps (bot, task, step, day, n_reached, n_passed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (bot, task, step, day) DO UPDATE SET
                 n_reached = n_reached + excluded.n_reached, n_passed = n_passed + excluded.n_passed",
        )
        .bind(bot)
        .bind(&step.task)
        .bind(&step.step)
        .bind(now.as_millisecond().div_euclid(MS_A_DAY))
        .bind(!step.passed)
        .bind(step.passed)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// See [`Store::task_steps`](crate::store::Store::task_steps).
pub(super) async fn steps(
    store: &SqliteStore,
    bot: &str,
    since: Timestamp,
) -> Result<Vec<TaskStepRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT task, step, sum(n_reached) AS n_reached, sum(n_passed) AS n_passed FROM task_steps
         WHERE bot = ? AND day >= ? GROUP BY task, step ORDER BY task, step",
    )
    .bind(bot)
    .bind(since.as_millisecond().div_euclid(MS_A_DAY))
    .fetch_all(&store.readers)
    .await?;
    rows.iter()
        .map(|row| {
            let count = |column: &str| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
            Ok(TaskStepRow {
                task: row.try_get("task")?,
                step: row.try_get("step")?,
                n_reached: count("n_reached")?,
                n_passed: count("n_passed")?,
            })
        })
        .collect()
}

/// See [`Store::tickets`](crate::store::Store::tickets).
pub(super) async fn tickets(store: &SqliteStore, filter: TicketFilter) -> Result<Vec<TicketRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.*, c.bot, c.channel, c.customer_id
         FROM tickets t JOIN conversations c ON c.id = t.conversation_id
         WHERE (?1 IS NULL OR c.bot = ?1) AND (NOT ?2 OR t.closed_ms IS NULL)
         ORDER BY t.id DESC LIMIT ?3",
    )
    .bind(filter.bot)
    .bind(filter.open_only)
    .bind(limit::rows(filter.limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// All tickets of a conversation, oldest first.
pub(super) async fn tickets_of(
    store: &SqliteStore,
    id: ConversationId,
) -> Result<Vec<TicketRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.*, c.bot, c.channel, c.customer_id
         FROM tickets t JOIN conversations c ON c.id = t.conversation_id WHERE c.id = ? ORDER BY t.id",
    )
    .bind(id)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::ticket_close`](crate::store::Store::ticket_close).
pub(super) async fn close(store: &SqliteStore, id: TicketId, now: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE tickets SET closed_ms = coalesce(closed_ms, ?2) WHERE id = ?1")
        .bind(id)
        .bind(now.as_millisecond())
        .execute(&store.writer)
        .await?;
    column::found(&done, "ticket", id)
}

fn read(row: &SqliteRow) -> Result<TicketRow, StoreError> {
    Ok(TicketRow {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        customer: column::customer_key(row)?,
        task: row.try_get("task")?,
        title: row.try_get("title")?,
        fields: row.try_get("fields")?,
        opened_at: column::time(row, "opened_ms")?,
        closed_at: column::time_if_any(row, "closed_ms")?,
    })
}
