//! What a change must pass, from the cheapest check to the dearest.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, bail};

use crate::run::{cargo, cargo_command, command, finish, note_skipped, say, skip, skipped, target, top};

const DENY_VERSION: &str = "0.20.2";
const FUZZ_VERSION: &str = "0.13.2";

pub(crate) fn run(fuzz_seconds: u32) -> anyhow::Result<()> {
    let started = Instant::now();
    step("packages of the system", packages)?;
    step("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step("lints", || {
        cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    })?;
    step("dependencies", dependencies)?;
    step("protocol for wasm32", wasm)?;
    step("packaging", crate::packaging::check)?;
    step("a Debian to install into", install_into)?;
    let mut count = step("tests", tests)?;
    if fuzz_seconds > 0 {
        count.passed += step("fuzzing", || fuzz(fuzz_seconds))?;
    }
    say(&format!("all steps passed in {} s", started.elapsed().as_secs()));
    say_skipped(&skipped());
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} passed, {} failed", count.passed, count.failed)?;
    Ok(())
}

/// What a green run did not look at stands beside what it did.
fn say_skipped(reasons: &[String]) {
    if !reasons.is_empty() {
        say(&format!("{} skipped:", reasons.len()));
        reasons.iter().for_each(|reason| say(&format!("   {reason}")));
    }
}

fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(&format!("── {name}"));
    let started = Instant::now();
    let done = work().with_context(|| name.to_owned())?;
    say(&format!("   {} s", started.elapsed().as_secs()));
    Ok(done)
}

/// What some tests need besides: a library that sets a process's clock, a terminal, shells, and who judges
/// packages and manual pages. Without them, and without the right to install them, those tests say that they are skipped.
fn packages() -> anyhow::Result<()> {
    const NEEDED: [(&str, &str); 6] = [
        ("libfaketime", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
        ("tmux", "/usr/bin/tmux"),
        ("lintian", "/usr/bin/lintian"),
        ("mandoc", "/usr/bin/mandoc"),
        ("zsh", "/usr/bin/zsh"),
        ("fish", "/usr/bin/fish"),
    ];
    for (package, file) in NEEDED {
        if !Path::new(file).exists() && !apt_install(&[package]) {
            skip(&format!("{package} cannot be installed here (apt-get install {package})"));
        }
    }
    Ok(())
}

/// What the test of the package needs; without it that test says that it is skipped.
fn install_into() -> anyhow::Result<()> {
    if crate::debian::base()?.is_some() {
        crate::dist::prepare()?;
    }
    Ok(())
}

/// Installs packages of Debian, where this user may. Whether they are there now.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    let quiet = |args: &[&str]| {
        let mut command = command("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    quiet(&install) || (quiet(&["update"]) && quiet(&install))
}

/// Licences, sources and bans of `deny.toml`. Advisories need a database from the network and are
/// checked where there is one: `cargo deny check advisories`.
fn dependencies() -> anyhow::Result<()> {
    let deny = tool("cargo-deny", DENY_VERSION)?;
    finish(
        command(deny).args(["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]),
        "cargo deny",
    )
}

/// Installs a cargo tool below the target folder, once.
pub(crate) fn tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let root = target().join("tools");
    let program = root.join("bin").join(name);
    let at_hand = Command::new(name).arg("--version").stderr(Stdio::null()).output();
    if at_hand.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(version)) {
        return Ok(name.into());
    }
    if !program.exists() {
        say(&format!("   installing {name} {version}"));
        // A target folder of its own inside ours keeps the registry's build out of the way of ours.
        finish(
            cargo_command()
                .args(["install", "--quiet", "--locked", "--version", version, name, "--root"])
                .arg(&root)
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_LTO", "false")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "false"),
            "cargo install",
        )?;
    }
    Ok(program)
}

/// The rules must build where there is no clock, socket or disk. `tls` cannot: its library holds C, and a
/// browser speaks TLS itself.
fn wasm() -> anyhow::Result<()> {
    let added =
        command("rustup").args(["target", "add", "wasm32-unknown-unknown"]).stderr(Stdio::null()).status();
    if !added.is_ok_and(|status| status.success()) {
        skip("rustup cannot add the target wasm32-unknown-unknown here");
        return Ok(());
    }
    let mut rules: Vec<String> = fs::read_dir(top().join("protocol"))?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            (path.join("Cargo.toml").exists() && !path.ends_with("tls"))
                .then(|| path.file_name()?.to_str().map(str::to_owned))?
        })
        .collect();
    rules.sort();
    let mut check = cargo_command();
    check.args(["check", "--quiet", "--locked", "--target", "wasm32-unknown-unknown"]);
    check.args(rules.iter().flat_map(|name| ["--package", name]));
    finish(&mut check, "cargo check for wasm32")
}

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
}

/// All tests, shown as they run, and how many there were.
fn tests() -> anyhow::Result<Count> {
    let mut child = cargo_command()
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let mut count = Count::default();
    let output = child.stdout.take().context("cargo test has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(std::io::stdout().lock(), "{line}")?;
        // Tests that run side by side may have a line in pieces.
        if let Some((_, reason)) = line.split_once("skipped: ") {
            note_skipped(reason);
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            count.passed += number_before(result, " passed");
            count.failed += number_before(result, " failed");
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo test failed: {} passed, {} failed", count.passed, count.failed);
    }
    if count.passed == 0 {
        bail!("no test ran");
    }
    Ok(count)
}

fn number_before(line: &str, word: &str) -> u64 {
    line.split(word)
        .next()
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Runs every fuzz target for some seconds; answers how many there were.
pub(crate) fn fuzz(seconds: u32) -> anyhow::Result<u64> {
    let folder = top().join("tests/fuzz");
    if !folder.join("Cargo.toml").exists() {
        bail!("tests/fuzz is missing");
    }
    let fuzz = tool("cargo-fuzz", FUZZ_VERSION)?;
    let mut targets: Vec<String> = fs::read_dir(folder.join("fuzz_targets"))?
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    targets.sort();
    for name in &targets {
        say(&format!("   {name}"));
        // A folder below the target keeps what a run finds; the corpus in the repository is read only.
        let found = target().join("fuzz-found").join(name);
        fs::create_dir_all(&found)?;
        finish(
            command(&fuzz)
                .args(["run", "--sanitizer", "none", "--fuzz-dir"])
                .arg(&folder)
                .arg(name)
                .arg(&found)
                .arg(folder.join("corpus").join(name))
                .args(["--", &format!("-max_total_time={seconds}"), "-rss_limit_mb=2048", "-verbosity=0"])
                .env_remove("CARGO_TARGET_DIR"),
            name,
        )?;
    }
    Ok(targets.len() as u64)
}
