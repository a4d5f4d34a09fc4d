-- What is kept of passwords, and how often they were tried: a bounded number of slots, which names
-- share by a keyed hash, so that this table tells nobody who was tried.

CREATE TABLE password (
  account TEXT PRIMARY KEY,
  kept TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tries (
  slot INTEGER PRIMARY KEY,
  full_ms INTEGER NOT NULL
) STRICT;
