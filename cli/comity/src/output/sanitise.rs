//! [NAME-7] Makes text that somebody else wrote safe to print: nothing a peer wrote may move the cursor,
//! change the title, reverse the reading order or pretend to be another line.

use std::fmt::Write as _;

/// Whether a character may be printed as it is. Refused are control characters (C0, DEL, C1, so
/// every escape sequence), direction marks and overrides, separators that some terminals break a
/// line at, invisible joiners outside emoji, the tag block and private interlinear marks.
const fn is_plain(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        plain if is_plain(plain) => out.push(plain),
        other => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(other));
        }
    }
}

/// Foreign text as part of one line: line breaks and tabs become `\n` and `\t`, and everything
/// that is not plain its number.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut out, character));
    out
}

/// Foreign text of several lines, each safe by itself; the caller marks all but the first, so that
/// none can be taken for a line of ours. Trailing empty lines are dropped.
pub(crate) fn body_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.trim_end().split('\n').map(line).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_reaches_the_terminal() {
        for hostile in [
            "\x1b]0;title\x07",
            "\x1b[2J\x1b[H",
            "\u{9b}31m",
            "a\rb",
            "a\u{8}b",
            "\u{202e}gpj.exe",
            "\u{2066}x\u{2069}",
            "a\u{2028}b",
            "\u{e0041}",
            "\u{feff}",
            "\u{200b}",
        ] {
            let safe = line(hostile);
            assert!(safe.chars().all(is_plain), "{safe:?}");
            assert!(safe.contains("\\u{"), "{safe:?}");
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_untouched() {
        for text in ["héllo", "日本語", "مرحبا", "👩‍👩‍👧 ok", "a\\b"] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(line("a\nbob: b\tc"), "a\\nbob: b\\tc");
        assert_eq!(body_lines("a\nb\n\n"), ["a", "b"]);
        assert_eq!(body_lines(""), [""]);
    }
}
