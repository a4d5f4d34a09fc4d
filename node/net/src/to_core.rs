//! The way into the core's thread: a bounded queue whose fullness slows down those who fill it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::Input;
use tokio::sync::mpsc;

use crate::dispatch::Job;

/// A handle on the queue, one for each task that feeds it.
#[derive(Clone, Debug)]
pub(crate) struct ToCore {
    jobs: mpsc::Sender<Job>,
    ids: Arc<AtomicU64>,
}

impl ToCore {
    pub(crate) fn new(jobs: mpsc::Sender<Job>) -> Self {
        Self { jobs, ids: Arc::new(AtomicU64::new(1)) }
    }

    /// A number that no session, connection, stream or request of this process has had.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues a job, waiting while the queue is full. After the core has ended there is nobody to
    /// tell, and the connections are about to be closed.
    pub(crate) async fn job(&self, job: Job) {
        let _ = self.jobs.send(job).await;
    }

    /// Queues an input, as [`Self::job`].
    pub(crate) async fn input(&self, input: Input) {
        self.job(Job::Input(input)).await;
    }
}
