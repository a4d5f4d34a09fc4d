//! Key files, configuration and the directory itself: what a node refuses to start with, and the hint
//! that it gives.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use kit::{Node, comityd};

use crate::stage::unharmed;

/// A wrong directory: what is wrong, its name, the exit code, how to make it.
type Row = (&'static str, &'static str, i32, fn(&Path) -> Result<()>);

fn run(data: &Path) -> Result<Output> {
    let mut command = Command::new(comityd()?);
    command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    Ok(command.env_remove("COMITY_DATA").output()?)
}

fn edit(path: &Path, change: impl Fn(&str) -> String) -> Result<()> {
    let text = fs::read_to_string(path)?;
    Ok(fs::write(path, change(&text))?)
}

fn key(data: &Path, name: &str) -> std::path::PathBuf {
    data.join("keys").join(name)
}

const ROWS: &[Row] = &[
    ("a key that others can read", "ReadableByOthers", 10, |data| {
        Ok(fs::set_permissions(key(data, "tls.key"), fs::Permissions::from_mode(0o640))?)
    }),
    ("a directory that others can enter", "ReadableByOthers", 10, |data| {
        Ok(fs::set_permissions(data, fs::Permissions::from_mode(0o755))?)
    }),
    ("a directory of keys that others can enter", "ReadableByOthers", 10, |data| {
        Ok(fs::set_permissions(data.join("keys"), fs::Permissions::from_mode(0o711))?)
    }),
    ("a key of another kind", "WrongKeyKind", 10, |data| {
        fs::copy(key(data, "event.key"), key(data, "tls.key"))?;
        Ok(())
    }),
    ("a key of an unknown kind", "UnknownKeyKind", 10, |data| {
        edit(&key(data, "tls.key"), |text| text.replace(" tls\n", " quantum\n"))
    }),
    ("an empty key file", "NotAKeyFile", 10, |data| edit(&key(data, "tls.key"), |_| String::new())),
    ("a key file of noise", "NotAKeyFile", 10, |data| Ok(fs::write(key(data, "tls.key"), [0xff; 200])?)),
    ("a key file of 1 MiB", "NotAKeyFile", 10, |data| {
        edit(&key(data, "tls.key"), |_| "comity-key-1 tls\n".repeat(60_000))
    }),
    ("a line too many", "NotAKeyFile", 10, |data| {
        edit(&key(data, "tls.key"), |text| format!("{text}extra\n"))
    }),
    ("a damaged seed", "BadSeed", 10, |data| {
        edit(&key(data, "binding.key"), |text| text.replace("\nseed ", "\nseed 1"))
    }),
    ("a damaged public key", "BadPublicKey", 10, |data| {
        edit(&key(data, "binding.key"), |text| text.replace("public ", "public z"))
    }),
    ("a seed of another key", "KeyMismatch", 10, |data| {
        let other = fs::read_to_string(key(data, "event.key"))?;
        let seed = other.lines().last().unwrap_or_default().to_owned();
        edit(&key(data, "binding.key"), |text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.pop();
            format!("{}\n{seed}\n", lines.join("\n"))
        })
    }),
    ("no key", "FileUnusable", 10, |data| Ok(fs::remove_file(key(data, "event.key"))?)),
    ("a key that is a directory", "FileUnusable", 10, |data| {
        fs::remove_file(key(data, "event.key"))?;
        fs::create_dir(key(data, "event.key"))?;
        Ok(fs::set_permissions(key(data, "event.key"), fs::Permissions::from_mode(0o700))?)
    }),
    ("a key that the document does not list", "KeyNotListed", 7, |data| {
        let other = Node::init("acme.test")?;
        fs::copy(key(other.data(), "tls.key"), key(data, "tls.key"))?;
        Ok(())
    }),
    ("no document", "NoDocument", 10, |data| Ok(fs::remove_file(data.join("documents/1.signed"))?)),
    ("a document of noise", "DocumentDamaged", 7, |data| {
        Ok(fs::write(data.join("documents/1.signed"), [0xff; 100])?)
    }),
    ("a document with a bit flipped", "DocumentDamaged", 7, |data| {
        let path = data.join("documents/1.signed");
        let mut bytes = fs::read(&path)?;
        bytes[40] ^= 1;
        Ok(fs::write(path, bytes)?)
    }),
    ("a document that follows from nothing", "DocumentDamaged", 7, |data| {
        let other = Node::init("acme.test")?;
        fs::copy(other.data().join("documents/1.signed"), data.join("documents/2.signed"))?;
        Ok(())
    }),
    ("another domain in the configuration", "WrongDomain", 2, |data| {
        edit(&data.join("comity.toml"), |text| text.replace("acme.test", "umbrella.test"))
    }),
    ("an unknown key in the configuration", "ConfigUnknownKey", 2, |data| {
        edit(&data.join("comity.toml"), |text| text.replace("\nlisten =", "\nlisen ="))
    }),
    ("a configuration that is no TOML", "ConfigSyntax", 2, |data| {
        edit(&data.join("comity.toml"), |text| format!("{text}\n[["))
    }),
    ("no configuration", "NoDomainHere", 10, |data| Ok(fs::remove_file(data.join("comity.toml"))?)),
    ("a database that is none", "NotADatabase", 10, |data| {
        fs::write(data.join("comity.db"), [0x41; 8_192])?;
        Ok(fs::set_permissions(data.join("comity.db"), fs::Permissions::from_mode(0o600))?)
    }),
    ("a file from two days ahead", "ClockSkew", 1, |data| {
        let file = fs::File::options().write(true).open(data.join("comity.toml"))?;
        Ok(file.set_modified(SystemTime::now() + Duration::from_secs(2 * 86_400))?)
    }),
];

