//! What happens in the demo, step by step; each step is looked at and counts only if it is so.

use std::path::Path;

use client::{Level, RoomId, RoomKind, Sent, Standing};
use tokio::time::Instant;

use super::{
    disk,
    nodes::Node,
    people::{Person, To, body},
    stage::Stage,
};
use crate::{
    context::now_ms,
    device,
    error::CliError,
    fingerprint,
    output::{PeerShown, ago},
};

/// Everybody in the demo.
struct People {
    alice: Person,
    bob: Person,
    carol: Person,
}

/// Tells the whole story.
pub(super) async fn tell(
    stage: &Stage<'_>,
    dir: &Path,
    (acme, umbrella): &mut (Node, Node),
) -> Result<(), CliError> {
    let canary = canary();
    found(stage, dir, acme, umbrella).await?;
    let home = dir.join("home");
    let people = enrol(stage, acme, umbrella, &home).await?;
    let (direct, told) = direct(stage, &people, &canary).await?;
    group(stage, &people).await?;
    outage(stage, &people, acme, umbrella, direct).await?;
    on_disk(stage, &people, (acme, umbrella), &home, direct, told, &canary).await?;
    for person in [people.alice, people.bob, people.carol] {
        person.client.close().await;
    }
    Ok(())
}

/// A sentence that stands nowhere else on this machine.
fn canary() -> String {
    let noise = u64::from(std::process::id()) ^ now_ms();
    format!("The tulips arrive on Thursday, at the side gate ({noise:x})")
}

async fn found(stage: &Stage<'_>, dir: &Path, acme: &mut Node, umbrella: &mut Node) -> Result<(), CliError> {
    stage.heading("Two organisations, each with a node of its own")?;
    stage.detail(&format!("everything is in {}", dir.display()))?;
    let (first, second) = tokio::join!(acme.init(), umbrella.init());
    first.and(second)?;
    let (first, second) = tokio::join!(acme.start(), umbrella.start());
    first.and(second)?;
    for node in [&*acme, &*umbrella] {
        stage.verified(&format!("{} serves on {} (QUIC, X25519MLKEM768)", node.domain(), node.endpoint()))?;
    }
    let (first, second) = tokio::join!(acme.pin(umbrella), umbrella.pin(acme));
    first.and(second)?;
    for (node, other) in [(&*acme, &*umbrella), (&*umbrella, &*acme)] {
        let groups = fingerprint::groups(&fingerprint::digits(other.fingerprint()));
        stage.verified(&format!("{} pins {} by its fingerprint", node.domain(), other.domain()))?;
        stage.detail(&groups)?;
    }
    Ok(())
}

async fn enrol(stage: &Stage<'_>, acme: &Node, umbrella: &Node, home: &Path) -> Result<People, CliError> {
    stage.heading("Three people; their keys are made on their devices and stay there")?;
    let (alice, bob, carol) = tokio::try_join!(
        Person::enrol("alice", acme, home),
        Person::enrol("bob", umbrella, home),
        Person::enrol("carol", acme, home),
    )?;
    for person in [&alice, &bob, &carol] {
        stage.verified(&format!("{} is logged in", person.account))?;
    }
    Ok(People { alice, bob, carol })
}

/// A direct room across the two: invitation, acceptance, both ways.
async fn direct(stage: &Stage<'_>, people: &People, canary: &str) -> Result<(RoomId, Sent), CliError> {
    let People { alice, bob, .. } = people;
    stage.heading("alice writes to bob, who has never heard of her")?;
    stage.say(&format!("alice: {canary}"))?;
    let (sent, _) = alice.say(stage, To::Account(&bob.account), canary, Level::Ordered).await?;
    stage.verified("the hub of the room, acme.test, has ordered it")?;
    let invitation = bob
        .room("is asked", |room| {
            room.standing == Standing::Invited && room.inviter.as_ref() == Some(&alice.account)
        })
        .await?;
    let nothing_yet =
        bob.client.messages(invitation.id, client::Cursor { limit: 1, ..Default::default() }).await;
    let nothing_yet = nothing_yet.map_or(true, |page| page.messages.is_empty());
    stage.verify(
        nothing_yet,
        "bob is asked whether to talk with alice@acme.test, and sees no text before he answers",
    )?;
    let room = invitation.id;
    let (began, happenings) = (Instant::now(), alice.client.watch());
    bob.client.answer(room, true).await.map_err(|error| device::failed("cannot accept", error))?;
    stage.say("bob accepts")?;
    let (read, levels) = tokio::join!(
        bob.read(room, canary),
        alice.follow(stage, happenings, sent, (Level::Ordered, Level::Read), began),
    );
    let (read, levels) = (read?, levels?);
    let told = body(&read) == canary && read.sender.as_ref() == Some(&alice.account);
    stage.verify(told, "bob reads it on his device, as alice's")?;
    stage.verify(levels.last() == Some(&Level::Read), "alice sees that it was delivered and read")?;
    answer(stage, people, room).await?;
    Ok((room, sent))
}

