//! Shows on a terminal how far a copy is.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What is done sooner needs no line.
const AFTER: Duration = Duration::from_millis(300);
const EVERY: Duration = Duration::from_millis(200);

/// One line on stderr, erased at the end; nothing if stderr is no terminal.
#[derive(Debug)]
pub(super) struct Progress {
    done: Arc<AtomicU64>,
    end: Option<Sender<()>>,
    line: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins; `measured` is asked for what is not told by [`Self::add`].
    pub(super) fn begin(what: &'static str, total: u64, measured: impl Fn() -> u64 + Send + 'static) -> Self {
        let done = Arc::new(AtomicU64::new(0));
        if !std::io::stderr().is_terminal() {
            return Self { done, end: None, line: None };
        }
        let (end, ended) = mpsc::channel();
        let told = Arc::clone(&done);
        let line = thread::spawn(move || {
            let mut wait = AFTER;
            let mut shown = false;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait) {
                wait = EVERY;
                shown = true;
                let bytes = told.load(Ordering::Relaxed).saturating_add(measured());
                let percent = bytes.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
                let _ = write!(std::io::stderr(), "\r{what}: {percent} %, {} MiB \x1b[K", bytes >> 20);
            }
            if shown {
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        });
        Self { done, end: Some(end), line: Some(line) }
    }

    /// So many bytes more are done.
    pub(super) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(line) = self.line.take() {
            // A line that could not be written is no reason to fail.
            let _ = line.join();
        }
    }
}
