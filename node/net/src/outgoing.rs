//! The queue between the core, which never waits, and the writer of one stream, which often does.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;
use wire::ErrorCode;

/// What a writer takes at once, unless a single frame is larger: it holds little while it waits for
/// a reader that is slow.
const TAKEN_AT_ONCE: usize = 64 * 1024;

/// What one frame costs beside its bytes.
const FRAME_COST: usize = 64;

/// What something in a queue counts for against the queue's bound.
pub(crate) trait Weigh {
    /// Bytes, or 1 where the number is bounded.
    fn weight(&self) -> usize;
}

impl Weigh for Bytes {
    fn weight(&self) -> usize {
        self.len().saturating_add(FRAME_COST)
    }
}

/// Frames that wait for the writer of one stream, and the order to end it. Empty, it holds no
/// memory but its own few words: an idle connection costs nothing here.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    state: Mutex<State<T>>,
    /// There is something to write.
    changed: Notify,
    /// Something has been written, or the other side is known.
    eased: Notify,
    /// The end was ordered.
    ending: Notify,
    most: usize,
}

#[derive(Debug)]
struct State<T> {
    frames: VecDeque<T>,
    /// The weight of what waits.
    waiting: usize,
    /// The weight of what the writer has taken and not written.
    writing: usize,
    end: Option<ErrorCode>,
    known: bool,
}

/// What a writer has to do next.
#[derive(Debug)]
pub(crate) enum Next<T> {
    /// Write these, in order.
    Frames(VecDeque<T>),
    /// Everything was written; say why and close.
    End(ErrorCode),
}

