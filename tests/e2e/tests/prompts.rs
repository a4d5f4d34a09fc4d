//! What the programs ask on a terminal: every answer is typed, what is secret is not shown, and Ctrl-C
//! leaves the terminal as it was.

use std::{fs, os::unix::process::ExitStatusExt as _, path::Path, process::ExitStatus};

use anyhow::{Context as _, Result, ensure};
use kit::{Node, Teletype, pin};
use tempfile::TempDir;

const WORDS: &str = "four words nobody guesses";

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path of text")
}

/// SIGINT, or the exit code that says so.
fn is_interrupted(status: ExitStatus) -> bool {
    status.signal() == Some(2) || status.code() == Some(130)
}

/// A node, and the home of people who use `comity` on a terminal.
struct Desk {
    node: Node,
    home: TempDir,
}

impl Desk {
    fn new() -> Result<Self> {
        Ok(Self { node: Node::start("acme.test")?, home: tempfile::tempdir()? })
    }

    fn comity(&self, args: &[&str]) -> Result<Teletype> {
        Teletype::run(&kit::comity()?, args, &[("COMITY_HOME", self.home.path())])
    }

    /// As the administrator of the node.
    fn administer(&self, args: &[&str]) -> Result<Teletype> {
        self.comity(&[args, &["--data", text(self.node.data())?]].concat())
    }

    fn invitation(&self, account: &str) -> Result<String> {
        let mut invite = self.administer(&["user", "invite", account, "--json"])?;
        invite.wait_for("}")?;
        let (_, printed) = invite.end()?;
        let object: serde_json::Value =
            serde_json::from_str(printed.lines().find(|line| line.starts_with('{')).context("an object")?)?;
        Ok(object["invitation"].as_str().context("a ticket")?.to_owned())
    }

    /// Logs in with a passphrase.
    fn log_in(&self, account: &str) -> Result<()> {
        let invitation = self.invitation(account)?;
        let mut login = self.comity(&["login", account])?;
        login.wait_for("Invitation (it is not shown): ")?;
        login.type_hidden(&invitation)?;
        login.wait_for("Passphrase for this device")?;
        login.wait_for(": ")?;
        login.type_hidden(WORDS)?;
        login.wait_for("Once more: ")?;
        login.type_hidden(WORDS)?;
        login.wait_for("is protected by a passphrase")?;
        let (status, printed) = login.end()?;
        ensure!(status.success(), "{status}: {printed}");
        ensure!(!printed.contains(&invitation) && !printed.contains("four words"), "a secret is shown");
        Ok(())
    }
}

#[test]
fn a_domain_is_made_by_answering() -> Result<()> {
    let home = tempfile::tempdir()?;
    let data = home.path().join("acme");
    let begin = || Teletype::run(&kit::comityd()?, &["init", "--data", text(&data)?], &[]);

    let mut init = begin()?;
    init.wait_for("The domain, a DNS name")?;
    init.interrupt()?;
    ensure!(is_interrupted(init.end()?.0) && !data.exists(), "Ctrl-C at the first question");

    let mut init = begin()?;
    init.wait_for("The domain, a DNS name")?;
    init.type_line("no domain!")?;
    init.wait_for("That cannot be used.")?;
    init.wait_for("The domain, a DNS name")?;
    init.type_line("acme.test")?;
    init.wait_for("[acme.test:4433]: ")?;
    init.type_line("")?;
    init.wait_for("(yes or no) [no]: ")?;
    init.type_line("perhaps")?;
    init.wait_for("That cannot be used.")?;
    init.wait_for("(yes or no) [no]: ")?;
    init.type_line("yes")?;
    init.wait_for("New passphrase of the root keys: ")?;
    init.interrupt()?;
    ensure!(is_interrupted(init.end()?.0) && !data.exists(), "Ctrl-C at the passphrase");

    for (first, again, refused) in [("short", "short", "at least 10"), (WORDS, "other words", "differ")] {
        let mut init = begin()?;
        answer(&mut init, "yes")?;
        type_twice(&mut init, first, again)?;
        init.wait_for(refused)?;
        ensure!(!init.end()?.0.success() && !data.exists(), "{refused}");
    }

    let mut init = begin()?;
    answer(&mut init, "yes")?;
    type_twice(&mut init, WORDS, WORDS)?;
    let (status, printed) = init.end()?;
    ensure!(status.success() && !printed.contains("four words"), "{status}: {printed}");
    let root = fs::read_to_string(data.join("keys/root.key"))?;
    ensure!(root.contains("sealed"), "the root key is not sealed");

    // What was sealed opens by the right passphrase only.
    for (typed, opens) in [("other words nobody guesses", false), (WORDS, true)] {
        let mut unseal = Teletype::run(&kit::comityd()?, &["key", "unseal", "--data", text(&data)?], &[])?;
        unseal.wait_for("Passphrase of root, next-root, recovery: ")?;
        unseal.type_hidden(typed)?;
        // It is asked for once, though each key is sealed by itself.
        let (status, printed) = unseal.end()?;
        ensure!(status.success() == opens, "{typed:?}: {status}: {printed}");
    }
    Ok(())
}

/// Answers what `comityd init` asks first.
fn answer(init: &mut Teletype, protect: &str) -> Result<()> {
    init.wait_for("The domain, a DNS name")?;
    init.type_line("acme.test")?;
    init.wait_for("[acme.test:4433]: ")?;
    init.type_line("")?;
    init.wait_for("(yes or no) [no]: ")?;
    init.type_line(protect)
}

