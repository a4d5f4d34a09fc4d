//! Who is asked for the events of its room answers with others, with later ones, with something else.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use kit::{Heard, Node, Person, RawLink, RawPeer, RawStream, SystemEntropy, Talker, ask_peer};
use machine::Entropy as _;
use mls::{Change, Member, Observer};
use prost::Message as _;
use room::{
    LogHead, State,
    chain::{self, Draft},
};
use tokio::time::timeout;
use wire::{
    ErrorCode, MessageId, RoomId, limits,
    proto::{
        AccountKeys, ClaimKeyPackages, CommitExtras, Event, EventKind, Events, Join, PeerRequest,
        PeerResponse, PulledEvents, RoomKind, item, peer_request::Request, peer_response::Response,
    },
};

use crate::{
    frames::{framed, promised, shapeless},
    hand::{certified, message_in},
    stage::{node, unharmed},
};

/// How often the node is shown that something is missing, and how long it may take to ask for it.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// A room that the peer orders, with a member at the node.
struct Stage {
    node: Node,
    peer: RawPeer,
    connection: quinn::Connection,
    link: RawLink,
    alice: Talker,
    eve: Member,
    room: RoomId,
    /// The end of what the node has.
    head: LogHead,
}

impl Stage {
    async fn new() -> Result<Self> {
        let node = node()?;
        let peer = RawPeer::new("evil.test")?;
        peer.pinned_by(&node)?;
        let connection = peer.establish(&node).await?;
        let mut link = peer.open_link(&connection).await?;
        let mut alice = Talker::enrol(&node, "alice").await?;
        let keys = certified(&Person::new("eve@evil.test")?, &peer)?;
        let founding_id = MessageId::new(SystemEntropy.array());
        let room = room::group_room(&keys.account, &founding_id);
        let package = package(&connection, &room).await?;
        let state = State::group(room, peer.domain().clone(), keys.account.clone());
        let (mut eve, founding) = Member::found(&keys, &state.to_proto(), &mut SystemEntropy)?;
        let mut observer = Observer::found(&founding)?;
        let body = founding.encode_to_vec().into();
        let (_, head) =
            sealed(&peer, &room, &LogHead::default(), EventKind::Founding, (0, founding_id), &body);
        let binding = message_in(&room);
        let change = Change { add: vec![package], ..Change::default() };
        let made = eve.commit(&binding, &change, &mut SystemEntropy)?;
        let extras = CommitExtras { welcome: made.welcome.clone(), group_info: made.group_info };
        observer.check_commit(&made.commit, &extras)?;
        observer.merge()?;
        let id = MessageId::try_from(binding.message_id.as_ref())?;
        let (commit, head) = sealed(&peer, &room, &head, EventKind::Commit, (made.epoch, id), &made.commit);
        eve.process(EventKind::Commit, &made.commit)?;
        eve.merge_staged()?;
        let join = Join {
            room: room.to_bytes(),
            commit: Some(commit),
            welcome: made.welcome,
            ratchet_tree: observer.ratchet_tree()?,
            accounts: vec!["alice@acme.test".to_owned()],
            inviter: "eve@evil.test".to_owned(),
            kind: RoomKind::Group.into(),
            members: vec!["alice@acme.test".to_owned(), "eve@evil.test".to_owned()],
            founder: "eve@evil.test".to_owned(),
            founding: founding_id.to_bytes(),
        };
        let number = link.send([item::Item::Join(join)]).await?;
        let refused = link.acknowledged(number).await?;
        ensure!(refused.is_empty(), "the join is refused: {refused:?}");
        alice.until(|heard| matches!(heard, Heard::Join(_)).then_some(())).await?;
        Ok(Self { node, peer, connection, link, alice, eve, room, head })
    }

    /// What eve says next, behind this head.
    fn says(&mut self, head: &LogHead) -> Result<(Event, LogHead)> {
        let binding = message_in(&self.room);
        let body = self.eve.encrypt(&binding, b"said by eve", &mut SystemEntropy)?;
        let id = MessageId::try_from(binding.message_id.as_ref())?;
        Ok(sealed(&self.peer, &self.room, head, EventKind::Message, (self.eve.epoch(), id), &body))
    }

    /// Shows the node an event behind a gap, until it asks for what lies between: while it thinks about an
    /// answer to that question it asks no second one.
    async fn asked(&mut self, shown: &Event) -> Result<RawStream> {
        for _ in 0..TRIES {
            let run = Events { room: self.room.to_bytes(), events: vec![shown.clone()] };
            let number = self.link.send([item::Item::Events(run)]).await?;
            let refused = self.link.acknowledged(number).await?;
            ensure!(refused == [(number, ErrorCode::Unavailable)], "{refused:?}");
            while let Ok(stream) = timeout(PAUSE, self.connection.accept_bi()).await {
                let (send, receive) = stream?;
                let mut stream = RawStream::new(send, receive);
                match stream.expect::<PeerRequest>().await?.request {
                    Some(Request::Link(_)) => {}
                    Some(Request::PullEvents(pull)) => {
                        ensure!(pull.from_seq == self.head.seq + 1, "{pull:?}");
                        return Ok(stream);
                    }
                    other => bail!("{other:?} asks for no events"),
                }
            }
        }
        bail!("nobody asks for the events between")
    }
}

