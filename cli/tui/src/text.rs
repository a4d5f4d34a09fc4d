//! Text in cells: what is put on the screen is measured as the screen measures it, and whatever
//! terminals do not agree about is taken out before.

use std::{ops::Range, path::Path};

use engine::view::text;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// What a tab is shown as, outside of names.
const TAB: &str = "    ";

/// [NAME-7] Foreign text as a part of one line: harmless, and of a width that every terminal finds
/// the same. Joined and coloured emoji are shown as their parts without the joints, flags as letters.
pub(crate) fn steady(foreign: &str) -> String {
    text::line(foreign).chars().filter_map(same_everywhere).collect()
}

/// The name of a file, as a part of one line: who made the file may have chosen it.
pub(crate) fn file_name(path: &Path) -> String {
    steady(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

/// Foreign text of several lines, each as [`steady`] makes it.
pub(crate) fn steady_lines(foreign: &str) -> Vec<String> {
    text::body_lines(&foreign.replace('\t', TAB)).iter().map(|line| steady(line)).collect()
}

/// A character as terminals agree to show it; `None` if they do not.
fn same_everywhere(character: char) -> Option<char> {
    match character {
        // Joiners, variation selectors and skin tones change how wide a cluster is on some terminals.
        '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{1f3fb}'..='\u{1f3ff}' => None,
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32(u32::from(character) - 0x1_f1e6 + u32::from('A')),
        other => Some(other),
    }
}

/// Cells that a text takes, as the screen counts them.
pub(crate) fn width(text: &str) -> usize {
    text.graphemes(true).map(cells).sum()
}

/// Cells of one cluster; those that show nothing are not drawn.
pub(crate) fn cells(cluster: &str) -> usize {
    cluster.width()
}

/// The beginning of a text that fits, with a mark if something is left out.
pub(crate) fn clip(text: &str, cells_max: usize, unicode: bool) -> String {
    if width(text) <= cells_max {
        return text.to_owned();
    }
    let mark = if unicode { "…" } else { "~" };
    let Some(room) = cells_max.checked_sub(1) else { return String::new() };
    let mut taken = 0;
    let mut out = String::new();
    for cluster in text.graphemes(true) {
        taken += cells(cluster);
        if taken > room {
            break;
        }
        out.push_str(cluster);
    }
    out.push_str(mark);
    out
}

/// A text padded with blanks to a width, or clipped to it.
pub(crate) fn fitted(text: &str, cells_wanted: usize, unicode: bool) -> String {
    let mut out = clip(text, cells_wanted, unicode);
    let missing = cells_wanted.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Breaks one line of text into lines of at most so many cells, between words where there are any.
/// The ranges follow each other without a gap; the blank at which a line is broken may stand over
/// its end.
pub(crate) fn wrap(text: &str, cells_max: usize) -> Vec<Range<usize>> {
    let cells_max = cells_max.max(2);
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0);
    // Behind the last blank of this line: where, and how many cells stand before it.
    let mut blank: Option<(usize, usize)> = None;
    for (at, cluster) in text.grapheme_indices(true) {
        let wide = cells(cluster);
        let end = at + cluster.len();
        let is_blank = cluster.chars().all(char::is_whitespace);
        if used + wide > cells_max {
            if is_blank {
                lines.push(start..end);
                (start, used, blank) = (end, 0, None);
                continue;
            }
            match blank.take() {
                Some((behind, before)) => {
                    lines.push(start..behind);
                    start = behind;
                    used -= before;
                }
                None => {
                    lines.push(start..at);
                    start = at;
                    used = 0;
                }
            }
        }
        used += wide;
        if is_blank {
            blank = Some((end, used));
        }
    }
    lines.push(start..text.len());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, cells_max: usize) -> Vec<&str> {
        wrap(text, cells_max).into_iter().map(|range| text[range].trim_end()).collect()
    }

    #[test]
    fn lines_are_broken_between_words_and_long_words_anywhere() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("日本語テキスト", 5), ["日本", "語テ", "キス", "ト"]);
        assert_eq!(wrapped("a 日本語", 5), ["a", "日本", "語"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("x      y", 3), ["x", "", "y"]);
        assert_eq!(wrapped("ab", 0), ["ab"]);
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_too_wide() {
        let samples =
            ["a bc  def 日本 語", "👩‍👩‍👧👍🏽 e\u{301}e\u{301}", "      ", "wort\u{300}\u{301}lang und so weiter"];
        for text in samples {
            for cells_max in 2..12 {
                let ranges = wrap(text, cells_max);
                assert_eq!(ranges.iter().map(|range| &text[range.clone()]).collect::<String>(), text);
                for range in ranges {
                    assert!(width(text[range].trim_end()) <= cells_max, "{text:?} {cells_max}");
                }
            }
        }
    }

    // [NAME-7]
    #[test]
    fn every_cluster_has_the_width_of_its_characters_on_any_terminal() {
        use unicode_width::UnicodeWidthChar as _;
        for (foreign, shown) in [
            ("👩‍👩‍👧", "👩👩👧"),
            ("❤\u{fe0f}", "❤"),
            ("👍🏽", "👍"),
            ("🇩🇪", "DE"),
            ("a\tb", "a\\tb"),
            ("日本", "日本"),
            ("e\u{301}", "e\u{301}"),
        ] {
            let safe = steady(foreign);
            assert_eq!(safe, shown);
            let plain: usize = safe.chars().map(|character| character.width().unwrap_or(9)).sum();
            assert_eq!(plain, width(&safe), "{foreign}");
        }
        assert_eq!(steady_lines("a\tb\n\x1b[2Jc\r\n"), ["a    b", "\\u{1b}[2Jc"]);
    }

    #[test]
    fn a_clipped_text_fits_and_says_so() {
        assert_eq!(clip("bob@umbrella.test", 8, true), "bob@umb…");
        assert_eq!(clip("日本語", 4, false), "日~");
        assert_eq!(clip("abc", 3, true), "abc");
        assert_eq!(clip("abc", 0, true), "");
        assert_eq!(width(&fitted("日本語", 4, true)), 4);
        assert_eq!(fitted("a", 3, true), "a  ");
    }
}
