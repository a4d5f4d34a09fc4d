//! What administrators get wrong at the node's own program: each is told what it means, and as whom or
//! with what to go on.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use kit::Node;

/// Nobody, on every machine.
const NOBODY: u32 = 65_534;
/// A user of the system that Debian has had since ever.
const DAEMON: u32 = 1;

/// Arguments, exit code, what must be said.
type Row<'a> = (&'a [&'a str], i32, &'a [&'a str]);

fn comityd(args: &[&str], as_user: Option<u32>) -> Result<Output> {
    let mut command = Command::new(kit::comityd()?);
    command.args(args).env_remove("COMITY_DATA").env("COMITY_NO_PROMPT", "1").stdin(Stdio::null());
    if let Some(uid) = as_user {
        command.uid(uid).gid(uid).current_dir("/");
    }
    Ok(command.output()?)
}

fn refuses(rows: &[Row<'_>], as_user: Option<u32>) -> Result<()> {
    for (args, exit, says) in rows {
        let output = comityd(args, as_user)?;
        let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(*exit), "{args:?}: {}: {told}", output.status);
        for part in *says {
            ensure!(told.contains(part), "{args:?} should say {part:?}: {told}");
        }
        ensure!(!told.contains("Malformed"), "{args:?} says nothing to a person: {told}");
    }
    Ok(())
}

#[test]
fn what_is_typed_wrongly_is_told_with_an_example_of_what_is_right() -> Result<()> {
    let place = tempfile::tempdir()?;
    let empty = place.path().to_str().context("text")?;
    let nowhere = format!("{empty}/nowhere");
    refuses(
        &[
            (&["init", "acme", "--data", &nowhere], 2, &["a DNS name such as acme.example"]),
            (&["init", "acme.example:4433", "--data", &nowhere], 2, &["a DNS name such as acme.example"]),
            (
                &["init", "acme.example", "--endpoint", "chat", "--data", &nowhere],
                2,
                &["HOST:PORT", "chat.acme.example:4433"],
            ),
            (&["renew", "--endpoint", "chat", "--data", empty], 2, &["chat.acme.example:4433"]),
            (&["check", "--data", &nowhere], 7, &["there is no directory", "comityd init DOMAIN"]),
            (&["run", "--data", empty], 10, &["holds no domain", "comityd init DOMAIN"]),
            (&["key", "list", "--data", empty], 10, &["holds no domain"]),
        ],
        None,
    )?;
    ensure!(!Path::new(&nowhere).exists(), "nothing was made");
    Ok(())
}

#[test]
fn another_user_is_told_whose_the_node_is_and_not_that_there_is_none() -> Result<()> {
    let node = Node::init("acme.test")?;
    let place = node.data();
    // Only root can be somebody else.
    if chown(place, Some(DAEMON), Some(DAEMON)).is_err() {
        kit::skipped("only root can be another user");
        return Ok(());
    }
    if let Err(error) = comityd(&["--version"], Some(NOBODY)) {
        kit::skipped(&format!("another user cannot start the program from where it is: {error:#}"));
        return Ok(());
    }
    // The way to it is open, it is not.
    for folder in place.ancestors().skip(1).filter(|folder| folder.starts_with(std::env::temp_dir())) {
        if folder != std::env::temp_dir() {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
    }
    let data = place.to_str().context("text")?;
    let denied = ["permission denied", "belongs to", "sudo -u", "comityd"];
    refuses(
        &[
            (&["check", "--data", data], 9, &denied),
            (&["doctor", "--data", data], 9, &denied),
            (&["check", "--json", "--data", data], 9, &denied),
            (&["run", "--data", data], 10, &denied),
            (&["init", "acme.test", "--data", data], 10, &denied),
            (&["config", "show", "--data", data], 10, &denied),
            (&["key", "list", "--data", data], 10, &denied),
            (&["renew", "--data", data], 10, &denied),
            (&["backup", "/tmp/comity-nowhere", "--data", data], 10, &denied),
            (&["support-bundle", "/tmp/comity-nowhere.tar", "--data", data], 10, &denied),
        ],
        Some(NOBODY),
    )?;
    // Whoever owns it is served.
    let told = comityd(&["check", "--data", data], None)?;
    ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    Ok(())
}

#[test]
fn keys_of_two_passphrases_are_opened_by_two_and_by_no_more() -> Result<()> {
    let node = Node::init("acme.test")?;
    let data = node.data().to_str().context("text")?;
    let word = |name: &str, text: &str| -> Result<String> {
        let path = node.data().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(path.to_str().context("text")?.to_owned())
    };
    let (one, other) = (word("one", "tulips on thursday")?, word("other", "roses on friday")?);
    let run = |args: &[&str]| comityd(&[args, &["--data", data]].concat(), None);
    let sealed = run(&["key", "seal", "--passphrase-file", &one])?;
    ensure!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
    // One of them gets a passphrase of its own.
    let root = node.data().join("keys/root.key");
    let kept = fs::read(&root)?;
    let again = run(&["key", "seal", "--old-passphrase-file", &one, "--passphrase-file", &other])?;
    ensure!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    fs::write(&root, kept)?;

    let refused = run(&["key", "unseal", "--passphrase-file", &one])?;
    ensure!(refused.status.code() == Some(7), "{}", String::from_utf8_lossy(&refused.stderr));
    let states = String::from_utf8(run(&["key", "list"])?.stdout)?;
    ensure!(states.matches("sealed").count() == 3, "a part was opened: {states}");
    if !kit::has_terminal() {
        return Ok(());
    }
    let program = kit::comityd()?;
    let mut unseal = kit::Teletype::run(&program, &["key", "unseal", "--data", data], &[])?;
    unseal.wait_for("Passphrase of root, next-root, recovery: ")?;
    unseal.type_hidden("tulips on thursday")?;
    unseal.wait_for("Passphrase of next-root, recovery: ")?;
    unseal.type_hidden("roses on friday")?;
    let (status, printed) = unseal.end()?;
    ensure!(status.success(), "{printed}");
    let states = String::from_utf8(run(&["key", "list"])?.stdout)?;
    ensure!(!states.contains("sealed"), "{states}");
    Ok(())
}

#[test]
fn whoever_asks_for_json_hears_errors_in_json_too() -> Result<()> {
    let place = tempfile::tempdir()?;
    let path = place.path().to_str().context("text")?;
    let good = format!("{path}/good");
    ensure!(comityd(&["init", "acme.example", "--non-interactive", "--data", &good], None)?.status.success());
    let wrong = place.path().join("good/comity.toml");
    let text = fs::read_to_string(&wrong)?;
    fs::write(&wrong, format!("lisen = \"x\"\n{text}"))?;
    let missing = format!("{path}/missing");
    for (args, exit, name) in [
        (&["config", "show", "--data", &good][..], 2, "ConfigUnknownKey"),
        (&["verify", &missing], 9, "BackupMissing"),
        (&["key", "list", "--data", path], 10, "NoDomainHere"),
        (&["verify"], 2, "Usage"),
        (&["backup", "--surely"], 2, "Usage"),
    ] {
        let output = comityd(&[args, &["--json"]].concat(), None)?;
        ensure!(output.stdout.is_empty(), "{args:?} prints a result");
        let said: serde_json::Value = serde_json::from_slice(&output.stderr)
            .with_context(|| format!("{args:?} says {}", String::from_utf8_lossy(&output.stderr)))?;
        let error = &said["error"];
        ensure!(output.status.code() == Some(exit) && error["name"] == name, "{args:?}: {said}");
        ensure!(
            ["message", "hint"].iter().all(|part| error[part].as_str().is_some_and(|text| !text.is_empty()))
        );
    }
    Ok(())
}
