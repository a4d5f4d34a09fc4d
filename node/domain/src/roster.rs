//! The accounts of a room as one stored value: at the hub all that `room::hub::RoomView` holds, at a
//! follower the accounts that the last `Join` named.

use bytes::Bytes;
use prost::Message;
use room::{State, hub::RoomView};
use store::row::RoomRow;
use wire::{Account, DeviceId, ErrorCode, MessageId};

#[derive(Clone, PartialEq, Message)]
struct Leaves {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    devices: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(message, repeated, tag = "1")]
    leaves: Vec<Leaves>,
    #[prost(string, repeated, tag = "2")]
    leaving: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    declined: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    former: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    admins: Vec<String>,
    #[prost(string, tag = "6")]
    founder: String,
    #[prost(bytes = "bytes", tag = "7")]
    founding: Bytes,
}

/// By whom a room was founded, and under which message id.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) founder: Account,
    pub(crate) founding: MessageId,
}

/// The value for a hub's room.
pub(crate) fn encode(view: &RoomView, origin: &Origin) -> Bytes {
    let names = |accounts: &std::collections::BTreeSet<Account>| {
        accounts.iter().map(|account| account.as_str().to_owned()).collect()
    };
    let leaves = view.roster.iter().map(|(account, devices)| Leaves {
        account: account.as_str().to_owned(),
        devices: devices.iter().map(DeviceId::to_bytes).collect(),
    });
    let stored = Stored {
        leaves: leaves.collect(),
        leaving: names(&view.leaving),
        declined: names(&view.declined),
        former: names(&view.former),
        admins: names(&view.state.admins),
        founder: origin.founder.as_str().to_owned(),
        founding: origin.founding.to_bytes(),
    };
    stored.encode_to_vec().into()
}

/// The value for a follower's room.
pub(crate) fn encode_names(accounts: &[String]) -> Bytes {
    let leaves = accounts.iter().map(|account| Leaves { account: account.clone(), devices: Vec::new() });
    Stored { leaves: leaves.collect(), ..Stored::default() }.encode_to_vec().into()
}

/// Whether an account stands in a stored value.
pub(crate) fn names(bytes: Bytes, account: &Account) -> bool {
    Stored::decode(bytes)
        .is_ok_and(|stored| stored.leaves.iter().any(|leaf| leaf.account == account.as_str()))
}

/// A hub's room from its row and the stored value.
///
/// # Errors
/// `Malformed` if the store is damaged.
pub(crate) fn decode(row: &RoomRow, bytes: Bytes) -> Result<(RoomView, Origin), ErrorCode> {
    let stored = Stored::decode(bytes).map_err(|_| ErrorCode::Malformed)?;
    let names = |list: &[String]| list.iter().map(|name| name.parse()).collect::<Result<_, ErrorCode>>();
    let mut roster = room::Roster::new();
    for leaf in &stored.leaves {
        let devices = leaf.devices.iter().map(|id| DeviceId::try_from(id.as_ref()));
        roster.insert(leaf.account.parse()?, devices.collect::<Result<_, _>>()?);
    }
    let origin =
        Origin { founder: stored.founder.parse()?, founding: MessageId::try_from(stored.founding.as_ref())? };
    let view = RoomView {
        room: row.room,
        state: State { room: row.room, hub: row.hub.clone(), kind: row.kind, admins: names(&stored.admins)? },
        epoch: row.epoch,
        roster,
        leaving: names(&stored.leaving)?,
        declined: names(&stored.declined)?,
        former: names(&stored.former)?,
    };
    Ok((view, origin))
}

/// The accounts of one domain in a stored value.
pub(crate) fn of_domain(bytes: Bytes, domain: &wire::DomainName) -> Vec<Account> {
    let leaves = Stored::decode(bytes).map(|stored| stored.leaves).unwrap_or_default();
    leaves
        .iter()
        .filter_map(|leaf| leaf.account.parse::<Account>().ok())
        .filter(|account| account.domain() == domain)
        .collect()
}
