//! `comity config check`.

use std::path::PathBuf;

use super::path_of;
use crate::{
    config::{Fault, File},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("The settings that hold", "comity config check"),
    Example("A file before it is put in place", "comity config check config.toml"),
];

/// Check the file
///
/// Exits 0 if it can be used, or is not there; 7 if not, with every fault and its line. Without a
/// file it checks the one that is used, and the variables.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Another file than the one that is used
    file: Option<PathBuf>,
}

/// A file that can be used.
#[derive(Debug, serde::Serialize)]
struct Shown {
    path: String,
    good: bool,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["path", "good"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!("{} {}", self.path, paper.paint(Label::Good, "good")));
    }
}

pub(super) fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let faults: Vec<Fault> = match &args.file {
        Some(file) if !file.exists() => {
            return Err(CliError::not_found(format!("there is no {}", file.display()))
                .hint("comity config template > FILE makes one"));
        }
        Some(file) => File::read(file).1,
        None => context.faults().to_vec(),
    };
    let path = match args.file {
        Some(file) => file,
        None => path_of(context)?.to_owned(),
    };
    if faults.is_empty() {
        return context.show(&Shown { path: path.display().to_string(), good: true });
    }
    let error = CliError::bad("Config", format!("{} cannot be used", path.display()))
        .hint("comity config template explains every key");
    Err(faults.iter().fold(error, |error, fault| error.cause(fault.to_string())))
}
