//! Words: comments that read the same in a year, names that mean something, no unfinished marks,
//! and an opening sentence for every file.

use crate::tree::{files, report, rust};

/// A word in a comment that belongs into a commit message or a decision record.
const HISTORY: &[&str] =
    &["no longer", "previously", "used to be", "for now", "as of today", "temporary", "legacy"];

const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "XXX", "TODO"];

const DRAWERS: &[&str] = &["util", "utils", "common", "helpers", "helper", "misc"];

#[test]
fn comments_do_not_tell_history() {
    let mut offences = Vec::new();
    for file in rust().iter().filter(|file| !file.is_in("tests/tidy")) {
        for (n, line) in file.text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let comment = comment.to_lowercase();
            offences.extend(
                HISTORY
                    .iter()
                    .filter(|word| comment.contains(*word))
                    .map(|word| format!("{}:{} says {word:?}", file.path, n + 1)),
            );
        }
    }
    report("comments say why, not what was", &offences);
}

#[test]
fn nothing_is_left_unfinished() {
    let mut offences = Vec::new();
    for file in rust().iter().filter(|file| !file.is_in("tests/tidy")) {
        for (n, line) in file.text.lines().enumerate() {
            offences.extend(
                UNFINISHED
                    .iter()
                    .filter(|mark| line.contains(*mark))
                    .map(|mark| format!("{}:{} has {mark}", file.path, n + 1)),
            );
            if line.contains("#[allow(") || line.contains("#[ignore") {
                offences.push(format!("{}:{} has {}", file.path, n + 1, line.trim()));
            }
        }
    }
    report("unfinished marks, #[allow] and #[ignore] are not used", &offences);
}

#[test]
fn there_are_no_junk_drawers() {
    let offences: Vec<String> = rust()
        .iter()
        .filter(|file| file.path.split('/').any(|part| DRAWERS.contains(&part.trim_end_matches(".rs"))))
        .map(|file| file.path.clone())
        .collect();
    report("a file or folder is named by its subject", &offences);
}

#[test]
fn every_file_says_what_it_is_for() {
    let offences: Vec<String> = rust()
        .iter()
        .filter(|file| !file.text.trim_start_matches("#![no_main]").trim_start().starts_with("//!"))
        .map(|file| file.path.clone())
        .collect();
    report("a file opens with a sentence that says what it decides or does", &offences);
}

#[test]
fn the_repository_speaks_of_the_project_alone() {
    let banned = ["/work/", "artifactory", "subagent", "../shared/", "farm-bench", "farm-studio"];
    let mut offences = Vec::new();
    for file in files(&[".rs", ".md", ".toml", ".proto", ".txt", ".yml", ".service"]) {
        if file.is_in("tests/tidy") {
            continue;
        }
        offences.extend(
            banned
                .iter()
                .filter(|word| file.text.contains(*word))
                .map(|word| format!("{} has {word:?}", file.path)),
        );
    }
    report("no trace of a workplace", &offences);
}
