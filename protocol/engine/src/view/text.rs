//! [NAME-7] Makes text that somebody else wrote safe to show: nothing a peer wrote may move the cursor,
//! change the title, reverse the reading order or pretend to be another line.

use std::fmt::Write as _;

/// Whether a character may be printed as it is. Refused are control characters (C0, DEL, C1, so
/// every escape sequence), direction marks and overrides, separators that some terminals break a
/// line at, characters that show nothing, the tag block and private interlinear marks.
#[must_use]
pub const fn is_plain(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Marks on one character; more climb over the lines above and below. No language needs as many.
const MARKS_MAX: usize = 4;

/// Whether a character is drawn onto the one before it, in the blocks that stack without end.
const fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

fn push(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        plain if is_plain(plain) => out.push(plain),
        other => escape(out, other),
    }
}

fn escape(out: &mut String, character: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
}

/// Foreign text as part of one line: line breaks and tabs become `\n` and `\t`, and everything
/// that is not plain its number.
#[must_use]
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            escape(&mut out, character);
        } else {
            push(&mut out, character);
        }
    }
    out
}

/// Foreign text of several lines, each safe by itself; the caller marks all but the first, so that
/// none can be taken for a line of ours. Trailing empty lines are dropped.
#[must_use]
pub fn body_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.trim_end().split('\n').map(line).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// A number of bytes, for eyes: `1.5 KiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1_024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1_024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if tenths >= 1_000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [NAME-7]
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
            "\u{34f}",
            "\u{115f}",
            "\u{1160}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
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
    fn marks_do_not_pile_up_over_other_lines() {
        assert_eq!(line("a\u{301}\u{323}e\u{308}"), "a\u{301}\u{323}e\u{308}");
        let hostile = format!("a{}b", "\u{336}".repeat(50));
        let safe = line(&hostile);
        assert_eq!(safe.chars().filter(|character| is_mark(*character)).count(), MARKS_MAX);
        assert!(safe.ends_with("\\u{336}b"), "{safe:?}");
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(line("a\nbob: b\tc"), "a\\nbob: b\\tc");
        assert_eq!(body_lines("a\nb\n\n"), ["a", "b"]);
        assert_eq!(body_lines(""), [""]);
    }
}
