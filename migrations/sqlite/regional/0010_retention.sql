-- What is to go, and how far that has come.

-- Payloads that are kept for less than the longest time: in the order in which they go. Of all others the
-- order of their keys is that already, and they cost nothing more to write.
CREATE TABLE expiring (
    expires_at_ms INTEGER NOT NULL,
    message_key   INTEGER NOT NULL,
    PRIMARY KEY (expires_at_ms, message_key)
) STRICT, WITHOUT ROWID;

INSERT INTO expiring (expires_at_ms, message_key)
    SELECT expires_at_ms, key
      FROM messages
     WHERE expires_at_ms < created_at_ms + 2160 * 3600000;

-- One row. Up to emptied_key no message has a payload; the others count what went since the file was
-- made.
CREATE TABLE retention (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    emptied_key INTEGER NOT NULL,
    payloads    INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    messages    INTEGER NOT NULL
) STRICT;

INSERT INTO retention (one, emptied_key, payloads, attempts, messages) VALUES (1, 0, 0, 0, 0);
