//! The node: honest by itself, in one task over a real socket; a test makes it lie by giving it the bytes
//! that it says instead of its answer, or besides.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use kit::{RawPeer, RawStream};
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use wire::{
    DomainName, ErrorCode, RoomId,
    proto::{
        Accepted, AccountKeys, ClientFrame, ClientRequest, ClientResponse, DomainDocuments, Done, Entry,
        Event, GetAccount, GetBlob, MediaRequest, NodeFrame, Page, PeerStates, PulledEvents, SessionReady,
        Subscribe, client_frame, client_request::Request, client_response::Response, entry, media_request,
        node_frame,
    },
};

use super::hub::Hub;
use crate::frames::framed;

/// What is said instead of the answer to a frame; `None`: the honest answer.
pub(super) type Lie = Box<dyn FnMut(&ClientFrame) -> Option<Vec<u8>> + Send>;

/// The bytes that answer a request for a piece of a blob.
pub(super) type Pieces = Box<dyn FnMut(&GetBlob) -> Vec<u8> + Send>;

/// What the node does besides answering.
enum Act {
    Say(Vec<u8>),
    /// Ends its side of the session stream.
    Finish,
    /// Breaks the session stream off.
    Reset,
    /// Closes the connection.
    Close(u32),
}

struct State {
    hub: Hub,
    documents: Vec<wire::proto::Signed>,
    store_id: Bytes,
    /// What the device is to be told, position 1 first.
    entries: Vec<Entry>,
    lie: Option<Lie>,
    pieces: Option<Pieces>,
    session: Option<mpsc::UnboundedSender<Act>>,
    /// The device has said how far it wants to hear, on this session.
    subscribed: bool,
}

type Shared = Arc<Mutex<State>>;

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A home node and hub for alice and bob of acme.test.
pub(super) struct HomeNode {
    peer: Arc<RawPeer>,
    state: Shared,
    door: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for HomeNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HomeNode {
    pub(super) fn start() -> Result<Self> {
        let peer = Arc::new(RawPeer::new("acme.test")?);
        let state = State {
            hub: Hub::new(&peer)?,
            documents: peer.documents.clone(),
            store_id: Bytes::from_static(&[1; 16]),
            entries: Vec::new(),
            lie: None,
            pieces: None,
            session: None,
            subscribed: false,
        };
        let state = Arc::new(Mutex::new(state));
        let (door, is_open) = watch::channel(true);
        let task = tokio::spawn(listen(Arc::clone(&peer), Arc::clone(&state), is_open));
        Ok(Self { peer, state, door, task })
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.peer.address()
    }

    pub(super) fn fingerprint(&self) -> [u8; 32] {
        self.peer.fingerprint()
    }

    pub(super) fn peer(&self) -> &RawPeer {
        &self.peer
    }

    /// Lets devices in, or leaves them waiting.
    pub(super) fn open(&self, open: bool) {
        self.door.send_replace(open);
    }

    pub(super) fn lie(&self, lie: Lie) {
        lock(&self.state).lie = Some(lie);
    }

    /// How requests for pieces are answered.
    pub(super) fn give(&self, pieces: Pieces) {
        lock(&self.state).pieces = Some(pieces);
    }

    pub(super) fn be_honest(&self) {
        lock(&self.state).lie = None;
    }

    pub(super) fn present(&self, documents: Vec<wire::proto::Signed>) {
        lock(&self.state).documents = documents;
    }

    pub(super) fn set_store(&self, id: &'static [u8]) {
        lock(&self.state).store_id = Bytes::from_static(id);
    }

    fn act(&self, act: Act) -> Result<()> {
        let state = lock(&self.state);
        let session = state.session.as_ref().context("there is no session")?;
        session.send(act).ok().context("the session has ended")
    }

    /// Says any bytes on the session stream.
    pub(super) fn say_bytes(&self, bytes: Vec<u8>) -> Result<()> {
        self.act(Act::Say(bytes))
    }

    pub(super) fn finish(&self) -> Result<()> {
        self.act(Act::Finish)
    }

    pub(super) fn reset(&self) -> Result<()> {
        self.act(Act::Reset)
    }

    pub(super) fn close(&self, code: u32) -> Result<()> {
        self.act(Act::Close(code))
    }

    pub(super) fn has_packages(&self) -> bool {
        lock(&self.state).hub.has_packages()
    }

    /// Bob founds a room with alice in it.
    pub(super) fn found_room(&self) -> Result<RoomId> {
        let mut state = lock(&self.state);
        let (room, join) = state.hub.found()?;
        state.tell(entry::Entry::Join(join));
        Ok(room)
    }

    /// Bob says something.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        let mut state = lock(&self.state);
        let event = state.hub.say(text)?;
        state.tell(entry::Entry::Event(event));
        Ok(())
    }

