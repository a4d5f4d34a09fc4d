//! `comity util`: completion for shells, manual pages and tables for scripts.

mod completion;
mod fields;
mod man;
mod names;

use clap::CommandFactory as _;

use crate::{
    args::Args,
    context::Context,
    error::{CliError, exit},
    examples::{self, Example},
    output::{Label, List, Paper, Row, Show},
};

const EXIT_CODES: &[Example] = &[Example("What did 8 mean?", "comity util exit-codes")];
const ERRORS: &[Example] = &[
    Example("What a script may meet", "comity util errors"),
    Example("Which of them are worth another try", "comity util errors --json=name,retryable"),
];
const REFERENCE: &[Example] = &[
    Example("Everything in one text", "comity util reference"),
    Example(
        "For a program: one line to a verb, with its arguments and fields",
        "comity util reference --json",
    ),
];

/// Columns of the reference, so that it is the same everywhere.
const WIDTH: usize = 100;

/// The verbs for shells and scripts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Completion(completion::Args),
    Names(names::Args),
    Man(man::Args),
    /// Print what each exit code says
    #[command(after_help = examples::help(EXIT_CODES))]
    ExitCodes,
    /// Print every error of the protocol with its number and exit code
    #[command(after_help = examples::help(ERRORS))]
    Errors,
    /// Print the help of every verb
    #[command(after_help = examples::help(REFERENCE))]
    Reference,
}

/// An exit code.
#[derive(Debug, serde::Serialize)]
struct ExitCode {
    code: u8,
    meaning: &'static str,
}

impl Row for ExitCode {
    const FIELDS: &'static [&'static str] = &["code", "meaning"];
    const COLUMNS: &'static [&'static str] = &["CODE", "MEANING"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![(Label::Id, self.code.to_string()), (Label::Heading, self.meaning.to_owned())]
    }
}

/// An error of the protocol.
#[derive(Debug, serde::Serialize)]
struct ProtocolError {
    name: &'static str,
    number: u32,
    exit: u8,
    retryable: bool,
    meaning: &'static str,
    hint: &'static str,
}

impl Row for ProtocolError {
    const FIELDS: &'static [&'static str] = &["name", "number", "exit", "retryable", "meaning", "hint"];
    const COLUMNS: &'static [&'static str] = &["NAME", "NUMBER", "EXIT", "RETRY", "MEANING"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let retry = if self.retryable { "yes" } else { "no" };
        vec![
            (Label::Heading, self.name.to_owned()),
            (Label::Id, format!("{:#x}", self.number)),
            (Label::Dim, self.exit.to_string()),
            (Label::Dim, retry.to_owned()),
            (Label::Dim, self.meaning.to_owned()),
        ]
    }
}

/// The help of a noun or a verb.
#[derive(Debug, serde::Serialize)]
struct Page {
    command: String,
    about: String,
    arguments: Vec<Argument>,
    fields: &'static [&'static str],
    help: String,
}

/// An argument or a flag.
#[derive(Debug, serde::Serialize)]
struct Argument {
    name: String,
    value: Option<String>,
    required: bool,
    about: String,
}

