//! Which input is decided where, and which must wait for what was decided before it.

use machine::Entropy;
use store::Store;
use wire::{
    Account, DeviceId, DomainName, ErrorCode, WireError, limits,
    proto::{
        ClientFrame, ClientRequest, EventKind, PeerRequest, Submission, client_frame, client_request,
        client_response, peer_request, peer_response,
    },
};

use crate::{
    ConnId, Core, Input, Network, RequestId, SessionId, pace::cost, send::Send, session::Session, trace,
};

impl<S: Store, E: Entropy> Core<S, E> {
    /// Decides one input.
    pub(crate) fn dispatch(&mut self, input: Input) {
        match input {
            Input::SessionOpened { session, exporter, network } => {
                self.session_opened(session, exporter, network);
            }
            Input::ClientFrame { session, frame } => self.client_frame(session, frame),
            Input::SessionClosed { session } => self.close_session(session),
            Input::PeerConnected { conn, key, dialled } => self.peer_connected(conn, key, dialled),
            Input::PeerHello { conn, hello } => self.peer_hello(conn, &hello),
            Input::LinkOpened { conn, stream, open } => self.link_opened(conn, stream, &open),
            Input::LinkFrame { conn, stream, frame } => self.link_frame(conn, stream, frame),
            Input::PeerRequest { conn, request, body } => self.peer_request(conn, request, body),
            Input::PeerAnswer { request, answer, .. } => {
                let _entered = self.waiting.span(request).entered();
                self.take_answer(request, answer);
            }
            Input::PeerGone { conn, error } => self.peer_gone(conn, error),
            Input::DialFailed { domain, error } => self.dial_failed(&domain, error),
            Input::Admin { id, request, uid } => {
                if let Some(response) = self.admin(id, request, uid) {
                    self.stage(Send::Admin(id, response));
                }
            }
            Input::Proved { proof, verdict } => self.proved(proof, verdict),
            Input::Media { id, ask } => self.media(id, ask),
            Input::Tick => {
                self.woken();
                self.asks_expired();
                self.watch_peers();
                self.watch_restoring();
            }
            Input::Drain => self.begin_draining(),
        }
    }

    /// Whether an input reads from the store what an earlier one of the same drain may have changed.
    pub(crate) fn must_see_committed(&self, input: &Input) -> bool {
        match input {
            Input::ClientFrame { frame, .. } => match &frame.frame {
                Some(client_frame::Frame::Hello(_)) => true,
                Some(client_frame::Frame::Request(request)) => match &request.request {
                    Some(client_request::Request::Submit(submission)) => changes_members(submission),
                    Some(
                        client_request::Request::PullEvents(_) | client_request::Request::ShowPresence(_),
                    )
                    | None => false,
                    Some(_) => true,
                },
                _ => false,
            },
            Input::PeerHello { .. }
            | Input::PeerRequest { .. }
            | Input::Admin { .. }
            | Input::Proved { .. }
            | Input::Media { .. } => true,
            _ => false,
        }
    }

    fn session_opened(&mut self, session: SessionId, exporter: [u8; 32], network: Network) {
        if self.draining {
            return self.goodbye(session, ErrorCode::Draining.into());
        }
        self.sessions.open(session, Session::new(exporter, network, self.now));
    }

    fn client_frame(&mut self, id: SessionId, frame: ClientFrame) {
        let Some(session) = self.sessions.get(id) else { return };
        let device = session.device.clone();
        match (frame.frame, device) {
            (Some(client_frame::Frame::Hello(hello)), _) => self.session_hello(id, &hello),
            (Some(client_frame::Frame::Request(request)), device) => self.client_request(id, device, request),
            (Some(client_frame::Frame::Ack(position)), Some((account, device))) => {
                self.device_ack(id, (&account, device), position);
            }
            (Some(client_frame::Frame::Ephemeral(message)), Some((account, _))) => {
                // Nobody waits for it: one too many is dropped.
                if self.pace(&account, limits::COST_EPHEMERAL).is_ok() {
                    self.ephemeral(id, &account, &message);
                }
            }
            (Some(_), None) => self.goodbye(id, ErrorCode::AuthFailed.into()),
            (None, _) => self.goodbye(id, ErrorCode::Malformed.into()),
        }
    }

