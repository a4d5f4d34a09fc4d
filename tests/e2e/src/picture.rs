//! A picture of a terminal: the cells that were captured, with their colours, as SVG.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Width and height of a cell, in pixels.
const CELL: (f32, f32) = (8.4, 18.0);
/// What lies around the cells.
const MARGIN: f32 = 14.0;
/// What parts two panes.
const UPRIGHT: &str = "│";
const UPRIGHT_LETTER: char = '│';
const LETTERS: &str = "#d8dee9";
const GROUND: &str = "#16181d";

/// The sixteen colours, as a scheme of low contrast has them.
const COLOURS: [&str; 16] = [
    "#22262e", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#6b7280",
    "#ff7b86", "#b5e890", "#ffd68a", "#82c4ff", "#dd9bf0", "#7fdbe6", "#ffffff",
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    letters: Option<usize>,
    ground: Option<usize>,
    bold: bool,
    dim: bool,
    underlined: bool,
    reversed: bool,
}

/// Letters of one look that stand together in a row.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    column: usize,
    cells: usize,
    text: String,
    look: Look,
}

/// Draws what a terminal of so many columns shows, captured with its escape sequences.
#[must_use]
pub fn svg(captured: &str, columns: u16, title: &str) -> String {
    let rows: Vec<&str> = captured.lines().collect();
    let width = f32::from(columns) * CELL.0 + 2.0 * MARGIN;
    let height = rows.iter().map(|_| CELL.1).sum::<f32>() + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" xml:space=\"preserve\">\n",
        escaped(title)
    );
    let mut look = Look::default();
    let mut top = MARGIN;
    for row in rows {
        let (runs, after) = runs(row, look);
        look = after;
        for run in &runs {
            draw(&mut svg, run, top);
        }
        top += CELL.1;
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn draw(svg: &mut String, run: &Run, top: f32) {
    let pixels = |cells: usize| f32::from(u16::try_from(cells).unwrap_or(u16::MAX)) * CELL.0;
    let (x, wide) = (MARGIN + pixels(run.column), pixels(run.cells));
    let colour =
        |index: Option<usize>, none| index.and_then(|index| COLOURS.get(index)).copied().unwrap_or(none);
    let mut letters = colour(run.look.letters, LETTERS);
    let mut ground = colour(run.look.ground, GROUND);
    if run.look.reversed {
        (letters, ground) = (ground, letters);
    }
    if ground != GROUND {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{ground}\"/>",
            CELL.1
        );
    }
    if run.text.trim().is_empty() {
        return;
    }
    if run.text == UPRIGHT {
        // The letter of a font leaves a gap to the next row.
        let (middle, high) = (x + CELL.0 / 2.0, CELL.1);
        let _ = writeln!(svg, "<path d=\"M{middle:.1} {top:.1}v{high}\" stroke=\"{letters}\"/>");
        return;
    }
    let mut style = String::new();
    if run.look.bold {
        style.push_str(" font-weight=\"bold\"");
    }
    if run.look.dim {
        style.push_str(" opacity=\"0.6\"");
    }
    if run.look.underlined {
        style.push_str(" text-decoration=\"underline\"");
    }
    let base = top + CELL.1 * 0.75;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{letters}\"{style}>{}</text>",
        escaped(&run.text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A row in pieces of one look each; and the look that holds behind it.
fn runs(row: &str, mut look: Look) -> (Vec<Run>, Look) {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    let mut rest = row.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            let sequence: String = rest.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
            look = changed(look, sequence.trim_start_matches('['));
            continue;
        }
        let cells = character.width().unwrap_or(0);
        match runs.last_mut() {
            // Wide letters stand alone, so that each comes to stand on its own cells; lines are drawn.
            Some(last)
                if last.look == look
                    && character != UPRIGHT_LETTER
                    && last.text != UPRIGHT
                    && (cells == 0 || (cells == 1 && last.cells == last.text.chars().count())) =>
            {
                last.text.push(character);
                last.cells += cells;
            }
            _ => runs.push(Run { column, cells, text: character.to_string(), look }),
        }
        column += cells;
    }
    (runs, look)
}

/// What a sequence of SGR numbers makes of a look.
fn changed(mut look: Look, numbers: &str) -> Look {
    let mut numbers = numbers.split([';', ':']).map(|number| number.parse::<usize>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        match number {
            0 => look = Look::default(),
            1 => look.bold = true,
            2 => look.dim = true,
            4 => look.underlined = true,
            7 => look.reversed = true,
            22 => (look.bold, look.dim) = (false, false),
            24 => look.underlined = false,
            27 => look.reversed = false,
            30..=37 => look.letters = Some(number - 30),
            39 => look.letters = None,
            40..=47 => look.ground = Some(number - 40),
            49 => look.ground = None,
            90..=97 => look.letters = Some(number - 82),
            100..=107 => look.ground = Some(number - 92),
            38 | 48 => {
                let index = numbers.next().filter(|kind| *kind == 5).and_then(|_| numbers.next());
                if number == 38 {
                    look.letters = index;
                } else {
                    look.ground = index;
                }
            }
            _ => {}
        }
    }
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_keep_their_place_and_their_look() {
        let (found, after) = runs("a\u{1b}[1;32mbc\u{1b}[0m 日本\u{1b}[7mx", Look::default());
        let places: Vec<(usize, &str)> = found.iter().map(|run| (run.column, run.text.as_str())).collect();
        assert_eq!(places, [(0, "a"), (1, "bc"), (3, " "), (4, "日"), (6, "本"), (8, "x")]);
        assert_eq!(found[1].look, Look { letters: Some(2), bold: true, ..Look::default() });
        assert!(after.reversed);
    }

    #[test]
    fn a_line_between_panes_has_no_gaps() {
        let picture = svg("a │b\n│", 4, "");
        assert_eq!(picture.matches("<path d=").count(), 2, "{picture}");
        assert!(!picture.contains('│') && picture.contains(">a </text>") && picture.contains(">b</text>"));
    }

    #[test]
    fn a_picture_holds_text_and_nothing_else_of_what_was_captured() {
        let picture = svg("<b>&\u{1b}[91mred\u{1b}[39m", 20, "a < b");
        assert!(picture.contains("&lt;b&gt;&amp;") && picture.contains("a &lt; b"), "{picture}");
        assert!(picture.contains(&format!("fill=\"{}\"", COLOURS[9])) && !picture.contains('\u{1b}'));
    }
}
