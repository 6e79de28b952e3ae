-- Every entry of an index ends with the key of its row, so it isn't named: these three are a quarter
-- smaller, and as many pages fewer are written for a message.
DROP INDEX messages_listed;
CREATE INDEX messages_listed
    ON messages (application_key);
DROP INDEX attempts_of_message;
CREATE INDEX attempts_of_message
    ON attempts (message_key);
DROP INDEX attempts_of_endpoint;
CREATE INDEX attempts_of_endpoint
    ON attempts (endpoint_key);

-- What failed is looked for among what was delivered, and is rare there. Only who fails pays for it.
CREATE INDEX attempts_failed
    ON attempts (endpoint_key, key, status) WHERE status <> 0;

-- Tags are looked for among what its application has tagged.
CREATE TABLE tags_of_messages (
    key             INTEGER PRIMARY KEY, -- of the message
    application_key INTEGER NOT NULL,
    tags            TEXT    NOT NULL     -- joined by newlines
) STRICT;
INSERT INTO tags_of_messages
    SELECT t.key, m.application_key, t.tags
      FROM message_tags AS t
      JOIN messages AS m ON m.key = t.key;
DROP TABLE message_tags;
ALTER TABLE tags_of_messages RENAME TO message_tags;
CREATE INDEX message_tags_listed
    ON message_tags (application_key, key, tags);
