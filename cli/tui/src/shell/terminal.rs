//! The terminal: taken over, listened to, drawn on, and given back as it was, also when the program
//! fails.

use std::{
    io::{self, Stdout, Write as _, stdout},
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor,
        event::{self, Event, KeyEventKind},
        execute, terminal,
    },
};
use tokio::sync::{mpsc, oneshot};

use crate::{App, Input};

/// The screen is taken over at this moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Something failed while it was.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The terminal while it is taken over.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let made = (|| {
            execute!(
                stdout(),
                terminal::EnterAlternateScreen,
                event::EnableBracketedPaste,
                event::EnableFocusChange
            )?;
            if mouse {
                execute!(stdout(), event::EnableMouseCapture)?;
            }
            Terminal::new(CrosstermBackend::new(stdout()))
        })();
        match made {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Forgets what it shows.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Shows the state.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn draw(&mut self, app: &App) -> io::Result<()> {
        self.terminal.draw(|frame| app.draw(frame)).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once. Nothing is to be done if the terminal is gone.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            event::DisableMouseCapture,
            event::DisableFocusChange,
            event::DisableBracketedPaste,
            terminal::LeaveAlternateScreen,
            cursor::Show
        );
        let _ = terminal::disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// A panic is told on a terminal that can show it.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if TAKEN.load(Ordering::SeqCst) {
                PANICKED.store(true, Ordering::SeqCst);
                restore();
            }
            before(info);
        }));
    });
}

/// Whether something failed while the terminal was taken over.
pub(super) fn panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Listens on a thread of its own, for reading a terminal blocks. Ends, and says so, when there is
/// nothing more to read.
pub(super) fn listen(inputs: mpsc::Sender<Input>) -> oneshot::Receiver<()> {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            let input = match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => Input::Key(key),
                Event::Key(_) => continue,
                Event::Mouse(mouse) => Input::Mouse(mouse),
                Event::Paste(text) => Input::Paste(text),
                Event::Resize(columns, rows) => Input::Resize(columns, rows),
                Event::FocusGained => Input::Focus(true),
                Event::FocusLost => Input::Focus(false),
            };
            if inputs.blocking_send(input).is_err() {
                return;
            }
        }
        // Whoever listened may have ended first.
        let _ = ended.send(());
    });
    end
}
