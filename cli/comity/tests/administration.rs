//! What an administrator types, against real nodes.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use kit::Node;

/// Far more than anything here takes: beyond it, it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn comity(node: &Node, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_comity"))
        .args(args)
        .env("COMITY_DATA", node.data())
        .env("COMITY_HOME", node.data().join("people"))
        .stdin(Stdio::null())
        .output()
        .expect("comity runs")
}

/// Runs, expects this exit code, and returns stdout.
fn says(node: &Node, args: &[&str], exit: i32) -> String {
    let output = comity(node, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks until the answer has this in it.
fn until(node: &Node, args: &[&str], wanted: &str) {
    let since = Instant::now();
    loop {
        let said = says(node, args, 0);
        if said.contains(wanted) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{args:?} never says {wanted}: {said}");
        std::thread::yield_now();
    }
}

/// Two administrators, each with one line of the other.
#[test]
fn a_ticket_makes_two_domains_peers_in_one_command_each() {
    let acme = Node::start("acme.test").expect("a node");
    let umbrella = Node::start("umbrella.test").expect("a node");
    for (one, other) in [(&acme, &umbrella), (&umbrella, &acme)] {
        let ticket = says(other, &["domain", "show", "--ticket"], 0);
        let json = says(other, &["domain", "show", "--json=ticket"], 0);
        assert_eq!(json, format!("{{\"ticket\":\"{}\"}}\n", ticket.trim()));
        let pinned = says(one, &["peer", "pin", ticket.trim(), "--json=domain,fingerprint,endpoints"], 0);
        let digits: String = other.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let address = other.address().to_string();
        for part in [digits.as_str(), other.domain().as_str(), &address] {
            assert!(pinned.contains(part), "{part} is not in {pinned}");
        }
        let own = comity(other, &["peer", "pin", &ticket]);
        assert_eq!(own.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&own.stderr).contains("own domain"));
    }
    let forged = identity::PeeringTicket {
        domain: umbrella.domain().clone(),
        fingerprint: [0x0f; 32],
        endpoints: vec!["127.0.0.1:9".parse().expect("an endpoint")],
    };
    let file = acme.data().join("forged.ticket");
    std::fs::write(&file, forged.encode() + "\r\n").expect("written");
    says(&acme, &["peer", "pin", "--ticket-file", file.to_str().expect("text")], 6);
    until(&acme, &["peer", "show", "umbrella.test", "--json=state"], "connected");
}
