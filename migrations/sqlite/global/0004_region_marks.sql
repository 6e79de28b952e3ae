-- What the operator of a region says of it. An ordinal without a row: nothing.

CREATE TABLE region_marks (
    ordinal  INTEGER PRIMARY KEY CHECK (ordinal BETWEEN 0 AND 255),
    draining INTEGER NOT NULL CHECK (draining IN (0, 1))
) STRICT;
