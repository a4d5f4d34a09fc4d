//! The answer to the hello of a device, and how sessions end.

use anyhow::{Context as _, Result};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{
        ClientFrame, Done, Error, NodeFrame, Page, SessionReady, client_frame, client_request::Request,
        client_response::Response, node_frame::Frame,
    },
};

use super::{Lie, Stage, node::response, said};
use crate::{
    frames::{framed, promised, shapeless},
    stage::{Row, row},
};

fn for_hello(bytes: Vec<u8>) -> Lie {
    Box::new(move |frame: &ClientFrame| {
        matches!(frame.frame, Some(client_frame::Frame::Hello(_))).then(|| bytes.clone())
    })
}

fn no_sessions() -> Vec<Row> {
    use ErrorCode::{AuthFailed, Internal, Malformed, TooLarge};
    let head = NodeFrame { frame: Some(Frame::Page(Page::default())) }.encode_to_vec();
    let mut rows = shapeless(&head);
    rows.extend([
        row("a page", said(Frame::Page(Page::default())), Malformed),
        row("a response", response(u64::MAX, Response::Done(Done {})), Malformed),
        row("nothing in it", framed(&NodeFrame { frame: None }.encode_to_vec()), Malformed),
        row("a store without a name", said(Frame::Ready(SessionReady::default())), Malformed),
        row(
            "a store with a long name",
            said(Frame::Ready(SessionReady { store_id: vec![1; 17].into(), ..SessionReady::default() })),
            Malformed,
        ),
        row("a goodbye", said(Frame::Goodbye(AuthFailed.into())), AuthFailed),
        row(
            "a goodbye of a later version",
            said(Frame::Goodbye(Error { code: u32::MAX, ..Error::default() })),
            Internal,
        ),
        row("one byte over the frame limit", promised(limits::FRAME_BYTES_MAX + 1), TooLarge),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_is_answered_wrongly_is_named_and_said_again() -> Result<()> {
    let mut stage = Stage::new().await?;
    for Row { what, bytes, error } in no_sessions() {
        stage.node.lie(for_hello(bytes));
        stage.node.close(0)?;
        stage.fallen(error.name()).await.context(what)?;
        stage.node.be_honest();
        stage.talk().await.context(what)?;
    }
    Ok(())
}

// [SYNC-31]
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_a_hello_is_not_waited_for() -> Result<()> {
    let mut stage = Stage::new().await?;
    for (what, bytes) in [("silence", Vec::new()), ("half a frame", vec![0, 0, 0, 9, 0x0a])] {
        stage.node.lie(for_hello(bytes));
        stage.node.close(0)?;
        stage.fallen("Timeout").await.context(what)?;
        stage.node.be_honest();
        stage.talk().await.context(what)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_session_ends_the_next_one_goes_on_where_it_was() -> Result<()> {
    let mut stage = Stage::new().await?;
    let goodbye = said(Frame::Goodbye(ErrorCode::Draining.into()));
    let begun = [0, 0, 0, 200, 0x1a];
    let half = || begun.to_vec();
    type End = fn(&super::HomeNode) -> Result<()>;
    let rows: [(&str, Vec<u8>, End, &str); 8] = [
        ("an end in the middle of a frame", half(), |node| node.finish(), "Malformed"),
        ("a stream that breaks off in the middle of a frame", half(), |node| node.reset(), "Unavailable"),
        (
            "a close in the middle of a frame",
            half(),
            |node| node.close(ErrorCode::Draining.code()),
            "Draining",
        ),
        ("a frame that is never whole", half(), |_| Ok(()), "Timeout"),
        ("the end", Vec::new(), |node| node.finish(), "Unavailable"),
        ("a close with a code of a later version", Vec::new(), |node| node.close(u32::MAX >> 2), "Internal"),
        (
            "a close as another's session",
            Vec::new(),
            |node| node.close(ErrorCode::Superseded.code()),
            "Superseded",
        ),
        ("a goodbye and no close", goodbye, |node| node.finish(), "Draining"),
    ];
    for (what, bytes, end, error) in rows {
        stage.node.open(false);
        // An answer would be taken for the rest of the frame.
        stage.node.lie(Box::new(|_| Some(Vec::new())));
        stage.node.say_bytes(bytes)?;
        end(&stage.node)?;
        stage.fallen(error).await.context(what)?;
        stage.node.be_honest();
        stage.node.open(true);
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// The node says that its store is another one, and then the old one again: everything is read anew, and
/// nothing is shown twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_changes_its_name_loses_and_repeats_nothing() -> Result<()> {
    let mut stage = Stage::new().await?;
    for id in [&[2; 16], &[1; 16], &[3; 16]] {
        stage.node.set_store(id);
        stage.node.close(0)?;
        stage.warned("store").await?;
        stage.talk().await?;
    }
    Ok(())
}

/// A node that says of every position, of none even, that it is gone is asked twice and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_always_gone_is_not_asked_for_without_end() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (count, counted) = tokio::sync::watch::channel(0_u32);
    stage.node.lie(Box::new(move |frame: &ClientFrame| match &frame.frame {
        Some(client_frame::Frame::Request(request)) => matches!(request.request, Some(Request::Subscribe(_)))
            .then(|| {
                count.send_modify(|count| *count += 1);
                response(request.id, Response::Error(ErrorCode::CursorGone.into()))
            }),
        _ => None,
    }));
    stage.node.close(0)?;
    stage.warned("(CursorGone)").await?;
    // Whatever is asked after it comes behind a third subscription, were there one.
    stage.client.look_up(&"bob@acme.test".parse()?).await?;
    assert_eq!(*counted.borrow(), 2);
    stage.node.be_honest();
    stage.node.close(0)?;
    stage.talk().await
}
