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

/// The words of the first call of `comity` in a line of a shell, without what is done with its output.
fn call(line: &str) -> Option<Vec<String>> {
    let from = line.find("comity ")?;
    let (mut words, mut quoted) = (vec![String::new()], false);
    for letter in line[from..].replace("$(cat umbrella.txt)", &"0f".repeat(32)).chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            '|' | '>' if !quoted => break,
            letter => words.last_mut()?.push(letter),
        }
    }
    words.retain(|word| !word.is_empty() && !word.starts_with("--json"));
    Some(words.split_off(1))
}

#[test]
fn the_reference_names_the_fields_that_each_verb_has() {
    let home = tempfile::tempdir().expect("a directory");
    let run = |args: &[String]| {
        Command::new(env!("CARGO_BIN_EXE_comity"))
            .args(args)
            .env("COMITY_HOME", home.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("comity runs")
    };
    let lines = run(&["util", "reference", "--json"].map(str::to_owned)).stdout;
    let lines = String::from_utf8(lines).expect("text");
    let pages: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("an object to a line")).collect();
    let command = |page: &serde_json::Value| page["command"].as_str().expect("text").to_owned();
    let names: Vec<String> = pages.iter().map(command).collect();
    let mut asked = 0;
    for page in &pages {
        let verb = command(page);
        if names.iter().any(|name| name.starts_with(&format!("{verb} "))) {
            continue;
        }
        let fields: Vec<&str> =
            page["fields"].as_array().expect("a list").iter().filter_map(|field| field.as_str()).collect();
        // One is for eyes, the other writes a script.
        if ["comity tui", "comity util completion"].contains(&verb.as_str()) {
            assert_eq!(fields, [""; 0], "{verb}");
            continue;
        }
        let (_, help) =
            page["help"].as_str().and_then(|help| help.split_once("Examples:")).expect("examples");
        let examples = help.lines().filter_map(|line| line.strip_prefix("  "));
        let call = examples.filter(|line| !line.starts_with('#')).find_map(call).expect("an example");
        let output = run(&[vec!["--json=zzz".to_owned()], call].concat());
        let error = String::from_utf8(output.stderr).expect("text");
        let said: serde_json::Value =
            serde_json::from_str(error.trim()).unwrap_or_else(|_| panic!("{verb} says {error:?}"));
        assert_eq!(output.status.code(), Some(2), "{verb}: {error}");
        let expected = format!("its fields are: {}", fields.join(", "));
        assert_eq!(said["error"]["hint"].as_str(), Some(expected.as_str()), "{verb}");
        asked += 1;
    }
    assert!(asked > 80, "{asked}");
}
