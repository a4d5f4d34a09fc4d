//! Decides to whom the hub shows its copy of the group: a device that lost its way comes back with it.

use wire::{Account, DeviceId, ErrorCode};

use super::RoomView;

/// Whether this device may have `GroupInfo` and tree ([ROOM-34]).
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `Forbidden` if the device has no leaf; `Conflict` while a
/// departure of an account with several devices is open, for a commit that comes from outside cannot
/// carry it out.
pub fn may_rejoin(view: &RoomView, account: &Account, device: &DeviceId) -> Result<(), ErrorCode> {
    view.standing(account).may_submit()?;
    if !view.roster.get(account).is_some_and(|devices| devices.contains(device)) {
        return Err(ErrorCode::Forbidden);
    }
    // A commit from outside removes the leaves that have said so themselves, and no other of theirs.
    let alone = |account: &Account| view.roster.get(account).is_none_or(|devices| devices.len() == 1);
    view.leaving.iter().all(alone).then_some(()).ok_or(ErrorCode::Conflict)
}
