-- Patterns of people's words, which a negation around them turns.
ALTER TABLE systems ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE systems ADD COLUMN spoken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE patterns ADD COLUMN negated TEXT NOT NULL DEFAULT '{}';
