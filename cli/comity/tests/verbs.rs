//! What people do with messages, rooms, contacts and their own account, against a real node.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use house::{House, text};
use serde_json::Value;

/// How long a program that hangs may do so.
const PATIENCE: Duration = Duration::from_secs(120);

fn object(text: &str) -> Value {
    serde_json::from_str(text).expect("one object")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object to a line")).collect()
}

impl House {
    /// A group of alice and bob in which alice has said something; its place there.
    fn ops(&self) -> String {
        self.says("alice", &["room", "create", "ops", "bob@acme.test"], 0);
        let sent = self.says("alice", &["send", "#ops", "at nine", "--wait", "ordered", "--json"], 0);
        format!("@{}", object(&sent)["seq"])
    }

    /// Runs as somebody with this on stdin.
    fn pipes(&self, name: &str, args: &[&str], stdin: &[u8]) -> std::process::Output {
        let mut command = self.command(&[&["--as", name], args].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("a pipe").write_all(stdin).expect("written");
        child.wait_with_output().expect("it ends")
    }
}

#[test]
fn a_message_is_changed_found_reacted_to_and_taken_back() {
    let house = House::new();
    let at = house.ops();
    let shown = |name: &str| object(&house.says(name, &["message", "show", "#ops", &at, "--json"], 0));
    house.says("bob", &["message", "react", "#ops", &at, "👍", "--wait", "ordered"], 0);
    house.says("alice", &["message", "edit", "#ops", &at, "at ten", "--wait", "ordered"], 0);
    for name in ["alice", "bob"] {
        let message = shown(name);
        assert_eq!((&message["text"], &message["edited"]), (&"at ten".into(), &true.into()), "{message}");
        assert_eq!(message["reactions"][0]["by"][0], "bob@acme.test", "{message}");
    }
    let found = |words: &[&str]| {
        let all = [&["message", "search"], words, &["--json=text,seq"]].concat();
        house.says("bob", &all, 0)
    };
    assert!(found(&["TEN"]).contains("at ten"));
    assert_eq!(found(&["nine"]), "", "the first text is not what it says now");
    assert_eq!(found(&["ten", "--from", "bob@acme.test"]), "");
    assert_eq!(found(&["te%"]), "", "words, not patterns");

    house.says("bob", &["message", "react", "#ops", &at, "👍", "--remove", "--wait", "ordered"], 0);
    assert_eq!(shown("alice")["reactions"], Value::Array(Vec::new()));
    house.says("bob", &["message", "edit", "#ops", &at, "mine"], 5);
    house.says("bob", &["message", "redact", "#ops", &at], 5);
    let id = shown("alice")["id"].as_str().expect("an id").to_owned();
    house.says("alice", &["message", "redact", "#ops", &id[..8], "--wait", "ordered"], 0);
    assert_eq!(shown("bob")["kind"], "deleted");
    assert_eq!(found(&["ten"]), "");
    house.says("alice", &["message", "edit", "#ops", &at, "again"], 2);
    house.says("alice", &["message", "react", "#ops", &at, "x"], 2);
    house.says("alice", &["message", "show", "#ops", "@999"], 3);
    house.says("alice", &["message", "show", "#ops", "ffffffff"], 3);
    house.says("alice", &["message", "show", "#none", &at], 3);
}

#[test]
fn receipts_say_who_has_read_and_answers_name_what_they_answer() {
    let house = House::new();
    let at = house.ops();
    let level = || house.says("alice", &["message", "receipts", "#ops", &at, "--json"], 0);
    assert!(!level().contains(r#""level":"read""#), "{}", level());
    house.says("bob", &["read", "#ops"], 0);
    house.says("bob", &["send", "#ops", "yes", "--reply-to", &at, "--wait", "ordered"], 0);
    assert_eq!(level(), "{\"account\":\"bob@acme.test\",\"level\":\"read\"}\n");
    let all = lines(&house.says("alice", &["message", "list", "#ops", "--json=text,reply_to,id"], 0));
    let by = |text: &str| all.iter().find(|message| message["text"] == text).expect("it is there").clone();
    assert_eq!(by("yes")["reply_to"], by("at nine")["id"]);
    let history = lines(&house.says("bob", &["room", "history", "#ops", "--json=kind,text"], 0));
    assert!(history.iter().all(|item| item["kind"] == "change" || item["kind"] == "renamed"), "{history:?}");
    assert!(history.iter().any(|item| item["text"] == "bob@acme.test joined"), "{history:?}");
}

#[test]
fn a_plan_changes_nothing_and_knows_who_may() {
    let house = House::new();
    house.ops();
    let before = house.says("alice", &["room", "show", "#ops", "--json"], 0);
    for args in [
        &["room", "rename", "#ops", "mine", "--dry-run"][..],
        &["room", "remove", "#ops", "bob@acme.test", "--dry-run"],
        &["room", "role", "#ops", "bob@acme.test", "admin", "--dry-run"],
        &["room", "invite", "#ops", "bob@acme.test", "--dry-run"],
        &["room", "leave", "#ops", "--dry-run"],
        &["room", "create", "more", "--dry-run"],
    ] {
        let plan = object(&house.says("alice", &[args, &["--json"]].concat(), 0));
        assert_eq!(plan["dry_run"], true, "{args:?}");
    }
    assert_eq!(house.says("alice", &["room", "show", "#ops", "--json"], 0), before);
    house.says("alice", &["room", "show", "#more"], 3);
    house.says("bob", &["room", "rename", "#ops", "mine", "--dry-run"], 5);
    assert_eq!(object(&house.says("bob", &["room", "accept", "#ops", "--json"], 0))["done"], "unchanged");
    house.says("alice", &["room", "rename", "#ops", "--topic", "what runs"], 0);
    let room = object(&house.says("bob", &["room", "show", "#ops", "--json=name,topic"], 0));
    assert_eq!((&room["name"], &room["topic"]), (&"ops".into(), &"what runs".into()), "the name stays");
}

#[test]
fn whoever_stops_reading_what_became_of_lines_ends_the_pipe() {
    let house = House::new();
    house.ops();
    let mut command = house.command(&["--as", "alice", "pub", "#ops"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdin.write_all("one line\n".as_bytes()).expect("written");
    let mut first = String::new();
    stdout.read_line(&mut first).expect("an answer");
    object(&first);
    drop(stdout);
    // More than wait at a time; the pipe may end while they are written.
    let writing = std::thread::spawn(move || {
        let _ = stdin.write_all("another line\n".repeat(200).as_bytes());
        stdin
    });
    let (ended, ends) = mpsc::channel::<()>();
    let pid = child.id().to_string();
    // So that the test ends if it hangs.
    let watching = std::thread::spawn(move || {
        if ends.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            Command::new("kill").arg(pid).status().expect("kill runs");
        }
    });
    let status = child.wait().expect("a child");
    drop(ended);
    watching.join().expect("no panic");
    let _stdin = writing.join().expect("no panic");
    assert_eq!(status.code(), Some(141), "though stdin is open");
}

#[test]
fn both_see_one_safety_number_and_it_verifies() {
    let house = House::new();
    house.ops();
    let number = |name: &str, of: &str| {
        let shown = object(&house.says(name, &["contact", "show", of, "--json"], 0));
        shown["safety_number"].as_str().expect("digits").to_owned()
    };
    let digits = number("alice", "bob@acme.test");
    assert_eq!(digits, number("bob", "alice@acme.test"));
    house.says("alice", &["verify", "bob@acme.test"], 9);
    let last = if digits.ends_with('0') { "1" } else { "0" };
    house.says("alice", &["verify", "bob@acme.test", &format!("{}{last}", &digits[..59])], 7);
    house.says("alice", &["verify", "bob@acme.test", &digits[..59]], 2);
    house.says("alice", &["verify", "bob@acme.test", &digits[..25], &digits[25..]], 0);
    house.says("alice", &["verify", "bob@acme.test"], 0);
    house.says("bob", &["verify", "alice@acme.test"], 9);
}

#[test]
fn a_blocked_account_is_not_heard() {
    let house = House::new();
    house.ops();
    house.says("alice", &["contact", "block", "bob@acme.test"], 0);
    house.says("bob", &["send", "#ops", "unheard", "--wait", "ordered"], 0);
    house.says("bob", &["send", "alice@acme.test", "unheard too", "--wait", "ordered"], 0);
    let said = house.says("alice", &["read", "--keep-unread", "--json=text"], 0);
    assert!(!said.contains("unheard"), "{said}");
    let listed = house.says("alice", &["contact", "list", "--json=account,blocked"], 0);
    assert!(listed.contains(r#"{"account":"bob@acme.test","blocked":true}"#), "{listed}");
    house.says("alice", &["contact", "unblock", "bob@acme.test"], 0);
    house.says("alice", &["contact", "unblock", "bob@acme.test"], 3);
    house.says("bob", &["send", "#ops", "heard", "--wait", "ordered"], 0);
    assert!(house.says("alice", &["message", "list", "#ops", "--json=text"], 0).contains("heard"));
    house.says("alice", &["contact", "block", "alice@acme.test"], 2);
    house.says("alice", &["contact", "policy", "deny"], 0);
}

#[test]
fn lines_go_in_and_come_out_once_and_in_order() {
    let house = House::new();
    house.ops();
    let many: String = (0..200).map(|n| format!("{{\"n\":{n}}}\n\n")).collect();
    let sent = house.pipes("alice", &["pub", "#ops"], many.as_bytes());
    assert!(sent.status.success(), "{}", text(&sent.stderr));
    let sent = lines(&text(&sent.stdout));
    assert_eq!(sent.len(), 200, "an empty line is none");
    let all = house.says("bob", &["sub", "#ops", "--after", "0", "--limit", "201", "--json=seq,data"], 0);
    let all = lines(&all);
    let numbers: Vec<u64> = all.iter().filter_map(|event| event["data"]["n"].as_u64()).collect();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    let last = all.last().expect("events")["seq"].to_string();
    house.pipes("alice", &["pub", "#ops"], b"not json\n");
    let rest = house.says("bob", &["sub", "#ops", "--after", &last, "--limit", "1", "--json=text,data"], 0);
    assert_eq!(rest, "{\"data\":null,\"text\":\"not json\"}\n");
}

#[test]
fn a_bad_line_is_told_and_its_neighbours_are_sent() {
    let house = House::new();
    house.ops();
    let mut input = b"first\n".to_vec();
    input.extend_from_slice(b"\xff\xfe\n");
    input.extend(std::iter::repeat_n(b'x', 70_000));
    input.extend_from_slice(b"\nlast");
    let output = house.pipes("alice", &["pub", "#ops", "--json"], &input);
    assert_eq!(output.status.code(), Some(11), "that of the last one");
    assert_eq!(text(&output.stdout).lines().count(), 2, "{}", text(&output.stderr));
    let told: Vec<Value> = lines(&text(&output.stderr));
    let names: Vec<&str> = told.iter().filter_map(|error| error["error"]["name"].as_str()).collect();
    assert_eq!(names, ["Usage", "TooLarge"]);
    let said = house.says("bob", &["message", "list", "#ops", "--json=text"], 0);
    assert!(said.ends_with("{\"text\":\"first\"}\n{\"text\":\"last\"}\n"), "{said}");
}

#[test]
fn an_export_holds_what_can_be_read_and_no_key() {
    let house = House::new();
    house.ops();
    house.says("bob", &["send", "alice@acme.test", "only you", "--wait", "ordered"], 0);
    let file = house.home.path().join("me.jsonl");
    let path = file.to_str().expect("text");
    let shown = object(&house.says("alice", &["account", "export", "--output", path, "--json"], 0));
    assert_eq!(shown["rooms"], 2);
    let records = lines(&fs::read_to_string(&file).expect("written"));
    assert_eq!(records[0]["record"], "account");
    let said: Vec<&str> = records.iter().filter_map(|record| record["message"]["text"].as_str()).collect();
    assert!(said.contains(&"at nine") && said.contains(&"only you"), "{said:?}");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let known = ["account", "contact", "room", "message"];
    assert!(records.iter().all(|record| known.contains(&record["record"].as_str().expect("a kind"))));
    assert!(records.iter().all(|record| record.as_object().expect("an object").len() <= 5), "and no key");
    house.says("alice", &["account", "export", "--output", path], 6);
    house.says("alice", &["account", "export", "--output", path, "--force"], 0);
    let one = house.says("alice", &["account", "export", "--room", "#ops"], 0);
    assert!(one.contains("at nine") && !one.contains("only you"), "{one}");
}

#[test]
fn a_logout_asks_and_leaves_nothing() {
    let house = House::new();
    let listed = house.says("alice", &["account", "list", "--json=account"], 0);
    assert_eq!(listed.lines().count(), 2);
    house.says("alice", &["account", "logout"], 2);
    house.says("alice", &["account", "show"], 0);
    house.says("alice", &["account", "logout", "--yes"], 0);
    assert!(!house.people().join("alice@acme.test").exists());
    house.says("alice", &["account", "show"], 4);
    house.says("bob", &["account", "show", "--json=account"], 0);
}

#[test]
fn settings_hold_until_something_says_more() {
    let house = House::new();
    let settings = |args: &[&str], exit| {
        let output = house.run(&[&["config"], args].concat());
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    settings(&["set", "account", "bob"], 0);
    let own = house.run(&["account", "show", "--json=account"]);
    assert_eq!(text(&own.stdout), "{\"account\":\"bob@acme.test\"}\n", "{}", text(&own.stderr));
    let other = house.run(&["account", "show", "--json=account", "--as", "alice"]);
    assert_eq!(text(&other.stdout), "{\"account\":\"alice@acme.test\"}\n");
    assert!(
        settings(&["list", "--json=key,value,origin"], 0)
            .contains("{\"key\":\"account\",\"origin\":\"file\",\"value\":\"bob\"}")
    );
    settings(&["set", "timeout", "soon"], 2);
    settings(&["set", "timout", "5"], 2);
    settings(&["set", "timeout", "5"], 0);
    assert_eq!(settings(&["get", "timeout"], 0), "5\n");
    settings(&["unset", "timeout"], 0);
    settings(&["unset", "timeout"], 3);
    let path = settings(&["path"], 0);
    fs::write(path.trim(), "acount = \"bob\"\ntimeout = 7\n").expect("written");
    settings(&["check"], 7);
    settings(&["get", "timeout"], 2);
    assert_eq!(house.run(&["status"]).status.code(), Some(2), "bad settings are not passed over");
    fs::write(path.trim(), settings(&["template"], 0)).expect("written");
    settings(&["check"], 0);
    settings(&["check", "/nonexistent"], 3);
}

/// Whatever others have written, and wherever it is shown: no character that a terminal obeys.
#[test]
fn nothing_that_somebody_wrote_moves_the_cursor_in_any_output() {
    let house = House::new();
    let hostile = "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}1A\r\u{202e}\u{200b}evil\u{7f}";
    house.says("bob", &["room", "create", "evil", "alice@acme.test"], 0);
    let rooms = object(house.says("bob", &["room", "list", "--json=room"], 0).trim());
    let room = rooms["room"].as_str().expect("an id").to_owned();
    let sent = house.says("bob", &["send", &room, hostile, "--wait", "ordered", "--json"], 0);
    let at = format!("@{}", object(&sent)["seq"]);
    // What the protocol refuses already is refused; the rest is made harmless where it is shown.
    let topic: String = hostile.chars().filter(|c| !c.is_control()).collect();
    house.run(&["--as", "bob", "room", "rename", &room, "--topic", &topic]);
    house.run(&["--as", "bob", "message", "react", &room, &at, &topic, "--wait", "ordered"]);
    let name = format!("#{hostile}");
    for args in [
        &["room", "list"][..],
        &["room", "show", &room],
        &["room", "show", &name],
        &["room", "history", &room],
        &["room", "rename", &room, "x", "--dry-run"],
        &["message", "list", &room],
        &["message", "show", &room, &at],
        &["message", "search", "evil"],
        &["message", "receipts", &room, &at],
        &["message", "show", &room, hostile],
        &["message", "edit", &room, &at, "x"],
        &["read", "--keep-unread"],
        &["status"],
        &["account", "show"],
        &["account", "export"],
        &["sub", &room, "--after", "0", "--limit", "1"],
        &["util", "names"],
        &["send", hostile, "x"],
        &["send", "#\u{1b}[2J", "x"],
        &["config", "set", hostile, "x"],
        &["config", "set", "color", hostile],
        &["--as", hostile, "status"],
    ] {
        for json in [false, true] {
            let more: &[&str] = if json { &["--json"] } else { &[] };
            let output = house.run(&[&["--as", "alice"], args, more].concat());
            let all = text(&output.stdout) + &text(&output.stderr);
            let obeyed =
                |c: char| c != '\n' && c != '\t' && (c.is_control() || c == '\u{202e}' || c == '\u{200b}');
            assert!(!all.contains(obeyed), "{args:?} {json}: {all:?}");
        }
    }
}
