//! What an administrator does with `comityd` besides serving: keys that are kept elsewhere, findings and
//! what to do about them, and a bundle for whoever helps.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context as _, Result, ensure};
use kit::{Node, pin, pin_each_other};
use serde_json::Value;

fn private(path: &Path, text: &str) -> Result<String> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(path.to_str().context("a path")?.to_owned())
}

fn lines(output: &Output) -> Result<Vec<Value>> {
    let text = String::from_utf8(output.stdout.clone())?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn ended(what: &str, output: &Output, code: i32) -> Result<()> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(code), "{what}: {:?}: {stderr}", output.status.code());
    Ok(())
}

fn failed(what: &str, output: &Output, name: &str, code: i32) -> Result<()> {
    ended(what, output, code)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(stderr.contains(&format!("[{name}]")) && stderr.contains("hint: "), "{what}: {stderr}");
    Ok(())
}

/// The names of the findings of one part.
fn found(findings: &[Value], part: &str) -> Vec<String> {
    let of_part = findings.iter().filter(|finding| finding["part"] == part);
    of_part.map(|finding| finding["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_root_keys_are_sealed_taken_away_and_used_from_where_they_are() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut node = Node::init("acme.test")?;
    let word = private(&place.path().join("word"), "correct horse battery\n")?;
    let other = private(&place.path().join("other"), "another one entirely\n")?;
    let short = private(&place.path().join("short"), "short\n")?;
    let seal = |arguments: &[&str]| node.comityd(&[&["key", "seal"], arguments].concat());
    failed("a short one", &seal(&["--passphrase-file", &short])?, "PassphraseTooShort", 2)?;
    failed("nobody to ask", &seal(&[])?, "PassphraseNeeded", 2)?;
    let before = fs::read_to_string(node.data().join("keys/root.key"))?;
    let seed = before.lines().last().context("a seed")?.to_owned();
    ended("seal", &seal(&["--passphrase-file", &word, "--json"])?, 0)?;
    for kind in ["root", "next-root", "recovery"] {
        let text = fs::read_to_string(node.data().join(format!("keys/{kind}.key")))?;
        ensure!(text.starts_with("comity-sealed-key-1 ") && !text.contains(&seed), "{text}");
    }
    failed(
        "the wrong old one",
        &seal(&["--passphrase-file", &other, "--old-passphrase-file", &other])?,
        "WrongPassphrase",
        7,
    )?;
    ended("another", &seal(&["--passphrase-file", &other, "--old-passphrase-file", &word])?, 0)?;
    node.run()?;
    node.stop()?;
    failed("sealed", &node.comityd(&["renew"])?, "PassphraseNeeded", 2)?;
    failed("wrong", &node.comityd(&["renew", "--passphrase-file", &word])?, "WrongPassphrase", 7)?;
    ended("right", &node.comityd(&["renew", "--passphrase-file", &other])?, 0)?;
    let safe = place.path().join("safe");
    let to = safe.to_str().context("a path")?;
    ended("export", &node.comityd(&["key", "export", to, "--remove", "--json"])?, 0)?;
    ensure!(!node.data().join("keys/root.key").exists() && safe.join("recovery.key").exists(), "moved");
    let listed = lines(&node.comityd(&["key", "list", "--json"])?)?;
    let states: Vec<&str> = listed.iter().filter_map(|key| key["state"].as_str()).collect();
    assert_eq!(states, ["elsewhere", "elsewhere", "elsewhere", "open", "open", "open"]);
    failed("gone", &node.comityd(&["renew"])?, "KeyElsewhere", 10)?;
    let root = safe.join("root.key");
    let from = ["renew", "--root-key", root.to_str().context("a path")?, "--passphrase-file", &other];
    ended("from where it is", &node.comityd(&from)?, 0)?;
    ensure!(node.data().join("documents/3.signed").exists(), "two were issued");
    node.run()?;
    node.stop()
}

#[test]
fn a_new_domain_is_made_of_an_answers_file() -> Result<()> {
    let place = tempfile::tempdir()?;
    let data = place.path().join("data");
    let word = private(&place.path().join("word"), "correct horse battery")?;
    let answers = place.path().join("answers.toml");
    fs::write(
        &answers,
        format!(
            "domain = \"acme.test\"\nendpoints = [\"chat.acme.test:4433\"]\npassphrase_file = {word:?}\n"
        ),
    )?;
    let mut command = std::process::Command::new(kit::comityd()?);
    command.arg("init").arg("--answers").arg(&answers).arg("--data").arg(&data).arg("--json");
    let output = command.env_remove("COMITY_DATA").output()?;
    ended("init", &output, 0)?;
    let told: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        (&told["domain"], &told["sealed"], &told["changed"]),
        (&"acme.test".into(), &true.into(), &true.into())
    );
    assert_eq!(told["dns"][0], "_comity._udp.acme.test. 3600 IN SRV 10 0 4433 chat.acme.test.");
    let txt = format!(
        "_comity.acme.test. 3600 IN TXT \"v=1; root={}\"",
        told["fingerprint"].as_str().unwrap_or_default()
    );
    assert_eq!(told["dns"][1], txt.as_str());
    ensure!(
        fs::read_to_string(data.join("keys/next-root.key"))?.starts_with("comity-sealed-key-1 "),
        "sealed"
    );
    ensure!(fs::read_to_string(data.join("keys/tls.key"))?.starts_with("comity-key-1 "), "the node needs it");
    Ok(())
}

#[test]
fn doctor_says_of_each_finding_what_to_do() -> Result<()> {
    let (mut acme, mut umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
    pin_each_other(&acme, &umbrella)?;
    let doctor = |node: &Node| node.comityd(&["doctor", "--json"]);
    let output = doctor(&acme)?;
    ended("well", &output, 0)?;
    let findings = lines(&output)?;
    ensure!(found(&findings, "peers") == [""], "{findings:?}");
    ensure!(found(&findings, "keys").contains(&"RootKeysOpen".to_owned()), "{findings:?}");
    // Whoever answers there has other keys than the pin says.
    pin(&acme, &"third.test".parse()?, umbrella.address(), &[7; 32])?;
    let output = doctor(&acme)?;
    let findings = lines(&output)?;
    let third = findings
        .iter()
        .find(|finding| finding["what"].as_str().is_some_and(|what| what.contains("third.test")));
    let third = third.context("the third domain is found")?;
    ensure!(third["name"] == "PeerHeld" || third["name"] == "PeerUnreachable", "{third}");
    ensure!(third["next"].as_str().is_some_and(|next| !next.is_empty()), "{third}");
    umbrella.stop()?;
    let findings = lines(&doctor(&acme)?)?;
    ensure!(found(&findings, "peers").contains(&"PeerUnreachable".to_owned()), "{findings:?}");
    acme.stop()?;
    failed("no node", &acme.comityd(&["doctor"])?, "NodeNotRunning", 9)?;
    ended("check needs none", &acme.comityd(&["check", "--json"])?, 0)?;
    fs::set_permissions(acme.data().join("keys/tls.key"), fs::Permissions::from_mode(0o644))?;
    fs::set_permissions(acme.data().join("comity.toml"), fs::Permissions::from_mode(0o644))?;
    fs::remove_file(acme.data().join("documents/1.signed"))?;
    let output = acme.comityd(&["check", "--json"])?;
    ended("three faults", &output, 7)?;
    let findings = lines(&output)?;
    assert_eq!(found(&findings, "files"), ["ReadableByOthers", "ReadableByOthers"], "{findings:?}");
    assert_eq!(found(&findings, "documents"), ["NoDocument"], "all faults are found at once: {findings:?}");
    Ok(())
}

/// Every secret of a node that runs, as it might be written.
fn secrets(node: &Node, code: [u8; 16]) -> Result<Vec<Vec<u8>>> {
    let mut secrets = vec![code.to_vec(), "canary-person".into(), "canary-passphrase".into()];
    for entry in fs::read_dir(node.data().join("keys"))? {
        let text = fs::read_to_string(entry?.path())?;
        let last = text.lines().last().context("a line")?.rsplit(' ').next().context("a word")?.to_owned();
        let bytes = data_encoding::BASE32_NOPAD.decode(last.to_ascii_uppercase().as_bytes())?;
        secrets.push(data_encoding::HEXLOWER.encode(&bytes).into());
        secrets.extend([last.into_bytes(), bytes]);
    }
    let code_text = data_encoding::BASE32_NOPAD.encode(&code).to_ascii_lowercase();
    secrets.extend([code_text.into_bytes(), data_encoding::HEXLOWER.encode(&code).into_bytes()]);
    Ok(secrets)
}

// [ADMIN-33]
#[test]
fn no_secret_and_nobody_is_in_a_support_bundle() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut node = Node::init("acme.test")?;
    let word = private(&place.path().join("word"), "canary-passphrase and more")?;
    ended("seal", &node.comityd(&["key", "seal", "--passphrase-file", &word])?, 0)?;
    let config = node.data().join("comity.toml");
    let text = fs::read_to_string(&config)?;
    fs::write(
        &config,
        text.replace("#root_passphrase = \"\"", "root_passphrase = \"canary-passphrase and more\""),
    )?;
    let health = kit::free_address()?;
    node.set_env("COMITY_HEALTH_LISTEN", &health.to_string());
    node.run()?;
    let code = node.invite(&"canary-person@acme.test".parse()?)?;
    let bundle: PathBuf = place.path().join("bundle.tar");
    let to = bundle.to_str().context("a path")?;
    ended("bundle", &node.comityd(&["support-bundle", to, "--json"])?, 0)?;
    assert_eq!(fs::metadata(&bundle)?.permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&bundle)?;
    for secret in secrets(&node, code)? {
        let there = bytes.windows(secret.len()).any(|window| window == secret.as_slice());
        ensure!(!there, "{:?} is in the bundle", String::from_utf8_lossy(&secret));
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for part in [
        "comity-support/about.txt",
        "acme.test",
        "(secret)",
        "\"accounts\": 1",
        "keys/root.key",
        "schema_found",
    ] {
        ensure!(holds(part), "{part} is missing");
    }
    failed("again", &node.comityd(&["support-bundle", to])?, "BundleExists", 10)?;
    node.stop()?;
    let without = place.path().join("without.tar");
    let without = without.to_str().context("a path")?;
    ended("without a node", &node.comityd(&["support-bundle", without])?, 0)
}
