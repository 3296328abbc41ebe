-- What tasks leave behind: fields of the customer's record, tickets for staff, and how many came past each step.
ALTER TABLE customers ADD COLUMN record TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(record));

CREATE TABLE tickets (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    task            TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    fields          TEXT    NOT NULL CHECK (json_valid(fields)),
    opened_ms       INTEGER NOT NULL,
    closed_ms       INTEGER
) STRICT;

CREATE INDEX tickets_of_conversation ON tickets (conversation_id);
CREATE INDEX tickets_open ON tickets (id) WHERE closed_ms IS NULL;

-- `day` counts from 1970-01-01 UTC.
CREATE TABLE task_steps (
    bot       TEXT    NOT NULL,
    task      TEXT    NOT NULL,
    step      TEXT    NOT NULL,
    day       INTEGER NOT NULL,
    n_reached INTEGER NOT NULL,
    n_passed  INTEGER NOT NULL,
    PRIMARY KEY (bot, task, step, day)
) STRICT, WITHOUT ROWID;
