//! The core of a node: takes inputs, holds what is in memory, lets outputs out in order.

use std::collections::VecDeque;

use bytes::Bytes;
use identity::Chain;
use machine::{Barrier, Entropy, Mark, Step, Timestamp};
use prost::Message as _;
use store::{Batch, Store, StoreError, Write, row::DocumentRow};
use wire::{DomainName, ErrorCode, limits};

use crate::{
    CoreConfig, Input, Output, SessionId,
    admin::AuditLog,
    claim_gather::Gathers,
    drain::Drain,
    link_table::LinkTable,
    media::Permits,
    pace::Paces,
    password::Passwords,
    peer::{ClaimRate, FoundingRate},
    presence::PresenceTable,
    quiet::Quiet,
    restoring::Restoring,
    room_table::RoomTable,
    send::Send,
    session::Sessions,
    trace::Traces,
    turn::Turns,
    waiting::Waiting,
};

/// One domain's node without its sockets and clock. See the crate's page for the driver's loop.
pub struct Core<S, E> {
    pub(crate) config: CoreConfig,
    /// This domain's own documents.
    pub(crate) chain: Chain,
    pub(crate) store: S,
    pub(crate) entropy: E,
    pub(crate) now: Timestamp,
    pub(crate) started: Timestamp,
    /// Identifies this store to devices; another after a restore from a backup.
    pub(crate) store_id: [u8; 16],
    /// Tells peers a new start from a second connection.
    pub(crate) instance: [u8; 16],
    /// The position that was given out last.
    pub(crate) position: u64,
    /// The last position that is durable.
    pub(crate) durable_position: u64,
    pub(crate) drain: Drain,
    pub(crate) barrier: Barrier<Batch, Send>,
    /// Inputs that wait for the batch before them.
    pub(crate) backlog: VecDeque<Input>,
    pub(crate) sessions: Sessions,
    pub(crate) rooms: RoomTable,
    pub(crate) links: LinkTable,
    pub(crate) restoring: Restoring,
    pub(crate) waiting: Waiting,
    pub(crate) permits: Permits,
    pub(crate) gathers: Gathers,
    pub(crate) claim_rate: ClaimRate,
    pub(crate) founding_rate: FoundingRate,
    pub(crate) paces: Paces,
    pub(crate) turns: Turns,
    pub(crate) traces: Traces,
    pub(crate) passwords: Passwords,
    pub(crate) presence: PresenceTable,
    /// The hour in which old claims were forgotten last.
    pub(crate) claims_pruned: u64,
    /// The hour in which submissions that no hub orders were looked for last.
    pub(crate) unordered_looked_for: u64,
    /// Lines about hellos that were refused.
    pub(crate) refusals: Quiet,
    pub(crate) audit: AuditLog,
    /// When progress was told last.
    pub(crate) progress_told: Timestamp,
    /// The session that was sent a page last, for turns.
    pub(crate) paged: SessionId,
    /// Sessions are behind that could be sent another page.
    pub(crate) pages_wait: bool,
    pub(crate) storage_full: bool,
    pub(crate) draining: bool,
    /// So many inputs are decided and written each for itself, because a batch of many was refused.
    alone: usize,
    issued: Mark,
    durable: Mark,
    wake: Option<Timestamp>,
    idle_done: bool,
}

const STORE_ID: &str = "store_id";

impl<S: Store, E: Entropy> Core<S, E> {
    /// Loads what a node keeps in memory all the time: its peers and its place in the positions.
    ///
    /// # Errors
    /// Those of reading the store; `Damaged` if the configured documents are no chain.
    pub fn new(config: CoreConfig, store: S, mut entropy: E, now: Timestamp) -> Result<Self, StoreError> {
        let chain = own_chain(&config)?;
        let mut drain = Drain { open: true, ..Drain::default() };
        let store_id = match store.meta(STORE_ID)? {
            Some(bytes) => <[u8; 16]>::try_from(bytes.as_ref())
                .map_err(|_| StoreError::Damaged("the store id has a wrong length".into()))?,
            None => {
                let id = entropy.array::<16>();
                drain.batch.push(Write::PutMeta(STORE_ID, Bytes::copy_from_slice(&id)));
                id
            }
        };
        write_new_documents(&config, &store, &mut drain)?;
        let passwords = Passwords::load(&store, &mut entropy, &mut drain.batch)?;
        let position = store.head()?;
        let instance = entropy.array();
        let links = LinkTable::load(&store)?;
        let restoring = Restoring::load(&store, &config.domain, &links, &mut drain.batch)?;
        let audit = AuditLog::load(&store)?;
        Ok(Self {
            chain,
            entropy,
            now,
            started: now,
            store_id,
            instance,
            position,
            durable_position: position,
            drain,
            barrier: Barrier::default(),
            backlog: VecDeque::new(),
            sessions: Sessions::default(),
            rooms: RoomTable::default(),
            links,
            restoring,
            waiting: Waiting::default(),
            permits: Permits::default(),
            gathers: Gathers::default(),
            claim_rate: ClaimRate::default(),
            founding_rate: FoundingRate::default(),
            paces: Paces::default(),
            turns: Turns::default(),
            traces: Traces::default(),
            passwords,
            presence: PresenceTable::default(),
            claims_pruned: 0,
            unordered_looked_for: 0,
            refusals: Quiet::default(),
            audit,
            progress_told: Timestamp::default(),
            paged: SessionId(0),
            pages_wait: false,
            storage_full: false,
            draining: false,
            alone: 0,
            issued: Mark::default(),
            durable: Mark::default(),
            wake: None,
            idle_done: false,
            config,
            store,
        })
    }

