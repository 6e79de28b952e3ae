-- Endpoints whose deliveries run out of attempts: since the first that did, as long as none succeeds.
-- Only who fails to the end has a row.
CREATE TABLE failing_endpoints (
    key      INTEGER PRIMARY KEY, -- of the endpoint
    since_ms INTEGER NOT NULL
) STRICT;
