-- The first form of the store. Times are INTEGER milliseconds since 1970-01-01 UTC. JSON is TEXT and checked
-- here, so that a broken value stops the turn that writes it and not the one that reads it.

CREATE TABLE customers (
    bot           TEXT    NOT NULL,
    channel       TEXT    NOT NULL,
    customer_id   TEXT    NOT NULL,
    name          TEXT,
    kind          TEXT    NOT NULL CHECK (kind IN ('customer', 'employee')),
    tags          TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    region        TEXT,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    PRIMARY KEY (bot, channel, customer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    bot         TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    state       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(state)),
    revision    INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    UNIQUE (bot, channel, customer_id),
    FOREIGN KEY (bot, channel, customer_id) REFERENCES customers (bot, channel, customer_id)
) STRICT;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    direction       TEXT    NOT NULL CHECK (direction IN ('in', 'out')),
    body            TEXT    NOT NULL CHECK (json_valid(body)),
    at_ms           INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_of_conversation ON messages (conversation_id, id);

-- `reply` is the empty string where the callback was acknowledged without words.
CREATE TABLE callbacks (
    app         TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    plaintext   TEXT    NOT NULL,
    received_ms INTEGER NOT NULL,
    reply       TEXT,
    answered_ms INTEGER,
    late        INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
    PRIMARY KEY (app, key),
    CHECK ((reply IS NULL) = (answered_ms IS NULL))
) STRICT;

CREATE INDEX callbacks_unanswered ON callbacks (app, received_ms) WHERE answered_ms IS NULL;
CREATE INDEX callbacks_late ON callbacks (app, answered_ms) WHERE late = 1;
CREATE INDEX callbacks_by_age ON callbacks (received_ms);

-- `opened_ms` is the first request, `asked_ms` the latest one before it was closed.
CREATE TABLE handoffs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id  INTEGER NOT NULL REFERENCES conversations (id),
    group_name       TEXT    NOT NULL,
    reason           TEXT    NOT NULL,
    summary          TEXT    NOT NULL CHECK (json_valid(summary)),
    due              TEXT,
    opened_ms        INTEGER NOT NULL,
    asked_ms         INTEGER NOT NULL,
    closed_ms        INTEGER,
    webhook_pending  INTEGER NOT NULL CHECK (webhook_pending IN (0, 1)),
    webhook_attempts INTEGER NOT NULL DEFAULT 0,
    webhook_next_ms  INTEGER NOT NULL,
    webhook_done_ms  INTEGER
) STRICT;

CREATE UNIQUE INDEX handoffs_one_open ON handoffs (conversation_id) WHERE closed_ms IS NULL;
CREATE INDEX handoffs_webhook ON handoffs (webhook_next_ms) WHERE webhook_pending = 1;

CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    scope      TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    label      TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    revoked    INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
