//! The nodes alone: messages encrypted beforehand by real members, and readers that do not decrypt.

use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    figure::{median, percentile},
    process::{cpu_seconds, database_bytes, loopback_bytes},
    stage::{Pair, Stage},
    table::Table,
};

/// Messages of a run, over all pairs. A device may submit no more at a stretch than its burst.
const MESSAGES: usize = 12_000;
const MESSAGES_OF_ONE: usize = 3_500;
const PAIRS: usize = 10;

/// What one run gives, for each message where it says so.
struct Run {
    per_second: f64,
    cpu_per_thousand: f64,
    wire_bytes: f64,
    disk_bytes: f64,
}

pub(crate) async fn measure(table: &mut Table, runs: usize) -> Result<()> {
    let (mut one, mut ten) = (Vec::new(), Vec::new());
    let mut latencies = (Vec::new(), Vec::new());
    for _ in 0..runs {
        one.push(run(1, MESSAGES_OF_ONE).await?);
        ten.push(run(PAIRS, MESSAGES / PAIRS).await?);
        let times = latency().await?;
        latencies.0.push(percentile(&times, 0.5));
        latencies.1.push(percentile(&times, 0.99));
    }
    let of = |runs: &[Run], figure: fn(&Run) -> f64| median(&runs.iter().map(figure).collect::<Vec<_>>());
    let not_decrypted = "encrypted beforehand, not decrypted; measuring takes its share of the cores";
    table.add('c', "nodes alone, 1 pair", (of(&one, |run| run.per_second), "msg/s"), ["", "", not_decrypted]);
    table.add(
        'c',
        "nodes alone, 10 pairs",
        (of(&ten, |run| run.per_second), "msg/s"),
        ["over 4,130 (5x)", "826", not_decrypted],
    );
    table.add(
        'c',
        "nodes alone, latency at 20 msg/s, p50",
        (median(&latencies.0), "ms"),
        ["under 4.7", "4.7", "submitted to pushed to the other domain's device"],
    );
    table.add('c', "nodes alone, latency at 20 msg/s, p99", (median(&latencies.1), "ms"), ["", "", ""]);
    table.add(
        'e',
        "server CPU for 1,000 messages, 10 pairs",
        (of(&ten, |run| run.cpu_per_thousand), "s"),
        ["under 0.44 (1/5)", "2.2", "both nodes, in the run of (c)"],
    );
    table.add(
        'e',
        "bytes on disk for a message, both nodes",
        (of(&ten, |run| run.disk_bytes), "B"),
        ["under 1,270", "1,270", "databases after the run, less those before it"],
    );
    table.add(
        'e',
        "bytes on the wire for a message, all hops",
        (of(&ten, |run| run.wire_bytes), "B"),
        ["", "", "loopback: clients and federation, acknowledgements and UDP headers included"],
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
async fn run(pairs: usize, messages: usize) -> Result<Run> {
    let mut stage = Stage::start()?;
    let mut made = Vec::new();
    for number in 0..pairs {
        made.push(Pair::make(&stage, number).await?);
    }
    // Sizes can be read only from databases whose log is merged.
    stage.acme.stop()?;
    stage.umbrella.stop()?;
    let disk_before = database_bytes(&stage.acme)? + database_bytes(&stage.umbrella)?;
    stage.acme.run()?;
    stage.umbrella.run()?;
    let mut ready = Vec::new();
    for (number, (mut pair, mut voice)) in made.into_iter().enumerate() {
        let (of_sender, of_reader) = if number.is_multiple_of(2) {
            (&stage.acme, &stage.umbrella)
        } else {
            (&stage.umbrella, &stage.acme)
        };
        pair.sender.reconnect(of_sender).await?;
        pair.reader.reconnect(of_reader).await?;
        // The link between the nodes is up and rooms are loaded before the clock runs.
        pair.prepare(&mut voice, 10)?;
        pair.send_all().await?;
        pair.prepare(&mut voice, messages)?;
        ready.push(pair);
    }
    let cpu = |stage: &Stage| anyhow::Ok(cpu_seconds(&stage.acme)? + cpu_seconds(&stage.umbrella)?);
    let (cpu_before, wire_before) = (cpu(&stage)?, loopback_bytes()?);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut pair in ready {
        tasks.spawn(async move { pair.send_all().await.map(|_| pair) });
    }
    let mut done = Vec::new();
    while let Some(pair) = tasks.join_next().await {
        done.push(pair??);
    }
    let seconds = start.elapsed().as_secs_f64();
    let count = (pairs * messages) as f64;
    let (cpu_after, wire_after) = (cpu(&stage)?, loopback_bytes()?);
    drop(done);
    stage.acme.stop()?;
    stage.umbrella.stop()?;
    let disk_after = database_bytes(&stage.acme)? + database_bytes(&stage.umbrella)?;
    Ok(Run {
        per_second: count / seconds,
        cpu_per_thousand: (cpu_after - cpu_before) * 1000.0 / count,
        wire_bytes: (wire_after - wire_before) / count,
        disk_bytes: (disk_after - disk_before) / count,
    })
}

/// Milliseconds from submitting to being pushed to the other domain's device, at a low rate.
async fn latency() -> Result<Vec<f64>> {
    let stage = Stage::start()?;
    let (mut pair, mut voice) = Pair::make(&stage, 1).await?;
    let mut times = Vec::new();
    for _ in 0..100 {
        pair.prepare(&mut voice, 1)?;
        let start = Instant::now();
        let arrived = pair.send_all().await?;
        times.push((arrived - start).as_secs_f64() * 1000.0);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(times)
}
