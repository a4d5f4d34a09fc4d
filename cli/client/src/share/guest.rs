//! A program that is served by the owner of the directory.

use std::collections::BTreeMap;

use tokio::{
    net::{UnixStream, unix::OwnedReadHalf},
    sync::{broadcast, mpsc, oneshot},
};

use super::frames::{self, FromGuest, FromOwner, REPLY_BYTES_MAX, VERSION};
use crate::{
    ClientError,
    request::{Ask, Reply},
    view::Happening,
};

/// Why a guest's connection ended.
pub(super) enum End {
    /// The handle was closed.
    Closed(Option<oneshot::Sender<()>>),
    /// The owner ended: somebody else may take over.
    OwnerGone,
    /// The owner does not speak with us.
    Refused(ClientError),
}

type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// Passes questions to the owner and answers back, until either side ends.
pub(super) async fn run(
    stream: UnixStream,
    asks: &mut mpsc::Receiver<Ask>,
    happenings: &broadcast::Sender<Happening>,
    begun: &mut Option<oneshot::Sender<Result<(), ClientError>>>,
) -> End {
    let (reader, mut writer) = stream.into_split();
    if frames::write(&mut writer, &FromGuest::Hello { version: VERSION }).await.is_err() {
        return End::OwnerGone;
    }
    let (from_owner, mut incoming) = mpsc::channel(64);
    let reading = tokio::spawn(read(reader, from_owner));
    let mut waiting: BTreeMap<u64, Answer> = BTreeMap::new();
    let mut last = 0;
    let end = loop {
        tokio::select! {
            message = incoming.recv() => match message {
                Some(FromOwner::Hello { .. }) => {
                    if let Some(begun) = begun.take() {
                        let _ = begun.send(Ok(()));
                    }
                }
                Some(FromOwner::Answer { id, result }) => {
                    if let Some(answer) = waiting.remove(&id) {
                        let _ = answer.send(result.map_err(ClientError::from));
                    }
                }
                Some(FromOwner::Happening(happening)) => {
                    let _ = happenings.send(happening);
                }
                Some(FromOwner::Goodbye(_)) if begun.is_some() => {
                    break End::Refused(ClientError::Owner("speaks another version: end it first"));
                }
                Some(FromOwner::Goodbye(_)) | None => break End::OwnerGone,
            },
            ask = asks.recv() => match ask {
                Some(Ask::Request(request, answer)) => {
                    last += 1;
                    waiting.insert(last, answer);
                    if frames::write(&mut writer, &FromGuest::Ask { id: last, request }).await.is_err() {
                        break End::OwnerGone;
                    }
                }
                Some(Ask::Close(done)) => break End::Closed(Some(done)),
                None => break End::Closed(None),
            },
        }
    };
    reading.abort();
    for (_, answer) in waiting {
        let gone = ClientError::Owner("ended before it answered; look before you repeat");
        let _ = answer.send(Err(gone));
    }
    end
}

async fn read(mut reader: OwnedReadHalf, messages: mpsc::Sender<FromOwner>) {
    while let Ok(message) = frames::read(&mut reader, REPLY_BYTES_MAX).await {
        if messages.send(message).await.is_err() {
            return;
        }
    }
}