    /// Bob says anything.
    pub(super) fn say_content(&self, kind: wire::proto::content::Kind) -> Result<()> {
        let mut state = lock(&self.state);
        let event = state.hub.say_content(kind)?;
        state.tell(entry::Entry::Event(event));
        Ok(())
    }

    /// Does something as the hub, of which the device is not told by itself.
    pub(super) fn as_hub<T>(&self, act: impl FnOnce(&mut Hub) -> Result<T>) -> Result<T> {
        act(&mut lock(&self.state).hub)
    }

    /// An event that the device is told under the next position.
    pub(super) fn tell(&self, event: Event) {
        lock(&self.state).tell(entry::Entry::Event(event));
    }

    /// What bob has heard of alice.
    pub(super) fn heard(&self) -> Vec<String> {
        lock(&self.state).hub.heard.clone()
    }
}

impl State {
    fn tell(&mut self, entry: entry::Entry) {
        let position = self.entries.len() as u64 + 1;
        let entry = Entry { position, entry: Some(entry) };
        self.entries.push(entry.clone());
        if self.subscribed
            && let Some(session) = &self.session
        {
            let page = Page { entries: vec![entry], caught_up: true };
            // A session that has ended is told on the next one.
            let _ = session.send(Act::Say(frame(node_frame::Frame::Page(page))));
        }
    }

    /// The bytes that answer a frame.
    fn answer(&mut self, asked: &ClientFrame) -> Result<Vec<u8>> {
        if let Some(lie) = self.lie.as_mut()
            && let Some(bytes) = lie(asked)
        {
            return Ok(bytes);
        }
        Ok(match asked.frame.as_ref().context("an empty frame")? {
            client_frame::Frame::Hello(_) => frame(node_frame::Frame::Ready(self.ready())),
            client_frame::Frame::Request(request) => self.respond(request)?,
            client_frame::Frame::Ack(_) | client_frame::Frame::Ephemeral(_) => Vec::new(),
        })
    }

    fn ready(&self) -> SessionReady {
        SessionReady {
            time_ms: net::now().as_ms(),
            store_id: self.store_id.clone(),
            head: self.entries.len() as u64,
            key_packages: self.hub.one_time_packages(),
            last_resort: true,
        }
    }

    fn respond(&mut self, request: &ClientRequest) -> Result<Vec<u8>> {
        let mut behind = Vec::new();
        let response = match request.request.as_ref().context("an empty request")? {
            Request::Subscribe(subscribe) => self.subscribe(subscribe, &mut behind),
            Request::Submit(submission) => {
                let event = self.hub.order(submission)?;
                let accepted = Accepted { message_id: submission.message_id.clone() };
                let mut bytes = response(request.id, Response::Accepted(accepted));
                if let Some(event) = event {
                    self.tell(entry::Entry::Event(event));
                }
                return Ok(std::mem::take(&mut bytes));
            }
            other => self.look(other)?,
        };
        let mut bytes = self::response(request.id, response);
        bytes.append(&mut behind);
        Ok(bytes)
    }

    fn subscribe(&mut self, subscribe: &Subscribe, behind: &mut Vec<u8>) -> Response {
        let Some(entries) = usize::try_from(subscribe.after).ok().and_then(|after| self.entries.get(after..))
        else {
            return Response::Error(ErrorCode::CursorGone.into());
        };
        self.subscribed = true;
        let page = Page { entries: entries.to_vec(), caught_up: true };
        *behind = frame(node_frame::Frame::Page(page));
        Response::Done(Done {})
    }

