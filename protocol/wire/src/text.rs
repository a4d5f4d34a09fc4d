//! One line of text that a person wrote and another person sees: names of rooms, topics, reactions
//! (`spec/01-names.md`). What could make a screen or a log show something else than what is there
//! is refused.

use crate::ErrorCode;

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
}
