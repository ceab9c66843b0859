-- What one needs at hand for a check; empty if it follows from who does it.
ALTER TABLE checks ADD COLUMN access TEXT NOT NULL DEFAULT '';
