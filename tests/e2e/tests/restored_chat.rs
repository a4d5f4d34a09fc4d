//! Two people in two domains chat with real clients; one domain is backed up, lost and restored, first the
//! one that orders their room and then the other. The chat goes on, and nobody sees anything twice.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use client::{Change, Client, Contact, Cursor, Level, MessageBody, Outgoing, RoomId, Standing};
use identity::Ticket;
use kit::{Node, pin_each_other};
use wire::{
    Account,
    proto::{InviteUser, admin_request::Request, admin_response::Response},
};

const PATIENCE: Duration = Duration::from_secs(60);

async fn login(node: &Node, place: &Path, name: &str) -> Result<Client> {
    let account: Account = format!("{name}@{}", node.domain()).parse()?;
    let invite = match node.ask(Request::InviteUser(InviteUser { account: account.to_string() }))? {
        Response::Invite(invite) => invite,
        other => bail!("{other:?} is no invitation"),
    };
    let ticket = Ticket {
        account,
        code: invite.code.as_ref().try_into()?,
        fingerprint: *node.fingerprint(),
        endpoints: vec![node.address().to_string().parse()?],
        expires: invite.expires,
    };
    let client = Client::login(&place.join(name), &ticket).await?;
    // The session is made in the background.
    kit::until(&client, async || Ok(client.set_contact(Contact::Open).await.ok())).await?;
    Ok(client)
}

/// Everything that somebody sees in a room, oldest first.
async fn seen(client: &Client, room: RoomId) -> Result<Vec<String>> {
    let page = client.messages(room, Cursor { before: None, after: None, limit: 200 }).await?;
    let mut ids = BTreeSet::new();
    for message in &page.messages {
        ensure!(ids.insert(message.id), "{message:?} is there twice");
    }
    let text = |body: &MessageBody| match body {
        MessageBody::Text(text) => Some(text.clone()),
        _ => None,
    };
    Ok(page.messages.iter().filter_map(|message| text(&message.body)).collect())
}

async fn say(from: &Client, room: RoomId, text: &str) -> Result<()> {
    let sent = from.send(room, Outgoing::text(text)).await?;
    let said = tokio::time::timeout(PATIENCE, from.wait(sent, Level::Delivered)).await;
    said.with_context(|| format!("{text:?} does not arrive"))??;
    Ok(())
}

fn lose_and_restore(node: &mut Node, backup: &Path) -> Result<()> {
    node.kill()?;
    node.wipe()?;
    let output = node.comityd(&["restore", backup.to_str().context("a path")?])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    node.run()
}

// [ADMIN-32] [ROOM-40]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_goes_on_over_the_loss_of_either_domain() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (mut acme, mut umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
    pin_each_other(&acme, &umbrella)?;
    let alice = login(&acme, place.path(), "alice").await?;
    let bob = login(&umbrella, place.path(), "bob").await?;
    let room = alice.direct(&"bob@umbrella.test".parse()?).await?;
    say(&alice, room, "one").await?;
    say(&bob, room, "two").await?;
    let mut expected = vec!["one".to_owned(), "two".to_owned()];
    for round in 0..2 {
        let node = if round == 0 { &mut acme } else { &mut umbrella };
        let backup = place.path().join(format!("backup-{round}"));
        let output = node.comityd(&["backup", backup.to_str().context("a path")?])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (who, text) in [(&alice, "since the backup"), (&bob, "and more")] {
            say(who, room, text).await?;
            expected.push(text.to_owned());
        }
        let node = if round == 0 { &mut acme } else { &mut umbrella };
        lose_and_restore(node, &backup)?;
        for (who, text) in [(&bob, "after the loss"), (&alice, "it goes on")] {
            say(who, room, text).await?;
            expected.push(text.to_owned());
        }
        for client in [&alice, &bob] {
            assert_eq!(seen(client, room).await?, expected, "round {round}");
        }
    }
    // Both hand out key packages again.
    let third = alice.create_room("a third room", &["bob@umbrella.test".parse()?]).await?;
    let room = third.room;
    say(&alice, room, "with new key packages").await?;
    alice.close().await;
    bob.close().await;
    Ok(())
}

/// How often a client says in a room that its hub had lost it.
async fn losses(client: &Client, room: RoomId) -> Result<usize> {
    let page = client.messages(room, Cursor { before: None, after: None, limit: 200 }).await?;
    let lost = |body: &MessageBody| matches!(body, MessageBody::Changed { change: Change::Refounded, .. });
    Ok(page.messages.iter().filter(|message| lost(&message.body)).count())
}

/// Waits until a client shows these texts in a room.
async fn shows(client: &Client, room: RoomId, expected: &[&str]) -> Result<()> {
    let mut happenings = client.watch();
    let waited = tokio::time::timeout(PATIENCE, async {
        while seen(client, room).await? != expected {
            happenings.next().await.context("closed")?;
        }
        anyhow::Ok(())
    });
    let Ok(done) = waited.await else { bail!("{:?} instead of {expected:?}", seen(client, room).await?) };
    done
}

// [ROOM-41]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direct_room_that_its_only_node_has_lost_is_founded_anew() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut acme = Node::start("acme.test")?;
    let alice = login(&acme, place.path(), "alice").await?;
    let bob = login(&acme, place.path(), "bob").await?;
    let backup = place.path().join("backup");
    let output = acme.comityd(&["backup", backup.to_str().context("a path")?])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let room = alice.direct(&"bob@acme.test".parse()?).await?;
    let group = alice.create_room("ops", &["bob@acme.test".parse()?]).await?.room;
    say(&alice, room, "one").await?;
    say(&bob, room, "two").await?;
    // Bob is away: the node has ordered this and dies with it.
    let bobs = place.path().join("bob");
    bob.close().await;
    let sent = alice.send(room, Outgoing::text("three")).await?;
    tokio::time::timeout(PATIENCE, alice.wait(sent, Level::Ordered)).await??;
    lose_and_restore(&mut acme, &backup)?;
    // What is sent into the void meanwhile waits.
    let four = alice.send(room, Outgoing::text("four")).await?;
    let bob = Client::open(&bobs).await?;
    for sent in [sent, four] {
        let arrived = tokio::time::timeout(PATIENCE, alice.wait(sent, Level::Delivered)).await;
        arrived.context("it does not arrive")??;
    }
    say(&bob, room, "five").await?;
    for client in [&alice, &bob] {
        shows(client, room, &["one", "two", "three", "four", "five"]).await?;
        assert_eq!(losses(client, room).await?, 1);
        let rooms = client.rooms().await?;
        let direct = rooms.iter().find(|known| known.id == room).context("the room")?;
        assert_eq!((direct.standing, direct.problem), (Standing::Member, None));
        let lost = rooms.iter().find(|known| known.id == group).context("the group")?;
        assert_eq!((lost.standing, lost.problem), (Standing::Paused, Some(wire::ErrorCode::NotFound)));
    }
    let same = [alice.epoch_authenticator(room).await?, bob.epoch_authenticator(room).await?];
    ensure!(same[0].is_some() && same[0] == same[1], "they are in two groups");
    alice.close().await;
    bob.close().await;
    Ok(())
}
