//! The way into the core's thread: a queue bounded in number and in bytes, whose fullness slows down
//! those who fill it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::Input;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wire::limits;

use crate::dispatch::Job;

/// What one job costs beside the bytes of its frame.
const JOB_COST: usize = 512;

/// A handle on the queue, one for each task that feeds it.
#[derive(Clone, Debug)]
pub(crate) struct ToCore {
    jobs: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    ids: Arc<AtomicU64>,
}

/// The core's end of the queue.
#[derive(Debug)]
pub(crate) struct Jobs {
    queue: mpsc::Receiver<Queued>,
    room: Arc<Semaphore>,
}

/// A job that waits for the core, and the room that it takes until the core has decided it.
#[derive(Debug)]
pub(crate) struct Queued {
    job: Job,
    bytes: usize,
    share: Option<OwnedSemaphorePermit>,
}

/// What one connection may have waiting for the core, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    room: Arc<Semaphore>,
    most: usize,
}

impl Share {
    pub(crate) fn new(most: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(most)), most }
    }
}

/// A queue with both its ends.
pub(crate) fn queue() -> (ToCore, Jobs) {
    let (jobs, queue) = mpsc::channel(limits::INPUT_QUEUE_MAX);
    let room = Arc::new(Semaphore::new(limits::INPUT_QUEUE_BYTES_MAX));
    let ids = Arc::new(AtomicU64::new(1));
    (ToCore { jobs, room: Arc::clone(&room), ids }, Jobs { queue, room })
}

impl ToCore {
    /// A number that no session, connection, stream or request of this process has had.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues a job, waiting while the queue is full. After the core has ended there is nobody to
    /// tell, and the connections are about to be closed.
    pub(crate) async fn job(&self, job: Job) {
        let _ = self.jobs.send(Queued { job, bytes: 0, share: None }).await;
    }

    /// Queues an input, as [`Self::job`].
    pub(crate) async fn input(&self, input: Input) {
        self.job(Job::Input(input)).await;
    }

    /// Queues what came in a frame of so many bytes, waiting as well until there is room for them in
    /// the queue, and in the connection's share for them and for the answer that they will get. Both
    /// are free again when the core has decided the job, and an answer given at once is counted where
    /// it waits to be written.
    pub(crate) async fn frame(&self, share: &Share, bytes: usize, answer: usize, job: Job) {
        let bytes = bytes.saturating_add(JOB_COST);
        let permits = |count: usize, most: usize| u32::try_from(count.min(most)).unwrap_or(u32::MAX);
        // Semaphores that nobody closes give what they are asked for.
        let of_share = permits(bytes.saturating_add(answer), share.most);
        let Ok(own) = Arc::clone(&share.room).acquire_many_owned(of_share).await else { return };
        let of_all = permits(bytes, limits::INPUT_QUEUE_BYTES_MAX);
        let Ok(all) = self.room.acquire_many(of_all).await else { return };
        let Ok(place) = self.jobs.reserve().await else { return };
        all.forget();
        place.send(Queued { job, bytes, share: Some(own) });
    }
}

impl Jobs {
    /// Waits for jobs and takes those that are there, at most `most`; none means that no more come.
    pub(crate) fn take(&mut self, into: &mut Vec<Queued>, most: usize) -> usize {
        self.queue.blocking_recv_many(into, most)
    }

    /// The next job, for a test without a core.
    #[cfg(test)]
    pub(crate) async fn next(&mut self) {
        self.queue.recv().await.expect("a job");
    }

    /// These jobs have been decided: what they took is free.
    pub(crate) fn decided(&self, jobs: &mut Vec<Room>) {
        let bytes = jobs.drain(..).map(|room| room.bytes).sum();
        self.room.add_permits(bytes);
    }
}

/// What a job takes until it is decided.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: usize,
    _share: Option<OwnedSemaphorePermit>,
}

impl Queued {
    /// The job and its room.
    pub(crate) fn open(self) -> (Job, Room) {
        (self.job, Room { bytes: self.bytes, _share: self.share })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LARGE: usize = limits::FRAME_BYTES_MAX;

    fn job() -> Job {
        Job::Input(Input::Tick)
    }

    /// How many of these the queue takes before it makes their senders wait.
    async fn taken(to_core: &ToCore, shares: &[Share], answer: usize) -> usize {
        let mut taken = 0;
        for share in shares {
            let sent = to_core.frame(share, LARGE, answer, job());
            if tokio::time::timeout(Duration::ZERO, sent).await.is_err() {
                break;
            }
            taken += 1;
        }
        taken
    }

    #[tokio::test]
    async fn one_connection_has_no_more_than_its_share_waiting() {
        let (to_core, mut jobs) = queue();
        let share = Share::new(limits::INPUT_SHARE_BYTES_MAX);
        let of_one = vec![share; 10];
        assert_eq!(taken(&to_core, &of_one, 0).await, 1);
        let other = [Share::new(limits::INPUT_SHARE_BYTES_MAX)];
        assert_eq!(taken(&to_core, &other, 0).await, 1, "others do not wait for it");
        let (_, room) = jobs.queue.recv().await.expect("a job").open();
        jobs.decided(&mut vec![room]);
        assert_eq!(taken(&to_core, &of_one, 0).await, 1, "decided jobs are room for others");
    }

    #[tokio::test]
    async fn an_answer_that_is_to_come_takes_room_too() {
        let (to_core, _jobs) = queue();
        let share = Share::new(limits::INPUT_SHARE_BYTES_MAX);
        let small = to_core.frame(&share, 50, limits::BATCH_BYTES_MAX, job());
        assert!(tokio::time::timeout(Duration::ZERO, small).await.is_ok());
        let small = to_core.frame(&share, 50, limits::BATCH_BYTES_MAX, job());
        assert!(tokio::time::timeout(Duration::ZERO, small).await.is_err());
    }

    #[tokio::test]
    async fn all_connections_together_have_no_more_than_the_bound_waiting() {
        let (to_core, mut jobs) = queue();
        let shares: Vec<Share> = (0..200).map(|_| Share::new(limits::INPUT_SHARE_BYTES_MAX)).collect();
        let first = taken(&to_core, &shares, 0).await;
        assert_eq!(first, limits::INPUT_QUEUE_BYTES_MAX / (LARGE + JOB_COST));
        let mut rooms = Vec::new();
        while let Ok(queued) = jobs.queue.try_recv() {
            rooms.push(queued.open().1);
        }
        jobs.decided(&mut rooms);
        assert_eq!(taken(&to_core, &shares, 0).await, first, "nothing is lost of the room");
    }
}
