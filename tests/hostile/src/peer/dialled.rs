//! A domain that is dialled and means harm: what a node is given by those whom it asks. After each row
//! the same domain turns honest, and what waited for it arrives.

mod answer;
mod blob;
mod hello;
mod link;
mod pull;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use kit::{Node, RawPeer, RawStream, SystemEntropy};
use machine::Entropy as _;
use mls::Member;
use prost::Message as _;
use room::State;
use wire::{
    ErrorCode,
    proto::{
        Batch, BatchAck, EventKind, Item, LinkFrame, LinkResume, Peer, RetryPeer, ShowPeer, Submission,
        admin_request, admin_response, item, link_frame::Frame,
    },
};

use crate::hand::{Hand, message_in};

/// A person of the node with something for a peer that the node has never met.
struct Wish {
    peer: RawPeer,
    hand: Hand,
    wanted: Submission,
}

impl Wish {
    /// The `number`-th peer is pinned, and somebody founds a direct room of which it is hub: the node
    /// has to dial it.
    async fn new(node: &Node, number: usize) -> Result<Self> {
        let peer = RawPeer::new(&format!("evil{number}.test"))?;
        peer.pinned_by(node)?;
        Self::of(node, peer, &format!("person-{number}")).await
    }

    /// The same with a peer that is pinned already.
    async fn of(node: &Node, peer: RawPeer, local: &str) -> Result<Self> {
        let mut hand = Hand::new(node, local).await?;
        let wanted = founding_at(&hand, &peer)?;
        hand.submit(wanted.clone()).await??;
        Ok(Self { peer, hand, wanted })
    }

    /// The node's link to the peer that it has met, up to the first batch; whatever of it is not read
    /// comes again.
    async fn batch(&self, connection: &quinn::Connection) -> Result<(RawStream, Batch)> {
        let (mut link, open) = RawPeer::linked(connection).await?;
        resume(&mut link, open.first.saturating_sub(1)).await?;
        let batch = batch(&mut link).await?;
        Ok((link, batch))
    }

    /// The peer behaves now: it has started anew, calls, is recognised, and gets what is wanted of it.
    async fn arrives(&mut self, node: &Node) -> Result<()> {
        self.peer.instance = SystemEntropy.array();
        let connection = self.peer.establish(node).await.context("an honest hello is refused")?;
        let (mut link, batch) = self.batch(&connection).await?;
        let number = self.is_in(&batch)?;
        ack(&mut link, number).await?;
        ensure!(connection.close_reason().is_none(), "the honest connection was closed");
        Ok(())
    }

    /// The number of the item with what is wanted; there is no other item.
    fn is_in(&self, batch: &Batch) -> Result<u64> {
        match batch.items.as_slice() {
            [Item { number, item: Some(item::Item::Submission(submission)) }]
                if *submission == self.wanted =>
            {
                Ok(*number)
            }
            other => bail!("{other:?} is not what was wanted"),
        }
    }
}

/// The founding of a direct room whose hub is the peer's domain.
fn founding_at(hand: &Hand, peer: &RawPeer) -> Result<Submission> {
    let eve = format!("aa@{}", peer.domain()).parse()?;
    let state = State::direct(&hand.keys.account, &eve);
    ensure!(state.hub == *peer.domain(), "the lower name's domain orders a direct room");
    let (_, founding) = Member::found(&hand.keys, &state.to_proto(), &mut SystemEntropy)?;
    let binding = message_in(&state.room);
    let body: Bytes = founding.encode_to_vec().into();
    let submission = hand.submission(&binding, EventKind::Founding, 0, body);
    Ok(Submission { hub: state.hub.to_string(), ..submission })
}

async fn resume(link: &mut RawStream, received: u64) -> Result<()> {
    let resume = LinkResume { received, answers: Vec::new() };
    link.write(&LinkFrame { frame: Some(Frame::Resume(resume)) }).await
}

async fn ack(link: &mut RawStream, received: u64) -> Result<()> {
    link.write(&LinkFrame { frame: Some(Frame::Ack(BatchAck { received, answers: Vec::new() })) }).await
}

/// The next batch with numbered items.
async fn batch(link: &mut RawStream) -> Result<Batch> {
    loop {
        match link.expect::<LinkFrame>().await?.frame {
            Some(Frame::Batch(batch)) if batch.items.iter().any(|item| item.number > 0) => return Ok(batch),
            Some(Frame::Batch(_)) => {}
            other => bail!("{other:?} is no batch"),
        }
    }
}

/// What the node's administrator sees of a peer.
fn shown(node: &Node, peer: &RawPeer) -> Result<Peer> {
    let domain = peer.domain().to_string();
    match node.ask(admin_request::Request::ShowPeer(ShowPeer { domain }))? {
        admin_response::Response::Peer(peer) => Ok(peer),
        other => bail!("{other:?} is no peer"),
    }
}

/// Waits until the administrator sees why the peer was not reached.
async fn noted(node: &Node, peer: &RawPeer, error: ErrorCode) -> Result<Peer> {
    let noted = kit::eventually(async || {
        let shown = shown(node, peer)?;
        let last = shown.state.as_ref().map_or(0, |state| state.last_error);
        Ok((last == error.code()).then_some(shown))
    });
    noted.await
}

/// Has the node dial a peer now.
fn retry(node: &Node, peer: &RawPeer) -> Result<()> {
    let domain = peer.domain().to_string();
    node.ask(admin_request::Request::RetryPeer(RetryPeer { domain })).map(drop)
}
