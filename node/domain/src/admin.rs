//! What the administrator asks and orders.

mod audit;
mod domain;
mod peer;
mod report;
mod sessions;
mod user;

use machine::Entropy;
use store::{Store, StoreError};
use wire::{
    ErrorCode,
    proto::{AdminRequest, AdminStatus, Done, PeerStates, admin_request::Request, admin_response::Response},
};

pub(crate) use audit::{Act, AuditLog};
pub(crate) use user::may_act;

use crate::{AdminId, Core, link_table::Peer};

const LIST_MAX: usize = 1_000;

impl<S: Store, E: Entropy> Core<S, E> {
    /// Answers one request; one that must be asked about is answered later.
    pub(crate) fn admin(&mut self, id: AdminId, request: AdminRequest, uid: Option<u32>) -> Option<Response> {
        let by = uid.map_or_else(|| "node".to_owned(), |uid| format!("uid {uid}"));
        let response = match request.request {
            Some(Request::SetPassword(asked)) => match self.set_password(id, &asked, &by) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Some(request) => self.asked(request, &by),
            None => Err(ErrorCode::Unsupported),
        };
        Some(response.unwrap_or_else(|error| Response::Error(error.into())))
    }

    fn asked(&mut self, request: Request, by: &str) -> Result<Response, ErrorCode> {
        match request {
            // Answered later.
            Request::SetPassword(_) => Err(ErrorCode::Internal),
            Request::UnsetPassword(asked) => self.unset_password(&asked.account, by).map(Response::Done),
            Request::SetPasswordSignIn(asked) => {
                self.set_password_sign_in(asked.allowed, by);
                Ok(Response::Done(Done {}))
            }
            Request::Status(_) => self.status().map(Response::Status),
            Request::PinPeer(asked) => self.pin_peer(&asked, by).map(Response::Peer),
            Request::ListPeers(_) => Ok(Response::Peers(PeerStates {
                peers: self.links.peers.values().map(Peer::state).collect(),
            })),
            Request::ShowPeer(asked) => self.show_peer(&asked).map(Response::Peer),
            Request::RetryPeer(asked) => self.retry_peer(&asked).map(Response::Peer),
            Request::SetPeerMode(asked) => self.set_peer_mode(&asked, by).map(Response::Peer),
            Request::RemovePeer(asked) => self.remove_peer(&asked, by).map(Response::RemovedPeer),
            Request::ListQueue(asked) => self.list_queue(&asked).map(Response::Queue),
            Request::InviteUser(asked) => self.invite_user(&asked, by).map(Response::Invite),
            Request::CreateUser(asked) => self.create_user(&asked, by).map(Response::Invite),
            Request::ListUsers(_) => self.list_users().map(Response::Users),
            Request::ShowUser(asked) => self.show_user(&asked).map(Response::User),
            Request::SetStanding(asked) => self.set_standing(&asked, by).map(Response::User),
            Request::ListSessions(asked) => self.list_sessions(&asked).map(Response::Sessions),
            Request::EndSessions(asked) => self.end_sessions(&asked, by).map(Response::Sessions),
            Request::ShowDomain(_) => Ok(Response::Domain(self.show_domain())),
            Request::TakeDocument(asked) => self.take_document(&asked, by).map(Response::Domain),
            Request::SetDefaultPolicy(asked) => self.set_default_policy(&asked, by).map(Response::Done),
            Request::ListQuarantine(asked) => self.list_quarantine(&asked).map(Response::Quarantine),
            Request::ReportUsage(_) => self.report_usage().map(Response::Usage),
            Request::ListAudit(asked) => self.list_audit(&asked).map(Response::Audit),
        }
    }

    fn status(&self) -> Result<AdminStatus, ErrorCode> {
        let failed = |error: StoreError| error.code();
        let (accounts, suspended) = self.store.account_count().map_err(failed)?;
        let (_, quarantined) = self.store.quarantine(1).map_err(failed)?;
        Ok(AdminStatus {
            domain: self.config.domain.as_str().to_owned(),
            version: self.config.version.clone(),
            started_ms: self.started.as_ms(),
            accounts,
            suspended,
            rooms: self.store.room_count().map_err(failed)?,
            head: self.position,
            sessions: self.sessions.len() as u64,
            quarantined,
            storage_full: self.storage_full,
            listen: self.config.listen.clone(),
            passwords: Some(self.passwords.counts()),
            peers: self.peer_usage(),
        })
    }
}

fn limit(asked: u32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => LIST_MAX,
        Ok(asked) => asked.min(LIST_MAX),
    }
}

/// A fingerprint in a line of the audit log.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
