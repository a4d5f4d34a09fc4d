//! Commands and what they show, as they stand in the blocks of a Markdown page whose fence says
//! `console`.
//!
//! A line `$ command` is typed, and so is `bob$ command` by bob and `# command` by root; lines
//! behind it that begin with `> ` go on with it. The other lines are what is shown: `…` stands for
//! any text, and alone on a line for any lines; `‹words›` at the end of a line is what the person
//! types there, `^C` is that key, which ends a command that would stay, and `[7]` says with which
//! code the command ends if not with 0.

use anyhow::{Result, bail, ensure};

/// A code block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its fence, from 1.
    pub line: usize,
    /// The words behind its fence.
    pub info: Vec<String>,
    /// Its lines.
    pub text: Vec<String>,
}

/// A command and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its line on the page, from 1.
    pub line: usize,
    /// Who types it: empty, a name, or `#`.
    pub who: String,
    /// What is typed.
    pub command: String,
    /// What is shown, with answers and keys.
    pub shown: Vec<String>,
    /// With what it ends.
    pub code: i32,
}

/// The blocks of a page, in their order. Those in a comment (`<!-- … -->`) count too.
///
/// # Errors
/// If one is not closed.
pub fn blocks(page: &str) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(info)) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { line, info, text: Vec::new() });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.push(text.to_owned()),
            (None, None) => (),
        }
    }
    ensure!(open.is_none(), "{open:?} is not closed");
    Ok(blocks)
}

/// The steps of a block.
///
/// # Errors
/// If something is shown before the first command.
pub fn steps(block: &Block) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in (block.line + 1..).zip(&block.text) {
        if let Some((who, command)) = typed(text) {
            steps.push(Step { line, who, command, shown: Vec::new(), code: 0 });
            continue;
        }
        let Some(step) = steps.last_mut() else { bail!("line {line}: nothing was typed that shows this") };
        match (text.strip_prefix("> "), exit(text)) {
            (Some(more), _) if step.shown.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more);
            }
            (_, Some(code)) => step.code = code,
            _ => step.shown.push(text.clone()),
        }
    }
    Ok(steps)
}

fn typed(text: &str) -> Option<(String, String)> {
    if let Some(command) = text.strip_prefix("# ") {
        return Some(("#".to_owned(), command.to_owned()));
    }
    let (who, command) = text.split_once("$ ")?;
    who.chars().all(|character| character.is_ascii_lowercase()).then(|| (who.to_owned(), command.to_owned()))
}

fn exit(text: &str) -> Option<i32> {
    text.strip_prefix('[')?.split_once(']')?.0.parse().ok()
}

impl Step {
    /// What is typed while the command runs: behind which lines, and what. The last of those lines is
    /// the question, or complete before a key.
    #[must_use]
    pub fn typed(&self) -> Vec<(Vec<String>, String)> {
        let mut typed = Vec::new();
        for (n, line) in self.shown.iter().enumerate() {
            let mut before = questions(&self.shown[..n]);
            if is_key(line) {
                typed.push((before, line.clone()));
            } else if let Some((question, answer)) = answered(line) {
                before.push(question.to_owned());
                typed.push((before, answer.to_owned()));
            }
        }
        typed
    }

    /// The lines that are shown, without what is typed.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        questions(&self.shown)
    }
}

fn questions(lines: &[String]) -> Vec<String> {
    let shown = lines.iter().filter(|line| !is_key(line));
    shown.map(|line| answered(line).map_or(line.as_str(), |(question, _)| question).to_owned()).collect()
}

fn is_key(line: &str) -> bool {
    key(line).is_some()
}

/// The byte of `^C` and its like.
#[must_use]
pub fn key(line: &str) -> Option<u8> {
    match line.as_bytes() {
        [b'^', letter @ b'A'..=b'Z'] => Some(letter - b'@'),
        _ => None,
    }
}

fn answered(line: &str) -> Option<(&str, &str)> {
    let (question, answer) = line.strip_suffix('›')?.rsplit_once('‹')?;
    Some((question.trim_end(), answer))
}

/// Whether what is shown is what should be.
#[must_use]
pub fn fits(wanted: &[String], shown: &[String]) -> bool {
    let Some((first, wanted_rest)) = wanted.split_first() else { return shown.is_empty() };
    if first.trim() == "…" {
        return (0..=shown.len()).any(|skipped| fits(wanted_rest, &shown[skipped..]));
    }
    let Some((line, shown_rest)) = shown.split_first() else { return false };
    line_fits(first, line) && fits(wanted_rest, shown_rest)
}

/// Whether the first of what is shown is what should be.
#[must_use]
pub fn begins(wanted: &[String], shown: &[String]) -> bool {
    (0..=shown.len()).any(|end| fits(wanted, &shown[..end]))
}

/// Columns are as wide as what varies: one space is as good as several.
fn line_fits(wanted: &str, shown: &str) -> bool {
    let narrow = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (wanted, shown) = (narrow(wanted), narrow(shown));
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = shown.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_varies_is_left_out_and_nothing_else() {
        assert!(line_fits("ok … in … ms", "ok   #ops in 12 ms"));
        assert!(!line_fits("ok … in … ms", "ok #ops in 12 s"));
        assert!(line_fits("all", "all") && !line_fits("all", "all of it"));
        assert!(fits(&texts(&["a", "…", "z"]), &texts(&["a", "b", "c", "z"])));
        assert!(fits(&texts(&["a", "…", "z"]), &texts(&["a", "z"])));
        assert!(!fits(&texts(&["a", "z"]), &texts(&["a", "b", "z"])));
        assert!(begins(&texts(&["a"]), &texts(&["a", "b"])) && !begins(&texts(&["b"]), &texts(&["a", "b"])));
    }

    #[test]
    fn a_block_is_who_types_what_and_sees_what() {
        let page = "text\n```console package\nbob$ go \\\n> on\nreally? ‹yes›\nwent …\n^C\n[130] by hand\n# stop\n```\n";
        let blocks = blocks(page).expect("closed");
        assert_eq!((blocks.len(), blocks[0].line, &blocks[0].info), (1, 2, &texts(&["console", "package"])));
        let steps = steps(&blocks[0]).expect("steps");
        assert_eq!((steps[0].who.as_str(), steps[0].code), ("bob", 130));
        assert_eq!(steps[0].command, "go \\\non");
        assert_eq!(steps[0].lines(), ["really?", "went …"]);
        let typed = steps[0].typed();
        assert_eq!(typed[0], (texts(&["really?"]), "yes".to_owned()));
        assert_eq!(typed[1], (texts(&["really?", "went …"]), "^C".to_owned()));
        assert_eq!((steps[1].who.as_str(), steps[1].line), ("#", 9));
        assert!(super::blocks("```console\n$ x\n").is_err());
    }
}
