//! Files: what a handle offers.

use std::path::{Path, PathBuf};

use wire::RoomId;

use super::{Client, unexpected};
use crate::{
    ClientError,
    request::{Reply, Request},
    view::{Saved, Sent, Upload},
};

impl Client {
    /// Sends a local file to a room: encrypts it, and returns as soon as that is on this device's disk;
    /// from then on it is sent over restarts and outages, without the original. `name` is what the
    /// others see in place of its own. [`crate::Happening::Transfer`] tells how far it is.
    ///
    /// # Errors
    /// `Refused`: `NotFound` for an unknown room, `TooLarge`, `Malformed` if it is no file or changes
    /// while it is read; `Storage`; else as [`Self::status`].
    pub async fn put_file(
        &self,
        room: RoomId,
        path: &Path,
        name: Option<&str>,
        caption: &str,
    ) -> Result<Upload, ClientError> {
        let request = Request::PutFile {
            room,
            path: absolute(path)?,
            name: name.map(str::to_owned),
            caption: caption.to_owned(),
        };
        match self.ask(request).await? {
            Reply::Upload(upload) => Ok(upload),
            _ => Err(unexpected()),
        }
    }

    /// Waits until the home node has a file whole and the message about it is on its way; what becomes
    /// of that, [`Self::wait`] says.
    ///
    /// # Errors
    /// `Refused` with why it will not be sent: `TooLarge` or `Quota` by the node's measure, `Forbidden`,
    /// `Undeliverable`. Give it a timeout: it waits as long as the node is away.
    pub async fn uploaded(&self, upload: Upload) -> Result<Sent, ClientError> {
        loop {
            match self.ask(Request::AwaitUpload(upload)).await {
                Ok(Reply::Sent(sent)) => return Ok(sent),
                Ok(_) => return Err(unexpected()),
                // Whoever owns the device now goes on with it.
                Err(ClientError::Owner(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches the file that was sent with the message at this seq into `to`: a directory, where it gets
    /// its sender's name made harmless, or the file itself. It is there only when it is whole and is
    /// what its sender sent; what was fetched before an interruption is not fetched again. Gives up when
    /// nothing has come for `patience_s` seconds.
    ///
    /// # Errors
    /// `Refused`: `Conflict` if there is such a file and `replace` is not set; `NotFound` if the message
    /// has no file, or the domain that keeps it has none (any more) for this account; `BadSignature` or
    /// `Malformed` if it is not what was sent; `Unavailable`. `Storage`.
    pub async fn get_file(
        &self,
        room: RoomId,
        seq: u64,
        to: &Path,
        replace: bool,
        patience_s: u64,
    ) -> Result<Saved, ClientError> {
        let to = absolute(to)?;
        loop {
            let request = Request::GetFile { room, seq, to: to.clone(), replace, patience_s };
            match self.ask(request).await {
                Ok(Reply::Saved(saved)) => return Ok(saved),
                Ok(_) => return Err(unexpected()),
                // Whoever owns the device now goes on where it was.
                Err(ClientError::Owner(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The owner of the device may be another process, with another current directory.
fn absolute(path: &Path) -> Result<PathBuf, ClientError> {
    std::path::absolute(path).map_err(|error| ClientError::storage(path, error))
}
