//! What an administrator types, against real nodes.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod watching;

use std::process::{Command, Output, Stdio};

use kit::Node;
use watching::Watching;

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
    let said = kit::look_until(|| Ok(says(node, args, 0).contains(wanted).then_some(())));
    said.unwrap_or_else(|_| panic!("{args:?} never says {wanted}: {}", says(node, args, 0)));
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
        assert_eq!(own.status.code(), Some(2));
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
    says(&acme, &["peer", "retry", "umbrella.test"], 0);
    until(&acme, &["peer", "show", "umbrella.test", "--json=state"], "connected");
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("one JSON object")
}

/// Runs as somebody who is logged in on this machine.
fn person(node: &Node, name: &str, args: &[&str]) -> Output {
    comity(node, &[&["--as", name], args].concat())
}

fn log_in(node: &Node, account: &str, invitation: &str) {
    let file = node.data().join("invitation");
    std::fs::write(&file, invitation).expect("written");
    says(node, &["login", account, "--code-file", file.to_str().expect("text")], 0);
}

#[test]
fn a_dry_run_says_what_would_be_and_does_nothing() {
    let node = Node::start("acme.test").expect("a node");
    says(&node, &["user", "create", "alice@acme.test"], 0);
    let digits = "0f".repeat(32);
    let pin = |fingerprint: &str, more: &[&str], exit: i32| {
        let by = ["peer", "pin", "umbrella.test", "--endpoint", "127.0.0.1:1", "--fingerprint", fingerprint];
        says(&node, &[&by, more].concat(), exit)
    };
    let plan = ["--dry-run", "--json=would"];
    assert_eq!(pin(&digits, &plan, 0), "{\"would\":\"pinned\"}\n");
    says(&node, &["peer", "show", "umbrella.test"], 3);
    pin(&digits, &[], 0);
    let state = || {
        let show = |args: &[&str]| says(&node, args, 0);
        let peer = show(&["peer", "show", "umbrella.test", "--json=fingerprint,endpoints"]);
        let mode = show(&["peer", "show", "umbrella.test", "--json=state"]);
        let users = show(&["user", "list", "--json"]);
        // A peer that is out of reach is waited for or tried.
        let mode = if mode.contains("paused") || mode.contains("denied") { mode } else { String::new() };
        (peer, mode, users, show(&["report", "audit", "--json"]))
    };
    let before = state();
    let other = "1f".repeat(32);
    pin(&other, &["--dry-run"], 6);
    let replaced = pin(&other, &["--replace", "--dry-run", "--json=would"], 0);
    assert_eq!(replaced, "{\"would\":\"pinned in the place of another key\"}\n");
    for (verb, would) in [
        ("retry", "tried now"),
        ("pause", "paused"),
        ("resume", "resumed"),
        ("deny", "denied"),
        ("allow", "allowed"),
    ] {
        let said = says(&node, &[&["peer", verb, "umbrella.test"], &plan[..]].concat(), 0);
        assert_eq!(said, format!("{{\"would\":\"{would}\"}}\n"), "{verb}");
    }
    assert!(says(&node, &["peer", "remove", "umbrella.test", "--dry-run"], 0).contains("would be forgotten"));
    for (verb, would) in
        [("suspend", "suspended"), ("restore", "let in again"), ("delete", "deleted for good")]
    {
        let said = says(&node, &[&["user", verb, "alice@acme.test"], &plan[..]].concat(), 0);
        assert_eq!(said, format!("{{\"would\":\"{would}\"}}\n"), "{verb}");
    }
    says(&node, &["user", "create", "alice@acme.test", "--dry-run"], 6);
    let made = says(&node, &["user", "create", "bob@acme.test", "--dry-run", "--json"], 0);
    assert_eq!(json(&made)["invitation"], serde_json::Value::Null);
    assert!(says(&node, &["user", "invite", "bob@acme.test", "--dry-run"], 0).contains("would be invited"));
    says(&node, &["user", "invite", "bob@umbrella.test", "--dry-run"], 2);
    assert!(says(&node, &["user", "password", "bob@acme.test", "--dry-run"], 0).contains("would be set"));
    says(&node, &["user", "password", "bob@acme.test", "--unset", "--dry-run"], 3);
    says(&node, &["user", "sessions", "alice@acme.test", "--end", "--dry-run"], 0);
    says(&node, &["domain", "publish", "--dry-run"], 0);
    assert_eq!(state(), before);
}

