//! `comityd key`: the keys that a running node does not need, sealed and taken away.

use std::path::Path;

use identity::{KeyKind, fingerprint};
use wire::SecretKey;

use crate::{
    args::{Key as Args, KeyExport, KeyList, KeySeal, KeyUnseal},
    data::{
        DataDir, check_erasable, erase_secret, make_private_directory, replace_secret, sweep_secrets,
        write_private,
    },
    failure::{Exit, Failure},
    keys::{self, OFFLINE, ONLINE, Ring, Stored},
    passphrase::Source,
    system::{groups, print},
};

/// Does what the command says.
pub(crate) fn key(args: &Args) -> Result<(), Failure> {
    match args {
        Args::List(args) => list(args),
        Args::Seal(args) => seal(args),
        Args::Unseal(args) => unseal(args),
        Args::Export(args) => export(args),
    }
}

fn list(args: &KeyList) -> Result<(), Failure> {
    let data = DataDir::open(&args.keys.data.directory)?;
    for kind in OFFLINE.into_iter().chain(ONLINE) {
        let path = keys::path(&data, kind);
        match path.exists() {
            true => show(args.keys.json, kind, Some(&keys::stored(&path, kind)?), ""),
            false => show(args.keys.json, kind, None, ""),
        }
    }
    Ok(())
}

/// Those of the keys that are here and can be elsewhere.
fn here(data: &DataDir) -> Result<Vec<(KeyKind, Stored)>, Failure> {
    let present = OFFLINE.into_iter().filter(|kind| keys::path(data, *kind).exists());
    let found: Vec<_> = present
        .map(|kind| Ok((kind, keys::stored(&keys::path(data, kind), kind)?)))
        .collect::<Result<_, Failure>>()?;
    if found.is_empty() {
        let what = "root, next-root and recovery key are not here";
        return Err(Failure::new(
            Exit::Storage,
            "KeysElsewhere",
            what,
            "give the directory in which they are",
        ));
    }
    Ok(found)
}

// Everything is opened before anything is written: a wrong passphrase changes nothing.
fn seal(args: &KeySeal) -> Result<(), Failure> {
    let data = DataDir::open(&args.keys.data.directory)?;
    sweep_secrets(&data.keys())?;
    let old = Source { file: args.old_passphrase_file.clone() };
    let found = here(&data)?;
    found.iter().try_for_each(|(kind, _)| check_erasable(&keys::path(&data, *kind)))?;
    let opened = open(&data, found, &old)?;
    let new = Source { file: args.passphrase_file.clone() }.new_one("root, next-root and recovery key")?;
    for (kind, key) in opened {
        let path = keys::path(&data, kind);
        replace_secret(&path, keys::text(kind, &key, Some(&new))?.as_bytes())?;
        show(args.keys.json, kind, Some(&keys::stored(&path, kind)?), "");
    }
    Ok(())
}

fn unseal(args: &KeyUnseal) -> Result<(), Failure> {
    let data = DataDir::open(&args.keys.data.directory)?;
    let source = Source { file: args.passphrase_file.clone() };
    let mut sealed = Vec::new();
    for kind in OFFLINE.into_iter().chain(ONLINE) {
        let path = keys::path(&data, kind);
        if !path.exists() {
            continue;
        }
        let stored = keys::stored(&path, kind)?;
        if stored.is_sealed() {
            sealed.push((kind, stored));
        }
    }
    for (kind, key) in open(&data, sealed, &source)? {
        let path = keys::path(&data, kind);
        write_private(&path, keys::text(kind, &key, None)?.as_bytes())?;
        show(args.keys.json, kind, Some(&keys::stored(&path, kind)?), "");
    }
    Ok(())
}

/// Opens all of them. One passphrase is asked for once, and for all that it may open.
fn open(
    data: &DataDir,
    stored: Vec<(KeyKind, Stored)>,
    source: &Source,
) -> Result<Vec<(KeyKind, SecretKey)>, Failure> {
    let mut ring = Ring::default();
    let mut names: Vec<&str> =
        stored.iter().filter(|(_, stored)| stored.is_sealed()).map(|(kind, _)| kind.name()).collect();
    let mut opened = Vec::new();
    for (kind, stored) in stored {
        let (path, what) = (keys::path(data, kind), names.join(", "));
        opened.push((kind, ring.open(stored, (&path, &what), source)?));
        names.retain(|name| *name != kind.name());
    }
    Ok(opened)
}

fn export(args: &KeyExport) -> Result<(), Failure> {
    let data = DataDir::open(&args.keys.data.directory)?;
    let found = here(&data)?;
    if args.remove {
        sweep_secrets(&data.keys())?;
        found.iter().try_for_each(|(kind, _)| check_erasable(&keys::path(&data, *kind)))?;
    }
    make_private_directory(&args.to)?;
    for (kind, stored) in &found {
        let copy = copy(&data, *kind, &args.to)?;
        if keys::stored(&copy, *kind)?.public() != stored.public() {
            let what = format!("{} is not what was written there", copy.display());
            return Err(Failure::new(Exit::Storage, "CopyDiffers", what, "use another medium"));
        }
    }
    for (kind, stored) in &found {
        if args.remove {
            let path = keys::path(&data, *kind);
            erase_secret(&path)?;
        }
        let place = args.to.join(format!("{kind}.key"));
        show(args.keys.json, *kind, Some(stored), &place.display().to_string());
    }
    Ok(())
}

fn copy(data: &DataDir, kind: KeyKind, to: &Path) -> Result<std::path::PathBuf, Failure> {
    let (from, to) = (keys::path(data, kind), to.join(format!("{kind}.key")));
    if to.exists() {
        let what = format!("{} exists already", to.display());
        return Err(Failure::new(Exit::Storage, "KeyExists", what, "give an empty directory"));
    }
    let bytes =
        std::fs::read(&from).map(zeroize::Zeroizing::new).map_err(|error| Failure::io(&from, &error))?;
    write_private(&to, &bytes)?;
    Ok(to)
}

fn show(json: bool, kind: KeyKind, stored: Option<&Stored>, place: &str) {
    let state = match stored {
        Some(Stored::Open(_)) => "open",
        Some(Stored::Sealed(_)) => "sealed",
        None => "elsewhere",
    };
    let print_of = stored.map(|stored| fingerprint(&stored.public()));
    if json {
        let result = serde_json::json!({
            "key": kind.name(),
            "state": state,
            "fingerprint": print_of.map(|bytes| data_encoding::HEXLOWER.encode(&bytes)),
            "place": (!place.is_empty()).then_some(place),
        });
        return print(&result.to_string());
    }
    let print_of = print_of.map(|bytes| groups(&bytes)).unwrap_or_default();
    let line = format!("{:<10} {state:<10} {print_of}", kind.name());
    print(line.trim_end());
    if !place.is_empty() {
        print(&format!("{:<10} at {place}", ""));
    }
}