    fn client_request(&mut self, id: SessionId, device: Option<(Account, DeviceId)>, request: ClientRequest) {
        use client_request::Request;
        use client_response::Response;
        let _entered = trace::of_request(&request).entered();
        let number = request.id;
        if let Some((account, _)) = &device
            && let Err(error) = self.pace(account, cost(request.request.as_ref()))
        {
            return self.respond(id, number, Err(error));
        }
        let response: Result<Response, WireError> = match (request.request, device) {
            // [SYNC-4] What may be asked without a session.
            (Some(Request::GetDomain(asked)), device) => {
                self.get_domain(&asked, device.is_some()).map(Response::Domain).map_err(Into::into)
            }
            (Some(Request::Enrol(asked)), _) => return self.enrol(id, number, asked),
            (None, _) => Err(ErrorCode::Unsupported.into()),
            (Some(_), None) => Err(ErrorCode::AuthFailed.into()),
            (Some(Request::GetAccount(asked)), Some(_)) => return self.get_account(id, number, asked),
            (Some(Request::ClaimKeyPackages(asked)), Some((account, _))) => {
                return self.claim_key_packages(id, number, &account, asked);
            }
            (Some(Request::Submit(submission)), Some((account, device))) => {
                self.submit((&account, device), submission).map(Response::Accepted)
            }
            (Some(Request::UploadKeyPackages(asked)), Some((account, device))) => {
                self.upload_key_packages((&account, device), &asked).map(Response::Done).map_err(Into::into)
            }
            (Some(Request::Subscribe(asked)), Some((account, device))) => {
                self.subscribe(id, (&account, device), &asked).map(Response::Done).map_err(Into::into)
            }
            (Some(Request::GetGroup(asked)), Some((account, device))) => {
                return self.get_group(id, number, (&account, device), &asked);
            }
            (Some(Request::PullEvents(asked)), Some((account, _))) => {
                self.pull_events(&account, &asked).map(Response::Pulled).map_err(Into::into)
            }
            (Some(Request::AnswerInvitation(asked)), Some((account, _))) => {
                self.answer_invitation(&account, &asked).map(Response::Done).map_err(Into::into)
            }
            (Some(Request::SetContactPolicy(asked)), Some((account, _))) => {
                self.set_contact_policy(&account, &asked).map(Response::Done).map_err(Into::into)
            }
            (Some(Request::GetContactPolicy(_)), Some((account, _))) => {
                self.get_contact_policy(&account).map(Response::ContactPolicy).map_err(Into::into)
            }
            (Some(Request::ShowPresence(asked)), Some((account, _))) => {
                self.show_presence(id, &account, &asked).map(Response::Done).map_err(Into::into)
            }
            (Some(Request::PeerStates(asked)), Some(_)) => {
                self.peer_states(&asked).map(Response::PeerStates).map_err(Into::into)
            }
        };
        self.respond(id, number, response);
    }

    fn peer_request(&mut self, conn: ConnId, id: RequestId, request: PeerRequest) {
        use peer_request::Request;
        let Some(peer) = self.links.peer_of(conn) else {
            let error = peer_response::Response::Error(ErrorCode::AuthFailed.into());
            return self.stage(Send::Answer(conn, id, error));
        };
        let _entered = trace::of_peer_request(&peer, &request).entered();
        let whole_group = matches!(request.request, Some(Request::GetGroup(_)));
        let count = if whole_group { limits::PEER_REQUESTS_GROUP_COUNTS } else { 1 };
        if let Err(error) = self.pace_peer(&peer, count) {
            return self.stage(Send::Answer(conn, id, peer_response::Response::Error(error.into())));
        }
        let response = match &request.request {
            Some(Request::GetDomain(asked)) => self.peer_get_domain(asked),
            Some(Request::GetAccount(asked)) => self.peer_get_account(asked),
            Some(Request::ClaimKeyPackages(asked)) => self.peer_claim(&peer, asked),
            Some(Request::PullEvents(asked)) => self.peer_pull(&peer, asked),
            Some(Request::GetGroup(asked)) => self.peer_get_group(&peer, asked),
            Some(Request::RoomDomain(asked)) => self.peer_room_domain(&peer, asked),
            // The driver reads blobs, and asks with `Input::Media`.
            Some(Request::Hello(_) | Request::Link(_) | Request::GetBlob(_)) => Err(ErrorCode::Malformed),
            None => Err(ErrorCode::Unsupported),
        };
        let response = response.unwrap_or_else(|error| peer_response::Response::Error(error.into()));
        self.stage(Send::Answer(conn, id, response));
    }

    // [LINK-15]
    pub(crate) fn pace_peer(&mut self, peer: &DomainName, count: usize) -> Result<(), WireError> {
        let peer = self.links.get_mut(peer).ok_or(ErrorCode::Internal)?;
        let (rate, burst) = (limits::PEER_REQUESTS_PER_SECOND_MAX, limits::PEER_REQUESTS_BURST);
        let wait = peer.requests.take(count, self.now, rate, burst);
        wait.map_err(|retry_after_ms| WireError { code: ErrorCode::RateLimited, retry_after_ms, value: 0 })
    }

    fn begin_draining(&mut self) {
        self.draining = true;
        for session in self.sessions.ids() {
            self.goodbye(session, ErrorCode::Draining.into());
        }
        let conns: Vec<ConnId> = self.links.conns.keys().copied().collect();
        for conn in conns {
            self.stage(Send::ClosePeer(conn, ErrorCode::Draining));
        }
    }
}

/// Whether a submission founds a room or may change who is in it.
pub(crate) const fn changes_members(submission: &Submission) -> bool {
    let kind = submission.kind;
    kind == EventKind::Commit as i32 || kind == EventKind::Founding as i32
}
