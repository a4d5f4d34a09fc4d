//! `comity util man`: the help as manual pages, one for each verb.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use crate::{
    args,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Into a directory", "comity util man man"),
    Example("How many there are", "comity util man man --json=pages"),
];

/// Write manual pages into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// The directory; made if it is not there
    dir: PathBuf,
}

/// The pages that were written.
#[derive(Debug, serde::Serialize)]
struct Shown {
    directory: String,
    pages: u64,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["directory", "pages"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!("{} pages are in {}", self.pages, self.directory));
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let failed = |error: std::io::Error| {
        CliError::storage(format!("cannot write into {}", args.dir.display())).cause(error.to_string())
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    let mut whole = args::Args::command().disable_help_subcommand(true);
    whole.build();
    let pages = write(&whole, &args.dir).map_err(failed)?;
    context.show(&Shown { directory: args.dir.display().to_string(), pages })
}

/// The pages of a command and of all below it. Returns how many.
fn write(command: &clap::Command, dir: &Path) -> std::io::Result<u64> {
    let mut pages = 1;
    for below in command.get_subcommands().filter(is_shown) {
        pages += write(below, dir)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let man = clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("comity ", env!("CARGO_PKG_VERSION")))
        .manual("Comity");
    let mut page = Vec::new();
    man.render(&mut page)?;
    std::fs::write(dir.join(man.get_filename()), tidied(&String::from_utf8_lossy(&page)))?;
    Ok(pages)
}

/// `help` is explained by every page.
fn is_shown(command: &&clap::Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// Empty lines are no part of the language of manual pages, the examples stand line by line, and the place
/// of the date stays empty: the same sources print the same pages.
fn tidied(page: &str) -> String {
    let page = page.replace("\n.br\n\n.br\n", "\n.sp\n").replacen(" 1  \"comity ", " 1 \"\" \"comity ", 1);
    match page.split_once(".SH EXTRA\nExamples:\n") {
        Some((before, after)) => match after.split_once("\n.SH ") {
            Some((examples, rest)) => format!("{before}.SH EXAMPLES\n.nf\n{examples}\n.fi\n.SH {rest}"),
            None => format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n", after.trim_end()),
        },
        None => page,
    }
}
