//! Settings in SQLite: values that the program makes once and must find again, such as a signing key.

use sqlx::SqliteExecutor;

use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;

/// See [`Store::setting`](crate::store::Store::setting).
pub(super) async fn find(store: &SqliteStore, name: &str) -> Result<Option<String>, StoreError> {
    Ok(value(&store.readers, name).await?)
}

/// See [`Store::set_setting_if_absent`](crate::store::Store::set_setting_if_absent).
pub(super) async fn set_if_absent(
    store: &SqliteStore,
    name: &str,
    proposed: &str,
) -> Result<String, StoreError> {
    limit::name("setting name", name)?;
    limit::payload("setting value", proposed)?;
    let mut transaction = store.begin().await?;
    sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(proposed)
        .execute(&mut *transaction)
        .await?;
    let standing = value(&mut *transaction, name).await?.ok_or(sqlx::Error::RowNotFound)?;
    transaction.commit().await?;
    Ok(standing)
}

async fn value(executor: impl SqliteExecutor<'_>, name: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT value FROM settings WHERE name = ?").bind(name).fetch_optional(executor).await
}
