-- An attempt that somebody asked for (trigger 1, enum attempt_trigger): its row is pending and due at
-- once. When that attempt fails the row goes back to its schedule, at resume_at_ms, or ends where that
-- is 0.

ALTER TABLE deliveries ADD COLUMN trigger      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN resume_at_ms INTEGER NOT NULL DEFAULT 0;
