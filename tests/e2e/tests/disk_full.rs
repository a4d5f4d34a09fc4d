//! A full disk: writes are refused by name, reading goes on, and everything heals when space returns.

use anyhow::{Result, ensure};
use e2e::SmallDisk;
use kit::{Heard, Node, RawDevice, Talker, group_talk};
use wire::{
    ErrorCode, MessageId, WireError,
    proto::{self, EventKind, client_request::Request, client_response::Response},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_full_is_said_and_heals() -> Result<()> {
    let disk = match SmallDisk::mount(24 << 20) {
        Ok(disk) => disk,
        Err(reason) => {
            kit::skipped(&format!("no small file system can be mounted here: {reason:#}"));
            return Ok(());
        }
    };
    let mut node = Node::init_in("acme.test", &disk.path().join("data"))?;
    node.run()?;
    let mut alice = Talker::enrol(&node, "alice").await?;
    let mut bob = Talker::enrol(&node, "bob").await?;
    let mut voices = group_talk(&mut alice, &mut [&mut bob]).await?;
    let mut voice = voices.swap_remove(0);
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        disk.fill()?;
        let refused = loop {
            ensure!(acknowledged.len() < 20_000, "the disk never gets full");
            let submission = voice.say(&alice, &[0; 4000])?;
            match alice.device.request(Request::Submit(submission.clone())).await {
                Ok(_) => acknowledged.push(MessageId::try_from(submission.message_id.as_ref())?),
                Err(error) => {
                    let code = error.downcast::<WireError>()?.code;
                    ensure!(code == ErrorCode::StorageFull, "round {round}: {code:?}");
                    break submission;
                }
            }
        };
        // Reading goes on, for devices that are there and for those that come.
        let pull = proto::PullEvents { room: voice.room.to_bytes(), from_seq: 1, limit: 10 };
        let Response::Pulled(pulled) = alice.device.request(Request::PullEvents(pull)).await? else {
            anyhow::bail!("no events")
        };
        ensure!(!pulled.events.is_empty(), "round {round}: nothing can be read");
        RawDevice::again(&node, &bob.person).await?;
        bob.reconnect(&node).await?;
        ensure!(node.is_running(), "a full disk ended the node");
        disk.free()?;
        // The same submission again, as a client would.
        alice.device.request(Request::Submit(refused.clone())).await?;
        acknowledged.push(MessageId::try_from(refused.message_id.as_ref())?);
    }
    let mut arrived = Vec::new();
    while arrived.len() < acknowledged.len() {
        for heard in bob.hear().await? {
            match heard {
                Heard::Event { head, .. } if head.kind == EventKind::Message as i32 => {
                    arrived.push(MessageId::try_from(head.message_id.as_ref())?);
                }
                _ => {}
            }
        }
    }
    ensure!(arrived == acknowledged, "what arrived is not what was acknowledged");
    node.stop()?;
    node.run()?;
    Ok(())
}
