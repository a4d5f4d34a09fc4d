//! `comityd util`: completion scripts and manual pages, made of the command line itself.

use std::{fs, io::Write as _};

use clap::CommandFactory as _;

use crate::{
    args::{Args as Whole, Util as Args, UtilCompletion, UtilMan},
    failure::Failure,
};

/// Writes what was asked for.
pub(crate) fn util(args: &Args) -> Result<(), Failure> {
    match args {
        Args::Completion(args) => completion(args),
        Args::Man(args) => man(args),
    }
}

fn completion(args: &UtilCompletion) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Whole::command(), "comityd", &mut script);
    // A reader that has gone, as `head` does, has seen enough.
    let _ = std::io::stdout().lock().write_all(&script);
    Ok(())
}

fn man(args: &UtilMan) -> Result<(), Failure> {
    fs::create_dir_all(&args.to)
        .and_then(|()| clap_mangen::generate_to(Whole::command(), &args.to))
        .map_err(|error| Failure::io(&args.to, &error))
}