/// A key package of alice's device.
async fn package(connection: &quinn::Connection, room: &RoomId) -> Result<Bytes> {
    let claim = ClaimKeyPackages {
        room: room.to_bytes(),
        claim_id: SystemEntropy.array::<16>().to_vec().into(),
        accounts: vec!["alice@acme.test".to_owned()],
        requester: "eve@evil.test".to_owned(),
    };
    let Response::Claimed(claimed) = ask_peer(connection, Request::ClaimKeyPackages(claim)).await? else {
        bail!("no packages");
    };
    let packages = claimed.accounts.into_iter().flat_map(|account| account.packages);
    packages.map(|package| package.key_package).next().context("a package")
}

fn sealed(
    peer: &RawPeer,
    room: &RoomId,
    head: &LogHead,
    kind: EventKind,
    (epoch, message): (u64, MessageId),
    body: &Bytes,
) -> (Event, LogHead) {
    let time_ms = net::now().as_ms();
    let draft = Draft { room, hub: peer.domain(), epoch, kind, message: &message, body, time_ms };
    chain::seal(head, &draft, &peer.keys.event)
}

fn pulled(events: &[Event], end: bool) -> Vec<u8> {
    let pulled = PulledEvents { events: events.to_vec(), end };
    framed(&PeerResponse { response: Some(Response::Pulled(pulled)) }.encode_to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_not_asked_for_are_not_taken_and_the_gap_is_asked_for_again() -> Result<()> {
    let mut stage = Stage::new().await?;
    let head = stage.head;
    let (first, behind_first) = stage.says(&head)?;
    let (second, behind_second) = stage.says(&behind_first)?;
    let (shown, _) = stage.says(&behind_second)?;
    let (other_first, _) = stage.says(&head)?;
    let forged = Event { signature: other_first.signature.clone(), ..first.clone() };
    let other_body = Event { body: other_first.body.clone(), ..first.clone() };
    let other_room = {
        let own = std::mem::replace(&mut stage.room, RoomId::new([9; 32]));
        let body = first.body.clone();
        let id = MessageId::new([1; 16]);
        let event = sealed(&stage.peer, &stage.room, &head, EventKind::Message, (1, id), &body).0;
        stage.room = own;
        event
    };
    let response = |response| framed(&PeerResponse { response: Some(response) }.encode_to_vec());
    let mut rows: Vec<(&str, Vec<u8>)> = vec![
        ("later events than those asked for", pulled(std::slice::from_ref(&second), true)),
        ("the events in reverse", pulled(&[second.clone(), first.clone()], true)),
        ("one event twice", pulled(&[first.clone(), first.clone()], true)),
        ("an event with the signature of another", pulled(&[forged], true)),
        ("an event with the body of another", pulled(&[other_body], true)),
        ("an event of another room", pulled(&[other_room], true)),
        ("events of noise", pulled(&[Event { head: vec![0xff; 40].into(), ..Event::default() }], true)),
        ("no events, and more to come", pulled(&[], false)),
        ("keys", response(Response::Account(AccountKeys::default()))),
        ("no such room", response(Response::Error(ErrorCode::NotFound.into()))),
        ("nothing in it", framed(&PeerResponse { response: None }.encode_to_vec())),
        ("a frame over its limit", promised(limits::FRAME_BYTES_MAX + 1)),
        ("half an answer", pulled(std::slice::from_ref(&first), true)[..50].to_vec()),
        ("the end", Vec::new()),
    ];
    let noise = shapeless(
        &PeerResponse { response: Some(Response::Pulled(PulledEvents::default())) }.encode_to_vec(),
    );
    rows.extend(noise.into_iter().map(|row| (row.what, row.bytes)));
    for (what, bytes) in rows {
        let mut stream = stage.asked(&shown).await.context(what)?;
        stream.write_bytes(&bytes).await?;
        stream.finish();
    }
    stage.asked(&shown).await?.reset();
    // The honest answer, and only what is in it is heard.
    let mut stream = stage.asked(&shown).await.context("after all of these")?;
    stream.write_bytes(&pulled(&[first, second, shown], true)).await?;
    stream.finish();
    for seq in 3..=5 {
        let heard = stage.alice.until(|heard| match heard {
            Heard::Event { head, .. } if head.room == stage.room.to_bytes() => Some(head.seq),
            _ => None,
        });
        assert_eq!(heard.await?, seq);
    }
    unharmed(&mut stage.node).await
}
