//! A program that is served by the owner of the directory.

use std::collections::BTreeMap;

use tokio::{
    net::{UnixStream, unix::OwnedReadHalf},
    sync::{broadcast, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use wire::ErrorCode;

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
    /// The owner ended, or did not answer in time, before it said anything.
    Unheard,
    /// The owner serves as many as it can.
    Crowded,
    /// The owner was told to lock the device.
    Locked,
    /// The owner does not speak with us.
    Refused(ClientError),
}

const UNANSWERED: &str = "ended before it answered; look before you repeat";

type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// Passes questions to the owner and answers back, until either side ends. What may be asked twice is
/// put back for the next owner if this one ends before it answered. The owner may take until then to
/// say anything at all.
pub(super) async fn run(
    (stream, until): (UnixStream, Instant),
    asks: &mut mpsc::Receiver<Ask>,
    happenings: &broadcast::Sender<Happening>,
    begun: &mut Begun,
    again: &mpsc::WeakSender<Ask>,
) -> End {
    let (reader, mut writer) = stream.into_split();
    if frames::write(&mut writer, &FromGuest::Hello { version: VERSION }).await.is_err() {
        return End::Unheard;
    }
    let mut greeted = false;
    let (from_owner, mut incoming) = mpsc::channel(64);
    let reading = tokio::spawn(read(reader, from_owner));
    let mut waiting: BTreeMap<u64, (Request, Answer)> = BTreeMap::new();
    let mut last = 0;
    let end = loop {
        tokio::select! {
            message = incoming.recv() => match message {
                Some(FromOwner::Hello { .. }) => {
                    greeted = true;
                    begun.succeed(happenings);
                }
                Some(FromOwner::Answer { id, result }) => {
                    if let Some((_, answer)) = waiting.remove(&id) {
                        let _ = answer.send(result.map_err(ClientError::from));
                    }
                }
                Some(FromOwner::Happening(Happening::Locked)) => break End::Locked,
                Some(FromOwner::Happening(happening)) => {
                    let _ = happenings.send(happening);
                }
                Some(FromOwner::Goodbye(code)) if !greeted && code == ErrorCode::RateLimited.code() => {
                    break End::Crowded;
                }
                Some(FromOwner::Goodbye(_)) if begun.is_awaited() => {
                    break End::Refused(ClientError::Owner("speaks another version: end it first"));
                }
                Some(FromOwner::Goodbye(_)) | None if greeted => break End::OwnerGone,
                Some(FromOwner::Goodbye(_)) | None => break End::Unheard,
            },
            () = sleep_until(until), if !greeted => break End::Unheard,
            ask = asks.recv() => match ask {
                Some(Ask::Unlock(_, answer)) => {
                    // The owner has unlocked it.
                    let _ = answer.send(Ok(Reply::Done));
                }
                Some(Ask::Request(request, answer)) => {
                    last += 1;
                    waiting.insert(last, (request.clone(), answer));
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
    give_back(waiting, &end, again);
    end
}

/// What is not answered goes to the next owner, if it may be asked twice; of the rest nobody knows.
fn give_back(waiting: BTreeMap<u64, (Request, Answer)>, end: &End, again: &mpsc::WeakSender<Ask>) {
    for (_, (request, answer)) in waiting {
        let result = match end {
            End::Locked if request == Request::Lock => Ok(Reply::Done),
            End::Locked => Err(ClientError::Locked),
            End::OwnerGone | End::Unheard | End::Crowded if request.may_be_repeated() => {
                let ask = Ask::Request(request.repeated(), answer);
                let unasked = match again.upgrade() {
                    Some(again) => again.try_send(ask).err().map(mpsc::error::TrySendError::into_inner),
                    None => Some(ask),
                };
                if let Some(Ask::Request(_, answer)) = unasked {
                    let _ = answer.send(Err(ClientError::Owner(UNANSWERED)));
                }
                continue;
            }
            _ => Err(ClientError::Owner(UNANSWERED)),
        };
        let _ = answer.send(result);
    }
}

async fn read(mut reader: OwnedReadHalf, messages: mpsc::Sender<FromOwner>) {
    while let Ok(message) = frames::read(&mut reader, REPLY_BYTES_MAX).await {
        if messages.send(message).await.is_err() {
            return;
        }
    }
}
