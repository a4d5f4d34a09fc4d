//! A sender, a hub and a reader in three domains, and everything that is said between them.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use kit::{Heard, Node, Talker, Voice, group_talk, pin_each_other};
use wire::{
    MessageId,
    proto::{EventKind, Submission, client_request::Request},
};

/// Submissions that may wait for their acknowledgement.
const WINDOW: usize = 32;
/// How long the end of a test may take to arrive after the last fault.
const PATIENCE: Duration = Duration::from_secs(120);

/// Three nodes and the parts of their accounts in one group: the founder's domain is the hub, one
/// account sends, one reads.
pub struct Conversation {
    /// Orders the room.
    pub hub: Node,
    /// Home of the sender.
    pub home: Node,
    /// Home of the reader.
    pub follower: Node,
    _founder: Talker,
    sender: Talker,
    reader: Talker,
    voice: Voice,
    /// Said, not yet acknowledged.
    waiting: VecDeque<Submission>,
    /// Acknowledged, in the order in which they were said.
    acknowledged: Vec<MessageId>,
    arrived: Vec<(u64, MessageId)>,
    /// The reader is told again what it knows, and drops it as a client does.
    retold: bool,
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Messages acknowledged by the sender's home.
    pub acknowledged: usize,
    /// Messages that arrived at the reader.
    pub arrived: usize,
}

impl Conversation {
    /// Starts the nodes and founds the room.
    ///
    /// # Errors
    /// If anything is refused.
    pub async fn start() -> Result<Self> {
        let (hub, home, follower) =
            (Node::start("hub.test")?, Node::start("home.test")?, Node::start("follower.test")?);
        pin_each_other(&hub, &home)?;
        pin_each_other(&hub, &follower)?;
        // The reader's domain does not meet the sender's on this path, but must know it by its keys.
        pin_each_other(&home, &follower)?;
        let mut founder = Talker::enrol(&hub, "carol").await?;
        let mut sender = Talker::enrol(&home, "alice").await?;
        let mut reader = Talker::enrol(&follower, "bob").await?;
        let voices = group_talk(&mut founder, &mut [&mut sender, &mut reader]).await?;
        let voice = voices.into_iter().nth(1).context("the sender's voice")?;
        Ok(Self {
            hub,
            home,
            follower,
            _founder: founder,
            sender,
            reader,
            voice,
            waiting: VecDeque::new(),
            acknowledged: Vec::new(),
            arrived: Vec::new(),
            retold: false,
        })
    }

    /// How far it is.
    #[must_use]
    pub fn told(&self) -> Told {
        Told { acknowledged: self.acknowledged.len(), arrived: self.arrived.len() }
    }

    /// Keeps talking for some time, whatever becomes of the connections.
    ///
    /// # Errors
    /// If something is refused that should not be.
    pub async fn talk(&mut self, for_ms: u64) -> Result<()> {
        let end = Instant::now() + Duration::from_millis(for_ms);
        while Instant::now() < end {
            self.say().await?;
            self.listen(Duration::from_millis(20)).await?;
        }
        Ok(())
    }

    /// Talks until something more has arrived.
    ///
    /// # Errors
    /// If nothing does.
    pub async fn talk_until_heard(&mut self) -> Result<()> {
        let (end, before) = (Instant::now() + PATIENCE, self.arrived.len());
        while self.arrived.len() == before {
            ensure!(Instant::now() < end, "nothing arrives: {:?}", self.told());
            self.talk(50).await?;
        }
        Ok(())
    }

