-- Rows by the keys that they are looked up with. Tables that grow with traffic are kept small:
-- spec/decisions/0012-rows-on-disk.md says how and what it saves.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  account TEXT PRIMARY KEY,
  code_hash BLOB,
  code_expires_ms INTEGER NOT NULL,
  keys BLOB,
  policy INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  account TEXT NOT NULL,
  device BLOB NOT NULL,
  key BLOB NOT NULL,
  cursor INTEGER NOT NULL,
  PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_package (
  upload INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  device BLOB NOT NULL,
  hash BLOB NOT NULL,
  package BLOB NOT NULL,
  last_resort INTEGER NOT NULL,
  not_after_s INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  UNIQUE (account, device, hash)
) STRICT;

CREATE INDEX key_package_claimed ON key_package (not_after_s) WHERE claimed = 1;
CREATE INDEX key_package_unclaimed ON key_package (account, device, last_resort) WHERE claimed = 0;

CREATE TABLE claim (
  peer TEXT NOT NULL,
  claim BLOB NOT NULL,
  time_ms INTEGER NOT NULL,
  answer BLOB NOT NULL,
  PRIMARY KEY (peer, claim)
) STRICT, WITHOUT ROWID;

CREATE INDEX claim_time ON claim (time_ms);

CREATE TABLE entry (
  position INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  device BLOB,
  entry BLOB NOT NULL
) STRICT;

-- Followed by the position, as every index is.
CREATE INDEX entry_account ON entry (account);

CREATE TABLE invitation (
  account TEXT NOT NULL,
  room BLOB NOT NULL,
  joining BLOB NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (account, room)
) STRICT, WITHOUT ROWID;

CREATE TABLE room (
  room BLOB PRIMARY KEY,
  hub TEXT NOT NULL,
  kind INTEGER NOT NULL,
  head_seq INTEGER NOT NULL,
  head_hash BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  base_seq INTEGER NOT NULL,
  wanted_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX room_wanting ON room (hub) WHERE wanted_seq > head_seq;

CREATE TABLE room_group (
  room BLOB PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roster (
  room BLOB PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
  room BLOB NOT NULL,
  account TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  PRIMARY KEY (room, account, from_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_account ON member (account, room, from_seq, to_seq);

-- A small number in place of a room's 32 bytes and its hub's name in every event.
CREATE TABLE log (
  id INTEGER PRIMARY KEY,
  room BLOB NOT NULL UNIQUE,
  hub TEXT NOT NULL
) STRICT;

CREATE TABLE event (
  position INTEGER PRIMARY KEY,
  log INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  message BLOB NOT NULL,
  head BLOB NOT NULL,
  signature BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX event_seq ON event (log, seq);
CREATE UNIQUE INDEX event_message ON event (log, message);
-- Followed by the position: a room's events in the order of a device's cursor.
CREATE INDEX event_position ON event (log);

CREATE TABLE pending (
  room BLOB NOT NULL,
  message BLOB NOT NULL,
  hash BLOB NOT NULL,
  account TEXT NOT NULL,
  device BLOB NOT NULL,
  peer TEXT NOT NULL,
  number INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (room, message)
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_number ON pending (peer, number);

CREATE TABLE progress (
  room BLOB NOT NULL,
  kind INTEGER NOT NULL,
  who TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (room, kind, who)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer (
  domain TEXT PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  endpoints TEXT NOT NULL,
  held INTEGER NOT NULL,
  outbox_id BLOB NOT NULL,
  next_number INTEGER NOT NULL,
  acked INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  their_outbox_id BLOB NOT NULL,
  received INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  next_retry_ms INTEGER NOT NULL,
  absent_since_ms INTEGER NOT NULL,
  last_error INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
  domain TEXT NOT NULL,
  seq INTEGER NOT NULL,
  signed BLOB NOT NULL,
  PRIMARY KEY (domain, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  peer TEXT NOT NULL,
  number INTEGER NOT NULL,
  room BLOB NOT NULL,
  item BLOB NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  queued_ms INTEGER NOT NULL,
  PRIMARY KEY (peer, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
  peer TEXT NOT NULL,
  number INTEGER NOT NULL,
  error BLOB NOT NULL,
  PRIMARY KEY (peer, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  peer TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  error INTEGER NOT NULL,
  kind TEXT NOT NULL,
  item BLOB NOT NULL
) STRICT;

CREATE INDEX quarantine_peer ON quarantine (peer);
