//! API keys in SQLite.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::store::KeyId;
use crate::store::KeyRow;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::key_add`](crate::store::Store::key_add).
pub(super) async fn add(
    store: &SqliteStore,
    scope: &str,
    hash: &[u8; 32],
    label: &str,
    now: Timestamp,
) -> Result<KeyId, StoreError> {
    limit::name("key scope", scope)?;
    limit::name("key label", label)?;
    let done = sqlx::query(
        "INSERT INTO api_keys (scope, hash, label, created_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (hash) DO NOTHING",
    )
    .bind(scope)
    .bind(hash.as_slice())
    .bind(label)
    .bind(now.as_millisecond())
    .execute(&store.writer)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::KeyExists);
    }
    Ok(done.last_insert_rowid())
}

/// See [`Store::keys`](crate::store::Store::keys).
pub(super) async fn list(store: &SqliteStore) -> Result<Vec<KeyRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM api_keys ORDER BY id").fetch_all(&store.readers).await?;
    rows.iter().map(read).collect()
}

/// See [`Store::key_by_hash`](crate::store::Store::key_by_hash).
pub(super) async fn find(store: &SqliteStore, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM api_keys WHERE hash = ? AND revoked = 0")
        .bind(hash.as_slice())
        .fetch_optional(&store.readers)
        .await?;
    row.as_ref().map(read).transpose()
}

/// See [`Store::key_revoke`](crate::store::Store::key_revoke).
pub(super) async fn revoke(store: &SqliteStore, id: KeyId) -> Result<(), StoreError> {
    let done =
        sqlx::query("UPDATE api_keys SET revoked = 1 WHERE id = ?").bind(id).execute(&store.writer).await?;
    column::found(&done, "API key", id)
}

fn read(row: &SqliteRow) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.try_get("id")?,
        scope: row.try_get("scope")?,
        label: row.try_get("label")?,
        created_at: column::time(row, "created_ms")?,
        revoked: row.try_get("revoked")?,
    })
}