#[test]
fn a_directory_that_is_not_in_order_is_refused_with_the_next_step() -> Result<()> {
    for (what, name, code, spoil) in ROWS {
        let node = Node::init("acme.test")?;
        spoil(node.data()).context(*what)?;
        let output = run(node.data())?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(*code), "{what}: {stderr}");
        assert!(stderr.contains(&format!("[{name}]")), "{what}: {stderr}");
        assert!(stderr.contains("\nhint: "), "{what}: {stderr}");
        assert!(!stderr.contains("panicked"), "{what}: {stderr}");
        assert!(!shows_a_seed(node.data(), &stderr)?, "{what}: {stderr}");
    }
    Ok(())
}

/// Whether a text has in it what only the key files may have.
fn shows_a_seed(data: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(data.join("keys"))? {
        let Ok(key) = fs::read_to_string(entry?.path()) else { continue };
        let seed = key.lines().find_map(|line| line.strip_prefix("seed ")).unwrap_or("none");
        if seed.len() >= 16 && text.contains(&seed[..16]) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn check_finds_what_run_would_refuse() -> Result<()> {
    let check = |data: &Path| -> Result<Option<i32>> {
        Ok(Command::new(comityd()?).args(["check", "--data"]).arg(data).output()?.status.code())
    };
    let node = Node::init("acme.test")?;
    assert_eq!(check(node.data())?, Some(0));
    fs::copy(key(node.data(), "event.key"), key(node.data(), "tls.key"))?;
    assert_eq!(check(node.data())?, Some(7));
    fs::remove_file(key(node.data(), "tls.key"))?;
    assert_eq!(check(node.data())?, Some(9));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_a_directory_is_refused_and_harms_nothing() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    let pid = node.pid().context("a process")?;
    let output = run(node.data())?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{stderr}");
    assert!(stderr.contains(&format!("another comityd (pid {pid}) runs on")), "{stderr}");
    unharmed(&mut node).await?;
    assert!(node.data().join("admin.sock").exists());
    node.stop()
}

#[test]
fn a_domain_is_made_once() -> Result<()> {
    let node = Node::init("acme.test")?;
    let everything = |folder: &str| -> Result<Vec<(std::path::PathBuf, Vec<u8>)>> {
        let files = fs::read_dir(node.data().join(folder))?.flatten().map(|entry| entry.path());
        let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
        files.sort();
        files.into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect()
    };
    let before = (everything("")?, everything("keys")?, everything("documents")?);
    let output = node.comityd(&["init", "acme.test", "--json"])?;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(told["changed"], false);
    assert_eq!(told["fingerprint"], data_encoding::HEXLOWER.encode(node.fingerprint()));
    let output = node.comityd(&["init", "acme.test"])?;
    assert!(String::from_utf8_lossy(&output.stdout).contains("nothing is changed"));
    let output = node.comityd(&["init", "umbrella.test"])?;
    assert_eq!(output.status.code(), Some(10));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[DomainExists]"));
    assert_eq!((everything("")?, everything("keys")?, everything("documents")?), before);
    Ok(())
}

#[test]
fn the_command_line_is_checked() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let data = data.to_str().context("a path")?;
    for arguments in [
        &["init", "nodots", "--data", data][..],
        &["init", "acme.test"],
        &["init", "acme.test", "--data", data, "--listen", "127.0.0.1"],
        &["init", "acme.test", "--data", data, "--listen", "127.0.0.1:0"],
        &["init", "acme.test", "--data", data, "--endpoint", "no-port"],
        &["run", "--data", data, "--log-format", "xml"],
        &["frobnicate"],
        &[],
    ] {
        let output = Command::new(comityd()?).args(arguments).env_remove("COMITY_DATA").output()?;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(!Path::new(data).exists(), "a refused command leaves nothing behind");
    Ok(())
}
