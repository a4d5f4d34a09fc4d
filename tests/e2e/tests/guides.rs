//! Both guides are followed word by word: each command in them is typed on a terminal, in the order
//! of the page, and shows what the page says.

use std::{collections::BTreeSet, net::SocketAddr, path::Path};

use anyhow::{Context as _, Result, ensure};
use kit::{Played, Stage};

/// The two organisations of the guides.
const DOMAINS: [&str; 2] = ["acme", "umbrella"];

/// What the other organisation did before the guide begins.
const UMBRELLA: &str = "
```console
umbrella$ comityd init umbrella.example --endpoint chat.umbrella.example:4433 --no-passphrase > init.txt
umbrella$ systemctl start comityd
umbrella$ comity domain show --ticket > umbrella.ticket
```
";

struct World {
    stage: Stage,
    addresses: Vec<SocketAddr>,
    health: SocketAddr,
}

impl World {
    fn new() -> Result<Self> {
        let addresses = DOMAINS.iter().map(|_| kit::free_address()).collect::<std::io::Result<_>>()?;
        // Nobody answers there; the port is one of TCP.
        let health = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        Ok(Self { stage: Stage::new()?, addresses, health })
    }

    /// Somebody at a server of one of the organisations, or at a machine of their own.
    fn role(&mut self, who: &str, machine: &str) -> Result<&mut kit::Role> {
        let role = self.stage.role(who, machine)?;
        for (domain, address) in DOMAINS.iter().zip(&self.addresses) {
            let port = address.port();
            role.word(&format!("chat.{domain}.example:4433"), &format!("localhost:{port}"));
            role.word(&format!("4433 chat.{domain}.example."), &format!("{port} localhost."));
            if *domain == machine {
                role.word("0.0.0.0:4433", &address.to_string()).set("COMITY_LISTEN", &address.to_string());
            }
        }
        role.word("127.0.0.1:9464", &self.health.to_string());
        Ok(role)
    }
}

fn page(path: &str) -> Result<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(top.join(path)).with_context(|| path.to_owned())
}

/// The verbs of a command line: its first words, up to an option or something that is no word.
fn verbs(command: &str) -> Vec<String> {
    let word = |word: &&str| {
        !word.starts_with('-') && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
    };
    command.split_whitespace().take(3).take_while(word).map(str::to_owned).collect()
}

/// What the page mentions in a line of text is run somewhere on it.
fn mentioned(page: &str, played: &Played) -> Result<()> {
    let typed: String =
        played.commands.iter().chain(&played.left_out).map(|line| format!("{line}\n")).collect();
    let mut fenced = false;
    let mut missing = BTreeSet::new();
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        if fenced {
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            if ["comity ", "comityd "].iter().any(|program| span.starts_with(program)) {
                let verbs = verbs(span).join(" ");
                if !typed.contains(&verbs) {
                    missing.insert(verbs);
                }
            }
        }
    }
    ensure!(missing.is_empty(), "mentioned and never run: {missing:?}");
    Ok(())
}

fn follow(world: &mut World, path: &str) -> Result<()> {
    let page = page(path)?;
    let played = world.stage.play(path, &page)?;
    for command in &played.left_out {
        kit::skipped(&format!("{command} (it belongs to an installed package)"));
    }
    ensure!(!played.commands.is_empty(), "{path} has no command");
    mentioned(&page, &played)
}

#[test]
fn the_administrators_guide_is_followed_word_by_word() -> Result<()> {
    let mut world = World::new()?;
    for (who, machine) in [("umbrella", "umbrella"), ("", "acme"), ("#", "acme")] {
        let role = world.role(who, machine)?;
        if who == "umbrella" {
            role.set("COMITY_DATA", "/var/lib/comity");
        }
    }
    for person in ["alice", "bob"] {
        world.role(person, person)?;
    }
    world.stage.answer("the invitation", "@alice.invite");
    world.stage.play("before", UMBRELLA)?;
    follow(&mut world, "node/GUIDE.md")
}

/// What administrators and others did before the people's guide begins.
const NEIGHBOURS: &str = "
```console
acme$ comityd init acme.example --endpoint chat.acme.example:4433 --no-passphrase > init.txt
acme$ systemctl start comityd
acme$ comity domain show --ticket > acme.ticket
umbrella$ comity peer pin --ticket-file acme.ticket -q > pinned.txt
acme$ comity peer pin --ticket-file umbrella.ticket -q > pinned.txt
acme$ comity user invite alice@acme.example -q > alice.invite
acme$ comity user invite carol@acme.example -q > carol.invite
acme$ comity user invite bot@acme.example -q > bot.invite
umbrella$ comity user invite bob@umbrella.example -q > bob.invite
umbrella$ comity user invite eve@umbrella.example -q > eve.invite
carol$ comity login carol@acme.example --code-file carol.invite --protect file -q > told.txt
bob$ comity login bob@umbrella.example --code-file bob.invite --protect file -q > told.txt
eve$ comity login eve@umbrella.example --code-file eve.invite --protect file -q > told.txt
```
";

#[test]
fn the_peoples_guide_is_followed_word_by_word() -> Result<()> {
    let mut world = World::new()?;
    for domain in DOMAINS {
        world.role(domain, domain)?.set("COMITY_DATA", "/var/lib/comity");
    }
    for (who, machine) in [("", "alice"), ("bob", "bob"), ("carol", "carol"), ("eve", "eve"), ("bot", "bot")]
    {
        world.role(who, machine)?;
    }
    world.stage.answer("the invitation", "@alice.invite");
    world.stage.play("before", UMBRELLA)?;
    world.stage.play("before", NEIGHBOURS)?;
    follow(&mut world, "cli/GUIDE.md")
}
