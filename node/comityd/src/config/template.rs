//! The configuration file that `init` writes: every key, with its meaning and its default.

use std::net::SocketAddr;

use wire::DomainName;

/// The file for a new domain.
pub(crate) fn filled(domain: &DomainName, listen: SocketAddr) -> String {
    format!(
        r#"# Configuration of a Comity node. A line that begins with `#` shows a key with its default.
# Command line flags and COMITY_* variables go before this file. `comityd check` finds mistakes.

# The domain that this node serves. Cannot be changed: it stands in every signed document.
domain = "{domain}"

# The UDP address for devices and other domains. Port 0 takes any free one.
listen = "{listen}"

# How accounts that have not decided for themselves are reached from other domains:
# "open" lets everybody in, "ask" makes an invitation that the person answers, "deny" refuses.
# Inside the domain contact is always open.
#contact_policy = "ask"

[log]
# How the log is written on stderr: "text", or "json" with one object on each line.
#format = "text"

# What is logged: "error", "warn", "info", "debug" or "trace", also by part: "info,net=debug".
#level = "info"
"#
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn template() -> String {
        filled(&"acme.test".parse().expect("a name"), "127.0.0.1:4433".parse().expect("an address"))
    }

    #[test]
    fn the_template_says_what_the_defaults_are() {
        let as_written = Config::parse(Path::new("comity.toml"), &template()).expect("it parses");
        let uncommented = template().replace("\n#", "\n# ").replace("\n#  ", "\n# ");
        let uncommented: String = uncommented
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.contains(" = ") && !key.contains('.') => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        assert!(uncommented.contains("\ncontact_policy = "), "{uncommented}");
        let explicit = Config::parse(Path::new("comity.toml"), &uncommented).expect("it parses");
        assert_eq!(as_written, explicit);
    }

    #[test]
    fn every_known_key_is_in_the_template() {
        for key in crate::config::file::KEYS {
            let name = key.rsplit('.').next().unwrap_or(key);
            assert!(template().contains(&format!("{name} = ")), "{key} is not in the template");
        }
    }
}
