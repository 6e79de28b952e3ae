-- Deliveries that are asked for again by the thousand: what was asked, and how far it is done. See
-- core/background_task.h for kind and status.

CREATE TABLE background_tasks (
    key              INTEGER PRIMARY KEY,
    tail             BLOB    NOT NULL CHECK (length(tail) = 12),
    organization     BLOB    NOT NULL CHECK (length(organization) = 20),
    application_key  INTEGER NOT NULL,
    application_tail BLOB    NOT NULL CHECK (length(application_tail) = 12),
    endpoint_key     INTEGER NOT NULL,
    endpoint_tail    BLOB    NOT NULL CHECK (length(endpoint_tail) = 12),
    kind             INTEGER NOT NULL,
    status           INTEGER NOT NULL,
    dry_run          INTEGER NOT NULL,
    since_ms         INTEGER NOT NULL,
    until_ms         INTEGER NOT NULL,
    event_types      TEXT,             -- joined by newlines
    channel          TEXT,
    message_status   INTEGER NOT NULL, -- enum attempt_status; -1 = any
    status_class     INTEGER NOT NULL, -- -1 = any
    reached_key      INTEGER NOT NULL,
    looked_at        INTEGER NOT NULL,
    deliveries       INTEGER NOT NULL,
    created_at_ms    INTEGER NOT NULL,
    updated_at_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX background_tasks_listed
    ON background_tasks (organization, key);
CREATE INDEX background_tasks_running
    ON background_tasks (key) WHERE status = 0;
