//! `comity util man`: the help as manual pages, one for each verb.

use std::path::PathBuf;

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
    clap_mangen::generate_to(args::Args::command(), &args.dir).map_err(failed)?;
    let entries = std::fs::read_dir(&args.dir).map_err(failed)?.filter_map(Result::ok);
    let pages = entries.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "1")).count();
    context.show(&Shown { directory: args.dir.display().to_string(), pages: pages as u64 })
}
