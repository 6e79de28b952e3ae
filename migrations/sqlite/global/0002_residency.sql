-- Where an application's data lives. Those that were here before belong to a region that was alone:
-- no jurisdiction, home 0.

ALTER TABLE applications ADD COLUMN jurisdiction TEXT;
ALTER TABLE applications ADD COLUMN home         INTEGER NOT NULL DEFAULT 0; -- a region's ordinal
ALTER TABLE applications ADD COLUMN home_epoch   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN mode         INTEGER NOT NULL DEFAULT 0; -- enum residency_mode
ALTER TABLE applications ADD COLUMN failover     INTEGER NOT NULL DEFAULT 0; -- residency_failover
