-- What is to be sent, in the transaction that decided it. Rows of one conversation leave one after another.
-- `key` is what the receiving side tells a repetition by. `next_ms` is when a row is due; who takes it moves it on,
-- so that a taker that dies holds it for that long only.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    revision        INTEGER NOT NULL,
    sender          TEXT    NOT NULL,
    recipient       TEXT    NOT NULL,
    body            TEXT    NOT NULL CHECK (json_valid(body)),
    key             TEXT    NOT NULL UNIQUE,
    latest_only     INTEGER NOT NULL CHECK (latest_only IN (0, 1)),
    created_ms      INTEGER NOT NULL,
    expires_ms      INTEGER,
    next_ms         INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    fate            TEXT    NOT NULL DEFAULT 'waiting' CHECK (fate IN ('waiting', 'sent', 'given up')),
    reason          TEXT,
    done_ms         INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (next_ms) WHERE fate = 'waiting';
CREATE INDEX outbox_line ON outbox (conversation_id, id) WHERE fate = 'waiting';
CREATE INDEX outbox_given_up ON outbox (done_ms) WHERE fate = 'given up';

-- How far a source that is read page by page was read; moved in the transaction that stores the page.
CREATE TABLE cursors (
    source TEXT NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
