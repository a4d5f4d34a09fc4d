//! What each verb prints with `--json`, for whoever writes a program against it. Each verb knows its own
//! fields; a test asks every one of them and compares.

use crate::output::{MessageShown, PeerShown, PersonShown, RoomShown, Show, UserShown};

/// Verbs, and the fields of the objects that they print.
const FIELDS: &[(&[&str], &[&str])] = &[
    (
        &["send", "pub", "message react", "message edit", "message redact"],
        &["room", "message", "seq", "level"],
    ),
    (&["read", "room history", "message list", "message show", "message search"], MessageShown::FIELDS),
    (
        &["watch"],
        &[
            "event", "message", "room", "peer", "id", "in_room", "account", "level", "failed", "seq",
            "active", "text",
        ],
    ),
    (&["sub"], &["room", "seq", "id", "time", "sender", "own", "text", "data"]),
    (
        &["status"],
        &[
            "account",
            "device",
            "protection",
            "connected",
            "endpoint",
            "problem",
            "caught_up",
            "rooms",
            "invitations",
            "unread",
            "unsent",
            "peers",
        ],
    ),
    (
        &[
            "verify",
            "contact list",
            "contact show",
            "contact verify",
            "contact trust",
            "contact block",
            "contact unblock",
        ],
        <PersonShown as Show>::FIELDS,
    ),
    (&["login"], &["account", "device", "directory", "protection"]),
    (
        &["account show"],
        &[
            "account",
            "domain",
            "device",
            "mode",
            "fingerprint",
            "endpoint",
            "directory",
            "rooms",
            "contacts",
            "unsent",
        ],
    ),
    (&["account list", "account logout"], &["account", "directory"]),
    (&["account unlock"], &["account", "protection", "until"]),
    (&["account lock"], &["account", "locked"]),
    (&["account protect"], &["account", "protection"]),
    (&["account export"], &["file", "contacts", "rooms", "messages"]),
    (&["room list", "room show", "room admit"], <RoomShown as Show>::FIELDS),
    (
        &[
            "room create",
            "room invite",
            "room accept",
            "room decline",
            "room leave",
            "room remove",
            "room rename",
            "room notify",
            "room role",
        ],
        &["room", "done", "added", "refused", "dry_run"],
    ),
    (&["message receipts"], &["account", "level"]),
    (&["file put"], &["room", "message", "blob", "size", "level"]),
    (&["file get"], &["path", "size"]),
    (&["file list"], &["room", "seq", "message", "blob", "sender", "own", "time", "name", "size", "caption"]),
    (&["contact policy"], &["policy", "own"]),
    (&["bot hook"], &["listen", "room"]),
    (&["config list"], &["key", "value", "origin", "variable", "meaning"]),
    (&["config get", "config set", "config unset"], &["key", "value"]),
    (&["config path"], &["path", "exists"]),
    (&["config template"], &["template"]),
    (&["config check"], &["path", "good"]),
    (
        &[
            "peer pin",
            "peer list",
            "peer show",
            "peer retry",
            "peer pause",
            "peer resume",
            "peer deny",
            "peer allow",
        ],
        <PeerShown as Show>::FIELDS,
    ),
    (&["peer queue"], &["number", "kind", "room", "bytes", "since"]),
    (&["peer remove"], &["domain", "dropped_items", "dropped_bytes", "dry_run"]),
    (&["user list", "user show", "user suspend", "user restore", "user delete"], <UserShown as Show>::FIELDS),
    (&["user create"], &["account", "invitation", "expires"]),
    (&["user invite"], &["account", "invitation", "output", "expires"]),
    (&["user password"], &["account", "password"]),
    (&["user sessions"], &["account", "device", "connected", "since", "key_packages", "subscribed"]),
    (
        &["domain show"],
        &["domain", "fingerprint", "endpoints", "document_seq", "issued", "expires", "keys", "ticket"],
    ),
    (&["domain publish"], &["domain", "document_seq", "published", "records"]),
    (&["domain check"], &["domain", "good", "document_seq", "expires", "findings", "endpoints"]),
    (&["report health"], &["level", "subject", "what", "next"]),
    (
        &["report usage"],
        &[
            "accounts",
            "suspended",
            "deleted",
            "devices",
            "connected",
            "rooms",
            "positions",
            "store_bytes",
            "since",
            "peers",
        ],
    ),
    (&["report audit"], &["entry", "time", "act", "by", "subject", "detail", "hash"]),
    (&["report quarantine"], &["domain", "time", "error", "kind"]),
    (&["demo"], &["kind", "text", "ms"]),
    (&["util names"], &["name"]),
    (&["util man"], &["directory", "pages"]),
    (&["util exit-codes"], &["code", "meaning"]),
    (&["util errors"], &["name", "number", "exit", "retryable", "meaning", "hint"]),
    (&["util reference"], &["command", "about", "arguments", "fields", "help"]),
];

/// The fields of what a verb prints, its name without the program's; none if it prints no object.
pub(super) fn of(verb: &str) -> &'static [&'static str] {
    let row = FIELDS.iter().find(|(verbs, _)| verbs.contains(&verb));
    row.map_or(&[], |(_, fields)| fields)
}
