//! Ways in for the fuzzer (`tests/fuzz`); they are there only when it builds this crate.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use serde::{Serialize, de::DeserializeOwned};

use super::frames::{FromGuest, FromOwner, REPLY_BYTES_MAX, REQUEST_BYTES_MAX, ReadError, read, write};
use crate::ClientError;

/// The bytes as a guest of the device's directory would say them to the owner, and as an owner would say
/// them to a guest.
pub fn socket(bytes: &[u8]) {
    for frame in frames::<FromGuest>(bytes, REQUEST_BYTES_MAX) {
        if let FromGuest::Ask { request, .. } = frame {
            let (_, _, _) = (request.command(), request.is_of_files(), request.answered_when_queued());
        }
    }
    for frame in frames::<FromOwner>(bytes, REPLY_BYTES_MAX) {
        if let FromOwner::Answer { result: Err(failure), .. } = frame {
            assert!(!ClientError::from(failure).to_string().is_empty(), "an error that says nothing");
        }
    }
}

/// All frames up to the first that is none; each of them comes back from what it is written as.
fn frames<T: Serialize + DeserializeOwned + std::fmt::Debug>(mut bytes: &[u8], most: usize) -> Vec<T> {
    let mut found = Vec::new();
    loop {
        match now(read::<T>(&mut bytes, most)) {
            Ok(frame) => {
                let mut again = Vec::new();
                assert!(now(write(&mut again, &frame)).is_ok(), "what was read cannot be written");
                let back: Result<T, ReadError> = now(read(&mut again.as_slice(), usize::MAX));
                let same = back.is_ok_and(|back| format!("{back:?}") == format!("{frame:?}"));
                assert!(same, "{frame:?} is read otherwise than it is written");
                found.push(frame);
            }
            Err(ReadError::TooLarge | ReadError::Malformed | ReadError::Gone) => return found,
        }
    }
}

/// What needs to wait for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("bytes in memory are all there"),
    }
}
