//! What supervisors and collectors see over HTTP, and that alerts and dashboard ask for what exists.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use kit::Node;
use wire::proto::{AccountStanding, PeerMode, SetPeerMode, SetStanding, admin_request::Request};

fn free_tcp() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn watched(domain: &str) -> Result<(Node, SocketAddr)> {
    let mut node = Node::init(domain)?;
    let address = free_tcp()?;
    node.set_env("COMITY_HEALTH_LISTEN", &address.to_string());
    node.run()?;
    Ok((node, address))
}

/// Sends these bytes; the first line of the answer, and its body.
fn say(address: SocketAddr, request: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no whole answer")?;
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}

fn get(address: SocketAddr, path: &str) -> Result<(String, String)> {
    say(address, &format!("GET {path} HTTP/1.1\r\nHost: comity\r\nConnection: close\r\n\r\n"))
}

/// Everything in a text that looks like the name of one of our metrics.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    words
        .filter(|word| word.starts_with("comity_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

/// The labels that a text asks for, `phase="paused"`; of alternatives (`=~"a|b"`) each.
fn labels(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("=\"").chain(text.match_indices("=~\"")) {
        let name =
            text[..at].rsplit(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default();
        let values = text[at..].split('"').nth(1).unwrap_or_default();
        found.extend(values.split('|').map(|value| format!("{name}=\"{value}\"")));
    }
    found
}

/// The names of the samples of an answer.
fn samples(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

fn file(path: &str) -> Result<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(top.join(path)).context(path.to_owned())
}

#[test]
fn a_node_says_how_it_is_doing_and_ends_saying_so() -> Result<()> {
    let (mut node, address) = watched("acme.test")?;
    for path in ["/livez", "/readyz", "/startupz"] {
        ensure!(get(address, path)? == ("HTTP/1.1 200 OK".into(), "ok\n".into()), "{path}");
    }
    node.stop()?;
    ensure!(TcpStream::connect(address).is_err(), "it answers after its end");
    Ok(())
}

#[test]
fn what_is_no_question_is_answered_and_harms_nobody() -> Result<()> {
    let (node, address) = watched("acme.test")?;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(600_000));
    for (request, status) in [
        ("GET /secrets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"),
        ("GET /../comity.toml HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"),
        ("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "405"),
        ("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400"),
    ] {
        let (first, _) = say(address, request)?;
        ensure!(first.contains(status), "{request:?}: {first}");
    }
    // The answer may be lost with the reset that follows it: what counts is what comes after.
    let _ = say(address, &long);
    ensure!(get(address, "/livez")?.0.contains("200"), "it does not answer any more");
    drop(node);
    Ok(())
}

#[test]
fn the_metrics_are_those_of_the_specification_and_alerts_and_dashboard_use_no_others() -> Result<()> {
    let (acme, address) = watched("acme.test")?;
    let umbrella = Node::start("umbrella.test")?;
    kit::pin_each_other(&acme, &umbrella)?;
    let (_, metrics) = get(address, "/metrics")?;
    ensure!(metrics.ends_with("# EOF\n"), "it is not whole: {metrics}");
    ensure!(metrics.contains("comity_peer_up{peer=\"umbrella.test\"}"), "{metrics}");
    let exported = samples(&metrics);

    let chapter = file("spec/12-admin.md")?;
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let specified: BTreeSet<String> = rows.flat_map(names).collect();
    ensure!(specified == exported, "{:?}", specified.symmetric_difference(&exported));

    for path in ["node/comityd/monitoring/alerts.yml", "node/comityd/monitoring/dashboard.json"] {
        let used = names(&file(path)?);
        ensure!(!used.is_empty() && used.is_subset(&exported), "{path}: {:?}", used.difference(&exported));
        // Inside JSON, quotes have a mark before them.
        let used = labels(&file(path)?.replace("\\\"", "\""));
        let told = labels(&metrics);
        ensure!(used.is_subset(&told), "{path}: {:?}", used.difference(&told));
    }
    serde_json::from_str::<serde_json::Value>(&file("node/comityd/monitoring/dashboard.json")?)?;
    Ok(())
}

/// Whoever is woken by an alert finds it in the guide.
#[test]
fn the_guide_explains_each_alert_and_no_other() -> Result<()> {
    let rules = file("node/comityd/monitoring/alerts.yml")?;
    let alerts: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let guide = file("node/GUIDE.md")?;
    let cells = guide.lines().filter_map(|line| line.strip_prefix("| `Comity")?.split(" | ").next());
    let cells: Vec<String> = cells.map(|cell| format!("`Comity{cell}")).collect();
    let explained: BTreeSet<&str> =
        cells.iter().flat_map(|cell| cell.split('`')).filter(|word| word.starts_with("Comity")).collect();
    ensure!(alerts == explained, "{:?}", alerts.symmetric_difference(&explained));
    Ok(())
}

#[test]
fn peers_are_counted_by_how_they_stand_and_accounts_that_are_suspended() -> Result<()> {
    let (acme, address) = watched("acme.test")?;
    let account = "alice@acme.test".parse()?;
    acme.invite(&account)?;
    for (number, domain) in ["one.test", "two.test", "three.test", "four.test"].into_iter().enumerate() {
        let fingerprint = [u8::try_from(number)?; 32];
        kit::pin(&acme, &domain.parse()?, kit::free_address()?, &fingerprint)?;
    }
    for (domain, mode) in
        [("one.test", PeerMode::Denied), ("two.test", PeerMode::Paused), ("four.test", PeerMode::Denied)]
    {
        acme.ask(Request::SetPeerMode(SetPeerMode { domain: domain.into(), mode: mode.into() }))?;
    }
    let standing = AccountStanding::Suspended.into();
    acme.ask(Request::SetStanding(SetStanding { account: account.to_string(), standing }))?;
    let (_, metrics) = get(address, "/metrics")?;
    for sample in [
        "comity_peers{phase=\"denied\"} 2.0",
        "comity_peers{phase=\"paused\"} 1.0",
        "comity_peers{phase=\"idle\"} 1.0",
        "comity_peers{phase=\"unreachable\"} 0.0",
        "comity_accounts_suspended 1.0",
        "comity_peer_sent_items_total{peer=\"three.test\"} 0.0",
    ] {
        ensure!(metrics.lines().any(|line| line == sample), "{sample}: {metrics}");
    }
    Ok(())
}

// [ADMIN-5]
#[test]
fn no_account_and_no_room_is_named() -> Result<()> {
    let (node, address) = watched("acme.test")?;
    node.invite(&"canary@acme.test".parse()?)?;
    let (_, metrics) = get(address, "/metrics")?;
    ensure!(metrics.contains("comity_accounts 1.0"), "{metrics}");
    ensure!(!metrics.contains("canary") && !metrics.contains('@'), "{metrics}");
    Ok(())
}
