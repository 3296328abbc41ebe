//! Versions of knowledge in SQLite.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;
use sqlx::Row;
use sqlx::SqliteExecutor;
use sqlx::sqlite::SqliteRow;

use crate::message::BotId;
use crate::store::NewPublication;
use crate::store::NewVersion;
use crate::store::PublicationRow;
use crate::store::StoreError;
use crate::store::VersionFiles;
use crate::store::VersionNumber;
use crate::store::VersionRow;
use crate::store::fingerprint;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;

/// A version's own columns, and when it last began to answer.
const SELECT: &str = "SELECT v.*, (SELECT max(p.at_ms) FROM publications p
                                   WHERE p.bot = v.bot AND p.number = v.number) AS published_ms
                      FROM versions v ";

/// See [`Store::version_add`](crate::store::Store::version_add).
pub(super) async fn add(
    store: &SqliteStore,
    version: &NewVersion,
    now: Timestamp,
) -> Result<VersionRow, StoreError> {
    version.check()?;
    let fingerprint = fingerprint(&version.files);
    let mut transaction = store.begin().await?;
    if let Some(row) = find_by_fingerprint(&mut *transaction, &version.bot, &fingerprint).await? {
        return Ok(row);
    }
    let number: VersionNumber =
        sqlx::query_scalar("SELECT coalesce(max(number), 0) + 1 FROM versions WHERE bot = ?")
            .bind(&version.bot)
            .fetch_one(&mut *transaction)
            .await?;
    sqlx::query(
        "INSERT INTO versions (bot, number, fingerprint, author, reason, created_ms)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&version.bot)
    .bind(number)
    .bind(fingerprint.as_slice())
    .bind(&version.author)
    .bind(&version.reason)
    .bind(now.as_millisecond())
    .execute(&mut *transaction)
    .await?;
    for (path, bytes) in &version.files {
        let hash = Sha256::digest(bytes);
        sqlx::query("INSERT INTO blobs (hash, bytes) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING")
            .bind(hash.as_slice())
            .bind(bytes.as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO version_files (bot, number, path, hash) VALUES (?, ?, ?, ?)")
            .bind(&version.bot)
            .bind(number)
            .bind(path)
            .bind(hash.as_slice())
            .execute(&mut *transaction)
            .await?;
    }
    let row = find_by_fingerprint(&mut *transaction, &version.bot, &fingerprint).await?;
    transaction.commit().await?;
    row.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

async fn find_by_fingerprint(
    executor: impl SqliteExecutor<'_>,
    bot: &str,
    fingerprint: &[u8; 32],
) -> Result<Option<VersionRow>, StoreError> {
    let sql = format!("{SELECT} WHERE v.bot = ? AND v.fingerprint = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(bot)
        .bind(fingerprint.as_slice())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(read).transpose()
}

/// See [`Store::versions`](crate::store::Store::versions).
pub(super) async fn list(store: &SqliteStore, bot: &str, limit: u32) -> Result<Vec<VersionRow>, StoreError> {
    let sql = format!("{SELECT} WHERE v.bot = ? ORDER BY v.number DESC LIMIT ?");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(bot)
        .bind(limit::rows(limit))
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(read).collect()
}

/// See [`Store::version_files`](crate::store::Store::version_files).
pub(super) async fn files(
    store: &SqliteStore,
    bot: &str,
    number: VersionNumber,
) -> Result<VersionFiles, StoreError> {
    let rows = sqlx::query(
        "SELECT f.path, b.bytes FROM version_files f JOIN blobs b ON b.hash = f.hash
         WHERE f.bot = ? AND f.number = ?",
    )
    .bind(bot)
    .bind(number)
    .fetch_all(&store.readers)
    .await?;
    if rows.is_empty() {
        return Err(StoreError::NotFound { what: "version", id: number });
    }
    rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("bytes")?))).collect()
}

/// See [`Store::publish`](crate::store::Store::publish).
pub(super) async fn publish(
    store: &SqliteStore,
    wish: &NewPublication,
    now: Timestamp,
) -> Result<(), StoreError> {
    wish.check()?;
    let mut transaction = store.begin().await?;
    let found: Option<VersionNumber> =
        sqlx::query_scalar("SELECT number FROM publications WHERE bot = ? ORDER BY id DESC LIMIT 1")
            .bind(&wish.bot)
            .fetch_optional(&mut *transaction)
            .await?;
    if found != wish.instead_of {
        return Err(StoreError::Outdated { bot: wish.bot.clone(), expected: wish.instead_of, found });
    }
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM versions WHERE bot = ? AND number = ?)")
            .bind(&wish.bot)
            .bind(wish.number)
            .fetch_one(&mut *transaction)
            .await?;
    if !there {
        return Err(StoreError::NotFound { what: "version", id: wish.number });
    }
    sqlx::query("INSERT INTO publications (bot, number, author, reason, at_ms) VALUES (?, ?, ?, ?, ?)")
        .bind(&wish.bot)
        .bind(wish.number)
        .bind(&wish.author)
        .bind(&wish.reason)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// See [`Store::published`](crate::store::Store::published).
pub(super) async fn published(store: &SqliteStore) -> Result<BTreeMap<BotId, VersionNumber>, StoreError> {
    let rows = sqlx::query(
        "SELECT bot, number FROM publications WHERE id IN (SELECT max(id) FROM publications GROUP BY bot)",
    )
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("bot")?, row.try_get("number")?))).collect()
}

/// See [`Store::publications`](crate::store::Store::publications).
pub(super) async fn publications(
    store: &SqliteStore,
    bot: &str,
    limit: u32,
) -> Result<Vec<PublicationRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM publications WHERE bot = ? ORDER BY id DESC LIMIT ?")
        .bind(bot)
        .bind(limit::rows(limit))
        .fetch_all(&store.readers)
        .await?;
    let publication = |row: &SqliteRow| {
        Ok(PublicationRow {
            bot: row.try_get("bot")?,
            number: row.try_get("number")?,
            author: row.try_get("author")?,
            reason: row.try_get("reason")?,
            at: column::time(row, "at_ms")?,
        })
    };
    rows.iter().map(publication).collect()
}

/// See [`Store::folder_seen`](crate::store::Store::folder_seen).
pub(super) async fn folder_seen(
    store: &SqliteStore,
    bot: &str,
    number: VersionNumber,
) -> Result<Option<VersionNumber>, StoreError> {
    let mut transaction = store.begin().await?;
    let before = sqlx::query_scalar("SELECT number FROM folders WHERE bot = ?")
        .bind(bot)
        .fetch_optional(&mut *transaction)
        .await?;
    if before != Some(number) {
        sqlx::query(
            "INSERT INTO folders (bot, number) VALUES (?, ?)
             ON CONFLICT (bot) DO UPDATE SET number = excluded.number",
        )
        .bind(bot)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(before)
}

fn read(row: &SqliteRow) -> Result<VersionRow, StoreError> {
    let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
    let unreadable =
        |_: Vec<u8>| StoreError::Unreadable { column: "fingerprint", source: "it is not 32 bytes".into() };
    Ok(VersionRow {
        bot: row.try_get("bot")?,
        number: row.try_get("number")?,
        fingerprint: fingerprint.try_into().map_err(unreadable)?,
        author: row.try_get("author")?,
        reason: row.try_get("reason")?,
        created_at: column::time(row, "created_ms")?,
        published_at: column::time_if_any(row, "published_ms")?,
    })
}
