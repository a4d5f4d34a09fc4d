//! What the administrator asks and orders.

use machine::Entropy;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use store::{
    Store, StoreError, Write,
    row::{AccountRow, PeerRow},
};
use wire::{
    Account, DomainName, ErrorCode, limits,
    proto::{
        AdminRequest, AdminStatus, ContactPolicy, DomainView, Done, Item, ListQuarantine, ListQueue,
        Peer as PeerView, PeerStates, PinPeer, Quarantine, QuarantinedItem, Queue, QueuedItem, RetryPeer,
        SetDefaultPolicy, User, UserInvite, Users, admin_request::Request, admin_response::Response,
    },
};

use crate::{AdminId, Core, link_table::Peer, peer::kind};

const LIST_MAX: usize = 1_000;

impl<S: Store, E: Entropy> Core<S, E> {
    /// Answers one request; one that must be asked about is answered later.
    pub(crate) fn admin(&mut self, id: AdminId, request: AdminRequest) -> Option<Response> {
        let response = match request.request {
            Some(Request::SetPassword(asked)) => match self.set_password(id, &asked) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Some(Request::UnsetPassword(asked)) => self.unset_password(&asked.account).map(Response::Done),
            Some(Request::SetPasswordSignIn(asked)) => {
                self.config.passwords = asked.allowed;
                Ok(Response::Done(Done {}))
            }
            Some(Request::Status(_)) => self.status().map(Response::Status),
            Some(Request::PinPeer(asked)) => self.pin_peer(&asked).map(Response::Peer),
            Some(Request::ListPeers(_)) => Ok(Response::Peers(PeerStates {
                peers: self.links.peers.values().map(Peer::state).collect(),
            })),
            Some(Request::RetryPeer(asked)) => self.retry_peer(&asked).map(Response::Peer),
            Some(Request::InviteUser(asked)) => self.invite_user(&asked.account).map(Response::Invite),
            Some(Request::ListUsers(_)) => self.list_users().map(Response::Users),
            Some(Request::ShowDomain(_)) => Ok(Response::Domain(DomainView {
                document: Some(self.chain.newest().signed().clone()),
                fingerprint: self.fingerprint(),
            })),
            Some(Request::ListQueue(asked)) => self.list_queue(&asked).map(Response::Queue),
            Some(Request::ListQuarantine(asked)) => self.list_quarantine(&asked).map(Response::Quarantine),
            Some(Request::SetDefaultPolicy(asked)) => self.set_default_policy(&asked).map(Response::Done),
            None => Err(ErrorCode::Unsupported),
        };
        Some(response.unwrap_or_else(|error| Response::Error(error.into())))
    }

    fn set_default_policy(&mut self, asked: &SetDefaultPolicy) -> Result<Done, ErrorCode> {
        self.config.policy = match ContactPolicy::try_from(asked.policy) {
            Ok(ContactPolicy::Unspecified) | Err(_) => return Err(ErrorCode::Malformed),
            Ok(policy) => policy,
        };
        Ok(Done {})
    }

    fn fingerprint(&self) -> bytes::Bytes {
        let root = self.chain.newest().root_key();
        bytes::Bytes::copy_from_slice(&identity::fingerprint(root))
    }

    fn status(&self) -> Result<AdminStatus, ErrorCode> {
        let failed = |error: StoreError| error.code();
        let (_, quarantined) = self.store.quarantine(1).map_err(failed)?;
        Ok(AdminStatus {
            domain: self.config.domain.as_str().to_owned(),
            version: self.config.version.clone(),
            started_ms: self.started.as_ms(),
            accounts: self.all_accounts()?.len() as u64,
            rooms: self.store.room_count().map_err(failed)?,
            head: self.position,
            sessions: self.sessions.len() as u64,
            quarantined,
            storage_full: self.storage_full,
            listen: self.config.listen.clone(),
            passwords: Some(self.passwords.counts()),
        })
    }

    fn all_accounts(&self) -> Result<Vec<AccountRow>, ErrorCode> {
        let mut all: Vec<AccountRow> = Vec::new();
        loop {
            let after = all.last().map(|row| row.account.clone());
            let page = self.store.accounts(after.as_ref(), LIST_MAX).map_err(|error| error.code())?;
            let last = page.len() < LIST_MAX;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// A pin says which root key is the domain's. Another pin of the same domain needs `replace`, and
    /// then what was seen of the old one does not count.
    fn pin_peer(&mut self, asked: &PinPeer) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let fingerprint: [u8; 32] =
            asked.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        if domain == self.config.domain || asked.endpoints.len() > limits::ENDPOINTS_MAX {
            return Err(ErrorCode::Malformed);
        }
        for endpoint in &asked.endpoints {
            endpoint.parse::<wire::Endpoint>()?;
        }
        let row = match self.links.get_mut(&domain).map(Peer::current_row) {
            Some(row) if row.fingerprint != fingerprint && !asked.replace => return Err(ErrorCode::Conflict),
            Some(row) => PeerRow { fingerprint, held: false, ..row },
            None => PeerRow {
                domain: domain.clone(),
                fingerprint,
                endpoints: Vec::new(),
                held: false,
                outbox_id: self.entropy.array(),
                next_number: 1,
                acked: 0,
                settled: 0,
                their_outbox_id: [0; 16],
                received: 0,
                failures: 0,
                next_retry_ms: 0,
                absent_since_ms: 0,
                last_error: 0,
            },
        };
        let endpoints = if asked.endpoints.is_empty() { row.endpoints } else { asked.endpoints.clone() };
        let row = PeerRow { endpoints, failures: 0, next_retry_ms: 0, ..row };
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutPeer(row.clone()));
        let conn = self.links.conn(&domain);
        let peer = Peer::load(&self.store, row).map_err(|error| error.code())?;
        let view = peer_view(&peer);
        self.links.peers.insert(domain, peer);
        if let Some(conn) = conn {
            self.stage(crate::send::Send::ClosePeer(conn, ErrorCode::Superseded));
        }
        Ok(view)
    }

