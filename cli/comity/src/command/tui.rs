//! `comity tui`: rooms, messages and people on the whole terminal.

use clap::ValueEnum as _;
use tui::{Palette, Settings, Theme, TuiError};

use crate::{
    context::{Context, Eyes},
    device,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("All day; F1 shows the keys", "comity tui"),
    Example("On a terminal with a light ground", "comity tui --theme light"),
    Example("On one with no colours and no more than ASCII", "comity tui --theme mono --ascii"),
];

/// Chat on the whole terminal
///
/// Other commands of the same account work beside it. Without a session everything is shown that this
/// device has, and what is written is sent as soon as there is one.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// The colours, this once; `comity config set tui.theme` for always
    #[arg(long, value_name = "THEME", value_enum)]
    theme: Option<ThemeName>,
    /// Use no signs beyond ASCII
    #[arg(long)]
    ascii: bool,
    /// Let the mouse scroll and choose; selecting text then needs Shift
    #[arg(long)]
    mouse: bool,
    /// Let notifications show what was said, not only by whom and where
    #[arg(long)]
    notify_text: bool,
}

/// The colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ThemeName {
    /// As the terminal says, or dark
    Auto,
    /// Light letters on a dark ground
    Dark,
    /// Dark letters on a light ground
    Light,
    /// No colours
    Mono,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    if context.is_json() {
        return Err(CliError::usage("this verb is for eyes").hint("comity watch --json"));
    }
    if !context.whole_terminal() {
        return Err(CliError::usage("this verb needs a terminal").hint("comity watch"));
    }
    let settings = settings(&args, &context.eyes());
    device::with(context, async |client| tui::run(client, settings).await.map_err(failed)).await
}

fn settings(args: &Args, eyes: &Eyes) -> Settings {
    // The settings let nothing else through.
    let said = ThemeName::from_str(&eyes.theme, true).unwrap_or(ThemeName::Auto);
    let palette = match args.theme.unwrap_or(said) {
        ThemeName::Mono => Palette::Mono,
        _ if !eyes.colour => Palette::Mono,
        ThemeName::Light => Palette::Light,
        ThemeName::Auto if eyes.light => Palette::Light,
        ThemeName::Auto | ThemeName::Dark => Palette::Dark,
    };
    Settings {
        theme: Theme { palette },
        unicode: eyes.unicode && !args.ascii,
        mouse: args.mouse,
        presence: eyes.presence,
        desktop: eyes.desktop,
        notify_text: args.notify_text,
        offset_s: tui::local_offset_s,
    }
}

fn failed(error: TuiError) -> CliError {
    match error {
        TuiError::Locked => device::failed("the screen ended", client::ClientError::Locked),
        TuiError::Panicked => CliError::bug("the screen failed"),
        error => CliError::failed("the screen ended").cause(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_used_where_they_can_be_seen() {
        let args = |theme| Args { theme, ascii: false, mouse: false, notify_text: false };
        let eyes = |colour, light| Eyes {
            colour,
            unicode: true,
            light,
            desktop: false,
            presence: true,
            theme: "auto".to_owned(),
        };
        let palette = |theme, eyes: Eyes| settings(&args(theme), &eyes).theme.palette;
        assert_eq!(palette(None, eyes(true, false)), Palette::Dark);
        assert_eq!(palette(None, eyes(true, true)), Palette::Light);
        assert_eq!(palette(Some(ThemeName::Dark), eyes(true, true)), Palette::Dark);
        assert_eq!(palette(Some(ThemeName::Light), eyes(false, true)), Palette::Mono);
        let said = |name: &str| Eyes { theme: name.to_owned(), ..eyes(true, false) };
        assert_eq!(palette(None, said("mono")), Palette::Mono);
        assert_eq!(palette(None, said("light")), Palette::Light);
        let colourless = Eyes { colour: false, ..said("light") };
        assert_eq!(palette(None, colourless), Palette::Mono);
        assert_eq!(palette(Some(ThemeName::Dark), said("mono")), Palette::Dark);
        let ascii = settings(&args(None), &Eyes { unicode: false, ..eyes(true, false) });
        assert!(!ascii.unicode);
    }
}
