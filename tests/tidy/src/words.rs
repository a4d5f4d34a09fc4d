//! Words: comments that read the same in a year, names that mean something, no unfinished marks,
//! and an opening sentence for every file.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::tree::{files, report, rust};

/// A word in a comment that belongs into a commit message or a decision record.
const HISTORY: &[&str] =
    &["no longer", "previously", "used to be", "for now", "as of today", "temporary", "legacy"];

const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "XXX", "TODO"];

const DRAWERS: &[&str] = &["util", "utils", "common", "helpers", "helper", "misc"];

/// SHA-256 of words that say nothing of the project.
const FOREIGN: &[&str] = &[
    "0d1824fcb31d074086d0bd878e3096a5a16d0cd77b9f9565c2db0e4a09c14c78",
    "216d3696f4fb08b160f52aa7a160dbcfaf7e92657f4eb99b904f4cd7a4ef4d5d",
    "8cf10d1b0e07c1d834fb2f8253711c3c0c46d3e8391195d08812692c1e067642",
    "94a168d2da574b00ec6c787377278465271cf2b97e68af076fc3eee87eba8664",
    "ba20768a02ee5327edff9b2a76019c7b12290a226b93b261d576c7eb7e5cd016",
    "d298391b07433318a02bd922ed5b90112a4302606c4928b54e3fb1c18130d92e",
    "fbb8037df8cc90503026c4dfd1faae09d040aeb3ecceab2df6411ae608e5e394",
];

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
    let mut offences = Vec::new();
    let mut judged = BTreeMap::new();
    for file in files(&[".rs", ".md", ".toml", ".proto", ".txt", ".yml", ".service"]) {
        let text = file.text.to_lowercase();
        let words: BTreeSet<&str> = words(&text).collect();
        let is_foreign = |word: &&str| *judged.entry((*word).to_owned()).or_insert_with(|| is_foreign(word));
        let foreign = words.into_iter().filter(is_foreign);
        offences.extend(foreign.map(|word| format!("{} has {word:?}", file.path)));
    }
    report("no word is foreign to the project", &offences);
}

/// The words of a text in lower case, and those between two slashes once more with these.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let between = text.match_indices('/').filter_map(move |(at, _)| {
        let after = &text[at + 1..];
        let length = after.find(|c| !is_part(c))?;
        after[length..].starts_with('/').then(|| &text[at..at + length + 2])
    });
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty()).chain(between)
}

fn is_foreign(word: &str) -> bool {
    FOREIGN.contains(&HEXLOWER.encode(&Sha256::digest(word)).as_str())
}

#[test]
fn words_are_found_in_a_text() {
    let found: Vec<&str> = words("see /usr/lib/x, well-known").collect();
    assert_eq!(found, ["see", "usr", "lib", "x", "well-known", "/usr/", "/lib/"]);
}
