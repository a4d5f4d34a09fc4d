//! Who receives an outbox lies about what it has: resumes, acknowledgements and answers.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use kit::{RawPeer, RawStream, close_code};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{
        Answer, Batch, BatchAck, Declined, Item, LinkFrame, LinkOpen, LinkResume, entry, item,
        link_frame::Frame,
    },
};

use super::{Wish, ack, batch, noted, resume};
use crate::{
    frames::{framed, promised, shapeless},
    stage::{Row, node, row, unharmed},
};

fn frame(frame: Frame) -> Vec<u8> {
    framed(&LinkFrame { frame: Some(frame) }.encode_to_vec())
}

fn refused(number: u64) -> Answer {
    Answer { number, error: Some(ErrorCode::Forbidden.into()) }
}

fn resumes(received: u64, answers: Vec<Answer>) -> Vec<u8> {
    frame(Frame::Resume(LinkResume { received, answers }))
}

fn acks(received: u64, answers: Vec<Answer>) -> Vec<u8> {
    frame(Frame::Ack(BatchAck { received, answers }))
}

fn item_of_its_own() -> Vec<u8> {
    let declined = Declined { room: Bytes::from_static(&[1; 32]), account: "eve@evil.test".to_owned() };
    let items = vec![Item { number: 1, item: Some(item::Item::Declined(declined)) }];
    frame(Frame::Batch(Batch { items, settled: 0 }))
}

/// What is wrong at any time.
fn never() -> Vec<Row> {
    use ErrorCode::{Malformed, TooLarge};
    let mut rows = shapeless(&LinkFrame { frame: Some(Frame::Ack(BatchAck::default())) }.encode_to_vec());
    let open = LinkOpen { outbox_id: Bytes::from_static(&[1; 16]), first: 1 };
    let longest = Batch { items: vec![Item::default(); limits::FRAME_BYTES_MAX / 2], settled: 0 };
    rows.extend([
        row("nothing in a frame", framed(&LinkFrame { frame: None }.encode_to_vec()), Malformed),
        row("an opening of a link that is open", frame(Frame::Open(open)), Malformed),
        row("items on a stream for acknowledgements", item_of_its_own(), Malformed),
        row("a frame over its limit", promised(limits::FRAME_BYTES_MAX + 1), TooLarge),
        row("half a million items", frame(Frame::Batch(longest)), TooLarge),
    ]);
    rows
}

/// What is wrong where the answer to an opening stands.
fn instead_of_a_resume() -> Vec<Row> {
    use ErrorCode::{Malformed, Unavailable};
    let mut rows = never();
    rows.extend([
        row("an acknowledgement before the resume", acks(0, vec![]), Malformed),
        row("an answer to what was never sent", resumes(0, vec![refused(1)]), Malformed),
        row("an answer to number 0", resumes(0, vec![refused(0)]), Malformed),
        row("an answer to number 2^64 - 1", resumes(0, vec![refused(u64::MAX)]), Malformed),
        row("an answer that is no error", resumes(1, vec![Answer { number: 1, error: None }]), Malformed),
        // [LINK-6] The outbox could be an older copy of itself: it takes another name.
        row("more than was ever sent", resumes(2, vec![]), Unavailable),
        row("2^64 - 1 items", resumes(u64::MAX, vec![refused(7)]), Unavailable),
    ]);
    rows
}

