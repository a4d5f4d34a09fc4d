//! A line that is typed and not shown.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
};

use rustix::{
    process::{Signal, getpid, kill_process},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};
use zeroize::Zeroizing;

/// What Ctrl-C types.
const INTERRUPT: u8 = 3;
/// No terminal gives a longer line at once.
const LINE_BYTES_MAX: usize = 4_096;

/// Asks on the terminal of this process. The prompt appears when nothing is echoed any more, and
/// Ctrl-C ends the program when everything is again.
///
/// # Errors
/// If there is no terminal, the input ends, or what was typed is no text; `Interrupted` if Ctrl-C
/// does not end this program.
pub(crate) fn read(prompt: &str) -> io::Result<Zeroizing<String>> {
    let tty = File::options().read(true).write(true).open("/dev/tty")?;
    let mut line = Zeroizing::new([0; LINE_BYTES_MAX]);
    let read = {
        let _quiet = Quiet::begin(&tty)?;
        (&tty).write_all(prompt.as_bytes()).and_then(|()| read_once(&tty, line.as_mut_slice()))
    };
    (&tty).write_all(b"\n")?;
    let typed = line.get(..read?).unwrap_or_default();
    match typed.split_last() {
        None => Err(io::ErrorKind::UnexpectedEof.into()),
        Some((&INTERRUPT, _)) => {
            kill_process(getpid(), Signal::INT)?;
            Err(io::ErrorKind::Interrupted.into())
        }
        Some((b'\n', line)) => text(line),
        Some(_) => text(typed),
    }
}

fn text(typed: &[u8]) -> io::Result<Zeroizing<String>> {
    let text = std::str::from_utf8(typed).map_err(|_| io::Error::other("what was typed is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The terminal gives a line when it is complete.
fn read_once(mut tty: &File, line: &mut [u8]) -> io::Result<usize> {
    loop {
        match tty.read(line) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// A terminal that echoes nothing, until it is dropped.
struct Quiet<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn begin(tty: &'a File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut quiet = before.clone();
        // A signal would end the program with the terminal as it is now: so Ctrl-C ends the line.
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(tty, OptionalActions::Now, &quiet)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.tty, OptionalActions::Now, &self.before);
    }
}
