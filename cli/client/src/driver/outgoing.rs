//! Holds frames for the node until the session has room. A node that sends and does not read makes
//! it hold one acknowledgement, not one for each page.

use std::collections::VecDeque;

use wire::proto::{ClientFrame, client_frame::Frame};

/// Frames that wait, in order; behind them the newest acknowledgement, which stands for those
/// before it.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    frames: VecDeque<ClientFrame>,
    ack: Option<ClientFrame>,
}

impl Outgoing {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: ClientFrame) {
        match frame.frame {
            Some(Frame::Ack(_)) => self.ack = Some(frame),
            _ => self.frames.push_back(frame),
        }
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<ClientFrame> {
        self.frames.pop_front().or_else(|| self.ack.take())
    }

    /// What was taken just now and could not be sent.
    pub(super) fn put_back(&mut self, frame: ClientFrame) {
        match frame.frame {
            Some(Frame::Ack(_)) => {
                self.ack.get_or_insert(frame);
            }
            _ => self.frames.push_front(frame),
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.ack.is_none()
    }

    /// Forgets everything: the session is over.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.ack = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(position: u64) -> ClientFrame {
        ClientFrame { frame: Some(Frame::Ack(position)) }
    }

    #[test]
    fn of_all_acknowledgements_the_newest_waits_and_of_the_rest_everything() {
        let request = ClientFrame { frame: Some(Frame::Request(Default::default())) };
        let mut outgoing = Outgoing::default();
        for position in 0..10_000 {
            outgoing.push(ack(position));
            if position % 5_000 == 0 {
                outgoing.push(request.clone());
            }
        }
        let first = outgoing.pop().expect("a frame");
        outgoing.put_back(first);
        let frames: Vec<ClientFrame> = std::iter::from_fn(|| outgoing.pop()).collect();
        assert_eq!(frames, [request.clone(), request, ack(9_999)]);
        outgoing.put_back(ack(9_999));
        outgoing.push(ack(10_000));
        outgoing.put_back(ack(9_999));
        assert_eq!(outgoing.pop(), Some(ack(10_000)));
        assert!(outgoing.is_empty());
    }
}
