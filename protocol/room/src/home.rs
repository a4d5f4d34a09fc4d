//! Decides whether a home node accepts a submission of its own device, and who orders it.

use wire::{Account, DeviceId, DomainName, ErrorCode};

use crate::{Request, hub::Standing};

/// Who orders an accepted submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// This domain is the hub.
    Here,
    /// Queue it for this peer.
    Peer(DomainName),
}

/// Decides where a submission goes ([ROOM-10]). `room` is the hub of the room and the standing of
/// the account in it as this node knows them, `None` if it knows no such room.
///
/// # Errors
/// `OriginMismatch` if account and device are not those of the session, `NotFound` for a room that
/// is not known or a stranger to it, `Forbidden` for a former member, `Conflict` for founding a
/// room that exists.
pub fn accept(
    own: &DomainName,
    session: (&Account, &DeviceId),
    request: &Request,
    room: Option<(&DomainName, Standing)>,
) -> Result<Route, ErrorCode> {
    if (&request.account, &request.device) != session {
        return Err(ErrorCode::OriginMismatch);
    }
    let hub = match (&request.hub, room) {
        (Some(_), Some(_)) => return Err(ErrorCode::Conflict),
        (Some(hub), None) => hub,
        (None, None) => return Err(ErrorCode::NotFound),
        (None, Some((hub, standing))) => {
            standing.may_submit()?;
            hub
        }
    };
    Ok(if hub == own { Route::Here } else { Route::Peer(hub.clone()) })
}
