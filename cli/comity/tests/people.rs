//! The command line against a real node: what people type, in the order in which they type it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;
mod watching;

use std::path::Path;

use house::{House, text};
use watching::Watching;

#[test]
fn two_people_talk_make_a_group_and_part() {
    let house = House::new();
    let sent =
        house.says("alice", &["send", "bob@acme.test", "hello\nthere", "--wait", "ordered", "--json"], 0);
    let sent: serde_json::Value = serde_json::from_str(&sent).expect("one object");
    assert!(["ordered", "stored", "delivered"].iter().any(|level| sent["level"] == *level), "{sent}");
    let read = house.says("bob", &["read", "--unread", "--json=sender,text,kind"], 0);
    assert!(read.contains(r#""text":"hello\nthere""#) && read.contains("alice@acme.test"), "{read}");
    assert_eq!(house.says("bob", &["read", "--unread"], 0), "", "it was marked as read");
    let room = sent["room"].as_str().expect("an id");
    let by_prefix = house.says("bob", &["message", "list", &room[..8], "--json=seq,text", "--limit", "1"], 0);
    assert!(by_prefix.contains("hello"), "{by_prefix}");

    house.says("alice", &["room", "create", "ops", "bob@acme.test"], 0);
    let shown = house.says("bob", &["room", "show", "#ops", "--json=members,standing"], 0);
    assert!(
        shown.contains(
            r#""account":"alice@acme.test","declined":false,"held":false,"managed":false,"role":"admin""#
        ),
        "{shown}"
    );
    house.says("bob", &["room", "remove", "#ops", "alice@acme.test"], 5);
    house.says("bob", &["room", "rename", "#ops", "mine"], 5);
    house.says("alice", &["room", "role", "#ops", "bob@acme.test", "admin"], 0);
    house.says("bob", &["room", "rename", "#ops", "operations"], 0);
    house.says("alice", &["room", "show", "#operations"], 0);
    house.says("alice", &["room", "show", "#ops"], 3);
    house.says("alice", &["room", "accept", "#operations"], 0);
    house.says("bob", &["room", "leave", "#operations"], 0);
    // A room that cannot be founded says so, over and over if need be, and is taken back.
    for _ in 0..2 {
        house.says("alice", &["send", "mallory@acme.test", "x", "--timeout", "10"], 3);
        let shown = house.says("alice", &["room", "show", "mallory@acme.test", "--json=standing,problem"], 0);
        assert!(shown.contains(r#""standing":"refused""#) && shown.contains("NotFound"), "{shown}");
    }
    house.says("alice", &["room", "leave", "mallory@acme.test"], 0);
    house.says("alice", &["room", "show", "mallory@acme.test"], 3);
    let status = house.says("alice", &["status", "--check", "--json=connected,unsent,account"], 0);
    assert!(status.contains(r#""connected":true"#), "{status}");
    let users = text(&house.admin(&["user", "list"]).stdout);
    assert_eq!(users.lines().filter(|line| line.contains("\tenrolled\t1\t")).count(), 2, "{users}");
    let again = house.run(&["login", "alice@acme.test", "--code-file", "/dev/null"]);
    assert_eq!(again.status.code(), Some(6), "{}", text(&again.stderr));
}

/// [ROOM-41] The node comes back from a backup that is older than its rooms: what was said is read, the
/// direct room goes on, and the group says why it does not and can be left.
#[test]
fn a_node_that_has_lost_its_rooms_keeps_nobody_in_them() {
    let mut house = House::new();
    let backup = house.home.path().join("backup");
    let backup = backup.to_str().expect("text");
    let done = |output: std::process::Output| {
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    done(house.node.comityd(&["backup", backup]).expect("comityd runs"));
    house.says("alice", &["send", "bob@acme.test", "one", "--wait", "ordered"], 0);
    house.says("alice", &["room", "create", "ops", "bob@acme.test"], 0);
    house.says("alice", &["send", "#ops", "before", "--wait", "ordered"], 0);
    house.says("bob", &["read", "--unread"], 0);
    house.node.kill().expect("killed");
    house.node.wipe().expect("wiped");
    done(house.node.comityd(&["restore", backup]).expect("comityd runs"));
    house.node.run().expect("it runs");

    let read = house.says("bob", &["read", "#ops"], 0);
    assert!(read.contains("before") && read.contains("lost by its hub"), "{read}");
    let shown = house.says("bob", &["room", "show", "#ops", "--json=standing,problem"], 0);
    assert!(shown.contains(r#""standing":"paused""#) && shown.contains("NotFound"), "{shown}");
    house.says("bob", &["send", "#ops", "anybody?", "--wait", "ordered"], 3);
    house.says("bob", &["room", "leave", "#ops"], 0);
    // Both came to know of it by themselves; whoever is there first founds the room for both.
    let watch = Watching(house.command(&["--as", "alice", "watch"]).spawn().expect("it runs"));
    house.says("bob", &["send", "alice@acme.test", "two", "--wait", "delivered"], 0);
    drop(watch);
    for (name, texts) in [("alice", ["one", "two"]), ("bob", ["one", "two"])] {
        let other = if name == "alice" { "bob@acme.test" } else { "alice@acme.test" };
        let read = house.says(name, &["read", other, "--json=text"], 0);
        let said = |text: &str| read.matches(&format!("\"{text}\"")).count();
        assert!(texts.iter().all(|text| said(text) == 1), "{name}: {read}");
        let read = house.says(name, &["read", other], 0);
        assert!(read.contains("lost by its hub and founded anew"), "{name}: {read}");
    }
}

/// [ADMIN-7] A person whose account is suspended is told so at once, reads what is here, and goes on
/// where it was when it is restored.
#[test]
fn a_suspended_account_is_told_so_and_reads_what_it_has() {
    let house = House::new();
    house.says("alice", &["send", "bob@acme.test", "before", "--wait", "ordered"], 0);
    house.says("bob", &["read", "alice@acme.test"], 0);
    house.admin(&["user", "suspend", "bob@acme.test"]);
    let refused = |args: &[&str]| {
        // Whoever waited for the node's mind to change would wait for longer than this.
        let output = house.run(&[&["--as", "bob"], args, &["--timeout", "86400"]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{args:?}: {said}");
        assert!(said.contains("your account is suspended: ask your administrator"), "{args:?}: {said}");
    };
    refused(&["send", "alice@acme.test", "after"]);
    refused(&["room", "create", "ops"]);
    refused(&["contact", "policy", "open"]);
    let read = house.run(&["--as", "bob", "read", "alice@acme.test"]);
    assert_eq!(read.status.code(), Some(0));
    assert!(text(&read.stdout).contains("before"), "{}", text(&read.stdout));
    assert!(text(&read.stderr).contains("your account is suspended"), "{}", text(&read.stderr));
    let status = house.says("bob", &["status", "--check", "--json=connected,problem"], 5);
    assert!(status.contains("your account is suspended: ask your administrator"), "{status}");
    house.admin(&["user", "restore", "bob@acme.test"]);
    house.says("bob", &["send", "alice@acme.test", "back", "--wait", "ordered"], 0);
    let read = house.says("alice", &["read", "bob@acme.test", "--json=text"], 0);
    let (after, back) = (read.find("after"), read.find("back"));
    assert!(after.is_some() && after < back, "what was stored is sent once, and first: {read}");
}

/// From the command line through both devices: the greatest text arrives whole, one byte more is
/// refused and not cut.
#[test]
fn a_text_of_the_greatest_length_arrives_whole_and_a_longer_one_is_refused() {
    const MOST: usize = wire::limits::CONTENT_BODY_BYTES_MAX;
    let house = House::new();
    let send = |text: &str| {
        let file = house.home.path().join("text");
        std::fs::write(&file, text).expect("written");
        let args = ["--as", "alice", "send", "bob@acme.test", "-", "--wait", "ordered"];
        let stdin = std::fs::File::open(&file).expect("opened");
        let output = house.command(&args).stdin(stdin).output().expect("comity runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let whole = "ä".repeat(MOST / 2);
    assert_eq!(send(&format!("{whole}\n")), (Some(0), String::new()));
    for longer in [format!("{whole}x"), "\n".repeat(MOST + 4), format!("{whole}\nand more")] {
        let (exit, said) = send(&longer);
        assert!(exit == Some(11) && said.contains("65536"), "{exit:?} {said}");
    }
    let read = house.says("bob", &["read", "--unread", "--json=text"], 0);
    let texts: Vec<serde_json::Value> =
        read.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(texts.iter().filter_map(|line| line["text"].as_str()).collect::<Vec<_>>(), [whole]);
}

#[test]
fn commands_work_beside_a_watch_and_after_its_end() {
    let house = House::new();
    let watch = house.command(&["--as", "alice", "watch"]).spawn().expect("it runs");
    let mut watch = Watching(watch);
    let socket = house.people().join("alice@acme.test/socket");
    let stands = kit::look_until(|| {
        assert!(watch.0.try_wait()?.is_none(), "watch ended");
        Ok(Path::new(&socket).exists().then_some(()))
    });
    stands.expect("watch works");
    house.says("alice", &["send", "bob@acme.test", "beside", "--wait", "ordered"], 0);
    drop(watch);
    house.says("alice", &["send", "bob@acme.test", "after", "--wait", "ordered"], 0);
    let read = house.says("bob", &["read", "--json=text"], 0);
    assert_eq!(read, "{\"text\":\"beside\"}\n{\"text\":\"after\"}\n");
}

/// Programs of one device: whichever of them owns it may be killed while the others send, and each message
/// goes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_by_a_program_whose_owner_is_killed_goes_once() {
    const ROUNDS: usize = 5;
    const AT_ONCE: usize = 20;
    let house = House::new();
    house.says("alice", &["send", "bob@acme.test", "begin", "--wait", "ordered"], 0);
    let socket = house.people().join("alice@acme.test/socket");
    let mut said = vec!["begin".to_owned()];
    for round in 0..ROUNDS {
        let mut owner = Watching(house.command(&["--as", "alice", "watch"]).spawn().expect("it runs"));
        while !Path::new(&socket).exists() {
            assert!(owner.0.try_wait().expect("looked").is_none(), "watch ended");
            std::thread::yield_now();
        }
        let guest = client::Client::open(&house.people().join("alice@acme.test")).await.expect("it opens");
        let texts: Vec<String> = (0..AT_ONCE).map(|text| format!("{round}-{text}")).collect();
        let send = |text: &String| {
            let (guest, what) = (guest.clone(), client::Outgoing::text(text.clone()));
            let bob = "bob@acme.test".parse().expect("an account");
            tokio::spawn(async move { guest.send_to(&bob, what).await })
        };
        let sending: Vec<_> = texts.iter().map(send).collect();
        // Some of it was read, some answered, some neither: how much is the machine's affair.
        for _ in 0..round * 50 {
            tokio::task::yield_now().await;
        }
        owner.0.kill().expect("killed");
        for sent in sending {
            let sent = sent.await.expect("no panic").expect("nobody need look whether it was sent");
            guest.wait(sent, client::Level::Ordered).await.expect("ordered");
        }
        guest.close().await;
        said.extend(texts);
    }
    // An id that a program keeps means the same message after all of that.
    let guest = client::Client::open(&house.people().join("alice@acme.test")).await.expect("it opens");
    let id = client::MessageId::new([9; 16]);
    for _ in 0..2 {
        let bob = "bob@acme.test".parse().expect("an account");
        let sent = guest.send_to_once(id, &bob, client::Outgoing::text("end")).await.expect("sent");
        guest.reached(sent, client::Level::Ordered).await.expect("ordered");
    }
    guest.close().await;
    said.push("end".to_owned());
    let read = house.says("bob", &["read", "alice@acme.test", "--json=text", "--limit", "200"], 0);
    let mut texts: Vec<String> = read
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["text"].as_str().map(Into::into)
        })
        .filter(|text: &String| !text.contains("joined"))
        .collect();
    texts.sort();
    said.sort();
    assert_eq!(texts, said);
}

#[test]
fn a_message_waits_for_its_node_and_says_so() {
    let mut house = House::new();
    house.says("alice", &["send", "bob@acme.test", "first", "--wait", "ordered"], 0);
    house.node.stop().expect("stopped");
    house.says("alice", &["send", "bob@acme.test", "second", "--timeout", "1"], 8);
    house.says("alice", &["status", "--check"], 9);
    house.node.run().expect("started");
    house.says("alice", &["send", "bob@acme.test", "third", "--wait", "ordered"], 0);
    let read = house.says("bob", &["read", "--json=text"], 0);
    assert_eq!(read, "{\"text\":\"first\"}\n{\"text\":\"second\"}\n{\"text\":\"third\"}\n");
}

#[test]
fn two_people_compare_their_keys() {
    let house = House::new();
    let own = |name: &str| {
        let shown = house.says(name, &["contact", "show", "--json=fingerprint,state"], 0);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("one object");
        assert_eq!(shown["state"], "own");
        shown["fingerprint"].as_str().expect("digits").to_owned()
    };
    let (alice, bob) = (own("alice"), own("bob"));
    assert_ne!(alice, bob);
    let seen = house.says("alice", &["contact", "show", "bob@acme.test", "--json"], 0);
    let seen: serde_json::Value = serde_json::from_str(&seen).expect("one object");
    assert_eq!((&seen["state"], &seen["mode"]), (&"seen".into(), &"user-held".into()), "{seen}");
    assert_eq!((&seen["fingerprint"], &seen["changed"]), (&bob.as_str().into(), &serde_json::Value::Null));
    let domain: String = house.node.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen["domain_fingerprint"], domain.as_str());

    let last = if bob.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{last}", &bob[..63]);
    house.says("alice", &["contact", "verify", "bob@acme.test", &wrong], 7);
    house.says("alice", &["contact", "trust", "bob@acme.test", &alice], 7);
    house.says("alice", &["contact", "verify", "bob@acme.test", &bob[..60]], 2);
    house.says("alice", &["contact", "verify", "alice@acme.test", &alice], 2);
    house.says("alice", &["contact", "verify", "nobody@acme.test", &bob], 3);
    let state = |args: &[&str]| house.says("alice", &[args, &["--json=account,state"]].concat(), 0);
    let listed = state(&["contact", "list"]);
    assert!(listed.contains(r#"{"account":"bob@acme.test","state":"seen"}"#), "{listed}");
    // As it is read out, digit by digit.
    let (left, right) = bob.split_at(30);
    let verified = state(&["contact", "verify", "bob@acme.test", &left.to_uppercase(), right]);
    assert_eq!(verified, "{\"account\":\"bob@acme.test\",\"state\":\"verified\"}\n");
    let listed = state(&["contact", "list"]);
    assert!(listed.contains(&verified) && listed.contains(r#""alice@acme.test","state":"own""#), "{listed}");
}

#[test]
fn a_room_tells_what_names_somebody_and_keeps_what_may_disturb() {
    let house = House::new();
    for text in ["hello", "@bob, are you there?", "ask bob@acme.test", "not @bobby"] {
        house.says("alice", &["send", "bob@acme.test", text, "--wait", "ordered"], 0);
    }
    house.says("bob", &["message", "list", "alice@acme.test"], 0);
    let shown = |name: &str| {
        let shown = house.says(name, &["room", "list", "--json=unread,mentions,notify"], 0);
        shown.trim_end().to_owned()
    };
    assert_eq!(shown("bob"), r#"{"mentions":2,"notify":"all","unread":4}"#);
    house.says("alice", &["send", "bob@acme.test", "@bob!", "--wait", "ordered"], 0);
    house.says("bob", &["message", "list", "alice@acme.test"], 0);
    assert_eq!(shown("bob"), r#"{"mentions":3,"notify":"all","unread":5}"#);
    house.says("bob", &["read"], 0);
    house.says("bob", &["room", "notify", "alice@acme.test", "mentions"], 0);
    assert_eq!(shown("bob"), r#"{"mentions":0,"notify":"mentions","unread":0}"#);
    house.says("bob", &["room", "notify", "#nowhere", "none"], 3);
    house.says("bob", &["room", "notify", "alice@acme.test", "loud"], 2);
}