async fn answer(stage: &Stage<'_>, people: &People, room: RoomId) -> Result<(), CliError> {
    let People { alice, bob, .. } = people;
    let text = "I will be at the gate. Bring the list.";
    stage.say(&format!("bob: {text}"))?;
    let (read, followed) =
        tokio::join!(alice.read(room, text), bob.say(stage, To::Room(room), text, Level::Read),);
    let (_, levels) = followed?;
    stage.verify(read?.sender.as_ref() == Some(&bob.account), "alice reads bob's answer")?;
    let rising = levels.is_sorted() && levels.contains(&Level::Accepted);
    stage.verify(rising, "bob's own node accepted it before the hub ordered it")
}

/// A group of all three.
async fn group(stage: &Stage<'_>, people: &People) -> Result<(), CliError> {
    let People { alice, bob, carol } = people;
    stage.heading("A group of all three: #garden")?;
    let members = [bob.account.clone(), carol.account.clone()];
    let changed = alice
        .client
        .create_room("garden", &members)
        .await
        .map_err(|error| device::failed("cannot make the group", error))?;
    stage.verify(changed.refused.is_empty(), "alice makes it and adds bob and carol")?;
    let room = changed.room;
    for person in [bob, carol] {
        person
            .room("is in the group", |seen| {
                seen.id == room
                    && seen.standing == Standing::Member
                    && seen.kind == RoomKind::Group
                    && seen.members.len() == 3
            })
            .await?;
        stage.verified(&format!("{} is in it", person.account))?;
    }
    let text = "Who waters the tulips on Sunday?";
    stage.say(&format!("alice: {text}"))?;
    let (bobs, carols, followed) = tokio::join!(
        bob.read(room, text),
        carol.read(room, text),
        alice.say(stage, To::Room(room), text, Level::Read),
    );
    let same = bobs?.seq == carols?.seq && followed?.1.last() == Some(&Level::Read);
    stage.verify(same, "bob and carol have read it, at the same place in the room")?;
    let text = "I do.";
    stage.say(&format!("carol: {text}"))?;
    let (alices, bobs, followed) = tokio::join!(
        alice.read(room, text),
        bob.read(room, text),
        carol.say(stage, To::Room(room), text, Level::Read),
    );
    let same = alices?.seq == bobs?.seq && followed?.1.last() == Some(&Level::Read);
    stage.verify(same, "alice and bob have read carol's answer")
}

