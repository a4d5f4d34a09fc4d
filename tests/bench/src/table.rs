//! The table of all figures, each beside what was wanted and what Prosody reaches.

use std::fmt;

use crate::figure::show;

/// One line.
struct Row {
    letter: char,
    what: String,
    value: String,
    wanted: &'static str,
    prosody: &'static str,
    note: &'static str,
}

/// All lines.
pub(crate) struct Table {
    rows: Vec<Row>,
    runs: usize,
}

impl Table {
    pub(crate) const fn new(runs: usize) -> Self {
        Self { rows: Vec::new(), runs }
    }

    /// Adds a figure. `beside` is what was wanted, what Prosody reaches, and what to know.
    pub(crate) fn add(
        &mut self,
        letter: char,
        what: impl Into<String>,
        (value, unit): (f64, &str),
        [wanted, prosody, note]: [&'static str; 3],
    ) {
        let value = format!("{} {unit}", show(value));
        let what = what.into();
        crate::say(&format!("   {what}: {value}"));
        self.rows.push(Row { letter, what, value, wanted, prosody, note });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.letter);
        let head = ["", "measured", "Comity", "wanted", "Prosody 0.12", "remark"].map(str::to_owned);
        let lines: Vec<[String; 6]> = std::iter::once(head)
            .chain(rows.iter().map(|row| {
                let letter = row.letter.to_string();
                let (what, value) = (row.what.clone(), row.value.clone());
                [letter, what, value, row.wanted.to_owned(), row.prosody.to_owned(), row.note.to_owned()]
            }))
            .collect();
        let width = |column: usize| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        for line in &lines {
            for (column, cell) in line.iter().enumerate() {
                let pad = if column == 5 { 0 } else { width(column) };
                write!(f, "{cell:pad$}  ")?;
            }
            writeln!(f)?;
        }
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let runs = self.runs;
        writeln!(
            f,
            "\nMedians of {runs} runs on this machine with {cores} cores; nodes, clients and measuring share them."
        )?;
        writeln!(
            f,
            "Every node commits with fdatasync before it acknowledges. Prosody 0.12 was measured on a 2-core"
        )?;
        write!(f, "machine of this kind, without fsync and without end-to-end encryption.")
    }
}
