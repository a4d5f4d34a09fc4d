//! The signed statements of who this domain is, one file each: `documents/1.signed`, oldest first.

use std::fs;

use identity::{Chain, DomainDocument, KeyUse, document::DocumentFields, fingerprint};
use machine::Timestamp;
use prost::Message as _;
use wire::{DomainName, ErrorCode, SecretKey, limits, name::Endpoint, proto::Signed};

use crate::{
    data::{DataDir, make_private_directory, write_private},
    failure::{Exit, Failure},
};

/// A document is renewed when less than this part of its life is left.
const RENEW_AT: u64 = 2;

/// The documents of a domain, checked as a chain.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) signed: Vec<Signed>,
    pub(crate) newest: DomainDocument,
}

/// Stores a document under its number.
pub(crate) fn write(data: &DataDir, document: &DomainDocument) -> Result<(), Failure> {
    make_private_directory(&data.documents())?;
    let path = data.documents().join(format!("{}.signed", document.seq()));
    write_private(&path, &document.signed().encode_to_vec())
}

/// Reads all documents and checks that each follows from the one before.
///
/// # Errors
/// `NoDocument`, `DocumentDamaged`, `WrongDomain`, `FileUnusable`.
pub(crate) fn read(data: &DataDir, domain: &DomainName) -> Result<Documents, Failure> {
    let mut signed = Vec::new();
    for seq in 1.. {
        let path = data.documents().join(format!("{seq}.signed"));
        match fs::read(&path) {
            Ok(bytes) => {
                signed.push(Signed::decode(bytes.as_slice()).map_err(|_| damaged(seq, ErrorCode::Malformed))?)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(Failure::io(&path, &error)),
        }
    }
    let newest = chain(&signed)?.ok_or_else(|| {
        Failure::new(
            Exit::Storage,
            "NoDocument",
            format!("{} holds no domain document", data.documents().display()),
            "restore the directory `documents` from a backup",
        )
    })?;
    if newest.domain() != domain {
        return Err(Failure::new(
            Exit::Usage,
            "WrongDomain",
            format!("comity.toml names {domain}, but the documents are of {}", newest.domain()),
            format!("set `domain = \"{}\"` in comity.toml", newest.domain()),
        ));
    }
    Ok(Documents { signed, newest })
}

fn chain(signed: &[Signed]) -> Result<Option<DomainDocument>, Failure> {
    let mut chain: Option<Chain> = None;
    for (seq, signed) in (1..).zip(signed) {
        match &mut chain {
            Some(chain) => drop(chain.extend(signed).map_err(|error| damaged(seq, error))?),
            None => {
                let first = DomainDocument::parse(signed).map_err(|error| damaged(seq, error))?;
                let pin = fingerprint(first.root_key());
                chain = Some(Chain::verify_first(signed, &pin).map_err(|error| damaged(seq, error))?);
            }
        }
    }
    Ok(chain.map(|chain| chain.newest().clone()))
}

fn damaged(seq: u64, error: ErrorCode) -> Failure {
    Failure::new(
        Exit::Unproved,
        "DocumentDamaged",
        format!("domain document {seq} does not hold: {}", error.meaning()),
        "restore the directory `documents` from a backup",
    )
}

/// Whether the clock can be right, seen from the newest document and from what was written last.
///
/// # Errors
/// `ClockSkew` or `DocumentExpired`, each with the next step.
pub(crate) fn check_clock(data: &DataDir, newest: &DomainDocument, now: Timestamp) -> Result<(), Failure> {
    let latest = data.last_written_ms().max(newest.fields().issued.saturating_mul(1000));
    if now.plus_ms(limits::CLOCK_SKEW_MS).as_ms() < latest {
        let behind = (latest - now.as_ms()) / 60_000;
        return Err(Failure::new(
            Exit::Failed,
            "ClockSkew",
            format!("the clock of this machine is at least {behind} minutes behind what was written here"),
            "set the clock (for example with chrony), then start again; if it is right now and was ahead when \
             the node last wrote: `touch DIR/*`",
        ));
    }
    if now.as_s() > newest.expires() {
        let days = (now.as_s() - newest.expires()) / 86_400;
        return Err(Failure::new(
            Exit::Unproved,
            "DocumentExpired",
            format!("domain document {} expired {days} days ago by the clock of this machine", newest.seq()),
            "check the clock; if it is right: `comityd renew --data DIR`",
        ));
    }
    Ok(())
}

/// Whether it is time for a new document.
pub(crate) fn is_due(newest: &DomainDocument, now: Timestamp) -> bool {
    let life = newest.expires().saturating_sub(newest.fields().issued);
    let keys_end = newest.fields().keys.iter().map(|key| key.not_after).min().unwrap_or(0);
    now.as_s() >= newest.expires().min(keys_end).saturating_sub(life / RENEW_AT)
}

/// Issues and stores the document after the newest: the same keys for a new term, new endpoints if
/// some are given.
///
/// # Errors
/// Those of writing; `RootKeyWrong`.
pub(crate) fn renew(
    data: &DataDir,
    documents: &mut Documents,
    root: &SecretKey,
    endpoints: &[Endpoint],
    now: Timestamp,
) -> Result<(), Failure> {
    let next = issue(&documents.newest, root, endpoints, now).ok_or_else(|| {
        Failure::new(
            Exit::Unproved,
            "RootKeyWrong",
            "the root key is not the one that signed the newest document",
            "give the right one with `--root-key`, or restore keys/root.key",
        )
    })?;
    write(data, &next)?;
    documents.signed.push(next.signed().clone());
    documents.newest = next;
    Ok(())
}

fn issue(
    newest: &DomainDocument,
    root: &SecretKey,
    endpoints: &[Endpoint],
    now: Timestamp,
) -> Option<DomainDocument> {
    if root.public() != *newest.root_key() {
        return None;
    }
    let mut fields: DocumentFields = newest.successor(now);
    let not_after = now.as_s().saturating_add(limits::DOMAIN_KEY_VALID_S);
    for key in fields.keys.iter_mut().filter(|key| key.key_use != KeyUse::Unspecified) {
        key.not_after = key.not_after.max(not_after);
    }
    if !endpoints.is_empty() {
        fields.endpoints = endpoints.to_vec();
    }
    DomainDocument::issue(&fields, root).ok()
}
