//! `comityd util`: completion scripts and manual pages, made of the command line itself.

use std::{fs, io::Write as _, path::Path};

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
    let mut whole = Whole::command().disable_help_subcommand(true);
    whole.build();
    fs::create_dir_all(&args.to)
        .and_then(|()| write(&whole, &args.to))
        .map_err(|error| Failure::io(&args.to, &error))
}

/// The pages of a command and of all below it.
fn write(command: &clap::Command, dir: &Path) -> std::io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below, dir)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let man = clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("comityd ", env!("CARGO_PKG_VERSION")))
        .manual("Comity");
    let mut page = Vec::new();
    man.render(&mut page)?;
    fs::write(dir.join(man.get_filename()), tidied(&String::from_utf8_lossy(&page)))
}

/// Empty lines are no part of the language of manual pages, the examples stand line by line, and the place
/// of the date stays empty: the same sources print the same pages.
fn tidied(page: &str) -> String {
    let page = page.replace("\n.br\n\n.br\n", "\n.sp\n").replacen(" 1  \"comityd ", " 1 \"\" \"comityd ", 1);
    match page.split_once(".SH EXTRA\nExamples:\n") {
        Some((before, after)) => match after.split_once("\n.SH ") {
            Some((examples, rest)) => format!("{before}.SH EXAMPLES\n.nf\n{examples}\n.fi\n.SH {rest}"),
            None => format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n", after.trim_end()),
        },
        None => page,
    }
}
