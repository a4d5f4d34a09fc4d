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
    hang_up: Signal,
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
            hang_up: signal(SignalKind::hangup())?,
            _file_too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
        })
    }

    /// Waits for an order: SIGTERM or SIGINT to end, SIGHUP to read the configuration again.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::End("SIGTERM"),
            _ = self.interrupt.recv() => Order::End("SIGINT"),
            _ = self.hang_up.recv() => Order::Reload,
        }
    }

    /// Waits for an order to end.
    pub(crate) async fn end(&mut self) -> &'static str {
        loop {
            if let Order::End(signal) = self.next().await {
                return signal;
            }
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To end, by this signal.
    End(&'static str),
    /// To read the configuration again.
    Reload,
}
