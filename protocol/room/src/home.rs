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

#[cfg(test)]
mod tests {
    use wire::proto::EventKind;

    use super::*;
    use crate::example::{account, acme, device, group, request};

    // [ROOM-10]
    #[test]
    fn a_home_accepts_its_own_devices_in_their_rooms_and_sends_them_to_the_hub() {
        let umbrella: DomainName = "umbrella.test".parse().unwrap();
        let (own, alice, phone) = (acme(), account("alice"), device("alice", 1));
        let message = request(group(), "alice", EventKind::Message, 0);
        let ask = |room| accept(&acme(), (&alice, &phone), &message, room);
        assert_eq!(ask(Some((&own, Standing::Member))), Ok(Route::Here));
        assert_eq!(ask(Some((&umbrella, Standing::Member))), Ok(Route::Peer(umbrella.clone())));
        assert_eq!(ask(Some((&umbrella, Standing::Former))), Err(ErrorCode::Forbidden));
        assert_eq!(ask(Some((&umbrella, Standing::Stranger))), Err(ErrorCode::NotFound));
        assert_eq!(ask(None), Err(ErrorCode::NotFound));

        let founding = request(group(), "alice", EventKind::Founding, 0);
        let ask = |room| accept(&umbrella, (&alice, &phone), &founding, room);
        assert_eq!(ask(None), Ok(Route::Peer(acme())));
        assert_eq!(ask(Some((&own, Standing::Member))), Err(ErrorCode::Conflict));
    }

    #[test]
    fn a_device_speaks_for_itself_only() {
        let message = request(group(), "alice", EventKind::Message, 0);
        for session in [(account("carol"), device("alice", 1)), (account("alice"), device("alice", 2))] {
            let answer = accept(&acme(), (&session.0, &session.1), &message, None);
            assert_eq!(answer, Err(ErrorCode::OriginMismatch));
        }
    }
}
