-- What customers say about a talk that is over. Who closed it: an agent, or the bot. They are counted without their talk
-- when that is forgotten.
CREATE TABLE surveys (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER REFERENCES conversations (id) ON DELETE SET NULL,
    bot             TEXT    NOT NULL,
    agent_id        INTEGER REFERENCES agents (id),
    intent          TEXT,
    asked_ms        INTEGER NOT NULL,
    rating          TEXT    CHECK (rating IN ('good', 'fair', 'poor')),
    rated_ms        INTEGER
) STRICT;

CREATE INDEX surveys_of_conversation ON surveys (conversation_id, id);
CREATE INDEX surveys_of_bot ON surveys (bot, asked_ms);
