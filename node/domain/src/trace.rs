//! What belongs together in the log: a span for each request, batch of a peer and message, of which the
//! log's writer makes a trace. Nothing is decided by it. No account, room or message is in a span, so
//! that spans may leave the machine; a line of the log may name a message.

use std::collections::{BTreeMap, VecDeque};

use tracing::Span;
use wire::{
    DomainName, MessageId, RoomId,
    proto::{Batch, ClientRequest, PeerRequest, client_request, item, peer_request},
};

// [ADMIN-34]
/// The target of every span of a trace.
pub const TARGET: &str = "trace";

/// Messages that wait for their hub and whose span is kept; beyond, the oldest is forgotten, and its
/// message goes on without.
const KEPT_MAX: usize = 4_096;

type Key = (RoomId, MessageId);

/// The spans of messages that another domain is to order, from their acceptance until they are back.
#[derive(Default)]
pub(crate) struct Traces {
    spans: BTreeMap<Key, Span>,
    /// In the order in which they came; may name what is not kept any more.
    order: VecDeque<Key>,
}

impl Traces {
    /// Keeps the current span for a message, if somebody looks at spans.
    pub(crate) fn keep(&mut self, room: RoomId, message: MessageId) {
        let span = Span::current();
        if span.is_disabled() {
            return;
        }
        while self.order.len() >= KEPT_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            self.spans.remove(&oldest);
        }
        self.order.push_back((room, message));
        self.spans.insert((room, message), span);
    }

    /// The span of a message whose fate is known.
    pub(crate) fn take(&mut self, room: RoomId, message: MessageId) -> Option<Span> {
        self.spans.remove(&(room, message))
    }

    /// A batch goes out to a peer: what the messages in it have waited for.
    pub(crate) fn sent(&self, peer: &DomainName, batch: &Batch) {
        if self.spans.is_empty() {
            return;
        }
        for item in &batch.items {
            let Some(item::Item::Submission(submission)) = &item.item else { continue };
            let ids = (
                RoomId::try_from(submission.room.as_ref()),
                MessageId::try_from(submission.message_id.as_ref()),
            );
            let (Ok(room), Ok(message)) = ids else { continue };
            if let Some(span) = self.spans.get(&(room, message)) {
                span.in_scope(|| tracing::debug!(message_id = %message, %peer, "sent to its hub"));
            }
        }
    }
}

/// The span of a device's request.
pub(crate) fn of_request(request: &ClientRequest) -> Span {
    use client_request::Request;
    let kind = match &request.request {
        Some(Request::GetDomain(_)) => "get_domain",
        Some(Request::Enrol(_)) => "enrol",
        Some(Request::GetAccount(_)) => "get_account",
        Some(Request::ClaimKeyPackages(_)) => "claim_key_packages",
        Some(Request::Submit(_)) => "submit",
        Some(Request::UploadKeyPackages(_)) => "upload_key_packages",
        Some(Request::Subscribe(_)) => "subscribe",
        Some(Request::GetGroup(_)) => "get_group",
        Some(Request::PullEvents(_)) => "pull_events",
        Some(Request::AnswerInvitation(_)) => "answer_invitation",
        Some(Request::SetContactPolicy(_)) => "set_contact_policy",
        Some(Request::GetContactPolicy(_)) => "get_contact_policy",
        Some(Request::PeerStates(_)) => "peer_states",
        Some(Request::ShowPresence(_)) => "show_presence",
        None => "unknown",
    };
    tracing::debug_span!(target: TARGET, parent: None, "request", kind)
}

/// The span of a peer's request.
pub(crate) fn of_peer_request(peer: &DomainName, request: &PeerRequest) -> Span {
    use peer_request::Request;
    let kind = match &request.request {
        Some(Request::GetDomain(_)) => "get_domain",
        Some(Request::GetAccount(_)) => "get_account",
        Some(Request::ClaimKeyPackages(_)) => "claim_key_packages",
        Some(Request::PullEvents(_)) => "pull_events",
        Some(Request::GetGroup(_)) => "get_group",
        Some(Request::RoomDomain(_)) => "room_domain",
        Some(Request::Hello(_) | Request::Link(_) | Request::GetBlob(_)) | None => "unknown",
    };
    tracing::debug_span!(target: TARGET, parent: None, "peer_request", kind, %peer)
}

/// The span of a batch of a peer. One without an item, or with what nobody keeps only, has none.
pub(crate) fn of_batch(peer: &DomainName, batch: &Batch) -> Span {
    if batch.items.iter().all(|item| item.number == 0) {
        return Span::none();
    }
    tracing::debug_span!(target: TARGET, parent: None, "batch", %peer, items = batch.items.len())
}
