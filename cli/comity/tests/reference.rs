//! The whole command line as one file: a change of it is seen in review. `UPDATE_EXPECT=1` writes
//! it anew.

use std::{fs, path::Path, process::Command};

#[test]
fn the_reference_is_the_one_that_was_reviewed() {
    let output = Command::new(env!("CARGO_BIN_EXE_comity"))
        .args(["util", "reference"])
        .env("COLUMNS", "37")
        .output()
        .expect("comity runs");
    assert!(output.status.success());
    let now = String::from_utf8(output.stdout).expect("text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &now).expect("written");
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    let difference = now.lines().zip(reviewed.lines()).find(|(now, reviewed)| now != reviewed);
    assert!(now == reviewed, "the command line changed, first at {difference:?}; UPDATE_EXPECT=1 accepts it");
}

#[test]
fn a_program_reads_the_reference_as_one_object_to_a_command() {
    let reference = |json: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_comity"))
            .args([&["util", "reference"], json].concat())
            .output()
            .expect("comity runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (_, for_eyes) = reference(&[]);
    let (_, lines) = reference(&["--json"]);
    let pages: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("an object to a line")).collect();
    let text = |page: &serde_json::Value, field: &str| page[field].as_str().expect("text").to_owned();
    let again =
        pages.iter().map(|page| format!("==== {}\n\n{}\n", text(page, "command"), text(page, "help")));
    assert_eq!(again.collect::<String>(), for_eyes);
    let about =
        |command: &str| pages.iter().find(|page| page["command"] == command).map(|page| text(page, "about"));
    assert_eq!(about("comity send").as_deref(), Some("Send a message"));
    assert_eq!(reference(&["--json=money"]).0, Some(2), "no such field");
}
