-- What regions tell each other of their configuration. An origin is a region's ordinal.

-- This region's own changes, in their order and without gaps; the oldest are pruned. chain: SHA-256
-- of the chain before it, seq, hlc and the digest of the object.
CREATE TABLE journal (
    seq   INTEGER PRIMARY KEY,
    hlc   INTEGER NOT NULL,
    chain BLOB    NOT NULL CHECK (length(chain) = 32),
    code  BLOB    NOT NULL          -- core/object_code.h
) STRICT;

-- How far each origin's journal was applied here, this region's own among them.
CREATE TABLE positions (
    origin      INTEGER PRIMARY KEY,
    own         INTEGER NOT NULL,   -- 1: this region's
    incarnation BLOB    NOT NULL CHECK (length(incarnation) = 16),
    seq         INTEGER NOT NULL,
    hlc         INTEGER NOT NULL,
    chain       BLOB    NOT NULL CHECK (length(chain) = 32),
    at_ms       INTEGER NOT NULL,
    round       INTEGER NOT NULL DEFAULT 0, -- counts the snapshots of it that were begun
    adopting    INTEGER NOT NULL    -- 1: one was, and not ended
) STRICT;

-- Each origin's objects as they are now, tombstones as well; kind: enum object_kind. digest:
-- SHA-256 of the public code.
CREATE TABLE states (
    origin  INTEGER NOT NULL,
    key     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    round   INTEGER NOT NULL,       -- of the origin, when it was last named
    PRIMARY KEY (origin, key)
) STRICT, WITHOUT ROWID;

-- One may be written by several origins, one after another.
CREATE INDEX states_of_event_types
    ON states (key) WHERE kind = 2;

-- Entries that could not be applied. The journal went on behind them.
CREATE TABLE quarantine (
    origin INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    code   BLOB    NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (origin, seq)
) STRICT, WITHOUT ROWID;

-- Two regions may give out one name at the same time: both objects stay. And for a moment, while a
-- snapshot comes in, a name is still with the object that had it before.
DROP INDEX applications_uid;
DROP INDEX endpoints_uid;
DROP INDEX event_types_name;
CREATE INDEX event_types_listed
    ON event_types (organization, name) WHERE deleted = 0;
