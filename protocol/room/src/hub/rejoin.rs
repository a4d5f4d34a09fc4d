//! Decides to whom the hub shows its copy of the group: a device that lost its way comes back with it.

use wire::{Account, DeviceId, ErrorCode, proto::RoomKind};

use super::RoomView;

/// Whether this device may have `GroupInfo` and tree ([ROOM-34]).
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `Forbidden` if the device has no leaf; `Conflict` while a
/// departure of an account with several devices, or of a group's admin, is open, for a commit that
/// comes from outside cannot carry it out.
pub fn may_rejoin(view: &RoomView, account: &Account, device: &DeviceId) -> Result<(), ErrorCode> {
    view.standing(account).may_submit()?;
    if !view.roster.get(account).is_some_and(|devices| devices.contains(device)) {
        return Err(ErrorCode::Forbidden);
    }
    // A commit from outside removes the leaves that have said so themselves, no other of theirs, and
    // changes no roles, as the departure of an admin needs ([ROOM-25]).
    let carried_out = |account: &Account| {
        let alone = view.roster.get(account).is_none_or(|devices| devices.len() == 1);
        alone && (view.state.kind != RoomKind::Group || !view.state.is_admin(account))
    };
    view.leaving.iter().all(carried_out).then_some(()).ok_or(ErrorCode::Conflict)
}
