-- Files that WeCom keeps for a company, so that a restart does not hand them over again. WeCom forgets them after three
-- days. `hash` is the SHA-256 of name and bytes.
CREATE TABLE media (
    corp_id     TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    media_id    TEXT    NOT NULL,
    uploaded_ms INTEGER NOT NULL,
    PRIMARY KEY (corp_id, kind, hash)
) STRICT, WITHOUT ROWID;
