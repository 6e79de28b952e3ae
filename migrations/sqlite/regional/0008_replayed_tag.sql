-- A bulk replay of the messages that are tagged with it.
ALTER TABLE background_tasks ADD COLUMN tag TEXT;
