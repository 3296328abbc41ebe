//! Files that WeCom keeps, in SQLite.

use jiff::Timestamp;
use sqlx::Row;

use crate::store::MediaKey;
use crate::store::MediaRow;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// See [`Store::media`](crate::store::Store::media).
pub(super) async fn find(store: &SqliteStore, key: &MediaKey) -> Result<Option<MediaRow>, StoreError> {
    let row =
        sqlx::query("SELECT media_id, uploaded_ms FROM media WHERE corp_id = ? AND kind = ? AND hash = ?")
            .bind(&key.corp_id)
            .bind(&key.kind)
            .bind(&key.hash[..])
            .fetch_optional(&store.readers)
            .await?;
    row.map(|row| {
        Ok(MediaRow { media_id: row.try_get("media_id")?, uploaded_at: column::time(&row, "uploaded_ms")? })
    })
    .transpose()
}

/// See [`Store::media_keep`](crate::store::Store::media_keep).
pub(super) async fn keep(
    store: &SqliteStore,
    key: &MediaKey,
    media_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    key.check()?;
    limit::name("media id", media_id)?;
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO media (corp_id, kind, hash, media_id, uploaded_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (corp_id, kind, hash) DO UPDATE SET
             media_id = excluded.media_id, uploaded_ms = excluded.uploaded_ms",
    )
    .bind(&key.corp_id)
    .bind(&key.kind)
    .bind(&key.hash[..])
    .bind(media_id)
    .bind(now.as_millisecond())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// See [`Store::media_forget`](crate::store::Store::media_forget).
pub(super) async fn forget(store: &SqliteStore, media_id: &str) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    sqlx::query("DELETE FROM media WHERE media_id = ?").bind(media_id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
