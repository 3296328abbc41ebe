-- Versions of a bot's knowledge: files that never change, kept once by their SHA-256, and which version answered
-- from when on. The bot's newest publication is the one that counts.

CREATE TABLE blobs (
    hash  BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE versions (
    bot         TEXT    NOT NULL,
    number      INTEGER NOT NULL CHECK (number > 0),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    author      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    PRIMARY KEY (bot, number),
    UNIQUE (bot, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_files (
    bot    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    path   TEXT    NOT NULL,
    hash   BLOB    NOT NULL REFERENCES blobs (hash),
    PRIMARY KEY (bot, number, path),
    FOREIGN KEY (bot, number) REFERENCES versions (bot, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE publications (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    bot    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    author TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    FOREIGN KEY (bot, number) REFERENCES versions (bot, number)
) STRICT;

CREATE INDEX publications_of_bot ON publications (bot, id);

-- The version that a bot's folder was last found to be.
CREATE TABLE folders (
    bot    TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    FOREIGN KEY (bot, number) REFERENCES versions (bot, number)
) STRICT, WITHOUT ROWID;
