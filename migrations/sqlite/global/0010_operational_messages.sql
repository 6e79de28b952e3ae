-- What an organization is to be told of a change of its configuration, written with that change. From
-- here it is brought to regional.db as a message of this id, and then deleted: no transaction spans
-- both files. Rows only while there are operational endpoints.

CREATE TABLE operational_messages (
    key              INTEGER PRIMARY KEY, -- of the message
    tail             BLOB    NOT NULL CHECK (length(tail) = 12),
    application_key  INTEGER NOT NULL,    -- the management application
    application_tail BLOB    NOT NULL CHECK (length(application_tail) = 12),
    event_type       TEXT    NOT NULL,
    created_at_ms    INTEGER NOT NULL,
    payload          BLOB    NOT NULL
) STRICT;
