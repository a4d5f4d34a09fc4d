//! Examples in help are data, so that tests can run them.

/// One example: what it does, and the command.
#[derive(Debug)]
pub(crate) struct Example(pub(crate) &'static str, pub(crate) &'static str);

/// The part of the help text below the options.
pub(crate) fn help(examples: &[Example]) -> String {
    let mut text = String::from("Examples:\n");
    for Example(says, command) in examples {
        text.push_str(&format!("  # {says}\n  {command}\n"));
    }
    text
}
