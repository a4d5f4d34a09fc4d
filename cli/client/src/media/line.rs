//! The connection that stands at this moment, for tasks that outlive connections: what fails because one
//! fell, or because somebody was busy, is tried again.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use wire::{ErrorCode, WireError};

/// The first pause after something that may be better soon.
const PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Whichever connection stands.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    connection: watch::Receiver<Option<quinn::Connection>>,
}

/// How long a task goes on without getting anywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    most: Duration,
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(most: Duration) -> Self {
        Self { most, until: Instant::now() + most, pause: PAUSE }
    }

    /// Something was got: it begins anew.
    pub(super) fn refresh(&mut self) {
        *self = Self::new(self.most);
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// The error itself, if it will not be better or has lasted too long.
    pub(super) async fn again(&mut self, error: WireError) -> Result<(), WireError> {
        let soon = matches!(
            error.code,
            ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::Draining | ErrorCode::RateLimited
        );
        let pause = match error.retry_after_ms {
            0 => self.pause,
            wait => Duration::from_millis(wait).min(PAUSE_MAX),
        };
        if !soon || Instant::now() + pause > self.until {
            return Err(error);
        }
        sleep(pause).await;
        if error.retry_after_ms == 0 {
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }
}

impl Line {
    /// The sender tells which connection stands.
    pub(crate) fn new() -> (watch::Sender<Option<quinn::Connection>>, Self) {
        let (sender, connection) = watch::channel(None);
        (sender, Self { connection })
    }

    /// The connection, once one stands.
    ///
    /// # Errors
    /// `Unavailable` if none does in time, or the device is closed.
    pub(super) async fn connection(&mut self, patience: &Patience) -> Result<quinn::Connection, WireError> {
        let alive = |found: &Option<quinn::Connection>| {
            found.as_ref().is_some_and(|connection| connection.close_reason().is_none())
        };
        let stands = timeout_at(patience.until, self.connection.wait_for(alive)).await;
        let stands = stands.map_err(|_| ErrorCode::Unavailable)?.map_err(|_| ErrorCode::Unavailable)?;
        stands.clone().ok_or_else(|| ErrorCode::Unavailable.into())
    }
}
