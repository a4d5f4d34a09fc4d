-- What an administrator makes of accounts and peers, and the log of what administrators did.

-- 1: active.
ALTER TABLE account ADD COLUMN standing INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN standing_since_ms INTEGER NOT NULL DEFAULT 0;

-- 1: open.
ALTER TABLE peer ADD COLUMN mode INTEGER NOT NULL DEFAULT 1;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;
