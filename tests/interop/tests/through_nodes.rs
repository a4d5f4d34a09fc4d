//! A device that runs mls-rs, in a room with devices of ours, through the real nodes of two domains.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use client::{Client, Happening, MessageBody, Outgoing, Ticket};
use interop::{Visitor, stranger};
use kit::{Node, pin_each_other};
use machine::Timestamp;
use mls_rs::client_builder::MlsConfig;
use tempfile::TempDir;

/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device of ours, caught up, whose account takes every invitation.
async fn login(node: &Node, home: &TempDir, name: &str) -> Result<Client> {
    let account = format!("{name}@{}", node.domain()).parse()?;
    let ticket = Ticket {
        code: node.invite(&account)?,
        fingerprint: *node.fingerprint(),
        endpoints: vec![node.address().to_string().parse()?],
        expires: Timestamp::from_ms(u64::MAX).as_s(),
        account,
    };
    let client = Client::login(&home.path().join(name), &ticket).await?;
    let mut happenings = client.watch();
    while !client.status().await?.caught_up {
        happenings.next().await.context("the device was closed")?;
    }
    client.set_contact(client::Contact::Open).await?;
    Ok(client)
}

/// Waits until the visitor and all of these have one epoch authenticator.
async fn agree<C: MlsConfig>(visitor: &mut Visitor<C>, clients: &[&Client]) -> Result<u64> {
    let (room, end) = (visitor.room()?, Instant::now() + PATIENCE);
    loop {
        let own = Some(visitor.epoch_authenticator()?);
        let mut differ = 0;
        for client in clients {
            differ += usize::from(client.epoch_authenticator(room).await? != own);
        }
        if differ == 0 {
            return visitor.epoch();
        }
        ensure!(Instant::now() < end, "{differ} others are in another group");
        visitor.hear_for(Duration::from_millis(20)).await?;
    }
}

/// Waits until a device of ours is told this.
async fn reads(happenings: &mut client::Happenings, text: &str) -> Result<()> {
    let reading = async {
        while let Some(happening) = happenings.next().await {
            if let Happening::Message(message) = happening
                && matches!(&message.body, MessageBody::Text(read) if read == text)
            {
                return Ok(());
            }
        }
        anyhow::bail!("the device was closed")
    };
    tokio::time::timeout(PATIENCE, reading).await.with_context(|| format!("nobody reads {text:?}"))?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_lives_in_a_room_of_real_nodes() -> Result<()> {
    let (acme, umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
    pin_each_other(&acme, &umbrella)?;
    let home = tempfile::tempdir()?;
    let alice = login(&acme, &home, "alice").await?;
    let bob = login(&acme, &home, "bob").await?;
    let (mut alice_told, mut bob_told) = (alice.watch(), bob.watch());
    let mut visitor = Visitor::enrol(&umbrella, "victor", stranger).await?;

    let made = alice.create_room("strangers", &[visitor.account().clone()]).await?;
    ensure!(made.refused.is_empty(), "{:?}", made.refused);
    visitor.until("it is in the room", |visitor| visitor.room().is_ok()).await?;
    ensure!(visitor.room()? == made.room, "another room");
    let joined = agree(&mut visitor, &[&alice]).await?;

    alice.send(made.room, Outgoing::text("welcome")).await?;
    visitor.until("it reads", |visitor| visitor.has_heard("welcome")).await?;
    visitor.say("thank you").await?;
    reads(&mut alice_told, "thank you").await?;

    visitor.commit(&[]).await?;
    let renewed = agree(&mut visitor, &[&alice]).await?;
    ensure!(renewed > joined, "its leaf was not renewed");

    alice.set_admin(made.room, visitor.account(), true).await?;
    let promoted = agree(&mut visitor, &[&alice]).await?;
    ensure!(promoted > renewed, "the state of the room did not change");

    visitor.commit(&[&"bob@acme.test".parse()?]).await?;
    let grown = agree(&mut visitor, &[&alice, &bob]).await?;
    ensure!(grown > promoted, "bob was not added");
    bob.send(made.room, Outgoing::text("who is this?")).await?;
    visitor.until("it reads bob", |visitor| visitor.has_heard("who is this?")).await?;
    visitor.say("a stranger").await?;
    reads(&mut bob_told, "a stranger").await?;
    agree(&mut visitor, &[&alice, &bob]).await?;

    alice.remove(made.room, visitor.account()).await?;
    visitor.until("it is removed", Visitor::is_removed).await?;
    let refused = visitor.say("still here").await;
    ensure!(refused.is_err(), "who was removed speaks still");
    alice.send(made.room, Outgoing::text("among us")).await?;
    reads(&mut bob_told, "among us").await?;
    ensure!(!visitor.has_heard("among us"), "who was removed reads still");
    Ok(())
}