    /// The store, for committing the batches that this core hands out.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The domain that this core serves.
    pub const fn domain(&self) -> &DomainName {
        &self.config.domain
    }

    /// Takes note of one input.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.handle_all(now, [input]);
    }

    /// Takes note of the inputs that were waiting, at most `GROUP_COMMIT_INPUTS_MAX`. They are decided
    /// in order and written in one batch, unless one of them must see what another wrote; then the
    /// rest follows in a second batch.
    pub fn handle_all(&mut self, now: Timestamp, inputs: impl IntoIterator<Item = Input>) {
        self.now = self.now.max(now);
        self.backlog.extend(inputs);
        self.idle_done = false;
        self.turns.begin();
        self.work_off();
    }

    /// The next thing to do, or `None` until the next input. After an [`Output::Persist`] call
    /// [`Core::persisted`] or [`Core::failed`] before polling again.
    pub fn poll(&mut self) -> Option<Output> {
        loop {
            self.end_drain();
            match self.barrier.poll() {
                Some(Step::Persist(mark, batch)) => {
                    self.issued = mark;
                    return Some(Output::Persist(mark, batch));
                }
                Some(Step::Send(send)) => {
                    if let Some(output) = send.into_output() {
                        return Some(output);
                    }
                    continue;
                }
                None => {}
            }
            if self.durable < self.issued {
                return None;
            }
            if !self.backlog.is_empty() || self.turns.may_go_on() {
                self.work_off();
                continue;
            }
            if self.idle_done {
                return self.next_wake();
            }
            self.idle_done = true;
            self.when_durable();
        }
    }

    /// The batch of this mark, and every one before it, is durable.
    pub fn persisted(&mut self, mark: Mark) {
        self.barrier.persisted(mark);
        self.durable = self.durable.max(mark);
        self.durable_position = self.position;
        self.storage_full = false;
        self.idle_done = false;
    }

    /// The batch that was let out last was not written, for want of space. Everything derived from it
    /// is forgotten, its askers are told `code`, and links are closed so that they resume.
    pub fn failed(&mut self, code: ErrorCode) {
        self.durable = self.issued;
        self.storage_full = code == ErrorCode::StorageFull;
        if code == ErrorCode::Unavailable {
            // What one input would write is at odds with what is there: it must not fail its neighbours
            // again.
            self.alone = limits::GROUP_COMMIT_INPUTS_MAX;
        }
        self.roll_back(code);
        self.idle_done = false;
    }

    /// Everything that this decides from the store while nothing waits to be written: what devices
    /// and peers that are behind get next.
    fn when_durable(&mut self) {
        self.drain.open = true;
        if self.presence.due().is_some_and(|due| due <= self.now) {
            self.tell_presence();
        }
        self.catch_up_sessions();
        self.pull_missing();
        self.refill_links();
    }

    /// Decides inputs until one must wait for the batch, or none is left.
    fn work_off(&mut self) {
        self.prefetch();
        if self.alone == 0 {
            self.work_off_turns(usize::MAX);
        } else if self.turns.may_go_on() {
            self.alone -= 1;
            return self.work_off_turns(1);
        }
        let most = limits::GROUP_COMMIT_INPUTS_MAX;
        for _ in 0..most {
            let Some(input) = self.backlog.front() else { break };
            // An order of the administrator concerns whatever was decided before it.
            let unsettled = match input {
                Input::Admin { .. } => !self.drain.batch.is_empty(),
                _ => self.drain.settle_first,
            };
            if unsettled && self.must_see_committed(input) {
                break;
            }
            let Some(input) = self.backlog.pop_front() else { break };
            self.drain.open = true;
            self.dispatch(input);
            if self.alone > 0 {
                self.alone -= 1;
                break;
            }
        }
    }

    fn next_wake(&mut self) -> Option<Output> {
        let wake = self.wake_at();
        if wake == self.wake {
            return None;
        }
        self.wake = wake;
        wake.map(Output::WakeAt)
    }

    /// The timer has run out: the next wish is told anew.
    pub(crate) const fn woken(&mut self) {
        self.wake = None;
    }
}

fn own_chain(config: &CoreConfig) -> Result<Chain, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(what.into());
    let first = config.documents.first().ok_or_else(|| damaged("there is no domain document"))?;
    let parsed = identity::DomainDocument::parse(first).map_err(|error| damaged(error.name()))?;
    let pin = identity::fingerprint(parsed.root_key());
    if parsed.domain() != &config.domain {
        return Err(damaged("the domain documents are of another domain"));
    }
    // One's own documents are all there; only in a hello or an answer is their number bounded.
    let mut chain = Chain::verify_first(first, &pin).map_err(|error| damaged(error.name()))?;
    for signed in &config.documents {
        chain.extend(signed).map_err(|error| damaged(error.name()))?;
    }
    Ok(chain)
}

fn write_new_documents<S: Store>(
    config: &CoreConfig,
    store: &S,
    drain: &mut Drain,
) -> Result<(), StoreError> {
    let known = store.documents(&config.domain, 0)?;
    for signed in &config.documents {
        let document = identity::DomainDocument::parse(signed)
            .map_err(|error| StoreError::Damaged(error.name().into()))?;
        if !known.iter().any(|row| row.seq == document.seq()) {
            drain.batch.push(Write::PutDocument(DocumentRow {
                domain: config.domain.clone(),
                seq: document.seq(),
                signed: signed.encode_to_vec().into(),
            }));
        }
    }
    Ok(())
}