#[test]
fn an_account_is_made_suspended_restored_and_deleted() {
    let node = Node::start("acme.test").expect("a node");
    let made = says(&node, &["user", "create", "alice@acme.test", "bob@acme.test", "--json"], 0);
    let invitations: Vec<serde_json::Value> = made.lines().map(json).collect();
    assert_eq!(invitations.len(), 2);
    let again = says(&node, &["user", "create", "alice@acme.test", "carol@acme.test", "--json=account"], 6);
    assert_eq!(again, "{\"account\":\"carol@acme.test\"}\n", "one that is there harms no other");
    for made in &invitations {
        let field = |name: &str| made[name].as_str().expect("a text").to_owned();
        log_in(&node, &field("account"), &field("invitation"));
    }
    assert!(
        person(&node, "alice", &["send", "bob@acme.test", "hello", "--wait", "ordered"]).status.success()
    );

    let suspended = json(&says(&node, &["user", "suspend", "alice@acme.test", "--json=state,devices"], 0));
    assert_eq!((&suspended["state"], &suspended["devices"]), (&"suspended".into(), &1.into()));
    let status = person(&node, "alice", &["status", "--check"]);
    assert_ne!(status.status.code(), Some(0));
    let told = String::from_utf8_lossy(&status.stdout) + String::from_utf8_lossy(&status.stderr);
    assert!(told.contains("suspended: ask your administrator"), "{told}");
    assert!(says(&node, &["user", "list"], 0).contains("alice@acme.test\tsuspended\t1\t"));
    says(&node, &["user", "restore", "alice@acme.test"], 0);
    assert!(
        person(&node, "alice", &["send", "bob@acme.test", "again", "--wait", "ordered"]).status.success()
    );

    says(&node, &["user", "delete", "alice@acme.test"], 2);
    says(&node, &["user", "delete", "alice@acme.test", "--yes"], 0);
    let shown = json(&says(&node, &["user", "show", "alice@acme.test", "--json"], 0));
    assert_eq!(
        (&shown["state"], &shown["devices"], &shown["rooms"]),
        (&"deleted".into(), &0.into(), &0.into())
    );
    says(&node, &["user", "invite", "alice@acme.test"], 6);
    says(&node, &["user", "show", "nobody@acme.test"], 3);
    says(&node, &["user", "suspend", "bob@umbrella.test"], 2);

    let log = says(&node, &["report", "audit", "--json=act,subject,by"], 0);
    let acts: Vec<String> =
        log.lines().map(|line| json(line)["act"].as_str().expect("a text").to_owned()).collect();
    let newest_first =
        ["user.delete", "user.restore", "user.suspend", "user.invite", "user.invite", "user.invite"];
    assert_eq!(acts, newest_first);
    assert!(
        log.lines().all(|line| json(line)["by"].as_str().is_some_and(|by| by.starts_with("uid "))),
        "{log}"
    );
    let page = says(&node, &["report", "audit", "--before", "3", "--limit", "1", "--json=entry"], 0);
    assert_eq!(page, "{\"entry\":2}\n");
    let checked = says(&node, &["report", "audit", "--check", "--json=entry"], 0);
    assert_eq!(checked, "{\"entry\":6}\n");
}

