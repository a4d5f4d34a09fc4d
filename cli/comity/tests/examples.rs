//! Every example of the help is run as it stands there, word by word, in a world of two
//! organisations whose administrators have pinned each other: alice and carol at acme.test, bob and
//! eve at umbrella.test. What an example needs before it is data below; what it ends with is 0
//! unless it is said below, with the reason.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use kit::Node;
use rustix::process::{Pid, Signal, kill_process};

/// Shell functions that the set-up steps use.
const FUNCTIONS: &str = r##"
as() { who=$1; shift; COMITY_AS=$who "$@"; }
# A room #ops with bob in which @3 is a text of alice's.
ops() {
  comity message show "#ops" @3 --json=kind,own 2>/dev/null | grep -q '"text","own":true' && with_bob && return
  comity room rename "#ops" past 2>/dev/null
  comity room create ops bob@umbrella.test carol@acme.test && comity send "#ops" "at nine" --wait ordered
}
with_bob() { comity room show "#ops" --json=members | grep -q bob@umbrella.test; }
# An invitation that waits for alice.
invited() {
  waits || as bob comity room create somewhere alice@acme.test
  until waits; do :; done
}
waits() { comity room list --json=standing | grep -q invited; }
"##;

/// The beginning of an example, and what must be so before it. The first that fits.
const SETUP: &[(&str, &str)] = &[
    ("comity room create ops", "comity room rename \"#ops\" past || true"),
    ("comity room accept", "invited"),
    ("comity room decline", "invited"),
    ("comity room invite \"#ops\" bob@", "ops && comity room remove \"#ops\" bob@umbrella.test"),
    ("comity contact unblock eve@", "comity contact block eve@umbrella.test"),
    ("comity verify bob@umbrella.test --quiet", "comity verify bob@umbrella.test \"$(cat bob.txt)\""),
    ("comity config unset timeout", "comity config set timeout 20"),
    ("comity config check config.toml", "comity config template > config.toml"),
    ("comity account export --output", "rm -f me.jsonl"),
    ("tail -n 3 app.log", "ops && echo started > app.log"),
    ("comity user invite", "rm -f invite.txt"),
];

/// An example that does not end with 0, and why.
const EXITS: &[(&str, i32, &str)] = &[
    ("comity login", 6, "alice is logged in here already"),
    ("comity verify bob@umbrella.test\n", 9, "there is nobody to ask whether the numbers are the same"),
    ("comity user invite alice@acme.test", 6, "she has made use of her invitation"),
    ("comity account lock", 6, "no passphrase protects her device"),
    ("comity account logout", 2, "there is nobody to ask whether that is meant"),
];

/// Examples that stay until they are ended, and what is done meanwhile, so that there is something
/// to see; they are ended by SIGINT after their first line.
const STAYING: &[(&str, &str)] = &[
    ("comity watch bob@", "as bob comity send alice@acme.test \"look\""),
    ("comity watch", "comity send \"#ops\" \"look\""),
    ("comity bot hook", "true"),
    ("comity bot run -- ./bot.py", "true"),
    ("comity bot run --room", "true"),
];

/// Examples that end by themselves when this is done meanwhile.
const MEANWHILE: &[(&str, &str)] = &[("comity sub \"#ops\" | head", "comity send \"#ops\" \"again\"")];

/// Run as they stand elsewhere: the demo is a world of its own, the screen needs a terminal.
const ELSEWHERE: &[(&str, &str)] =
    &[("comity demo", "tests/e2e/tests/demo.rs"), ("comity tui", "tests/e2e/tests/tui.rs")];

/// What stands in the examples for something that is only known here.
fn in_this_world(line: &str, world: &World) -> String {
    line.replace("/var/lib/comity", world.acme.data().to_str().expect("text"))
        .replace("127.0.0.1:4433", &world.umbrella.address().to_string())
        .replace("127.0.0.1:8646", "127.0.0.1:0")
        .replace("~/.local/share", "share")
        .replace(
            "3f2a9c01",
            "$(comity room list --json=room,standing | grep invited | cut -d'\"' -f4 | head -n 1)",
        )
}

struct World {
    acme: Node,
    umbrella: Node,
    home: tempfile::TempDir,
    bob: Option<Child>,
}

