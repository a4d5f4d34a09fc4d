//! What comes from the operating system: random bytes and lines on stdout.

use std::io::Write as _;

use machine::Entropy;

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Without randomness every key and id of this process would be guessable.
            std::process::abort();
        }
    }
}

/// A line of a command's result. A closed pipe is the reader's wish.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
