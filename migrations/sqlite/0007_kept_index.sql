-- What compiling the stored knowledge worked out, so that the next start need not: one row at most.
-- The bytes say themselves which knowledge and which program they belong to.
CREATE TABLE kept_index (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bytes BLOB NOT NULL
) STRICT;
