//! `comityd config`: what holds and why, and the file with everything explained.

use crate::{
    args::{Config as Args, ConfigShow, ConfigTemplate},
    config::{
        self, Config,
        key::{self, Key},
        template,
    },
    data::DataDir,
    failure::Failure,
    system::print,
};

/// Prints the configuration or the template.
pub(crate) fn config(args: &Args) -> Result<(), Failure> {
    match args {
        Args::Show(args) => show(args),
        Args::Template(ConfigTemplate { json: false }) => {
            print(template::example().trim_end());
            Ok(())
        }
        Args::Template(ConfigTemplate { json: true }) => {
            key::ALL.iter().for_each(|key| print(&explained(key).to_string()));
            Ok(())
        }
    }
}

/// What the template says of a key.
fn explained(key: &Key) -> serde_json::Value {
    serde_json::json!({
        "key": key.name,
        "default": key.default,
        "explanation": key.explanation,
        "environment": key.variable(),
        "file_environment": key.secret.then(|| key.file_variable()),
        "reloaded": key.reloaded,
    })
}

fn show(args: &ConfigShow) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let layers = config::layers(&data.config(), &config::environment, &args.overrides.flags())?;
    // Only what can be used is shown as what holds.
    Config::of(&layers)?;
    for key in key::ALL {
        let Some(value) = layers.get(key) else { continue };
        let hidden = key.secret && !value.text.is_empty();
        let shown = if hidden { "(secret)".to_owned() } else { value.text.to_string() };
        let quoted = toml::Value::String(shown.clone());
        let line =
            if hidden { format!("{} = {shown}", key.name) } else { format!("{} = {quoted}", key.name) };
        print(&match (args.json, args.origin) {
            (true, _) => serde_json::json!({
                "key": key.name,
                "value": (!hidden).then_some(shown),
                "origin": value.origin.to_string(),
                "reloaded": key.reloaded,
            })
            .to_string(),
            (false, true) => format!("{line:<40} # {}", value.origin),
            (false, false) => line,
        });
    }
    Ok(())
}
