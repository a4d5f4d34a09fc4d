//! `comity config list`.

use crate::{
    config::{KEYS, Origin},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, line},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("What holds, and who said so", "comity config list"),
    Example("For a script", "comity config list --json=key,value,origin"),
];

/// List every setting with its value and who said so
///
/// An option wins over a variable, a variable over the file, the file over the default.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// A setting.
#[derive(Debug, serde::Serialize)]
struct Shown {
    key: &'static str,
    value: String,
    origin: &'static str,
    variable: &'static str,
    meaning: &'static str,
}

impl Row for Shown {
    const FIELDS: &'static [&'static str] = &["key", "value", "origin", "variable", "meaning"];
    const COLUMNS: &'static [&'static str] = &["KEY", "VALUE", "ORIGIN"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![
            (Label::Id, self.key.to_owned()),
            (Label::Heading, line(&self.value)),
            (Label::Dim, self.origin.to_owned()),
        ]
    }
}

pub(super) fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let settings = context.settings();
    let row = |key: &'static crate::config::Key| Shown {
        key: key.name,
        value: settings.get(key.name).to_owned(),
        origin: match settings.origin(key.name) {
            Origin::Option => "option",
            Origin::Variable(name) => name,
            Origin::File => "file",
            Origin::Default => "default",
        },
        variable: key.variable,
        meaning: key.meaning,
    };
    context.list(&List { rows: KEYS.iter().map(row).collect(), empty: "" })?;
    context.check_settings()
}
