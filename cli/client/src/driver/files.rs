//! Files on their way: what was wanted is a row in the store before anybody is told, and goes on in a
//! task of its own until the home node has it; then its message is sent like any other.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use engine::{
    Command, Input,
    record::{Row as _, UploadRow},
    view::{self, Body},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
};
use wire::{BlobId, ErrorCode, MessageId, RoomId, limits, proto, proto::content::Kind};

use super::{Driver, Pending};
use crate::{
    ClientError, clock,
    device::DeviceDir,
    media::{self, Download, Line, Spool},
    request::{Failure, Reply, Request},
    store::Part,
    view::{Happening, Sent, Upload},
};

/// Events of tasks that wait for the driver.
const EVENTS_WAITING_MAX: usize = 16;
/// Refusals that wait for somebody to ask for them.
const REFUSALS_KEPT_MAX: usize = 16;
/// How far back an own file's message is looked for.
const LOOK_BACK: u32 = 200;

type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// What a task tells.
pub(super) enum FileEvent {
    /// A file is encrypted in the spool, or cannot be.
    Sealed(RoomId, Result<proto::File, ClientError>, Answer),
    /// The home node has a blob, or will not have it.
    Uploaded(BlobId, Result<(), ClientError>),
    /// The message about it is on this device's disk, or will not be sent.
    Said(BlobId, Result<Sent, ClientError>),
}

/// All that is on its way.
pub(super) struct Files {
    spool: Spool,
    line: Line,
    connection: watch::Sender<Option<quinn::Connection>>,
    events: mpsc::Sender<FileEvent>,
    incoming: mpsc::Receiver<FileEvent>,
    tasks: JoinSet<()>,
    uploads: BTreeMap<BlobId, UploadRow>,
    waiting: BTreeMap<BlobId, Vec<Answer>>,
    /// Why files will not be sent whose sender had not asked yet.
    refused: VecDeque<(BlobId, Failure)>,
    /// One stream each way: a node grants no more.
    up: Arc<Semaphore>,
    down: Arc<Semaphore>,
}

impl Files {
    pub(super) fn new(dir: &DeviceDir) -> Self {
        let (connection, line) = Line::new();
        let (events, incoming) = mpsc::channel(EVENTS_WAITING_MAX);
        Self {
            spool: Spool::of(dir),
            line,
            connection,
            events,
            incoming,
            tasks: JoinSet::new(),
            uploads: BTreeMap::new(),
            waiting: BTreeMap::new(),
            refused: VecDeque::new(),
            up: Arc::new(Semaphore::new(1)),
            down: Arc::new(Semaphore::new(1)),
        }
    }

    /// Which connection stands from now on.
    pub(super) fn connected(&self, connection: Option<quinn::Connection>) {
        self.connection.send_replace(connection);
    }

    /// The next that a task tells.
    pub(super) async fn next(&mut self) -> FileEvent {
        match self.incoming.recv().await {
            Some(event) => event,
            // This end holds a sender itself.
            None => std::future::pending().await,
        }
    }
}

