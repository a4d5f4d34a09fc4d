//! The program as its library: what a command line does, and what is said of the text of a file.

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::Args,
    command, config,
    context::Context,
    error::{self, CliError},
    output,
};

/// The program: does what the command line of this process says.
#[must_use]
pub fn main() -> ExitCode {
    // No core dump and no other program of this user reads the keys out of the memory. Where the
    // system has no such thing, nothing is lost.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let context = Context::new(&args.global);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::bug("cannot start the runtime").cause(error.to_string()))
        .and_then(|runtime| {
            let outcome = runtime.block_on(command::run(&context, args.command));
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.report(&error);
            ExitCode::from(error.exit())
        }
    }
}

/// What is wrong with the text of the client's settings, each fault with its place.
#[must_use]
pub fn check_settings(text: &str) -> Vec<String> {
    config::File::parse(text, "config.toml").1.iter().map(ToString::to_string).collect()
}

/// Help and version are results; anything else that clap says is a usage error, in JSON if the
/// command line asks for it.
fn usage(error: &clap::Error) -> ExitCode {
    use std::io::Write as _;
    if !error.use_stderr() {
        let printed = error.print();
        return ExitCode::from(if printed.is_ok() { error::exit::DONE } else { error::exit::PIPE });
    }
    let asked_for_json = std::env::args().any(|arg| arg == "--json" || arg.starts_with("--json="));
    // It repeats what was typed, which may have been pasted from anywhere.
    let text = error.render().to_string();
    let said = if asked_for_json {
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
        format!("{}\n", CliError::usage(message).hint("comity --help").json())
    } else {
        output::body_lines(&text).iter().map(|line| format!("{line}\n")).collect()
    };
    let _ = std::io::stderr().write_all(said.as_bytes());
    ExitCode::from(error::exit::USAGE)
}
