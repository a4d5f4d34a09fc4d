//! What decides may not touch the world: `protocol/`, the rows of a store and the domain have no
//! clock, socket, disk, thread, environment or randomness of their own.

use crate::tree::{report, rust};

const PURE: &[&str] = &["protocol", "node/store", "node/domain"];

const BANNED: &[&str] = &[
    "std::net",
    "std::fs",
    "std::env",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "thread_rng",
    "OsRng",
    "getrandom::",
    "tokio::",
    "HashMap",
    "HashSet",
    "println!",
    "eprintln!",
];

/// Places where the word is needed, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("protocol/mls/src/provider.rs", "OsRng", "the provider's own source, replaced in the simulator"),
    ("protocol/mls/src/provider.rs", "HashMap", "a foreign type's public field"),
];

#[test]
fn what_decides_does_not_touch_the_world() {
    let mut offences = Vec::new();
    for file in rust() {
        if file.is_test() || !PURE.iter().any(|folder| file.is_in(folder)) || file.name() == "build.rs" {
            continue;
        }
        for (n, line) in file.product_lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            offences.extend(
                BANNED
                    .iter()
                    .filter(|word| line.contains(*word) && !excepted(&file.path, word))
                    .map(|word| format!("{}:{n} names {word}", file.path)),
            );
        }
    }
    report("pure crates take time, randomness and storage as arguments", &offences);
}

fn excepted(path: &str, word: &str) -> bool {
    EXCEPTIONS.iter().any(|(file, excepted, _)| *file == path && *excepted == word)
}

#[test]
fn only_one_file_of_a_program_reads_the_environment() {
    let homes = [
        "node/comityd/src/config/",
        "node/comityd/src/logging.rs",
        "cli/comity/src/context.rs",
        "cli/comity/src/command/demo/",
        "cli/comity/src/output/",
    ];
    let mut offences = Vec::new();
    for file in rust() {
        let product = file.is_in("node") || file.is_in("cli") || file.is_in("protocol");
        if file.is_test()
            || !product
            || file.name() == "build.rs"
            || homes.iter().any(|home| file.path.starts_with(home))
        {
            continue;
        }
        offences.extend(
            file.product_lines()
                .filter(|(_, line)| line.contains("env::var"))
                .map(|(n, _)| format!("{}:{n} reads the environment", file.path)),
        );
    }
    report("hidden inputs are read in one place", &offences);
}
