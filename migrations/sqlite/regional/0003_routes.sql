-- Which region sends an endpoint's deliveries, from when on, and all that led to it: see
-- region/route_code.h. A row is written when the region is another, not for each message; there is
-- none in a region that is alone. Keys grow in the order of decisions.
CREATE TABLE routes (
    key           INTEGER PRIMARY KEY,
    endpoint_key  INTEGER NOT NULL,
    decided_at_ms INTEGER NOT NULL,
    code          BLOB    NOT NULL
) STRICT;

CREATE INDEX routes_of_endpoint
    ON routes (endpoint_key, key, decided_at_ms);
