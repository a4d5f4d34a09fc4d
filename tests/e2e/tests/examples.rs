//! Every example of both programs' help is run word by word, in the stories of `tests/e2e/stories`,
//! where what has to be so before an example stands above it.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use kit::{Keyring, Played, Role, Stage};

/// The organisations of the stories.
const DOMAINS: [&str; 3] = ["acme", "umbrella", "third"];

/// Who is at which machine.
const PEOPLE: &[(&str, &str)] = &[
    ("", "alice"),
    ("admin", "acme"),
    ("umbrella", "umbrella"),
    ("third", "third"),
    ("bob", "bob"),
    ("carol", "carol"),
    ("eve", "eve"),
    ("carolthird", "carolthird"),
];

fn story(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories").join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Puts everybody at a machine; ports and addresses of the stories are free ones.
fn people(stage: &mut Stage) -> Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> =
        DOMAINS.iter().map(|_| kit::free_address()).collect::<std::io::Result<_>>()?;
    for (who, machine) in PEOPLE {
        let role = stage.role(who, machine)?;
        for (domain, address) in DOMAINS.iter().zip(&addresses) {
            role.word(&format!("{domain}.test:4433"), &address.to_string());
            if domain == machine {
                role.set("COMITY_DATA", "/var/lib/comity").set("COMITY_LISTEN", &address.to_string());
            }
        }
    }
    Ok(addresses)
}

/// All examples were typed as they stand in the help.
fn complete(examples: &BTreeSet<String>, played: &Played) -> Result<()> {
    let typed: BTreeSet<&str> = played.commands.iter().map(String::as_str).collect();
    let missing: Vec<&String> = examples.iter().filter(|example| !typed.contains(example.as_str())).collect();
    ensure!(missing.is_empty(), "examples that no story runs: {missing:#?}");
    Ok(())
}

fn help(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).env("COLUMNS", "100").output()?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The commands below the sentences that explain them.
fn examples_of_comity() -> Result<BTreeSet<String>> {
    let reference = help(&kit::comity()?, &["util", "reference"])?;
    let mut lines = reference.lines();
    let mut examples = BTreeSet::new();
    while let Some(line) = lines.next() {
        if line.starts_with("  # ") {
            examples.insert(lines.next().unwrap_or_default().trim().to_owned());
        }
    }
    Ok(examples)
}

#[test]
fn every_example_of_comity_is_run() -> Result<()> {
    let examples = examples_of_comity()?;
    ensure!(examples.len() > 100, "{} examples", examples.len());
    let keyring = Keyring::start()?;
    let mut stage = Stage::new()?;
    let addresses = people(&mut stage)?;
    let [acme, umbrella, _] = &addresses[..] else { anyhow::bail!("three domains") };
    let hook = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    // What an example says of a place that is another in every world.
    let here = |role: &mut Role, node: &SocketAddr| {
        role.word("127.0.0.1:4433", &node.to_string());
    };
    here(stage.at("")?, acme);
    here(stage.at("admin")?, umbrella);
    let alice = stage.at("")?;
    alice.word("3f2a9c01", "$(cat room.txt)").word("unix:path=/run/user/1000/bus", &keyring.address());
    alice.word("@3", "@$(cat text.txt)");
    alice.word("get bob@umbrella.test 12", "get bob@umbrella.test $(cat direct.txt)");
    alice.word("get \"#ops\" 12", "get \"#ops\" $(cat group.txt)");
    alice.set("COMITY_HOOK_LISTEN", &hook.to_string());
    let played = stage.play("comity.md", &story("comity.md")?)?;
    complete(&examples, &played)
}

/// The lines below `Examples:` of a verb and of those that it has.
fn examples_of_comityd(verbs: &[&str], examples: &mut BTreeSet<String>) -> Result<()> {
    let help = help(&kit::comityd()?, &[&["help"], verbs].concat())?;
    let below = |heading: &str| {
        let lines = help.lines().skip_while(move |line| *line != heading).skip(1);
        let lines = lines.take_while(|line| line.starts_with("  "));
        // What is further to the right goes on with the line above.
        let lines = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    examples.extend(below("Examples:"));
    for verb in below("Commands:") {
        let verb = verb.split_whitespace().next().unwrap_or_default();
        if verb != "help" {
            examples_of_comityd(&[verbs, &[verb]].concat(), examples)?;
        }
    }
    Ok(())
}

#[test]
fn every_example_of_comityd_is_run() -> Result<()> {
    let mut examples = BTreeSet::new();
    examples_of_comityd(&[], &mut examples)?;
    ensure!(examples.len() > 25, "{} examples: {examples:#?}", examples.len());
    let mut stage = Stage::new()?;
    let address = kit::free_address()?.to_string();
    let role = stage.role("", "acme")?;
    role.word("0.0.0.0:4433", &address).set("COMITY_LISTEN", &address);
    let played = stage.play("comityd.md", &story("comityd.md")?)?;
    complete(&examples, &played)
}
