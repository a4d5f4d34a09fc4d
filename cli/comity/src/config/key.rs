//! Every key with what it means. A key exists because something reads it.

use std::str::FromStr as _;

use client::Account;

use crate::output::{colour, theme_labels};

/// A key of the settings.
pub(crate) struct Key {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// The variable that says the same.
    pub(crate) variable: &'static str,
    /// The option that says the same, as it is typed.
    pub(crate) option: &'static str,
    /// What holds if nobody says anything.
    pub(crate) default: &'static str,
    /// A value to show.
    pub(crate) example: &'static str,
    /// What it means, in one line.
    pub(crate) meaning: &'static str,
    /// What a value looks like, for whoever typed another one.
    pub(crate) looks_like: &'static str,
    /// Whether a value is one.
    pub(crate) usable: fn(&str) -> bool,
    /// Whether it is written without quotes.
    pub(crate) bare: bool,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Key {
    /// A value as it stands in the file.
    pub(crate) fn written(&self, value: &str) -> String {
        if self.bare { value.to_owned() } else { toml::Value::String(value.to_owned()).to_string() }
    }
}

/// The key of the terminal client's colours.
pub(crate) const TUI_THEME: &str = "tui.theme";

/// The key of presence.
pub(crate) const PRESENCE: &str = "presence";

/// The key with this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

const fn theme(name: &'static str, variable: &'static str, meaning: &'static str) -> Key {
    Key {
        name,
        variable,
        option: "no option",
        default: "",
        example: "bright-cyan",
        meaning,
        looks_like: "a colour of the terminal: red, green, yellow, blue, magenta, cyan, white, black, \
                     each also as bright-…, or bold, dim, plain",
        usable: is_colour,
        bare: false,
    }
}

fn is_colour(text: &str) -> bool {
    text.is_empty() || colour(text).is_some()
}

/// All keys, in the order in which they are shown.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "account",
        variable: "COMITY_AS",
        option: "--as ACCOUNT",
        default: "",
        example: "alice@acme.example",
        meaning: "Act as this account, if several are logged in",
        looks_like: "an account such as alice@acme.example, or the part before the @",
        usable: |text| Account::from_input(text).is_ok() || is_name(text),
        bare: false,
    },
    Key {
        name: "color",
        variable: "COMITY_COLOR",
        option: "--color WHEN",
        default: "auto",
        example: "auto",
        meaning: "When to colour",
        looks_like: "auto, always or never",
        usable: |text| matches!(text, "auto" | "always" | "never"),
        bare: false,
    },
    Key {
        name: "quiet",
        variable: "COMITY_QUIET",
        option: "--quiet",
        default: "false",
        example: "false",
        meaning: "Say nothing on stderr but errors",
        looks_like: "true or false",
        usable: |text| matches!(text, "true" | "false"),
        bare: true,
    },
    Key {
        name: "timeout",
        variable: "COMITY_TIMEOUT",
        option: "--timeout SECONDS",
        default: "30",
        example: "30",
        meaning: "How long a verb waits before what it began goes on by itself",
        looks_like: "a number of seconds up to 86400",
        usable: |text| u64::from_str(text).is_ok_and(|seconds| seconds <= 86_400),
        bare: true,
    },
    Key {
        name: "data",
        variable: "COMITY_DATA",
        option: "--data DIR",
        default: "",
        example: "/var/lib/comity",
        meaning: "The data directory of the node that the administrative verbs speak to",
        looks_like: "a directory",
        usable: |_| true,
        bare: false,
    },
    Key {
        name: TUI_THEME,
        variable: "COMITY_THEME",
        option: "--theme THEME of comity tui",
        default: "auto",
        example: "light",
        meaning: "The colours of the terminal client; without colours whatever NO_COLOR or `color` says",
        looks_like: "auto, dark, light or mono",
        usable: |text| matches!(text, "auto" | "dark" | "light" | "mono"),
        bare: false,
    },
    Key {
        name: PRESENCE,
        variable: "COMITY_SHOW_PRESENCE",
        option: "no option",
        default: "on",
        example: "off",
        meaning: "Whether comity tui shows colleagues that you are here, and you who of them is",
        looks_like: "on or off",
        usable: |text| matches!(text, "on" | "off"),
        bare: false,
    },
    theme("theme.id", "COMITY_THEME_ID", "The colour of ids"),
    theme("theme.account", "COMITY_THEME_ACCOUNT", "The colour of accounts"),
    theme("theme.domain", "COMITY_THEME_DOMAIN", "The colour of domains"),
    theme("theme.good", "COMITY_THEME_GOOD", "The colour of what is done or verified"),
    theme("theme.warning", "COMITY_THEME_WARNING", "The colour of warnings"),
    theme("theme.error", "COMITY_THEME_ERROR", "The colour of errors"),
    theme("theme.dim", "COMITY_THEME_DIM", "The colour of what matters less"),
    theme("theme.heading", "COMITY_THEME_HEADING", "The colour of headings"),
];

fn is_name(text: &str) -> bool {
    Account::from_input(&format!("{text}@a.example")).is_ok()
}

/// What the theme's keys say about each label.
pub(crate) fn theme_of(value: impl Fn(&str) -> String) -> crate::output::Theme {
    let mut theme = crate::output::Theme::default();
    for (label, name) in theme_labels() {
        if let Some(style) = colour(&value(name)) {
            theme.set(label, style);
        }
    }
    theme
}
