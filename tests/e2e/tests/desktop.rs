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

#[test]
fn a_file_that_is_dragged_onto_the_terminal_is_sent() -> Result<()> {
    if !has_terminal() {
        return Ok(());
    }
    let office = Office::open(&["alice"], &["bob"])?;
    meet(&office)?;
    let alice = office.sit_down("alice", 80, 24, "")?;
    let place = tempfile::Builder::new().prefix("comity-drag-").tempdir()?;
    let taken = tempfile::tempdir()?;
    let there = format!("env -C '{}'", taken.path().display());
    let bob = office.sit_down_in("bob", (80, 24), &there, "")?;
    go_to(&alice, "bob@umbrella.test")?;
    go_to(&bob, "alice@acme.test")?;
    let plan = place.path().join("my plan.txt");
    std::fs::write(&plan, "to be kept")?;

    alice.write("see ")?;
    alice.paste(&format!("file://{}\r\n", plan.display().to_string().replace(' ', "%20")))?;
    alice.wait_for("Send this file to ")?;
    alice.press(&["Escape"])?;
    alice.wait_until("the text stays", |screen| {
        !screen.contains("Send this file to ") && screen.contains("my%20plan.txt")
    })?;
    alice.press(&["C-c"])?;
    alice.wait_for("write; Enter sends")?;
    alice.paste(&format!("'{}' ", plan.display()))?;
    alice.wait_for("Send this file to ")?;
    alice.press(&["C-y"])?;
    bob.wait_for("my plan.txt")?;
    // Bob takes it without leaving the screen.
    bob.press(&["Escape"])?;
    bob.wait_for("s save it")?;
    bob.write("s")?;
    bob.wait_for("saved: ")?;
    ensure!(std::fs::read(taken.path().join("my plan.txt"))? == b"to be kept", "it is where he was");
    bob.press(&["Escape"])?;

    // A path of nothing is text.
    alice.paste(&place.path().join("none.txt").display().to_string())?;
    alice.wait_for("none.txt")?;
    alice.press(&["Enter"])?;
    bob.wait_for("none.txt")?;
    Ok(())
}

#[test]
fn the_colours_are_those_of_the_settings_and_none_without_colour() -> Result<()> {
    if !has_terminal() {
        return Ok(());
    }
    let office = Office::open(&["alice"], &["bob"])?;
    let look = |variables: &str, options: &str| -> Result<String> {
        let terminal = office.sit_down_in("alice", (80, 24), variables, options)?;
        let coloured = terminal.coloured()?;
        terminal.press(&["C-q"])?;
        terminal.wait_for("ready>")?;
        Ok(coloured)
    };
    // The settings are beside the devices of this person.
    let set = |theme: &str| office.comity("alice", &["config", "set", "tui.theme", theme]);
    let dark = look("", "")?;
    set("light")?;
    let light = look("", "")?;
    ensure!(light != dark, "light is as dark: {light:?}");
    ensure!(look("COMITY_THEME=dark", "")? == dark, "a variable goes before the file");
    ensure!(look("", "--theme dark")? == dark, "an option goes before the file");
    let none = look("NO_COLOR=1", "")?;
    ensure!(has_colour(&dark) && !has_colour(&none), "{none:?}");
    ensure!(office.comity("alice", &["config", "set", "tui.theme", "pink"]).is_err());
    Ok(())
}

/// Whether any letter is coloured, or has a coloured ground.
fn has_colour(screen: &str) -> bool {
    let sequences = screen.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m'));
    let mut numbers = sequences.flat_map(|(numbers, _)| numbers.split(';'));
    let colour = |number: u32| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107);
    numbers.any(|number| number.parse().is_ok_and(colour))
}
