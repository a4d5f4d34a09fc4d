//! Two people of two organisations chat on real terminals.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Command;

use anyhow::Result;
use e2e::{Office, meet};
use kit::{Terminal, has_terminal};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn two_people_chat_on_their_terminals() -> Result<()> {
    if !has_terminal() {
        return Ok(());
    }
    let mut office = Office::open(&["alice"], &["bob"])?;
    let alice = office.sit_down("alice", 80, 24, "")?;
    let bob = office.sit_down("bob", 100, 30, "--theme light")?;
    meet((&alice, "alice@acme.test"), (&bob, "bob@umbrella.test"))?;
    alice.write("hello bob")?;
    alice.press(&["M-Enter"])?;
    alice.write("how is the link?")?;
    alice.press(&["Enter"])?;
    bob.wait_until("both lines", |screen| {
        screen.contains("hello bob") && screen.contains("how is the link?")
    })?;
    alice.wait_for("read ✓✓✓")?;

    bob.write("fine, @alice")?;
    alice.wait_for("bob is typing…")?;
    bob.press(&["Enter"])?;
    alice.wait_until("the answer", |screen| {
        screen.contains("fine, @alice") && !screen.contains("is typing")
    })?;

    alice.press(&["Escape"])?;
    alice.wait_for("r answer")?;
    alice.write("+1")?;
    alice.press(&["Enter"])?;
    bob.wait_for("👍 1")?;
    bob.press(&["M-e"])?;
    bob.wait_for("changing your message")?;
    bob.write("!")?;
    bob.press(&["Enter"])?;
    alice.wait_for("fine, @alice! (edited)")?;
    alice.press(&["M-r"])?;
    alice.write("good")?;
    alice.press(&["Enter"])?;
    bob.wait_for("┌ you: fine, @alice!")?;
    bob.press(&["Escape"])?;
    bob.wait_for("r answer")?;
    bob.press(&["k"])?;
    bob.write("d")?;
    bob.wait_for("Take this message back")?;
    bob.write("y")?;
    alice.wait_for("(taken back)")?;

    offline(&mut office, &alice, &bob)?;
    harmless(&office, &alice)?;
    sizes(&alice)?;
    ends(&alice, &bob)
}

/// Without a node one goes on writing, sees what waits and why, and nothing is lost.
fn offline(office: &mut Office, alice: &Terminal, bob: &Terminal) -> Result<()> {
    office.acme.stop()?;
    alice.wait_for("○ offline")?;
    alice.write("written in the dark")?;
    alice.press(&["Enter"])?;
    alice
        .wait_until("what waits", |screen| screen.contains("1 queued here") && screen.contains("queued …"))?;
    office.acme.run()?;
    bob.wait_for("written in the dark")?;
    alice.wait_until("connected again", |screen| {
        screen.contains("● connected") && !screen.contains("queued here")
    })?;
    office.umbrella.stop()?;
    alice.write("while you are away")?;
    alice.press(&["Enter"])?;
    alice.wait_for("! umbrella.test")?;
    bob.wait_for("○ offline")?;
    office.umbrella.run()?;
    bob.wait_for("while you are away")?;
    alice.wait_until("nothing waits", |screen| !screen.contains("! umbrella.test"))?;
    Ok(())
}

// [NAME-7]
fn harmless(office: &Office, alice: &Terminal) -> Result<()> {
    let title = alice.fact("pane_title")?;
    let hostile = "\x1b]0;owned\x07\x1b[2J\x1b[1;1Hx\u{202e}y\rz";
    office.comity("bob", &["send", "alice@acme.test", hostile, "--wait", "ordered"])?;
    let screen = alice.wait_for("\\u{1b}]0;owned\\u{7}\\u{1b}[2J")?;
    assert!(screen.contains("● connected") && screen.contains("bob@umbrella.test"), "{screen}");
    assert_eq!(alice.fact("pane_title")?, title);
    Ok(())
}

fn sizes(alice: &Terminal) -> Result<()> {
    alice.press(&["C-f"])?;
    alice.write("DARK")?;
    alice.press(&["Enter"])?;
    alice.wait_for("1 found; Enter goes there")?;
    alice.press(&["Enter"])?;
    alice.wait_for("r answer")?;
    alice.press(&["Escape"])?;
    for (columns, rows) in [(40, 10), (200, 60), (20, 5), (80, 24)] {
        alice.resize(columns, rows)?;
        alice.wait_until("the new size", |screen| {
            let lines: Vec<&str> = screen.lines().collect();
            lines.len() == usize::from(rows) && lines.last().is_some_and(|line| line.contains("alice"))
        })?;
    }
    Ok(())
}

/// However it ends, the terminal is as it was.
fn ends(alice: &Terminal, bob: &Terminal) -> Result<()> {
    bob.press(&["C-q"])?;
    alice.write("unsent")?;
    alice.wait_for("› unsent")?;
    let shell = alice.fact("pane_pid")?;
    let program = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"))?;
    let program = Pid::from_raw(program.trim().parse()?).expect("a process");
    kill_process(program, Signal::TERM)?;
    for terminal in [alice, bob] {
        terminal.wait_for("ready>")?;
        assert_eq!(terminal.fact("alternate_on")?, "0");
        terminal.write("stty -a | grep -o ' icanon' | tr i I; echo $?")?;
        terminal.press(&["Enter"])?;
        let screen = terminal.wait_for("Icanon")?;
        assert!(!screen.contains("panicked"), "{screen}");
    }
    Ok(())
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let home = tempfile::tempdir().expect("a directory");
    let comity = kit::comity().expect("built");
    let run = |args: &[&str]| {
        let output =
            Command::new(&comity).args(args).env("COMITY_HOME", home.path()).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["tui"]);
    assert!(code == Some(2) && said.contains("needs a terminal"), "{said}");
    let (code, said) = run(&["tui", "--json"]);
    assert!(code == Some(2) && said.contains("comity watch --json"), "{said}");
}