impl<T: Weigh> Outgoing<T> {
    /// A queue whose frames, with those that are being written, weigh at most `most`.
    pub(crate) fn new(most: usize) -> Self {
        let state = State { frames: VecDeque::new(), waiting: 0, writing: 0, end: None, known: false };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            eased: Notify::new(),
            ending: Notify::new(),
            most,
        }
    }

    /// Adds a frame. A reader too slow for the queue is ended with `Quota`: it reconnects and goes
    /// on from its cursor, which costs less than holding the rest here.
    pub(crate) fn push(&self, frame: T) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        let full = state.weight().saturating_add(frame.weight()) > self.most;
        if full {
            state.frames = VecDeque::new();
            state.waiting = 0;
            state.end = Some(ErrorCode::Quota);
        } else {
            state.add(frame);
        }
        drop(state);
        self.changed.notify_one();
        if full {
            self.ending.notify_one();
        }
    }

    /// Adds a frame that may be lost: it is, if the queue is half full.
    pub(crate) fn push_if_read(&self, frame: T) {
        let mut state = self.lock();
        if state.end.is_none() && state.weight().saturating_add(frame.weight()) <= self.most / 2 {
            state.add(frame);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Ends the stream after what is queued. The first reason stays.
    pub(crate) fn end(&self, code: ErrorCode) {
        self.lock().end.get_or_insert(code);
        self.changed.notify_one();
        self.ending.notify_one();
    }

    /// The core knows who is at the other side.
    pub(crate) fn know(&self) {
        self.lock().known = true;
        self.eased.notify_one();
    }

    /// Waits until there is something to do. What was taken before has been written.
    pub(crate) async fn next(&self) -> Next<T> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until the end is ordered, and says with which error.
    pub(crate) async fn ended(&self) -> ErrorCode {
        loop {
            let end = self.lock().end;
            if let Some(code) = end {
                return code;
            }
            self.ending.notified().await;
        }
    }

    /// Waits until less than a quarter of the bound is taken: who does not read the answers is not
    /// asked for more questions.
    pub(crate) async fn eased(&self) {
        while self.lock().weight() >= self.most / 4 {
            self.eased.notified().await;
        }
    }

    /// Waits until the core knows who is at the other side.
    pub(crate) async fn known(&self) {
        while !self.lock().known {
            self.eased.notified().await;
        }
    }

    fn take(&self) -> Option<Next<T>> {
        let mut state = self.lock();
        if state.writing > 0 {
            state.writing = 0;
            self.eased.notify_one();
        }
        if state.frames.is_empty() {
            return state.end.map(Next::End);
        }
        Some(Next::Frames(state.take()))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Weigh> State<T> {
    const fn weight(&self) -> usize {
        self.waiting.saturating_add(self.writing)
    }

    fn add(&mut self, frame: T) {
        self.waiting = self.waiting.saturating_add(frame.weight());
        self.frames.push_back(frame);
    }

    fn take(&mut self) -> VecDeque<T> {
        if self.waiting <= TAKEN_AT_ONCE {
            self.writing = std::mem::take(&mut self.waiting);
            return std::mem::take(&mut self.frames);
        }
        let mut taken = VecDeque::new();
        while let Some(frame) = self.frames.pop_front_if(|frame| {
            taken.is_empty() || self.writing.saturating_add(frame.weight()) <= TAKEN_AT_ONCE
        }) {
            self.writing = self.writing.saturating_add(frame.weight());
            taken.push_back(frame);
        }
        self.waiting = self.waiting.saturating_sub(self.writing);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn frame(bytes: usize) -> Bytes {
        vec![7; bytes - FRAME_COST].into()
    }

    async fn taken(queue: &Outgoing<Bytes>) -> usize {
        match queue.next().await {
            Next::Frames(frames) => frames.len(),
            Next::End(code) => panic!("{code:?}"),
        }
    }

    #[tokio::test]
    async fn what_was_queued_is_written_before_the_end() {
        let queue = Outgoing::new(1_000);
        queue.push(frame(100));
        queue.push(frame(200));
        queue.end(ErrorCode::Draining);
        queue.push(frame(300));
        let Next::Frames(frames) = queue.next().await else { panic!("frames come first") };
        assert_eq!(frames, [frame(100), frame(200)]);
        assert!(matches!(queue.next().await, Next::End(ErrorCode::Draining)));
    }

    // [SYNC-8]
    #[tokio::test]
    async fn a_device_is_not_read_until_it_has_read_what_the_writer_holds_too() {
        let queue = Arc::new(Outgoing::new(1_000));
        queue.push(frame(150));
        queue.push(frame(100));
        let waiting = Arc::clone(&queue);
        let waiting = tokio::spawn(async move { waiting.eased().await });
        assert_eq!(taken(&queue).await, 2);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "taken is not written");
        queue.push(frame(100));
        assert_eq!(taken(&queue).await, 1);
        waiting.await.expect("it is let go");
    }

    // [SYNC-8]
    #[tokio::test]
    async fn a_queue_is_full_by_its_bytes_those_under_way_included() {
        let queue = Outgoing::new(1_000);
        queue.push(frame(600));
        assert_eq!(taken(&queue).await, 1);
        queue.push(frame(400));
        assert!(queue.lock().end.is_none());
        queue.push(frame(FRAME_COST));
        assert!(queue.lock().frames.is_empty(), "what cannot be sent is not held");
        assert_eq!(queue.ended().await, ErrorCode::Quota);
        assert!(matches!(queue.next().await, Next::End(ErrorCode::Quota)));
    }

    // [SYNC-23]
    #[tokio::test]
    async fn what_may_be_lost_is_before_what_is_stored() {
        let queue = Outgoing::new(1_000);
        for _ in 0..100 {
            queue.push_if_read(frame(100));
        }
        assert_eq!(queue.lock().frames.len(), 5);
        queue.push(frame(500));
        assert!(queue.lock().end.is_none());
    }

    #[tokio::test]
    async fn a_writer_takes_little_at_once_and_everything_in_the_end() {
        let queue = Outgoing::new(10 * TAKEN_AT_ONCE);
        queue.push(frame(3 * TAKEN_AT_ONCE));
        for _ in 0..4 {
            queue.push(frame(TAKEN_AT_ONCE / 2));
        }
        assert_eq!(taken(&queue).await, 1);
        assert_eq!(taken(&queue).await, 2);
        assert_eq!(taken(&queue).await, 2);
        assert_eq!(queue.lock().weight(), TAKEN_AT_ONCE);
        queue.end(ErrorCode::Draining);
        assert!(matches!(queue.next().await, Next::End(ErrorCode::Draining)));
        assert_eq!(queue.lock().weight(), 0);
    }
}
