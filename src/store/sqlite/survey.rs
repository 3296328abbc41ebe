//! Surveys in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::message::Rating;
use crate::store::ConversationId;
use crate::store::NewSurvey;
use crate::store::StoreError;
use crate::store::SurveyRow;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// Notes that a customer is asked.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    id: ConversationId,
    survey: &NewSurvey,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO surveys (conversation_id, bot, agent_id, intent, asked_ms)
         SELECT id, bot, ?2, ?3, ?4 FROM conversations WHERE id = ?1",
    )
    .bind(id)
    .bind(survey.agent_id)
    .bind(&survey.intent)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the answer to the latest survey of a talk, the first that comes.
pub(super) async fn rate(
    connection: &mut SqliteConnection,
    id: ConversationId,
    rating: Rating,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE surveys SET rating = coalesce(rating, ?2), rated_ms = coalesce(rated_ms, ?3)
         WHERE id = (SELECT max(id) FROM surveys WHERE conversation_id = ?1)",
    )
    .bind(id)
    .bind(rating.as_str())
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`Store::surveyed_at`](crate::store::Store::surveyed_at).
pub(super) async fn asked_at(
    store: &SqliteStore,
    id: ConversationId,
) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query("SELECT max(asked_ms) AS asked_ms FROM surveys WHERE conversation_id = ?")
        .bind(id)
        .fetch_one(&store.readers)
        .await?;
    column::time_if_any(&row, "asked_ms")
}

/// See [`Store::surveys`](crate::store::Store::surveys).
pub(super) async fn counted(
    store: &SqliteStore,
    bot: &str,
    since: Timestamp,
) -> Result<Vec<SurveyRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT agent_id, intent, count(*) AS n_asked, sum(rating IS 'good') AS n_good, sum(rating IS 'fair') AS n_fair,
             sum(rating IS 'poor') AS n_poor
         FROM surveys WHERE bot = ? AND asked_ms >= ?
         GROUP BY agent_id, intent ORDER BY n_asked DESC, agent_id, intent",
    )
    .bind(bot)
    .bind(since.as_millisecond())
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<SurveyRow, StoreError> {
    let count = |column: &str| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(SurveyRow {
        agent_id: row.try_get("agent_id")?,
        intent: row.try_get("intent")?,
        n_asked: count("n_asked")?,
        n_good: count("n_good")?,
        n_fair: count("n_fair")?,
        n_poor: count("n_poor")?,
    })
}
