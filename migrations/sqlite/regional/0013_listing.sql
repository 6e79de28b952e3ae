-- Which messages are an application's, and which attempts an endpoint's. An index would be changed with each
-- row, and that is a page more to be written for each when many tenants take turns; these are filled by the
-- thousand: all rows up to a key are in them, see totals and store/sqlite_listing.c.
DROP INDEX messages_listed;
CREATE TABLE messages_listed (
    application_key INTEGER NOT NULL,
    key             INTEGER NOT NULL,
    PRIMARY KEY (application_key, key)
) STRICT, WITHOUT ROWID;
INSERT INTO messages_listed
    SELECT application_key, key
      FROM messages
     ORDER BY application_key, key;

DROP INDEX attempts_of_endpoint;
CREATE TABLE attempts_listed (
    endpoint_key INTEGER NOT NULL,
    key          INTEGER NOT NULL,
    PRIMARY KEY (endpoint_key, key)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts_listed
    SELECT endpoint_key, key
      FROM attempts
     ORDER BY endpoint_key, key;

CREATE TRIGGER messages_leave_their_list
    AFTER DELETE ON messages
BEGIN
    DELETE FROM messages_listed WHERE application_key = old.application_key AND key = old.key;
END;

CREATE TRIGGER attempts_leave_their_list
    AFTER DELETE ON attempts
BEGIN
    DELETE FROM attempts_listed WHERE endpoint_key = old.endpoint_key AND key = old.key;
END;

ALTER TABLE totals ADD COLUMN messages_listed_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN attempts_listed_to INTEGER NOT NULL DEFAULT 0;
UPDATE totals
   SET messages_listed_to = ifnull((SELECT max(key) FROM messages), 0),
       attempts_listed_to = ifnull((SELECT max(key) FROM attempts), 0);
