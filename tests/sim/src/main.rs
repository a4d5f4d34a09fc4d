//! Plays random runs from the command line: `--seeds N` plays that many, `--from N` begins later,
//! `--seed N` plays one and prints what happened.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = number("--seed") {
        let run = sim::workload::run_with(seed, arguments.iter().any(|argument| argument == "--verbose"));
        for line in &run.world.history.trace {
            say(line);
        }
        for broken in &run.broken {
            say(&format!("BROKEN {broken}"));
        }
        return if run.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (from, count) = (number("--from").unwrap_or(0), number("--seeds").unwrap_or(200));
    let failed = sim::workload::many(from, count, say);
    say(&format!("{count} seeds, {} failed", failed.len()));
    for (seed, broken) in &failed {
        say(&format!("seed {seed}: {}", broken.join("; ")));
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "this is a program of the command line")]
fn say(line: &str) {
    println!("{line}");
}
