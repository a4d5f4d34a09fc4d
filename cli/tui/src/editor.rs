//! Text that is being written, of one line or several.

use std::ops::Range;

use engine::view::text::is_plain;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::{steady, width, wrap};

/// Text and where the next letter goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Editor {
    text: String,
    /// A byte between two clusters.
    cursor: usize,
    /// At most so many bytes.
    limit: usize,
}

/// How the text stands on the screen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// The text of each row, safe to show.
    pub(crate) rows: Vec<String>,
    /// The row and the column of the cursor.
    pub(crate) cursor: (usize, usize),
}

impl Editor {
    /// An empty one for at most so many bytes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { text: String::new(), cursor: 0, limit }
    }

    /// What was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts a text in place of what was written, with the cursor behind it.
    pub(crate) fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
    }

    /// What was written, which is then gone.
    pub(crate) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Inserts what can be shown of a text, as far as it fits.
    pub(crate) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        for character in text.chars().filter(|c| *c == '\n' || is_plain(*c)) {
            if self.text.len() + character.len_utf8() > self.limit {
                return;
            }
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
    }

    /// A key that edits; whether it was one.
    pub(crate) fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = self.line().start,
            KeyCode::Char('e') if control => self.cursor = self.line().end,
            KeyCode::Char('w') if control => self.cut(self.word_left()..self.cursor),
            KeyCode::Char('u') if control => self.cut(self.line().start..self.cursor),
            KeyCode::Char('h') if control => self.cut(self.left()..self.cursor),
            KeyCode::Char('d') if control => self.cut(self.cursor..self.right()),
            KeyCode::Char('b') if alt => self.cursor = self.word_left(),
            KeyCode::Char('f') if alt => self.cursor = self.word_right(),
            KeyCode::Char('d') if alt => self.cut(self.cursor..self.word_right()),
            KeyCode::Char(character) if !control && !alt => {
                self.insert(character.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Left if control || alt => self.cursor = self.word_left(),
            KeyCode::Right if control || alt => self.cursor = self.word_right(),
            KeyCode::Left => self.cursor = self.left(),
            KeyCode::Right => self.cursor = self.right(),
            KeyCode::Home => self.cursor = self.line().start,
            KeyCode::End => self.cursor = self.line().end,
            KeyCode::Backspace if control || alt => self.cut(self.word_left()..self.cursor),
            KeyCode::Backspace => self.cut(self.left()..self.cursor),
            KeyCode::Delete => self.cut(self.cursor..self.right()),
            _ => return false,
        }
        true
    }

    /// Moves the cursor up or down by one row of so many cells; whether there was one.
    pub(crate) fn row(&mut self, cells_max: usize, down: bool) -> bool {
        let ranges = self.ranges(cells_max);
        let here = self.row_of_cursor(&ranges);
        let there = if down { here + 1 } else { here.wrapping_sub(1) };
        let (Some(from), Some(to)) = (ranges.get(here), ranges.get(there)) else { return false };
        let column = width(&steady(self.part(from.start..self.cursor)));
        let mut used = 0;
        let mut at = to.start;
        for (offset, cluster) in self.part(to.clone()).grapheme_indices(true) {
            at = to.start + offset;
            let wide = width(&steady(cluster));
            if used + wide > column || cluster == "\n" {
                self.cursor = at;
                return true;
            }
            used += wide;
            at += cluster.len();
        }
        self.cursor = at;
        true
    }

    /// How it stands in rows of so many cells.
    pub(crate) fn rows(&self, cells_max: usize) -> Rows {
        let ranges = self.ranges(cells_max);
        let row = self.row_of_cursor(&ranges);
        let start = ranges.get(row).map_or(0, |range| range.start);
        let column = width(&steady(self.part(start..self.cursor)));
        let rows =
            ranges.iter().map(|range| steady(self.part(range.clone()).trim_end_matches('\n'))).collect();
        Rows { rows, cursor: (row, column.min(cells_max)) }
    }

    /// The word that ends at the cursor: where it begins, and what it is.
    pub(crate) fn word(&self) -> (usize, &str) {
        let before = self.part(0..self.cursor);
        let start = before.rfind(char::is_whitespace).map_or(0, |at| {
            at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        (start, self.part(start..self.cursor))
    }

    /// Puts something in place of what stands between `start` and the cursor.
    pub(crate) fn complete(&mut self, start: usize, text: &str) {
        self.cut(start..self.cursor);
        self.insert(text);
    }

    /// The rows as ranges that follow each other; a line break belongs to the row that it ends.
    fn ranges(&self, cells_max: usize) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for line in self.text.split('\n') {
            let wrapped = wrap(line, cells_max);
            ranges.extend(wrapped.into_iter().map(|range| start + range.start..start + range.end));
            start += line.len() + 1;
            if let Some(last) = ranges.last_mut() {
                last.end = start.min(self.text.len());
            }
        }
        ranges
    }

    fn row_of_cursor(&self, ranges: &[Range<usize>]) -> usize {
        ranges.iter().rposition(|range| range.start <= self.cursor).unwrap_or(0)
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    fn line(&self) -> Range<usize> {
        let start = self.part(0..self.cursor).rfind('\n').map_or(0, |at| at + 1);
        let end = self.part(self.cursor..self.text.len()).find('\n');
        start..end.map_or(self.text.len(), |at| self.cursor + at)
    }

    fn cut(&mut self, range: Range<usize>) {
        if self.text.get(range.clone()).is_some() {
            self.cursor = range.start;
            self.text.replace_range(range, "");
        }
    }

    fn left(&self) -> usize {
        self.part(0..self.cursor).grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let mut clusters = self.part(self.cursor..self.text.len()).graphemes(true);
        self.cursor + clusters.next().map_or(0, str::len)
    }

    fn word_left(&self) -> usize {
        let mut words = self.part(0..self.cursor).unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    fn word_right(&self) -> usize {
        let mut words = self.part(self.cursor..self.text.len()).unicode_word_indices();
        words.next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, keys: &[(KeyCode, KeyModifiers)]) {
        for (code, modifiers) in keys {
            assert!(editor.key(KeyEvent::new(*code, *modifiers)), "{code:?}");
        }
    }

    fn written(text: &str) -> Editor {
        let mut editor = Editor::new(1_000);
        editor.insert(text);
        editor
    }

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn keys_edit_by_cluster_by_word_and_by_line() {
        let mut editor = written("hello wörld e\u{301}");
        press(&mut editor, &[(KeyCode::Backspace, NONE)]);
        assert_eq!(editor.text(), "hello wörld ");
        press(&mut editor, &[(KeyCode::Char('w'), CONTROL)]);
        assert_eq!(editor.text(), "hello ");
        press(
            &mut editor,
            &[(KeyCode::Char('a'), CONTROL), (KeyCode::Char('X'), NONE), (KeyCode::Delete, NONE)],
        );
        assert_eq!(editor.text(), "Xello ");
        press(&mut editor, &[(KeyCode::End, NONE), (KeyCode::Char('u'), CONTROL)]);
        assert_eq!(editor.text(), "");
        for key in [KeyCode::Left, KeyCode::Right, KeyCode::Backspace, KeyCode::Delete, KeyCode::Home] {
            press(&mut editor, &[(key, NONE), (key, NONE)]);
        }
        assert!(!editor.key(KeyEvent::new(KeyCode::Enter, NONE)));
        assert!(!editor.key(KeyEvent::new(KeyCode::Char('k'), CONTROL)));
    }

    #[test]
    fn the_cursor_moves_between_rows() {
        let mut editor = written("one two three\n\nfour");
        let rows = editor.rows(8);
        assert_eq!(rows.rows, ["one two ", "three", "", "four"]);
        assert_eq!(rows.cursor, (3, 4));
        let mut seen = Vec::new();
        while editor.row(8, false) {
            seen.push(editor.rows(8).cursor);
        }
        assert_eq!(seen, [(2, 0), (1, 0), (0, 0)]);
        assert!(editor.row(8, true));
        press(&mut editor, &[(KeyCode::End, NONE)]);
        assert_eq!(editor.rows(8).cursor, (1, 5));
        assert!(editor.row(8, true) && editor.row(8, true));
        assert!(!editor.row(8, true), "the last row");
    }

    #[test]
    fn what_is_pasted_holds_nothing_that_cannot_be_shown_and_has_an_end() {
        let editor = written("a\r\nb\rc\td\x1b[2J\u{202e}\0");
        assert_eq!(editor.text(), "a\nb\nc    d[2J");
        let mut small = Editor::new(4);
        small.insert("日本");
        assert_eq!(small.text(), "日");
    }

    #[test]
    fn a_word_is_completed_where_it_stands() {
        let mut editor = written("hi @bo");
        let (start, word) = editor.word();
        assert_eq!(word, "@bo");
        editor.complete(start, "@bob ");
        assert_eq!(editor.text(), "hi @bob ");
        assert_eq!(editor.word().1, "");
    }
}
