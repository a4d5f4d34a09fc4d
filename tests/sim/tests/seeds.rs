//! Random runs: as many as `SIM_SEEDS` says, 200 by default.

use std::env;

use sim::workload;

#[test]
fn every_promise_holds_in_random_runs() {
    let count = env::var("SIM_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let failed = workload::many(0, count, |_| {});
    let told: Vec<String> =
        failed.iter().map(|(seed, broken)| format!("seed {seed}: {}", broken.join("; "))).collect();
    assert!(told.is_empty(), "replay with `cargo run -p sim -- --seed N`\n{}", told.join("\n"));
}

/// What is decided in a run depends on its seed alone. (The bytes of HPKE ciphertexts do not: their
/// ephemeral keys are the operating system's.)
#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 2, 3] {
        let trace = |seed| workload::run(seed).world.history.trace;
        assert_eq!(trace(seed), trace(seed));
    }
}
