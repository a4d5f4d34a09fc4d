//! `comityd config`: what holds and why, and the file with everything explained.

use crate::{
    args::{Config as Args, ConfigShow},
    config::{self, Config, key, template},
    data::DataDir,
    failure::Failure,
    system::print,
};

/// Prints the configuration or the template.
pub(crate) fn config(args: &Args) -> Result<(), Failure> {
    match args {
        Args::Show(args) => show(args),
        Args::Template(_) => {
            print(template::example().trim_end());
            Ok(())
        }
    }
}

fn show(args: &ConfigShow) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let layers = config::layers(&data.config(), &config::environment, &args.overrides.flags())?;
    // Only what can be used is shown as what holds.
    Config::of(&layers)?;
    for key in key::ALL {
        let Some(value) = layers.get(key) else { continue };
        let quoted = toml::Value::String(value.text.clone());
        let line = format!("{} = {quoted}", key.name);
        print(&match (args.json, args.origin) {
            (true, _) => serde_json::json!({
                "key": key.name,
                "value": value.text,
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
