//! Making somebody aware: by the desktop where there is one, else by the terminal, which may be at the
//! other end of a line.

use std::io::{self, Write as _, stdout};

use super::desktop::Desktop;

/// Tells the desktop if there is one, and rings the terminal's bell otherwise, with the words for
/// terminals that show them.
///
/// # Errors
/// What the terminal says.
pub(super) fn notify(desktop: Option<&Desktop>, title: String, body: String) -> io::Result<()> {
    let untold = match desktop {
        Some(desktop) => desktop.tell(title, body).err(),
        None => Some((title, body)),
    };
    untold.map_or(Ok(()), |(title, body)| ring(&title, &body))
}

/// Rings the terminal's bell.
///
/// # Errors
/// What the terminal says.
pub(super) fn ring(title: &str, body: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(sequences(title, body).as_bytes())?;
    out.flush()
}

/// OSC 777 and OSC 9, of which terminals know one or the other, and the bell. The text is safe
/// already; what parts a sequence is taken out besides.
fn sequences(title: &str, body: &str) -> String {
    let plain = |text: &str| text.replace(|c: char| c == ';' || c.is_control(), " ");
    let (title, body) = (plain(title), plain(body));
    let whole = if body.is_empty() { title.clone() } else { format!("{title}: {body}") };
    format!("\x1b]777;notify;{title};{body}\x1b\\\x1b]9;{whole}\x1b\\\x07")
}

#[cfg(test)]
mod tests {
    use super::*;

    // [NAME-7]
    #[test]
    fn no_name_ends_a_sequence_or_begins_one() {
        let said = sequences("bob\x1b\\\x07;x in #a\u{9c}", "b\x1b]0;t\x07");
        assert_eq!(said.matches('\x1b').count(), 4, "{said:?}");
        assert_eq!(said.matches('\x07').count(), 1, "{said:?}");
        assert_eq!(said.matches(';').count(), 4, "{said:?}");
        assert!(!said.contains('\u{9c}'));
    }
}
