//! The queue between the core, which never waits, and the writer of one stream, which often does.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use wire::ErrorCode;

/// Frames that wait for the writer of one stream, and the order to end it. Empty, it holds no
/// memory but its own few words: an idle connection costs nothing here.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    state: Mutex<State<T>>,
    changed: Notify,
    taken: Notify,
    frames_max: usize,
}

#[derive(Debug)]
struct State<T> {
    frames: VecDeque<T>,
    end: Option<ErrorCode>,
}

/// What a writer has to do next.
#[derive(Debug)]
pub(crate) enum Next<T> {
    /// Write these, in order.
    Frames(VecDeque<T>),
    /// Everything was written; say why and close.
    End(ErrorCode),
}

impl<T> Outgoing<T> {
    /// A queue for at most `frames_max` frames.
    pub(crate) fn new(frames_max: usize) -> Self {
        let state = State { frames: VecDeque::new(), end: None };
        Self { state: Mutex::new(state), changed: Notify::new(), taken: Notify::new(), frames_max }
    }

    /// Adds a frame. A reader too slow for the queue is ended with `Quota`: it reconnects and goes
    /// on from its cursor, which costs less than holding the rest here.
    pub(crate) fn push(&self, frame: T) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        if state.frames.len() >= self.frames_max {
            state.frames = VecDeque::new();
            state.end = Some(ErrorCode::Quota);
        } else {
            state.frames.push_back(frame);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Ends the stream after what is queued. The first reason stays.
    pub(crate) fn end(&self, code: ErrorCode) {
        self.lock().end.get_or_insert(code);
        self.changed.notify_one();
    }

    /// Waits until there is something to do.
    pub(crate) async fn next(&self) -> Next<T> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until fewer than `frames` wait: who does not read the answers is not asked for more
    /// questions.
    pub(crate) async fn shorter_than(&self, frames: usize) {
        while self.lock().frames.len() >= frames {
            self.taken.notified().await;
        }
    }

    fn take(&self) -> Option<Next<T>> {
        let mut state = self.lock();
        if state.frames.is_empty() {
            return state.end.map(Next::End);
        }
        self.taken.notify_one();
        Some(Next::Frames(std::mem::take(&mut state.frames)))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_queued_is_written_before_the_end() {
        let queue = Outgoing::new(4);
        queue.push(1);
        queue.push(2);
        queue.end(ErrorCode::Draining);
        queue.push(3);
        let Next::Frames(frames) = queue.next().await else { panic!("frames come first") };
        assert_eq!(frames, [1, 2]);
        assert!(matches!(queue.next().await, Next::End(ErrorCode::Draining)));
    }

    #[tokio::test]
    async fn a_reader_waits_until_the_writer_has_caught_up() {
        let queue = std::sync::Arc::new(Outgoing::new(4));
        queue.push(1);
        queue.push(2);
        let waiting = std::sync::Arc::clone(&queue);
        let waiting = tokio::spawn(async move { waiting.shorter_than(2).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(matches!(queue.next().await, Next::Frames(_)));
        waiting.await.expect("it is let go");
    }

    #[tokio::test]
    async fn a_full_queue_ends_its_stream_and_forgets_its_frames() {
        let queue = Outgoing::new(2);
        for frame in 0..3 {
            queue.push(frame);
        }
        assert!(matches!(queue.next().await, Next::End(ErrorCode::Quota)));
    }
}
