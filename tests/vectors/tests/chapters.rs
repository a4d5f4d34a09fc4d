//! The chapters of the two lists say something about every row.

use std::fs;

use vectors::case;
use wire::ErrorCode;

#[cfg(test)]
fn spec(name: &str) -> String {
    fs::read_to_string(case::folder().join("..").join(name)).expect("a file of the specification")
}

#[test]
fn every_error_stands_in_chapter_10_as_in_the_list() {
    let chapter = spec("10-errors.md");
    for error in ErrorCode::ALL {
        let retry = if error.retryable() { "yes " } else { "" };
        let row = format!(
            "| `{}` | {:#x} | {} | {} | {retry}| {} |",
            error.name(),
            error.code(),
            error.http(),
            error.exit(),
            error.meaning()
        );
        assert!(chapter.contains(&row.replace("| |", "|  |")), "chapter 10 lacks: {row}");
    }
}

#[test]
fn every_limit_has_its_consequence_in_chapter_11() {
    let chapter = spec("11-limits.md");
    let limits = spec("limits.toml");
    let names = limits.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let missing: Vec<&str> = names.filter(|name| !chapter.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "chapter 11 lacks {missing:?}");
}
