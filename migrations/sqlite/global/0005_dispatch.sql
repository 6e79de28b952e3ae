-- How deliveries get to an endpoint where there are several regions. Those that were here before have
-- one URL, and any lawful region may send to it.

ALTER TABLE endpoints ADD COLUMN dispatch_mode    INTEGER NOT NULL DEFAULT 0; -- enum dispatch_mode
ALTER TABLE endpoints ADD COLUMN dispatch_regions TEXT;    -- names
ALTER TABLE endpoints ADD COLUMN targets          TEXT;    -- of each its label, a space, its URL
ALTER TABLE endpoints ADD COLUMN latitude         INTEGER; -- millionths of a degree
ALTER TABLE endpoints ADD COLUMN longitude        INTEGER;
