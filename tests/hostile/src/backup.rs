//! Backups that are not what they should be: `comityd verify` and `comityd restore` refuse each with its
//! name, and a refused restore leaves no domain behind.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use data_encoding::HEXLOWER;
use kit::{Node, comityd};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What is wrong, its name, the exit code, how to make it of a good backup.
type Row = (&'static str, &'static str, i32, fn(&Path) -> Result<()>);

fn manifest(backup: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(backup.join("manifest.json"))?)?)
}

fn edit(backup: &Path, change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut value = manifest(backup)?;
    change(&mut value);
    Ok(fs::write(backup.join("manifest.json"), serde_json::to_vec_pretty(&value)?)?)
}

/// Lists the files as they are and signs with the domain's key, as whoever has the backup can.
fn sign_again(backup: &Path) -> Result<()> {
    edit(backup, |value| {
        for file in value["files"].as_array_mut().into_iter().flatten() {
            let path = backup.join(file["path"].as_str().unwrap_or_default());
            let bytes = fs::read(path).unwrap_or_default();
            file["bytes"] = json!(bytes.len());
            file["sha256"] = json!(HEXLOWER.encode(&Sha256::digest(&bytes)));
        }
    })?;
    sign(backup)
}

fn sign(backup: &Path) -> Result<()> {
    let key = fs::read_to_string(backup.join("keys/event.key"))?;
    let (_, key) = identity::key_file::parse(&key)?;
    let text = fs::read(backup.join("manifest.json"))?;
    let signature = key.sign(&wire::signed::input("comity/v1/BackupManifest", &text));
    Ok(fs::write(backup.join("manifest.sig"), format!("{}\n", HEXLOWER.encode(&signature)))?)
}

fn overwrite(path: &Path, at: usize, with: &[u8]) -> Result<()> {
    let mut bytes = fs::read(path)?;
    bytes.get_mut(at..at + with.len()).context("inside the file")?.copy_from_slice(with);
    Ok(fs::write(path, bytes)?)
}

fn list(backup: &Path, path: &str) -> Result<()> {
    edit(backup, |value| {
        if let Some(files) = value["files"].as_array_mut() {
            files.push(json!({ "path": path, "bytes": 1, "sha256": "00" }));
        }
    })
}

