//! Signals: which end the node, and which must not.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGXFSZ: a file would grow over a limit. With a handler the write fails with an error, which is
/// answered as a full disk; without one the process would die.
const FILE_TOO_LARGE: i32 = 25;

/// What this process listens for.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    _file_too_large: Signal,
}

impl Signals {
    /// Takes over the signals. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
        })
    }

    /// Waits for an order to end: SIGTERM or SIGINT.
    pub(crate) async fn end(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
