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
