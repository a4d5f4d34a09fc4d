//! What takes time: asked of the client beside the screen, answered as an input.

use std::{path::PathBuf, time::Duration};

use client::{Client, Outgoing, Query, RoomId, Standing};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::{Deed, Effect, Fault, Hit, Input};

/// Messages that wait to be put on disk.
const SENDS_WAITING: usize = 64;
/// How long the node may take to say what waits for whom.
const PEERS_WITHIN: Duration = Duration::from_secs(4);
/// How many seconds nothing may come of a file that is saved.
const FILE_WITHIN_S: u64 = 30;
/// What a search finds in one room.
const HITS_MAX: u32 = 200;

/// What is under way.
pub(super) struct Work {
    client: Client,
    inputs: mpsc::Sender<Input>,
    sends: mpsc::Sender<(RoomId, Outgoing)>,
    sender: JoinHandle<()>,
    beside: JoinSet<()>,
    search: Option<tokio::task::AbortHandle>,
}

impl Work {
    pub(super) fn new(client: Client, inputs: mpsc::Sender<Input>) -> Self {
        let (sends, waiting) = mpsc::channel(SENDS_WAITING);
        let sender = tokio::spawn(send(client.clone(), inputs.clone(), waiting));
        Self { client, inputs, sends, sender, beside: JoinSet::new(), search: None }
    }

    /// Begins to do something.
    pub(super) fn begin(&mut self, effect: Effect) {
        while self.beside.try_join_next().is_some() {}
        let (client, inputs) = (self.client.clone(), self.inputs.clone());
        match effect {
            Effect::Send { room, what } => {
                if let Err(error) = self.sends.try_send((room, what)) {
                    let (mpsc::error::TrySendError::Full(what) | mpsc::error::TrySendError::Closed(what)) =
                        error;
                    let fault = Fault { code: None, text: "too much waits to be stored".to_owned() };
                    let input = Input::Sent(room, Err((fault, text(&what.1))));
                    self.beside.spawn(async move { tell(&inputs, input).await });
                }
            }
            Effect::Find { words, round } => {
                if let Some(earlier) = self.search.take() {
                    earlier.abort();
                }
                self.search = Some(self.beside.spawn(find(client, inputs, words, round)));
            }
            other => {
                self.beside.spawn(async move {
                    if let Some(input) = ask(&client, other).await {
                        tell(&inputs, input).await;
                    }
                });
            }
        }
    }

    /// Ends when what was to be sent is on disk.
    ///
    /// # Errors
    /// If that failed in a way that it should not.
    pub(super) async fn finish(self) -> Result<(), tokio::task::JoinError> {
        let Self { sends, sender, .. } = self;
        drop(sends);
        sender.await
    }
}

async fn tell(inputs: &mpsc::Sender<Input>, input: Input) {
    // The screen may have ended.
    let _ = inputs.send(input).await;
}

/// One message after another, in the order in which they were written.
async fn send(client: Client, inputs: mpsc::Sender<Input>, mut waiting: mpsc::Receiver<(RoomId, Outgoing)>) {
    while let Some((room, what)) = waiting.recv().await {
        let written = text(&what);
        let outcome =
            client.send(room, what).await.map(|_| ()).map_err(|error| (Fault::from(error), written));
        // A screen that has ended reads no more; what it wanted to send is sent all the same.
        let _ = inputs.try_send(Input::Sent(room, outcome));
    }
}

/// The text that is lost if it cannot be sent.
fn text(what: &Outgoing) -> String {
    match what {
        Outgoing::Text { body, .. } | Outgoing::Edit { body, .. } => body.clone(),
        _ => String::new(),
    }
}

async fn ask(client: &Client, effect: Effect) -> Option<Input> {
    Some(match effect {
        Effect::Rooms => Input::Rooms(client.rooms().await.map_err(Fault::from)),
        Effect::Status => Input::Status(client.status().await.map_err(Fault::from)),
        Effect::Peers => {
            // The answer is in the next status.
            let _ = timeout(PEERS_WITHIN, client.peers()).await;
            return None;
        }
        Effect::People => Input::People(client.people().await.map_err(Fault::from)),
        Effect::Page { room, part, cursor } => {
            Input::Page(room, part, client.messages(room, cursor).await.map_err(Fault::from))
        }
        Effect::Look { room, readings } => Input::Dropped(room, files(readings).await),
        Effect::Save { room, seq, blob } => {
            let saved = client.get_file(room, seq, ".".as_ref(), false, FILE_WITHIN_S).await;
            Input::Saved(blob, saved.map(|saved| saved.path).map_err(Fault::from))
        }
        Effect::Do(deed) => {
            let outcome = deed_done(client, &deed).await.map_err(Fault::from);
            Input::Done(deed, outcome)
        }
        Effect::Send { .. } | Effect::Find { .. } | Effect::Notify { .. } | Effect::Redraw | Effect::Quit => {
            return None;
        }
    })
}

/// The first list of which all are files; none, if there is no such list.
async fn files(readings: Vec<Vec<PathBuf>>) -> Vec<PathBuf> {
    let all_files = || {
        let is_file = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        readings.into_iter().find(|paths| paths.iter().all(is_file))
    };
    // A disk may be slow, or at the other end of a network.
    tokio::task::spawn_blocking(all_files).await.ok().flatten().unwrap_or_default()
}

async fn deed_done(client: &Client, deed: &Deed) -> Result<Option<RoomId>, client::ClientError> {
    match deed {
        Deed::MarkRead(room, seq) => client.mark_read(*room, *seq).await?,
        Deed::Typing(room, active) => client.typing(*room, *active).await?,
        Deed::Answer(room, accept) => client.answer(*room, *accept).await?,
        Deed::Direct(account) => return client.direct(account).await.map(Some),
        Deed::Create(name) => return client.create_room(name, &[]).await.map(|changed| Some(changed.room)),
        Deed::Notify(room, notify) => client.set_notify(*room, *notify).await?,
        Deed::PutFile(room, path) => {
            let upload = client.put_file(*room, path, None, "").await?;
            client.uploaded(upload).await?;
        }
        Deed::Presence => client.show_presence(true).await?,
        Deed::Cancel(sent) => client.cancel(*sent).await?,
    }
    Ok(None)
}

/// Searches room by room, the newest room first, so that something is seen soon.
async fn find(client: Client, inputs: mpsc::Sender<Input>, words: String, round: u64) {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let rooms = client.rooms().await.unwrap_or_default();
    for room in rooms.iter().filter(|room| room.standing != Standing::Invited) {
        let query = Query { room: Some(room.id), words: words.clone(), limit: HITS_MAX, ..Query::default() };
        let found = client.search(&query).await.unwrap_or_default();
        let hits: Vec<Hit> = found
            .into_iter()
            .filter(|message| message.seq > 0)
            .map(|message| Hit { called: room.called(), message })
            .collect();
        if !hits.is_empty() {
            tell(&inputs, Input::Found(round, hits, false)).await;
        }
    }
    tell(&inputs, Input::Found(round, Vec::new(), true)).await;
}
