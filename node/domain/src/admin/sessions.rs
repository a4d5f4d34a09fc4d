//! Which devices are connected, and ending their sessions.

use machine::Entropy;
use store::{Store, row::DeviceRow};
use wire::{
    Account, DeviceId, ErrorCode,
    proto::{DeviceSession, EndSessions, ListSessions, Sessions},
};

use super::Act;
use crate::{Core, SessionId, session::Sync};

impl<S: Store, E: Entropy> Core<S, E> {
    /// The devices of an account, or every connected device of the domain.
    pub(super) fn list_sessions(&self, asked: &ListSessions) -> Result<Sessions, ErrorCode> {
        let mut sessions = Vec::new();
        if asked.account.is_empty() {
            for account in self.sessions.accounts() {
                let devices = self.sessions_of(account)?;
                sessions.extend(devices.into_iter().filter(|device| device.connected));
            }
        } else {
            let account = self.own_account(&asked.account)?;
            self.known_account(&account)?;
            sessions = self.sessions_of(&account)?;
        }
        Ok(Sessions { sessions })
    }

    fn sessions_of(&self, account: &Account) -> Result<Vec<DeviceSession>, ErrorCode> {
        let connected = self.sessions.of(account);
        let rows = self.store.devices(account).map_err(|error| error.code())?;
        rows.iter().map(|row| self.device_session(row, &connected)).collect()
    }

    fn device_session(
        &self,
        row: &DeviceRow,
        connected: &[(DeviceId, SessionId)],
    ) -> Result<DeviceSession, ErrorCode> {
        let (key_packages, _) =
            self.store.key_package_count(&row.account, &row.device).map_err(|error| error.code())?;
        let session = connected.iter().find(|(device, _)| *device == row.device);
        let session = session.and_then(|(_, id)| self.sessions.get(*id));
        Ok(DeviceSession {
            account: row.account.to_string(),
            device_id: row.device.to_bytes(),
            connected: session.is_some(),
            since_ms: session.map_or(0, |session| session.since.as_ms()),
            key_packages: key_packages.into(),
            subscribed: session.is_some_and(|session| session.sync != Sync::Off),
        })
    }

    /// Ends sessions; the devices may come back. Answers with those that were ended.
    pub(super) fn end_sessions(&mut self, asked: &EndSessions, by: &str) -> Result<Sessions, ErrorCode> {
        let account = self.own_account(&asked.account)?;
        self.known_account(&account)?;
        let only = match asked.device_id.is_empty() {
            true => None,
            false => Some(DeviceId::try_from(asked.device_id.as_ref())?),
        };
        let before = self.sessions_of(&account)?;
        let is_meant = |session: &DeviceSession| only.is_none_or(|only| session.device_id == only.to_bytes());
        if only.is_some() && !before.iter().any(is_meant) {
            return Err(ErrorCode::NotFound);
        }
        let ended: Vec<DeviceSession> =
            before.into_iter().filter(|session| session.connected && is_meant(session)).collect();
        for (device, id) in self.sessions.of(&account) {
            if only.is_none_or(|only| only == device) {
                self.goodbye(id, ErrorCode::Unavailable.into());
            }
        }
        if !ended.is_empty() {
            let detail = format!("{} of them", ended.len());
            self.record(Act::UserEndSessions, by, account.as_str(), &detail);
        }
        Ok(Sessions { sessions: ended })
    }
}
