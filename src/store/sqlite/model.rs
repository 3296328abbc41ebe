//! Sets of models in SQLite.

use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;
use sqlx::Row;
use sqlx::SqliteConnection;

use crate::store::StoreError;
use crate::store::VersionFiles;
use crate::store::fingerprint;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;

/// Sets that stay, the one in use among them: the one before it may be read from while it is exchanged.
const SETS_KEPT: i64 = 3;

/// See [`Store::models_keep`](crate::store::Store::models_keep).
pub(super) async fn keep(
    store: &SqliteStore,
    files: &VersionFiles,
    now: Timestamp,
) -> Result<[u8; 32], StoreError> {
    limit::files("set of models", files)?;
    let fingerprint = fingerprint(files);
    let mut transaction = store.begin().await?;
    for (path, bytes) in files {
        let hash = Sha256::digest(bytes);
        sqlx::query("INSERT INTO blobs (hash, bytes) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
            .bind(hash.as_slice())
            .bind(bytes.as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO model_files (fingerprint, path, hash) VALUES ($1, $2, $3)
             ON CONFLICT (fingerprint, path) DO NOTHING",
        )
        .bind(fingerprint.as_slice())
        .bind(path)
        .bind(hash.as_slice())
        .execute(&mut *transaction)
        .await?;
    }
    sqlx::query("INSERT INTO model_sets (fingerprint, at_ms) VALUES ($1, $2)")
        .bind(fingerprint.as_slice())
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    forget_old(&mut transaction).await?;
    transaction.commit().await?;
    Ok(fingerprint)
}

/// Forgets sets that nobody reads with any more, with the files that nothing else has.
async fn forget_old(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM model_sets WHERE id NOT IN (SELECT id FROM model_sets ORDER BY id DESC LIMIT $1)",
    )
    .bind(SETS_KEPT)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM model_files WHERE fingerprint NOT IN (SELECT fingerprint FROM model_sets)")
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "DELETE FROM blobs WHERE NOT EXISTS (SELECT 1 FROM version_files v WHERE v.hash = blobs.hash)
             AND NOT EXISTS (SELECT 1 FROM model_files m WHERE m.hash = blobs.hash)",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`Store::models`](crate::store::Store::models).
pub(super) async fn standing(store: &SqliteStore) -> Result<Option<[u8; 32]>, StoreError> {
    let found: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT fingerprint FROM model_sets ORDER BY id DESC LIMIT 1")
            .fetch_optional(&store.readers)
            .await?;
    let unreadable = |_| StoreError::Unreadable { column: "fingerprint", source: "not 32 bytes".into() };
    found.map(|bytes| <[u8; 32]>::try_from(bytes).map_err(unreadable)).transpose()
}

/// See [`Store::models_files`](crate::store::Store::models_files).
pub(super) async fn files(store: &SqliteStore, fingerprint: &[u8; 32]) -> Result<VersionFiles, StoreError> {
    let rows = sqlx::query(
        "SELECT m.path, b.bytes FROM model_files m JOIN blobs b ON b.hash = m.hash WHERE m.fingerprint = $1",
    )
    .bind(fingerprint.as_slice())
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("bytes")?))).collect()
}
