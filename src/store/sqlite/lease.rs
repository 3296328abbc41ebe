//! Leases and tokens in SQLite.

use jiff::Timestamp;
use sqlx::Row;

use crate::secret::Secret;
use crate::store::Lease;
use crate::store::StoreError;
use crate::store::TokenRow;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::lease_take`](crate::store::Store::lease_take).
pub(super) async fn take(
    store: &SqliteStore,
    lease: &Lease,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    lease.check()?;
    let done = sqlx::query(
        "INSERT INTO leases (name, holder, until_ms) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
         WHERE leases.until_ms <= $4 OR leases.holder = excluded.holder",
    )
    .bind(&lease.name)
    .bind(&lease.holder)
    .bind(until.as_millisecond())
    .bind(now.as_millisecond())
    .execute(&store.writer)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// See [`Store::lease_drop`](crate::store::Store::lease_drop).
pub(super) async fn drop(store: &SqliteStore, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2")
        .bind(&lease.name)
        .bind(&lease.holder)
        .execute(&store.writer)
        .await?;
    Ok(())
}

/// See [`Store::leases_prune`](crate::store::Store::leases_prune).
pub(super) async fn prune(store: &SqliteStore, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM leases WHERE until_ms < $1")
        .bind(before.as_millisecond())
        .execute(&store.writer)
        .await?;
    Ok(done.rows_affected())
}

/// See [`Store::token`](crate::store::Store::token).
pub(super) async fn token(store: &SqliteStore, name: &str) -> Result<Option<TokenRow>, StoreError> {
    let row = sqlx::query("SELECT value, good_until_ms FROM tokens WHERE name = $1")
        .bind(name)
        .fetch_optional(&store.readers)
        .await?;
    row.map(|row| {
        let value: String = row.try_get("value")?;
        Ok(TokenRow { value: Secret::new(value), good_until: column::time(&row, "good_until_ms")? })
    })
    .transpose()
}

/// See [`Store::token_keep`](crate::store::Store::token_keep).
pub(super) async fn token_keep(store: &SqliteStore, name: &str, token: &TokenRow) -> Result<(), StoreError> {
    limit::name("name of a token", name)?;
    limit::payload("token", token.value.expose())?;
    sqlx::query(
        "INSERT INTO tokens (name, value, good_until_ms) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, good_until_ms = excluded.good_until_ms",
    )
    .bind(name)
    .bind(token.value.expose())
    .bind(token.good_until.as_millisecond())
    .execute(&store.writer)
    .await?;
    Ok(())
}
