-- Who speaks in a conversation, the people who may, what is to happen when, and what has happened.
CREATE TABLE agents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    groups     TEXT    NOT NULL CHECK (json_valid(groups)),
    key_id     INTEGER NOT NULL UNIQUE REFERENCES api_keys (id),
    created_ms INTEGER NOT NULL
) STRICT;

-- `lease_ms` is until when an agent who says nothing keeps a conversation. `route` says how its customer is reached.
ALTER TABLE conversations ADD COLUMN speaker TEXT NOT NULL DEFAULT 'bot'
    CHECK (speaker IN ('bot', 'waiting', 'human', 'closed'));
ALTER TABLE conversations ADD COLUMN agent_id INTEGER REFERENCES agents (id);
ALTER TABLE conversations ADD COLUMN lease_ms INTEGER;
ALTER TABLE conversations ADD COLUMN route TEXT;

UPDATE conversations SET speaker = 'waiting'
    WHERE id IN (SELECT conversation_id FROM handoffs WHERE closed_ms IS NULL);

ALTER TABLE messages ADD COLUMN author TEXT NOT NULL DEFAULT 'bot'
    CHECK (author IN ('customer', 'bot', 'agent', 'system'));
ALTER TABLE messages ADD COLUMN agent_id INTEGER REFERENCES agents (id);
UPDATE messages SET author = 'customer' WHERE direction = 'in';

ALTER TABLE handoffs ADD COLUMN taken_ms INTEGER;
ALTER TABLE handoffs ADD COLUMN agent_id INTEGER REFERENCES agents (id);

-- What the bot said before a human took over is not sent afterwards.
-- What a system of the shop's own is told keeps no customer waiting.
ALTER TABLE outbox ADD COLUMN to_customer INTEGER NOT NULL DEFAULT 1 CHECK (to_customer IN (0, 1));
ALTER TABLE outbox ADD COLUMN by_bot INTEGER NOT NULL DEFAULT 1 CHECK (by_bot IN (0, 1));

CREATE TABLE notes (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    agent_id        INTEGER NOT NULL REFERENCES agents (id),
    words           TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL
) STRICT;

CREATE INDEX notes_of_conversation ON notes (conversation_id, id);

-- One of a kind a conversation; a later one takes the place of the earlier.
CREATE TABLE timers (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    kind            TEXT    NOT NULL,
    due_ms          INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due_ms);

-- What staff are told, in order.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    kind            TEXT    NOT NULL,
    group_name      TEXT,
    at_ms           INTEGER NOT NULL
) STRICT;

CREATE INDEX events_of_conversation ON events (conversation_id);
CREATE INDEX events_by_age ON events (at_ms);
CREATE INDEX conversations_attended ON conversations (speaker) WHERE speaker IN ('waiting', 'human');
