//! Customers in SQLite.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::store::CustomerKey;
use crate::store::CustomerRow;
use crate::store::CustomerSeen;
use crate::store::CustomerTold;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::customer_seen`](crate::store::Store::customer_seen).
pub(super) async fn note(
    store: &SqliteStore,
    seen: &CustomerSeen,
    now: Timestamp,
) -> Result<CustomerRow, StoreError> {
    seen.check()?;
    // A commit waits for the disk; nearly every message comes from a customer of whom nothing new is told.
    if let Some(known) = find(store, &seen.key).await?
        && tells_nothing_new(seen, &known)
    {
        return Ok(known);
    }
    let mut transaction = store.begin().await?;
    let row = sqlx::query(
        "INSERT INTO customers (bot, channel, customer_id, name, kind, region, first_seen_ms, last_seen_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
         ON CONFLICT (bot, channel, customer_id) DO UPDATE SET
             name = coalesce(excluded.name, name),
             kind = excluded.kind,
             region = coalesce(excluded.region, region),
             last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)
         RETURNING *",
    )
    .bind(&seen.key.bot)
    .bind(&seen.key.channel)
    .bind(&seen.key.customer_id)
    .bind(&seen.name)
    .bind(column::customer_kind_name(seen.kind))
    .bind(&seen.region)
    .bind(now.as_millisecond())
    .fetch_one(&mut *transaction)
    .await?;
    let customer = read(&row)?;
    transaction.commit().await?;
    Ok(customer)
}

/// See [`Store::customer_told`](crate::store::Store::customer_told).
pub(super) async fn told(
    store: &SqliteStore,
    told: &CustomerTold,
    now: Timestamp,
) -> Result<CustomerRow, StoreError> {
    told.check()?;
    let mut transaction = store.begin().await?;
    note_key(&mut transaction, &told.key, now).await?;
    let row = sqlx::query("SELECT * FROM customers WHERE bot = ? AND channel = ? AND customer_id = ?")
        .bind(&told.key.bot)
        .bind(&told.key.channel)
        .bind(&told.key.customer_id)
        .fetch_one(&mut *transaction)
        .await?;
    let before = read(&row)?;
    let mut after = told.applied_to(&before);
    if after != before {
        after.last_seen_at = after.last_seen_at.max(now);
        sqlx::query(
            "UPDATE customers SET name = ?4, tags = ?5, record = ?6, contact = ?7, last_seen_ms = ?8
             WHERE bot = ?1 AND channel = ?2 AND customer_id = ?3",
        )
        .bind(&told.key.bot)
        .bind(&told.key.channel)
        .bind(&told.key.customer_id)
        .bind(&after.name)
        .bind(column::tags_json(&after.tags))
        .bind(column::record_json(&after.record))
        .bind(&after.contact)
        .bind(after.last_seen_at.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(after)
}

/// See [`Store::contacts`](crate::store::Store::contacts).
pub(super) async fn contacts(
    store: &SqliteStore,
    bot: &str,
    after: Option<&CustomerKey>,
    limit: u32,
) -> Result<Vec<CustomerRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM customers
         WHERE contact IS NOT NULL AND bot = ?1 AND (channel, customer_id) > (?2, ?3)
         ORDER BY channel, customer_id LIMIT ?4",
    )
    .bind(bot)
    .bind(after.map_or("", CustomerKey::channel))
    .bind(after.map_or("", CustomerKey::customer_id))
    .bind(limit::rows(limit))
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::customer`](crate::store::Store::customer).
pub(super) async fn find(store: &SqliteStore, key: &CustomerKey) -> Result<Option<CustomerRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM customers WHERE bot = ? AND channel = ? AND customer_id = ?")
        .bind(&key.bot)
        .bind(&key.channel)
        .bind(&key.customer_id)
        .fetch_optional(&store.readers)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Notes a customer of whom only the key is known; one already known stays as is.
pub(super) async fn note_key(
    connection: &mut SqliteConnection,
    key: &CustomerKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO customers (bot, channel, customer_id, kind, first_seen_ms, last_seen_ms)
         VALUES (?1, ?2, ?3, 'customer', ?4, ?4)
         ON CONFLICT (bot, channel, customer_id) DO NOTHING",
    )
    .bind(&key.bot)
    .bind(&key.channel)
    .bind(&key.customer_id)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the time last seen on, and adds tags and fields of the record.
pub(super) async fn touch(
    connection: &mut SqliteConnection,
    key: &CustomerKey,
    (tags_added, record): (BTreeSet<String>, &BTreeMap<String, String>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "UPDATE customers SET last_seen_ms = max(last_seen_ms, ?4)
         WHERE bot = ?1 AND channel = ?2 AND customer_id = ?3 RETURNING tags, record",
    )
    .bind(&key.bot)
    .bind(&key.channel)
    .bind(&key.customer_id)
    .bind(now.as_millisecond())
    .fetch_one(&mut *connection)
    .await?;
    if !tags_added.is_empty() {
        let mut tags = column::tags(&row)?;
        tags.extend(tags_added);
        sqlx::query("UPDATE customers SET tags = ?4 WHERE bot = ?1 AND channel = ?2 AND customer_id = ?3")
            .bind(&key.bot)
            .bind(&key.channel)
            .bind(&key.customer_id)
            .bind(column::tags_json(&tags))
            .execute(&mut *connection)
            .await?;
    }
    if !record.is_empty() {
        let mut fields = column::record(&row)?;
        fields.extend(record.clone());
        sqlx::query("UPDATE customers SET record = ?4 WHERE bot = ?1 AND channel = ?2 AND customer_id = ?3")
            .bind(&key.bot)
            .bind(&key.channel)
            .bind(&key.customer_id)
            .bind(column::record_json(&fields))
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn tells_nothing_new(seen: &CustomerSeen, known: &CustomerRow) -> bool {
    seen.kind == known.kind
        && (seen.name.is_none() || seen.name == known.name)
        && (seen.region.is_none() || seen.region == known.region)
}

fn read(row: &SqliteRow) -> Result<CustomerRow, StoreError> {
    Ok(CustomerRow {
        key: column::customer_key(row)?,
        name: row.try_get("name")?,
        kind: column::customer_kind(row)?,
        tags: column::tags(row)?,
        record: column::record(row)?,
        region: row.try_get("region")?,
        contact: row.try_get("contact")?,
        first_seen_at: column::time(row, "first_seen_ms")?,
        last_seen_at: column::time(row, "last_seen_ms")?,
    })
}
