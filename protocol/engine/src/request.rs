//! Which answers are awaited on this session, and what each was asked for.

use std::collections::BTreeMap;

use bytes::Bytes;
use wire::{
    Account, DomainName, MessageId, RoomId,
    proto::{ClientFrame, ClientRequest, client_frame, client_request},
};

use crate::CommandId;

/// What a request was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Subscribe,
    /// A submission, by its message id.
    Submit(MessageId),
    /// Key packages for this intent.
    Claim(MessageId),
    /// Key packages of this device, by hash.
    Upload(Vec<Bytes>),
    Pull(RoomId),
    /// A room's group, for coming back into it by this intent.
    Group(RoomId, MessageId),
    Domain(DomainName),
    Account(Account),
    Answer(RoomId),
    Presence,
    /// Nobody waits for it any more.
    Over,
    /// A command that is done when the answer is here.
    Command(CommandId),
}

/// The requests of one session. Each stands for something that is bounded by itself: an intent, a
/// room, a name that is looked up.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    waiting: BTreeMap<u64, Purpose>,
}

impl Requests {
    /// Numbers a request and remembers what it is for. What is looked up again was not answered:
    /// the earlier question is forgotten.
    pub(crate) fn make(&mut self, purpose: Purpose, request: client_request::Request) -> ClientFrame {
        self.last += 1;
        if matches!(purpose, Purpose::Domain(_) | Purpose::Account(_)) {
            self.waiting.retain(|_, other| *other != purpose);
        }
        self.waiting.insert(self.last, purpose);
        ClientFrame {
            frame: Some(client_frame::Frame::Request(ClientRequest {
                id: self.last,
                request: Some(request),
            })),
        }
    }

    /// What the request with this id was for; each is answered once.
    pub(crate) fn take(&mut self, id: u64) -> Option<Purpose> {
        self.waiting.remove(&id)
    }

    /// Nobody waits any more for the answers of requests that fit.
    pub(crate) fn void(&mut self, fits: impl Fn(&Purpose) -> bool) {
        for purpose in self.waiting.values_mut().filter(|purpose| fits(purpose)) {
            *purpose = Purpose::Over;
        }
    }

    /// The session is over: what was asked on it and not answered.
    pub(crate) fn clear(&mut self) -> Vec<Purpose> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}