impl Driver {
    /// Goes on with what was on its way when the device was closed.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn resume_uploads(&mut self) -> Result<(), ClientError> {
        let rows = self.store.uploads().await?;
        let blobs: Vec<BlobId> = rows.iter().filter_map(blob_of).collect();
        self.files.spool.keep_only(&blobs);
        for row in rows {
            self.upload(row);
        }
        Ok(())
    }

    /// Takes up what is asked about files.
    pub(super) async fn file_request(&mut self, request: Request, answer: Answer) {
        let refused = match request {
            Request::PutFile { room, .. } if self.engine.room(room).is_none() => ErrorCode::NotFound.into(),
            Request::PutFile { room, path, name, caption } => {
                let (spool, events) = (self.files.spool.clone(), self.files.events.clone());
                self.files.tasks.spawn(async move {
                    let seal = move || spool.seal(room, &path, name, caption);
                    let sealed = tokio::task::spawn_blocking(seal).await;
                    let sealed = sealed.unwrap_or_else(|_| Err(ErrorCode::Internal.into()));
                    // It fails only if the driver is gone.
                    let _ = events.send(FileEvent::Sealed(room, sealed, answer)).await;
                });
                return;
            }
            Request::AwaitUpload(upload) if self.files.uploads.contains_key(&upload.blob) => {
                return self.files.waiting.entry(upload.blob).or_default().push(answer);
            }
            Request::AwaitUpload(Upload { blob, .. })
                if let Some(at) = self.files.refused.iter().position(|(refused, _)| *refused == blob) =>
            {
                match self.files.refused.remove(at) {
                    Some((_, failure)) => failure.into(),
                    None => ErrorCode::NotFound.into(),
                }
            }
            Request::AwaitUpload(Upload { room, blob }) => {
                let said = self.said(room, blob).await;
                let said = said.and_then(|sent| sent.ok_or(ErrorCode::NotFound.into()));
                // The asker may have gone away.
                let _ = answer.send(said.map(Reply::Sent));
                return;
            }
            Request::GetFile { room, seq, to, replace, patience_s } => {
                match self.sent_file((room, seq)).await {
                    Ok((domain, file)) => {
                        let patience = Duration::from_secs(patience_s);
                        let download = Download { room, domain, file, to, replace, patience };
                        return self.download(download, answer);
                    }
                    Err(error) => error,
                }
            }
            _ => ErrorCode::Internal.into(),
        };
        // The asker may have gone away.
        let _ = answer.send(Err(refused));
    }

    fn download(&mut self, download: Download, mut answer: Answer) {
        let (down, line) = (Arc::clone(&self.files.down), self.files.line.clone());
        let happenings = self.happenings.clone();
        self.files.tasks.spawn(async move {
            let fetched = async {
                let Ok(_turn) = down.acquire().await else { return Err(ClientError::Closed) };
                media::fetch(download, (line, happenings)).await
            };
            let outcome = tokio::select! {
                outcome = fetched => outcome,
                // What was fetched stays, and is not fetched again.
                () = answer.closed() => return,
            };
            let _ = answer.send(outcome.map(Reply::Saved));
        });
    }

    /// The file of a message, and the domain that keeps it.
    async fn sent_file(
        &mut self,
        (room, seq): (RoomId, u64),
    ) -> Result<(wire::DomainName, proto::File), ClientError> {
        let shown = self.engine.room(room).ok_or(ErrorCode::NotFound)?;
        let part = Part {
            after: seq.saturating_sub(1),
            before: seq.saturating_add(1),
            limit: 1,
            oldest_first: true,
        };
        let mut rows = self.store.items(&room, part).await?;
        rows.extend(self.store.changes(&rows).await?);
        let items = view::timeline(&self.account, &shown, &rows, &[]);
        let found = items.into_iter().find_map(|item| match (item.body, item.sender) {
            (Body::File(file), Some(sender)) if item.seq == seq => Some((sender.domain().clone(), file)),
            _ => None,
        });
        found.ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// Takes up what a task tells.
    ///
    /// # Errors
    /// Those of the store, after which the engine is of no use.
    pub(super) async fn file_event(&mut self, event: FileEvent) -> Result<(), ClientError> {
        while self.files.tasks.try_join_next().is_some() {}
        match event {
            FileEvent::Sealed(room, Ok(file), answer) => self.sealed(room, file, answer).await?,
            FileEvent::Sealed(_, Err(error), answer) => drop(answer.send(Err(error))),
            FileEvent::Uploaded(blob, Ok(())) => self.uploaded(blob).await?,
            FileEvent::Said(blob, Ok(sent)) => self.forget_upload(blob, Ok(sent)).await?,
            FileEvent::Uploaded(blob, Err(error)) | FileEvent::Said(blob, Err(error)) => {
                self.forget_upload(blob, Err(error)).await?;
            }
        }
        Ok(())
    }

    async fn sealed(&mut self, room: RoomId, file: proto::File, answer: Answer) -> Result<(), ClientError> {
        let row = UploadRow { room: room.to_bytes(), file: Some(file), since_ms: clock::now().as_ms() };
        let Some(blob) = blob_of(&row) else { return Ok(()) };
        if let Err(error) = self.store.write(vec![row.put()]).await {
            self.files.spool.remove(&blob);
            let _ = answer.send(Err(ErrorCode::StorageFull.into()));
            return Err(error);
        }
        let _ = answer.send(Ok(Reply::Upload(Upload { room, blob })));
        self.upload(row);
        Ok(())
    }

    fn upload(&mut self, row: UploadRow) {
        let (Some(blob), Ok(room)) = (blob_of(&row), RoomId::try_from(row.room.as_ref())) else { return };
        let Some(file) = row.file.clone() else { return };
        let age = Duration::from_millis(clock::now().as_ms().saturating_sub(row.since_ms));
        let patience = Duration::from_secs(limits::OUTBOX_MAX_AGE_S).saturating_sub(age);
        self.files.uploads.insert(blob, row);
        let (spool, line) = (self.files.spool.clone(), self.files.line.clone());
        let (up, events) = (Arc::clone(&self.files.up), self.files.events.clone());
        let happenings = self.happenings.clone();
        self.files.tasks.spawn(async move {
            let Ok(_turn) = up.acquire().await else { return };
            let sent = media::send(&spool, room, &file, (line, happenings), patience).await;
            let _ = events.send(FileEvent::Uploaded(blob, sent)).await;
        });
    }

    /// The home node has the blob: now the others may be told.
    async fn uploaded(&mut self, blob: BlobId) -> Result<(), ClientError> {
        let Some(row) = self.files.uploads.get(&blob) else { return Ok(()) };
        let (Ok(room), Some(file)) = (RoomId::try_from(row.room.as_ref()), row.file.clone()) else {
            return Ok(());
        };
        if let Some(sent) = self.said(room, blob).await? {
            // It was said before the process ended last.
            return self.forget_upload(blob, Ok(sent)).await;
        }
        let (answer, answered) = oneshot::channel();
        let id = self.next_command();
        self.pending.insert(id, Pending { answer, when_queued: true, all_peers: false });
        self.input(Input::Command(id, Command::SendFile { room, file }));
        let events = self.files.events.clone();
        self.files.tasks.spawn(async move {
            let said = match answered.await {
                Ok(Ok(Reply::Sent(sent))) => Ok(sent),
                Ok(Err(error)) => Err(error),
                Ok(Ok(_)) => Err(ErrorCode::Internal.into()),
                // The driver is gone; the row says what is to be done.
                Err(_) => return,
            };
            let _ = events.send(FileEvent::Said(blob, said)).await;
        });
        Ok(())
    }

    async fn forget_upload(
        &mut self,
        blob: BlobId,
        outcome: Result<Sent, ClientError>,
    ) -> Result<(), ClientError> {
        let Some(row) = self.files.uploads.remove(&blob) else { return Ok(()) };
        self.store.write(vec![row.gone()]).await?;
        self.files.spool.remove(&blob);
        let waiting = self.files.waiting.remove(&blob).unwrap_or_default();
        if let (Err(error), true) = (&outcome, waiting.is_empty()) {
            self.tell(Happening::Warning(format!("a file could not be sent: {error}")));
        }
        let outcome = outcome.map_err(|error| Failure::from(&error));
        if let (Err(failure), true) = (&outcome, waiting.is_empty()) {
            self.files.refused.truncate(REFUSALS_KEPT_MAX - 1);
            self.files.refused.push_front((blob, failure.clone()));
        }
        for answer in waiting {
            // The asker may have gone away.
            let _ = answer.send(outcome.clone().map(Reply::Sent).map_err(ClientError::from));
        }
        Ok(())
    }

    /// The message about a file of this device, if there is one.
    async fn said(&mut self, room: RoomId, blob: BlobId) -> Result<Option<Sent>, ClientError> {
        let queued = self.engine.queued(room).into_iter().find(|intent| {
            let kind = intent.content.as_ref().and_then(|content| content.kind.as_ref());
            matches!(kind, Some(Kind::File(file)) if file.blob == blob.to_bytes())
        });
        let intent = match queued {
            Some(intent) => Some(intent.intent),
            None => {
                let newest = Part { after: 0, before: u64::MAX, limit: LOOK_BACK, oldest_first: false };
                let rows = self.store.items(&room, newest).await?;
                let said = |row: &&engine::record::MessageRow| {
                    row.own && row.file.as_ref().is_some_and(|file| file.blob == blob.to_bytes())
                };
                rows.iter().rev().find(said).map(|row| row.intent.clone())
            }
        };
        let intent = intent.and_then(|intent| MessageId::try_from(intent.as_ref()).ok());
        Ok(intent.map(|intent| Sent { room, intent }))
    }
}

fn blob_of(row: &UploadRow) -> Option<BlobId> {
    BlobId::try_from(row.file.as_ref()?.blob.as_ref()).ok()
}
