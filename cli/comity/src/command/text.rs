//! The text that a verb sends: from the command line or from stdin.

use std::io::Read as _;

use crate::{bounds, context::Context, error::CliError};

/// The text as it was given, or the whole of stdin without the line break at its end.
///
/// # Errors
/// Usage if it is empty or not UTF-8; `TooLarge`.
pub(super) fn of(context: &Context, given: Option<&str>) -> Result<String, CliError> {
    let text = match given {
        Some(text) if text != "-" => text.to_owned(),
        _ => from_stdin(context)?,
    };
    if text.trim().is_empty() {
        return Err(CliError::usage("the text is empty"));
    }
    bounds::body("cannot send", &text)?;
    Ok(text)
}

/// What is too long is refused, never cut.
fn from_stdin(context: &Context) -> Result<String, CliError> {
    if context.stdin_terminal() {
        context.status("Write the message; Ctrl-D on a line of its own sends it.");
    }
    let mut bytes = Vec::new();
    let limit = wire::limits::CONTENT_BODY_BYTES_MAX + "\r\n".len();
    std::io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(bounds::body_unread("cannot send"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| CliError::usage("the text is not UTF-8"))?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    Ok(text)
}
