-- What never leaves its jurisdiction. A row's key is the first eight bytes of its id, its tail
-- the other twelve: keys grow with time, so inserts append to the end of each table.

CREATE TABLE messages (
    key              INTEGER PRIMARY KEY,
    tail             BLOB    NOT NULL,
    application_key  INTEGER NOT NULL,
    application_tail BLOB    NOT NULL,
    event_type       TEXT    NOT NULL,
    event_id         TEXT,
    channels         TEXT,           -- joined by newlines
    created_at_ms    INTEGER NOT NULL,
    expires_at_ms    INTEGER NOT NULL,
    payload          BLOB            -- last: a list without content doesn't read it
) STRICT;

CREATE INDEX messages_listed
    ON messages (application_key, key);
CREATE UNIQUE INDEX messages_event_id
    ON messages (application_key, event_id) WHERE event_id IS NOT NULL;

-- state: 0 pending, 1 delivered, 2 dead
CREATE TABLE deliveries (
    message_key  INTEGER NOT NULL,
    endpoint_key INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at_ms    INTEGER NOT NULL,
    PRIMARY KEY (message_key, endpoint_key)
) STRICT, WITHOUT ROWID;

-- A lane is a range of the first; a row leaves it with its last attempt. The second holds what
-- waits for another try.
CREATE INDEX deliveries_due
    ON deliveries (endpoint_key, due_at_ms, message_key) WHERE state = 0;
CREATE INDEX deliveries_failing
    ON deliveries (endpoint_key, attempts, state) WHERE state = 0 AND attempts > 0;

CREATE TABLE attempts (
    key                INTEGER PRIMARY KEY,
    tail               BLOB    NOT NULL,
    message_key        INTEGER NOT NULL,
    endpoint_key       INTEGER NOT NULL,
    endpoint_tail      BLOB    NOT NULL,
    number             INTEGER NOT NULL,
    status             INTEGER NOT NULL,
    trigger            INTEGER NOT NULL,
    response_status    INTEGER NOT NULL,
    duration_ms        INTEGER NOT NULL,
    started_at_ms      INTEGER NOT NULL,
    next_attempt_at_ms INTEGER NOT NULL,
    url                TEXT,
    response           BLOB
) STRICT;

CREATE INDEX attempts_of_message
    ON attempts (message_key, key);
CREATE INDEX attempts_of_endpoint
    ON attempts (endpoint_key, key);

-- The one table with random keys: small, and rows live for hours only. `key` is the first
-- eight bytes of the hash.
CREATE TABLE idempotency (
    key           INTEGER PRIMARY KEY,
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    message_key   INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- One row, kept by each transaction that changes a number in it: counting millions of rows is
-- no way to answer a status request.
CREATE TABLE totals (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    messages INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    pending  INTEGER NOT NULL
) STRICT;

INSERT INTO totals (one, messages, attempts, pending) VALUES (1, 0, 0, 0);
