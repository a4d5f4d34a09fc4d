//! Runs one case: from the name of a procedure and its input to an output or a named error.

mod encryption;
mod federation;
mod files;
mod frames;
mod identity_of;
mod names;
mod rooms;
mod sync;

use serde_json::Value;
use wire::ErrorCode;

use crate::field::Read;

/// What a procedure says: an output, or an error of the closed list by name.
pub type Outcome = Result<Value, String>;

type Procedure = fn(&Value) -> Read<Outcome>;

const PROCEDURES: &[(&str, Procedure)] = &[
    ("domain", names::domain),
    ("account", names::account),
    ("endpoint", names::endpoint),
    ("id", names::id),
    ("line", names::line),
    ("frame", frames::frame),
    ("stream", frames::stream),
    ("verify", identity_of::verify),
    ("statement", identity_of::statement),
    ("chain", identity_of::chain),
    ("domain-key", identity_of::domain_key),
    ("account-keys", identity_of::account_keys),
    ("leaf", identity_of::leaf),
    ("session", identity_of::session),
    ("ticket", identity_of::ticket),
    ("peering-ticket", identity_of::peering_ticket),
    ("key-file", identity_of::key_file),
    ("direct-room", rooms::direct),
    ("event-run", rooms::event_run),
    ("peer-hello", federation::peer_hello),
    ("link-inbound", federation::link_inbound),
    ("link-outbound", federation::link_outbound),
    ("submit", sync::submit),
    ("content", encryption::content),
    ("framing", encryption::framing),
    ("key-package", encryption::key_package),
    ("blob-length", files::blob_length),
    ("blob", files::blob),
    ("file-chunk", files::file_chunk),
    ("file", files::file),
    ("file-name", files::file_name),
];

/// Runs a case.
///
/// # Errors
/// If there is no such procedure, or the input is not of its form: a fault of the file.
pub fn run(procedure: &str, input: &Value) -> anyhow::Result<Outcome> {
    let known = PROCEDURES.iter().find(|(name, _)| *name == procedure);
    let (_, run) = known.ok_or_else(|| anyhow::anyhow!("no procedure {procedure:?}"))?;
    run(input)
}

/// The names of all procedures.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROCEDURES.iter().map(|(name, _)| *name)
}

fn named(result: Result<Value, ErrorCode>) -> Outcome {
    result.map_err(|error| error.name().to_owned())
}
