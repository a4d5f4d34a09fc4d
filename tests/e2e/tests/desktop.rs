//! The terminal client on a desktop: who looks elsewhere is told there, files are dragged onto it, and
//! its colours are those that its reader has set.

use anyhow::{Result, ensure};
use e2e::Office;
use kit::{Notifications, Terminal, Told, has_terminal};

/// The direct room of alice and bob, in which both are.
fn meet(office: &Office) -> Result<()> {
    office.comity("alice", &["send", "bob@umbrella.test", "hello", "--wait", "ordered"])?;
    office.comity("bob", &["room", "accept", "alice@acme.test"])?;
    office.comity("bob", &["send", "alice@acme.test", "hello alice", "--wait", "ordered"])?;
    Ok(())
}

/// Opens the room with this name, or makes it.
fn go_to(terminal: &Terminal, room: &str) -> Result<()> {
    terminal.press(&["C-k"])?;
    terminal.write(room)?;
    terminal.press(&["Enter"])?;
    terminal.wait_for("write; Enter sends")?;
    Ok(())
}

// [NAME-7]
#[test]
fn the_desktop_is_told_what_may_disturb_and_nothing_foreign_as_markup() -> Result<()> {
    let (true, Some(desktop)) = (has_terminal(), Notifications::start()?) else { return Ok(()) };
    let office = Office::open(&["alice"], &["bob", "carol"])?;
    meet(&office)?;
    let variables = format!("DBUS_SESSION_BUS_ADDRESS='{}'", desktop.address());
    let alice = office.sit_down_in("alice", (80, 24), &variables, "--notify-text")?;
    go_to(&alice, "#elsewhere")?;

    let hostile = "<b>bold</b> & \u{1b}]0;owned\u{7} <a href=\"https://x\">x</a>";
    office.comity("bob", &["send", "alice@acme.test", hostile, "--wait", "ordered"])?;
    let Told { program, title, body } = desktop.next()?;
    ensure!(program == "Comity" && title == "bob@umbrella.test", "{program:?} {title:?}");
    ensure!(body.starts_with("&lt;b&gt;bold&lt;/b&gt; &amp; "), "{body:?}");
    ensure!(!body.contains(['<', '>']) && !body.chars().any(char::is_control), "{body:?}");

    // Nothing of a room that may not disturb comes: what comes next is the invitation of another.
    office.comity("alice", &["room", "notify", "bob@umbrella.test", "none"])?;
    alice.wait_for("∅")?;
    office.comity("bob", &["send", "alice@acme.test", "unheard", "--wait", "ordered"])?;
    office.comity("carol", &["send", "alice@acme.test", "hello", "--wait", "ordered"])?;
    let told = desktop.next()?;
    ensure!(told.title == "carol@umbrella.test invites you" && told.body.is_empty(), "{told:?}");
    Ok(())
}
