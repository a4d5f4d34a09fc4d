//! SIGTERM: whoever is connected is told before the node ends, and nothing acknowledged is missing
//! when it is back.

use anyhow::{Context as _, Result, bail, ensure};
use kit::{Heard, Node, RawDevice, RawPeer, Talker, close_code, direct_talk};
use wire::{
    ErrorCode,
    proto::{client_request::Request, client_response::Response, node_frame::Frame},
};

/// Passes over what else is on its way until the node says goodbye.
async fn goodbye(device: &mut RawDevice) -> Result<ErrorCode> {
    loop {
        if let Frame::Goodbye(error) = device.next().await? {
            return Ok(ErrorCode::from_code(error.code));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_and_peers_are_told_and_find_everything_afterwards() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    let peer = RawPeer::new("umbrella.test")?;
    peer.pinned_by(&node)?;
    let link = peer.establish(&node).await?;
    let mut alice = Talker::enrol(&node, "alice").await?;
    let mut bob = Talker::enrol(&node, "bob").await?;
    let (mut says, _hears) = direct_talk(&mut alice, &mut bob).await?;
    let last = says.say(&alice, b"the last before the end")?;
    let accepted = alice.device.request(Request::Submit(last.clone())).await?;
    ensure!(matches!(accepted, Response::Accepted(_)), "{accepted:?}");

    let stopping = tokio::task::spawn_blocking(move || node.stop().map(|()| node));
    ensure!(goodbye(&mut alice.device).await? == ErrorCode::Draining, "alice is told");
    ensure!(close_code(&link).await? == ErrorCode::Draining, "the peer is told");
    let mut node = stopping.await??;
    if RawDevice::connect(&node).await.is_ok() {
        bail!("a node that has ended answers");
    }

    node.run()?;
    bob.reconnect(&node).await.context("bob comes back")?;
    bob.until(|heard| match heard {
        Heard::Event { head, .. } if head.message_id == last.message_id => Some(()),
        _ => None,
    })
    .await
    .context("what was accepted before the end is there")
}
