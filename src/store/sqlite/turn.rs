//! One turn, one transaction: the write that the whole store is for.

use sqlx::SqliteConnection;

use crate::store::Author;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::Speaker;
use crate::store::StoreError;
use crate::store::TimerKind;
use crate::store::TurnReceipt;
use crate::store::TurnRow;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::callback;
use crate::store::sqlite::column;
use crate::store::sqlite::conversation;
use crate::store::sqlite::customer;
use crate::store::sqlite::handoff;
use crate::store::sqlite::handover;
use crate::store::sqlite::outbox;
use crate::store::sqlite::survey;
use crate::store::sqlite::task;

/// See [`Store::record_turn`](crate::store::Store::record_turn).
pub(super) async fn record(store: &SqliteStore, turn: TurnRow) -> Result<TurnReceipt, StoreError> {
    turn.check()?;
    // Every `?` from here on drops the transaction, which takes all of it back.
    let mut transaction = store.begin().await?;
    let connection = &mut *transaction;
    let id = turn.conversation_id;
    let (customer, speaker) = advance(connection, &turn).await?;
    customer::touch(connection, &customer, (turn.tags_added, &turn.record), turn.at).await?;
    let inbound_id =
        conversation::add_message(connection, id, (Direction::In, Author::Customer), &turn.inbound, turn.at)
            .await?;
    let outbound_id =
        conversation::add_message(connection, id, (Direction::Out, Author::Bot), &turn.outbound, turn.at)
            .await?;
    let handoff = match &turn.handoff {
        Some(request) => Some(handoff::request(connection, id, request, turn.at).await?),
        None => None,
    };
    // Who waits sees to it that somebody knows; who asks again does not begin to wait anew.
    let asks_anew = match handoff {
        Some(receipt) => receipt.opened || !handover::has_timer(connection, id, TimerKind::Overdue).await?,
        None => false,
    };
    if let Some(request) = turn.handoff.as_ref().filter(|_| asks_anew) {
        handover::set_timer(connection, id, TimerKind::Overdue, request.overdue_at).await?;
        handover::tell(connection, id, "waiting", turn.at).await?;
    } else if speaker == Speaker::Waiting {
        handover::tell(connection, id, "message", turn.at).await?;
    }
    if let Some(rating) = turn.rating {
        survey::rate(connection, id, rating, turn.at).await?;
    }
    if turn.idle_at.is_some() {
        // Who waits for a human is not closed by the bot.
        let idle_at = turn.idle_at.filter(|_| speaker == Speaker::Bot);
        handover::set_timer(connection, id, TimerKind::Idle, idle_at).await?;
    }
    task::add_tickets(connection, id, &turn.tickets, turn.at).await?;
    task::count_steps(connection, customer.bot(), &turn.steps, turn.at).await?;
    for answer in &turn.answers {
        callback::record_answer(connection, answer, turn.at).await?;
    }
    outbox::add(connection, (id, turn.revision + 1), (&turn.outbox, true), turn.at).await?;
    transaction.commit().await?;
    Ok(TurnReceipt { revision: turn.revision + 1, inbound_id, outbound_id, handoff })
}

/// Puts the new state in place of the one that the turn started from, and says whose conversation it is.
async fn advance(
    connection: &mut SqliteConnection,
    turn: &TurnRow,
) -> Result<(CustomerKey, Speaker), StoreError> {
    let row = sqlx::query(
        "UPDATE conversations SET state = ?3, revision = revision + 1, updated_ms = ?4, route = coalesce(?5, route),
             speaker = CASE WHEN ?6 THEN 'waiting' WHEN speaker = 'closed' THEN 'bot' ELSE speaker END
         WHERE id = ?1 AND revision = ?2 AND speaker != 'human'
         RETURNING bot, channel, customer_id, speaker",
    )
    .bind(turn.conversation_id)
    .bind(turn.revision)
    .bind(&turn.state)
    .bind(turn.at.as_millisecond())
    .bind(&turn.route)
    .bind(turn.handoff.is_some())
    .fetch_optional(&mut *connection)
    .await?;
    match row {
        Some(row) => Ok((column::customer_key(&row)?, handover::speaker(&row)?)),
        None => Err(conversation::not_at(connection, turn.conversation_id, turn.revision).await?),
    }
}
