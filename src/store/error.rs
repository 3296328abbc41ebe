//! What can go wrong with the store. No variant carries message text, names or key material.

use std::error::Error;
use std::path::PathBuf;

use crate::store::ConversationId;
use crate::store::Revision;
use crate::store::VersionNumber;

/// Why the store could not do what was asked. Whatever was asked then left nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A human speaks in the conversation; the bot is silent.
    #[error("conversation {conversation} is held by a human")]
    HumanSpeaks {
        /// The conversation.
        conversation: i64,
    },
    /// The data directory is missing and cannot be made, or something else bears its name.
    #[error("cannot create the data directory {}", path.display())]
    Directory {
        /// The directory asked for.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The database file cannot be opened for writing, or is not a database.
    #[error("cannot open the database {} for writing", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The tables could not be brought to this program's form.
    #[error("cannot migrate the database {}", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Which migration failed, and why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A newer program has already changed the tables. This one must not touch them.
    #[error(
        "database {} has schema version {found}, but this program knows versions up to {known} only",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Schema version of the database.
        found: i64,
        /// Newest schema version that this program knows.
        known: i64,
    },
    /// Another turn of the same conversation was recorded first: read it again and answer anew.
    #[error("conversation {conversation} is at revision {found}, not at {expected}")]
    Conflict {
        /// The conversation.
        conversation: ConversationId,
        /// Revision that the turn started from.
        expected: Revision,
        /// Revision in the store.
        found: Revision,
    },
    /// Another version was published first: look at what it changes, and decide anew.
    #[error("{bot} answers from version {found:?}, not from {expected:?}")]
    Outdated {
        /// The bot.
        bot: String,
        /// The version that the publisher believed to answer.
        expected: Option<VersionNumber>,
        /// The version that answers.
        found: Option<VersionNumber>,
    },
    /// Somebody else has read a source on: read it again from where that one stopped.
    #[error("{source_name} was read on by somebody else")]
    CursorMoved {
        /// The source.
        source_name: String,
    },
    /// There is no row of that id.
    #[error("no {what} has the id {id}")]
    NotFound {
        /// The kind of row, such as `handoff`.
        what: &'static str,
        /// The id asked for.
        id: i64,
    },
    /// An answer to a callback that was never claimed, or was pruned since.
    #[error("callback {key} of app {app} was never claimed")]
    CallbackUnknown {
        /// The app.
        app: String,
        /// The deduplication key.
        key: String,
    },
    /// A second answer to one callback. The first one stands.
    #[error("callback {key} of app {app} is answered already")]
    CallbackAnswered {
        /// The app.
        app: String,
        /// The deduplication key.
        key: String,
    },
    /// The hash of a new API key is in use, by a live key or a revoked one.
    #[error("an API key with this hash exists already")]
    KeyExists,
    /// A name or id that must say something is empty.
    #[error("{what} is empty")]
    Empty {
        /// Which value.
        what: &'static str,
    },
    /// A value is longer than the store takes.
    #[error("{what} has {len} bytes, more than the limit of {limit}")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// Its length in UTF-8 bytes.
        len: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// A column holds what this program never writes.
    #[error("column {column} holds a value that this program cannot read")]
    Unreadable {
        /// Name of the column.
        column: &'static str,
        /// What is wrong with the value.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database failed: disk full, file locked for too long, store closed, a broken JSON payload.
    #[error("the database did not carry out a query")]
    Database(#[from] sqlx::Error),
}
