//! What the command line refuses, row by row: the exit code, what is said, and that nothing of it
//! needs a terminal.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use identity::Ticket;

fn comity(home: &Path, args: &[&str], stdin: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comity"));
    command.args(args).env_clear().env("COMITY_HOME", home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Some(text) = stdin else { return command.output().expect("comity runs") };
    let file = home.join("stdin");
    fs::write(&file, text).expect("written");
    command.stdin(fs::File::open(file).expect("opened")).output().expect("comity runs")
}

fn ticket(account: &str, expires: u64) -> String {
    Ticket {
        account: account.parse().expect("an account"),
        code: [7; 16],
        fingerprint: [8; 32],
        endpoints: vec!["127.0.0.1:9".parse().expect("an endpoint")],
        expires,
    }
    .encode()
}

const DIGITS: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// Arguments, exit code, what stderr must say.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const ROWS: &[(&[&str], i32, &str)] = &[
    (&[], 2, "Usage"),
    (&["fly"], 2, "unrecognized"),
    (&["send"], 2, "required"),
    (&["send", "general", "x"], 2, "#general"),
    (&["send", "alice@", "x"], 2, "alice@acme.example"),
    (&["send", "alice@acme", "x"], 2, "alice@acme.example"),
    (&["send", "#", "x"], 2, "name is missing"),
    (&["send", "abc", "x"], 2, "4 digits"),
    (&["send", "bob@umbrella.test", ""], 2, "empty"),
    (&["send", "bob@umbrella.test", "x", "--wait", "soon"], 2, "possible values"),
    (&["send", "bob@umbrella.test", "x", "--timeout", "-1"], 2, "unexpected"),
    (&["send", "bob@umbrella.test", "x"], 4, "comity login"),
    (&["send", "bob@umbrella.test", "x", "--json=text"], 2, "room, message, seq, level"),
    (&["status"], 4, "nobody is logged in"),
    (&["status", "--as", "alice"], 4, "nobody is logged in"),
    (&["status", "--json=bogus"], 2, "no field `bogus`"),
    (&["read", "--limit", "0"], 2, "1..=200"),
    (&["read", "--limit", "201"], 2, "1..=200"),
    (&["read"], 4, "comity login"),
    (&["watch", "--last", "201"], 2, "0..=200"),
    (&["message", "list"], 2, "required"),
    (&["message", "list", "#x", "--before", "0"], 2, "0 is not in"),
    (&["message", "list", "#x", "--after", "x"], 2, "invalid digit"),
    (&["message", "show", "#x"], 2, "required"),
    (&["message", "show", "#x", "12"], 2, "@120"),
    (&["message", "show", "#x", "@0"], 2, "@120"),
    (&["message", "show", "#x", "@x"], 2, "@120"),
    (&["message", "show", "#x", "@1"], 4, "comity login"),
    (&["message", "search"], 2, "required"),
    (&["message", "search", "x", "--before", "3"], 2, "--room"),
    (&["message", "search", "x", "--limit", "201"], 2, "1..=200"),
    (&["message", "search", "x", "--from", "bob"], 2, "alice@acme.example"),
    (&["message", "react", "#x", "@1", ""], 2, "1 to 64 bytes"),
    (
        &[
            "message",
            "react",
            "#x",
            "@1",
            "01234567890123456789012345678901234567890123456789012345678901234",
        ],
        2,
        "this one has 65",
    ),
    (&["message", "edit", "#x", "@1", " "], 2, "empty"),
    (&["message", "edit", "#x", "@1", "y", "--wait", "read"], 2, "possible values"),
    (&["send", "#x", "y", "--reply-to", "z"], 2, "@120"),
    (&["verify"], 2, "required"),
    (&["verify", "bob"], 2, "alice@acme.example"),
    (&["verify", "bob@umbrella.test", "12345"], 2, "60 decimal"),
    (&["verify", "bob@umbrella.test", "x"], 2, "60 decimal"),
    (&["contact", "trust", "bob@umbrella.test", "12345"], 2, "64 hexadecimal"),
    (&["contact", "block", "bob"], 2, "alice@acme.example"),
    (&["contact", "policy", "perhaps"], 2, "possible values"),
    (&["account", "export", "--force"], 2, "--output"),
    (&["account", "export", "--output", "/nonexistent/x"], 10, "cannot write"),
    (&["account", "logout"], 4, "nobody is logged in"),
    (&["config", "get", "timeot"], 2, "is `timeout` meant?"),
    (&["config", "set", "timeout", "-1"], 2, "unexpected"),
    (&["config", "set", "timeout", "x"], 2, "seconds"),
    (&["config", "set", "color", "red"], 2, "auto, always or never"),
    (&["config", "set", "theme.id", "mauve"], 2, "a colour"),
    (&["config", "unset", "timeout"], 3, "not set"),
    (&["config", "check", "/nonexistent"], 3, "there is no"),
    (&["--as", "a b", "status"], 2, "alice@acme.example"),
    (&["pub"], 2, "required"),
    (&["pub", "x"], 2, "#x"),
    (&["sub"], 2, "required"),
    (&["sub", "#x", "#y", "--after", "1"], 2, "one topic"),
    (&["sub", "#x", "--limit", "0"], 2, "0 is not in"),
    (&["bot", "run"], 2, "required"),
    (&["bot", "run", "--restarts", "x", "--", "true"], 2, "invalid digit"),
    (&["bot", "run", "--json=x", "--", "true"], 2, "no field `x`"),
    (&["bot", "hook"], 2, "required"),
    (&["bot", "hook", "--room", "#x", "--listen", "0.0.0.0:1"], 2, "--insecure"),
    (&["bot", "hook", "--room", "#x", "--listen", "here"], 2, "invalid"),
    (&["bot", "hook", "--room", "#x"], 2, "--token-file"),
    (&["bot", "hook", "--room", "#x", "--per-minute", "0"], 2, "1..=6000"),
    (&["util", "man"], 2, "required"),
    (&["util", "man", "/proc/nonexistent"], 10, "cannot write"),
    (&["room", "rename", "#x"], 2, "required"),
    (&["room", "history", "#x", "--before", "0"], 2, "0 is not in"),
    (&["room"], 2, "Usage"),
    (&["room", "create", " "], 2, "1 to 256 bytes"),
    (&["room", "invite", "#x"], 2, "required"),
    (&["room", "role", "#x", "bob@umbrella.test", "king"], 2, "possible values"),
    (&["peer", "list"], 2, "--data"),
    (&["peer", "list", "--data", "/nonexistent"], 3, "no data directory"),
    (&["peer", "show", "umbrella", "--data", "/tmp"], 2, "acme.example"),
    (
        &["peer", "pin", "umbrella.test", "--endpoint", "nowhere", "--fingerprint", "00"],
        2,
        "chat.acme.example:4433",
    ),
    (
        &["peer", "pin", "umbrella.test", "--endpoint", "127.0.0.1:1", "--fingerprint", "00"],
        2,
        "64 hexadecimal",
    ),
    (&["peer", "pin", "umbrella.test", "--fingerprint", "00"], 2, "64 hexadecimal"),
    (&["peer", "pin", "umbrella.test"], 2, "--fingerprint is missing"),
    (&["peer", "pin", "umbrella.test", "--fingerprint", ZEROS], 2, "--endpoint is missing"),
    (&["peer", "pin"], 2, "required"),
    (&["peer", "pin", "umbrella"], 2, "a ticket like comity-peer:"),
    (&["peer", "pin", "comity-invite:biaq"], 2, "a ticket like comity-peer:"),
    (&["peer", "pin", "comity-peer:biaq"], 2, "not whole"),
    (&["peer", "pin", "comity-peer:"], 2, "not whole"),
    (&["peer", "pin", "-"], 2, "not whole"),
    (&["peer", "pin", "comity-peer:biaq", "--fingerprint", ZEROS], 2, "holds endpoint and fingerprint"),
    (&["peer", "pin", "comity-peer:biaq", "--ticket-file", "x"], 2, "cannot be used with"),
    (&["peer", "pin", "--ticket-file", "/nonexistent"], 2, "cannot open"),
    (&["peer", "pin", "--ticket-file", "/dev/zero"], 2, "too long"),
    (&["peer", "pin", "--ticket-file", "/dev/null"], 2, "not whole"),
    (&["user", "invite", "alice"], 2, "alice@acme.example"),
    (&["user", "create"], 2, "required"),
    (&["user", "create", "alice@acme.test", "bob"], 2, "alice@acme.example"),
    (&["user", "delete"], 2, "required"),
    (&["user", "suspend", "alice@acme.test"], 2, "--data"),
    (&["user", "sessions", "--end"], 2, "required"),
    (&["user", "sessions", "alice@acme.test", "--device", "00"], 2, "invalid value"),
    (&["user", "sessions", "alice@acme.test", "--end", "--device", "x"], 2, "32 digits"),
    (&["peer", "deny", "umbrella"], 2, "acme.example"),
    (&["peer", "remove", "umbrella.test"], 2, "--data"),
    (&["domain", "check", "--data", "/nonexistent"], 3, "no data directory"),
    (&["domain", "publish", "--data", "/nonexistent"], 3, "no data directory"),
    (&["report"], 2, "Usage"),
    (&["report", "audit", "--limit", "0"], 2, "1..=1000"),
    (&["report", "audit", "--before", "0"], 2, "0 is not in"),
    (&["report", "audit", "--check", "--before", "4"], 2, "cannot be used with"),
    (&["report", "usage", "--json=money"], 2, "no field `money`"),
    (&["login"], 2, "required"),
    (&["login", "alice@acme.test"], 2, "invitation"),
    (&["login", "alice@acme.test", "--code-file", "/nonexistent"], 2, "cannot open"),
    (&["login", "alice@acme.test", "comity-invite:x"], 2, "unexpected"),
    (&["login", "alice@acme.test", "--node", "127.0.0.1:1"], 2, "--fingerprint"),
    (&["login", "alice@acme.test", "--fingerprint", DIGITS], 2, "--node"),
    (&["login", "alice@acme.test", "--password-file", "/dev/null"], 2, "--node"),
    (&["login", "alice@acme.test", "--node", "nowhere", "--fingerprint", DIGITS], 2, "acme.example:4433"),
    (&["login", "alice@acme.test", "--node", "127.0.0.1:1", "--fingerprint", "00"], 2, "64 hexadecimal"),
    (
        &["login", "alice@acme.test", "--node", "127.0.0.1:1", "--fingerprint", DIGITS, "--code-file", "x"],
        2,
        "cannot be used with",
    ),
    (&["login", "alice@acme.test", "--node", "127.0.0.1:1", "--fingerprint", DIGITS], 2, "empty"),
    (
        &["login", "alice@acme.test", "--node", "127.0.0.1:1", "--fingerprint", DIGITS, "--password", "x"],
        2,
        "unexpected",
    ),
    (&["login", "alice@acme.test", "--ticket", "comity-peer:x"], 2, "whole `comity-peer"),
    (&["login", "alice@acme.test", "--ticket", "comity-invite:x"], 2, "whole `comity-peer"),
    (&["login", "alice@acme.test", "--ticket", "x", "--node", "127.0.0.1:1"], 2, "whole `comity-peer"),
    (&["login", "alice@acme.test", "--ticket"], 2, "value is required"),
    (&["user", "password", "alice", "--data", "/tmp"], 2, "alice@acme.example"),
    (&["user", "password", "alice@acme.test"], 2, "data directory is not named"),
    (&["user", "password", "alice@acme.test", "secret", "--data", "/tmp"], 2, "unexpected"),
    (&["user", "password", "alice@acme.test", "--data", "/tmp"], 2, "too short"),
    (&["user", "password", "alice@acme.test", "--unset", "--password-file", "x"], 2, "cannot be used with"),
    (&["util", "completion", "cmd"], 2, "possible values"),
];

