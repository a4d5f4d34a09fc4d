//! Measures Comity and the limits of the machine in one run, and prints one table.
//!
//! `cargo xtask bench [ROWS] [--runs N]`: ROWS are letters of the rows wanted, such as `cdh`; every
//! figure is the median of N runs, 3 unless said otherwise. Nothing is compared with a figure from
//! another machine but Prosody's, which was measured on a 2-core machine of the kind that the table
//! names; the rows (h) say what this machine can do at best, in the same run.

mod alone;
mod clients;
mod cold_start;
mod connections;
mod figure;
mod large_room;
mod limit;
mod process;
mod stage;
mod table;

use std::{io::Write as _, process::ExitCode};

use anyhow::{Context as _, Result};
use table::Table;

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    match measure().await {
        Ok(table) => {
            let mut out = std::io::stdout().lock();
            match writeln!(out, "{table}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What to measure.
struct Plan {
    rows: String,
    runs: usize,
}

fn plan() -> Result<Plan> {
    let mut plan = Plan { rows: "abcdefgh".to_owned(), runs: 3 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => plan.runs = args.next().context("--runs needs a number")?.parse()?,
            rows if rows.chars().all(|row| "abcdefgh".contains(row)) => plan.rows = arg,
            other => anyhow::bail!("unknown argument {other}: rows are letters from a to h"),
        }
    }
    anyhow::ensure!(plan.runs > 0, "at least one run");
    Ok(plan)
}

async fn measure() -> Result<Table> {
    let plan = plan()?;
    let wants = |rows: &str| rows.chars().any(|row| plan.rows.contains(row));
    let mut table = Table::new(plan.runs);
    if wants("h") {
        say("limits of this machine (h)");
        limit::measure(&mut table, plan.runs).await.context("row h")?;
    }
    if wants("ab") {
        say("clients with real encryption (a, b)");
        clients::measure(&mut table, plan.runs).await.context("rows a and b")?;
    }
    if wants("ce") {
        say("the nodes alone (c, e)");
        alone::measure(&mut table, plan.runs).await.context("rows c and e")?;
    }
    if wants("d") {
        say("a room of 50 (d)");
        large_room::measure(&mut table, plan.runs).await.context("row d")?;
    }
    if wants("f") {
        say("idle connections (f)");
        connections::measure(&mut table, plan.runs).await.context("row f")?;
    }
    if wants("g") {
        say("cold start (g)");
        cold_start::measure(&mut table, plan.runs).context("row g")?;
    }
    Ok(table)
}

/// One line to the person who waits.
fn say(line: &str) {
    // A closed terminal is no reason to stop measuring.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
