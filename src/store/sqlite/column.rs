//! Columns to values, for the types that SQLite does not have.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteQueryResult;
use sqlx::sqlite::SqliteRow;

use crate::message::CustomerKind;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::StoreError;

/// A time, stored as milliseconds since 1970.
pub(super) fn time(row: &SqliteRow, column: &'static str) -> Result<Timestamp, StoreError> {
    timestamp(row.try_get(column)?, column)
}

/// A time that may be missing.
pub(super) fn time_if_any(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    let ms: Option<i64> = row.try_get(column)?;
    ms.map(|ms| timestamp(ms, column)).transpose()
}

/// The customer's key, from the three columns that hold it in every table.
pub(super) fn customer_key(row: &SqliteRow) -> Result<CustomerKey, StoreError> {
    Ok(CustomerKey {
        bot: row.try_get("bot")?,
        channel: row.try_get("channel")?,
        customer_id: row.try_get("customer_id")?,
    })
}

/// Tags, stored as a JSON array of strings.
pub(super) fn tags(row: &SqliteRow) -> Result<BTreeSet<String>, StoreError> {
    let json: String = row.try_get("tags")?;
    serde_json::from_str(&json)
        .map_err(|source| StoreError::Unreadable { column: "tags", source: source.into() })
}

/// Tags, as [`tags`] reads them.
pub(super) fn tags_json(tags: &BTreeSet<String>) -> String {
    serde_json::Value::from_iter(tags.iter().cloned()).to_string()
}

/// Fields of a customer's record, stored as a JSON object of strings.
pub(super) fn record(row: &SqliteRow) -> Result<BTreeMap<String, String>, StoreError> {
    let json: String = row.try_get("record")?;
    serde_json::from_str(&json)
        .map_err(|source| StoreError::Unreadable { column: "record", source: source.into() })
}

/// Fields of a record, as [`record`] reads them.
pub(super) fn record_json(fields: &BTreeMap<String, String>) -> String {
    serde_json::Value::from_iter(fields.clone()).to_string()
}

/// The kind of customer.
pub(super) fn customer_kind(row: &SqliteRow) -> Result<CustomerKind, StoreError> {
    let name: String = row.try_get("kind")?;
    match name.as_str() {
        "customer" => Ok(CustomerKind::Customer),
        "employee" => Ok(CustomerKind::Employee),
        _ => Err(unknown("kind", &name)),
    }
}

/// The kind of customer, as [`customer_kind`] reads it.
pub(super) fn customer_kind_name(kind: CustomerKind) -> &'static str {
    match kind {
        CustomerKind::Customer => "customer",
        CustomerKind::Employee => "employee",
    }
}

/// Which way a message went.
pub(super) fn direction(row: &SqliteRow) -> Result<Direction, StoreError> {
    let name: String = row.try_get("direction")?;
    match name.as_str() {
        "in" => Ok(Direction::In),
        "out" => Ok(Direction::Out),
        _ => Err(unknown("direction", &name)),
    }
}

/// Which way a message went, as [`direction`] reads it.
pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn timestamp(ms: i64, column: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|source| StoreError::Unreadable { column, source: source.into() })
}

/// Refuses a change that met no row.
pub(super) fn found(done: &SqliteQueryResult, what: &'static str, id: i64) -> Result<(), StoreError> {
    match done.rows_affected() {
        0 => Err(StoreError::NotFound { what, id }),
        _ => Ok(()),
    }
}

/// A name that this version does not know.
pub(super) fn unknown(column: &'static str, name: &str) -> StoreError {
    StoreError::Unreadable { column, source: format!("`{name}` is not one of its names").into() }
}
