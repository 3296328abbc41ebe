//! One turn, one transaction: the write that the whole store is for.

use sqlx::SqliteConnection;

use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::StoreError;
use crate::store::TurnReceipt;
use crate::store::TurnRow;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::callback;
use crate::store::sqlite::column;
use crate::store::sqlite::conversation;
use crate::store::sqlite::customer;
use crate::store::sqlite::handoff;
use crate::store::sqlite::outbox;
use crate::store::sqlite::task;

/// See [`Store::record_turn`](crate::store::Store::record_turn).
pub(super) async fn record(store: &SqliteStore, turn: TurnRow) -> Result<TurnReceipt, StoreError> {
    turn.check()?;
    // Every `?` from here on drops the transaction, which takes all of it back.
    let mut transaction = store.begin().await?;
    let connection = &mut *transaction;
    let id = turn.conversation_id;
    let customer = advance(connection, &turn).await?;
    customer::touch(connection, &customer, (turn.tags_added, &turn.record), turn.at).await?;
    let inbound_id = conversation::add_message(connection, id, Direction::In, &turn.inbound, turn.at).await?;
    let outbound_id =
        conversation::add_message(connection, id, Direction::Out, &turn.outbound, turn.at).await?;
    let handoff = match &turn.handoff {
        Some(request) => Some(handoff::request(connection, id, request, turn.at).await?),
        None => None,
    };
    task::add_tickets(connection, id, &turn.tickets, turn.at).await?;
    task::count_steps(connection, customer.bot(), &turn.steps, turn.at).await?;
    for answer in &turn.answers {
        callback::record_answer(connection, answer, turn.at).await?;
    }
    outbox::add(connection, (id, turn.revision + 1), &turn.outbox, turn.at).await?;
    transaction.commit().await?;
    Ok(TurnReceipt { revision: turn.revision + 1, inbound_id, outbound_id, handoff })
}

/// Puts the new state in place of the one that the turn started from, and says whose conversation it is.
async fn advance(connection: &mut SqliteConnection, turn: &TurnRow) -> Result<CustomerKey, StoreError> {
    let row = sqlx::query(
        "UPDATE conversations SET state = ?3, revision = revision + 1, updated_ms = ?4
         WHERE id = ?1 AND revision = ?2
         RETURNING bot, channel, customer_id",
    )
    .bind(turn.conversation_id)
    .bind(turn.revision)
    .bind(&turn.state)
    .bind(turn.at.as_millisecond())
    .fetch_optional(&mut *connection)
    .await?;
    match row {
        Some(row) => column::customer_key(&row),
        None => Err(not_advanced(connection, turn).await?),
    }
}

/// Why no conversation had the turn's id and revision.
async fn not_advanced(connection: &mut SqliteConnection, turn: &TurnRow) -> Result<StoreError, StoreError> {
    let found = sqlx::query_scalar("SELECT revision FROM conversations WHERE id = ?")
        .bind(turn.conversation_id)
        .fetch_optional(connection)
        .await?;
    Ok(match found {
        Some(found) => {
            StoreError::Conflict { conversation: turn.conversation_id, expected: turn.revision, found }
        }
        None => StoreError::NotFound { what: "conversation", id: turn.conversation_id },
    })
}
