-- What was changed in this database: every version of every entry that differs from what is
-- shipped. The last version of an entry counts; one without a text takes the local version back.
CREATE TABLE entry_revisions (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    file TEXT NOT NULL,
    text TEXT,
    -- the shipped entry as it was at that time; none if nothing of that id was shipped
    shipped TEXT,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    -- seconds since 1970, UTC
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, id, revision)
) STRICT, WITHOUT ROWID;
