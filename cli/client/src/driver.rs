//! Runs the engine in the process that owns the device: inputs in, then everything that comes out,
//! in order. What was decided together is written in one transaction, and nothing of it is sent or
//! shown before that transaction is on disk (rule R3).

mod answer;
mod files;
mod looks;
mod outgoing;
mod people;
mod receipts;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use engine::{CommandId, Engine, Input, Notice, Output};
use machine::{Machine as _, Timestamp};
use tokio::sync::{broadcast, mpsc, oneshot};
use wire::{Account, DeviceId, ErrorCode, RoomId, proto::ClientFrame};

use crate::{
    ClientError,
    clock::{self, SystemEntropy},
    device::Ownership,
    notify::Notifies,
    profile::Profile,
    request::{Ask, Reply, Request},
    seal::{Protection, SealedDir},
    session::{self, Keeper, SessionEvent},
    share::{Begun, Served},
    store::Store,
    view::{Happening, PeerView, Person},
};

use files::Files;
use outgoing::Outgoing;

/// Inputs that are decided together, and so share one transaction.
const INPUTS_AT_ONCE: usize = 128;
/// After a failed write the store is tried again this often.
const STORE_RETRY: std::time::Duration = std::time::Duration::from_secs(1);

/// Message keys that were deleted stand in the store's files for at most so long.
const PURGE_AFTER_MS: u64 = 60_000;

type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// Why a driver ended.
pub(crate) enum End {
    /// All handles are gone, or one asked for it.
    Closed(Option<oneshot::Sender<()>>),
    /// Somebody locked the device and waits for it.
    Locked(Answer),
    /// A write failed; the engine is of no use any more.
    Failed,
}

/// The engine with all that surrounds it.
pub(crate) struct Driver {
    engine: Engine<SystemEntropy>,
    store: Store,
    protection: Protection,
    account: Account,
    device: DeviceId,
    pending: BTreeMap<CommandId, Pending>,
    last_command: u64,
    happenings: broadcast::Sender<Happening>,
    events: mpsc::Receiver<SessionEvent>,
    _keeper: Keeper,
    session: Option<mpsc::Sender<ClientFrame>>,
    outgoing: Outgoing,
    own: Person,
    notices: Vec<Notice>,
    changed_rooms: BTreeSet<RoomId>,
    wake: Option<Timestamp>,
    purge_at: Option<Timestamp>,
    endpoint: String,
    problem: Option<String>,
    shut_out: Option<ErrorCode>,
    peers: BTreeMap<String, PeerView>,
    present: BTreeSet<Account>,
    files: Files,
    counted: BTreeMap<RoomId, unread::Counted>,
    notifies: Notifies,
    dir: SealedDir,
    _ownership: std::sync::Arc<Ownership>,
}

struct Pending {
    answer: Answer,
    when_queued: bool,
    all_peers: bool,
}

impl Driver {
    /// Opens store and engine and begins to dial.
    ///
    /// # Errors
    /// `NoDevice`, `Storage`, `NewerSchema`, `Refused` if the store holds what cannot have been
    /// written.
    pub(crate) async fn open(
        dir: &SealedDir,
        ownership: std::sync::Arc<Ownership>,
        happenings: broadcast::Sender<Happening>,
    ) -> Result<Self, ClientError> {
        let profile = Profile::load(dir)?;
        let mut store = match profile.stored {
            true => Store::reopen(dir).await?,
            false => Store::open(dir).await?,
        };
        if !profile.stored {
            Profile::mark_stored(dir)?;
        }
        let purge_at = store.is_dirty().then(|| clock::now().plus_ms(PURGE_AFTER_MS));
        let mut snapshot = store.snapshot().await?;
        snapshot.pin(profile.keys.account.domain(), profile.home.fingerprint);
        let (account, device) = (profile.keys.account.clone(), profile.keys.device);
        let engine = Engine::open(profile.keys.clone(), snapshot, SystemEntropy, clock::now())?;
        let own = people::own(&profile)?;
        let endpoint = profile.home.endpoints.first().cloned().unwrap_or_default();
        let (events, keeper) = session::keep(dir.clone(), profile.home, profile.keys);
        let files = Files::new(dir.dir());
        let mut driver = Self {
            engine,
            store,
            protection: dir.protection(),
            account,
            device,
            pending: BTreeMap::new(),
            last_command: 0,
            happenings,
            events,
            _keeper: keeper,
            session: None,
            outgoing: Outgoing::default(),
            own,
            notices: Vec::new(),
            changed_rooms: BTreeSet::new(),
            wake: None,
            purge_at,
            endpoint,
            problem: None,
            shut_out: None,
            peers: BTreeMap::new(),
            present: BTreeSet::new(),
            files,
            counted: BTreeMap::new(),
            notifies: Notifies::load(dir)?,
            dir: dir.clone(),
            _ownership: ownership,
        };
        driver.resume_uploads().await?;
        Ok(driver)
    }