const ROWS: &[Row] = &[
    ("no manifest", "ManifestMissing", 7, |backup| Ok(fs::remove_file(backup.join("manifest.json"))?)),
    ("an empty manifest", "ManifestMalformed", 7, |backup| Ok(fs::write(backup.join("manifest.json"), "")?)),
    ("noise", "ManifestMalformed", 7, |backup| Ok(fs::write(backup.join("manifest.json"), [0xff; 300])?)),
    ("a list", "ManifestMalformed", 7, |backup| Ok(fs::write(backup.join("manifest.json"), "[[[[]]]]")?)),
    ("10,000 levels", "ManifestMalformed", 7, |backup| {
        Ok(fs::write(backup.join("manifest.json"), "[".repeat(10_000))?)
    }),
    ("a manifest that is a directory", "ManifestMalformed", 7, |backup| {
        fs::remove_file(backup.join("manifest.json"))?;
        Ok(fs::create_dir(backup.join("manifest.json"))?)
    }),
    ("a field nobody knows", "ManifestMalformed", 7, |backup| edit(backup, |value| value["more"] = json!(1))),
    ("a domain that is none", "ManifestMalformed", 7, |backup| {
        edit(backup, |value| value["domain"] = json!("No Domain"))
    }),
    ("a negative number", "ManifestMalformed", 7, |backup| edit(backup, |value| value["rooms"] = json!(-1))),
    ("the backup of a newer program", "BackupNewer", 9, |backup| {
        edit(backup, |value| value["format"] = json!("comity-backup-9"))
    }),
    ("a manifest of something else", "ManifestMalformed", 7, |backup| {
        edit(backup, |value| value["format"] = json!("parcel-1"))
    }),
    ("a file outside", "ManifestMalformed", 7, |backup| list(backup, "../comity.toml")),
    ("a file outside, by a detour", "ManifestMalformed", 7, |backup| list(backup, "keys/../../x.key")),
    ("an absolute path", "ManifestMalformed", 7, |backup| list(backup, "/etc/cron.d/x")),
    ("the lock", "ManifestMalformed", 7, |backup| list(backup, "lock")),
    ("a file twice", "ManifestMalformed", 7, |backup| list(backup, "comity.toml")),
    ("a key of a terabyte", "ManifestMalformed", 7, |backup| {
        edit(backup, |value| value["files"][1]["bytes"] = json!(1_u64 << 40))
    }),
    ("no database in the list", "ManifestMalformed", 7, |backup| {
        edit(backup, |value| value["files"][0]["path"] = json!("media/x"))
    }),
    ("a number changed", "ManifestForged", 7, |backup| edit(backup, |value| value["rooms"] = json!(7))),
    ("a time changed", "ManifestForged", 7, |backup| edit(backup, |value| value["made_s"] = json!(1))),
    ("no signature", "ManifestMissing", 7, |backup| Ok(fs::remove_file(backup.join("manifest.sig"))?)),
    ("an empty signature", "ManifestForged", 7, |backup| Ok(fs::write(backup.join("manifest.sig"), "")?)),
    ("a signature of noise", "ManifestForged", 7, |backup| {
        Ok(fs::write(backup.join("manifest.sig"), "5a".repeat(64))?)
    }),
    ("a signature by another key of the domain", "ManifestForged", 7, |backup| {
        let event = fs::read(backup.join("keys/event.key"))?;
        fs::copy(backup.join("keys/tls.key"), backup.join("keys/event.key"))?;
        sign(backup)?;
        Ok(fs::write(backup.join("keys/event.key"), event)?)
    }),
    ("another domain", "WrongDomain", 7, |backup| {
        edit(backup, |value| value["domain"] = json!("umbrella.test"))?;
        sign(backup)
    }),
    ("another newest document", "ManifestForged", 7, |backup| {
        edit(backup, |value| value["document_seq"] = json!(2))?;
        sign(backup)
    }),
    ("a bit of the database", "FileChanged", 7, |backup| overwrite(&backup.join("comity.db"), 4_000, b"x")),
    ("half a database", "FileChanged", 7, |backup| {
        let half = fs::metadata(backup.join("comity.db"))?.len() / 2;
        Ok(fs::File::options().write(true).open(backup.join("comity.db"))?.set_len(half)?)
    }),
    ("no database", "FileMissing", 7, |backup| Ok(fs::remove_file(backup.join("comity.db"))?)),
    ("one key in the place of another", "FileChanged", 7, |backup| {
        fs::copy(backup.join("keys/event.key"), backup.join("keys/tls.key"))?;
        Ok(())
    }),
    ("a file nobody listed", "FileUnlisted", 7, |backup| Ok(fs::write(backup.join("keys/more.key"), "x")?)),
    ("a file whose name moves the cursor", "FileUnlisted", 7, |backup| {
        Ok(fs::write(backup.join("keys/\u{1b}[2J\u{202e}"), "x")?)
    }),
    ("a link out of the backup", "FileIrregular", 7, |backup| {
        fs::remove_file(backup.join("keys/tls.key"))?;
        Ok(symlink("/etc/passwd", backup.join("keys/tls.key"))?)
    }),
    ("a link that nobody listed", "FileIrregular", 7, |backup| {
        Ok(symlink("/", backup.join("documents/root"))?)
    }),
    ("a directory in the place of a file", "FileIrregular", 7, |backup| {
        fs::remove_file(backup.join("comity.toml"))?;
        Ok(fs::create_dir(backup.join("comity.toml"))?)
    }),
    ("a document of noise", "DocumentDamaged", 7, |backup| {
        fs::write(backup.join("documents/1.signed"), [7; 90])?;
        sign_again(backup)
    }),
    ("a database of noise", "NotADatabase", 7, |backup| {
        fs::write(backup.join("comity.db"), [0x41; 8_192])?;
        sign_again(backup)
    }),
    ("a database of another program", "NotADatabase", 7, |backup| {
        overwrite(&backup.join("comity.db"), 68, &[0, 0, 0, 7])?;
        sign_again(backup)
    }),
    ("a newer schema", "NewerSchema", 9, |backup| {
        overwrite(&backup.join("comity.db"), 60, &[0, 0, 0, 99])?;
        edit(backup, |value| value["schema"] = json!(99))?;
        sign_again(backup)
    }),
    ("a damaged page", "DatabaseDamaged", 7, |backup| {
        let end = usize::try_from(fs::metadata(backup.join("comity.db"))?.len())?;
        overwrite(&backup.join("comity.db"), end - 4_096, &[0x55; 4_096])?;
        sign_again(backup)
    }),
    ("other contents than it says", "DatabaseDiffers", 7, |backup| {
        edit(backup, |value| value["accounts"] = json!(12))?;
        sign_again(backup)
    }),
];

fn run(arguments: &[&str], path: &Path, data: Option<&Path>) -> Result<Output> {
    let mut command = Command::new(comityd()?);
    command.args(arguments).arg(path).env_remove("COMITY_DATA");
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    Ok(command.output()?)
}

