//! Decides to whom the hub shows its copy of the group: a device that lost its way comes back with it.

use wire::{Account, DeviceId, ErrorCode};

use super::RoomView;

/// Whether this device may have `GroupInfo` and tree ([ROOM-34]).
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `Forbidden` if the device has no leaf; `Conflict` while a
/// departure is open, for a commit that comes from outside cannot carry it out.
pub fn may_rejoin(view: &RoomView, account: &Account, device: &DeviceId) -> Result<(), ErrorCode> {
    view.standing(account).may_submit()?;
    if !view.roster.get(account).is_some_and(|devices| devices.contains(device)) {
        return Err(ErrorCode::Forbidden);
    }
    if view.leaving.is_empty() { Ok(()) } else { Err(ErrorCode::Conflict) }
}