    fn retry_peer(&mut self, asked: &RetryPeer) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let peer = self.links.get_mut(&domain).ok_or(ErrorCode::NotFound)?;
        peer.retry.backoff.contact();
        peer.retry.absent_since.get_or_insert(self.now);
        Ok(peer_view(peer))
    }

    fn invite_user(&mut self, name: &str) -> Result<UserInvite, ErrorCode> {
        let account: Account = name.parse()?;
        if *account.domain() != self.config.domain {
            return Err(ErrorCode::Misdirected);
        }
        let known = self.store.account(&account).map_err(|error| error.code())?;
        if known.is_some_and(|row| row.keys.is_some()) {
            return Err(ErrorCode::Conflict);
        }
        let code: [u8; 16] = self.entropy.array();
        let expires = self.now.as_s().saturating_add(limits::INVITE_CODE_VALID_S);
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutAccount(AccountRow {
            account: account.clone(),
            code_hash: Some(Sha256::digest(code).into()),
            code_expires_ms: expires.saturating_mul(1000),
            keys: None,
            policy: ContactPolicy::Unspecified,
        }));
        Ok(UserInvite {
            account: account.as_str().to_owned(),
            code: bytes::Bytes::copy_from_slice(&code),
            expires,
            fingerprint: self.fingerprint(),
            endpoints: self.chain.newest().endpoints().iter().map(ToString::to_string).collect(),
        })
    }

    fn list_users(&self) -> Result<Users, ErrorCode> {
        let mut users = Vec::new();
        for row in self.all_accounts()? {
            let devices = self.store.devices(&row.account).map_err(|error| error.code())?;
            let mut key_packages = 0;
            for device in &devices {
                let count = self.store.key_package_count(&row.account, &device.device);
                key_packages += u64::from(count.map_err(|error| error.code())?.0);
            }
            users.push(User {
                account: row.account.as_str().to_owned(),
                devices: u32::try_from(devices.len()).unwrap_or(u32::MAX),
                enrolled: row.keys.is_some(),
                key_packages,
                password: self.store.password(&row.account).map_err(|error| error.code())?.is_some(),
            });
        }
        Ok(Users { users })
    }

    fn list_queue(&self, asked: &ListQueue) -> Result<Queue, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let peer = self.links.get(&domain).ok_or(ErrorCode::NotFound)?;
        let first = peer.outbound.acked().saturating_add(1);
        let rows = self.store.outbox(&domain, first, limit(asked.limit)).map_err(|error| error.code())?;
        let items = rows.into_iter().map(|row| {
            let item = Item::decode(row.item.clone()).unwrap_or_default();
            QueuedItem {
                number: row.number,
                kind: if row.from_seq > 0 { "events".to_owned() } else { kind(&item).to_owned() },
                room: row.room.to_bytes(),
                bytes: row.item.len() as u64,
                since_ms: row.queued_ms,
            }
        });
        Ok(Queue { items: items.collect(), total: peer.queued.0 })
    }

    fn list_quarantine(&self, asked: &ListQuarantine) -> Result<Quarantine, ErrorCode> {
        let (rows, total) = self.store.quarantine(limit(asked.limit)).map_err(|error| error.code())?;
        let items = rows.into_iter().map(|row| QuarantinedItem {
            domain: row.peer.as_str().to_owned(),
            time_ms: row.time_ms,
            error: row.error,
            kind: row.kind,
        });
        Ok(Quarantine { items: items.collect(), total })
    }
}

fn limit(asked: u32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => LIST_MAX,
        Ok(asked) => asked.min(LIST_MAX),
    }
}

fn peer_view(peer: &Peer) -> PeerView {
    PeerView {
        state: Some(peer.state()),
        fingerprint: bytes::Bytes::copy_from_slice(&peer.row.fingerprint),
        endpoints: peer.row.endpoints.clone(),
        document_seq: peer.chain.as_ref().map_or(0, |chain| chain.newest().seq()),
        held: peer.row.held,
    }
}