#[test]
fn every_refusal_has_its_exit_code_and_its_sentence() {
    let home = tempfile::tempdir().expect("a directory");
    for (args, exit, says) in ROWS {
        let output = comity(home.path(), args, None);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*exit), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?} should say {says:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(!stderr.contains('\u{1b}'), "{args:?} colours a pipe");
    }
}

#[test]
fn with_json_every_refusal_is_one_object() {
    let home = tempfile::tempdir().expect("a directory");
    for (args, exit, _) in ROWS.iter().filter(|(args, _, _)| !args.is_empty()) {
        let mut args: Vec<&str> = args.to_vec();
        if !args.iter().any(|arg| arg.starts_with("--json")) {
            args.insert(0, "--json");
        }
        let output = comity(home.path(), &args, None);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*exit), "{args:?}: {stderr}");
        let value: serde_json::Value =
            serde_json::from_str(&stderr).unwrap_or_else(|error| panic!("{args:?}: {error}: {stderr}"));
        let error = value["error"].as_object().expect("an object");
        for field in ["name", "number", "retryable", "message", "hint"] {
            assert!(error.contains_key(field), "{args:?}: no {field}");
        }
        // Each class of this table has one name.
        let name = match exit {
            2 => "Usage",
            3 => "NotFound",
            4 => "LogIn",
            10 => "Storage",
            other => panic!("{args:?}: what is {other} called?"),
        };
        let config = args.contains(&"a b");
        assert_eq!(error["name"], if config { "Config" } else { name }, "{args:?}");
    }
}

