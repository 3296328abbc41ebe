-- What a channel has told of a customer beside their messages: who follows them, and the tags that stood there last. JSON.
ALTER TABLE customers ADD COLUMN contact TEXT CHECK (contact IS NULL OR json_valid(contact));

CREATE INDEX customers_contacts ON customers (bot, channel, customer_id) WHERE contact IS NOT NULL;
