-- What a background task that counts has of each application; gone with the task.

CREATE TABLE background_usage (
    task_key         INTEGER NOT NULL,
    application_key  INTEGER NOT NULL,
    application_tail BLOB    NOT NULL CHECK (length(application_tail) = 12),
    uid              TEXT,
    is_done          INTEGER NOT NULL,
    destinations     INTEGER NOT NULL,
    event_types      TEXT,             -- joined by newlines
    has_catch_all    INTEGER NOT NULL,
    PRIMARY KEY (task_key, application_key)
) STRICT;

CREATE TRIGGER background_usage_goes_with_its_task
    AFTER DELETE ON background_tasks
BEGIN
    DELETE FROM background_usage WHERE task_key = old.key;
END;
