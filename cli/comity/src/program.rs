//! The program as its library: what a command line does, and what is said of the text of a file.

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

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
    let args = match Args::try_parse_from(asked_for_help(std::env::args_os().collect())) {
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

/// The text that a report to `comity bot hook` would post: the path that it came to, the header of a GitHub
/// webhook that names its event, and the body.
#[must_use]
pub fn check_report(path: &str, event: Option<&str>, body: &[u8]) -> Option<String> {
    command::bot::posted(path, event, body)
}

/// Whether a line of a program is an action for `comity bot run`.
#[must_use]
pub fn check_action(line: &str) -> bool {
    command::bot::is_action(line)
}

/// `comity help room invite` and `comity room help` mean `--help`; what a verb is given means nothing.
fn asked_for_help(mut words: Vec<OsString>) -> Vec<OsString> {
    let command = Args::command();
    let is_noun = |word: &OsString| {
        let noun = word.to_str().and_then(|word| command.find_subcommand(word));
        noun.is_some_and(clap::Command::has_subcommands)
    };
    let at = match words.as_slice() {
        [_, help, ..] if help == "help" => 1,
        [_, noun, help] if help == "help" && is_noun(noun) => 2,
        _ => return words,
    };
    words.remove(at);
    words.push("--help".into());
    words
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
        format!("{}\n", CliError::usage(sentence(&text)).hint("comity --help").json())
    } else {
        output::body_lines(&text).iter().map(|line| format!("{line}\n")).collect()
    };
    let _ = std::io::stderr().write_all(said.as_bytes());
    ExitCode::from(error::exit::USAGE)
}

/// What clap says up to the first empty line, in one: what is missing stands below the first line.
fn sentence(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches("error: ").lines().map(str::trim).collect();
    lines.split(|line| line.is_empty()).next().unwrap_or_default().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_asked_for_in_every_way_that_people_try() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        for (typed, meant) in [
            ("comity help", "comity --help"),
            ("comity help room invite", "comity room invite --help"),
            ("comity room help", "comity room --help"),
            ("comity send help", "comity send help"),
            ("comity send bob@acme.test help", "comity send bob@acme.test help"),
            ("comity room", "comity room"),
        ] {
            assert_eq!(asked_for_help(words(typed)), words(meant), "{typed}");
        }
    }

    #[test]
    fn a_sentence_of_json_names_all_that_is_missing() {
        let error = Args::try_parse_from(["comity", "send"]).expect_err("a word is missing");
        let told = sentence(&error.render().to_string());
        assert_eq!(told, "the following required arguments were not provided: <ROOM|ACCOUNT>");
    }
}
