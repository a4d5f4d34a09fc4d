//! SIGKILL of each role under load: nothing acknowledged is lost, doubled or reordered.
#![expect(clippy::print_stderr, reason = "a long test says what it did")]

use anyhow::{Context as _, Result, ensure};
use e2e::{Conversation, Pipe};
use machine::Seeded;

/// How often each role is killed: `COMITY_E2E_ROUNDS`, else 50.
fn rounds() -> u64 {
    std::env::var("COMITY_E2E_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(50)
}

/// A source of waits that says how to get the same ones again.
fn random() -> Seeded {
    let seed = std::env::var("COMITY_E2E_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("COMITY_E2E_SEED={seed} waits as long between the faults again");
    Seeded::new(seed)
}

/// Kills nodes at random moments, then checks everything that was said.
async fn killing(kill: impl AsyncFn(&mut Conversation) -> Result<()>) -> Result<()> {
    let mut conversation = Conversation::start().await?;
    let mut random = random();
    conversation.talk_until_heard().await.context("without any fault")?;
    let before = conversation.told();
    for _ in 0..rounds() {
        kill(&mut conversation).await?;
        conversation.talk(50 + random.below(400)).await?;
    }
    let at_the_end = conversation.told();
    let told = conversation.end().await?;
    eprintln!("{} rounds, {at_the_end:?} when they ended, {told:?} at last", rounds());
    ensure!(told.acknowledged > before.acknowledged, "nothing was said between the faults");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_senders_home_is_killed() -> Result<()> {
    killing(async |conversation| {
        conversation.home.kill()?;
        conversation.home.run()?;
        conversation.sender_returns().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_is_killed() -> Result<()> {
    killing(async |conversation| {
        conversation.hub.kill()?;
        conversation.hub.run()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_follower_is_killed() -> Result<()> {
    killing(async |conversation| {
        conversation.follower.kill()?;
        conversation.follower.run()?;
        conversation.reader_returns().await
    })
    .await
}

/// The programs of people: those who pipe in and those who read out, at any moment, also while they
/// start, and with the sender's node too, so that what was sent last is lost. Whoever starts again is where
/// the last one was.
#[test]
fn a_client_is_killed() -> Result<()> {
    let mut pipe = Pipe::start()?;
    let mut random = random();
    pipe.flow_until(1).context("without any fault")?;
    let before = pipe.piped();
    let mut kept = 0;
    for _ in 0..rounds() {
        pipe.flow(random.below(400))?;
        let who = random.below(4);
        if who == 3 {
            pipe.lose_the_home(random.below(100))?;
        } else if who != 0 {
            pipe.kill_reader()?;
            pipe.run_reader()?;
        }
        if who != 1 {
            pipe.kill_sender()?;
            if who == 3 {
                pipe.find_the_home()?;
            }
            kept += pipe.look_and_go_on()?;
            pipe.run_sender()?;
        }
    }
    let at_the_end = pipe.piped();
    let piped = pipe.end()?;
    eprintln!("{} rounds, {at_the_end:?} when they ended, {piped:?} at last", rounds());
    eprintln!("{kept} lines were on disk and not acknowledged when their program was killed");
    ensure!(piped.acknowledged > before.acknowledged, "nothing was said between the faults");
    Ok(())
}
