//! A room of 50 accounts, half in each domain.

use std::time::Instant;

use anyhow::{Context as _, Result};
use kit::{Talker, Voice, group_talk};
use tokio::task::JoinSet;
use wire::proto::Submission;

use crate::{
    figure::median,
    stage::{Stage, content, messages, send},
    table::Table,
};

const ACCOUNTS: usize = 50;
const SPEAKERS: usize = 4;
const MESSAGES: usize = 600;

pub(crate) async fn measure(table: &mut Table, runs: usize) -> Result<()> {
    let mut rates = Vec::new();
    for _ in 0..runs {
        rates.push(run().await?);
    }
    table.add(
        'd',
        "room of 50, deliveries",
        (median(&rates), "/s"),
        ["", "1,900", "4 speak, two of each domain; the speaker's own copy counts; not decrypted"],
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
async fn run() -> Result<f64> {
    let stage = Stage::start()?;
    let mut talkers = Vec::new();
    for number in 0..ACCOUNTS {
        let node = if number.is_multiple_of(2) { &stage.acme } else { &stage.umbrella };
        talkers.push(Talker::enrol(node, &format!("p{number}")).await?);
    }
    let (founder, others) = talkers.split_first_mut().context("a founder")?;
    let mut others: Vec<&mut Talker> = others.iter_mut().collect();
    let voices = group_talk(founder, &mut others).await?;
    let mut tasks = JoinSet::new();
    let mut prepared = Vec::new();
    for (index, (talker, mut voice)) in talkers.into_iter().zip(voices).enumerate() {
        let said = if index < SPEAKERS { prepare(&talker, &mut voice)? } else { Vec::new() };
        prepared.push((talker, said));
    }
    let start = Instant::now();
    for (talker, said) in prepared {
        tasks.spawn(take_part(talker, said));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let deliveries = MESSAGES * ACCOUNTS;
    Ok(deliveries as f64 / start.elapsed().as_secs_f64())
}

fn prepare(talker: &Talker, voice: &mut Voice) -> Result<Vec<Submission>> {
    let content = content()?;
    (0..MESSAGES / SPEAKERS).map(|_| voice.say(talker, &content)).collect()
}

/// Says what it has to say and hears everything that is said.
async fn take_part(mut talker: Talker, said: Vec<Submission>) -> Result<Talker> {
    let mut heard = 0;
    if !said.is_empty() {
        heard += send(&mut talker, said).await?;
    }
    while heard < MESSAGES {
        heard += messages(&talker.hear().await?).count();
    }
    Ok(talker)
}