    fn look(&mut self, request: &Request) -> Result<Response> {
        Ok(match request {
            Request::GetDomain(get) => {
                let own = get.domain == "acme.test";
                let skip = usize::try_from(get.after_seq)?.min(self.documents.len());
                match own {
                    true => Response::Domain(DomainDocuments { documents: self.documents[skip..].to_vec() }),
                    false => Response::Error(ErrorCode::NotFound.into()),
                }
            }
            Request::Enrol(enrol) => Response::Account(self.hub.enrol(enrol.keys.as_ref().context("keys")?)?),
            Request::GetAccount(GetAccount { account }) => match self.hub.keys_of(account) {
                Some(keys) => Response::Account(keys),
                None => Response::Error(ErrorCode::NotFound.into()),
            },
            Request::UploadKeyPackages(upload) => {
                self.hub.packages.extend(upload.packages.iter().cloned());
                Response::Done(Done {})
            }
            Request::PullEvents(pull) => {
                let from = usize::try_from(pull.from_seq)?.saturating_sub(1).min(self.hub.log.len());
                let events = self.hub.log[from..].to_vec();
                Response::Pulled(PulledEvents { events, end: true })
            }
            Request::SetContactPolicy(_) | Request::AnswerInvitation(_) => Response::Done(Done {}),
            Request::PeerStates(_) => Response::PeerStates(PeerStates::default()),
            other => bail!("{other:?} is not asked by a device here"),
        })
    }
}

fn frame(frame: node_frame::Frame) -> Vec<u8> {
    framed(&NodeFrame { frame: Some(frame) }.encode_to_vec())
}

/// A response to a request of this number.
pub(super) fn response(id: u64, response: Response) -> Vec<u8> {
    frame(node_frame::Frame::Response(ClientResponse { id, response: Some(response) }))
}

async fn listen(peer: Arc<RawPeer>, state: Shared, door: watch::Receiver<bool>) {
    // Nobody comes for a while: the next one.
    loop {
        let Ok(incoming) = peer.incoming().await else { continue };
        let (state, mut door) = (Arc::clone(&state), door.clone());
        // Who has gone away again holds up no other.
        tokio::spawn(async move {
            let connection = incoming.accept()?.await?;
            door.wait_for(|open| *open).await?;
            serve(connection, state).await
        });
    }
}

/// Answers requests for pieces, on streams beside the session's.
async fn serve_media(connection: quinn::Connection, state: Shared) {
    while let Ok((send, receive)) = connection.accept_bi().await {
        let (mut stream, state) = (RawStream::new(send, receive), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok(Some(asked)) = stream.read::<MediaRequest>().await {
                let Some(media_request::Request::Get(get)) = asked.request else { return };
                let bytes = lock(&state).pieces.as_mut().map(|pieces| pieces(&get)).unwrap_or_default();
                if stream.write_bytes(&bytes).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn serve(connection: quinn::Connection, state: Shared) -> Result<()> {
    let mut stream = RawStream::accept(&connection).await?;
    tokio::spawn(serve_media(connection.clone(), Arc::clone(&state)));
    let (acts, mut to_do) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            asked = stream.read::<ClientFrame>() => {
                let Some(asked) = asked? else { return Ok(()) };
                let bytes = {
                    let mut state = lock(&state);
                    if matches!(asked.frame, Some(client_frame::Frame::Hello(_))) {
                        state.session = Some(acts.clone());
                        state.subscribed = false;
                    }
                    state.answer(&asked)?
                };
                stream.write_bytes(&bytes).await?;
            }
            Some(act) = to_do.recv() => match act {
                Act::Say(bytes) => stream.write_bytes(&bytes).await?,
                Act::Finish => stream.finish(),
                Act::Reset => stream.reset(),
                Act::Close(code) => connection.close(code.into(), b"\x1b[2J"),
            },
        }
    }
}

/// The domain of all of them.
pub(super) fn acme() -> Result<DomainName> {
    Ok("acme.test".parse()?)
}

/// Keys that this domain has countersigned.
pub(super) fn countersigned(peer_binding: &wire::SecretKey, keys: &AccountKeys) -> Result<AccountKeys> {
    let proposed = identity::AccountBinding::parse(keys.binding.as_ref().context("a binding")?)?;
    let binding = proposed.countersign(peer_binding).signed().clone();
    Ok(AccountKeys { binding: Some(binding), ..keys.clone() })
}
