//! Persist before send, as a property of a queue (promise 3 of `spec/architecture.md`).

use std::collections::VecDeque;

/// A point in a stream of writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// What a [`Barrier`] lets out next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<W, S> {
    /// Write this durably, then report the mark to [`Barrier::persisted`].
    Persist(Mark, W),
    /// Everything that this was derived from is durable.
    Send(S),
}

/// A queue in which a send waits until every write that was queued before it is durable. It holds
/// back a refusal derived from an unwritten state just as it holds back an acknowledgement.
///
/// There is one barrier to a stream of transactions. It grows only with what `handle` puts in, so
/// its bound is that of its owner's input queue.
#[derive(Debug)]
pub struct Barrier<W, S> {
    writes: VecDeque<(Mark, W)>,
    sends: VecDeque<(Mark, S)>,
    issued: Mark,
    durable: Mark,
}

impl<W, S> Default for Barrier<W, S> {
    fn default() -> Self {
        Self { writes: VecDeque::new(), sends: VecDeque::new(), issued: Mark(0), durable: Mark(0) }
    }
}

impl<W, S> Barrier<W, S> {
    /// Queues a write; what is sent from now on waits for it.
    pub fn persist(&mut self, write: W) -> Mark {
        self.issued.0 += 1;
        self.writes.push_back((self.issued, write));
        self.issued
    }

    /// Queues a send behind every write so far.
    pub fn send(&mut self, send: S) {
        self.sends.push_back((self.issued, send));
    }

    /// All writes up to `mark` are durable.
    pub fn persisted(&mut self, mark: Mark) {
        self.durable = self.durable.max(mark.min(self.issued));
    }

    /// The writes that were let out or are waiting will never be durable: everything that was
    /// derived from them is dropped and returned, for its askers to be told.
    pub fn abandon(&mut self) -> Vec<S> {
        self.writes.clear();
        let durable = self.durable;
        let kept = self.sends.iter().take_while(|(after, _)| *after <= durable).count();
        let dropped = self.sends.split_off(kept).into_iter().map(|(_, send)| send).collect();
        self.durable = self.issued;
        dropped
    }

    /// The next thing to let out.
    pub fn poll(&mut self) -> Option<Step<W, S>> {
        if let Some((mark, write)) = self.writes.pop_front() {
            return Some(Step::Persist(mark, write));
        }
        let durable = self.durable;
        self.sends.pop_front_if(|(after, _)| *after <= durable).map(|(_, send)| Step::Send(send))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_waits_for_the_writes_before_it_and_for_no_other() {
        let mut barrier = Barrier::default();
        barrier.send("free");
        let first = barrier.persist("write 1");
        barrier.send("after 1");
        let second = barrier.persist("write 2");
        barrier.send("after 2");
        assert_eq!(barrier.poll(), Some(Step::Persist(first, "write 1")));
        assert_eq!(barrier.poll(), Some(Step::Persist(second, "write 2")));
        assert_eq!(barrier.poll(), Some(Step::Send("free")));
        assert_eq!(barrier.poll(), None);
        barrier.persisted(first);
        assert_eq!(barrier.poll(), Some(Step::Send("after 1")));
        assert_eq!(barrier.poll(), None);
        barrier.persisted(second);
        assert_eq!(barrier.poll(), Some(Step::Send("after 2")));
    }

    #[test]
    fn abandoned_writes_take_their_sends_with_them_and_no_others() {
        let mut barrier = Barrier::default();
        let first = barrier.persist("write 1");
        barrier.send("after 1");
        barrier.persisted(first);
        barrier.persist("write 2");
        barrier.send("after 2");
        assert_eq!(barrier.abandon(), vec!["after 2"]);
        assert_eq!(barrier.poll(), Some(Step::Send("after 1")));
        assert_eq!(barrier.poll(), None);
        barrier.send("later");
        assert_eq!(barrier.poll(), Some(Step::Send("later")));
    }
}
