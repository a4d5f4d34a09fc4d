//! The specification and the code name the same things: a schema cannot change without its
//! chapter, and a rule cannot stand in one of the two alone.

use std::{collections::BTreeSet, fs};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::tree::{files, report, rust, top};

/// A chapter that rests on a file states its digest in a line `hash: spec/proto/x.proto <hex>`.
#[test]
fn every_schema_is_the_one_that_its_chapter_describes() {
    let mut offences = Vec::new();
    let mut covered = BTreeSet::new();
    for chapter in files(&[".md"]).iter().filter(|file| file.is_in("spec")) {
        for line in chapter.text.lines() {
            let Some(rest) = line.trim_matches('`').strip_prefix("hash: ") else { continue };
            let Some((path, stated)) = rest.trim_end_matches('`').split_once(' ') else { continue };
            covered.insert(path.to_owned());
            let bytes = fs::read(top().join(path)).unwrap_or_default();
            let actual = HEXLOWER.encode(&Sha256::digest(&bytes));
            if stated.trim() != actual {
                offences.push(format!(
                    "{}: {path} is now {actual}; read the chapter again, then restate it",
                    chapter.path
                ));
            }
        }
    }
    for schema in files(&[".proto", ".toml"]).iter().filter(|file| file.is_in("spec")) {
        if !covered.contains(&schema.path) {
            offences.push(format!("no chapter states the hash of {}", schema.path));
        }
    }
    report("chapters and schemas agree", &offences);
}

#[test]
fn every_rule_is_kept_and_tested_and_every_mark_is_a_rule() {
    let mut rules = BTreeSet::new();
    let mut offences = Vec::new();
    let mut stated = BTreeSet::new();
    for chapter in files(&[".md"]).iter().filter(|file| file.is_in("spec") && !file.is_in("spec/decisions")) {
        if chapter.path != "spec/README.md" {
            rules.extend(marks(&chapter.text));
            for rule in chapter.text.split("**[").skip(1).filter_map(|text| text.split("]**").next()) {
                if !stated.insert(rule.to_owned()) {
                    offences.push(format!("{rule} is stated twice, the second time in {}", chapter.path));
                }
            }
        }
    }
    let (mut kept, mut tested) = (BTreeSet::new(), BTreeSet::new());
    for file in rust().iter().filter(|file| !file.is_in("tests/tidy")) {
        let product = if file.is_test() { 0 } else { file.product_lines().count() };
        for (number, line) in file.text.lines().enumerate() {
            if number < product { &mut kept } else { &mut tested }.extend(marks(line));
        }
    }
    let unknown = kept.union(&tested).filter(|mark| !rules.contains(*mark));
    offences.extend(unknown.map(|mark| format!("{mark} is no rule")));
    offences.extend(rules.difference(&kept).map(|rule| format!("no line of the product keeps {rule}")));
    offences.extend(rules.difference(&tested).map(|rule| format!("no test holds {rule}")));
    report("marks and rules", &offences);
}

/// All `[WORD-7]` in a text.
fn marks(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('[') {
        let Some(end) = text[at..].find(']') else { continue };
        let inner = &text[at + 1..at + end];
        let Some((word, number)) = inner.split_once('-') else { continue };
        let is_word = word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_word && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            found.insert(format!("[{inner}]"));
        }
    }
    found
}
