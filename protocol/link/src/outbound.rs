//! Decides what is sent next to a peer, and what the peer's acknowledgements mean for the outbox.

use std::collections::{BTreeMap, VecDeque};

use prost::Message as _;
use wire::{
    ErrorCode, WireError, limits,
    proto::{Answer, Batch, BatchAck, Ephemeral, Item, LinkOpen, LinkResume, Progress, item},
};

/// Ephemeral messages that may wait for the next batch; beyond it the oldest is dropped.
const EPHEMERAL_WAITING_MAX: usize = 64;
/// Progress that may wait for the next batch; beyond it the owner keeps it.
const PROGRESS_WAITING_MAX: usize = 256;

/// The sending half of a link: numbers and counts only; the items stay in the outbox table.
#[derive(Clone, Debug)]
pub struct Outbound {
    outbox_id: [u8; 16],
    acked: u64,
    settled: u64,
    settled_told: u64,
    phase: Phase,
    ephemeral: VecDeque<Ephemeral>,
    progress: VecDeque<Progress>,
}

#[derive(Clone, Debug)]
enum Phase {
    Closed,
    Opening,
    // The last number sent, and the last numbers of the batches that are not acknowledged.
    Open { sent: u64, flight: VecDeque<u64> },
}

/// What an acknowledgement means: make this durable, then [`Outbound::settle`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acked {
    /// Items up to this number are durable at the peer: drop them from the outbox.
    pub up_to: u64,
    /// Of these, the refused ones. An answer may come again after a reconnection.
    pub refused: Vec<(u64, WireError)>,
}

impl Outbound {
    /// The state that was stored: items up to `acked` are durable at the peer, answers up to
    /// `settled` are durable here.
    #[must_use]
    pub fn new(outbox_id: [u8; 16], acked: u64, settled: u64) -> Self {
        let (phase, ephemeral, progress) = (Phase::Closed, VecDeque::new(), VecDeque::new());
        Self { outbox_id, acked, settled, settled_told: settled, phase, ephemeral, progress }
    }

    /// Items up to this number are durable at the peer, or were given up.
    #[must_use]
    pub const fn acked(&self) -> u64 {
        self.acked
    }

    /// Whether the peer has answered on the current stream.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// A stream begins: the first frame on it ([LINK-5]).
    pub fn open(&mut self) -> LinkOpen {
        self.phase = Phase::Opening;
        LinkOpen {
            outbox_id: prost::bytes::Bytes::copy_from_slice(&self.outbox_id),
            first: self.acked.saturating_add(1),
        }
    }

    /// The peer's answer to it ([LINK-6]). `newest` is the largest number that was ever given out.
    ///
    /// # Errors
    /// `Malformed` if it comes unasked, or answers what it does not acknowledge; then nothing of it counts.
    /// `Conflict` if the peer has received more than was sent: this
    /// outbox is an older copy of itself. Take a new `outbox_id` and open again.
    pub fn resume(&mut self, resume: &LinkResume, newest: u64) -> Result<Acked, ErrorCode> {
        if !matches!(self.phase, Phase::Opening) {
            return Err(ErrorCode::Malformed);
        }
        if resume.received > newest {
            return Err(ErrorCode::Conflict);
        }
        let acked = self.acked_by(resume.received, &resume.answers)?;
        self.acked = acked.up_to;
        self.phase = Phase::Open { sent: self.acked, flight: VecDeque::new() };
        // The peer repeats what is not settled; telling it again is how it learns what is.
        self.settled_told = 0;
        Ok(acked)
    }

