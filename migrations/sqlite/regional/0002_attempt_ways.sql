-- Which region made an attempt, and how it got there. Only where there are several; a region that is
-- alone writes nothing more for a message than before.
CREATE TABLE attempt_ways (
    key           INTEGER PRIMARY KEY, -- of the attempt
    region        INTEGER NOT NULL,    -- its ordinal
    connect_us    INTEGER NOT NULL,    -- 0: the connection was there
    tls_us        INTEGER NOT NULL,
    first_byte_us INTEGER NOT NULL
) STRICT;
