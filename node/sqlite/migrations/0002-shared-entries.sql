-- What many accounts are told alike, such as how to join a room, is kept once, however many they are.

CREATE TABLE shared_entry (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  entry BLOB NOT NULL
) STRICT;

ALTER TABLE entry ADD COLUMN shared INTEGER;

CREATE INDEX entry_shared ON entry (shared) WHERE shared IS NOT NULL;

CREATE TRIGGER entry_gone AFTER DELETE ON entry WHEN OLD.shared IS NOT NULL
BEGIN
  DELETE FROM shared_entry
  WHERE id = OLD.shared AND NOT EXISTS (SELECT 1 FROM entry WHERE shared = OLD.shared);
END;

CREATE VIEW large_entry AS SELECT position, account, device, x'' AS hash, entry FROM entry;

CREATE TRIGGER large_entry_put INSTEAD OF INSERT ON large_entry
BEGIN
  INSERT OR IGNORE INTO shared_entry (hash, entry) VALUES (NEW.hash, NEW.entry);
  INSERT INTO entry VALUES (
    NEW.position, NEW.account, NEW.device, x'',
    (SELECT id FROM shared_entry WHERE hash = NEW.hash)
  );
END;
