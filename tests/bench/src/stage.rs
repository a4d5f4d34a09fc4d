//! Two domains that know each other, and pairs of devices that talk across.

use std::{collections::BTreeSet, time::Instant};

use anyhow::{Context as _, Result};
use kit::{Heard, Node, Talker, Voice, direct_talk, pin_each_other};
use wire::{
    MessageId,
    proto::{Content, EventKind, Submission, Text, client_request::Request, content::Kind},
};

/// Submissions of one sender that are not ordered yet, at most.
pub(crate) const WINDOW: usize = 64;

/// What a person writes in the measurements: about a hundred letters.
pub(crate) const TEXT: &str =
    "Shall we meet on Thursday at ten, or is the week after better for the people from your side?";

/// Two nodes that have pinned each other.
pub(crate) struct Stage {
    pub(crate) acme: Node,
    pub(crate) umbrella: Node,
}

impl Stage {
    pub(crate) fn start() -> Result<Self> {
        let (acme, umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
        pin_each_other(&acme, &umbrella)?;
        Ok(Self { acme, umbrella })
    }
}

/// A sender and a reader of one direct room, with messages encrypted beforehand.
pub(crate) struct Pair {
    pub(crate) sender: Talker,
    pub(crate) reader: Talker,
    prepared: Vec<Submission>,
}

impl Pair {
    /// The pair of this number; every other one is sent from the domain that does not order.
    pub(crate) async fn make(stage: &Stage, number: usize) -> Result<(Self, Voice)> {
        let mut alice = Talker::enrol(&stage.acme, &format!("alice{number}")).await?;
        let mut bob = Talker::enrol(&stage.umbrella, &format!("bob{number}")).await?;
        let (of_alice, of_bob) = direct_talk(&mut alice, &mut bob).await?;
        Ok(if number.is_multiple_of(2) {
            (Self { sender: alice, reader: bob, prepared: Vec::new() }, of_alice)
        } else {
            (Self { sender: bob, reader: alice, prepared: Vec::new() }, of_bob)
        })
    }

    /// Encrypts messages for the next [`Self::send_all`].
    pub(crate) fn prepare(&mut self, voice: &mut Voice, count: usize) -> Result<()> {
        let content = content()?;
        self.prepared = (0..count).map(|_| voice.say(&self.sender, &content)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Sends what was prepared, as fast as the window allows, until the sender has been told the order
    /// of all of it and the reader has all of it in that order; returns when the reader had it.
    pub(crate) async fn send_all(&mut self) -> Result<Instant> {
        let expected: Vec<MessageId> = self
            .prepared
            .iter()
            .map(|submission| MessageId::try_from(submission.message_id.as_ref()))
            .collect::<Result<_, _>>()?;
        let prepared = std::mem::take(&mut self.prepared);
        let read = async { read(&mut self.reader, &expected).await.map(|()| Instant::now()) };
        let (sent, read) = tokio::join!(send(&mut self.sender, prepared), read);
        sent?;
        read
    }
}

/// Sends within the window; an own event that came back makes room for the next. Returns how many
/// messages of anybody were heard meanwhile.
pub(crate) async fn send(sender: &mut Talker, submissions: Vec<Submission>) -> Result<usize> {
    let mut waiting = submissions.into_iter();
    let mut under_way = BTreeSet::new();
    let mut heard = 0;
    loop {
        while under_way.len() < WINDOW {
            let Some(submission) = waiting.next() else { break };
            under_way.insert(submission.message_id.to_vec());
            sender.device.send_request(Request::Submit(submission)).await?;
        }
        if under_way.is_empty() {
            return Ok(heard);
        }
        let told = sender.hear().await.with_context(|| {
            format!("{} sent and not ordered, {} not sent", under_way.len(), waiting.len())
        })?;
        for message in messages(&told) {
            under_way.remove(message);
            heard += 1;
        }
    }
}

/// Reads until all have come, in this order.
pub(crate) async fn read(reader: &mut Talker, expected: &[MessageId]) -> Result<()> {
    let mut expected = expected.iter();
    while expected.len() > 0 {
        let left = expected.len();
        let told = reader.hear().await.with_context(|| format!("{left} messages have not arrived"))?;
        for message in messages(&told) {
            let next = expected.next().context("more messages than were sent")?;
            anyhow::ensure!(message == next.as_bytes().as_slice(), "out of order");
        }
    }
    Ok(())
}

/// The ids of the messages among what was heard.
pub(crate) fn messages(heard: &[Heard]) -> impl Iterator<Item = &[u8]> {
    heard.iter().filter_map(|heard| match heard {
        Heard::Event { head, .. } if head.kind == EventKind::Message as i32 => Some(head.message_id.as_ref()),
        _ => None,
    })
}

/// The padded content of a message.
pub(crate) fn content() -> Result<Vec<u8>> {
    let text = Text { body: TEXT.to_owned(), ..Text::default() };
    let content = Content {
        version: 1,
        time_ms: 1_790_000_000_000,
        kind: Some(Kind::Text(text)),
        ..Content::default()
    };
    Ok(mls::content::pad(&content)?.to_vec())
}
