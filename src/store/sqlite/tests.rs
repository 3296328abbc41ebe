//! The common list, and what is SQLite's own: durability, the file, and who may open it.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::Row;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use tempfile::TempDir;

use crate::store::CallbackAnswer;
use crate::store::HandoffFilter;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::tests;
use crate::store::tests::at;
use crate::store::tests::callback;
use crate::store::tests::customer;
use crate::store::tests::delivered;

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_the_common_list() {
    let (_dir, store) = fresh().await;
    tests::all(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_exclusive_among_processes() {
    let (dir, first) = fresh().await;
    let second = SqliteStore::open(dir.path()).await.unwrap();
    tests::callback::a_claim_is_exclusive(&[Arc::new(first), Arc::new(second)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_one_taker_among_processes() {
    let (dir, first) = fresh().await;
    let second = SqliteStore::open(dir.path()).await.unwrap();
    tests::handoff::a_webhook_has_one_taker(&[Arc::new(first), Arc::new(second)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_migrate_at_once() {
    let dir = tempfile::tempdir().unwrap();
    // Made beforehand: SQLite lets nobody wait while another turns a new file's log on.
    SqliteConnectOptions::new()
        .filename(dir.path().join("yingda.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let dir = dir.path().to_owned();
            tokio::spawn(async move { SqliteStore::open(&dir).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_commit_reaches_the_disk() {
    let (_dir, store) = fresh().await;
    for pool in [&store.writer, &store.readers] {
        assert_eq!(pragma(pool, "PRAGMA synchronous").await, "2", "2 is FULL");
        assert_eq!(pragma(pool, "PRAGMA journal_mode").await, "wal");
        assert_eq!(pragma(pool, "PRAGMA foreign_keys").await, "1");
        assert_eq!(pragma(pool, "PRAGMA busy_timeout").await, "5000");
    }
}

#[tokio::test]
async fn readers_refuse_to_write() {
    let (_dir, store) = fresh().await;
    let written = sqlx::query("DELETE FROM settings").execute(&store.readers).await;
    assert!(written.is_err());
}

#[tokio::test]
async fn foreign_keys_are_checked() {
    let (_dir, store) = fresh().await;
    let orphan = sqlx::query(
        "INSERT INTO messages (conversation_id, direction, body, at_ms) VALUES (99, 'in', '{}', 0)",
    );
    let error = orphan.execute(&store.writer).await.unwrap_err();
    assert!(error.as_database_error().is_some_and(|error| error.is_foreign_key_violation()), "{error:?}");
}

#[tokio::test]
async fn a_reopened_store_has_kept_everything() {
    let (dir, store) = fresh().await;
    let key = customer("shop", "c");
    let (answered, open) = (callback("app", "answered"), callback("app", "open"));
    for delivery in [&answered, &open] {
        store.callback_claim(delivery, delivered("<xml/>"), at(0)).await.unwrap();
    }
    let read = store.conversation(&key, at(0)).await.unwrap();
    let turn = TurnRow {
        route: None,
        record: BTreeMap::new(),
        tickets: Vec::new(),
        steps: Vec::new(),
        tags_added: ["会员".to_owned()].into(),
        handoff: Some(tests::handoff("客户要求")),
        answers: vec![CallbackAnswer { key: answered.clone(), reply: "好".to_owned(), late: true }],
        ..tests::turn(&read, at(1))
    };
    store.record_turn(turn).await.unwrap();
    store.key_add("chat", &[7; 32], "官网", at(2)).await.unwrap();
    store.set_setting_if_absent("link-key", "k").await.unwrap();

    let before = everything(&store).await;
    let beside = SqliteStore::open(dir.path()).await.unwrap();
    assert_eq!(everything(&beside).await, before, "without a clean shutdown");
    beside.close().await;
    store.close().await;
    assert!(store.ping().await.is_err(), "closed");
    let log = std::fs::exists(dir.path().join("yingda.db-wal")).unwrap();
    assert!(!log, "a clean shutdown folds the log into the file");
    let again = SqliteStore::open(dir.path()).await.unwrap();
    assert_eq!(everything(&again).await, before);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let wanted = file.join("data");
    let error = SqliteStore::open(&wanted).await.unwrap_err();
    assert!(matches!(error, StoreError::Directory { .. }), "{error:?}");
    assert!(error.to_string().contains(wanted.to_str().unwrap()), "{error}");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("yingda.db");
    std::fs::write(&path, "not a database, but long enough to be read as the header of one".repeat(20))
        .unwrap();
    check_not_open(dir.path(), &path).await;
}

#[tokio::test]
async fn a_directory_in_place_of_the_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("yingda.db");
    std::fs::create_dir(&path).unwrap();
    check_not_open(dir.path(), &path).await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let (dir, store) = fresh().await;
    store.close().await;
    let path = dir.path().join("yingda.db");
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    for version in [1_000, 1_001] {
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (?, 'later', TRUE, x'00', 0)",
        )
        .bind(version)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    connection.close().await.unwrap();
    let error = SqliteStore::open(dir.path()).await.unwrap_err();
    let StoreError::Newer { found: 1_001, known, .. } = &error else { panic!("{error:?}") };
    let text = error.to_string();
    assert!(
        text.contains("version 1001")
            && text.contains(&format!("up to {known}"))
            && *known < 1_000
            && text.contains(path.to_str().unwrap()),
        "{text}"
    );
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let (dir, store) = fresh().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&store.writer).await.unwrap();
    store.close().await;
    let error = SqliteStore::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Migrate { .. }), "{error:?}");
}

/// A store in a directory of its own, which is made by opening and lives as long as the first value.
async fn fresh() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).await.unwrap();
    (dir, store)
}

async fn pragma(pool: &SqlitePool, statement: &'static str) -> String {
    let row = sqlx::query(statement).fetch_one(pool).await.unwrap();
    // Unchecked: some of these are numbers, which SQLite turns into text on the way.
    row.try_get_unchecked(0).unwrap()
}

async fn everything(store: &SqliteStore) -> String {
    let key = customer("shop", "c");
    let conversation = store.conversation(&key, at(99)).await.unwrap();
    let all = HandoffFilter { bot: None, open_only: false, limit: 10 };
    format!(
        "{:?}",
        (
            store.customer(&key).await.unwrap(),
            store.messages(conversation.id, 10).await.unwrap(),
            conversation,
            store.callbacks_unanswered("app").await.unwrap(),
            store.callbacks_late("app", 10).await.unwrap(),
            store.handoffs(all).await.unwrap(),
            store.keys().await.unwrap(),
            store.setting("link-key").await.unwrap(),
        )
    )
}

async fn check_not_open(dir: &Path, path: &Path) {
    let error = SqliteStore::open(dir).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(error.source().is_some());
}
