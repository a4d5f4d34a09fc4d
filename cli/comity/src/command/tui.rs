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
    /// The colours [env: COMITY_THEME]
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
    let settings = settings(&args, &context.eyes())?;
    device::with(context, async |client| tui::run(client, settings).await.map_err(failed)).await
}

fn settings(args: &Args, eyes: &Eyes) -> Result<Settings, CliError> {
    let said = eyes.theme.as_deref().map(|name| ThemeName::from_str(name, true)).transpose();
    let said = said.map_err(|_| CliError::usage("COMITY_THEME is none of auto, dark, light and mono"))?;
    let palette = match args.theme.or(said).unwrap_or(ThemeName::Auto) {
        ThemeName::Mono => Palette::Mono,
        _ if !eyes.colour => Palette::Mono,
        ThemeName::Light => Palette::Light,
        ThemeName::Auto if eyes.light => Palette::Light,
        ThemeName::Auto | ThemeName::Dark => Palette::Dark,
    };
    Ok(Settings {
        theme: Theme { palette },
        unicode: eyes.unicode && !args.ascii,
        mouse: args.mouse,
        desktop: eyes.desktop,
        notify_text: args.notify_text,
        offset_s: tui::local_offset_s,
    })
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
        let eyes = |colour, light| Eyes { colour, unicode: true, light, desktop: false, theme: None };
        let palette =
            |theme, eyes: Eyes| settings(&args(theme), &eyes).map(|settings| settings.theme.palette).ok();
        assert_eq!(palette(None, eyes(true, false)), Some(Palette::Dark));
        assert_eq!(palette(None, eyes(true, true)), Some(Palette::Light));
        assert_eq!(palette(Some(ThemeName::Dark), eyes(true, true)), Some(Palette::Dark));
        assert_eq!(palette(Some(ThemeName::Light), eyes(false, true)), Some(Palette::Mono));
        let said = |name: &str| Eyes { theme: Some(name.to_owned()), ..eyes(true, false) };
        assert_eq!(palette(None, said("mono")), Some(Palette::Mono));
        assert_eq!(palette(Some(ThemeName::Dark), said("mono")), Some(Palette::Dark));
        assert_eq!(palette(None, said("pink")), None);
        let ascii = settings(&args(None), &Eyes { unicode: false, ..eyes(true, false) });
        assert!(ascii.is_ok_and(|settings| !settings.unicode));
    }
}
