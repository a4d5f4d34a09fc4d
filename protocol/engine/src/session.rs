//! The session with one's own node: what is asked again when it stands, what an answer means.

use machine::Entropy;
use wire::{
    ErrorCode, WireError,
    proto::{
        self, ClientFrame, NodeFrame, SessionReady, client_frame, client_request::Request,
        client_response::Response, node_frame,
    },
};

use crate::{Engine, Notice, Outcome, Warning, request::Purpose, trust::Want};

/// What is known of the session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Everything that was stored when it began is here (rule R1).
    pub(crate) caught_up: bool,
}

impl<E: Entropy> Engine<E> {
    pub(crate) fn connected(&mut self, ready: &SessionReady) {
        self.disconnected();
        self.session = Some(Session::default());
        if self.cursor.store_id != ready.store_id {
            if !self.cursor.store_id.is_empty() {
                self.stage.notify(Notice::Warning(Warning::StoreChanged));
            }
            // What an earlier store had accepted may be lost with it.
            self.intents.unaccept();
            self.cursor.store_id = ready.store_id.clone();
            self.cursor.position = 0;
            self.stage.cursor = true;
            self.doubt_rooms();
        }
        let subscribe =
            proto::Subscribe { store_id: self.cursor.store_id.clone(), after: self.cursor.position };
        self.request(Purpose::Subscribe, Request::Subscribe(subscribe));
        self.ask_for_presence();
        let own = self.keys.account.domain().clone();
        self.trust.wants.want(self.now, Want::Domain(own));
        self.answer_invitations();
        self.refill(ready);
        for room in self.rooms.values_mut() {
            // What was asked of the store comes to nothing: the hub is asked again.
            room.behind |= std::mem::take(&mut room.recalling);
            if room.paused == Some(ErrorCode::BadSignature) {
                room.paused = None;
                room.behind = true;
                self.stage.rooms.insert(room.id);
            }
        }
        self.seek_ways();
    }

    pub(crate) fn disconnected(&mut self) {
        if self.session.take().is_none() {
            return;
        }
        for purpose in self.requests.clear() {
            if let Purpose::Command(command) = purpose {
                self.finish_command(command, Err(ErrorCode::Unavailable.into()));
            }
        }
        self.trust.wants.reset();
        self.intents.claiming.clear();
        self.intents.asking.clear();
        self.intents.shown.clear();
        for room in self.rooms.values_mut() {
            room.pulling = false;
        }
    }

    /// Sends a request, if there is a session; whoever asks asks again on the next one.
    pub(crate) fn request(&mut self, purpose: Purpose, request: Request) {
        if self.session.is_some() {
            let frame = self.requests.make(purpose, request);
            self.stage.send(frame);
        }
    }

    pub(crate) fn acknowledge(&mut self) {
        if self.session.is_some() {
            let ack = client_frame::Frame::Ack(self.cursor.position);
            self.stage.send(ClientFrame { frame: Some(ack) });
        }
    }

    pub(crate) fn frame(&mut self, frame: NodeFrame) {
        if self.session.is_none() {
            return;
        }
        match frame.frame {
            Some(node_frame::Frame::Page(page)) => self.page(page),
            Some(node_frame::Frame::Response(response)) => self.response(response),
            Some(node_frame::Frame::Ephemeral(ephemeral)) => self.ephemeral(&ephemeral),
            Some(node_frame::Frame::Goodbye(error)) => {
                self.stage.notify(Notice::Goodbye(WireError::from(&error)));
            }
            Some(node_frame::Frame::Ready(_)) | None => self.passed(ErrorCode::Malformed),
        }
    }

    /// Something made no sense and is passed over.
    pub(crate) fn passed(&mut self, error: ErrorCode) {
        self.stage.notify(Notice::Warning(Warning::Passed { error }));
    }

