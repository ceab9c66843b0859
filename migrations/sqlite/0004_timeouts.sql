-- Limits of time that products set.
CREATE TABLE timeouts (
    id TEXT PRIMARY KEY,
    grouping TEXT NOT NULL,
    system TEXT NOT NULL,
    product TEXT NOT NULL,
    title TEXT NOT NULL,
    seconds REAL NOT NULL,
    tolerance REAL,
    kind TEXT NOT NULL,
    side TEXT NOT NULL,
    common INTEGER NOT NULL,
    setting TEXT NOT NULL,
    versions TEXT NOT NULL,
    cause TEXT NOT NULL,
    note TEXT NOT NULL,
    unlisted TEXT NOT NULL,
    source TEXT NOT NULL,
    verified INTEGER NOT NULL
) STRICT;
