//! Decides which items of a peer are new, and what it is told about them.

use std::collections::BTreeMap;

use wire::{
    ErrorCode, WireError, limits,
    proto::{Answer, Batch, BatchAck, Error, Item, LinkOpen, LinkResume, item},
};

/// The receiving half of a link: what is durable here of the peer's outbox, and the refusals that
/// the peer does not hold durably yet.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    outbox_id: [u8; 16],
    received: u64,
    answers: BTreeMap<u64, Error>,
    // Answers up to this number were told on the current stream.
    told: u64,
}

impl Inbound {
    /// The state that was stored.
    #[must_use]
    pub fn new(outbox_id: [u8; 16], received: u64, answers: impl IntoIterator<Item = (u64, Error)>) -> Self {
        Self { outbox_id, received, answers: answers.into_iter().collect(), told: 0 }
    }

    /// The peer's numbering, to be stored with [`Inbound::received`].
    #[must_use]
    pub const fn outbox_id(&self) -> [u8; 16] {
        self.outbox_id
    }

    /// Items up to this number were taken: durable as soon as the transaction is that they were
    /// taken in.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// A stream begins ([LINK-6]). The answer to it, and whether this is another numbering than
    /// before: then all stored answers of the peer's items are void.
    ///
    /// # Errors
    /// `Malformed` if the id has not 16 bytes, or the first number is 0 or beyond `SEQ_MAX`.
    pub fn open(&mut self, open: &LinkOpen) -> Result<(LinkResume, bool), ErrorCode> {
        let id = <[u8; 16]>::try_from(open.outbox_id.as_ref()).map_err(|_| ErrorCode::Malformed)?;
        let before_first = open.first.checked_sub(1).ok_or(ErrorCode::Malformed)?;
        if open.first > limits::SEQ_MAX {
            return Err(ErrorCode::Malformed);
        }
        let renumbered = id != self.outbox_id;
        if renumbered {
            *self = Self { outbox_id: id, received: before_first, ..Self::default() };
        }
        self.received = self.received.max(before_first);
        self.told = self.received;
        let answers = self.answers_after(0);
        Ok((LinkResume { received: self.received, answers }, renumbered))
    }

    /// The items of a batch that are new, in order; number 0 for ephemeral ones. Nothing is taken
    /// yet: call [`Inbound::taken`] for each ([LINK-7]).
    ///
    /// # Errors
    /// `TooLarge` over the count or the bytes of a batch; `Malformed` for a gap, for numbers that do
    /// not ascend, and for an ephemeral item with a number or another without; `Quota` if the peer
    /// does not settle its refusals. The stream is closed with it, and nothing of the batch counts.
    pub fn batch(&self, batch: Batch) -> Result<Vec<Item>, ErrorCode> {
        let bytes: usize = batch.items.iter().map(prost::Message::encoded_len).sum();
        if batch.items.len() > limits::BATCH_ITEMS_MAX || bytes > limits::BATCH_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        if self.answers.len() >= limits::ANSWERS_KEPT_MAX {
            return Err(ErrorCode::Quota);
        }
        let mut last = None;
        let mut new = Vec::with_capacity(batch.items.len());
        for item in batch.items {
            // [LINK-10] Progress may have a number, for it may be worth a place in an outbox; typing is not.
            let fits = match item.item {
                Some(item::Item::Ephemeral(_)) => item.number == 0,
                Some(item::Item::Progress(_)) => true,
                _ => item.number != 0,
            };
            if !fits {
                return Err(ErrorCode::Malformed);
            }
            if item.number != 0 {
                let follows = match last {
                    None => item.number <= self.received.saturating_add(1),
                    Some(last) => Some(item.number) == u64::checked_add(last, 1),
                };
                if !follows || item.number > limits::SEQ_MAX {
                    return Err(ErrorCode::Malformed);
                }
                last = Some(item.number);
            }
            if item.number == 0 || item.number > self.received {
                new.push(item);
            }
        }
        Ok(new)
    }

    /// The item with this number was processed, or refused with this error; to be stored in the
    /// same transaction ([LINK-8]).
    pub fn taken(&mut self, number: u64, refused: Option<WireError>) {
        self.received = self.received.max(number);
        if let Some(error) = refused {
            self.answers.insert(number, error.into());
        }
    }

    /// The peer holds the answers up to this number durably ([LINK-9]). Whether any were kept.
    pub fn settled(&mut self, up_to: u64) -> bool {
        let before = self.answers.len();
        self.answers = self.answers.split_off(&up_to.saturating_add(1));
        self.answers.len() < before
    }

    /// The acknowledgement of everything taken so far; may leave only when that is durable.
    pub fn ack(&mut self) -> BatchAck {
        let answers = self.answers_after(self.told);
        self.told = self.received;
        BatchAck { received: self.received, answers }
    }

    fn answers_after(&self, number: u64) -> Vec<Answer> {
        self.answers
            .range(number.saturating_add(1)..)
            .map(|(number, error)| Answer { number: *number, error: Some(*error) })
            .collect()
    }
}

#[cfg(test)]
mod tests;
