//! Around the screen: waits for the first of a key, a happening, an answer or the time, hands it in,
//! does what comes out, and draws. Whatever takes time runs beside it.

mod clock;
mod desktop;
mod notify;
mod terminal;
mod work;

use std::time::Duration;

use client::{Client, Happening};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use crate::{App, Effect, Input, Settings};
use desktop::Desktop;
use terminal::Screen;
use work::Work;

pub use clock::local_offset_s;

/// Inputs that wait for the screen.
const WAITING: usize = 1_024;
/// Inputs that share one drawing.
const AT_ONCE: usize = 256;

/// How long the device may take to be told that nobody looks any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why the screen ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuiError {
    /// The terminal cannot be read or written.
    #[error("the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    /// The device was closed.
    #[error("the device was closed")]
    Closed,
    /// Somebody locked the device.
    #[error("the device was locked")]
    Locked,
    /// A part of the program failed; what it said stands before.
    #[error("a part of the program failed")]
    Panicked,
}

/// Shows a device on this terminal until the reader ends it, or SIGTERM or SIGHUP does. Whatever ends
/// it, the terminal is put back as it was.
///
/// # Errors
/// [`TuiError`].
pub async fn run(client: &Client, settings: Settings) -> Result<(), TuiError> {
    let outcome = show(client, settings).await;
    if settings.presence {
        // Another program may go on with the device. If it does not answer, it does not show anything.
        let _ = tokio::time::timeout(GOODBYE, client.show_presence(false)).await;
    }
    outcome
}

async fn show(client: &Client, settings: Settings) -> Result<(), TuiError> {
    let mut ends = Ends::new()?;
    let mut happenings = client.watch();
    let (inputs, mut incoming) = mpsc::channel(WAITING);
    let mut screen = Screen::enter(settings.mouse)?;
    let mut gone = terminal::listen(inputs.clone());
    let desktop = settings.desktop.then(Desktop::begin);
    let mut work = Work::new(client.clone(), inputs);
    let mut app = App::new(settings, screen.size()?, clock::now_ms());
    loop {
        while let Some(effect) = app.poll() {
            match effect {
                Effect::Quit => return work.finish().await.map_err(|_| TuiError::Closed),
                Effect::Redraw => screen.clear()?,
                Effect::Notify { title, body } => notify::notify(desktop.as_ref(), title, body)?,
                other => work.begin(other),
            }
        }
        if terminal::panicked() {
            return Err(TuiError::Panicked);
        }
        screen.draw(&app)?;
        tokio::select! {
            input = incoming.recv() => app.handle(clock::now_ms(), input.ok_or(TuiError::Closed)?),
            happening = happenings.next() => app.handle(clock::now_ms(), happened(happening)?),
            () = until(app.wake_at()) => app.handle(clock::now_ms(), Input::Tick),
            () = ends.next() => return Ok(()),
            _ = &mut gone => return Ok(()),
        }
        for _ in 0..AT_ONCE {
            let input = tokio::select! {
                biased;
                Some(input) = incoming.recv() => input,
                happening = happenings.next() => happened(happening)?,
                () = std::future::ready(()) => break,
            };
            app.handle(clock::now_ms(), input);
        }
    }
}

/// A device that was locked is not to be seen any more.
fn happened(happening: Option<Happening>) -> Result<Input, TuiError> {
    match happening {
        Some(Happening::Locked) => Err(TuiError::Locked),
        Some(happening) => Ok(Input::Happening(happening)),
        None => Err(TuiError::Closed),
    }
}

async fn until(at_ms: Option<u64>) {
    match at_ms {
        Some(at) => {
            // Never at once again, whatever the clock does.
            let wait = at.saturating_sub(clock::now_ms()).max(20);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        None => std::future::pending().await,
    }
}

/// The signals that end the screen.
struct Ends {
    term: Signal,
    hangup: Signal,
}

impl Ends {
    fn new() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, hangup: signal(SignalKind::hangup())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
