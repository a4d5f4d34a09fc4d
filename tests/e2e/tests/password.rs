//! A person logs in with the password that the administrator has set, and with nothing else, and then
//! chats like everybody: the programs as they are shipped, two domains.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use kit::{Node, comity as program};

const PASSWORD: &str = "correct horse battery staple";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs `comity` with this on stdin.
fn comity(home: &Path, args: &[&str], input: &str) -> Result<Output> {
    let mut command = Command::new(program()?);
    command.args(args).env("COMITY_HOME", home).env_remove("COMITY_DATA").env_remove("COMITY_AS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // One that refuses its arguments does not read.
    let _ = child.stdin.take().context("a pipe")?.write_all(input.as_bytes());
    Ok(child.wait_with_output()?)
}

/// The same, with the exit code that it must have; stdout.
fn says(home: &Path, args: &[&str], input: &str, exit: i32) -> Result<String> {
    let output = comity(home, args, input)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(exit), "{args:?}: {:?}: {stderr}", output.status);
    ensure!(!stderr.contains("horse"), "{args:?} tells the password: {stderr}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Logs in at this node with what is on stdin.
fn login(home: &Path, node: &Node, account: &str, input: &str, exit: i32) -> Result<String> {
    let (address, fingerprint) = (node.address().to_string(), hex(node.fingerprint()));
    let at = ["--node", &address, "--fingerprint", &fingerprint];
    says(home, &[&["login", account][..], &at, &["--password-file", "-"]].concat(), input, exit)
}

fn administer(node: &Node, home: &Path, args: &[&str], input: &str) -> Result<String> {
    let data = node.data().to_str().context("text")?.to_owned();
    says(home, &[args, &["--data", &data]].concat(), input, 0)
}

// [ID-30]
#[test]
fn a_person_with_a_password_logs_in_and_chats() -> Result<()> {
    let home = tempfile::tempdir()?;
    let home = home.path();
    let acme = Node::start("acme.test")?;
    let mut umbrella = Node::init("umbrella.test")?;
    umbrella.set_env("COMITY_CONTACT_POLICY", "open");
    umbrella.run()?;
    kit::pin_each_other(&acme, &umbrella)?;
    let file = home.join("password.txt");
    std::fs::write(&file, format!("{PASSWORD}\n"))?;
    let file = file.to_str().context("text")?;
    administer(&acme, home, &["user", "password", "alice@acme.test", "--password-file", file], "")?;
    administer(&umbrella, home, &["user", "password", "bob@umbrella.test"], PASSWORD)?;

    login(home, &acme, "alice@acme.test", "incorrect horse", 4)?;
    login(home, &acme, "nobody@acme.test", PASSWORD, 4)?;
    // Another domain's fingerprint: the password is not even sent.
    let address = acme.address().to_string();
    let elsewhere = hex(umbrella.fingerprint());
    let wrong = ["login", "alice@acme.test", "--node", &address, "--fingerprint", &elsewhere];
    says(home, &wrong, PASSWORD, 7)?;
    // As people do it: the domain's ticket stands on the intranet.
    let ticket = |node: &Node| administer(node, home, &["domain", "show", "--ticket"], "");
    let theirs = ticket(&umbrella)?;
    says(home, &["login", "alice@acme.test", "--ticket", theirs.trim()], PASSWORD, 2)?;
    let ours = ticket(&acme)?;
    let made = says(home, &["login", "alice@acme.test", "--ticket", ours.trim()], PASSWORD, 0)?;
    ensure!(made.contains("alice@acme.test"), "{made}");
    login(home, &umbrella, "bob@umbrella.test", &format!("{PASSWORD}\r\n"), 0)?;

    says(home, &["--as", "alice", "send", "bob@umbrella.test", "hello", "--wait", "ordered"], "", 0)?;
    let bob = read_until(home, "hello")?;
    ensure!(bob.contains("alice@acme.test"), "{bob}");

    // On another machine the right password is told that there is a device, and gets nothing.
    let thief = tempfile::tempdir()?;
    login(thief.path(), &acme, "alice@acme.test", PASSWORD, 6)?;
    login(thief.path(), &acme, "alice@acme.test", "incorrect horse", 4)?;
    let users = administer(&acme, home, &["user", "list", "--json=account,enrolled,devices,password"], "")?;
    let expected = r#"{"account":"alice@acme.test","devices":1,"enrolled":true,"password":true}"#;
    ensure!(users.trim() == expected, "{users}");
    nothing_tells_the_password(&acme)
}

/// Reads as bob until this was said.
fn read_until(home: &Path, text: &str) -> Result<String> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let read = says(home, &["--as", "bob", "read", "--json=sender,text"], "", 0)?;
        if read.contains(text) {
            return Ok(read);
        }
        ensure!(Instant::now() < end, "bob did not hear {text:?}");
    }
}

/// Neither the log nor any file of the node.
fn nothing_tells_the_password(node: &Node) -> Result<()> {
    ensure!(!node.log().iter().any(|line| line.contains("horse")), "{:#?}", node.log());
    ensure!(node.log().iter().any(|line| line.contains("a password has enrolled the account")));
    for entry in std::fs::read_dir(node.data())? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let told = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
            ensure!(!told, "{} holds the password", path.display());
        }
    }
    Ok(())
}

#[test]
fn passwords_are_turned_off_and_on_while_the_node_runs() -> Result<()> {
    let home = tempfile::tempdir()?;
    let home = home.path();
    let mut node = Node::init("acme.test")?;
    let path = node.data().join("comity.toml");
    let config =
        |auth: &str| format!("domain = \"acme.test\"\nlisten = \"{}\"\n[auth]\n{auth}\n", node.address());
    let (on, off) = (config("password = \"on\"\nmemory_kib = \"20480\""), config("password = \"off\""));
    std::fs::write(&path, &on)?;
    node.run()?;
    administer(&node, home, &["user", "password", "alice@acme.test"], PASSWORD)?;
    std::fs::write(&path, off)?;
    node.reload("the configuration was read again")?;
    login(home, &node, "alice@acme.test", PASSWORD, 5)?;
    std::fs::write(&path, on)?;
    node.reload("the configuration was read again")?;
    login(home, &node, "alice@acme.test", PASSWORD, 0)?;
    Ok(())
}
