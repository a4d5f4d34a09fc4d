//! The thread on which the domain's core runs: takes what is waiting, lets the core decide it in one
//! go, commits, and hands the outputs out. The rest of the process only ever queues for it.

use machine::{Entropy, Timestamp};
use store::{Store, StoreError};
use tokio::sync::watch;
use wire::{ErrorCode, limits};

use crate::{
    clock::now,
    dispatch::{Dispatcher, Job},
    to_core::Jobs,
};
use domain::{Core, Output};

/// Runs until [`Job::Stop`] or until nobody can queue a job any more.
pub(crate) fn run<S: Store, E: Entropy>(
    mut core: Core<S, E>,
    mut jobs: Jobs,
    wake: &watch::Sender<Timestamp>,
) {
    let _guard = AbortOnPanic;
    let mut dispatcher = Dispatcher::default();
    let mut waiting = Vec::with_capacity(limits::GROUP_COMMIT_INPUTS_MAX);
    let mut inputs = Vec::with_capacity(limits::GROUP_COMMIT_INPUTS_MAX);
    let mut rooms = Vec::with_capacity(limits::GROUP_COMMIT_INPUTS_MAX);
    while jobs.take(&mut waiting, limits::GROUP_COMMIT_INPUTS_MAX) > 0 {
        let mut stop = false;
        for queued in waiting.drain(..) {
            let (job, room) = queued.open();
            rooms.push(room);
            stop |= matches!(job, Job::Stop);
            inputs.extend(dispatcher.register(job));
        }
        core.handle_all(now(), inputs.drain(..));
        while let Some(output) = core.poll() {
            match output {
                Output::Persist(mark, batch) => match core.store().commit(&batch) {
                    Ok(()) => core.persisted(mark),
                    Err(error) => core.failed(refusal(&error)),
                },
                Output::WakeAt(at) => {
                    wake.send_replace(at);
                }
                output => dispatcher.dispatch(output),
            }
        }
        jobs.decided(&mut rooms);
        if stop {
            return;
        }
    }
}

/// What the askers of a batch that was not written are told. A device that failed while making data
/// durable ends the process: what it holds is known only after a new start (spec/decisions/0001).
fn refusal(error: &StoreError) -> ErrorCode {
    if let StoreError::Failed(_) = error {
        tracing::error!(%error, "the storage device failed: ending, to recover by a new start");
        std::process::abort();
    }
    tracing::warn!(%error, "a batch was not written; its askers are told");
    error.code()
}

/// A core that panicked has lost the thread of its own state; the process must not serve on.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the core failed: ending, to recover by a new start");
            std::process::abort();
        }
    }
}
