-- The rule graph as it was imported from the knowledge files, the documents that are searched,
-- and the cases. Lists and maps that no query looks into are JSON.

CREATE TABLE knowledge (
    -- 'files': the hash of the files that were imported last
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE symptoms (
    id TEXT PRIMARY KEY,
    grouping TEXT NOT NULL,
    title TEXT NOT NULL,
    predicate TEXT NOT NULL,
    refines TEXT,
    stage TEXT,
    state TEXT,
    otherwise TEXT,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE systems (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;

CREATE TABLE patterns (
    id TEXT PRIMARY KEY,
    system TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
    regex TEXT NOT NULL,
    facts TEXT NOT NULL,
    hop TEXT NOT NULL,
    vantage TEXT,
    lines INTEGER NOT NULL,
    examples TEXT NOT NULL,
    near_misses TEXT NOT NULL,
    source TEXT NOT NULL,
    verified INTEGER NOT NULL
) STRICT;
CREATE INDEX patterns_system ON patterns (system);

CREATE TABLE checks (
    id TEXT PRIMARY KEY,
    grouping TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    minutes REAL NOT NULL,
    who TEXT NOT NULL,
    instruction TEXT NOT NULL,
    commands TEXT NOT NULL,
    answers TEXT NOT NULL
) STRICT;

CREATE TABLE causes (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    layer TEXT NOT NULL,
    prior TEXT NOT NULL,
    parent TEXT REFERENCES causes (id) DEFERRABLE INITIALLY DEFERRED,
    share REAL,
    shows_at TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX causes_parent ON causes (parent);

CREATE TABLE links (
    cause TEXT NOT NULL REFERENCES causes (id) ON DELETE CASCADE,
    symptom TEXT NOT NULL REFERENCES symptoms (id) ON DELETE CASCADE,
    frequency TEXT NOT NULL,
    PRIMARY KEY (cause, symptom)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_symptom ON links (symptom);

CREATE TABLE cause_checks (
    cause TEXT NOT NULL REFERENCES causes (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    check_id TEXT NOT NULL REFERENCES checks (id) ON DELETE CASCADE,
    PRIMARY KEY (cause, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE fixes (
    cause TEXT PRIMARY KEY REFERENCES causes (id) ON DELETE CASCADE,
    minutes REAL NOT NULL,
    risk TEXT NOT NULL,
    who TEXT NOT NULL,
    verify TEXT NOT NULL
) STRICT;

CREATE TABLE cause_references (
    cause TEXT NOT NULL REFERENCES causes (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (cause, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cause_tests (
    cause TEXT NOT NULL REFERENCES causes (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    input TEXT NOT NULL,
    expect TEXT NOT NULL,
    PRIMARY KEY (cause, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
    family TEXT NOT NULL,
    id TEXT NOT NULL,
    grouping TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    causes TEXT NOT NULL,
    urls TEXT NOT NULL,
    PRIMARY KEY (family, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE advice (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    keywords TEXT NOT NULL,
    causes TEXT NOT NULL,
    urls TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- What can be searched: a row a page.
CREATE VIRTUAL TABLE documents USING fts5 (
    title,
    keywords,
    body,
    kind UNINDEXED,
    id UNINDEXED,
    url UNINDEXED,
    tokenize = 'porter unicode61'
);

-- One compact row a case: what it holds is read and written as a whole.
CREATE TABLE cases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    -- seconds since 1970, UTC
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX cases_updated_at ON cases (updated_at);
