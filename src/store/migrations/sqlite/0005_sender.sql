-- Who sent a delivery: what they wait for is found without reading everybody's, and they can be forgotten.
ALTER TABLE callbacks ADD COLUMN sender TEXT NOT NULL DEFAULT '';

CREATE INDEX callbacks_of_sender ON callbacks (app, sender);
