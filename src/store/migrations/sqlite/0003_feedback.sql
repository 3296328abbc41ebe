-- What customers think of answers, the latest opinion of each; and a way to the messages of a time.

CREATE TABLE feedback (
    answer_id INTEGER NOT NULL PRIMARY KEY REFERENCES messages (id),
    helpful   INTEGER NOT NULL CHECK (helpful IN (0, 1)),
    at_ms     INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_by_time ON messages (at_ms) WHERE direction = 'out';
