//! Takes in one item of a batch. What cannot be processed is refused by name and kept for the
//! administrator; its neighbours go on.

use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::QuarantineRow};
use wire::{
    DomainName, ErrorCode, WireError, limits,
    proto::{Item, item},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// Processes an item; an error is the answer that its sender gets. An ephemeral item has none.
    pub(crate) fn take_item(&mut self, peer: &DomainName, item: &Item) -> Option<WireError> {
        let outcome = match &item.item {
            Some(item::Item::Submission(submission)) => self.take_submission(peer, submission),
            Some(item::Item::Events(events)) => self.take_events(peer, events).map_err(WireError::from),
            Some(item::Item::Join(join)) => self.take_join(peer, join).map_err(WireError::from),
            Some(item::Item::Progress(progress)) => {
                self.take_progress(peer, progress).map_err(WireError::from)
            }
            Some(item::Item::Declined(declined)) => {
                self.take_declined(peer, declined).map_err(WireError::from)
            }
            Some(item::Item::Left(left)) => self.take_left(peer, left).map_err(WireError::from),
            Some(item::Item::Ephemeral(message)) => {
                self.take_ephemeral(peer, message).map_err(WireError::from)
            }
            None => Err(ErrorCode::Malformed.into()),
        };
        // [LINK-14] The others of the batch go on.
        let error = outcome.err()?;
        if is_misconduct(error.code) {
            self.quarantine(peer, item, error.code);
        }
        Some(error)
    }

    /// Keeps an item that could not be processed, for the administrator.
    pub(crate) fn quarantine(&mut self, peer: &DomainName, item: &Item, error: ErrorCode) {
        let mut bytes = item.encode_to_vec();
        bytes.truncate(limits::QUARANTINE_ITEM_BYTES_MAX);
        let quiet = self.links.get_mut(peer).map(|peer| &mut peer.refusals);
        if let Some(others) = quiet.and_then(|quiet| quiet.may_say(self.now)) {
            let kind = kind(item);
            tracing::warn!(peer = %peer, error = error.name(), kind, others, "an item was refused");
        }
        self.drain.batch.push(Write::PutQuarantine(QuarantineRow {
            peer: peer.clone(),
            time_ms: self.now.as_ms(),
            error: error.code(),
            kind: kind(item).to_owned(),
            item: bytes.into(),
        }));
        self.drain.quarantined.insert(peer.clone());
    }
}

/// The name of an item's kind, as an administrator sees it.
pub(crate) const fn kind(item: &Item) -> &'static str {
    match &item.item {
        Some(item::Item::Submission(_)) => "submission",
        Some(item::Item::Events(_)) => "events",
        Some(item::Item::Join(_)) => "join",
        Some(item::Item::Progress(_)) => "progress",
        Some(item::Item::Declined(_)) => "declined",
        Some(item::Item::Left(_)) => "left",
        Some(item::Item::Ephemeral(_)) => "ephemeral",
        None => "unknown",
    }
}

// What an honest peer can run into by racing or by a person's mistake needs no administrator.
const fn is_misconduct(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::Malformed
            | ErrorCode::TooLarge
            | ErrorCode::Unsupported
            | ErrorCode::OriginMismatch
            | ErrorCode::BadSignature
            | ErrorCode::ForkedLog
            | ErrorCode::AuthFailed
            | ErrorCode::KeyUnverified
            | ErrorCode::Internal
    )
}