    fn response(&mut self, response: proto::ClientResponse) {
        let Some(purpose) = self.requests.take(response.id) else {
            return self.passed(ErrorCode::NotFound);
        };
        let result = match response.response {
            Some(Response::Error(error)) => Err(WireError::from(&error)),
            Some(response) => Ok(response),
            // What says nothing refuses nothing either: it is submitted again on the next session.
            None if matches!(purpose, Purpose::Submit(_)) => return self.passed(ErrorCode::Malformed),
            None => Err(ErrorCode::Malformed.into()),
        };
        match (purpose, result) {
            (Purpose::Submit(message), Ok(Response::Accepted(accepted)))
                if accepted.message_id.as_ref() == message.as_bytes() =>
            {
                self.accepted(message);
            }
            (Purpose::Submit(message), Err(error)) => self.submit_failed(message, error, false),
            (Purpose::Claim(intent), Ok(Response::Claimed(claimed))) => self.claimed(intent, claimed),
            (Purpose::Claim(intent), Err(error)) => self.claim_failed(intent, error),
            (Purpose::Pull(room), Ok(Response::Pulled(pulled))) => self.pulled(room, &pulled),
            (Purpose::Pull(room), Err(error)) => self.pull_failed(room, error.code),
            (Purpose::Group(room, intent), Ok(Response::Group(shown))) => {
                self.group_shown(room, intent, shown);
            }
            (Purpose::Group(room, intent), Ok(_)) => {
                self.group_failed(room, intent, ErrorCode::Malformed.into());
            }
            (Purpose::Group(room, intent), Err(error)) => self.group_failed(room, intent, error),
            (Purpose::Upload(hashes), Ok(_)) => self.uploaded(&hashes),
            (Purpose::Upload(_), Err(error)) => self.passed(error.code),
            (Purpose::Answer(room), result) => self.answered(room, result.err()),
            // A node that has not reached position 0 would be asked for ever.
            (Purpose::Subscribe, Err(error))
                if error.code == ErrorCode::CursorGone && self.cursor.position > 0 =>
            {
                self.cursor.position = 0;
                self.stage.cursor = true;
                self.stage.notify(Notice::Warning(Warning::StoreChanged));
                self.doubt_rooms();
                let store_id = self.cursor.store_id.clone();
                let subscribe = proto::Subscribe { store_id, after: 0 };
                self.request(Purpose::Subscribe, Request::Subscribe(subscribe));
            }
            (Purpose::Subscribe, Ok(_)) => {}
            // A domain may not want it.
            (Purpose::Presence | Purpose::Over, _) => {}
            (Purpose::Subscribe, Err(error)) => self.passed(error.code),
            (purpose @ (Purpose::Domain(_) | Purpose::Account(_)), result) => {
                self.fetched(purpose, result);
            }
            (Purpose::Command(command), result) => {
                let outcome = result.map(|response| match response {
                    Response::PeerStates(states) => Outcome::Peers(states.peers),
                    Response::ContactPolicy(state) => Outcome::ContactPolicy(state),
                    _ => Outcome::Done,
                });
                self.finish_command(command, outcome);
            }
            (Purpose::Submit(_) | Purpose::Claim(_) | Purpose::Pull(_), Ok(_)) => {
                self.passed(ErrorCode::Malformed);
            }
        }
    }

    /// Asks for what has to be judged.
    pub(crate) fn fetch(&mut self) {
        if self.session.is_none() {
            return;
        }
        for want in self.trust.wants.take(self.now) {
            match want {
                Want::Domain(domain) => {
                    let get = proto::GetDomain {
                        domain: domain.to_string(),
                        after_seq: self.trust.domains.seq(&domain),
                    };
                    self.request(Purpose::Domain(domain), Request::GetDomain(get));
                }
                Want::Account(account) => {
                    let get = proto::GetAccount { account: account.to_string() };
                    self.request(Purpose::Account(account), Request::GetAccount(get));
                }
            }
        }
    }

    fn fetched(&mut self, purpose: Purpose, result: Result<Response, WireError>) {
        match (purpose, result) {
            (Purpose::Domain(domain), result) => {
                let learnt = match result {
                    Ok(Response::Domain(documents)) => self.learn_domain(&domain, &documents.documents),
                    Ok(_) => Err(ErrorCode::Malformed),
                    Err(error) => Err(error.code),
                };
                if matches!(learnt, Err(ErrorCode::KeyUnverified | ErrorCode::ForkedLog)) {
                    let warning = Warning::DomainKeyChanged { domain: domain.clone() };
                    self.stage.notify(Notice::Warning(warning));
                }
                self.trust.wants.settled(self.now, Want::Domain(domain), learnt.err());
            }
            (Purpose::Account(account), result) => {
                let learnt = match result {
                    Ok(Response::Account(keys)) => self.trust.learn_account(self.now, &account, &keys),
                    Ok(_) => Err(ErrorCode::Malformed),
                    Err(error) => Err(error.code),
                };
                self.looked_up(&account, &learnt);
                if learnt.is_ok() {
                    self.check_again(&account);
                }
                self.trust.wants.settled(self.now, Want::Account(account), learnt.err());
            }
            _ => {}
        }
        for room in self.rooms.values_mut() {
            let stalled = room.stalled_until.take().is_some();
            room.recheck_at = None;
            if stalled || room.unchecked || !room.waiting.is_empty() {
                self.touched.insert(room.id);
            }
        }
        self.touched.extend(self.joins.look_again());
    }

    /// What is known about an account changed: whoever is in a room with it looks at it again.
    fn check_again(&mut self, account: &wire::Account) {
        for room in self.rooms.values_mut() {
            room.unchecked |= room.members.contains_key(account);
        }
    }

    fn learn_domain(
        &mut self,
        domain: &wire::DomainName,
        documents: &[proto::Signed],
    ) -> Result<(), ErrorCode> {
        let row = self.trust.domains.learn(self.now, domain, documents)?;
        self.stage.put(row);
        Ok(())
    }
}