/// One node goes away; what is said meanwhile waits, visibly, and arrives in order.
async fn outage(
    stage: &Stage<'_>,
    people: &People,
    acme: &Node,
    umbrella: &mut Node,
    room: RoomId,
) -> Result<(), CliError> {
    let People { alice, bob, .. } = people;
    stage.heading("umbrella.test goes away")?;
    umbrella.stop().await?;
    stage.verified("its node was stopped (SIGTERM)")?;
    let texts = ["First: are you there?", "Second: the gate is locked.", "Third: use the key under the pot."];
    let mut sent = Vec::new();
    for text in texts {
        stage.say(&format!("alice: {text}"))?;
        sent.push(alice.say(stage, To::Room(room), text, Level::Ordered).await?.0);
    }
    let queue = acme.queue(umbrella.domain()).await?;
    let state = waiting(acme, umbrella.domain()).await?;
    stage.verify(queue.total > 0, "acme.test keeps them for umbrella.test, on disk")?;
    stage.say(&PeerShown::of_state(&state).sentence(now_ms()))?;
    for item in &queue.items {
        let room: String = room.to_string().chars().take(8).collect();
        let age = ago(now_ms(), item.since_ms);
        stage.detail(&format!("item {} of room {room}, queued for {age}", item.number))?;
    }
    let told = state.last_error != 0 && state.next_retry_ms > 0;
    stage.verify(told, "the reason and the next try are shown")?;
    let held = alice.texts(room).await?;
    let not_yet = held
        .iter()
        .filter(|message| texts.contains(&body(message)))
        .all(|message| message.level < Some(Level::Stored));
    stage.verify(not_yet, "alice sees that they are ordered and not yet stored at umbrella.test")?;
    let (began, happenings) = (Instant::now(), alice.client.watch());
    umbrella.start().await?;
    stage.verified("umbrella.test is started again")?;
    let Some(last) = sent.pop() else { return Err(CliError::bug("nothing was sent")) };
    let (arrived, levels) = tokio::join!(
        arrive(bob, room, &texts),
        alice.follow(stage, happenings, last, (Level::Ordered, Level::Read), began),
    );
    for message in arrived? {
        stage.say(&format!("bob reads, at {}: {}", message.seq, body(&message)))?;
    }
    stage.verify(levels?.last() == Some(&Level::Read), "all three arrived, in order, once")
}

/// The link as soon as an attempt has failed.
async fn waiting(acme: &Node, domain: &str) -> Result<wire::proto::PeerState, CliError> {
    let deadline = Instant::now() + std::time::Duration::from_secs(8);
    loop {
        let state = acme.peer(domain).await?;
        let tried = state.last_error != 0 && state.next_retry_ms > now_ms() && state.queued > 0;
        if tried || Instant::now() > deadline {
            return Ok(state);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Waits until bob has all of them, in their order and each once.
async fn arrive(bob: &Person, room: RoomId, texts: &[&str]) -> Result<Vec<client::Message>, CliError> {
    let Some(last) = texts.last() else { return Ok(Vec::new()) };
    bob.read(room, last).await?;
    let all = bob.texts(room).await?;
    let arrived: Vec<client::Message> =
        all.into_iter().filter(|message| texts.contains(&body(message))).collect();
    let in_order = arrived.iter().map(body).eq(texts.iter().copied())
        && arrived.iter().map(|message| message.seq).is_sorted();
    if in_order { Ok(arrived) } else { Err(CliError::failed("not verified: they arrived in order")) }
}

/// What the nodes hold of the first message, beside what bob reads.
async fn on_disk(
    stage: &Stage<'_>,
    people: &People,
    nodes: (&Node, &Node),
    home: &Path,
    room: RoomId,
    told: Sent,
    canary: &str,
) -> Result<(), CliError> {
    stage.heading("What the nodes hold of alice's first message")?;
    let texts = people.alice.texts(room).await?;
    let message = texts.iter().find(|message| message.intent == Some(told.intent));
    let id =
        message.map(|message| message.id).ok_or_else(|| CliError::failed("the first message is gone"))?;
    for node in [nodes.0, nodes.1] {
        let found = disk::find_message(node.data(), room.as_bytes(), id.as_bytes())?;
        let found = found.ok_or_else(|| {
            CliError::failed(format!("not verified: {} holds the message encrypted", node.domain()))
        })?;
        let file = found.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        stage.verified(&format!("{}, {file}, byte {}:", node.domain(), found.offset))?;
        disk::dump(&found.bytes).iter().take(6).try_for_each(|line| stage.detail(line))?;
    }
    let read = people.bob.texts(room).await?;
    let read = read.iter().find(|message| message.id == id).map(body).unwrap_or_default();
    stage.verify(read == canary, &format!("bob reads: {read}"))?;
    for node in [nodes.0, nodes.1] {
        let (files, holding) = disk::scan(node.data(), canary.as_bytes())?;
        let (_, named) = disk::scan(node.data(), b"garden")?;
        let text =
            format!("in all {files} files of {}: neither the text nor the name of the group", node.domain());
        stage.verify(holding.is_empty() && named.is_empty(), &text)?;
    }
    let device = home.join(people.bob.account.as_str());
    let (files, holding) = disk::scan(&device, canary.as_bytes())?;
    let text =
        format!("nor in the {files} files of bob's own device, which are sealed: only his programs read it");
    stage.verify(files > 0 && holding.is_empty(), &text)
}
