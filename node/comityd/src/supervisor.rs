//! What the program that started this one is told: that it serves, reads its configuration again, or
//! ends. Under systemd with `Type=notify`; nothing happens
//! elsewhere.

use std::time::Duration;

use net::AdminPort;
use sd_notify::NotifyState;

use crate::health;

/// It serves.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its configuration again; [`ready`] says when that is over.
pub(crate) fn reloading() {
    // systemd tells the end of one reload from that of another by this clock.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// It ends in good order.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("ending in good order")]);
}

/// While the core answers, the supervisor is told so in time; once it does not, the supervisor
/// restarts the process. Ends at once if nobody watches.
pub(crate) async fn be_watched(port: AdminPort) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut rounds = tokio::time::interval((limit / 3).max(Duration::from_millis(100)));
    loop {
        rounds.tick().await;
        if health::echo(&port).await.is_ok() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the supervisor could not be told");
    }
}
