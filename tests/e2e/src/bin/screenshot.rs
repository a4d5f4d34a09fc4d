//! Plays a scene between two organisations on real terminals and writes what one of them shows as
//! `cli/tui/screenshot.svg`: `cargo xtask screenshot`.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::{Office, picture};
use kit::{Terminal, has_terminal};

const SIZE: (u16, u16) = (104, 28);

fn main() -> Result<()> {
    ensure!(has_terminal(), "a screenshot needs tmux");
    let office = Office::open(&["alice", "carol"], &["bob"])?;
    let alice = office.sit_down("alice", SIZE.0, SIZE.1, "")?;
    let bob = office.sit_down("bob", 80, 24, "")?;
    office.comity("alice", &["room", "create", "operations", "bob@umbrella.test", "carol@acme.test"])?;
    bob.wait_for("? ")?;
    bob.press(&["M-a"])?;
    bob.wait_for("invites you to a group")?;
    bob.press(&["C-y"])?;
    bob.wait_for("#operations")?;
    talk(&office, &alice, &bob)?;
    let captured = alice.coloured()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cli/tui/screenshot.svg");
    std::fs::write(&path, picture::svg(&captured, SIZE.0, "comity tui: a room of two organisations"))?;
    Ok(())
}

fn talk(office: &Office, alice: &Terminal, bob: &Terminal) -> Result<()> {
    let send = |name: &str, room: &str, text: &str| {
        office.comity(name, &["send", room, text, "--wait", "ordered"]).map(|_| ())
    };
    send("bob", "#operations", "Good morning! The new link is up since six.")?;
    send(
        "carol",
        "#operations",
        "Seen: 4,100 messages went over it, none was lost.\nI took the old one down.",
    )?;
    open(alice, "operations")?;
    alice.wait_for("I took the old one down.")?;
    alice.press(&["Escape"])?;
    alice.wait_for("r answer")?;
    alice.write("+4")?;
    alice.press(&["Enter"])?;
    alice.wait_for("🎉 1")?;
    say(alice, "Thank you both. Shall we tell the others?")?;
    open(bob, "operations")?;
    bob.wait_for("Shall we tell the others?")?;
    bob.press(&["M-r"])?;
    say(bob, "Yes, @alice: write it, I translate.")?;
    alice.wait_for("I translate.")?;
    say(alice, "Done in ten minutes.")?;
    send("bob", "alice@acme.test", "Do you have a moment?")?;
    send("carol", "alice@acme.test", "Lunch, @alice?")?;
    alice.wait_for("2 unread")?;
    office.comity("carol", &["read", "#operations"])?;
    alice.press(&["F2"])?;
    alice.wait_until("read by all", |screen| {
        screen.contains("read ✓✓✓") && screen.contains("3 people") && !screen.contains("queued here")
    })?;
    bob.write("and ")?;
    alice.wait_until("typing", |screen| screen.contains("bob is typing") && screen.contains("F1 help"))?;
    Ok(())
}

fn open(terminal: &Terminal, name: &str) -> Result<()> {
    terminal.press(&["C-k"])?;
    terminal.wait_for("Go to a room")?;
    terminal.write(name)?;
    terminal.press(&["Enter"])?;
    terminal.wait_until("the room", |screen| !screen.contains("Go to a room"))?;
    Ok(())
}

fn say(terminal: &Terminal, text: &str) -> Result<()> {
    terminal.write(text)?;
    terminal.press(&["Enter"])?;
    Ok(())
}