impl World {
    fn new() -> Self {
        let (acme, umbrella) = (Node::start("acme.test"), Node::start("umbrella.test"));
        let (acme, umbrella) = (acme.expect("a node"), umbrella.expect("a node"));
        kit::pin_each_other(&acme, &umbrella).expect("pinned");
        let mut world = Self { acme, umbrella, home: tempfile::tempdir().expect("a directory"), bob: None };
        for dir in ["bin", "work/share/bash-completion/completions", "work/man"] {
            std::fs::create_dir_all(world.home.path().join(dir)).expect("made");
        }
        symlink(env!("CARGO_BIN_EXE_comity"), world.home.path().join("bin/comity")).expect("linked");
        symlink(kit::comityd().expect("built"), world.home.path().join("bin/comityd")).expect("linked");
        let mut begin = String::from("set -e\n");
        for (account, data) in [
            ("alice@acme.test", world.acme.data()),
            ("carol@acme.test", world.acme.data()),
            ("bob@umbrella.test", world.umbrella.data()),
            ("eve@umbrella.test", world.umbrella.data()),
        ] {
            let data = quoted(data);
            let _ = writeln!(begin, "comity user invite {account} --data {data} > invite.txt");
            let _ = writeln!(begin, "comity login {account} --code-file invite.txt");
        }
        let umbrella = quoted(world.umbrella.data());
        let _ = writeln!(
            begin,
            "comity domain show --data {umbrella} --json=fingerprint | cut -d'\"' -f4 > umbrella.txt"
        );
        let _ = writeln!(begin, "comity domain show --ticket --data {umbrella} > umbrella.ticket");
        begin.push_str("as bob comity contact show --json=fingerprint | cut -d'\"' -f4 > bob.txt\n");
        begin.push_str("(umask 077; echo \"a passphrase of four words\" > new.txt)\n");
        begin.push_str("echo \"correct horse\" > password.txt\n");
        // Nothing is asked between them later.
        begin.push_str("as bob comity contact policy open\n");
        begin.push_str("comity send bob@umbrella.test \"good morning\" --wait delivered --timeout 60 &\n");
        begin.push_str("until as bob comity read --json=text | grep -q morning; do :; done\nwait\n");
        begin.push_str("printf '#!/bin/sh\\nread ready; echo \"$ready\" >&2; cat > /dev/null\\n' > bot.py\n");
        begin.push_str("chmod +x bot.py\n");
        let begun = world.shell(&begin).output().expect("a shell");
        assert!(begun.status.success(), "{}", text(&begun.stderr));
        let bob =
            world.shell("exec comity --as bob watch").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        world.bob = Some(bob.expect("it runs"));
        world
    }

    /// A shell in which the examples are what they are for a person.
    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.home.path().join("bin").display());
        command.args(["-c", &format!("{FUNCTIONS}\n{script}")]).current_dir(self.work());
        command.env("PATH", path).env("COMITY_HOME", self.home.path().join("people"));
        command.env("COMITY_AS", "alice").env("COMITY_DATA", self.acme.data());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn work(&self) -> PathBuf {
        self.home.path().join("work")
    }

    fn run(&self, script: &str) -> Output {
        self.shell(script).output().expect("a shell")
    }

    /// Makes the world as an example needs it.
    fn set_up(&self, example: &str) {
        let step = SETUP.iter().find(|(begins, _)| example.starts_with(begins)).map(|(_, step)| *step);
        let ops = example.contains("\"#ops\"").then_some("ops");
        let Some(step) = step.or(ops) else { return };
        let output = self.run(step);
        assert!(output.status.success(), "before {example}: {step}: {}", text(&output.stderr));
    }

    /// Starts an example that stays, waits for its first line, and ends it.
    fn stay(&self, example: &str, meanwhile: &str) {
        let line = in_this_world(example, self);
        let mut child = self.shell(&format!("exec {line} 2>&1")).spawn().expect("a shell");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        output.read_line(&mut first).expect("a line");
        assert!(child.try_wait().expect("looked").is_none(), "{example} ended: {first}");
        let did = self.run(meanwhile);
        assert!(did.status.success(), "{meanwhile}: {}", text(&did.stderr));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("an id");
        kill_process(pid, Signal::INT).expect("it is there");
        // It is read to its end, or it could not write to its end.
        std::io::copy(&mut output, &mut std::io::sink()).expect("read");
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{example}: {first}");
    }

    /// Runs an example that ends when something is done meanwhile.
    fn follow(&self, example: &str, meanwhile: &str) -> Output {
        let child = self.shell(&in_this_world(example, self)).spawn().expect("a shell");
        let mut child = Ending(Some(child));
        loop {
            let did = self.run(meanwhile);
            assert!(did.status.success(), "{meanwhile}: {}", text(&did.stderr));
            if child.0.as_mut().expect("it runs").try_wait().expect("looked").is_some() {
                return child.0.take().expect("it ran").wait_with_output().expect("it ended");
            }
        }
    }
}

struct Ending(Option<Child>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(Ending(self.bob.take()));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// The examples of all verbs, in the order of the help.
fn examples(world: &World) -> Vec<String> {
    let reference = text(&world.run("comity util reference").stdout);
    let mut examples = Vec::new();
    let mut lines = reference.lines();
    while let Some(line) = lines.next() {
        // The command stands below the sentence that explains it.
        if line.starts_with("  # ") {
            examples.push(lines.next().unwrap_or_default().trim().to_owned());
        }
    }
    examples
}

fn find<T: Copy>(table: &[(&str, T)], example: &str) -> Option<T> {
    table.iter().find(|(begins, _)| example.starts_with(begins)).map(|(_, value)| *value)
}

#[test]
fn the_examples_of_the_help_do_what_they_say() {
    let world = World::new();
    let examples = examples(&world);
    assert!(examples.len() > 80, "{}", examples.len());
    for example in &examples {
        if find(ELSEWHERE, example).is_some() {
            continue;
        }
        world.set_up(example);
        if let Some(meanwhile) = find(STAYING, example) {
            world.stay(example, meanwhile);
            continue;
        }
        let output = match find(MEANWHILE, example) {
            Some(meanwhile) => world.follow(example, meanwhile),
            None => world.run(&in_this_world(example, &world)),
        };
        let whole = format!("{example}\n");
        let expected =
            EXITS.iter().find(|(begins, ..)| whole.starts_with(begins)).map_or(0, |(_, exit, _)| *exit);
        assert_eq!(output.status.code(), Some(expected), "{example}: {}", text(&output.stderr));
    }
    for (begins, ..) in EXITS {
        let used = examples.iter().any(|example| format!("{example}\n").starts_with(begins));
        assert!(used, "no example begins with {begins:?}");
    }
}
