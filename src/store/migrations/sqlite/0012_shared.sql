-- What processes over one store share: who may do what just now, tokens of other systems, the models they read with.
CREATE TABLE leases (
    name     TEXT    NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    name          TEXT    NOT NULL PRIMARY KEY,
    value         TEXT    NOT NULL,
    good_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest set is the one that counts.
CREATE TABLE model_sets (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    at_ms       INTEGER NOT NULL
) STRICT;

CREATE TABLE model_files (
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    path        TEXT NOT NULL,
    hash        BLOB NOT NULL REFERENCES blobs (hash),
    PRIMARY KEY (fingerprint, path)
) STRICT, WITHOUT ROWID;