#[test]
fn every_bad_invitation_is_refused_and_never_quoted() {
    let home = tempfile::tempdir().expect("a directory");
    let good = ticket("alice@acme.test", 4_000_000_000);
    let truncated = &good[..good.len() - 8];
    let flipped = good.replace("comity-invite:", "comity-invite:a");
    let over = ticket("alice@acme.test", 1);
    let huge = format!("comity-invite:{}", "a".repeat(10_000));
    let rows = [
        ("", "whole"),
        ("comity-invite:", "whole"),
        ("hello", "whole"),
        ("comity-invite:!!!!", "whole"),
        ("\u{0}\u{1}\u{2}", "whole"),
        (truncated, "whole"),
        (flipped.as_str(), "whole"),
        (huge.as_str(), "long"),
    ];
    for (text, says) in rows {
        let output = comity(home.path(), &["login", "alice@acme.test", "--code-file", "-"], Some(text));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text:.40}: {stderr}");
        assert!(stderr.contains(says), "{text:.40}: {stderr}");
        assert!(text.len() < 20 || !stderr.contains(&text[14..]), "quoted: {stderr}");
    }
    // One that is over was good once: that is another class.
    let output = comity(home.path(), &["login", "alice@acme.test", "--code-file", "-"], Some(&over));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(
        stderr.contains("has expired") && stderr.contains("comity user invite alice@acme.test"),
        "{stderr}"
    );
    let others = ticket("bob@acme.test", 4_000_000_000);
    let output = comity(home.path(), &["login", "alice@acme.test", "--code-file", "-"], Some(&others));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("for bob@acme.test"));
}

