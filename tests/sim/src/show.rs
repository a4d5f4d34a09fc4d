//! Says what happened in words that are the same in every run of a seed: names, never ids.

use engine::{Notice, Outcome, view::Body};
use wire::{
    Account, RoomId, WireError,
    proto::{self, RoomKind},
};

use crate::{
    World,
    network::{Packet, Stream},
    world::decode,
};

/// A room by its name, or by its two accounts, as some device in it sees it.
#[must_use]
pub fn room(world: &World, room: RoomId) -> String {
    let views = world.devices.iter().filter_map(|device| device.engine.as_ref()?.room(room));
    for view in views {
        if view.kind == RoomKind::Direct
            && let Some(peer) = &view.peer
        {
            let own = view.members.iter().map(|member| &member.account).find(|account| *account != peer);
            let mut names = [Some(peer), own].into_iter().flatten().map(Account::local).collect::<Vec<_>>();
            names.sort_unstable();
            if names.len() == 2 {
                return names.join("+");
            }
        }
        if !view.name.is_empty() {
            return view.name;
        }
    }
    let place = world.history.rooms.iter().position(|known| *known == room);
    place.map_or_else(|| "a new room".into(), |place| format!("room {}", place + 1))
}

/// A frame, at most 300 bytes of it.
#[must_use]
pub fn packet(packet: &Packet) -> String {
    let (bytes, stream) = (&packet.bytes, packet.stream);
    let mut text = match stream {
        Stream::HelloAsked | Stream::LinkOpened(_) | Stream::Asked(_) => {
            format!("{:?}", decode::<proto::PeerRequest>(bytes).request)
        }
        Stream::HelloAnswered | Stream::Answered(_) => {
            format!("{:?}", decode::<proto::PeerResponse>(bytes).response)
        }
        Stream::Link(_) => format!("{:?}", decode::<proto::LinkFrame>(bytes).frame),
        Stream::Session if packet.forward => format!("{:?}", decode::<proto::ClientFrame>(bytes).frame),
        Stream::Session => format!("{:?}", decode::<proto::NodeFrame>(bytes).frame),
    };
    let most = text.floor_char_boundary(300);
    text.truncate(most);
    format!("{stream:?} {text}")
}

/// A notice as one line; `None` for what says nothing that lasts.
#[must_use]
pub fn notice(world: &World, device: usize, notice: &Notice) -> Option<String> {
    let who = world.devices[device].account.local();
    let line = match notice {
        Notice::Queued { .. }
        | Notice::Delivery { .. }
        | Notice::Room(_)
        | Notice::Typing { .. }
        | Notice::PeerState(_)
        | Notice::Presence { .. }
        | Notice::CaughtUp => return None,
        Notice::Finished { result, .. } => format!("{who}: {}", outcome(world, result)),
        Notice::Item { room: of, item } => {
            let sender = item.sender.as_ref().map_or("hub", |account| account.local());
            format!("{who} sees in {} #{}: {sender}: {}", room(world, *of), item.seq, body(&item.body))
        }
        Notice::Read { room: of, account, seq } => {
            format!("{who} sees in {}: {} has read to #{seq}", room(world, *of), account.local())
        }
        Notice::Invitation(of) => {
            let engine = world.devices[device].engine.as_ref();
            let all = engine.map(|engine| engine.invitations()).unwrap_or_default();
            let inviter = all.iter().find(|invitation| invitation.room == *of).map(|found| &found.inviter);
            let inviter = inviter.map_or("nobody", |account| account.local());
            format!("{who} is invited by {inviter}")
        }
        Notice::Joined(of) => format!("{who} is in {}", room(world, *of)),
        Notice::Left(of) => format!("{who} is out of {}", room(world, *of)),
        Notice::Paused { room: of, error } => {
            format!("{who} pauses {}: {}", room(world, *of), error.name())
        }
        Notice::Warning(warning) => format!("{who} warns: {warning:?}"),
        Notice::Goodbye(error) => format!("{who} is told goodbye: {}", error.code.name()),
        Notice::Stopped => format!("{who} stops"),
    };
    Some(line)
}

fn outcome(world: &World, result: &Result<Outcome, WireError>) -> String {
    match result {
        Ok(Outcome::Done) => "done".into(),
        Ok(Outcome::Ordered { room: of, seq, .. }) => format!("ordered in {} as #{seq}", room(world, *of)),
        Ok(Outcome::Room { room: of, added, refused }) => {
            let refused: Vec<String> = refused
                .iter()
                .map(|(account, error)| format!("{} {}", account.local(), error.name()))
                .collect();
            let refused =
                if refused.is_empty() { String::new() } else { format!(", not {}", refused.join(", ")) };
            format!("{} has {}{refused}", room(world, *of), names(added))
        }
        Ok(Outcome::Peers(peers)) => format!("{} peers", peers.len()),
        Ok(Outcome::ContactPolicy(state)) => state.policy().as_str_name().into(),
        Ok(Outcome::Contact(_)) => "known".into(),
        Err(error) => format!("refused: {}", error.code.name()),
    }
}

/// What an item says.
#[must_use]
pub fn body(body: &Body) -> String {
    match body {
        Body::Text(text) => format!("{text:?}"),
        Body::File(file) => format!("the file {:?}", file.name),
        Body::Deleted => "(deleted)".into(),
        Body::Unreadable(error) => format!("(unreadable: {})", error.name()),
        Body::Edit { text, .. } => format!("edits to {text:?}"),
        Body::Delete { .. } => "deletes".into(),
        Body::Reaction { emoji, withdrawn: false, .. } => format!("reacts {emoji}"),
        Body::Reaction { emoji, withdrawn: true, .. } => format!("withdraws {emoji}"),
        Body::RoomInfo { name, .. } => format!("calls it {name:?}"),
        Body::Founded => "founds the room".into(),
        Body::Added(accounts) => format!("adds {}", names(accounts)),
        Body::Removed(accounts) => format!("removes {}", names(accounts)),
        Body::Left(accounts) => format!("{} left", names(accounts)),
        Body::Roles(accounts) => format!("admins are {}", names(accounts)),
        Body::Declined(accounts) => format!("{} declined", names(accounts)),
        Body::Nack(accounts) => format!("{} cannot follow", names(accounts)),
        Body::Refounded => "founds the room anew".into(),
        Body::Gone => "the room is gone".into(),
        Body::Rejoined(accounts) if accounts.is_empty() => "comes back".into(),
        Body::Rejoined(accounts) => format!("comes back, and finds {}", names(accounts)),
    }
}

fn names(accounts: &[Account]) -> String {
    if accounts.is_empty() {
        return "nobody".into();
    }
    accounts.iter().map(Account::local).collect::<Vec<_>>().join(", ")
}
