//! Text that a person wrote and another person sees: names of rooms, topics, reactions, messages
//! (`spec/01-names.md`). What could make a screen or a log show something else than what is there
//! is refused.

use crate::ErrorCode;

/// [NAME-6] One line: a room's name, a topic, a reaction. At most `bytes_max` bytes, without
/// control characters and without the characters that reorder what stands around them.
///
/// # Errors
/// `TooLarge` or `Malformed`.
pub fn check_line(text: &str, bytes_max: usize) -> Result<(), ErrorCode> {
    let refused = |letter: char| letter.is_control() || is_reordering(letter);
    check(text, bytes_max, refused)
}

/// [NAME-7] The body of a message: at most `bytes_max` bytes, without control characters but tab,
/// line feed and carriage return. What reorders is allowed, for people who write from right to left
/// need it; who shows the text isolates it.
///
/// # Errors
/// `TooLarge` or `Malformed`.
pub fn check_body(text: &str, bytes_max: usize) -> Result<(), ErrorCode> {
    check(text, bytes_max, |letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r'))
}

fn check(text: &str, bytes_max: usize, refused: impl Fn(char) -> bool) -> Result<(), ErrorCode> {
    if text.len() > bytes_max {
        return Err(ErrorCode::TooLarge);
    }
    if text.chars().any(refused) { Err(ErrorCode::Malformed) } else { Ok(()) }
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
        for text in ["two\nlines\tand a tab", "two\r\nlines", "call \u{202a}+49 1\u{202c}", "\u{200f}שלום"]
        {
            assert_eq!(check_body(text, 64), Ok(()), "{text:?}");
        }
    }

    // [NAME-6] [NAME-7]
    #[test]
    fn what_deceives_the_eye_is_refused() {
        for text in ["nul\0", "bell\u{7}", "esc\u{1b}[2J", "del\u{7f}", "c1\u{9b}31m"] {
            assert_eq!(check_line(text, 64), Err(ErrorCode::Malformed), "{text:?}");
            assert_eq!(check_body(text, 64), Err(ErrorCode::Malformed), "{text:?}");
        }
        for text in ["txt\u{202e}exe.", "\u{2066}x", "a\u{2028}b", "two\nlines", "a\tb", "a\rb"] {
            assert_eq!(check_line(text, 64), Err(ErrorCode::Malformed), "{text:?}");
        }
        assert_eq!(check_line("12345", 4), Err(ErrorCode::TooLarge));
        assert_eq!(check_body("12345", 4), Err(ErrorCode::TooLarge));
    }
}
