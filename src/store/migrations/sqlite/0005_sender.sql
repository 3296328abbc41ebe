-- Who sent a delivery: what they wait for is found without reading everybody's, and they can be forgotten.
ALTER TABLE callbacks ADD COLUMN sender TEXT NOT NULL DEFAULT '';

UPDATE callbacks SET sender = coalesce(
        json_extract(plaintext, '$.external_userid'), json_extract(plaintext, '$.event.external_userid'), '')
    WHERE app LIKE 'kf:%' AND json_valid(plaintext);
-- The 23 characters are those of the tag and the mark before the name.
UPDATE callbacks SET sender = lower(substr(
        substr(plaintext, instr(plaintext, '<FromUserName><![CDATA[') + 23), 1,
        instr(substr(plaintext, instr(plaintext, '<FromUserName><![CDATA[') + 23), ']]>') - 1))
    WHERE app NOT LIKE 'kf:%' AND instr(plaintext, '<FromUserName><![CDATA[') > 0;

CREATE INDEX callbacks_of_sender ON callbacks (app, sender);
CREATE INDEX messages_by_age ON messages (at_ms);
