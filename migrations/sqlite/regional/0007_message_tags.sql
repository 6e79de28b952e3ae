-- What a message is tagged with. A row only for one that has tags: the others cost nothing more to
-- write.
CREATE TABLE message_tags (
    key  INTEGER PRIMARY KEY, -- of the message
    tags TEXT    NOT NULL     -- joined by newlines
) STRICT;
