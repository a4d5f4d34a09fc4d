//! Who is connected at this moment, as the core's thread knows it, and the way of each output to the
//! connection that it is for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use domain::{AdminId, ConnId, Input, MediaAsk, MediaGrant, MediaId, Output, RequestId, SessionId, StreamId};
use tokio::sync::oneshot;
use wire::{DomainName, ErrorCode, PublicKey, WireError, limits, proto};

use crate::{
    federation::{Command, Dialler, Frames},
    judge::Judge,
    media::{Granted, Grants},
    outgoing::Outgoing,
    strangers::Stranger,
};

/// One thing for the core's thread to take note of.
#[derive(Debug)]
pub(crate) enum Job {
    /// An input that brings nothing to hold on to.
    Input(Input),
    /// A session, the queue of its writer, and its place among the strangers until it has proved
    /// itself.
    SessionOpened(SessionId, [u8; 32], Arc<Outgoing<Bytes>>, Stranger),
    /// A peer's connection and the queue of what it is to do.
    PeerConnected(ConnId, PublicKey, Option<DomainName>, Arc<Outgoing<Command>>),
    /// A link stream and the queue of its writer; what the peer said first, if it was the opener.
    LinkStream(ConnId, StreamId, Option<proto::LinkOpen>, Arc<Frames>),
    /// A peer's request and where its answer is awaited.
    PeerRequest(ConnId, RequestId, proto::PeerRequest, oneshot::Sender<proto::PeerResponse>),
    /// An administrator's request and where its answer is awaited.
    Admin(AdminId, proto::AdminRequest, Option<u32>, oneshot::Sender<proto::AdminResponse>),
    /// A question about a blob and where its answer is awaited.
    Media(MediaId, MediaAsk, Grants),
    /// This is how peers are dialled and who judges secrets. The first job of all.
    Outside(Dialler, Judge),
    /// Decide what came before this, then end the thread.
    Stop,
}

/// The ends of everything that is open.
#[derive(Default)]
pub(crate) struct Dispatcher {
    sessions: HashMap<SessionId, Device>,
    peers: BTreeMap<ConnId, Peer>,
    admins: BTreeMap<AdminId, oneshot::Sender<proto::AdminResponse>>,
    media: BTreeMap<MediaId, Grants>,
    dialler: Option<Dialler>,
    judge: Option<Judge>,
}

struct Device {
    outgoing: Arc<Outgoing<Bytes>>,
    stranger: Option<Stranger>,
}

struct Peer {
    key: PublicKey,
    commands: Arc<Outgoing<Command>>,
    streams: BTreeMap<StreamId, Arc<Frames>>,
    requests: BTreeMap<RequestId, oneshot::Sender<proto::PeerResponse>>,
}

impl Dispatcher {
    /// Takes note of what a job brings and gives back what the core is to know of it.
    pub(crate) fn register(&mut self, job: Job) -> Option<Input> {
        Some(match job {
            Job::Input(input) => {
                self.forget(&input);
                input
            }
            Job::SessionOpened(session, exporter, outgoing, stranger) => {
                let network = stranger.network();
                self.sessions.insert(session, Device { outgoing, stranger: Some(stranger) });
                Input::SessionOpened { session, exporter, network }
            }
            Job::PeerConnected(conn, key, dialled, commands) => {
                if self.peers.values().filter(|peer| peer.key == key).count() >= limits::PEER_CONNECTIONS_MAX
                {
                    commands.end(ErrorCode::Quota);
                    return None;
                }
                let peer = Peer { key, commands, streams: BTreeMap::new(), requests: BTreeMap::new() };
                self.peers.insert(conn, peer);
                Input::PeerConnected { conn, key, dialled }
            }
            Job::LinkStream(conn, stream, open, frames) => {
                self.peers.get_mut(&conn)?.streams.insert(stream, frames);
                Input::LinkOpened { conn, stream, open: open? }
            }
            Job::PeerRequest(conn, request, body, answer) => {
                self.peers.get_mut(&conn)?.requests.insert(request, answer);
                Input::PeerRequest { conn, request, body }
            }
            Job::Admin(id, request, uid, answer) => {
                self.admins.insert(id, answer);
                Input::Admin { id, request, uid }
            }
            Job::Media(id, ask, answer) => {
                self.media.insert(id, answer);
                Input::Media { id, ask }
            }
            Job::Outside(dialler, judge) => {
                self.dialler = Some(dialler);
                self.judge = Some(judge);
                return None;
            }
            Job::Stop => return None,
        })
    }

