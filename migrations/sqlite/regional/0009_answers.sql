-- What requests with an idempotency key were answered, kept with what they wrote: their repetition
-- gets the same and writes nothing. A message is its own answer, see idempotency. key: the first
-- eight bytes of the hash.

CREATE TABLE answers (
    key           INTEGER PRIMARY KEY,
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at_ms INTEGER NOT NULL,
    answer        BLOB    NOT NULL -- sealed
) STRICT;