/// What is wrong when one item was sent.
fn after_an_item() -> Vec<Row> {
    use ErrorCode::Malformed;
    let mut rows = never();
    rows.extend([
        row("a second resume", resumes(0, vec![]), Malformed),
        row("an acknowledgement of what was never sent", acks(2, vec![]), Malformed),
        row("an acknowledgement of number 2^63", acks(1 << 63, vec![]), Malformed),
        row("an acknowledgement of number 2^64 - 1", acks(u64::MAX, vec![]), Malformed),
        row("an answer to an item that is not acknowledged", acks(0, vec![refused(1)]), Malformed),
        row("an answer to an item that was never sent", acks(0, vec![refused(2)]), Malformed),
        row("an answer to number 0", acks(0, vec![refused(0)]), Malformed),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_is_answered_wrongly_ends_the_connection_and_loses_nothing() -> Result<()> {
    let mut node = node()?;
    for (number, Row { what, bytes, error }) in instead_of_a_resume().into_iter().enumerate() {
        let wish = Wish::new(&node, number).await?;
        let connection = wish.peer.meet(&node).await.context(what)?;
        let (mut link, first) = RawPeer::linked(&connection).await?;
        link.write_bytes(&bytes).await?;
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
        noted(&node, &wish.peer, error).await.context(what)?;
        // The next one: whatever was claimed, the item is sent, under a name that fits.
        let connection = wish.peer.establish(&node).await?;
        let (mut link, open) = RawPeer::linked(&connection).await?;
        assert_eq!(open.outbox_id == first.outbox_id, error != ErrorCode::Unavailable, "{what}");
        assert_eq!(open.first, 1, "{what}: what was not acknowledged was counted as received");
        resume(&mut link, 0).await?;
        let number = wish.is_in(&batch(&mut link).await?).context(what)?;
        ack(&mut link, number).await?;
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_answered_wrongly_is_sent_again() -> Result<()> {
    let mut node = node()?;
    for (number, Row { what, bytes, error }) in after_an_item().into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let connection = wish.peer.meet(&node).await.context(what)?;
        let (mut link, sent) = wish.batch(&connection).await?;
        wish.is_in(&sent)?;
        link.write_bytes(&bytes).await?;
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
        noted(&node, &wish.peer, error).await.context(what)?;
        wish.arrives(&node).await.context(what)?;
    }
    unharmed(&mut node).await
}

/// What may be strange and is not wrong.
#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_goes_back_takes_nothing_back_and_the_first_answer_counts() -> Result<()> {
    let mut node = node()?;
    let mut wish = Wish::new(&node, 0).await?;
    wish.hand.device.subscribe(&[], 0).await?;
    let connection = wish.peer.meet(&node).await?;
    let (mut link, _) = wish.batch(&connection).await?;
    link.write_bytes(&acks(0, vec![])).await?;
    // Refused for two reasons at once, then once more for a third.
    let twice = Answer { error: Some(ErrorCode::Policy.into()), ..refused(1) };
    link.write_bytes(&acks(1, vec![refused(1), twice])).await?;
    link.write_bytes(&acks(1, vec![twice])).await?;
    link.write_bytes(&acks(0, vec![])).await?;
    let (_, error) = wish
        .hand
        .device
        .entry(|entry| match entry {
            entry::Entry::Refused(refused) => Some(refused.error.as_ref().map(|error| error.code)),
            _ => None,
        })
        .await?;
    assert_eq!(error, Some(ErrorCode::Forbidden.code()));
    // The link goes on with the number after it, on this connection and on the next.
    let next = super::founding_at(&crate::hand::Hand::new(&node, "another").await?, &wish.peer)?;
    ensure!(connection.close_reason().is_none(), "{:?}", connection.close_reason());
    drop(next);
    connection.close(0_u32.into(), b"");
    let connection = wish.peer.establish(&node).await?;
    let (_link, open) = RawPeer::linked(&connection).await?;
    assert_eq!(open.first, 2);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_and_says_nothing_holds_up_itself_only() -> Result<()> {
    let mut node = node()?;
    type Act = fn(&mut RawStream);
    let rows: [(&str, Act); 3] =
        [("silence", |_| {}), ("the end of its side", RawStream::finish), ("a reset", RawStream::reset)];
    for (number, (what, act)) in rows.into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let connection = wish.peer.meet(&node).await?;
        let (mut link, _) = wish.batch(&connection).await?;
        act(&mut link);
        unharmed(&mut node).await.context(what)?;
        wish.arrives(&node).await.context(what)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_without_end_end_the_connection_and_no_other() -> Result<()> {
    let mut node = node()?;
    let mut wish = Wish::new(&node, 0).await?;
    let connection = wish.peer.meet(&node).await?;
    let (_link, _) = wish.batch(&connection).await?;
    let mut streams = Vec::new();
    for _ in 0..limits::PEER_STREAMS_MAX {
        let mut stream = RawStream::open(&connection).await?;
        stream.write_bytes(&[0]).await?;
        streams.push(stream);
    }
    // The next one is not granted while these say nothing.
    let more = connection.clone();
    let more = tokio::spawn(async move { more.open_bi().await });
    unharmed(&mut node).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::Timeout);
    assert!(more.await?.is_err());
    wish.arrives(&node).await?;
    unharmed(&mut node).await
}
