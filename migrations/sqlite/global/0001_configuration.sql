-- What may be replicated to other regions. A row's key is the first eight bytes of its id, its
-- tail the other twelve. A deleted object keeps its row as a tombstone and frees its name.
-- Lists of names are joined by newlines; NULL is the empty list.

CREATE TABLE applications (
    key           INTEGER PRIMARY KEY,
    tail          BLOB    NOT NULL CHECK (length(tail) = 12),
    organization  BLOB    NOT NULL CHECK (length(organization) = 20),
    version       INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    uid           TEXT,
    name          TEXT    NOT NULL,
    metadata      TEXT,
    throttle_rate INTEGER NOT NULL
) STRICT;

CREATE INDEX applications_listed
    ON applications (organization, key) WHERE deleted = 0;
CREATE UNIQUE INDEX applications_uid
    ON applications (organization, uid) WHERE deleted = 0 AND uid IS NOT NULL;

CREATE TABLE endpoints (
    key              INTEGER PRIMARY KEY,
    tail             BLOB    NOT NULL CHECK (length(tail) = 12),
    organization     BLOB    NOT NULL CHECK (length(organization) = 20),
    version          INTEGER NOT NULL,
    deleted          INTEGER NOT NULL,
    created_at_ms    INTEGER NOT NULL,
    updated_at_ms    INTEGER NOT NULL,
    application_key  INTEGER NOT NULL,
    application_tail BLOB    NOT NULL CHECK (length(application_tail) = 12),
    uid              TEXT,
    url              TEXT    NOT NULL,
    description      TEXT,
    metadata         TEXT,
    disabled         INTEGER NOT NULL,
    throttle_rate    INTEGER NOT NULL,
    event_types      TEXT,
    channels         TEXT,
    headers          BLOB,           -- sealed
    secrets          BLOB            -- each: expiry in ms (8 bytes), length (4), sealed bytes
) STRICT;

CREATE INDEX endpoints_listed
    ON endpoints (application_key, key) WHERE deleted = 0;
CREATE UNIQUE INDEX endpoints_uid
    ON endpoints (application_key, uid) WHERE deleted = 0 AND uid IS NOT NULL;

CREATE TABLE event_types (
    key           INTEGER PRIMARY KEY,
    tail          BLOB    NOT NULL CHECK (length(tail) = 12),
    organization  BLOB    NOT NULL CHECK (length(organization) = 20),
    version       INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    description   TEXT,
    schemas       TEXT,
    feature_flag  TEXT,
    archived      INTEGER NOT NULL,
    deprecated    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX event_types_name
    ON event_types (organization, name) WHERE deleted = 0;
