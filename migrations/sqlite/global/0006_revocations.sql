-- Which tokens of an application are void although they haven't ended: texts of core/revocation.h.

ALTER TABLE applications ADD COLUMN revocations TEXT;