#[test]
fn sessions_are_shown_and_ended() {
    let node = Node::start("acme.test").expect("a node");
    let made = json(&says(&node, &["user", "create", "alice@acme.test", "--json"], 0));
    log_in(&node, "alice@acme.test", made["invitation"].as_str().expect("a text"));
    let listed = json(&says(&node, &["user", "sessions", "alice@acme.test", "--json"], 0));
    assert_eq!((&listed["connected"], &listed["since"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(says(&node, &["user", "sessions"], 0), "");
    let events = node.data().join("events");
    let watch = Command::new(env!("CARGO_BIN_EXE_comity"))
        .args(["--as", "alice", "watch"])
        .env("COMITY_HOME", node.data().join("people"))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&events).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut watch = Watching(watch);
    until(&node, &["user", "sessions", "--json=connected"], "true");
    let ended = says(&node, &["user", "sessions", "alice@acme.test", "--end", "--json=account"], 0);
    assert_eq!(ended, "{\"account\":\"alice@acme.test\"}\n");
    until(&node, &["user", "sessions", "--json=connected"], "true");
    says(&node, &["user", "suspend", "alice@acme.test"], 0);
    until(&node, &["user", "sessions", "alice@acme.test", "--json=connected"], "false");
    // It asks again and again, and is let in when the account is restored.
    let seen =
        kit::look_until(|| Ok(std::fs::read_to_string(&events)?.contains("disconnected").then_some(())));
    seen.expect("who watches sees that the session has ended");
    assert!(watch.0.try_wait().expect("looked").is_none(), "it does not give up");
    let still = says(&node, &["user", "sessions", "alice@acme.test", "--json=connected"], 0);
    assert_eq!(json(&still)["connected"], false, "it is not let in meanwhile");
    says(&node, &["user", "restore", "alice@acme.test"], 0);
    until(&node, &["user", "sessions", "--json=connected"], "true");
}

#[test]
fn a_peer_is_paused_denied_and_removed() {
    let acme = Node::start("acme.test").expect("a node");
    let umbrella = Node::start("umbrella.test").expect("a node");
    kit::pin_each_other(&acme, &umbrella).expect("peers");
    let state = |args: &[&str]| {
        let shown = json(&says(&acme, &[args, &["umbrella.test", "--json=state"]].concat(), 0));
        shown["state"].as_str().expect("a text").to_owned()
    };
    assert_eq!(state(&["peer", "pause"]), "paused");
    says(&acme, &["peer", "retry", "umbrella.test"], 5);
    assert_ne!(state(&["peer", "resume"]), "paused");
    until(&acme, &["peer", "show", "umbrella.test", "--json=state"], "connected");
    assert_eq!(state(&["peer", "deny"]), "denied");
    says(&acme, &["peer", "resume", "umbrella.test"], 5);
    says(&acme, &["peer", "pause", "umbrella.test"], 5);
    until(&umbrella, &["peer", "show", "acme.test", "--json=last_error"], "Blocked");
    let health = says(&acme, &["report", "health", "--json=level,subject"], 0);
    assert_eq!(health, "{\"level\":\"note\",\"subject\":\"umbrella.test\"}\n");
    assert_ne!(state(&["peer", "allow"]), "denied");
    until(&acme, &["peer", "show", "umbrella.test", "--json=state"], "connected");
    let usage = json(&says(&acme, &["report", "usage", "--json"], 0));
    assert_eq!(usage["peers"][0]["domain"], "umbrella.test");
    assert!(usage["store_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{usage}");
    says(&acme, &["peer", "remove", "umbrella.test"], 2);
    let removed = json(&says(&acme, &["peer", "remove", "umbrella.test", "--yes", "--json"], 0));
    assert_eq!(removed["domain"], "umbrella.test");
    for verb in ["show", "deny", "allow", "pause", "resume", "retry"] {
        says(&acme, &["peer", verb, "umbrella.test"], 3);
    }
    assert_eq!(says(&acme, &["report", "health"], 0), "");
}

#[test]
fn a_document_is_published_without_a_restart_and_the_domain_is_checked() {
    let mut node = Node::start("acme.test").expect("a node");
    let checked = json(&says(&node, &["domain", "check", "--json"], 0));
    assert_eq!((&checked["good"], &checked["document_seq"]), (&true.into(), &1.into()), "{checked}");
    let first = json(&says(&node, &["domain", "publish", "--json"], 0));
    assert_eq!(first["published"], serde_json::json!([]));
    let digits: String = node.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let txt = format!("_comity.acme.test. 3600 IN TXT \"v=1; root={digits}\"");
    assert_eq!(first["records"], serde_json::json!([txt]), "an address has no SRV record");

    let address = node.address().to_string();
    let renewed = Command::new(kit::comityd().expect("comityd"))
        .args(["renew", "--endpoint", "localhost:1", "--endpoint", &address, "--data"])
        .arg(node.data())
        .output()
        .expect("comityd runs");
    assert!(renewed.status.success(), "{}", String::from_utf8_lossy(&renewed.stderr));
    let second = json(&says(&node, &["domain", "publish", "--json"], 0));
    assert_eq!((&second["document_seq"], &second["published"]), (&2.into(), &serde_json::json!([2])));
    let records = second["records"].as_array().expect("a list");
    assert_eq!(records[0], "_comity._udp.acme.test. 3600 IN SRV 10 0 1 localhost.");
    // One of the two does not answer: that cannot be told from a firewall between.
    let checked = json(&says(&node, &["domain", "check", "--json"], 9));
    assert_eq!(checked["endpoints"][0]["state"], "silent", "{checked}");
    assert_eq!(checked["endpoints"][1]["state"], "good", "{checked}");
    std::fs::write(node.data().join("documents/3.signed"), "no document").expect("written");
    says(&node, &["domain", "publish"], 10);
    node.stop().expect("stopped");
    says(&node, &["domain", "check"], 9);
    says(&node, &["report", "health"], 9);
}
