//! From the engine's views to those that are shown.

use engine::{
    Warning,
    record::RoomPhase,
    view::{Body, Delivery, InvitationView, RoomView, TimelineItem},
};
use wire::{Account, ErrorCode, RoomId, proto};

use crate::view::{
    Change, FileInfo, Level, Member, Message, MessageBody, Notify, PeerView, Reaction, Role, Room, RoomKind,
    Standing,
};

/// A room, with what the store says is unread.
pub(crate) fn room(
    view: RoomView,
    (unread, mentions): (u64, u64),
    time_ms: u64,
    managed: impl Fn(&Account) -> bool,
) -> Room {
    let standing = match (view.paused, view.phase) {
        (Some(_), _) => Standing::Paused,
        (None, RoomPhase::Joined) if view.lost.is_some() => Standing::Rejoining,
        (None, RoomPhase::Joined) => Standing::Member,
        (None, RoomPhase::Left) => Standing::Left,
        (None, _) if view.refused.is_some() => Standing::Refused,
        (None, _) => Standing::Joining,
    };
    let forked = (!view.forks.is_empty()).then_some(ErrorCode::ForkedLog);
    let member = |member: engine::view::MemberView| Member {
        role: if member.admin { Role::Admin } else { Role::Member },
        unverified: member.unverified,
        managed: managed(&member.account),
        declined: member.declined,
        held: member.held,
        account: member.account,
    };
    Room {
        id: view.room,
        kind: kind(view.kind),
        name: view.name,
        topic: view.topic,
        peer: view.peer,
        hub: Some(view.hub),
        standing,
        inviter: None,
        members: view.members.into_iter().map(member).collect(),
        epoch: view.epoch,
        seq: view.head_seq,
        read_seq: view.read_seq,
        unread,
        mentions,
        notify: Notify::All,
        time_ms,
        behind: view.behind,
        problem: view.paused.or(view.lost).or(view.refused).or(forked),
    }
}

/// A room that the account is invited to.
pub(crate) fn invitation(view: InvitationView) -> Room {
    Room {
        id: view.room,
        kind: kind(view.kind),
        name: String::new(),
        topic: String::new(),
        peer: None,
        hub: None,
        standing: Standing::Invited,
        inviter: Some(view.inviter),
        members: Vec::new(),
        epoch: 0,
        seq: 0,
        read_seq: 0,
        unread: 0,
        mentions: 0,
        notify: Notify::All,
        time_ms: view.time_ms,
        behind: false,
        problem: None,
    }
}

const fn kind(kind: proto::RoomKind) -> RoomKind {
    match kind {
        proto::RoomKind::Direct => RoomKind::Direct,
        proto::RoomKind::Group | proto::RoomKind::Unspecified => RoomKind::Group,
    }
}

/// An item of a timeline.
pub(crate) fn message(room: RoomId, item: TimelineItem) -> Message {
    let (level, failed) = item.delivery.map_or((None, None), delivery);
    Message {
        room,
        id: item.message,
        intent: item.intent,
        seq: item.seq,
        sender: item.sender,
        own: item.own,
        time_ms: item.time_ms,
        body: body(item.body),
        edited: item.edited,
        reply_to: item.reply_to,
        reactions: item
            .reactions
            .into_iter()
            .map(|reaction| Reaction { by: names(&reaction.accounts), emoji: reaction.emoji })
            .collect(),
        level,
        failed,
    }
}

