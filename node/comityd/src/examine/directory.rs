//! The data directory and the machine under it, for which no node need run.

use std::path::Path;

use identity::KeyKind;
use net::now;
use sqlite::Sqlite;

use super::{Findings, Severity, files, machine};
use crate::{
    command::storage,
    config::{self, Config},
    data::DataDir,
    documents::{self, Documents},
    failure::{Exit, Failure},
    keys::{self, OFFLINE, Stored},
};

const DAY_S: u64 = 86_400;
/// A document that ends sooner is to be renewed now.
const DOCUMENT_LEAST_S: u64 = 60 * DAY_S;

/// Looks at everything, whatever else is wrong.
pub(crate) fn directory(path: &Path, findings: &mut Findings) -> Option<(DataDir, Option<Config>)> {
    let data = match DataDir::open(path) {
        Ok(data) => data,
        Err(failure) if matches!(failure.name, "NoDomainHere" | "PermissionDenied") => {
            findings.take::<()>("directory", Err(failure));
            return None;
        }
        Err(failure) => {
            findings.take::<()>("directory", Err(failure));
            DataDir::new(path)
        }
    };
    files::modes(&data, findings);
    let config = findings.take("configuration", Config::read(&data.config(), &Vec::new()));
    if let Some(config) = &config {
        findings.ok("configuration", format!("serves {}", config.domain));
        if let Some(documents) = findings.take("documents", documents::read(&data, &config.domain)) {
            document(&data, config, &documents, findings);
            if findings.take("keys", keys::read_checked(&data, &documents.newest, now())).is_some() {
                findings.ok("keys", "those of the newest document");
            }
        }
    }
    for variable in config::unknown_variables() {
        let what = format!("{variable} is set and means nothing");
        let next = "`comityd config template` names the variables";
        findings.add("environment", Severity::Warning, "ConfigUnknownVariable", what, next);
    }
    offline_keys(&data, findings);
    machine::disk(&data, findings);
    let runs = database(&data, findings);
    if let (false, Some(config)) = (runs, &config) {
        machine::ports(config, findings);
    }
    Some((data, config))
}

fn document(data: &DataDir, config: &Config, documents: &Documents, findings: &mut Findings) {
    let newest = &documents.newest;
    if findings.take("documents", documents::check_clock(data, newest, now())).is_none() {
        return;
    }
    findings.ok("clock", "not behind what was written here");
    let days = newest.expires().saturating_sub(now().as_s()) / DAY_S;
    let what = format!("{}, the newest in force for {days} days", documents.signed.len());
    if !documents::is_due(newest, now()) {
        return findings.ok("documents", what);
    }
    let root = keys::stored(&keys::path(data, KeyKind::Root), KeyKind::Root);
    let opens = root.and_then(|root| config.open_root(&root)).is_ok_and(|root| root.is_some());
    let next = match opens {
        true => "restart comityd: it renews the document by itself",
        false => "`comityd renew` with the root key and its passphrase, then restart comityd",
    };
    let urgent = newest.expires().saturating_sub(now().as_s()) < DOCUMENT_LEAST_S;
    let severity = if urgent || !opens { Severity::Warning } else { Severity::Note };
    findings.add("documents", severity, "DocumentDue", format!("{what}; it is due for renewal"), next);
}

fn offline_keys(data: &DataDir, findings: &mut Findings) {
    let mut open = Vec::new();
    for kind in OFFLINE {
        let path = keys::path(data, kind);
        if !path.exists() {
            continue;
        }
        match findings.take("keys", keys::stored(&path, kind)) {
            Some(Stored::Open(_)) => open.push(kind.name()),
            Some(Stored::Sealed(_)) | None => {}
        }
    }
    if !open.is_empty() {
        let what = format!("{} lie here open: whoever takes this machine takes the domain", open.join(", "));
        let next = "`comityd key seal`, and `comityd key export DIR --remove`";
        findings.add("keys", Severity::Note, "RootKeysOpen", what, next);
    }
}

/// Looks at the database; whether a node is using it.
fn database(data: &DataDir, findings: &mut Findings) -> bool {
    const PART: &str = "database";
    if !data.database().exists() {
        findings.ok(PART, "none yet; the first `comityd run` makes it");
        return false;
    }
    let schema = match sqlite::found_schema(data.path()) {
        Ok(schema) => schema,
        Err(error) => {
            findings.take::<()>(PART, Err(storage(&error, data)));
            return false;
        }
    };
    if schema < sqlite::schema() {
        let what = format!("schema {schema}; this program brings it to {}", sqlite::schema());
        let next = "the next `comityd run` does so, after a copy into `snapshots`";
        findings.add(PART, Severity::Note, "SchemaOlder", what, next);
        // Opening it would take the step.
        return false;
    }
    match Sqlite::open(data.path()) {
        Err(sqlite::OpenError::Locked { .. }) => {
            findings.ok(PART, format!("schema {schema}, in use by a running comityd and not read through"));
            true
        }
        Err(error) => {
            findings.take::<()>(PART, Err(storage(&error, data)));
            false
        }
        Ok(store) => {
            let intact = intact(&store);
            if findings.take(PART, intact).is_some() {
                findings.ok(PART, format!("schema {schema}, intact"));
            }
            false
        }
    }
}

fn intact(store: &Sqlite) -> Result<(), Failure> {
    let damaged =
        |what: String| Failure::new(Exit::Unproved, "DatabaseDamaged", what, "restore the last good backup");
    let found = store.integrity().map_err(|error| damaged(error.to_string()))?;
    match found.first() {
        Some(first) => Err(damaged(format!("{} faults, the first: {first}", found.len()))),
        None => Ok(()),
    }
}
