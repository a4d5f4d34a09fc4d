//! A device that asks and does not read.

use std::time::Duration;

use anyhow::{Result, ensure};
use kit::RawDevice;
use tokio::time::timeout;
use wire::{
    ErrorCode, limits,
    proto::{PullEvents, client_request::Request},
};

use crate::{
    hand::Hand,
    stage::{node, resident_kib, unharmed},
};

/// What the node may hold for it, with what QUIC and the allocator add.
const BOUND_KIB: u64 = 4 * limits::SESSION_MEMORY_BYTES_MAX as u64 / 1_024;

/// More questions than fit into what QUIC holds for a node that does not read.
const QUESTIONS: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_does_not_read_is_not_read_and_costs_little() -> Result<()> {
    let mut node = node()?;
    let mut hand = Hand::new(&node, "alice").await?;
    let (mut member, _) = hand.found().await?;
    for _ in 0..16 {
        let message = hand.message(&mut member, &[7; 60_000])?;
        hand.submit(message).await??;
    }
    unharmed(&mut node).await?;
    let before = resident_kib(&node)?;
    let pull = PullEvents { room: member.room().to_bytes(), from_seq: 0, limit: 64 };
    let mut asked = 0;
    while asked < QUESTIONS {
        let question = hand.device.send_request(Request::PullEvents(pull.clone()));
        if timeout(Duration::from_secs(2), question).await.is_err() {
            break;
        }
        asked += 1;
    }
    unharmed(&mut node).await?;
    let after = resident_kib(&node)?;
    ensure!(after < before + BOUND_KIB, "{before} KiB before, {after} KiB after");
    ensure!(asked < QUESTIONS, "the node went on reading");
    // It cannot keep its place, and what waits for it, by not reading either.
    let _newer = RawDevice::again(&node, &hand.person).await?;
    assert_eq!(hand.device.closed().await?, ErrorCode::Superseded);
    unharmed(&mut node).await
}