fn refused(what: &str, output: &Output, name: &str, code: i32) -> Result<()> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(code), "{what}: {:?}: {stderr}", output.status.code());
    ensure!(stderr.contains(&format!("[{name}]")), "{what}: {stderr}");
    ensure!(stderr.contains("\nhint: ") && !stderr.contains("panicked"), "{what}: {stderr}");
    ensure!(
        !stderr.contains('\u{1b}') && !stderr.contains('\u{202e}'),
        "{what} moves the cursor: {stderr:?}"
    );
    Ok(())
}

fn copy_of(from: &Path, to: &Path) -> Result<()> {
    ensure!(Command::new("cp").arg("-a").arg(from).arg(to).status()?.success(), "cp");
    Ok(())
}

/// A domain that has run once, and its backup.
fn backed_up(place: &Path) -> Result<(Node, PathBuf)> {
    let mut node = Node::start("acme.test")?;
    node.invite(&"alice@acme.test".parse()?)?;
    let backup = place.join("good");
    let output = run(&["backup"], &backup, Some(node.data()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    node.stop()?;
    Ok((node, backup))
}

// [ADMIN-31]
#[test]
fn a_backup_that_is_not_what_it_should_be_is_refused_by_name() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (_node, good) = backed_up(place.path())?;
    for (what, name, code, spoil) in ROWS {
        let (spoilt, data) = (place.path().join("spoilt"), place.path().join("data"));
        copy_of(&good, &spoilt)?;
        spoil(&spoilt).context(*what)?;
        refused(what, &run(&["verify"], &spoilt, None)?, name, *code)?;
        refused(what, &run(&["restore"], &spoilt, Some(&data))?, name, *code)?;
        ensure!(!data.exists(), "{what}: a refused restore leaves nothing behind");
        fs::remove_dir_all(&spoilt)?;
    }
    refused("no backup", &run(&["verify"], &place.path().join("none"), None)?, "BackupMissing", 9)?;
    let good = run(&["verify", "--json"], &good, None)?;
    ensure!(good.status.success(), "the good one is good: {}", String::from_utf8_lossy(&good.stderr));
    Ok(())
}

// [ADMIN-32]
#[test]
fn a_restore_harms_nothing_that_is_there() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (node, backup) = backed_up(place.path())?;
    let config = fs::read(node.data().join("comity.toml"))?;
    refused("a domain", &run(&["restore"], &backup, Some(node.data()))?, "DirectoryNotEmpty", 10)?;
    assert_eq!(fs::read(node.data().join("comity.toml"))?, config);
    let data = place.path().join("data");
    fs::create_dir(&data)?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755))?;
    refused("an open directory", &run(&["restore"], &backup, Some(&data))?, "ReadableByOthers", 10)?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
    fs::write(data.join("diary"), "mine")?;
    refused("another's file", &run(&["restore"], &backup, Some(&data))?, "DirectoryNotEmpty", 10)?;
    assert_eq!(fs::read(data.join("diary"))?, b"mine");
    fs::remove_file(data.join("diary"))?;
    // What an interrupted restore has left is in nobody's way.
    fs::write(data.join("restore-unfinished"), "")?;
    fs::create_dir(data.join("keys"))?;
    fs::write(data.join("comity.db"), "half")?;
    // Only the domain that is meant.
    let verified: Value = serde_json::from_slice(&run(&["verify", "--json"], &backup, None)?.stdout)?;
    let root = verified["fingerprint"].as_str().context("a fingerprint")?.to_owned();
    let other = HEXLOWER.encode(&[7; 32]);
    let wrong = run(&["restore", "--fingerprint", &other], &backup, Some(&data))?;
    refused("another root key", &wrong, "WrongRootKey", 7)?;
    let output = run(&["restore", "--json", "--fingerprint", &root], &backup, Some(&data))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(told["fingerprint"].as_str(), Some(root.as_str()));
    let left: Vec<_> = fs::read_dir(&data)?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(!left.iter().any(|name| name == "restore-unfinished"), "{left:?}");
    for entry in fs::read_dir(data.join("keys"))?.chain(fs::read_dir(&data)?) {
        let entry = entry?;
        let mode = entry.metadata()?.permissions().mode() & 0o777;
        let expected = if entry.path().is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{:?}", entry.path());
    }
    Ok(())
}

