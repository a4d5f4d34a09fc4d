//! `comityd check`: is everything in the data directory as it must be?

use net::now;
use sqlite::Sqlite;

use super::run::storage;
use crate::{
    args::Check,
    config::Config,
    data::DataDir,
    documents,
    failure::{Exit, Failure},
    keys,
    system::print,
};

/// Looks at each part and stops at the first that is not in order.
pub(crate) fn check(args: &Check) -> Result<(), Failure> {
    look(args).map_err(|mut failure| {
        failure.exit = match failure.name {
            "FileUnusable" | "StoreUnusable" => Exit::Unknown,
            _ => Exit::Unproved,
        };
        failure
    })
}

fn look(args: &Check) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let config = Config::read(&data.config(), &Vec::new())?;
    print(&format!("ok  configuration  serves {}", config.domain));
    let documents = documents::read(&data, &config.domain)?;
    documents::check_clock(&data, &documents.newest, now())?;
    print(&format!("ok  documents      {}, newest in force", documents.signed.len()));
    keys::read_checked(&data, &documents.newest, now())?;
    print("ok  keys           those of the newest document");
    if !data.database().exists() {
        print("--  database       none yet; the first `comityd run` makes it");
        return Ok(());
    }
    match Sqlite::open(data.path()) {
        Err(sqlite::OpenError::Locked { .. }) => {
            print("--  database       in use by a running comityd, not looked at");
        }
        Err(error) => return Err(storage(&error, &data)),
        Ok(store) => database(&store)?,
    }
    Ok(())
}

fn database(store: &Sqlite) -> Result<(), Failure> {
    let damaged = |what: String| {
        Failure::new(Exit::Unproved, "DatabaseDamaged", what, "restore comity.db from a backup")
    };
    let findings = store.integrity().map_err(|error| damaged(error.to_string()))?;
    match findings.first() {
        Some(finding) => Err(damaged(format!("{} findings, the first: {finding}", findings.len()))),
        None => {
            print("ok  database       intact");
            Ok(())
        }
    }
}
