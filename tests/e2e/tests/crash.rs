//! SIGKILL of each role under load: nothing acknowledged is lost, doubled or reordered.
#![expect(clippy::print_stderr, reason = "a long test says what it did")]

use anyhow::{Context as _, Result, ensure};
use e2e::Conversation;
use machine::Seeded;

/// How often each role is killed: `COMITY_E2E_ROUNDS`, else 50.
fn rounds() -> u64 {
    std::env::var("COMITY_E2E_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(50)
}

/// Kills nodes at random moments, then checks everything that was said.
async fn killing(kill: impl AsyncFn(&mut Conversation) -> Result<()>) -> Result<()> {
    let mut conversation = Conversation::start().await?;
    let seed = std::env::var("COMITY_E2E_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("COMITY_E2E_SEED={seed} waits as long between the faults again");
    let mut random = Seeded::new(seed);
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
