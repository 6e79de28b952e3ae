-- What requests with an idempotency key were answered that wrote into this file; as in the regional
-- one. Of this region alone: other regions aren't told.

CREATE TABLE answers (
    key           INTEGER PRIMARY KEY, -- the first eight bytes of the hash
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at_ms INTEGER NOT NULL,
    answer        BLOB    NOT NULL     -- sealed
) STRICT;
