//! Saying that something was not tested here, so that nobody takes it for tested.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Says why the running test, or a part of it, is skipped. It goes past what keeps the output of tests
/// that pass, so that `cargo ci` can count it.
pub fn skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Who has closed the output does not read it.
    let _ = writeln!(std::io::stdout().lock(), "skipped: {test}: {reason}");
}

/// Whether a program that a test needs is here; says that the test is skipped if not.
#[must_use]
pub fn has_program(name: &str) -> bool {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_here = command.spawn().and_then(|mut child| child.wait()).is_ok();
    if !is_here {
        skipped(&format!("there is no {name} here (apt-get install {name})"));
    }
    is_here
}
