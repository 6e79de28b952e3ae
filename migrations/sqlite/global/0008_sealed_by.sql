-- Which master key the sealed values of a row are under, by its id. 0: they don't say, or not all the
-- same; -1: they open by none that we have; NULL: it has none.

ALTER TABLE endpoints ADD COLUMN sealed_by INTEGER DEFAULT 0;
ALTER TABLE journal   ADD COLUMN sealed_by INTEGER DEFAULT 0;

CREATE INDEX endpoints_sealed
    ON endpoints (sealed_by) WHERE sealed_by IS NOT NULL;
CREATE INDEX journal_sealed
    ON journal (sealed_by) WHERE sealed_by IS NOT NULL;

-- What is in quarantine is looked at by people, who need no secrets.
UPDATE quarantine SET code = x'';
