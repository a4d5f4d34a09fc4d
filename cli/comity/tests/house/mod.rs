//! A node with people who are logged in, and their command line.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use kit::Node;

/// A node with alice and bob.
pub(crate) struct House {
    pub(crate) node: Node,
    pub(crate) home: tempfile::TempDir,
}

impl House {
    /// A node with alice and bob, both logged in.
    pub(crate) fn new() -> Self {
        let node = Node::start("acme.test").expect("a node");
        let house = Self { node, home: tempfile::tempdir().expect("a directory") };
        for name in ["alice", "bob"] {
            let account = format!("{name}@acme.test");
            let invited = house.admin(&["user", "invite", &account]);
            let invitation = house.home.path().join(format!("{name}.invite"));
            std::fs::write(&invitation, &invited.stdout).expect("written");
            let file = invitation.to_str().expect("text");
            let output = house.run(&["login", &account, "--code-file", file, "--protect", "file"]);
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        house
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comity"));
        command.args(args).env("COMITY_HOME", self.people()).env_remove("COMITY_DATA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn people(&self) -> PathBuf {
        self.home.path().join("people")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("comity runs")
    }

    pub(crate) fn admin(&self, args: &[&str]) -> Output {
        let data = self.node.data().to_str().expect("text").to_owned();
        let output = self.run(&[args, &["--data", &data]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        output
    }

    /// Runs as somebody, expects this exit code, and returns stdout.
    pub(crate) fn says(&self, name: &str, args: &[&str], exit: i32) -> String {
        let output = self.run(&[&["--as", name], args].concat());
        assert_eq!(output.status.code(), Some(exit), "{name} {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }
}

/// Output as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