fn type_twice(init: &mut Teletype, first: &str, again: &str) -> Result<()> {
    init.wait_for("New passphrase of the root keys: ")?;
    init.type_hidden(first)?;
    init.wait_for("The same again: ")?;
    init.type_hidden(again)
}

#[test]
fn an_invitation_and_a_passphrase_are_typed_unseen() -> Result<()> {
    let desk = Desk::new()?;
    let mut login = desk.comity(&["login", "alice@acme.test"])?;
    login.wait_for("Invitation (it is not shown): ")?;
    login.interrupt()?;
    let (status, printed) = login.end()?;
    ensure!(is_interrupted(status), "{status}: {printed}");
    let mut login = desk.comity(&["login", "alice@acme.test"])?;
    login.wait_for("Invitation (it is not shown): ")?;
    login.type_hidden("no invitation")?;
    ensure!(login.end()?.0.code() == Some(2), "what is no invitation");
    desk.log_in("alice@acme.test")
}

#[test]
fn a_locked_device_asks_again_when_the_passphrase_was_mistyped() -> Result<()> {
    let desk = Desk::new()?;
    desk.log_in("alice@acme.test")?;

    let mut status = desk.comity(&["status"])?;
    status.wait_for("Passphrase: ")?;
    status.type_hidden("four words anybody guesses")?;
    status.wait_for("that is not the passphrase of this device")?;
    status.wait_for("Passphrase: ")?;
    status.type_hidden(WORDS)?;
    let (ended, printed) = status.end()?;
    ensure!(ended.success() && !printed.contains("four words"), "{ended}: {printed}");

    let mut status = desk.comity(&["status"])?;
    for _ in 0..3 {
        status.wait_for("Passphrase: ")?;
        status.type_hidden("four words anybody guesses")?;
    }
    ensure!(status.end()?.0.code() == Some(4), "three times wrong");

    let mut status = desk.comity(&["status"])?;
    status.wait_for("Passphrase: ")?;
    status.interrupt()?;
    ensure!(is_interrupted(status.end()?.0), "Ctrl-C at the passphrase");

    let new = "other words nobody guesses";
    for (again, done) in [("what was it again", false), (new, true)] {
        let mut protect = desk.comity(&["account", "protect", "passphrase"])?;
        protect.wait_for("Passphrase: ")?;
        protect.type_hidden(WORDS)?;
        protect.wait_for("New passphrase: ")?;
        protect.type_hidden(new)?;
        protect.wait_for("Once more: ")?;
        protect.type_hidden(again)?;
        let (ended, printed) = protect.end()?;
        ensure!(ended.success() == done, "{again:?}: {ended}: {printed}");
        ensure!(!printed.contains("nobody"), "a passphrase is shown: {printed}");
    }
    let mut status = desk.comity(&["status"])?;
    status.wait_for("Passphrase: ")?;
    status.type_hidden(new)?;
    ensure!(status.end()?.0.success(), "the new passphrase");
    Ok(())
}

#[test]
fn nothing_is_forgotten_without_a_yes() -> Result<()> {
    let desk = Desk::new()?;
    let umbrella = "umbrella.test".parse()?;
    for (answer, forgotten) in [("y", true), ("YES", true), ("n", false), ("", false), ("yeah", false)] {
        pin(&desk.node, &umbrella, desk.node.address(), &[7; 32])?;
        let mut remove = desk.administer(&["peer", "remove", "umbrella.test"])?;
        remove.wait_for("[y/N] ")?;
        ensure!(remove.echoes()?, "an answer is shown");
        remove.type_line(answer)?;
        let (status, printed) = remove.end()?;
        ensure!(status.success() == forgotten, "{answer:?}: {status}: {printed}");
        ensure!(forgotten || printed.contains("nothing was done"), "{answer:?}: {printed}");
        let (shown, printed) = desk.administer(&["peer", "show", "umbrella.test"])?.end()?;
        ensure!(shown.success() != forgotten, "{answer:?}: {printed}");
    }
    let mut remove = desk.administer(&["peer", "remove", "umbrella.test"])?;
    remove.wait_for("[y/N] ")?;
    remove.interrupt()?;
    let (status, printed) = remove.end()?;
    ensure!(is_interrupted(status), "{status}: {printed}");
    ensure!(desk.administer(&["peer", "show", "umbrella.test"])?.end()?.0.success(), "Ctrl-C is no yes");
    Ok(())
}

#[test]
fn a_question_in_the_midst_of_a_verb_can_be_interrupted() -> Result<()> {
    let desk = Desk::new()?;
    desk.log_in("alice@acme.test")?;
    let device = desk.home.path().join("alice@acme.test");
    for answer in [Some("no"), None, Some("yes")] {
        let mut logout = desk.comity(&["account", "logout"])?;
        logout.wait_for("[y/N] ")?;
        match answer {
            Some(answer) => logout.type_line(answer)?,
            None => logout.interrupt()?,
        }
        let (status, printed) = logout.end()?;
        let (done, interrupted) = (answer == Some("yes"), answer.is_none());
        ensure!(status.success() == done, "{answer:?}: {status}: {printed}");
        ensure!(is_interrupted(status) == interrupted, "{answer:?}: {status}: {printed}");
        ensure!(device.exists() != done, "{answer:?}");
    }
    Ok(())
}
