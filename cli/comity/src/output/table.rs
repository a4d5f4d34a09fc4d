//! Lists: aligned with a heading on a terminal; tab-separated without one in a pipe.

use super::{Label, Paper};

/// One row of a list; serialises to one JSON object.
pub(crate) trait Row: serde::Serialize {
    /// The fields of the JSON object; held against the serialisation by a test.
    const FIELDS: &'static [&'static str];
    /// The headings of the columns.
    const COLUMNS: &'static [&'static str];

    /// The cells, as many as there are columns; sanitised where somebody else wrote them. The
    /// label colours the cell on a terminal.
    fn cells(&self, paper: &Paper) -> Vec<(Label, String)>;
}

/// What a `list` verb returns.
#[derive(Debug)]
pub(crate) struct List<T> {
    /// The rows, in order.
    pub(crate) rows: Vec<T>,
    /// What is said on stderr when there are none.
    pub(crate) empty: &'static str,
}

impl<T: Row> List<T> {
    /// Writes the rows as text.
    pub(crate) fn show(&self, paper: &mut Paper) {
        let rows: Vec<Vec<(Label, String)>> = self.rows.iter().map(|row| row.cells(paper)).collect();
        if !paper.terminal() {
            for row in &rows {
                let cells: Vec<&str> = row.iter().map(|(_, cell)| cell.as_str()).collect();
                paper.line(&cells.join("\t"));
            }
            return;
        }
        if rows.is_empty() {
            return;
        }
        let widths = widths(T::COLUMNS, &rows);
        let heading: Vec<(Label, String)> =
            T::COLUMNS.iter().map(|name| (Label::Dim, (*name).to_owned())).collect();
        aligned(paper, &heading, &widths);
        for row in &rows {
            aligned(paper, row, &widths);
        }
    }
}

fn widths(columns: &[&str], rows: &[Vec<(Label, String)>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, (_, cell)) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

fn aligned(paper: &mut Paper, row: &[(Label, String)], widths: &[usize]) {
    let mut line = String::new();
    let last = row.len().saturating_sub(1);
    for (index, ((label, cell), width)) in row.iter().zip(widths).enumerate() {
        line.push_str(&paper.paint(*label, cell));
        if index < last {
            let fill = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', fill));
        }
    }
    paper.line(&line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    #[derive(serde::Serialize)]
    struct Pair(&'static str, &'static str);

    impl Row for Pair {
        const FIELDS: &'static [&'static str] = &[];
        const COLUMNS: &'static [&'static str] = &["LEFT", "RIGHT"];

        fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
            vec![(Label::Id, self.0.to_owned()), (Label::Dim, self.1.to_owned())]
        }
    }

    #[test]
    fn aligned_for_eyes_and_separated_for_pipes() {
        let list = List { rows: vec![Pair("a", "b"), Pair("longer", "c")], empty: "" };
        let mut eyes = Paper::new(Style::new(false), true, 0);
        list.show(&mut eyes);
        assert_eq!(eyes.into_text(), "LEFT    RIGHT\na       b\nlonger  c\n");
        let mut pipe = Paper::new(Style::new(false), false, 0);
        list.show(&mut pipe);
        assert_eq!(pipe.into_text(), "a\tb\nlonger\tc\n");
    }
}
