//! Who waits to hear whether a handle has begun its work: whoever opened it, or whoever unlocked it.

use tokio::sync::{broadcast, oneshot};

use crate::{ClientError, request::Reply, view::Happening};

/// Hears once whether it worked.
pub(crate) struct Begun {
    waits: Option<Waits>,
    was_locked: bool,
}

enum Waits {
    Opener(oneshot::Sender<Result<(), ClientError>>),
    Unlocker(oneshot::Sender<Result<Reply, ClientError>>),
}

impl Begun {
    /// For whoever opened the handle.
    pub(super) const fn first(opener: oneshot::Sender<Result<(), ClientError>>) -> Self {
        Self { waits: Some(Waits::Opener(opener)), was_locked: false }
    }

    /// For whoever unlocks the device.
    pub(super) fn again(&mut self, unlocker: oneshot::Sender<Result<Reply, ClientError>>) {
        self.waits = Some(Waits::Unlocker(unlocker));
    }

    /// Whether somebody waits.
    pub(crate) const fn is_awaited(&self) -> bool {
        self.waits.is_some()
    }

    /// It works.
    pub(crate) fn succeed(&mut self, happenings: &broadcast::Sender<Happening>) {
        if std::mem::take(&mut self.was_locked) {
            // Nobody may be listening.
            let _ = happenings.send(Happening::Unlocked);
        }
        match self.waits.take() {
            Some(Waits::Opener(opener)) => drop(opener.send(Ok(()))),
            Some(Waits::Unlocker(unlocker)) => drop(unlocker.send(Ok(Reply::Done))),
            None => {}
        }
    }

    /// It does not. Whether that is the end of the handle: it is if it could not be opened at all.
    pub(super) fn fail(&mut self, error: ClientError) -> bool {
        match self.waits.take() {
            Some(Waits::Opener(opener)) => {
                drop(opener.send(Err(error)));
                true
            }
            Some(Waits::Unlocker(unlocker)) => {
                drop(unlocker.send(Err(error)));
                false
            }
            None => false,
        }
    }

    /// The device is locked. Whether that is news.
    pub(super) fn locked(&mut self) -> bool {
        !std::mem::replace(&mut self.was_locked, true)
    }
}
