//! How large what people give may be, said before anybody is asked: the limit and the size that was
//! given (`spec/11-limits.md`).

use wire::limits;

use crate::{error::CliError, output::size};

/// A text for a message.
///
/// # Errors
/// `TooLarge`, while doing `what`.
pub(crate) fn body(what: &str, text: &str) -> Result<(), CliError> {
    within(what, "the text", text.len(), limits::CONTENT_BODY_BYTES_MAX)
        .map_err(|error| error.hint("send it in parts, or as a file: comity file put"))
}

/// A text for a message of which no more than the limit was read.
pub(crate) fn body_unread(what: &str) -> CliError {
    let most = limits::CONTENT_BODY_BYTES_MAX;
    CliError::too_large(what, format!("the text has more than the {most} bytes that are possible"))
        .hint("send it in parts, or as a file: comity file put")
}

/// The name of a room.
///
/// # Errors
/// `TooLarge`, while doing `what`.
pub(crate) fn room_name(what: &str, name: &str) -> Result<(), CliError> {
    within(what, "the name", name.len(), limits::ROOM_NAME_BYTES_MAX)
        .map_err(|error| error.hint("take a shorter name; what a room is about: --topic"))
}

/// What a room is about.
///
/// # Errors
/// `TooLarge`, while doing `what`.
pub(crate) fn topic(what: &str, topic: &str) -> Result<(), CliError> {
    within(what, "the topic", topic.len(), limits::ROOM_TOPIC_BYTES_MAX)
        .map_err(|error| error.hint("shorten it; send the rest as a message"))
}

/// A password, which is not shown.
///
/// # Errors
/// `TooLarge`, while doing `what`.
pub(crate) fn password(what: &str, password: &str) -> Result<(), CliError> {
    let most = limits::PASSWORD_BYTES_MAX;
    if password.len() <= most {
        return Ok(());
    }
    // No more of it was read.
    Err(CliError::too_large(what, format!("the password has more than the {most} bytes that are possible"))
        .hint("is it the right file? a password is one line"))
}

/// A file that is to be sent, with a word about it.
///
/// # Errors
/// `TooLarge`, while doing `what`.
pub(crate) fn file(what: &str, bytes: u64, caption: &str) -> Result<(), CliError> {
    let most = limits::FILE_BYTES_MAX as u64;
    if bytes > most {
        let sentence = format!("the file has {}, and at most {} are possible", size(bytes), size(most));
        return Err(CliError::too_large(what, sentence).hint("send it in parts: split -b 500M FILE"));
    }
    within(what, "the caption", caption.len(), limits::CONTENT_BODY_BYTES_MAX)
        .map_err(|error| error.hint("shorten it; send the rest as a message"))
}

fn within(what: &str, noun: &str, bytes: usize, most: usize) -> Result<(), CliError> {
    if bytes <= most {
        return Ok(());
    }
    Err(CliError::too_large(what, format!("{noun} has {bytes} bytes, and at most {most} are possible")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_passes_and_one_more_names_both() {
        let letters = |count: usize| "x".repeat(count);
        for (passes, fails, told) in [
            (body("", &letters(65_536)), body("", &letters(65_537)), ["65537 bytes", "65536"]),
            (room_name("", &letters(256)), room_name("", &letters(257)), ["257 bytes", "256"]),
            (topic("", &letters(1_024)), topic("", &letters(1_025)), ["1025 bytes", "1024"]),
            (password("", &letters(1_024)), password("", &letters(1_025)), ["more than", "1024"]),
            (file("", 1 << 30, ""), file("", 3 << 30, ""), ["3.0 GiB", "1.0 GiB"]),
            (file("", 0, &letters(65_536)), file("", 0, &letters(65_537)), ["65537 bytes", "65536"]),
        ] {
            assert!(passes.is_ok());
            let error = fails.expect_err("too large");
            assert!(error.is(wire::ErrorCode::TooLarge) && error.exit() == 11);
            let said = error.json();
            assert!(told.iter().all(|part| said.contains(part)), "{said}");
            assert!(!said.contains("spec/limits.toml"), "{said}");
        }
    }
}