    /// Fills the window. A broken connection is not an error: what waits is said again later.
    async fn say(&mut self) -> Result<()> {
        while self.waiting.len() < WINDOW {
            let submission = self.voice.say(&self.sender, &[0; 200])?;
            self.waiting.push_back(submission.clone());
            if self.sender.device.send_request(Request::Submit(submission)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hears for some time what both are told.
    async fn listen(&mut self, patience: Duration) -> Result<()> {
        let end = tokio::time::Instant::now() + patience;
        loop {
            // Waiting for a frame may be broken off, handling one is not.
            let (of_sender, frame) = tokio::select! {
                frame = self.sender.device.next() => (true, frame),
                frame = self.reader.device.next() => (false, frame),
                () = tokio::time::sleep_until(end) => return Ok(()),
            };
            // A connection that ended is made again by whoever ended it.
            let Ok(frame) = frame else {
                tokio::time::sleep_until(end).await;
                return Ok(());
            };
            let talker = if of_sender { &mut self.sender } else { &mut self.reader };
            for heard in talker.take(frame).await? {
                if of_sender { self.note_acknowledgement(&heard)? } else { self.note_arrival(&heard)? }
            }
        }
    }

    fn note_acknowledgement(&mut self, heard: &Heard) -> Result<()> {
        let Heard::Accepted(message) = heard else { return Ok(()) };
        let first = self.waiting.pop_front().context("nothing waits for an acknowledgement")?;
        ensure!(first.message_id == message.to_bytes(), "acknowledged out of order: {message}");
        self.acknowledged.push(*message);
        Ok(())
    }

    fn note_arrival(&mut self, heard: &Heard) -> Result<()> {
        let Heard::Event { head, .. } = heard else { return Ok(()) };
        if head.kind != EventKind::Message as i32 {
            return Ok(());
        }
        let arrived = (head.seq, MessageId::try_from(head.message_id.as_ref())?);
        if self.retold && self.arrived.last().is_some_and(|last| arrived.0 <= last.0) {
            ensure!(self.arrived.contains(&arrived), "{arrived:?} is told in the place of another");
            return Ok(());
        }
        self.arrived.push(arrived);
        Ok(())
    }

    /// The sender's node was gone: a new session, and everything that was not acknowledged again.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn sender_returns(&mut self) -> Result<()> {
        self.sender.reconnect(&self.home).await?;
        for submission in &self.waiting {
            self.sender.device.send_request(Request::Submit(submission.clone())).await?;
        }
        Ok(())
    }

    /// The reader's node was gone: a new session from the last position.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn reader_returns(&mut self) -> Result<()> {
        self.reader.reconnect(&self.follower).await
    }

    /// The sender's node was restored from a backup.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn sender_begins_anew(&mut self) -> Result<()> {
        self.sender.begin_anew(&self.home).await?;
        for submission in &self.waiting {
            self.sender.device.send_request(Request::Submit(submission.clone())).await?;
        }
        Ok(())
    }

    /// The reader's node was restored from a backup.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn reader_begins_anew(&mut self) -> Result<()> {
        self.retold = true;
        self.reader.begin_anew(&self.follower).await
    }

    /// Says no more until everything acknowledged has arrived.
    ///
    /// # Errors
    /// If it does not.
    pub async fn settle(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.waiting.is_empty() || self.arrived.len() < self.acknowledged.len() {
            ensure!(Instant::now() < end, "{:?} and {} wait still", self.told(), self.waiting.len());
            self.listen(Duration::from_millis(50)).await?;
        }
        Ok(())
    }

    /// Says no more, waits until everything acknowledged has arrived, and checks that it did: all of
    /// it, once, in the order in which it was said.
    ///
    /// # Errors
    /// If something was lost, doubled or reordered.
    pub async fn end(mut self) -> Result<Told> {
        self.settle().await?;
        self.listen(Duration::from_millis(200)).await?;
        let seqs: Vec<u64> = self.arrived.iter().map(|(seq, _)| *seq).collect();
        let first = seqs.first().copied().unwrap_or_default();
        let expected: Vec<u64> = (first..).take(seqs.len()).collect();
        ensure!(seqs == expected, "the positions in the room have gaps or repetitions");
        let arrived: Vec<MessageId> = self.arrived.iter().map(|(_, message)| *message).collect();
        ensure!(arrived == self.acknowledged, "what arrived is not what was acknowledged");
        Ok(self.told())
    }
}