impl Argument {
    fn of(arg: &clap::Arg) -> Self {
        let value = arg.get_action().takes_values().then(|| {
            let names = arg.get_value_names().unwrap_or_default();
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        Self {
            name: long.or(short).or_else(|| value.clone()).unwrap_or_default(),
            value,
            required: arg.is_required_set(),
            about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

impl Show for Page {
    const FIELDS: &'static [&'static str] = &["command", "about", "arguments", "fields", "help"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!("==== {}\n\n{}", self.command, self.help));
    }
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Completion(args) => completion::run(context, &args),
        Verb::Names(args) => names::run(context, args).await,
        Verb::Man(args) => man::run(context, &args),
        Verb::Reference => {
            context.check_fields(Page::FIELDS)?;
            let mut pages = Vec::new();
            reference(&mut Args::command().term_width(WIDTH), "", &mut pages);
            pages.iter().try_for_each(|page| context.show(page))
        }
        Verb::ExitCodes => {
            context.check_fields(ExitCode::FIELDS)?;
            let rows = exit::ALL.iter().map(|(code, meaning)| ExitCode { code: *code, meaning }).collect();
            context.list(&List { rows, empty: "" })
        }
        Verb::Errors => {
            context.check_fields(ProtocolError::FIELDS)?;
            let row = |code: &client::ErrorCode| ProtocolError {
                name: code.name(),
                number: code.code(),
                exit: code.exit(),
                retryable: code.retryable(),
                meaning: code.meaning(),
                hint: code.hint(),
            };
            let rows = client::ErrorCode::ALL.iter().map(row).collect();
            context.list(&List { rows, empty: "" })
        }
    }
}

/// The help of a command and of those below it.
fn reference(command: &mut clap::Command, above: &str, pages: &mut Vec<Page>) {
    let name = format!("{above}{}", command.get_name());
    pages.push(Page {
        about: command.get_about().map(ToString::to_string).unwrap_or_default(),
        arguments: command.get_arguments().filter(|arg| !arg.is_hide_set()).map(Argument::of).collect(),
        fields: fields::of(name.split_once(' ').map_or("", |(_, verb)| verb)),
        help: command.clone().bin_name(&name).render_long_help().to_string(),
        command: name.clone(),
    });
    for inner in command.get_subcommands_mut() {
        reference(&mut inner.clone().term_width(WIDTH), &format!("{name} "), pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    /// All verbs, each with its name.
    fn leaves(command: &clap::Command, above: &str) -> Vec<(String, clap::Command)> {
        let name = format!("{above} {}", command.get_name());
        if !command.has_subcommands() {
            return vec![(name, command.clone())];
        }
        command.get_subcommands().flat_map(|inner| leaves(inner, &name)).collect()
    }

    #[test]
    fn every_verb_opens_with_an_order_and_has_an_example() {
        let verbs = leaves(&Args::command(), "");
        assert!(verbs.len() > 20, "{}", verbs.len());
        for (name, command) in verbs {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(
                about.starts_with(|c: char| c.is_ascii_uppercase()) && !about.ends_with('.'),
                "{name}: {about:?}"
            );
            assert!(about.len() <= 72, "{name}: {about:?} is no short line");
            let first = about.split(' ').next().unwrap_or_default();
            let order = !first.ends_with("ing") && !first.ends_with("ed") && !NO_ORDERS.contains(&first);
            assert!(
                order && (!first.ends_with('s') || first.ends_with("ss")),
                "{name}: {about:?} is no order"
            );
            let has_example =
                command.get_after_help().is_some_and(|help| help.to_string().contains("comity "));
            assert!(has_example, "{name} has no example");
        }
    }

    /// Words that begin a description, where an order is wanted.
    const NO_ORDERS: &[&str] = &["The", "A", "An", "This", "It", "To", "How", "What", "Who"];

    #[test]
    fn every_example_is_a_command_that_exists() {
        let mut tried = 0;
        for (name, command) in leaves(&Args::command(), "") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
                if line.starts_with('#') {
                    continue;
                }
                assert!(line.len() < 96, "{name}: the terminal would break {line}");
                let words = words(
                    &line
                        .replace("$(cat umbrella.txt)", &"0f".repeat(32))
                        .replace("$(cat acme.txt)", &"0f".repeat(32))
                        .replace("$(cat bob.txt)", &"0f".repeat(32))
                        .replace("$(cat acme.ticket)", TICKET),
                );
                assert!(words.first().is_some_and(|word| word == "comity"), "{name}: {line}");
                if let Err(error) = Args::try_parse_from(&words) {
                    panic!("{name}: {line}\n{error}");
                }
                tried += 1;
            }
        }
        assert!(tried > 25, "{tried}");
    }

    const TICKET: &str = include_str!("../../../../tests/fuzz/corpus/peering_ticket/ticket");

    /// The words of the part of a shell line that calls `comity`.
    fn words(line: &str) -> Vec<String> {
        let from = line.find("comity ").unwrap_or(0);
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line[from..].chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                '>' | '|' if !quoted => break,
                c => words.last_mut().expect("one").push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }
}
