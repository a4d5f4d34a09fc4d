//! The answers file: what `init` would ask, as TOML.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wire::{DomainName, name::Endpoint};

use crate::{
    config::nearest,
    failure::{Exit, Failure},
};

const KEYS: [&str; 4] = ["domain", "listen", "endpoints", "passphrase_file"];

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) domain: Option<DomainName>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) passphrase_file: Option<PathBuf>,
}

impl Answers {
    /// # Errors
    /// `FileUnusable`, `AnswersSyntax`, `AnswersUnknownKey`, `AnswersValue`, with file and line.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let failure = |name, at: usize, what: &str, hint: &str| {
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            Failure::new(Exit::Usage, name, format!("{}:{line}: {what}", path.display()), hint)
        };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            failure("AnswersSyntax", at, error.message(), "correct the line")
        })?;
        let mut answers = Self::default();
        for (key, value) in table.get_ref() {
            let at = key.span().start;
            let unusable = |expected: &str| {
                let what = format!("the value of `{}` cannot be used", key.get_ref());
                failure("AnswersValue", at, &what, &format!("it must be {expected}"))
            };
            match key.get_ref().as_ref() {
                "domain" => {
                    let domain = text_of(value).and_then(|text| DomainName::from_input(text).ok());
                    answers.domain = Some(domain.ok_or_else(|| unusable("a DNS name, in quotes"))?);
                }
                "listen" => {
                    let listen = text_of(value).and_then(|text| text.parse().ok());
                    answers.listen = Some(listen.ok_or_else(|| unusable("\"ADDR:PORT\""))?);
                }
                "endpoints" => {
                    answers.endpoints =
                        endpoints(value).ok_or_else(|| unusable("a list of \"HOST:PORT\""))?;
                }
                "passphrase_file" => {
                    let file = text_of(value).map(PathBuf::from);
                    answers.passphrase_file = Some(file.ok_or_else(|| unusable("a path, in quotes"))?);
                }
                other => {
                    let shown: String = other.chars().take(64).flat_map(char::escape_debug).collect();
                    let what = format!("there is no key `{shown}`");
                    return Err(failure("AnswersUnknownKey", at, &what, &nearest(&KEYS, other)));
                }
            }
        }
        Ok(answers)
    }
}

fn text_of<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    value.get_ref().as_str()
}

fn endpoints(value: &Spanned<DeValue<'_>>) -> Option<Vec<Endpoint>> {
    let list = value.get_ref().as_array()?;
    list.iter().map(|item| text_of(item)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = "domain = \"Acme.Example\"\nlisten = \"127.0.0.1:1\"\nendpoints = [\"a.b:1\", \"c.d:2\"]\n\
                    passphrase_file = \"/run/secrets/root\"\n";
        let answers = Answers::parse(Path::new("answers.toml"), text).expect("it is right");
        assert_eq!(answers.domain.expect("a domain").as_str(), "acme.example");
        assert_eq!(answers.listen, "127.0.0.1:1".parse().ok());
        assert_eq!(answers.endpoints.len(), 2);
        assert_eq!(answers.passphrase_file, Some(PathBuf::from("/run/secrets/root")));
    }

    #[test]
    fn wrong_files_are_refused_with_their_line_and_the_next_step() {
        for (text, name, line, hint) in [
            ("domain = ", "AnswersSyntax", 1, "correct"),
            ("\ndomain = 7", "AnswersValue", 2, "a DNS name"),
            ("domain = \"nodots\"", "AnswersValue", 1, "a DNS name"),
            ("listen = \"4433\"", "AnswersValue", 1, "ADDR:PORT"),
            ("endpoints = \"a.b:1\"", "AnswersValue", 1, "a list"),
            ("endpoints = [\"a.b\"]", "AnswersValue", 1, "a list"),
            ("passphrase_file = [1]", "AnswersValue", 1, "a path"),
            ("domain = \"a.b\"\n\nendpoint = []", "AnswersUnknownKey", 3, "`endpoints`"),
            ("passphrase = \"secret\"", "AnswersUnknownKey", 1, "`passphrase_file`"),
            ("[wholly.other]", "AnswersUnknownKey", 1, "the keys are"),
        ] {
            let failure = Answers::parse(Path::new("answers.toml"), text).expect_err("it is wrong");
            assert_eq!(failure.name, name, "{text:?}: {failure:?}");
            assert!(failure.what.starts_with(&format!("answers.toml:{line}:")), "{text:?}: {failure:?}");
            assert!(failure.hint.contains(hint), "{text:?}: {failure:?}");
            assert!(!failure.what.contains("secret"), "{failure:?}");
        }
    }
}