    /// Runs until it is closed or the store fails.
    pub(crate) async fn run(&mut self, asks: &mut mpsc::Receiver<Ask>) -> End {
        if self.settle().await.is_err() {
            return End::Failed;
        }
        let mut waiting_asks = Vec::new();
        let mut waiting_events = Vec::new();
        loop {
            let wake = self.wake;
            tokio::select! {
                count = asks.recv_many(&mut waiting_asks, INPUTS_AT_ONCE) => {
                    if count == 0 {
                        return End::Closed(None);
                    }
                }
                count = self.events.recv_many(&mut waiting_events, INPUTS_AT_ONCE) => {
                    if count == 0 {
                        return End::Failed;
                    }
                }
                event = self.files.next() => {
                    if self.file_event(event).await.is_err() {
                        return End::Failed;
                    }
                }
                () = sleep_until(wake) => {
                    self.wake = None;
                    self.input(Input::Tick);
                }
                () = sleep_until(self.purge_at) => {
                    self.purge_at = None;
                    if let Err(error) = self.store.purge().await {
                        tracing::warn!(%error, "deleted keys may still stand in the files of the device's store");
                    }
                }
                () = send_next(self.session.as_ref(), &mut self.outgoing) => {
                    self.flush();
                    continue;
                }
            }
            for event in waiting_events.drain(..) {
                self.event(event);
            }
            for ask in waiting_asks.drain(..) {
                match ask {
                    Ask::Request(Request::Lock, answer) if self.protection == Protection::Passphrase => {
                        return End::Locked(answer);
                    }
                    Ask::Request(request, answer) => self.request(request, answer).await,
                    Ask::Unlock(_, answer) => {
                        let _ = answer.send(Ok(Reply::Done));
                    }
                    Ask::Close(done) => {
                        // What was asked before is stored and answered.
                        let _ = self.settle().await;
                        return End::Closed(Some(done));
                    }
                }
            }
            if self.settle().await.is_err() {
                return End::Failed;
            }
        }
    }

    /// Ends in good order: what was queued for the node is written, the store is closed.
    pub(crate) async fn close(mut self) {
        if let Some(session) = self.session.take() {
            while let Some(frame) = self.outgoing.pop() {
                if session.try_send(frame).is_err() {
                    break;
                }
            }
            drop(session);
            let drained = async {
                while self.events.recv().await.is_some_and(|event| !matches!(event, SessionEvent::Down(_))) {}
            };
            let _ = tokio::time::timeout(std::time::Duration::from_millis(500), drained).await;
        }
        self.store.close().await;
    }

    /// Tells everybody who still waits that nothing came of it.
    pub(crate) fn fail_pending(&mut self, why: impl Fn() -> ClientError) {
        for (_, pending) in std::mem::take(&mut self.pending) {
            let _ = pending.answer.send(Err(why()));
        }
    }

    fn input(&mut self, input: Input) {
        self.engine.handle(clock::now(), input);
    }

