//! What a device keeps, seen by somebody who has the disk and by somebody who has the keyboard: no
//! canary in the files, and no verb without the passphrase.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use kit::{Keyring, Mood, Node};

const PASSPHRASE: &str = "one two three canary";

struct House {
    node: Node,
    home: tempfile::TempDir,
}

impl House {
    /// A node with alice, whose device has a passphrase, and bob, whose device has a key file.
    fn new() -> Self {
        let node = Node::start("acme.test").expect("a node");
        let house = Self { node, home: tempfile::tempdir().expect("a directory") };
        house.file("right", PASSPHRASE);
        house.log_in("alice", &["--passphrase-file", &house.path("right")]);
        house.log_in("bob", &["--protect", "file"]);
        house
    }

    fn log_in(&self, name: &str, how: &[&str]) {
        let account = format!("{name}@acme.test");
        let data = self.node.data().to_str().expect("text").to_owned();
        let invited = self.run(&["user", "invite", &account, "--data", &data]);
        fs::write(self.home.path().join("invite"), &invited.stdout).expect("written");
        let output = self.run(&[&["login", &account, "--code-file", &self.path("invite")], how].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// A file that only its owner may read.
    fn file(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("closed");
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().expect("text").to_owned()
    }

    fn device(&self, name: &str) -> PathBuf {
        self.home.path().join("people").join(format!("{name}@acme.test"))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comity"));
        command.args(args).env("COMITY_HOME", self.home.path().join("people"));
        command.env_remove("COMITY_PASSPHRASE_FILE").env_remove("DBUS_SESSION_BUS_ADDRESS");
        command.env_remove("XDG_RUNTIME_DIR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("comity runs")
    }

    /// Runs as somebody, expects this exit code, and returns stdout.
    fn says(&self, name: &str, args: &[&str], exit: i32) -> String {
        let output = self.run(&[&["--as", name], args].concat());
        assert_eq!(output.status.code(), Some(exit), "{name} {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// As alice with a passphrase from this file.
    fn alice(&self, passphrase: &str, args: &[&str], exit: i32) -> String {
        self.says("alice", &[&["--passphrase-file", &self.path(passphrase)], args].concat(), exit)
    }

    /// A `watch` that has alice's device open.
    fn watch(&self) -> Running {
        self.watch_with(&[("COMITY_PASSPHRASE_FILE", &self.path("right"))])
    }

    fn watch_with(&self, environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(&["--as", "alice", "watch"]);
        command.envs(environment.iter().copied());
        let mut child = command.spawn().expect("it runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut says = String::new();
        stderr.read_line(&mut says).expect("readable");
        assert!(says.contains("Ctrl-C"), "{says}");
        Running(child, stderr)
    }

    /// That nothing of what was said, and with whom, stands in alice's files.
    fn is_sealed(&self, when: &str) {
        let mut files = 0;
        for file in fs::read_dir(self.device("alice")).expect("a directory") {
            let path = file.expect("a file").path();
            let Ok(bytes) = fs::read(&path) else { continue };
            files += 1;
            for canary in ["canary", "acme.test", "bob@", PASSPHRASE, "127.0.0.1", "comity-key"] {
                let stands = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
                assert!(!stands, "{when}: {canary:?} stands in {}", path.display());
            }
        }
        assert!(files >= 5, "{when}: {files}");
    }
}

struct Running(Child, #[expect(dead_code, reason = "held open")] BufReader<ChildStderr>);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn no_canary_stands_in_a_devices_files() {
    let house = House::new();
    house.is_sealed("after the login");
    let mut watch = house.watch();
    house.says("alice", &["send", "bob@acme.test", "canary one", "--wait", "delivered", "--timeout", "1"], 8);
    house.says("alice", &["room", "create", "canary room", "bob@acme.test"], 0);
    house.says("alice", &["send", "#canary room", "canary two", "--wait", "ordered"], 0);
    house.says("bob", &["send", "#canary room", "canary three", "--wait", "ordered"], 0);
    house.is_sealed("while it is open");
    watch.0.kill().expect("killed");
    watch.0.wait().expect("it ended");
    house.is_sealed("after a kill");
    for (room, said) in [("bob@acme.test", "one"), ("#canary room", "two"), ("#canary room", "three")] {
        let read = house.alice("right", &["message", "list", room, "--json=text"], 0);
        assert!(read.contains(&format!("canary {said}")), "{read}");
    }
    house.is_sealed("after it was closed");
}

#[test]
fn without_the_passphrase_there_is_nothing() {
    let house = House::new();
    house.file("wrong", "one two three canary?\n");
    for args in [
        &["status"][..],
        &["read"],
        &["send", "bob@acme.test", "x"],
        &["watch"],
        &["room", "list"],
        &["contact", "list"],
        &["account", "unlock"],
        &["account", "protect", "file"],
    ] {
        for (passphrase, name) in [(None, "Locked"), (Some("wrong"), "WrongPassphrase")] {
            let file = passphrase.map(|file| house.path(file));
            let mut all = vec!["--as", "alice", "--json"];
            all.extend(file.iter().flat_map(|file| ["--passphrase-file", file.as_str()]));
            all.extend(args);
            let output = house.run(&all);
            let error: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one object");
            assert_eq!(error["error"]["name"], name, "{args:?}: {error}");
            assert!(error["error"]["hint"].is_string() && !error.to_string().contains("canary"), "{error}");
            assert_eq!(output.status.code(), Some(4), "{args:?}");
            assert!(output.stdout.is_empty(), "{args:?}: {}", text(&output.stdout));
        }
    }
    assert!(house.alice("right", &["status", "--json=protection"], 0).contains("passphrase"));
    assert!(house.says("bob", &["status", "--json=protection"], 0).contains("file"));
}

#[test]
fn unlocked_for_a_while_it_serves_all_and_locked_none() {
    let house = House::new();
    let unlocked = house.alice("right", &["account", "unlock", "--for", "5m", "--json"], 0);
    assert!(unlocked.contains("until"), "{unlocked}");
    house.says("alice", &["send", "bob@acme.test", "unlocked", "--wait", "ordered"], 0);
    let again = house.alice("right", &["account", "unlock", "--for", "6m", "--json"], 0);
    assert!(again.contains("until"), "{again}");
    let mut watch = house.watch();
    house.says("alice", &["account", "lock", "--json"], 0);
    assert_eq!(watch.0.wait().expect("it ends").code(), Some(4), "a watch ends");
    house.says("alice", &["status"], 4);
    assert_eq!(
        house.says("alice", &["account", "lock", "--json=locked"], 0),
        "{\"locked\":true}\n",
        "it is so"
    );
    house.alice("right", &["status"], 0);
    house.says("alice", &["status"], 4);
    house.says("bob", &["account", "lock"], 6);
    let open = house.says("bob", &["account", "unlock", "--json=protection,until"], 0);
    assert_eq!(open, "{\"protection\":\"file\",\"until\":null}\n");
}

#[test]
fn what_protects_a_device_changes_and_its_messages_stay() {
    let house = House::new();
    house.alice("right", &["send", "bob@acme.test", "kept", "--wait", "ordered"], 0);
    house.file("new", "five six seven canary\n");
    let protect = ["account", "protect", "passphrase", "--new-passphrase-file", &house.path("new"), "--json"];
    house.alice("right", &protect, 0);
    house.alice("right", &["read"], 4);
    assert!(house.alice("new", &["message", "list", "bob@acme.test", "--json=text"], 0).contains("kept"));
    house.is_sealed("under another passphrase");
    let now = house.alice("new", &["account", "protect", "file", "--json=protection"], 0);
    assert_eq!(now, "{\"protection\":\"file\"}\n");
    assert!(house.says("alice", &["message", "list", "bob@acme.test", "--json=text"], 0).contains("kept"));
    // Who gives a passphrase has one, and is not to be told that it opened.
    house.alice("new", &["message", "list", "bob@acme.test"], 2);
    let key = house.device("alice").join("seal.key");
    assert_eq!(fs::metadata(&key).expect("there").permissions().mode() & 0o777, 0o600);
    // While a program has it open, which goes on.
    let watch = house.watch_with(&[]);
    house.says(
        "alice",
        &["account", "protect", "passphrase", "--new-passphrase-file", &house.path("right")],
        0,
    );
    assert!(!key.exists());
    house.says("alice", &["send", "bob@acme.test", "beside", "--wait", "ordered"], 0);
    drop(watch);
    house.says("alice", &["read"], 4);
    assert!(house.alice("right", &["message", "list", "bob@acme.test", "--json=text"], 0).contains("beside"));
}

#[test]
fn the_keyring_of_the_session_opens_and_its_moods_are_told() {
    let house = House::new();
    let keyring = Keyring::start().expect("a keyring");
    let bob = |args: &[&str]| {
        let mut command = house.command(&[&["--as", "bob"], args].concat());
        command.env("DBUS_SESSION_BUS_ADDRESS", keyring.address()).output().expect("comity runs")
    };
    let is = |mood: Mood, args: &[&str], exit: i32, says: &str| {
        keyring.set(mood);
        let output = bob(args);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{mood:?} {args:?}: {all}");
        assert!(all.contains(says), "{mood:?} {args:?}: {all}");
    };
    let protect = &["account", "protect", "keyring", "--json"][..];
    for (mood, says) in [
        (Mood::Refused, "was refused"),
        (Mood::Empty, "has no place for secrets"),
        (Mood::Absent, "no program of this session keeps secrets"),
    ] {
        is(mood, protect, 10, says);
        assert!(keyring.items().is_empty());
        house.says("bob", &["status"], 0);
    }
    house.says("bob", protect, 10);
    is(Mood::Asking, protect, 0, "keyring");
    is(Mood::Open, protect, 0, "keyring");
    let kept: Vec<Vec<u8>> = keyring.items().into_values().collect();
    assert!(kept.len() == 1 && kept[0].len() == 32 && !house.device("bob").join("seal.key").exists());

    is(Mood::Open, &["status", "--json=protection"], 0, "keyring");
    is(Mood::Asking, &["status", "--json=protection"], 0, "keyring");
    is(Mood::Refused, &["status"], 10, "was refused");
    is(Mood::Absent, &["status", "--json"], 10, r#""name":"Keyring""#);
    is(Mood::Lying, &["status"], 10, "damaged");
    is(Mood::Open, &["account", "lock"], 6, "comity account protect passphrase");
    house.says("bob", &["status"], 10);

    is(Mood::Open, &["account", "protect", "file", "--json=protection"], 0, "file");
    assert!(keyring.items().is_empty(), "the old key is forgotten");
    house.says("bob", &["status"], 0);
}

#[test]
fn who_logs_in_where_a_keyring_runs_is_protected_by_it() {
    let house = House::new();
    let keyring = Keyring::start().expect("a keyring");
    for (mood, name, protection) in [(Mood::Open, "carol", "keyring"), (Mood::Asking, "dave", "file")] {
        keyring.set(mood);
        let account = format!("{name}@acme.test");
        let data = house.node.data().to_str().expect("text").to_owned();
        let invited = house.run(&["user", "invite", &account, "--data", &data]);
        fs::write(house.home.path().join("invite"), &invited.stdout).expect("written");
        let file = house.path("invite");
        let mut command = house.command(&["login", &account, "--code-file", &file, "--json=protection"]);
        let output = command.env("DBUS_SESSION_BUS_ADDRESS", keyring.address()).output().expect("it runs");
        assert_eq!(text(&output.stdout), format!("{{\"protection\":\"{protection}\"}}\n"), "{output:?}");
    }
    assert_eq!(keyring.items().len(), 1);
    keyring.set(Mood::Open);
    let mut command = house.command(&["--as", "carol", "account", "logout", "--yes"]);
    let output = command.env("DBUS_SESSION_BUS_ADDRESS", keyring.address()).output().expect("it runs");
    assert!(output.status.success() && !house.device("carol").exists(), "{output:?}");
    assert!(keyring.items().is_empty(), "a key that opens nothing stays");
}

#[test]
fn a_database_that_is_taken_away_is_missed() {
    let house = House::new();
    house.says("bob", &["send", "alice@acme.test", "kept", "--wait", "ordered"], 0);
    let file = house.device("bob").join("device.db");
    let aside = house.home.path().join("aside");
    fs::rename(&file, &aside).expect("taken away");
    for emptied in [false, true] {
        if emptied {
            fs::write(&file, "").expect("written");
        }
        let output = house.run(&["--as", "bob", "contact", "list"]);
        assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("is missing"), "{}", text(&output.stderr));
    }
    fs::rename(&aside, &file).expect("put back");
    assert!(house.says("bob", &["message", "list", "alice@acme.test", "--json=text"], 0).contains("kept"));
}

#[test]
fn every_passphrase_file_that_is_none_is_refused() {
    let house = House::new();
    let long = "x".repeat(1_025);
    for (name, bytes, says) in [
        ("empty", &b""[..], "is empty"),
        ("blank", b"\n\n", "is empty"),
        ("long", long.as_bytes(), "longer than"),
        ("binary", b"\xff\xfe\xfd", "not text"),
    ] {
        house.file(name, "");
        fs::write(house.home.path().join(name), bytes).expect("written");
        let output = house.run(&["--as", "alice", "--passphrase-file", &house.path(name), "status"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(says), "{name}: {}", text(&output.stderr));
    }
    house.file("short", "1234567\n");
    let short = ["account", "protect", "passphrase", "--new-passphrase-file", &house.path("short")];
    house.alice("right", &short, 2);
    house.alice("right", &["account", "protect", "passphrase"], 2);
    house.alice("right", &["account", "protect", "file", "--new-passphrase-file", &house.path("right")], 2);
    house.alice("right", &["account", "unlock", "--for", "8d"], 2);
    house.alice("absent", &["status"], 2);
    fs::set_permissions(Path::new(&house.path("right")), fs::Permissions::from_mode(0o644)).expect("opened");
    let output = house.run(&["--as", "alice", "--passphrase-file", &house.path("right"), "status"]);
    assert!(text(&output.stderr).contains("chmod 600"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
}
