//! A program that is served by the owner of the directory.

use std::collections::BTreeMap;

use tokio::{
    net::{UnixStream, unix::OwnedReadHalf},
    sync::{broadcast, mpsc, oneshot},
};

use super::{
    Begun,
    frames::{self, FromGuest, FromOwner, REPLY_BYTES_MAX, VERSION},
};
use crate::{
    ClientError,
    request::{Ask, Reply, Request},
    view::Happening,
};

/// Why a guest's connection ended.
pub(super) enum End {
    /// The handle was closed.
    Closed(Option<oneshot::Sender<()>>),
    /// The owner ended: somebody else may take over.
    OwnerGone,
    /// The owner was told to lock the device.
    Locked,
    /// The owner does not speak with us.
    Refused(ClientError),
}

type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// Passes questions to the owner and answers back, until either side ends.
pub(super) async fn run(
    stream: UnixStream,
    asks: &mut mpsc::Receiver<Ask>,
    happenings: &broadcast::Sender<Happening>,
    begun: &mut Begun,
) -> End {
    let (reader, mut writer) = stream.into_split();
    if frames::write(&mut writer, &FromGuest::Hello { version: VERSION }).await.is_err() {
        return End::OwnerGone;
    }
    let (from_owner, mut incoming) = mpsc::channel(64);
    let reading = tokio::spawn(read(reader, from_owner));
    let mut waiting: BTreeMap<u64, (bool, Answer)> = BTreeMap::new();
    let mut last = 0;
    let end = loop {
        tokio::select! {
            message = incoming.recv() => match message {
                Some(FromOwner::Hello { .. }) => begun.succeed(happenings),
                Some(FromOwner::Answer { id, result }) => {
                    if let Some((_, answer)) = waiting.remove(&id) {
                        let _ = answer.send(result.map_err(ClientError::from));
                    }
                }
                Some(FromOwner::Happening(Happening::Locked)) => break End::Locked,
                Some(FromOwner::Happening(happening)) => {
                    let _ = happenings.send(happening);
                }
                Some(FromOwner::Goodbye(_)) if begun.is_awaited() => {
                    break End::Refused(ClientError::Owner("speaks another version: end it first"));
                }
                Some(FromOwner::Goodbye(_)) | None => break End::OwnerGone,
            },
            ask = asks.recv() => match ask {
                Some(Ask::Unlock(_, answer)) => {
                    // The owner has unlocked it.
                    let _ = answer.send(Ok(Reply::Done));
                }
                Some(Ask::Request(request, answer)) => {
                    last += 1;
                    waiting.insert(last, (request == Request::Lock, answer));
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
    for (_, (locks, answer)) in waiting {
        let _ = answer.send(match &end {
            End::Locked if locks => Ok(Reply::Done),
            End::Locked => Err(ClientError::Locked),
            _ => Err(ClientError::Owner("ended before it answered; look before you repeat")),
        });
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
