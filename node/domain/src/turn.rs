//! [LINK-16] Lets peers take turns: what one peer sends at once is worked off in parts, and between two parts
//! everybody else has the core.

use std::collections::{BTreeMap, VecDeque};

use machine::Entropy;
use store::Store;
use tracing::Span;
use wire::{
    DomainName, ErrorCode, limits,
    proto::{Batch, EventKind, Item, item},
};

use crate::{ConnId, Core, StreamId, trace};

/// What came on a peer's link and is not decided yet.
struct Turn {
    /// What was decided for it since inputs came last, by cost.
    spent: usize,
    /// Of the batch that was begun last.
    items: VecDeque<Item>,
    /// The span of that batch.
    span: Span,
    /// Batches behind it, at most `BATCHES_IN_FLIGHT_MAX`, for as many may be unacknowledged.
    batches: VecDeque<(ConnId, StreamId, Batch)>,
}

impl Default for Turn {
    fn default() -> Self {
        Self { spent: 0, items: VecDeque::new(), span: Span::none(), batches: VecDeque::new() }
    }
}

impl Turn {
    fn is_waiting(&self) -> bool {
        !self.items.is_empty() || !self.batches.is_empty()
    }

    const fn is_over(&self) -> bool {
        self.spent >= limits::LINK_TURN_COST
    }
}

/// The turns of all peers that have sent something lately.
#[derive(Default)]
pub(crate) struct Turns(BTreeMap<DomainName, Turn>);

impl Turns {
    /// Other inputs have been taken in: everybody may be heard again.
    pub(crate) fn begin(&mut self) {
        self.0.retain(|_, turn| turn.is_waiting());
        self.0.values_mut().for_each(|turn| turn.spent = 0);
    }

    /// Whether somebody waits for others to have had their turn.
    pub(crate) fn are_waiting(&self) -> bool {
        self.0.values().any(Turn::is_waiting)
    }

    /// Whether somebody waits for the batch before only.
    pub(crate) fn may_go_on(&self) -> bool {
        self.0.values().any(|turn| turn.is_waiting() && !turn.is_over())
    }

    /// More work was made for a peer than its items look like.
    pub(crate) fn charge(&mut self, peer: &DomainName, cost: usize) {
        if let Some(turn) = self.0.get_mut(peer) {
            turn.spent = turn.spent.saturating_add(cost);
        }
    }

    /// The stream of a peer has ended: what was not taken comes again on the next.
    pub(crate) fn forget(&mut self, peer: &DomainName) {
        self.0.remove(peer);
    }

    /// As [`Self::forget`], for all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Takes in a batch of a peer: at once if it is the peer's turn, else behind what waits already.
    ///
    /// # Errors
    /// [LINK-7] `RateLimited` beyond `BATCHES_IN_FLIGHT_MAX`, and those of `link`.
    pub(crate) fn take_batch(
        &mut self,
        domain: &DomainName,
        (conn, stream): (ConnId, StreamId),
        batch: Batch,
    ) -> Result<(), ErrorCode> {
        let turn = self.turns.0.entry(domain.clone()).or_default();
        if !turn.is_waiting() && !turn.is_over() {
            self.begin_batch(domain, stream, batch)?;
            self.go_on(domain);
            return Ok(());
        }
        // Nobody waits for typing: it is dropped rather than kept.
        let is_lasting = |item: &Item| !matches!(item.item, Some(item::Item::Ephemeral(_)));
        if !batch.items.is_empty() && !batch.items.iter().any(is_lasting) {
            return Ok(());
        }
        if turn.batches.len() >= limits::BATCHES_IN_FLIGHT_MAX {
            return Err(ErrorCode::RateLimited);
        }
        turn.batches.push_back((conn, stream, batch));
        Ok(())
    }

    /// Goes on with what waits of peers whose turn is not over, of so many at most.
    pub(crate) fn work_off_turns(&mut self, most: usize) {
        let waits = |turn: &Turn| turn.is_waiting() && !turn.is_over();
        let waiting = self.turns.0.iter().filter(|(_, turn)| waits(turn));
        let waiting: Vec<DomainName> = waiting.map(|(peer, _)| peer.clone()).take(most).collect();
        for peer in waiting {
            self.drain.open = true;
            self.go_on(&peer);
        }
    }

    /// Decides items of a peer until its turn is over, one must wait for the batch, or none is left.
    fn go_on(&mut self, domain: &DomainName) {
        loop {
            let Some(turn) = self.turns.0.get_mut(domain) else { return };
            if turn.is_over() {
                return;
            }
            let Some(item) = turn.items.front() else {
                let Some((conn, stream, batch)) = turn.batches.pop_front() else { return };
                if let Err(error) = self.begin_batch(domain, stream, batch) {
                    self.close_link(domain, conn, error);
                    return;
                }
                continue;
            };
            if self.drain.settle_first && reads_store(item) {
                return;
            }
            turn.spent = turn.spent.saturating_add(cost(item));
            let Some(item) = turn.items.pop_front() else { return };
            let span = if turn.items.is_empty() {
                std::mem::replace(&mut turn.span, Span::none())
            } else {
                turn.span.clone()
            };
            let _entered = span.entered();
            self.take_one(domain, &item);
        }
    }

    fn begin_batch(&mut self, domain: &DomainName, stream: StreamId, batch: Batch) -> Result<(), ErrorCode> {
        let span = trace::of_batch(domain, &batch);
        let items = self.open_batch(domain, stream, batch)?;
        if let Some(turn) = self.turns.0.get_mut(domain)
            && !items.is_empty()
        {
            turn.items.extend(items);
            turn.span = span;
        }
        Ok(())
    }
}

/// What an item costs of a peer's turn, by the work that it may make: [SYNC-9] for peers.
fn cost(item: &Item) -> usize {
    match &item.item {
        Some(item::Item::Submission(submission)) => match submission.kind() {
            EventKind::Commit | EventKind::Founding | EventKind::Proposal => limits::COST_COMMIT,
            EventKind::Message | EventKind::Notice | EventKind::Unspecified => limits::COST_MESSAGE,
        },
        Some(item::Item::Events(run)) => run.events.len().max(1) * limits::COST_MESSAGE,
        // More than these are refused by their number.
        Some(item::Item::Join(join)) => {
            join.accounts.len().clamp(1, limits::ADDS_PER_COMMIT_MAX) * limits::COST_WRITE
        }
        Some(item::Item::Left(left)) => {
            left.accounts.len().clamp(1, limits::ROOM_DEVICES_MAX) * limits::COST_MESSAGE + limits::COST_WRITE
        }
        Some(item::Item::Declined(_)) | None => limits::COST_WRITE,
        Some(item::Item::Progress(_)) => limits::COST_MESSAGE,
        Some(item::Item::Ephemeral(_)) => limits::COST_EPHEMERAL,
    }
}

/// Whether an item is decided by what the store says, which an earlier item of the same drain may have
/// changed.
fn reads_store(item: &Item) -> bool {
    match &item.item {
        Some(item::Item::Submission(submission)) => crate::dispatch::changes_members(submission),
        Some(item::Item::Join(_) | item::Item::Declined(_) | item::Item::Left(_)) => true,
        _ => false,
    }
}
