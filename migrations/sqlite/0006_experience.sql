-- What closed cases taught. A row outlives its case, and holds nothing of it but the number.
CREATE TABLE confirmations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_number INTEGER NOT NULL UNIQUE,
    cause TEXT NOT NULL,
    -- seconds since 1970, UTC
    at INTEGER NOT NULL
) STRICT;

-- What stood behind each hash of the knowledge that diagnoses were made with.
CREATE TABLE knowledge_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    program TEXT NOT NULL,
    files TEXT NOT NULL,
    -- JSON: kind and id of each entry that was changed here, and its version
    entries TEXT NOT NULL,
    -- JSON: the weight of each cause that closed cases confirmed
    learned TEXT NOT NULL
) STRICT;
