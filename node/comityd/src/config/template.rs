//! The configuration file that `init` writes: every key, with its meaning and its default.

use std::{fmt::Write as _, net::SocketAddr};

use wire::DomainName;

use super::key::{self, Key};

const HEAD: &str = "\
# Configuration of a Comity node. A line that begins with `#` shows a key with its default.
# Flags of `comityd run` go before COMITY_* variables, and those before this file.
# `comityd check` finds mistakes, `comityd config show --origin` says what holds and why.
";
/// Where explanations are broken, in bytes.
const WIDTH: usize = 96;

/// The file for a new domain.
pub(crate) fn filled(domain: &DomainName, listen: SocketAddr) -> String {
    write(|key| match key.name {
        name if name == key::DOMAIN.name => Some(domain.to_string()),
        name if name == key::LISTEN.name => Some(listen.to_string()),
        _ => None,
    })
}

/// The file with every default, as an example.
pub(crate) fn example() -> String {
    write(|key| (key.name == key::DOMAIN.name).then(|| "acme.example".to_owned()))
}

fn write(value: impl Fn(&Key) -> Option<String>) -> String {
    let mut out = HEAD.to_owned();
    let mut section = None;
    for key in key::ALL {
        let (of, name) = key.parts();
        if of != section {
            let _ = write!(out, "\n[{}]", of.unwrap_or_default());
            section = of;
        }
        out.push('\n');
        wrap(&mut out, key.explanation);
        let reload = if key.reloaded { "SIGHUP applies a change." } else { "A change needs a restart." };
        let file = if key.secret { format!(" or {}", key.file_variable()) } else { String::new() };
        let _ = writeln!(out, "# {reload} Environment: {}{file}", key.variable());
        let quote = if key.is_number() { "" } else { "\"" };
        match (value(key), key.default) {
            (Some(value), _) => writeln!(out, "{name} = {quote}{value}{quote}"),
            (None, default) => writeln!(out, "#{name} = {quote}{}{quote}", default.unwrap_or_default()),
        }
        // Writing into a text cannot fail.
        .unwrap_or_default();
    }
    out
}

fn wrap(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Layers};

    fn read(text: &str) -> (Layers, Config) {
        let layers = Layers::gather(Path::new("comity.toml"), text, &|_| None, &Vec::new());
        let layers = layers.expect("it parses");
        let config = Config::of(&layers).expect("it is right");
        (layers, config)
    }

    #[test]
    fn every_key_stands_in_the_template_with_its_default() {
        let filled =
            filled(&"acme.test".parse().expect("a name"), "127.0.0.1:4433".parse().expect("an address"));
        let (_, as_written) = read(&filled);
        let uncommented: String = filled
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(key) if key.contains(" = ") && !key.starts_with(' ') => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let (layers, explicit) = read(&uncommented);
        assert_eq!(as_written, explicit);
        for key in key::ALL {
            let value = layers.get(key).expect("it stands there");
            assert_ne!(value.origin, crate::config::Origin::Default, "{} is not in the template", key.name);
        }
    }

    #[test]
    fn the_example_is_a_configuration() {
        let (_, config) = read(&example());
        assert_eq!(config.domain.as_str(), "acme.example");
    }
}
