//! One line of text that a person wrote and another person sees: names of rooms, topics, reactions
//! (`spec/01-names.md`). What could make a screen or a log show something else than what is there
//! is refused.

use crate::{ErrorCode, limits};

/// [NAME-6] A room's name, a topic, a reaction: at most `bytes_max` bytes, without control
/// characters and without the characters that reorder what stands around them.
///
/// # Errors
/// `TooLarge` or `Malformed`.
pub fn check_line(text: &str, bytes_max: usize) -> Result<(), ErrorCode> {
    if text.len() > bytes_max {
        return Err(ErrorCode::TooLarge);
    }
    let refused = |letter: char| letter.is_control() || is_reordering(letter);
    if text.chars().any(refused) { Err(ErrorCode::Malformed) } else { Ok(()) }
}

/// [MEDIA-8] The name of a file as it travels: a line that is not empty and names nothing but a file,
/// in no directory.
///
/// # Errors
/// `TooLarge` or `Malformed`.
pub fn check_file_name(name: &str) -> Result<(), ErrorCode> {
    check_line(name, limits::FILE_NAME_BYTES_MAX)?;
    let is_path = matches!(name, "" | "." | "..") || name.contains(['/', '\\']);
    if is_path { Err(ErrorCode::Malformed) } else { Ok(()) }
}

/// The bidirectional controls of Unicode (UAX 9) and the separators of lines and paragraphs.
const fn is_reordering(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_writes_passes() {
        for text in ["", "Grüße aus Köln", "شكرا", "👩\u{200d}👩\u{200d}👧 ok", "a\u{300}"] {
            assert_eq!(check_line(text, 64), Ok(()), "{text:?}");
        }
    }

    // [NAME-6]
    #[test]
    fn what_deceives_the_eye_is_refused() {
        let controls =
            ["nul\0", "bell\u{7}", "esc\u{1b}[2J", "del\u{7f}", "c1\u{9b}31m", "two\nlines", "a\tb"];
        for text in controls.into_iter().chain(["txt\u{202e}exe.", "\u{2066}x", "a\u{2028}b", "a\u{200f}b"]) {
            assert_eq!(check_line(text, 64), Err(ErrorCode::Malformed), "{text:?}");
        }
        assert_eq!(check_line("12345", 4), Err(ErrorCode::TooLarge));
    }

    // [MEDIA-8]
    #[test]
    fn a_file_name_names_a_file_and_no_way_to_it() {
        for name in ["a", "report.pdf", "Grüße.txt", "a b", "...", ".profile", "شكرا.pdf"] {
            assert_eq!(check_file_name(name), Ok(()), "{name:?}");
        }
        let ways =
            ["", ".", "..", "../x", "/etc/passwd", "a/b", "C:\\x", "..\\x", "a\0b", "x\n", "\u{202e}gpj.exe"];
        for name in ways {
            assert_eq!(check_file_name(name), Err(ErrorCode::Malformed), "{name:?}");
        }
        assert_eq!(check_file_name(&"n".repeat(limits::FILE_NAME_BYTES_MAX + 1)), Err(ErrorCode::TooLarge));
    }
}
