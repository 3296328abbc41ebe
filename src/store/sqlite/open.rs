//! Opening the file: the directory, how durable a commit is, and the migrations.

use std::path::Path;
use std::time::Duration;

use sqlx::Connection;
use sqlx::SqlSafeStr;
use sqlx::SqliteConnection;
use sqlx::migrate::MigrateError;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::sqlite::SqliteSynchronous;

use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;

/// How long a connection waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call waits for a connection before it fails. Chosen by hand, above [`BUSY_TIMEOUT`].
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Reading connections. Chosen by hand: reads are short, and each connection is a thread.
const READERS: u32 = 4;

impl SqliteStore {
    /// Name of the database in its folder.
    pub const FILE: &str = "yingda.db";

    /// Whether a data directory holds a store already.
    #[must_use]
    pub fn is_there(dir: &Path) -> bool {
        dir.join(Self::FILE).is_file()
    }

    /// Opens the store of a data directory; makes both where they are missing, and brings the tables up to date.
    ///
    /// Several processes may open one directory. Should two make the same new file in the same instant, one may
    /// get [`StoreError::Open`], and succeeds when started again.
    ///
    /// # Errors
    /// * [`StoreError::Directory`] when the directory cannot be made.
    /// * [`StoreError::Open`] when the file in it cannot be written or is no database.
    /// * [`StoreError::Newer`] when a newer program has used it; nothing is changed then.
    /// * [`StoreError::Migrate`] when a migration fails or differs from the one that was applied.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        tokio::fs::create_dir_all(dir)
            .await
            .map_err(|source| StoreError::Directory { path: dir.to_owned(), source })?;
        let path = dir.join(Self::FILE);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let not_open = |source| StoreError::Open { path: path.clone(), source };

        let writing = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let writer = pool(1).connect_with(writing).await.map_err(not_open)?;
        let mut connection = writer.acquire().await.map_err(not_open)?;
        migrate(&mut connection, &path, &migrator()).await?;
        drop(connection);

        // Not opened read-only: that needs the log's shared memory to exist already.
        let reading = options.pragma("query_only", "ON");
        let readers = pool(READERS).connect_with(reading).await.map_err(not_open)?;
        Ok(Self { writer, readers })
    }
}

/// The tables' history, oldest first. A released migration never changes: the store checks its hash.
fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "first", include_str!("../migrations/sqlite/0001_first.sql")),
        migration(2, "versions", include_str!("../migrations/sqlite/0002_versions.sql")),
        migration(3, "feedback", include_str!("../migrations/sqlite/0003_feedback.sql")),
        migration(4, "delivery", include_str!("../migrations/sqlite/0004_delivery.sql")),
        migration(5, "sender", include_str!("../migrations/sqlite/0005_sender.sql")),
        migration(6, "tasks", include_str!("../migrations/sqlite/0006_tasks.sql")),
        migration(7, "handover", include_str!("../migrations/sqlite/0007_handover.sql")),
        migration(8, "surveys", include_str!("../migrations/sqlite/0008_surveys.sql")),
        migration(9, "media", include_str!("../migrations/sqlite/0009_media.sql")),
        migration(10, "archive", include_str!("../migrations/sqlite/0010_archive.sql")),
        migration(11, "contacts", include_str!("../migrations/sqlite/0011_contacts.sql")),
        migration(12, "shared", include_str!("../migrations/sqlite/0012_shared.sql")),
    ])
}

fn pool(connections_max: u32) -> SqlitePoolOptions {
    // A local file's connections do not go stale, so none is retired or tested.
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Brings the tables up to date in one transaction.
///
/// Its write lock keeps out a second process that starts at the same time, which sqlx leaves to us with SQLite,
/// and shows at once a file that can be read but not written.
async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    migrator: &Migrator,
) -> Result<(), StoreError> {
    let not_open = |source| StoreError::Open { path: path.to_owned(), source };
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(not_open)?;
    // Not `run`: its bounds would make this future, and so `open`, one that no task can be spawned with.
    match migrator.run_direct(None, &mut *transaction, false).await {
        Ok(()) => transaction.commit().await.map_err(not_open),
        Err(MigrateError::VersionMissing(_)) => {
            let found: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&mut *transaction)
                .await
                .map_err(not_open)?;
            let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
            Err(StoreError::Newer { path: path.to_owned(), found, known })
        }
        Err(source) => Err(StoreError::Migrate { path: path.to_owned(), source }),
    }
}
