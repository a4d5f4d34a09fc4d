//! Decides whether an application message is ordered.

use wire::{ErrorCode, RoomId, WireError, limits};

use super::RoomView;
use crate::Request;

/// Checks a message against the room ([ROOM-14]). `framing` is the group id and the epoch that the
/// ciphertext itself names.
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `Malformed` if the ciphertext names another room or epoch
/// than the submission, or an epoch that is still to come; `StaleEpoch` with the current one if the
/// message is more than `EPOCHS_ACCEPTED_BACK` epochs old.
pub fn order_message(view: &RoomView, request: &Request, framing: (&RoomId, u64)) -> Result<(), WireError> {
    view.submitter(request)?;
    if framing != (&view.room, request.epoch) || request.epoch > view.epoch {
        return Err(ErrorCode::Malformed.into());
    }
    let oldest = view.epoch.saturating_sub(limits::EPOCHS_ACCEPTED_BACK as u64);
    if request.epoch < oldest {
        return Err(WireError::with_value(ErrorCode::StaleEpoch, view.epoch));
    }
    Ok(())
}

/// [ROOM-15] A handshake is for the current epoch and no other: the first that was ordered wins.
pub(super) fn current_epoch(view: &RoomView, request: &Request) -> Result<(), WireError> {
    match request.epoch.cmp(&view.epoch) {
        std::cmp::Ordering::Less => Err(WireError::with_value(ErrorCode::StaleEpoch, view.epoch)),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(ErrorCode::Malformed.into()),
    }
}
