//! Handing out and forgetting in SQLite.

use std::path::Path;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;

use crate::store::ConversationId;
use crate::store::CustomerFile;
use crate::store::CustomerKey;
use crate::store::Forgotten;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::conversation;
use crate::store::sqlite::customer;
use crate::store::sqlite::handoff;
use crate::store::sqlite::handover;
use crate::store::sqlite::task;

/// Conversations of one pruning; the rest is found by the next.
const PRUNED_MAX: u32 = 500;

/// See [`Store::customer_file`](crate::store::Store::customer_file).
pub(super) async fn file(store: &SqliteStore, key: &CustomerKey) -> Result<Option<CustomerFile>, StoreError> {
    let Some(customer) = customer::find(store, key).await? else { return Ok(None) };
    let conversation = conversation::find_one(store, key).await?;
    let mut file = CustomerFile {
        customer,
        conversation,
        messages: Vec::new(),
        notes: Vec::new(),
        tickets: Vec::new(),
        handoffs: Vec::new(),
    };
    if let Some(id) = file.conversation.as_ref().map(|conversation| conversation.id) {
        let rows = sqlx::query("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id")
            .bind(id)
            .fetch_all(&store.readers)
            .await?;
        file.messages = rows.iter().map(conversation::read_message).collect::<Result<_, _>>()?;
        file.notes = handover::notes(store, id).await?;
        file.tickets = task::tickets_of(store, id).await?;
        file.handoffs = handoff::of_conversation(store, id).await?;
    }
    Ok(Some(file))
}

/// See [`Store::customer_forget`](crate::store::Store::customer_forget).
pub(super) async fn forget(store: &SqliteStore, key: &CustomerKey) -> Result<Option<Forgotten>, StoreError> {
    let mut transaction = store.begin().await?;
    let mut forgotten = Forgotten::default();
    if let Some(row) = conversation::find(&mut *transaction, key).await? {
        let id = row.try_get("id")?;
        forgotten = forget_of(&mut transaction, id, i64::MAX).await?;
        run(&mut transaction, "DELETE FROM outbox WHERE conversation_id = ?", id).await?;
        for sql in [
            "DELETE FROM notes WHERE conversation_id = ?",
            "DELETE FROM timers WHERE conversation_id = ?",
            "DELETE FROM events WHERE conversation_id = ?",
        ] {
            run(&mut transaction, sql, id).await?;
        }
        run(&mut transaction, "DELETE FROM tickets WHERE conversation_id = ?", id).await?;
        run(&mut transaction, "DELETE FROM handoffs WHERE conversation_id = ?", id).await?;
        run(&mut transaction, "DELETE FROM conversations WHERE id = ?", id).await?;
    }
    // One that is being answered is let be. An id that two bots' apps know is forgotten in both: it is one person.
    let deliveries = sqlx::query("DELETE FROM callbacks WHERE answered_ms IS NOT NULL AND sender = ?")
        .bind(&key.customer_id)
        .execute(&mut *transaction)
        .await?;
    forgotten.n_others += deliveries.rows_affected();
    let gone = sqlx::query("DELETE FROM customers WHERE bot = ? AND channel = ? AND customer_id = ?")
        .bind(&key.bot)
        .bind(&key.channel)
        .bind(&key.customer_id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok((gone.rows_affected() > 0).then_some(forgotten))
}

/// See [`Store::messages_prune`](crate::store::Store::messages_prune).
pub(super) async fn prune(
    store: &SqliteStore,
    bot: &str,
    before: Timestamp,
) -> Result<Forgotten, StoreError> {
    // Found by a reader, and not all at once: callbacks wait for the writer.
    let rows = sqlx::query(
        "SELECT DISTINCT conversation_id FROM messages WHERE at_ms < ?1
         AND conversation_id IN (SELECT id FROM conversations WHERE bot = ?2) LIMIT ?3",
    )
    .bind(before.as_millisecond())
    .bind(bot)
    .bind(limit::rows(PRUNED_MAX))
    .fetch_all(&store.readers)
    .await?;
    let mut transaction = store.begin().await?;
    let mut all = Forgotten::default();
    for row in rows {
        let one = forget_of(&mut transaction, row.try_get(0)?, before.as_millisecond()).await?;
        all.n_messages += one.n_messages;
        all.n_others += one.n_others;
    }
    // What has a time of its own goes by it, and what a customer has told goes with their last word.
    for sql in [
        "DELETE FROM notes WHERE at_ms < ?1 AND conversation_id IN (SELECT id FROM conversations WHERE bot = ?2)",
        "DELETE FROM tickets WHERE closed_ms < ?1 AND conversation_id IN (SELECT id FROM conversations WHERE bot = ?2)",
        "DELETE FROM handoffs WHERE closed_ms < ?1 AND conversation_id IN (SELECT id FROM conversations WHERE bot = ?2)",
        "UPDATE customers SET record = '{}', contact = NULL
         WHERE last_seen_ms < ?1 AND bot = ?2 AND (record != '{}' OR contact IS NOT NULL)",
        "UPDATE conversations SET state = '{}' WHERE updated_ms < ?1 AND bot = ?2 AND state != '{}'",
    ] {
        let done =
            sqlx::query(sql).bind(before.as_millisecond()).bind(bot).execute(&mut *transaction).await?;
        all.n_others += done.rows_affected();
    }
    transaction.commit().await?;
    Ok(all)
}

/// Forgets the messages of a conversation before a time, with opinions of them, closed handoffs and what was sent.
async fn forget_of(
    connection: &mut SqliteConnection,
    id: ConversationId,
    before_ms: i64,
) -> Result<Forgotten, StoreError> {
    let mut n_others = 0;
    for sql in [
        "DELETE FROM feedback WHERE answer_id IN
             (SELECT id FROM messages WHERE conversation_id = ?1 AND at_ms < ?2)",
        "DELETE FROM handoffs WHERE conversation_id = ?1 AND closed_ms < ?2",
        "DELETE FROM tickets WHERE conversation_id = ?1 AND closed_ms < ?2",
        "DELETE FROM notes WHERE conversation_id = ?1 AND at_ms < ?2",
        "DELETE FROM outbox WHERE conversation_id = ?1 AND fate != 'waiting' AND done_ms < ?2",
    ] {
        n_others +=
            sqlx::query(sql).bind(id).bind(before_ms).execute(&mut *connection).await?.rows_affected();
    }
    let messages = sqlx::query("DELETE FROM messages WHERE conversation_id = ?1 AND at_ms < ?2")
        .bind(id)
        .bind(before_ms)
        .execute(connection)
        .await?;
    Ok(Forgotten { n_messages: messages.rows_affected(), n_others })
}

async fn run(
    connection: &mut SqliteConnection,
    sql: &'static str,
    id: ConversationId,
) -> Result<(), StoreError> {
    sqlx::query(sql).bind(id).execute(connection).await?;
    Ok(())
}

/// See [`SqliteStore::copy_to`].
pub(super) async fn copy(store: &SqliteStore, path: &Path) -> Result<(), StoreError> {
    // It reads as one transaction does: writers go on beside it.
    sqlx::query("VACUUM INTO ?").bind(path.to_string_lossy().into_owned()).execute(&store.writer).await?;
    Ok(())
}
