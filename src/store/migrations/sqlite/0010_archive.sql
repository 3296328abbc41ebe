-- Messages of staff and of the program itself are few among very many, and are looked for by their author.
CREATE INDEX messages_of_staff ON messages (author) WHERE author IN ('agent', 'system');
