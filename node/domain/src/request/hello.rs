//! A device proves itself for its session.

use identity::session;
use machine::Entropy;
use store::{Store, row::DeviceRow};
use wire::{
    Account, DeviceId, ErrorCode, WireError,
    proto::{SessionHello, SessionReady, node_frame},
};

use crate::{
    Core, SessionId,
    admin::may_act,
    send::{Send, node_frame},
};

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-2] Verifies the hello with the key of the device in the account's current device list. A
    /// device that is not listed, an account that does not exist and a wrong signature look the same.
    pub(crate) fn session_hello(&mut self, id: SessionId, hello: &SessionHello) {
        let (account, device) = match self.verify_hello(id, hello) {
            Ok(device) => device,
            Err(error) => return self.goodbye(id, error),
        };
        if let Some(before) = self.sessions.authenticate(id, &account, device.device) {
            self.goodbye(before, ErrorCode::Superseded.into());
        }
        let count = self.store.key_package_count(&account, &device.device);
        let (key_packages, last_resort) = match count {
            Ok(count) => count,
            Err(error) => return self.goodbye(id, error.code().into()),
        };
        let ready = SessionReady {
            time_ms: self.now.as_ms(),
            store_id: bytes::Bytes::copy_from_slice(&self.store_id),
            head: self.position,
            key_packages,
            last_resort,
        };
        self.stage(Send::Proved(id));
        if let Some(frame) = node_frame(node_frame::Frame::Ready(ready)) {
            self.stage(Send::Control(id, frame));
        }
    }

    fn verify_hello(&self, id: SessionId, hello: &SessionHello) -> Result<(Account, DeviceRow), WireError> {
        let session = self.sessions.get(id).ok_or(ErrorCode::Internal)?;
        if session.device.is_some() {
            return Err(ErrorCode::Malformed.into());
        }
        let (account, device) = session::claim(hello)?;
        if *account.domain() != self.config.domain {
            return Err(ErrorCode::Misdirected.into());
        }
        let row = self.device(&account, device)?.ok_or(ErrorCode::AuthFailed)?;
        session::verify(hello, &row.key, &session.exporter, self.now)?;
        // [ADMIN-7] Only its own device learns that an account is suspended.
        let known = self.store.account(&account).map_err(|error| error.code())?;
        may_act(&known.ok_or(ErrorCode::AuthFailed)?)?;
        Ok((account, row))
    }

    /// A device in the current list of an account.
    ///
    /// # Errors
    /// Those of reading the store.
    pub(crate) fn device(&self, account: &Account, device: DeviceId) -> Result<Option<DeviceRow>, ErrorCode> {
        let rows = self.store.devices(account).map_err(|error| error.code())?;
        Ok(rows.into_iter().find(|row| row.device == device))
    }

    /// Ends a session: its device is told why, then it is closed with the same code.
    pub(crate) fn goodbye(&mut self, id: SessionId, error: WireError) {
        if let Some(frame) = node_frame(node_frame::Frame::Goodbye(error.into())) {
            self.stage(Send::Control(id, frame));
        }
        self.stage(Send::Close(id, error.code));
        self.close_session(id);
    }
}