    /// The stream or the connection is gone; everything unacknowledged is sent again on the next.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
        self.ephemeral.clear();
        self.progress.clear();
    }

    /// The number of the next item to send, if a batch may be sent now ([LINK-7]).
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        match &self.phase {
            Phase::Open { sent, flight } if flight.len() < limits::BATCHES_IN_FLIGHT_MAX => {
                Some(sent.saturating_add(1))
            }
            Phase::Open { .. } | Phase::Opening | Phase::Closed => None,
        }
    }

    /// Takes an ephemeral message along with the next batch; dropped while the link is not open.
    pub fn ephemeral(&mut self, message: Ephemeral) {
        if self.is_open() {
            if self.ephemeral.len() == EPHEMERAL_WAITING_MAX {
                self.ephemeral.pop_front();
            }
            self.ephemeral.push_back(message);
        }
    }

    /// Takes progress along with the next batch, without a number: what a broken link loses is told
    /// again by its owner. `false` if none can be taken now.
    pub fn progress(&mut self, progress: Progress) -> bool {
        let taken = self.is_open() && self.progress.len() < PROGRESS_WAITING_MAX;
        if taken {
            self.progress.push_back(progress);
        }
        taken
    }

    /// The next batch, from items that begin with number [`Outbound::next`] and have no gaps: as
    /// many as fit ([LINK-7]). What does not fit is asked for again. `None` if there is nothing to
    /// say.
    pub fn batch(&mut self, queued: impl IntoIterator<Item = Item>) -> Option<Batch> {
        let Phase::Open { sent, flight } = &mut self.phase else { return None };
        let mut batch = Batch { items: Vec::new(), settled: self.settled };
        let mut bytes = 0;
        if flight.len() < limits::BATCHES_IN_FLIGHT_MAX {
            for item in queued {
                if item.number != sent.saturating_add(1) {
                    break;
                }
                let item = fitting(item);
                if !fits(&batch, &mut bytes, &item) {
                    break;
                }
                *sent = item.number;
                batch.items.push(item);
            }
            if !batch.items.is_empty() {
                flight.push_back(*sent);
            }
        }
        while let Some(progress) = self.progress.front() {
            let item = Item { number: 0, item: Some(item::Item::Progress(progress.clone())) };
            if !fits(&batch, &mut bytes, &item) {
                break;
            }
            self.progress.pop_front();
            batch.items.push(item);
        }
        while let Some(message) = self.ephemeral.front() {
            let item = Item { number: 0, item: Some(item::Item::Ephemeral(message.clone())) };
            if !fits(&batch, &mut bytes, &item) {
                break;
            }
            self.ephemeral.pop_front();
            batch.items.push(item);
        }
        let news = self.settled > self.settled_told;
        self.settled_told = self.settled;
        (news || !batch.items.is_empty()).then_some(batch)
    }

    /// An acknowledgement ([LINK-8]).
    ///
    /// # Errors
    /// `Malformed` if it is for something that was not sent, or answers what it does not acknowledge;
    /// close the stream: nothing of it counts.
    pub fn ack(&mut self, ack: &BatchAck) -> Result<Acked, ErrorCode> {
        let acked = self.acked_by(ack.received, &ack.answers)?;
        let Phase::Open { sent, flight } = &mut self.phase else { return Err(ErrorCode::Malformed) };
        if ack.received > *sent {
            return Err(ErrorCode::Malformed);
        }
        self.acked = acked.up_to;
        while flight.pop_front_if(|last| *last <= acked.up_to).is_some() {}
        Ok(acked)
    }

    /// The answers to items up to this number are durable here: the peer may forget them. It is
    /// told with the next batch ([LINK-9]).
    pub fn settle(&mut self, up_to: u64) {
        self.settled = self.settled.max(up_to.min(self.acked));
    }

    /// Items up to this number were given up; they will never be sent ([LINK-13]). Only while the
    /// link is not open: the next `LinkOpen` says so.
    pub fn give_up(&mut self, up_to: u64) {
        if !self.is_open() {
            self.acked = self.acked.max(up_to);
        }
    }

    /// What it means if everything up to `received` is durable and this is refused of it. Changes nothing:
    /// of what is malformed nothing counts.
    fn acked_by(&self, received: u64, answers: &[Answer]) -> Result<Acked, ErrorCode> {
        let up_to = self.acked.max(received);
        let mut refused = BTreeMap::new();
        for answer in answers {
            let error = answer.error.as_ref().ok_or(ErrorCode::Malformed)?;
            if answer.number == 0 || answer.number > up_to {
                return Err(ErrorCode::Malformed);
            }
            if answer.number > self.settled {
                refused.entry(answer.number).or_insert(WireError::from(error));
            }
        }
        Ok(Acked { up_to, refused: refused.into_iter().collect() })
    }
}

// An item over the limit goes as an empty one: its number is used, the peer refuses it, and its
// neighbours are not held up.
fn fitting(item: Item) -> Item {
    if item.encoded_len() > limits::BATCH_BYTES_MAX { Item { number: item.number, item: None } } else { item }
}

fn fits(batch: &Batch, bytes: &mut usize, item: &Item) -> bool {
    let with = bytes.saturating_add(item.encoded_len());
    let fits = batch.items.len() < limits::BATCH_ITEMS_MAX && with <= limits::BATCH_BYTES_MAX;
    if fits {
        *bytes = with;
    }
    fits
}

#[cfg(test)]
mod tests;