    fn forget(&mut self, input: &Input) {
        match input {
            Input::SessionClosed { session } => drop(self.sessions.remove(session)),
            Input::PeerGone { conn, .. } => drop(self.peers.remove(conn)),
            _ => {}
        }
    }

    /// Hands an output to whom it is for. Whoever is gone needs nothing any more.
    pub(crate) fn dispatch(&mut self, output: Output) {
        match output {
            Output::ToSession { session, frame, stored } => match self.sessions.get(&session) {
                Some(device) if stored => device.outgoing.push(frame),
                Some(device) => device.outgoing.push_if_read(frame),
                None => {}
            },
            Output::SessionProved { session } => {
                if let Some(device) = self.sessions.get_mut(&session) {
                    device.stranger = None;
                    device.outgoing.know();
                }
            }
            Output::CloseSession { session, code } => {
                if let Some(device) = self.sessions.get(&session) {
                    device.outgoing.end(code);
                }
            }
            Output::ToLink { conn, stream, frame } => {
                if let Some(frames) = self.peers.get(&conn).and_then(|peer| peer.streams.get(&stream)) {
                    frames.push(frame);
                }
            }
            Output::PeerResponse { conn, request, response } => {
                let answer = self.peers.get_mut(&conn).and_then(|peer| peer.requests.remove(&request));
                if let Some(answer) = answer {
                    // An error means that the stream is gone.
                    let _ = answer.send(response);
                }
            }
            Output::ToPeer { conn, hello } => self.command(conn, Command::Hello(hello)),
            Output::OpenLink { conn, open } => self.command(conn, Command::OpenLink(open)),
            Output::PeerRequest { conn, request, body } => {
                self.command(conn, Command::Request(request, body));
            }
            Output::ClosePeer { conn, code } => {
                if let Some(peer) = self.peers.get(&conn) {
                    peer.close(code);
                }
            }
            Output::ToAdmin { id, response } => {
                if let Some(answer) = self.admins.remove(&id) {
                    // An error means that the administrator hung up.
                    let _ = answer.send(response);
                }
            }
            Output::Media { id, answer } => self.grant(id, answer),
            Output::Dial { domain, endpoints } => {
                if let Some(dialler) = &self.dialler {
                    dialler.dial(domain, endpoints);
                }
            }
            Output::Prove { proof, question } => {
                if let Some(judge) = &self.judge {
                    judge.ask(proof, question);
                }
            }
            // The loop in `core` does these itself.
            Output::Persist(..) | Output::WakeAt(_) => {}
        }
    }

    fn grant(&mut self, id: MediaId, answer: Result<MediaGrant, WireError>) {
        let Some(grants) = self.media.remove(&id) else { return };
        let granted = answer.and_then(|grant| match grant {
            MediaGrant::Device(account) => Ok(Granted::Device(account)),
            MediaGrant::Peer => Ok(Granted::Peer),
            MediaGrant::Elsewhere(conn) => {
                let peer = self.peers.get(&conn).ok_or(ErrorCode::Unavailable)?;
                Ok(Granted::Elsewhere(Arc::clone(&peer.commands)))
            }
        });
        // An error means that whoever asked is gone.
        let _ = grants.send(granted);
    }

    fn command(&self, conn: ConnId, command: Command) {
        if let Some(peer) = self.peers.get(&conn) {
            peer.commands.push(command);
        }
    }
}

impl Peer {
    fn close(&self, code: ErrorCode) {
        for frames in self.streams.values() {
            frames.end(code);
        }
        self.commands.end(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_has_a_few_connections_and_the_next_when_one_of_them_is_gone() {
        let mut dispatcher = Dispatcher::default();
        let key = wire::SecretKey::from_seed(&[7; 32].into()).public();
        let connect = |dispatcher: &mut Dispatcher, number: usize| {
            let commands = Arc::new(Outgoing::new(10));
            let conn = ConnId(number as u64);
            let input = dispatcher.register(Job::PeerConnected(conn, key, None, Arc::clone(&commands)));
            (input.is_some(), commands)
        };
        for number in 0..limits::PEER_CONNECTIONS_MAX {
            assert!(connect(&mut dispatcher, number).0);
        }
        let (taken, commands) = connect(&mut dispatcher, 100);
        assert!(!taken);
        assert_eq!(commands.ended().await, ErrorCode::Quota);
        let gone = Input::PeerGone { conn: ConnId(0), error: ErrorCode::Unavailable };
        dispatcher.register(Job::Input(gone));
        assert!(connect(&mut dispatcher, 101).0);
    }
}
