//! Reads the files of the repository that the laws are about.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A text file and its path from the top of the repository, with `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The lines before the unit tests, numbered from 1.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .enumerate()
            .map(|(n, line)| (n + 1, line))
    }

    /// Whether the whole file is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.is_in("tests")
            || self.path.contains("/tests/")
            || self.path.contains("/examples/")
            || self.name() == "tests.rs"
            || self.name().ends_with("_test.rs")
    }
}

pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files below the top with one of these endings, build output and hidden folders left out.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    walk(&top(), "", endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 1, "no files found below {}", top().display());
    found
}

pub(crate) fn rust() -> Vec<File> {
    files(&[".rs"])
}

fn walk(folder: &Path, path: &str, endings: &[&str], found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let entry = entry.expect("readable entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let inner = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir()
            && !name.starts_with('.')
            && !["target", "node_modules", "dist", "corpus"].contains(&&*name)
        {
            walk(&entry.path(), &inner, endings, found);
        } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            found.push(File { path: inner, text });
        }
    }
}

/// Fails with all the offences at once.
pub(crate) fn report(law: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{law}:\n  {}", offences.join("\n  "));
}