#[test]
fn every_bad_password_is_refused_and_never_quoted() {
    let home = tempfile::tempdir().expect("a directory");
    let login = &[
        "login",
        "alice@acme.test",
        "--node",
        "127.0.0.1:1",
        "--fingerprint",
        DIGITS,
        "--password-file",
        "-",
    ];
    let set = &["user", "password", "alice@acme.test", "--data", "/nonexistent", "--password-file", "-"];
    let long = "horse".repeat(300);
    for (args, text, exit, says) in [
        (&login[..], "", 2, "empty"),
        (login, "\n", 2, "empty"),
        (login, &long, 11, "1024 bytes"),
        (set, "", 2, "too short"),
        (set, "horses7\n", 2, "too short"),
        (set, &long, 11, "1024 bytes"),
        (set, "horses of battery\n", 3, "no data directory"),
    ] {
        let output = comity(home.path(), args, Some(text));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{args:?} {text:.20}: {stderr}");
        assert!(stderr.contains(says), "{args:?} {text:.20}: {stderr}");
        assert!(!stderr.contains("horse"), "quoted: {stderr}");
    }
}

#[test]
fn tables_for_scripts_are_complete() {
    let home = tempfile::tempdir().expect("a directory");
    let output = comity(home.path(), &["util", "errors", "--json"], None);
    let lines = String::from_utf8(output.stdout).expect("text");
    assert_eq!(lines.lines().count(), wire::ErrorCode::ALL.len());
    for (line, code) in lines.lines().zip(wire::ErrorCode::ALL) {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(value["number"], code.code());
        assert_eq!(value["exit"], code.exit());
    }
    let output = comity(home.path(), &["util", "exit-codes"], None);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.lines().any(
        |line| line == "7\tverification failed: a key, a signature or a history is not what it should be"
    ));
    let output = comity(home.path(), &["util", "exit-codes", "--json=code"], None);
    assert!(output.stdout.starts_with(b"{\"code\":0}\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_error_message() {
    let home = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(env!("CARGO_BIN_EXE_comity"))
        .args(["util", "errors", "--json"])
        .env("COMITY_HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("comity runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(141), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_noun_shows_its_verbs_when_it_is_asked_for_help() {
    let home = tempfile::tempdir().expect("a directory");
    let says = |args: &[&str]| {
        let output = comity(home.path(), args, None);
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (_, reference) = says(&["util", "reference"]);
    let pages = reference.split("==== comity").skip(1).filter(|page| page.contains("\nCommands:\n"));
    let nouns: Vec<&str> = pages.filter_map(|page| page.lines().next()).map(str::trim).collect();
    assert!(nouns.len() > 10 && nouns.contains(&"room") && nouns.contains(&""), "{nouns:?}");
    for noun in nouns {
        let words = || noun.split_whitespace();
        let help = says(&words().chain(["help"]).collect::<Vec<_>>());
        assert_eq!(help, says(&words().chain(["--help"]).collect::<Vec<_>>()), "{noun}");
        assert_eq!(help.0, Some(0), "{noun}");
    }
    assert_eq!(says(&["help", "room", "invite"]), says(&["room", "invite", "--help"]));
    assert_eq!(says(&["room", "help", "fly"]).0, Some(2));
}