#[test]
fn keys_sealed_in_a_backup_need_its_passphrase() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (node, _) = backed_up(place.path())?;
    let (sealed, data) = (place.path().join("sealed"), place.path().join("data"));
    for (name, text) in [("word", "correct horse battery"), ("wrong", "another one entirely")] {
        fs::write(place.path().join(name), text)?;
        fs::set_permissions(place.path().join(name), fs::Permissions::from_mode(0o600))?;
    }
    let word = place.path().join("word").display().to_string();
    let wrong = place.path().join("wrong").display().to_string();
    // Under a name that is none of a key's, one that lies open would go along as it is.
    let stray = node.data().join("keys/root-2025.key");
    fs::copy(node.data().join("keys/event.key"), &stray)?;
    let output = run(&["backup", "--passphrase-file", &word], &sealed, Some(node.data()))?;
    refused("a stray key", &output, "KeyUnknown", 10)?;
    ensure!(!sealed.exists(), "nothing is left behind");
    fs::remove_file(stray)?;
    let output = run(&["backup", "--passphrase-file", &word], &sealed, Some(node.data()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for entry in fs::read_dir(sealed.join("keys"))? {
        ensure!(
            fs::read_to_string(entry?.path())?.starts_with("comity-sealed-key-1 "),
            "every key is sealed"
        );
    }
    ensure!(run(&["verify"], &sealed, None)?.status.success(), "to verify takes no passphrase");
    refused("nobody to ask", &run(&["restore"], &sealed, Some(&data))?, "PassphraseNeeded", 2)?;
    let output = run(&["restore", "--passphrase-file", &wrong], &sealed, Some(&data))?;
    refused("the wrong one", &output, "WrongPassphrase", 7)?;
    ensure!(!data.exists(), "nothing is left behind");
    let output = run(&["restore", "--passphrase-file", &word], &sealed, Some(&data))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for kind in ["tls", "binding", "event"] {
        let name = format!("keys/{kind}.key");
        assert_eq!(fs::read(data.join(&name))?, fs::read(node.data().join(&name))?);
    }
    Ok(())
}

#[test]
fn a_backup_that_is_made_can_be_restored_whatever_lies_beside_the_domain() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (node, _) = backed_up(place.path())?;
    let (backup, restored) = (place.path().join("next"), place.path().join("data"));
    fs::create_dir_all(node.data().join("media"))?;
    let strays = ["documents/README", "media/.nfs0001", "media/a/b/c/d/e", "media/it\u{1b}[2J"];
    fs::create_dir_all(node.data().join("media/a/b/c/d"))?;
    for stray in strays {
        fs::write(node.data().join(stray), "nobody's")?;
    }
    let key = node.data().join("keys/root.key.bak");
    fs::write(&key, "perhaps the only copy")?;
    refused("a stray key", &run(&["backup"], &backup, Some(node.data()))?, "KeyUnknown", 10)?;
    fs::remove_file(key)?;
    let made = run(&["backup", "--json"], &backup, Some(node.data()))?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told: Value = serde_json::from_slice(&made.stdout)?;
    assert_eq!(told["left_out"], json!(strays));
    ensure!(run(&["verify"], &backup, None)?.status.success(), "it is good");
    ensure!(run(&["restore"], &backup, Some(&restored))?.status.success(), "it can be restored");
    // What is too large to be what it should be is found now, not on the day of the disaster.
    let mut config = fs::read_to_string(node.data().join("comity.toml"))?;
    config.push_str(&format!("\n# {}\n", "x".repeat(1 << 20)));
    fs::write(node.data().join("comity.toml"), config)?;
    let large = run(&["backup"], &place.path().join("large"), Some(node.data()))?;
    refused("a large configuration", &large, "FileTooLarge", 10)
}

#[test]
fn a_backup_takes_no_place_that_is_taken() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (node, backup) = backed_up(place.path())?;
    let before = manifest(&backup)?;
    refused("an existing backup", &run(&["backup"], &backup, Some(node.data()))?, "BackupExists", 10)?;
    assert_eq!(manifest(&backup)?, before);
    let next = place.path().join("next");
    fs::create_dir(place.path().join("next.partial"))?;
    refused("an unfinished one", &run(&["backup"], &next, Some(node.data()))?, "BackupUnfinished", 10)?;
    refused("no name", &run(&["backup"], Path::new("/"), Some(node.data()))?, "BackupExists", 10)?;
    let nowhere = place.path().join("no/such/place");
    let output = run(&["backup"], &nowhere, Some(node.data()))?;
    ensure!(output.status.success(), "parents are made: {}", String::from_utf8_lossy(&output.stderr));
    let fresh = Node::init("umbrella.test")?;
    refused("never run", &run(&["backup"], &next, Some(fresh.data()))?, "NothingToBackUp", 10)
}
