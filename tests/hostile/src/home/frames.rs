//! Frames in a session that nobody asked for, that contradict each other, or that are none.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use machine::Entropy as _;
use prost::Message as _;
use wire::{
    ErrorCode, MessageId, limits,
    proto::{
        Accepted, AccountKeys, ClientFrame, ClientResponse, Done, Entry, Ephemeral, Event, EventKind,
        Invitation, Join, Left, NodeFrame, Page, PeerState, Progress, ProgressKind, PulledEvents, Refused,
        SessionReady, client_frame, client_request::Request, client_response::Response, entry,
        node_frame::Frame,
    },
};

use super::{Stage, node::response, said};
use crate::{
    frames::{framed, promised, shapeless},
    stage::{Row, row},
};

const ROOM: Bytes = Bytes::from_static(&[9; 32]);
const ID: Bytes = Bytes::from_static(&[8; 16]);

fn page(entries: Vec<(u64, Option<entry::Entry>)>) -> Vec<u8> {
    let entries = entries.into_iter().map(|(position, entry)| Entry { position, entry });
    said(Frame::Page(Page { entries: entries.collect(), caught_up: false }))
}

/// An entry that may be lost, so that it moves no cursor.
fn loose(entry: entry::Entry) -> Vec<u8> {
    page(vec![(0, Some(entry))])
}