fn body(body: Body) -> MessageBody {
    let changed =
        |change, accounts: Vec<Account>| MessageBody::Changed { change, accounts: names(&accounts) };
    match body {
        Body::Text(text) => MessageBody::Text(text),
        Body::File(file) => match wire::BlobId::try_from(file.blob.as_ref()) {
            Ok(blob) => {
                MessageBody::File(FileInfo { blob, name: file.name, size: file.size, caption: file.caption })
            }
            Err(code) => MessageBody::Unreadable(code.to_string()),
        },
        Body::Deleted => MessageBody::Deleted,
        Body::Unreadable(code) => MessageBody::Unreadable(code.to_string()),
        Body::Edit { target, text } => MessageBody::Edit { target, text },
        Body::Delete { target } => MessageBody::Delete { target },
        Body::Reaction { target, emoji, withdrawn } => MessageBody::Reaction { target, emoji, withdrawn },
        Body::RoomInfo { name, topic } => MessageBody::Renamed { name, topic },
        Body::Founded => changed(Change::Founded, Vec::new()),
        Body::Added(accounts) => changed(Change::Added, accounts),
        Body::Removed(accounts) => changed(Change::Removed, accounts),
        Body::Left(accounts) => changed(Change::Left, accounts),
        Body::Roles(accounts) => changed(Change::Roles, accounts),
        Body::Declined(accounts) => changed(Change::Declined, accounts),
        Body::Nack(accounts) => changed(Change::Nack, accounts),
        Body::Rejoined(accounts) => changed(Change::Rejoined, accounts),
        Body::Refounded => changed(Change::Refounded, Vec::new()),
        Body::Gone => changed(Change::Gone, Vec::new()),
    }
}

/// Accounts as text.
pub(crate) fn names(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(ToString::to_string).collect()
}

/// How far a message is, or why it goes no further.
pub(crate) const fn delivery(delivery: Delivery) -> (Option<Level>, Option<ErrorCode>) {
    match delivery {
        Delivery::Queued => (Some(Level::Queued), None),
        Delivery::Accepted => (Some(Level::Accepted), None),
        Delivery::Ordered => (Some(Level::Ordered), None),
        Delivery::Stored => (Some(Level::Stored), None),
        Delivery::Delivered => (Some(Level::Delivered), None),
        Delivery::Read => (Some(Level::Read), None),
        Delivery::Failed(code) => (None, Some(code)),
    }
}

/// A link to another domain; `None` if its name is not one.
pub(crate) fn peer(state: &proto::PeerState) -> Option<PeerView> {
    let phase = match state.phase() {
        proto::PeerPhase::Connected => "connected",
        proto::PeerPhase::Connecting => "connecting",
        proto::PeerPhase::Waiting => "waiting",
        proto::PeerPhase::Held => "held",
        proto::PeerPhase::Paused => "paused",
        proto::PeerPhase::Denied => "denied",
        proto::PeerPhase::Idle | proto::PeerPhase::Unspecified => "idle",
    };
    Some(PeerView {
        domain: state.domain.parse().ok()?,
        phase: phase.to_owned(),
        queued: state.queued,
        oldest_ms: state.oldest_ms,
        last_error: (state.last_error != 0).then(|| ErrorCode::from_code(state.last_error)),
        next_retry_ms: state.next_retry_ms,
        absent_since_ms: state.absent_since_ms,
    })
}

/// A warning in our own words.
pub(crate) fn warning(warning: &Warning) -> String {
    match warning {
        Warning::Unverified { account, error, .. } => {
            format!("the keys of {account} could not be verified ({})", error.name())
        }
        Warning::Held { room, account, error } => {
            format!(
                "{account} came into room {room} and its keys could not be verified ({}): nothing is sent there \
                 before they are, it is removed, or you say so (comity room admit {room} {account})",
                error.name()
            )
        }
        Warning::KeyChanged { account } => {
            format!(
                "{account} has another account key than before: compare it with them (comity contact show {account})"
            )
        }
        Warning::ForkedLog { room, account, seq } => {
            format!(
                "{account} saw another history of room {room} at {seq}: its hub tells people different things"
            )
        }
        Warning::HubAtFault { room, account, seq } => {
            format!(
                "the hub of room {room} ordered a message of {account} at {seq}, who is out of the room; it is not shown"
            )
        }
        Warning::Nack { room, account, seq } => {
            format!("a device of {account} could not follow room {room} at {seq}")
        }
        Warning::Lost { room, account, seq, error } => {
            let of = account.as_ref().map(|account| format!(", a change by {account}")).unwrap_or_default();
            format!(
                "this device cannot follow room {room} at {seq}{of} ({}): it comes back by itself, and does \
                 not read what is said meanwhile",
                error.name()
            )
        }
        Warning::DomainKeyChanged { domain } => {
            format!("the keys of {domain} do not follow from those that were seen before")
        }
        Warning::Passed { error } => {
            format!("something from the node made no sense and was passed over ({})", error.name())
        }
        Warning::StoreChanged => {
            "the node's store is another one than before; everything is read again".to_owned()
        }
    }
}
