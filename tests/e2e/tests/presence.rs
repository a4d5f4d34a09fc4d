//! Who is here: told to fellows of one domain who show themselves, and to nobody else.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::Office;
use kit::{Node, Talker, group_talk, has_terminal, pin_each_other};
use wire::{
    ErrorCode,
    proto::{Presence, ShowPresence, client_request::Request, entry, node_frame},
};

/// A domain whose administrator wants presence, or does not say.
fn node(domain: &str, presence: Option<&str>) -> Result<Node> {
    let mut node = Node::init(domain)?;
    if let Some(presence) = presence {
        node.set_env("COMITY_PRESENCE", presence);
    }
    node.run()?;
    Ok(node)
}

async fn show(talker: &mut Talker, shown: bool) -> Result<()> {
    talker.device.request(Request::ShowPresence(ShowPresence { shown })).await.map(|_| ())
}

/// Waits for what a session is told of who came or went; other entries are passed over.
async fn told(talker: &mut Talker) -> Result<Presence> {
    loop {
        let node_frame::Frame::Page(page) = talker.device.next().await? else { continue };
        for entry in page.entries {
            if let Some(entry::Entry::Presence(presence)) = entry.entry {
                ensure!(entry.position == 0, "presence is never stored");
                return Ok(presence);
            }
        }
    }
}

/// Whatever the session has been told until now, by an answer that comes after it.
async fn told_nothing(talker: &mut Talker) -> Result<()> {
    let request = Request::PeerStates(wire::proto::PeerStatesRequest { domains: Vec::new() });
    let number = talker.device.send_request(request).await?;
    loop {
        match talker.device.next().await? {
            node_frame::Frame::Response(response) if response.id == number => return Ok(()),
            node_frame::Frame::Page(page) => {
                let presence =
                    |entry: &wire::proto::Entry| matches!(entry.entry, Some(entry::Entry::Presence(_)));
                if let Some(entry) = page.entries.iter().find(|entry| presence(entry)) {
                    bail!("{} was told {entry:?}", talker.account());
                }
            }
            _ => {}
        }
    }
}

fn presence(account: &str, here: bool) -> Presence {
    Presence { account: account.to_owned(), here }
}

// [SYNC-32] [SYNC-33]
#[tokio::test(flavor = "multi_thread")]
async fn fellows_see_each_other_and_nobody_else_sees_anything() -> Result<()> {
    let acme = node("acme.test", Some("domain"))?;
    let umbrella = node("umbrella.test", Some("domain"))?;
    pin_each_other(&acme, &umbrella)?;
    let mut alice = Talker::enrol(&acme, "alice").await?;
    let mut carol = Talker::enrol(&acme, "carol").await?;
    let mut dave = Talker::enrol(&acme, "dave").await?;
    let mut erin = Talker::enrol(&acme, "erin").await?;
    let mut bob = Talker::enrol(&umbrella, "bob").await?;
    // Dave is in no room with them; erin is, and does not show herself.
    group_talk(&mut alice, &mut [&mut carol, &mut bob, &mut erin]).await?;

    for talker in [&mut alice, &mut dave, &mut bob] {
        show(talker, true).await?;
    }
    show(&mut carol, true).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", true));
    ensure!(told(&mut carol).await? == presence("alice@acme.test", true));
    // Gone, and back: by a session that ends, and by one that hides.
    show(&mut carol, false).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", false));
    show(&mut carol, true).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", true));
    carol.reconnect(&acme).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", false), "no session shows by itself");
    show(&mut carol, true).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", true));

    // A fellow of a new room is told of both.
    group_talk(&mut dave, &mut [&mut carol]).await?;
    ensure!(told(&mut dave).await? == presence("carol@acme.test", true));

    // By now everybody has been told everything.
    for talker in [&mut bob, &mut erin] {
        told_nothing(talker).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_does_not_say_so_tells_nothing() -> Result<()> {
    let acme = node("acme.test", None)?;
    let mut alice = Talker::enrol(&acme, "alice").await?;
    let refused = alice.device.refused(Request::ShowPresence(ShowPresence { shown: true })).await?;
    ensure!(refused == ErrorCode::Policy, "{refused}");
    Ok(())
}

// [SYNC-33]
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_and_goes_again_and_again_is_told_once() -> Result<()> {
    let acme = node("acme.test", Some("domain"))?;
    let mut alice = Talker::enrol(&acme, "alice").await?;
    let mut carol = Talker::enrol(&acme, "carol").await?;
    group_talk(&mut alice, &mut [&mut carol]).await?;
    show(&mut alice, true).await?;
    show(&mut carol, true).await?;
    ensure!(told(&mut alice).await? == presence("carol@acme.test", true));
    for _ in 0..20 {
        show(&mut carol, false).await?;
        show(&mut carol, true).await?;
    }
    // Of all this alice hears nothing, or what became of it at last.
    show(&mut carol, false).await?;
    let mut heard = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), told(&mut alice)).await;
        heard.push(next.context("nothing is told")??);
        if heard.last() == Some(&presence("carol@acme.test", false)) {
            break;
        }
    }
    ensure!(heard.len() < 10, "{heard:?}");
    Ok(())
}

#[test]
fn the_terminal_client_shows_it_unless_its_user_does_not_want_to() -> Result<()> {
    if !has_terminal() {
        return Ok(());
    }
    let mut office = Office::open(&["alice", "carol"], &[])?;
    office.acme.stop()?;
    office.acme.set_env("COMITY_PRESENCE", "domain");
    office.acme.run()?;
    office.comity("alice", &["send", "carol@acme.test", "hello", "--wait", "ordered"])?;
    let alice = office.sit_down("alice", 100, 24, "")?;
    alice.wait_for("carol@acme.test")?;
    office.comity("carol", &["config", "set", "presence", "off"])?;
    let hidden = office.sit_down("carol", 100, 24, "")?;
    hidden.wait_for("alice@acme.test")?;
    ensure!(!hidden.screen()?.contains("● alice@acme"), "whoever hides sees nobody");
    hidden.press(&["C-q"])?;
    hidden.wait_for("ready>")?;
    ensure!(!alice.screen()?.contains("● carol@acme"), "carol did not want to be seen");
    office.comity("carol", &["config", "unset", "presence"])?;
    let carol = office.sit_down("carol", 100, 24, "")?;
    alice.wait_for("● carol@acme")?;
    carol.wait_for("● alice@acme")?;
    carol.press(&["C-q"])?;
    alice.wait_until("carol is gone", |screen| !screen.contains("● carol@acme"))?;
    Ok(())
}
