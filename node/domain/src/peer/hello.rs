//! Whose a new connection is, and which of two is kept.

use link::{
    Dialler,
    hello::{self, Here, Pin, Verdict},
};
use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::DocumentRow};
use wire::{
    DomainName, ErrorCode, PublicKey, WireError,
    proto::{PeerHello, PeerMode},
};

use crate::{
    ConnId, Core,
    admin::Act,
    link_table::{Conn, Connected},
    send::Send,
};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_connected(&mut self, conn: ConnId, key: PublicKey, dialled: Option<DomainName>) {
        if let Some(peer) = &dialled {
            let hello = self.hello(peer, 0);
            self.stage(Send::Hello(conn, hello));
        }
        self.links.conns.insert(conn, Connected { key, dialled, peer: None });
    }

    fn hello(&self, peer: &DomainName, peer_knows: u64) -> PeerHello {
        let known = self.links.get(peer).and_then(|peer| peer.chain.as_ref());
        let known_seq = known.map_or(0, |chain| chain.newest().seq());
        let own = &self.config.domain;
        PeerHello {
            instance: bytes::Bytes::copy_from_slice(&self.instance),
            ..hello::make(own, peer, &self.config.documents, peer_knows, known_seq, self.now)
        }
    }

    pub(crate) fn peer_hello(&mut self, conn: ConnId, hello: &PeerHello) {
        let Some(connected) = self.links.conns.get(&conn) else { return };
        if connected.peer.is_some() {
            return self.stage(Send::ClosePeer(conn, ErrorCode::Malformed));
        }
        let (key, dialled) = (connected.key, connected.dialled.clone());
        let here = Here { own: &self.config.domain, tls_key: &key, dialled: dialled.as_ref(), now: self.now };
        let pin = |domain: &DomainName| match self.links.get(domain) {
            None => Pin::None,
            Some(peer) => match &peer.chain {
                Some(chain) => Pin::Chain(chain),
                None => Pin::Fingerprint(&peer.row.fingerprint),
            },
        };
        match hello::check(&here, pin, hello) {
            Verdict::Accepted(accepted) => match self.shut_out(&accepted.peer) {
                Some(error) => self.refuse(conn, hello, error.into(), dialled),
                None => self.accept_peer(conn, dialled.is_some(), instance(hello), accepted),
            },
            Verdict::Held(peer, error) => {
                if let Some(peer) = self.links.get_mut(&peer) {
                    if !peer.row.held || peer.retry.last_error != Some(error) {
                        let (name, error) = (&peer.row.domain, error.name());
                        tracing::error!(peer = %name, error, "the peer's keys do not chain to the pin");
                    }
                    peer.row.held = true;
                    peer.retry.last_error = Some(error);
                }
                self.drain.changed_peers.insert(peer.clone());
                self.notice(Act::PeerHeld, &peer, error.name());
                self.refuse(conn, hello, error.into(), dialled);
            }
            Verdict::Refused(error) => self.refuse(conn, hello, error, dialled),
        }
    }

    // [ADMIN-9] Only who proves to be that domain learns that it is not wanted.
    fn shut_out(&self, peer: &DomainName) -> Option<ErrorCode> {
        match self.links.get(peer)?.row.mode {
            PeerMode::Denied => Some(ErrorCode::Blocked),
            PeerMode::Paused => Some(ErrorCode::Unavailable),
            PeerMode::Open | PeerMode::Unspecified => None,
        }
    }

    fn refuse(&mut self, conn: ConnId, hello: &PeerHello, error: WireError, dialled: Option<DomainName>) {
        if let Some(others) = self.refusals.may_say(self.now) {
            tracing::warn!(error = error.code.name(), others, "a hello was refused");
        }
        if let Some(peer) = &dialled {
            self.contact_failed(peer, error.code);
        } else {
            let answer = hello::refuse(&self.config.domain, hello, error, self.now);
            self.stage(Send::Hello(conn, answer));
        }
        self.links.conns.remove(&conn);
        self.stage(Send::ClosePeer(conn, error.code));
    }

    fn accept_peer(&mut self, conn: ConnId, dialled: bool, instance: [u8; 16], accepted: hello::Accepted) {
        let domain = accepted.peer;
        let dialler = if dialled { Dialler::Us } else { Dialler::Them };
        if !dialled {
            let answer = self.hello(&domain, accepted.peer_knows);
            self.stage(Send::Hello(conn, answer));
        }
        for signed in &accepted.fresh {
            let Ok(document) = identity::DomainDocument::parse(signed) else { continue };
            self.drain.settle_first = true;
            self.drain.batch.push(Write::PutDocument(DocumentRow {
                domain: domain.clone(),
                seq: document.seq(),
                signed: signed.encode_to_vec().into(),
            }));
        }
        let Some(peer) = self.links.get_mut(&domain) else { return };
        if let Some(existing) = peer.conn {
            // [LINK-4] A peer that has started anew knows nothing of the connection that was there.
            let keep = match existing.instance == instance {
                true => link::tie_break(&self.config.domain, &domain, existing.dialler, dialler),
                false => link::Keep::Newer,
            };
            match keep {
                link::Keep::Existing => return self.stage(Send::ClosePeer(conn, ErrorCode::Superseded)),
                link::Keep::Newer => {
                    peer.disconnected();
                    self.stage(Send::ClosePeer(existing.id, ErrorCode::Superseded));
                    self.ask_again(&domain);
                }
            }
        }
        let Some(peer) = self.links.get_mut(&domain) else { return };
        peer.row.endpoints = accepted.chain.newest().endpoints().iter().map(ToString::to_string).collect();
        peer.row.held = false;
        peer.chain = Some(accepted.chain);
        peer.conn = Some(Conn { id: conn, dialler, instance, ours: None, theirs: None });
        peer.dialling = false;
        peer.pulls_due = true;
        let absence_ended = peer.retry.contact();
        let open = peer.outbound.open();
        if let Some(connected) = self.links.conns.get_mut(&conn) {
            connected.peer = Some(domain.clone());
        }
        self.drain.lazy.peers.insert(domain.clone());
        self.drain.lazy.touch(self.now);
        self.stage(Send::OpenLink(conn, open));
        self.send_asked(&domain);
        if absence_ended {
            self.tell_peer_state(&domain);
        }
    }

    pub(crate) fn peer_gone(&mut self, conn: ConnId, error: ErrorCode) {
        let peer = self.links.peer_of(conn);
        let Some(connected) = self.links.conns.remove(&conn) else { return };
        if let Some(peer) = peer {
            self.turns.forget(&peer);
            if let Some(peer) = self.links.get_mut(&peer) {
                peer.disconnected();
            }
            self.contact_failed(&peer, error);
            self.asks_lost(&peer, ErrorCode::Unavailable);
        } else if let (Some(dialled), None) = (&connected.dialled, &connected.peer) {
            // It ended before the other side said who it is.
            self.contact_failed(dialled, error);
        }
    }

    pub(crate) fn dial_failed(&mut self, domain: &DomainName, error: ErrorCode) {
        self.contact_failed(domain, error);
        self.asks_lost(domain, ErrorCode::Unavailable);
    }

    /// An attempt to reach a peer has failed, or the connection to it was lost.
    pub(crate) fn contact_failed(&mut self, domain: &DomainName, error: ErrorCode) {
        let Some(peer) = self.links.peers.get_mut(domain) else { return };
        peer.dialling = false;
        if peer.conn.is_some() {
            return;
        }
        peer.retry.failed(self.now, error, &mut self.entropy);
        self.drain.lazy.peers.insert(domain.clone());
        self.drain.lazy.touch(self.now);
    }
}

fn instance(hello: &PeerHello) -> [u8; 16] {
    hello.instance.as_ref().try_into().unwrap_or_default()
}
