//! The repository's automation: `cargo demo`, `cargo ci`, `cargo xtask …`.

mod ci;
mod debian;
mod dist;
mod packaging;
mod readme;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, shows, tests and measures Comity.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build both programs in release and let two organisations chat
    Demo {
        /// Passed on to `comity demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that must pass before a change is taken
    Ci {
        /// Seconds for each fuzz target; 0 leaves fuzzing out
        #[arg(long, default_value_t = 5)]
        fuzz_seconds: u32,
    },
    /// Measure, and print one table
    Bench {
        /// Passed on to the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Write spec/vectors again from the code
    Vectors,
    /// Play the demo and write what it prints into README.md
    Readme,
    /// Play a scene on real terminals and draw what stands there: cli/tui/screenshot.svg
    Screenshot,
    /// Build the Debian package, and print where it is
    Dist {
        /// Of the binaries that tests use, quickly packed
        #[arg(long)]
        dev: bool,
        /// The version of the package, in place of the workspace's
        #[arg(long = "deb-version", value_name = "VERSION")]
        version: Option<String>,
    },
    /// Install the package on two small Debian machines and follow the administrator's guide there
    Guide {
        /// Of the binaries that tests use, instead of a release
        #[arg(long)]
        dev: bool,
    },
    /// Run the simulator over many seeds
    Sim {
        /// Passed on to the simulator
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Fuzz every decoder
    Fuzz {
        /// Seconds for each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Demo { args } => run::demo(&args),
        Command::Ci { fuzz_seconds } => ci::run(fuzz_seconds),
        Command::Bench { args } => run::bench(&args),
        Command::Vectors => run::cargo(&["run", "--quiet", "--package", "vectors"]),
        Command::Readme => readme::record(),
        Command::Screenshot => run::cargo(&["run", "--quiet", "--bin", "screenshot"]),
        Command::Dist { dev, version } => {
            dist::dist(dev, version.as_deref()).and_then(|path| run::print(&path))
        }
        Command::Guide { dev } => dist::guide(dev),
        Command::Sim { args } => run::sim(&args),
        Command::Fuzz { seconds } => ci::fuzz(seconds).map(|_| ()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
