//! What people and administrators get wrong, against real nodes: each is told what it means where they
//! are, and what to do next, in text and as JSON.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Output,
    time::{Duration, Instant},
};

use house::{House, text};
use kit::Node;
use serde_json::Value;

/// Far more than anything here takes: beyond it, it hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// Arguments, exit code, what must be said, and what would mislead.
type Row<'a> = (&'a [&'a str], i32, &'a [&'a str], &'a str);

impl House {
    /// Runs each row as a person types it and as a script does.
    fn refuses(&self, rows: &[Row<'_>]) {
        for (args, exit, says, misleads) in rows {
            let plain = self.run(args);
            let told = text(&plain.stderr);
            assert_eq!(plain.status.code(), Some(*exit), "{args:?}: {told}");
            assert!(told.contains("\nhint: "), "{args:?} says nothing of what to do next: {told}");
            let output = self.run(&[args, &["--json"][..]].concat());
            assert_eq!(output.status.code(), Some(*exit), "{args:?} --json: {}", text(&output.stderr));
            let object = error_of(&output);
            for told in [told, format!("{} {}", object["message"], object["hint"])] {
                for part in *says {
                    assert!(told.contains(part), "{args:?} should say {part:?}: {told}");
                }
                assert!(misleads.is_empty() || !told.contains(misleads), "{args:?}: {told}");
            }
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("made private");
        path.to_str().expect("text").to_owned()
    }
}

fn error_of(output: &Output) -> Value {
    let told = text(&output.stderr);
    let object: Value = serde_json::from_str(told.trim()).expect("one object");
    object["error"].clone()
}

fn data(node: &Node) -> &str {
    node.data().to_str().expect("text")
}

fn digits(node: &Node) -> String {
    node.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn groups(digits: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(4).map(|at| &digits[at..at + 4]).collect();
    groups.join(" ")
}

#[test]
fn who_cannot_log_in_hears_why_and_whom_to_ask() {
    let house = House::new();
    let umbrella = Node::start("umbrella.test").expect("a node");
    let password = house.file("password", "tulips on thursday");
    let wrong = house.file("wrong", "roses on friday");
    house.admin(&["user", "password", "carol@acme.test", "--password-file", &password]);
    let used = house.home.path().join("alice.invite");
    let first = house.file("dave.invite", &text(&house.admin(&["user", "invite", "dave@acme.test"]).stdout));
    house.admin(&["user", "invite", "dave@acme.test"]);
    let elsewhere = house.home.path().join("elsewhere");
    let (elsewhere, used) = (elsewhere.to_str().expect("text"), used.to_str().expect("text"));
    let (own, other) = (digits(&house.node), digits(&umbrella));
    let (acme_at, umbrella_at) = (house.node.address().to_string(), umbrella.address().to_string());
    let (expected, shown) = (groups(&other), groups(&own));
    let by_password = |account, at, fingerprint, file| -> [&str; 11] {
        let [account, at, fingerprint, file]: [&str; 4] = [account, at, fingerprint, file];
        let words = ["--home", elsewhere, "login", account, "--node", at, "--fingerprint", fingerprint];
        let mut all = ["--password-file"; 11];
        all[..8].copy_from_slice(&words);
        all[9] = file;
        all[10] = "--protect=file";
        all
    };
    let bad_password = by_password("carol@acme.test", &acme_at, &own, &wrong);
    let nobody = by_password("nobody@acme.test", &acme_at, &own, &wrong);
    let other_print = by_password("carol@acme.test", &acme_at, &other, &password);
    let other_node = by_password("carol@acme.test", &umbrella_at, &other, &password);
    let again = ["login", "alice@acme.test", "--code-file", used, "--protect", "file"];
    let again = [&["--home", elsewhere], &again[..]].concat();
    let replaced =
        ["--home", elsewhere, "login", "dave@acme.test", "--code-file", &first, "--protect", "file"];
    house.refuses(&[
        (&bad_password, 4, &["the account or the password is wrong", "comity user password"], "speak for"),
        (&nobody, 4, &["the account or the password is wrong"], "speak for"),
        (&other_print, 7, &["another fingerprint", "nothing was sent", &expected, &shown], "comity peer pin"),
        (&other_node, 9, &["does not serve acme.test", "ticket"], "check the endpoint"),
        (&again, 4, &["used already, has expired or was replaced", "comity user invite alice"], "speak for"),
        (&replaced, 4, &["used already, has expired or was replaced", "administrator"], "speak for"),
    ]);
    assert!(!Path::new(elsewhere).join("carol@acme.test/device").exists(), "nobody is logged in");
    // The check above was one: the same words with the right fingerprint log in.
    let right = by_password("carol@acme.test", &acme_at, &own, &password);
    let output = house.run(&right);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn an_account_of_another_domain_or_of_nobody_is_told_apart() {
    let house = House::new();
    let here = data(&house.node);
    let of_other = "this node serves acme.test";
    let nobody = "there is no account nobody@acme.test";
    let verbs: [&[&str]; 6] = [
        &["user", "invite"],
        &["user", "create"],
        &["user", "show"],
        &["user", "suspend"],
        &["user", "sessions"],
        &["user", "delete", "--yes"],
    ];
    for verb in verbs {
        let args = [verb, &["bob@umbrella.test", "--data", here]].concat();
        house.refuses(&[(&args, 2, &[of_other, "bob@acme.test meant?"], "endpoint")]);
        if !matches!(verb[1], "invite" | "create") {
            let args = [verb, &["nobody@acme.test", "--data", here]].concat();
            house.refuses(&[(&args, 3, &[nobody, "comity user create nobody@acme.test"], "NotFound:")]);
        }
    }
    house.refuses(&[
        (&["user", "invite", "alice@acme.test", "--data", here], 6, &["has a device already"], "this id"),
        (&["user", "create", "alice@acme.test", "--data", here], 6, &["is there already"], "this id"),
    ]);
    house.admin(&["user", "suspend", "alice@acme.test"]);
    house.refuses(&[(
        &["user", "invite", "alice@acme.test", "--data", here],
        5,
        &["alice@acme.test is suspended", "comity user restore alice@acme.test"],
        "who blocked it",
    )]);
    house.admin(&["user", "delete", "alice@acme.test", "--yes"]);
    let args = ["user", "restore", "alice@acme.test", "--data", here];
    house.refuses(&[(&args, 6, &["was deleted", "comity user create --reuse"], "this id")]);
}

/// The example of the help, without the umask of whoever types it.
#[test]
fn an_invitation_goes_into_a_new_file_that_nobody_else_reads() {
    let house = House::new();
    let path = house.home.path().join("carol.invite");
    let file = path.to_str().expect("text");
    let invite = ["user", "invite", "carol@acme.test", "--output", file];
    let told = text(&house.admin(&invite).stdout);
    assert!(told.contains(file) && !told.contains("comity-invite:"), "{told}");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let first = fs::read_to_string(&path).expect("text");
    house.refuses(&[(&[&invite[..], &["--data", data(&house.node)]].concat(), 6, &["is there already"], "")]);
    assert_eq!(fs::read_to_string(&path).expect("text"), first);
    // The code in it has not been voided by the refusal.
    let output = house.run(&["login", "carol@acme.test", "--code-file", file, "--protect", "file"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn who_cannot_be_reached_is_told_whose_turn_it_is() {
    let house = House::new();
    let umbrella = Node::start("umbrella.test").expect("a node");
    let unpinned = "nowhere.test is no peer of your node";
    house.says("alice", &["room", "create", "ops"], 0);
    let as_alice = ["--as", "alice"];
    let to_nowhere = [&as_alice[..], &["send", "bob@nowhere.test", "hi"]].concat();
    let to_nobody = [&as_alice[..], &["send", "nobody@acme.test", "hi"]].concat();
    let invite = [&as_alice[..], &["room", "invite", "#ops", "bob@nowhere.test"]].concat();
    let verify = [&as_alice[..], &["verify", "bob@nowhere.test"]].concat();
    let show = [&as_alice[..], &["contact", "show", "bob@nowhere.test"]].concat();
    let file = house.file("plan.txt", "tulips");
    let put = [&as_alice[..], &["file", "put", "bob@nowhere.test", &file]].concat();
    let to_pin = ["comity peer pin", "comity domain show --ticket", unpinned];
    house.refuses(&[
        (&to_nowhere, 3, &to_pin, "check the name"),
        (&put, 3, &to_pin, "check the name"),
        (&invite, 3, &to_pin, "allow contact"),
        (&to_nobody, 3, &["there is no account nobody@acme.test"], "none that you may see"),
    ]);
    for args in [&verify, &show] {
        let output = house.run(args);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains(unpinned), "{}", text(&output.stderr));
    }

    // This side has pinned the other, and the other not this one.
    let ticket = text(&house.run(&["domain", "show", "--ticket", "--data", data(&umbrella)]).stdout);
    house.admin(&["peer", "pin", ticket.trim()]);
    let one_sided = "has not pinned this domain yet";
    let sent = house.run(&["--as", "alice", "send", "bob@umbrella.test", "hi", "--timeout", "1"]);
    assert_eq!(sent.status.code(), Some(8), "{}", text(&sent.stderr));
    let since = Instant::now();
    let shown = loop {
        let shown = house.admin(&["peer", "show", "umbrella.test"]);
        if text(&shown.stdout).contains("KeyUnverified") {
            break shown;
        }
        assert!(since.elapsed() < PATIENCE, "it is never called: {}", text(&shown.stdout));
        std::thread::yield_now();
    };
    assert!(text(&shown.stdout).contains(one_sided), "{}", text(&shown.stdout));
    assert!(text(&shown.stderr).contains("comity domain show --ticket"), "{}", text(&shown.stderr));
    let listed = house.admin(&["peer", "list"]);
    assert!(text(&listed.stderr).contains(one_sided), "{}", text(&listed.stderr));
    let json = text(&house.admin(&["peer", "list", "--json=domain,reason"]).stdout);
    assert!(json.contains(one_sided), "{json}");
    let status = house.says("alice", &["status"], 0);
    assert!(status.contains(one_sided), "{status}");
    let late = house.run(&["--as", "alice", "send", "bob@umbrella.test", "hi", "--timeout", "1"]);
    assert_eq!(late.status.code(), Some(8));
    assert!(text(&late.stderr).contains(one_sided), "{}", text(&late.stderr));
}

#[test]
fn what_is_too_large_is_told_with_its_size_and_the_limit() {
    let mut house = House::new();
    house.says("alice", &["room", "create", "ops"], 0);
    let letters = "x".repeat(70_000);
    let name = "n".repeat(300);
    let topic = "t".repeat(2_000);
    let huge = house.file("huge", "");
    // Takes no space: nothing is read of what is too large.
    fs::File::options().write(true).open(&huge).expect("opened").set_len(3 << 30).expect("grown");
    house.refuses(&[
        (
            &["--as", "alice", "send", "#ops", &letters],
            11,
            &["70000 bytes", "65536", "file put"],
            "limits.toml",
        ),
        (&["--as", "alice", "room", "create", &name], 11, &["300 bytes", "256"], "limits.toml"),
        (&["--as", "alice", "room", "rename", "#ops", &name], 11, &["300 bytes", "256"], "limits.toml"),
        (
            &["--as", "alice", "room", "rename", "#ops", "--topic", &topic],
            11,
            &["2000 bytes", "1024"],
            "limits.toml",
        ),
        (
            &["--as", "alice", "file", "put", "#ops", &huge],
            11,
            &["3.0 GiB", "1.0 GiB", "split"],
            "limits.toml",
        ),
    ]);
    // What only the node knows, it says.
    house.node.stop().expect("stopped");
    house.node.set_env("COMITY_MEDIA_FILE_SIZE", "1 MiB");
    house.node.run().expect("started");
    let large = house.file("large", &"x".repeat(2 << 20));
    let put = ["--as", "alice", "file", "put", "#ops", &large];
    house.refuses(&[(&put, 11, &["2.0 MiB", "at most 1.0 MiB", "media.file_size"], "limits.toml")]);
}

#[test]
fn files_that_are_there_or_are_not_are_told_as_that() {
    let house = House::new();
    let plan = house.file("plan.txt", "tulips");
    house.says("alice", &["file", "put", "bob@acme.test", &plan], 0);
    house.says("bob", &["read"], 0);
    let listed = house.says("bob", &["file", "list", "alice@acme.test", "--json=seq"], 0);
    let seq = serde_json::from_str::<Value>(listed.trim()).expect("one object")["seq"].to_string();
    let get = ["--as", "bob", "file", "get", "alice@acme.test", &seq, "--output", &plan];
    let folder = house.home.path().to_str().expect("text");
    let missing = format!("{folder}/nope");
    house.refuses(&[
        (&get, 6, &["is there already", "--force", "--output ANOTHER"], "this id"),
        (&["--as", "alice", "file", "put", "bob@acme.test", &missing], 3, &["there is no file", "nope"], ""),
        (&["--as", "alice", "file", "put", "bob@acme.test", folder], 2, &["is a directory", "tar"], ""),
    ]);
    assert_eq!(fs::read_to_string(&plan).expect("there"), "tulips");
    house.says("bob", &["file", "get", "alice@acme.test", &seq, "--output", &plan, "--force"], 0);
}

#[test]
fn what_is_set_is_shown_by_the_verb_that_sets_it() {
    let mut house = House::new();
    let policy = |house: &House| house.says("alice", &["contact", "policy", "--json"], 0);
    assert_eq!(policy(&house), "{\"own\":false,\"policy\":\"ask\"}\n", "the domain's");
    assert_eq!(house.says("alice", &["contact", "policy"], 0), "ask\n");
    house.says("alice", &["contact", "policy", "deny"], 0);
    assert_eq!(policy(&house), "{\"own\":true,\"policy\":\"deny\"}\n");
    house.says("alice", &["room", "create", "ops"], 0);
    let notify = |args: &[&str]| house.says("alice", &[&["room", "notify", "#ops"], args].concat(), 0);
    assert!(notify(&[]).starts_with("all disturbs"));
    notify(&["mentions"]);
    assert!(notify(&[]).starts_with("mentions disturb"));
    house.node.stop().expect("stopped");
    let gone = house.run(&["--as", "alice", "contact", "policy"]);
    assert_eq!(gone.status.code(), Some(9), "{}", text(&gone.stderr));
    assert_eq!(text(&gone.stdout), "", "nothing is guessed");
}
