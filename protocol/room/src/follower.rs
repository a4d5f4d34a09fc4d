//! Decides what a follower, or a device, does with a run of events from the hub: apply, skip what
//! it has, ask for what is missing, or refuse a second history.

use wire::{DomainName, ErrorCode, PublicKey, RoomId, proto::Event};

use crate::{
    LogHead,
    chain::{self, CheckedEvent},
};

/// What to do with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Store these, in this order; the log ends at `head` then.
    Applied {
        /// The events that are new.
        events: Vec<CheckedEvent>,
        /// The end of the log after them.
        head: LogHead,
    },
    /// All of it is known.
    Duplicate,
    /// Events are missing: pull from this seq on.
    Gap {
        /// The first seq that is missing.
        from: u64,
        /// The seq of the run's end: so far the log goes.
        up_to: u64,
    },
    /// The hub has signed a history that differs from the one held here, at this seq. The run is
    /// quarantined and nothing of it is stored.
    Forked {
        /// Where they part.
        seq: u64,
    },
}

/// The hub of a room and its keys, as pinned here.
#[derive(Clone, Copy, Debug)]
pub struct Hub<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// The domain that orders it.
    pub domain: &'a DomainName,
    /// Its event keys, of every document pinned here.
    pub keys: &'a [PublicKey],
}

/// Decides about a run that arrived from the hub ([ROOM-8]). `head` is the end of the log here;
/// `known` gives the hash of the event with a seq up to it, or `None` for one before this copy
/// begins.
///
/// # Errors
/// Those of [`chain::check`], and `Malformed` for an empty run or one with a gap in itself. Nothing
/// of the run may be stored.
pub fn apply(
    hub: &Hub<'_>,
    head: &LogHead,
    known: impl Fn(u64) -> Option<[u8; 32]>,
    events: &[Event],
) -> Result<Applied, ErrorCode> {
    let checked: Vec<CheckedEvent> = events
        .iter()
        .map(|event| chain::check(hub.room, hub.domain, hub.keys, event))
        .collect::<Result<_, _>>()?;
    let Some(first) = checked.first() else { return Err(ErrorCode::Malformed) };
    let gapless = checked.windows(2).all(|pair| match pair {
        [one, next] => one.seq.checked_add(1) == Some(next.seq),
        _ => true,
    });
    if !gapless {
        return Err(ErrorCode::Malformed);
    }
    let after_head = head.seq.saturating_add(1);
    if first.seq > after_head {
        let up_to = checked.last().map_or(first.seq, |last| last.seq);
        return Ok(Applied::Gap { from: after_head, up_to });
    }
    let mut end = *head;
    let mut new = Vec::with_capacity(checked.len());
    for event in checked {
        let differs = if event.seq <= head.seq {
            known(event.seq).is_some_and(|hash| hash != event.hash)
        } else {
            event.prev_hash != end.hash
        };
        if differs {
            return Ok(Applied::Forked { seq: event.seq });
        }
        if event.seq > head.seq {
            end = event.log_head();
            new.push(event);
        }
    }
    Ok(if new.is_empty() { Applied::Duplicate } else { Applied::Applied { events: new, head: end } })
}

/// What to do with the event of a `Join`: the commit that added accounts of this domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// This copy of the log begins here: store the event, and take its place as the end.
    Begin(CheckedEvent),
    /// The log here goes up to it or beyond.
    Known(CheckedEvent),
    /// The log here continues with it.
    Next(CheckedEvent),
    /// The log here ends earlier and goes on: pull from this seq on; the join can be kept.
    Gap(CheckedEvent, u64),
    /// As [`Applied::Forked`].
    Forked {
        /// Where they part.
        seq: u64,
    },
}

/// Decides about the event of a `Join` ([ROOM-9]). `head` is the end of the log here if the domain
/// already follows the room, `None` if it never did or has been out of it: what happened meanwhile
/// was not for it.
///
/// # Errors
/// Those of [`chain::check`], and `Malformed` if it is no commit.
pub fn join(
    hub: &Hub<'_>,
    head: Option<&LogHead>,
    known: impl Fn(u64) -> Option<[u8; 32]>,
    event: &Event,
) -> Result<Joined, ErrorCode> {
    let event = chain::check(hub.room, hub.domain, hub.keys, event)?;
    if event.kind != wire::proto::EventKind::Commit {
        return Err(ErrorCode::Malformed);
    }
    let Some(head) = head else { return Ok(Joined::Begin(event)) };
    let after_head = head.seq.saturating_add(1);
    Ok(if event.seq > after_head {
        Joined::Gap(event, after_head)
    } else if event.seq == after_head {
        if event.prev_hash == head.hash { Joined::Next(event) } else { Joined::Forked { seq: event.seq } }
    } else if known(event.seq).is_some_and(|hash| hash != event.hash) {
        Joined::Forked { seq: event.seq }
    } else {
        Joined::Known(event)
    })
}

#[cfg(test)]
mod tests;
