//! Decides which notices stand in a log: that an invitation was declined, and that a device could
//! not follow a commit.

use prost::Message as _;
use wire::{
    Account, ErrorCode, WireError,
    proto::{HubNotice, hub_notice::Notice},
};

use super::RoomView;
use crate::Request;

/// The notice that the hub orders when an account declines ([ROOM-19]); the room after it. An
/// account that is not invited, or has declined, gives `None`: nothing is ordered.
#[must_use]
pub fn declined(view: &RoomView, account: &Account) -> Option<(HubNotice, RoomView)> {
    if !view.roster.contains_key(account) || view.leaving.contains(account) {
        return None;
    }
    let mut after = view.clone();
    if !after.declined.insert(account.clone()) {
        return None;
    }
    Some((HubNotice { notice: Some(Notice::Declined(account.as_str().into())) }, after))
}

/// Checks a notice that a device submits: only its own `CommitNack` ([ROOM-19]).
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `OriginMismatch` if it names another device; `Malformed` for
/// any other notice, or a seq that does not exist yet.
pub fn order_nack(view: &RoomView, head_seq: u64, request: &Request) -> Result<(), WireError> {
    view.submitter(request)?;
    let notice = HubNotice::decode(request.body.as_ref()).map_err(|_| ErrorCode::Malformed)?;
    let Some(Notice::Nack(nack)) = notice.notice else { return Err(ErrorCode::Malformed.into()) };
    if nack.account != request.account.as_str() || nack.device_id != request.device.as_bytes().as_slice() {
        return Err(ErrorCode::OriginMismatch.into());
    }
    if nack.seq == 0 || nack.seq > head_seq {
        return Err(ErrorCode::Malformed.into());
    }
    Ok(())
}