    fn event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Up { ready, endpoint, frames, connection } => {
                self.files.connected(Some(connection));
                self.outgoing.clear();
                self.session = Some(frames);
                self.endpoint = endpoint;
                self.problem = None;
                self.shut_out = None;
                self.input(Input::Connected(ready));
                self.tell(Happening::Connected(true));
            }
            SessionEvent::Frame(frame) => self.input(Input::Frame(frame)),
            SessionEvent::Down(error) => {
                self.files.connected(None);
                self.problem = Some(error.to_string());
                self.shut_out = match &error {
                    ClientError::Refused(error) if error.code == ErrorCode::Blocked => Some(error.code),
                    _ => None,
                };
                self.outgoing.clear();
                self.present.clear();
                if self.session.take().is_some() {
                    self.input(Input::Disconnected);
                    self.tell(Happening::Connected(false));
                }
            }
        }
    }

    async fn request(&mut self, request: Request, answer: Answer) {
        if request.is_of_files() {
            return self.file_request(request, answer).await;
        }
        match self.sent_before(&request).await {
            Ok(None) => {}
            Ok(Some(sent)) => return drop(answer.send(Ok(Reply::Sent(sent)))),
            Err(error) => return drop(answer.send(Err(error))),
        }
        let command = match &request {
            Request::Trust { account, fingerprint, changed } => {
                self.trust(account, fingerprint, *changed).map(Some)
            }
            other => other.command(),
        };
        match command {
            Ok(Some(command)) => {
                let id = self.next_command();
                let (when_queued, all_peers) = (request.answered_when_queued(), request.asks_for_all_peers());
                self.pending.insert(id, Pending { answer, when_queued, all_peers });
                self.input(Input::Command(id, command));
            }
            Ok(None) => {
                let reply = self.look(request).await;
                // The asker may have gone away.
                let _ = answer.send(reply);
            }
            Err(code) => {
                let _ = answer.send(Err(code.into()));
            }
        }
    }

    const fn next_command(&mut self) -> CommandId {
        self.last_command += 1;
        CommandId(self.last_command)
    }

    /// Lets everything out that the engine has decided.
    ///
    /// # Errors
    /// The store's, after which the engine is of no use.
    async fn settle(&mut self) -> Result<(), ClientError> {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Persist(mark, records) => match self.store.write(records).await {
                    Ok(()) => {
                        self.purge_at.get_or_insert(clock::now().plus_ms(PURGE_AFTER_MS));
                        self.input(Input::Persisted(mark));
                    }
                    Err(error) => {
                        tracing::error!(%error, "the device's store refuses to write");
                        self.input(Input::Failed);
                        return Err(error);
                    }
                },
                Output::Send(frame) => {
                    if self.session.is_some() {
                        self.outgoing.push(frame);
                    }
                }
                Output::Recall(room) => {
                    let rows = self.store.newest(&room).await?;
                    self.input(Input::Recalled(room, rows));
                }
                Output::WakeAt(at) => self.wake = Some(at),
                Output::Notify(notice) => self.notices.push(notice),
            }
        }
        for notice in std::mem::take(&mut self.notices) {
            self.notice(notice);
        }
        for room in std::mem::take(&mut self.changed_rooms) {
            self.tell_room(room).await?;
        }
        self.flush();
        Ok(())
    }

    /// Hands over frames as long as there is room, without waiting.
    fn flush(&mut self) {
        let Some(session) = &self.session else { return };
        while let Some(frame) = self.outgoing.pop() {
            match session.try_send(frame) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(frame)) => {
                    self.outgoing.put_back(frame);
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }

    fn tell(&self, happening: Happening) {
        // Nobody may be listening.
        let _ = self.happenings.send(happening);
    }
}

async fn sleep_until(at: Option<Timestamp>) {
    match at {
        Some(at) => tokio::time::sleep(clock::until(at)).await,
        None => std::future::pending().await,
    }
}

/// Hands the next frame to the session as soon as it has room; rests while there is none.
async fn send_next(session: Option<&mpsc::Sender<ClientFrame>>, outgoing: &mut Outgoing) {
    let (Some(session), false) = (session, outgoing.is_empty()) else {
        return std::future::pending().await;
    };
    match session.reserve().await {
        Ok(permit) => {
            if let Some(frame) = outgoing.pop() {
                permit.send(frame);
            }
        }
        // The event that says so is on its way.
        Err(_) => std::future::pending().await,
    }
}

/// How owning a device ended.
pub(crate) enum Owned {
    /// It was closed; whoever asked for it waits.
    Closed(Option<oneshot::Sender<()>>),
    /// It could not be begun.
    Failed(ClientError),
    /// It was locked: its keys are forgotten. Whoever asked for it waits.
    Locked(Answer),
}

/// Owns the device until it is closed or locked, over failures of the store. Reports once whether it
/// could begin.
pub(crate) async fn own(
    dir: SealedDir,
    ownership: Ownership,
    asks: &mut mpsc::Receiver<Ask>,
    happenings: &broadcast::Sender<Happening>,
    begun: &mut Begun,
    served: Option<Served>,
) -> Owned {
    let ownership = std::sync::Arc::new(ownership);
    loop {
        let mut driver = match Driver::open(&dir, ownership.clone(), happenings.clone()).await {
            Ok(driver) => driver,
            Err(error) if begun.is_awaited() => return Owned::Failed(error),
            Err(error) => {
                tracing::error!(%error, "the device cannot be opened; it is tried again");
                tokio::time::sleep(STORE_RETRY).await;
                continue;
            }
        };
        begun.succeed(happenings);
        match driver.run(asks).await {
            End::Closed(done) => {
                drop(served);
                driver.close().await;
                return Owned::Closed(done);
            }
            End::Locked(answer) => {
                driver.fail_pending(|| ClientError::Locked);
                // Guests go away when they hear it. Nobody may be listening.
                let _ = happenings.send(Happening::Locked);
                if let Some(served) = served {
                    served.end().await;
                }
                driver.close().await;
                return Owned::Locked(answer);
            }
            End::Failed => {
                driver.fail_pending(|| wire::ErrorCode::StorageFull.into());
                driver.close().await;
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }
}