/// What is no frame ends the session with its name.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_frame_end_the_session_and_nothing_else() -> Result<()> {
    let mut stage = Stage::new().await?;
    let head = NodeFrame { frame: Some(Frame::Page(Page::default())) }.encode_to_vec();
    let mut rows = shapeless(&head);
    rows.push(row(
        "one byte over the frame limit",
        promised(limits::FRAME_BYTES_MAX + 1),
        ErrorCode::TooLarge,
    ));
    for Row { what, bytes, error } in rows {
        stage.node.open(false);
        stage.node.say_bytes(bytes)?;
        stage.fallen(error.name()).await.context(what)?;
        stage.node.open(true);
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// What makes no sense and is passed over with a warning.
fn senseless() -> Vec<Row> {
    use ErrorCode::{Malformed, NotFound, Unsupported};
    let noise = Event { head: vec![0xff; 40].into(), signature: vec![1; 64].into(), body: vec![2; 9].into() };
    let none = ClientResponse { id: 1 << 40, response: None };
    let refused = Refused { room: ROOM, message_id: vec![1; 15].into(), error: None };
    let half = |room: &'static [u8]| Bytes::from_static(room);
    let invitation = |inviter: &str| {
        let room = half(&[9; 32]);
        entry::Entry::Invitation(Invitation { room, inviter: inviter.to_owned(), kind: 2, time_ms: u64::MAX })
    };
    vec![
        row("a session in a session", said(Frame::Ready(SessionReady::default())), Malformed),
        row("nothing in a frame", framed(&NodeFrame { frame: None }.encode_to_vec()), Malformed),
        row("the answer to nothing", response(1 << 40, Response::Done(Done {})), NotFound),
        row("no answer to nothing", said(Frame::Response(none)), NotFound),
        row(
            "acceptance of what was never sent",
            response(0, Response::Accepted(Accepted { message_id: ID })),
            NotFound,
        ),
        row("an entry of a later version", page(vec![(0, None)]), Unsupported),
        row("an event of noise", loose(entry::Entry::Event(noise)), Malformed),
        row("an empty event", loose(entry::Entry::Event(Event::default())), Malformed),
        row("a refusal of half a message", loose(entry::Entry::Refused(refused)), Malformed),
        row(
            "half a room is left",
            loose(entry::Entry::Left(Left { room: half(&[1; 16]), seq: 1, accounts: vec![] })),
            Malformed,
        ),
        row("a join without an event", loose(entry::Entry::Join(Join::default())), Malformed),
        row("an invitation by nobody", loose(invitation("")), Malformed),
        row("an invitation by a look-alike", loose(invitation("b\u{43e}b@acme.test")), Malformed),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_passed_over_with_a_warning() -> Result<()> {
    let mut stage = Stage::new().await?;
    for Row { what, bytes, error } in senseless() {
        stage.node.say_bytes(bytes)?;
        stage.warned(&format!("({})", error.name())).await.context(what)?;
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// What is of a room or a message that this device does not know, or is nobody's business.
fn irrelevant(room: &Bytes) -> Vec<(&'static str, Vec<u8>)> {
    let progress = |room: &Bytes, kind: ProgressKind, who: &str, seq| {
        let who = who.to_owned();
        loose(entry::Entry::Progress(Progress { room: room.clone(), kind: kind.into(), who, seq }))
    };
    let refused = |room: &Bytes, error: Option<ErrorCode>| {
        let error = error.map(Into::into);
        loose(entry::Entry::Refused(Refused { room: room.clone(), message_id: ID, error }))
    };
    let typing = |room: &Bytes, bytes: usize| {
        said(Frame::Ephemeral(Ephemeral { room: room.clone(), epoch: u64::MAX, body: vec![3; bytes].into() }))
    };
    let state =
        PeerState { domain: "\u{1b}[2J".to_owned(), phase: 99, queued: u64::MAX, ..PeerState::default() };
    vec![
        ("the progress of a stranger", progress(room, ProgressKind::Delivered, "eve@evil.test", u64::MAX)),
        ("progress of nobody", progress(room, ProgressKind::Stored, "", 1)),
        ("progress of no kind", progress(room, ProgressKind::Unspecified, "bob@acme.test", 1)),
        ("progress in no room", progress(&ROOM, ProgressKind::Delivered, "bob@acme.test", 1)),
        ("a refusal of what was never sent", refused(room, Some(ErrorCode::Policy))),
        ("a refusal without a reason", refused(&ROOM, None)),
        ("typing of noise", typing(room, 100)),
        ("typing of nothing", typing(room, 0)),
        ("typing of a mebibyte", typing(room, 1 << 20)),
        ("typing in no room", typing(&ROOM, 10)),
        ("a link of no domain", loose(entry::Entry::PeerState(state))),
        ("a room that is not this device's is left", {
            loose(entry::Entry::Left(Left { room: ROOM, seq: u64::MAX, accounts: vec![] }))
        }),
        ("an empty page", page(Vec::new())),
        ("the end of what is stored, twice", {
            let end = said(Frame::Page(Page { entries: Vec::new(), caught_up: true }));
            [end.clone(), end].concat()
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_no_room_here_changes_nothing() -> Result<()> {
    let mut stage = Stage::new().await?;
    for (what, bytes) in irrelevant(&stage.room.to_bytes()) {
        stage.node.say_bytes(bytes)?;
        stage.talk().await.context(what)?;
        assert_eq!(stage.client.rooms().await?.len(), 1, "{what}");
    }
    Ok(())
}

/// Events that the hub never ordered, or ordered elsewhere: none is shown, and the log is read anew.
#[tokio::test(flavor = "multi_thread")]
async fn events_that_do_not_continue_the_log_are_not_shown() -> Result<()> {
    let mut stage = Stage::new().await?;
    let event = |event: Event| loose(entry::Entry::Event(event));
    let body = Bytes::from_static(b"forged");
    for number in 0..8 {
        let (what, forged) = stage.node.as_hub(|hub| {
            // Behind the head of this moment.
            let (head, kind) = (hub.head(), EventKind::Message);
            let at = |seq| room::LogHead { seq, ..head };
            let stranger = identity::domain_keys::generate(&mut kit::SystemEntropy);
            let (_, _, honest) = hub.encrypted("never ordered")?;
            let mut cut = hub.forge(&head, kind, &body, hub.key());
            cut.signature = cut.signature.slice(..63);
            let mut other_body = hub.forge(&head, kind, &honest, hub.key());
            other_body.body = body.clone();
            let large = Bytes::from(vec![0; limits::MESSAGE_BYTES_MAX + 1]);
            let rows = [
                ("signed by another key", hub.forge(&head, kind, &honest, &stranger)),
                ("half a signature", cut),
                ("another body than the head says", other_body),
                ("after a gap", hub.forge(&at(head.seq + 5), kind, &honest, hub.key())),
                ("at the end of all numbers", hub.forge(&at(limits::SEQ_MAX - 1), kind, &honest, hub.key())),
                ("over its limit", hub.forge(&head, kind, &large, hub.key())),
                ("of another room", hub.elsewhere(&honest)),
                ("what was there before", hub.log.last().context("an event")?.clone()),
            ];
            rows.into_iter().nth(number).context("a row")
        })?;
        stage.node.say_bytes(event(forged))?;
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// Another event under a number that is taken is a second history: the room pauses and says why,
/// what was shown stays, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_history_pauses_the_room_and_shows_nothing_of_it() -> Result<()> {
    let stage = Stage::new().await?;
    let forged = stage.node.as_hub(|hub| {
        let (_, _, body) = hub.encrypted("of another history")?;
        let head = room::LogHead { seq: hub.head().seq - 1, ..hub.head() };
        Ok(hub.forge(&head, EventKind::Message, &body, hub.key()))
    })?;
    stage.node.say_bytes(loose(entry::Entry::Event(forged)))?;
    let problem = super::until(&stage.client, async || {
        let rooms = stage.client.rooms().await?;
        let paused = rooms.into_iter().find(|room| room.standing == client::Standing::Paused);
        Ok(paused.map(|room| format!("{:?}", room.problem)))
    });
    let problem = problem.await?;
    assert!(problem.contains("ForkedLog"), "{problem}");
    stage.shows().await
}

/// The hub orders what nobody can read: a placeholder stands there, and what follows is read.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decrypted_is_shown_as_that_and_the_room_goes_on() -> Result<()> {
    let mut stage = Stage::new().await?;
    let old = stage.node.as_hub(|hub| Ok(hub.log.last().context("an event")?.body.clone()))?;
    let rows: [(&str, Bytes); 4] = [
        ("noise", vec![0xff; 200].into()),
        ("nothing", Bytes::new()),
        ("the ciphertext of another message", old),
        ("a header and no end", Bytes::from_static(&[0, 1, 0, 2, 32])),
    ];
    for (what, body) in rows {
        let event = stage.node.as_hub(|hub| {
            let id = MessageId::new(kit::SystemEntropy.array());
            Ok(hub.append(EventKind::Message, 1, &id, &body))
        })?;
        stage.node.tell(event);
        stage.unreadable += 1;
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// Positions that go back, stand still or leap: what they carry is taken once, and a cursor that the
/// honest node does not know makes the device begin anew.
#[tokio::test(flavor = "multi_thread")]
async fn positions_that_leap_or_go_back_lose_and_repeat_nothing() -> Result<()> {
    let mut stage = Stage::new().await?;
    for (what, positions) in [
        ("back", vec![3, 2, 1]),
        ("still", vec![2, 2, 2]),
        ("a leap", vec![1_000_000]),
        ("the largest number", vec![u64::MAX]),
        ("none, then the largest", vec![0, u64::MAX, 0]),
    ] {
        let log = stage.node.as_hub(|hub| Ok(hub.log.clone()))?;
        let again = log.iter().rev().cycle().zip(&positions);
        let entries = again.map(|(event, at)| (*at, Some(entry::Entry::Event(event.clone()))));
        stage.node.say_bytes(page(entries.collect()))?;
        stage.talk().await.context(what)?;
        stage.node.close(0)?;
        stage.talk().await.context(what)?;
    }
    Ok(())
}

/// What each request may be answered with that is no answer to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_is_answered_wrongly_is_not_lost_and_not_sent_twice() -> Result<()> {
    let mut stage = Stage::new().await?;
    type Answer = fn(u64) -> Vec<u8>;
    let rows: [(&str, Answer, Option<&str>); 8] = [
        ("nothing", |_| Vec::new(), None),
        ("a done", |id| response(id, Response::Done(Done {})), Some("(Malformed)")),
        ("an account", |id| response(id, Response::Account(AccountKeys::default())), Some("(Malformed)")),
        ("events", |id| response(id, Response::Pulled(PulledEvents::default())), Some("(Malformed)")),
        ("the answer to the next one", |id| response(id + 1, Response::Done(Done {})), Some("(NotFound)")),
        (
            "no answer in it",
            |id| said(Frame::Response(ClientResponse { id, response: None })),
            Some("(Malformed)"),
        ),
        (
            "acceptance of another",
            |id| response(id, Response::Accepted(Accepted { message_id: ID })),
            Some("(Malformed)"),
        ),
        (
            "two answers",
            |id| [response(id, Response::Done(Done {})), response(id, Response::Done(Done {}))].concat(),
            Some("(NotFound)"),
        ),
    ];
    for (what, answer, warning) in rows {
        stage.node.lie(Box::new(move |frame: &ClientFrame| match &frame.frame {
            Some(client_frame::Frame::Request(request)) => {
                matches!(request.request, Some(Request::Submit(_))).then(|| answer(request.id))
            }
            _ => None,
        }));
        let said = format!("said while the node lies: {what}");
        let sent = stage.client.send(stage.room, client::Outgoing::text(said.clone())).await?;
        if let Some(warning) = warning {
            stage.warned(warning).await.context(what)?;
        }
        stage.node.be_honest();
        stage.node.close(0)?;
        stage.shown.push(said);
        let ordered = stage.client.wait(sent, client::Level::Ordered);
        tokio::time::timeout(super::PATIENCE, ordered).await.context(what)?.context(what)?;
        stage.shows().await.context(what)?;
        stage.talk().await.context(what)?;
    }
    Ok(())
}
