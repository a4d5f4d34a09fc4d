//! Two administrators install the package on two machines and follow their guide word by word; their
//! people chat, a domain is backed up, lost and restored, the package is upgraded and taken away.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use e2e::{Machine, Organisation, meet};
use kit::{
    Terminal, has_terminal,
    transcript::{self, Step},
};

const SERVICE: &str = "comityd.service";
/// Both listen on the same port of a network that is only theirs.
const HOSTS: &str =
    "127.0.0.1 localhost acme\n127.0.0.1 chat.acme.example\n127.0.0.2 chat.umbrella.example\n";
/// What the page has alice type; her colleague in the other organisation types the same.
const PASSPHRASE: &str = "tulips on thursday morning";
/// Who reads the page as umbrella's administrator reads so.
const SWAPPED: [(&str, &str); 4] =
    [("acme", "umbrella"), ("umbrella", "acme"), ("alice", "carol"), ("bob", "dave")];

/// The package under test: the one that is named, or one of the programs that tests use.
fn package() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("COMITY_DEB") {
        return Ok(named.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut dist = Command::new(cargo);
    dist.args(["run", "--quiet", "--package", "xtask", "--", "dist", "--dev"]);
    let output = dist.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    Ok(said.lines().last().context("cargo xtask dist names no package")?.into())
}

/// The same package with the higher version that its name says.
fn next(package: &Path, place: &Path, name: &str) -> Result<PathBuf> {
    let (tree, next) = (place.join("tree"), place.join(name));
    run(Command::new("dpkg-deb").arg("--raw-extract").arg(package).arg(&tree))?;
    let control = tree.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control)?;
    let raised: String = text
        .lines()
        .map(
            |line| if line.starts_with("Version: ") { format!("{line}+next\n") } else { format!("{line}\n") },
        )
        .collect();
    std::fs::write(&control, raised)?;
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zgzip", "-z1", "--build"])
        .arg(&tree)
        .arg(&next))?;
    Ok(next)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn found(machine: Machine, name: &str) -> Result<Organisation> {
    let (address, people) = match name {
        "acme" => ("127.0.0.1:4433", ["alice", "bob"]),
        _ => ("127.0.0.2:4433", ["carol", "dave"]),
    };
    // Two machines share one network here, so that each must say which address is its own.
    let own = machine.place().join(format!("etc/systemd/system/{SERVICE}.d"));
    fs::create_dir_all(&own)?;
    fs::write(own.join("own.conf"), format!("[Service]\nEnvironment=COMITY_LISTEN={address}\n"))?;
    // The other medium, on which everybody may write.
    machine.run("install -d -m 0777 /media/safe")?;
    let mut words = vec![("0.0.0.0:4433", address)];
    if name != "acme" {
        words.extend(SWAPPED);
    }
    Organisation::new(machine, &people, &words, &[&format!("COMITY_LISTEN={address}")])
}

/// The commands of the page, by the heading of their part.
fn parts(page: &str) -> Result<Vec<(String, Vec<Step>)>> {
    let mut parts: Vec<(usize, String, Vec<Step>)> = Vec::new();
    for (line, text) in (1..).zip(page.lines()) {
        if let Some(heading) = text.strip_prefix("## ") {
            parts.push((line, heading.to_owned(), Vec::new()));
        }
    }
    for block in transcript::blocks(page)? {
        if block.info.first().is_some_and(|word| word == "console") {
            let part = parts.iter_mut().rev().find(|(line, _, _)| *line < block.line);
            part.context("a block below no heading")?.2.extend(transcript::steps(&block)?);
        }
    }
    Ok(parts.into_iter().map(|(_, heading, steps)| (heading, steps)).collect())
}

/// How the page installs a package, whose version is another at every reader's.
const INSTALL: &str = "apt install ./comity_….deb";

/// Puts the names of these packages where the page installs one after the other.
///
/// # Errors
/// If the page installs another number of them.
fn name_packages(parts: &mut [(String, Vec<Step>)], names: &[String]) -> Result<()> {
    let steps = parts.iter_mut().flat_map(|(_, steps)| steps);
    let installs: Vec<&mut Step> = steps.filter(|step| step.command.starts_with("apt install")).collect();
    ensure!(installs.len() == names.len(), "the page installs {} packages", installs.len());
    for (step, name) in installs.into_iter().zip(names) {
        ensure!(step.command == INSTALL, "line {}: {}", step.line, step.command);
        step.command = format!("apt install ./{name}");
    }
    Ok(())
}

/// A name for the version after that of a package: what the package says stands in the package.
fn name_of_next(name: &str) -> Result<String> {
    let (version, architecture) =
        name.rsplit_once('_').context("a package is named NAME_VERSION_ARCHITECTURE")?;
    Ok(format!("{version}+next_{architecture}"))
}

#[test]
fn the_guide_names_no_version_that_a_release_would_have_to_change() -> Result<()> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node/GUIDE.md"))?;
    let mut parts = parts(&page)?;
    let first = format!("comity_{}-1_amd64.deb", env!("CARGO_PKG_VERSION"));
    let names = [first.clone(), name_of_next(&first)?];
    ensure!(names[1].ends_with("-1+next_amd64.deb"), "{names:?}");
    name_packages(&mut parts, &names)?;
    ensure!(!page.contains(&format!("comity_{}", env!("CARGO_PKG_VERSION"))), "it names a version");
    Ok(())
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a test that does not run says so, and this one says how long it took"
)]
fn two_administrators_follow_the_guide() -> Result<()> {
    let base = match Machine::base() {
        Ok(base) if has_terminal() => base,
        Ok(_) => return Ok(()),
        Err(reason) => {
            kit::skipped(&reason.to_string());
            return Ok(());
        }
    };
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node/GUIDE.md"))?;
    let mut parts = parts(&page)?;
    let place = tempfile::tempdir()?;
    // So far it is Debian alone: where that does not come up, there is nothing to install into.
    let machine = match Machine::boot(&base, "acme", HOSTS, None) {
        Ok(machine) => machine,
        Err(reason) => {
            kit::skipped(&format!("no machine can be booted here: {reason:#}"));
            return Ok(());
        }
    };
    let mut acme = found(machine, "acme")?;
    let machine = Machine::boot(&base, "umbrella", HOSTS, Some(acme.machine()))?;
    let mut umbrella = found(machine, "umbrella")?;
    let names = lay_out(&[&acme, &umbrella], place.path())?;
    name_packages(&mut parts, &names)?;

    let together = parts.iter().position(|(heading, _)| heading == "Every day").context("a day")?;
    let (setup, later) = parts.split_at(together);
    let began = Instant::now();
    set_up(setup, &mut acme, &mut umbrella)?;
    let set_up = began.elapsed();
    let (alice, carol) = (acme.sit_down("alice", PASSPHRASE)?, umbrella.sit_down("carol", PASSPHRASE)?);
    meet((&alice, "alice@acme.example"), (&carol, "carol@umbrella.example"))?;
    say(&alice, &carol, "hello carol")?;
    eprintln!(
        "from `apt install` to the first message across domains: {:.1} s, {:.1} s of it for what stands in the guide",
        began.elapsed().as_secs_f64(),
        set_up.as_secs_f64(),
    );
    say(&carol, &alice, "hello alice")?;
    drop(alice);
    acme.machine().run("echo COMITY_LOG_LEVEL=debug >>/etc/default/comityd")?;

    let mut alice = None;
    for (heading, steps) in later {
        let before = upgraded(&acme)?;
        for step in steps {
            acme.follow(step, false)?;
        }
        match heading.as_str() {
            "Back up" => {
                let terminal = acme.sit_down("alice", PASSPHRASE)?;
                say(&terminal, &carol, "since the backup")?;
                alice = Some(terminal);
            }
            "Recover" => talk(alice.as_ref(), &carol, "the loss")?,
            "Upgrade" => {
                talk(alice.as_ref(), &carol, "the upgrade")?;
                ensure!(
                    upgraded(&acme)?.differs_only_in_process(&before),
                    "the upgrade has changed more: {before:?}"
                );
            }
            _ => {}
        }
    }
    purge(&umbrella)
}

/// One says something in the open room, and it stands on the other's screen.
fn say(from: &Terminal, to: &Terminal, text: &str) -> Result<()> {
    from.write(text)?;
    from.press(&["Enter"])?;
    to.wait_for(text)?;
    Ok(())
}

fn talk(alice: Option<&Terminal>, carol: &Terminal, after: &str) -> Result<()> {
    let alice = alice.context("alice sits there since the backup")?;
    say(carol, alice, &format!("after {after}"))?;
    say(alice, carol, &format!("it goes on after {after}"))
}

/// Puts the packages where the page expects them: the one under test, and one that is newer. Their names.
fn lay_out(organisations: &[&Organisation], place: &Path) -> Result<[String; 2]> {
    let package = package()?;
    let name = package.file_name().and_then(|name| name.to_str()).context("a name")?.to_owned();
    let next_name = name_of_next(&name)?;
    let newer = next(&package, place, &next_name)?;
    for organisation in organisations {
        for package in [&package, &newer] {
            let home = organisation.machine().place().join("root");
            fs::copy(package, home.join(package.file_name().context("a name")?))?;
        }
    }
    Ok([name, next_name])
}

/// Each does what the page says before the other goes on, so that tickets are there when they are wanted.
fn set_up(parts: &[(String, Vec<Step>)], acme: &mut Organisation, umbrella: &mut Organisation) -> Result<()> {
    for step in parts.iter().flat_map(|(_, steps)| steps) {
        // What the page has the other administrator do, that one reads on the own page.
        if step.who == "umbrella" {
            continue;
        }
        acme.follow(step, true)?;
        umbrella.follow(step, true)?;
        if step.command.ends_with(".ticket") {
            exchange(acme, umbrella)?;
            exchange(umbrella, acme)?;
        }
    }
    Ok(())
}

/// Hands every ticket to the other administrator, and to everybody at home.
fn exchange(from: &Organisation, to: &Organisation) -> Result<()> {
    for file in fs::read_dir(from.desk())? {
        let file = file?.path();
        if file.extension().is_some_and(|kind| kind == "ticket") {
            let name = file.file_name().context("a name")?;
            fs::copy(&file, to.desk().join(name))?;
            for home in fs::read_dir(from.machine().place().join("home"))? {
                fs::copy(&file, home?.path().join(name))?;
            }
        }
    }
    Ok(())
}

/// What an upgrade may change, and what not.
#[derive(Debug)]
struct Installed {
    version: String,
    process: String,
    /// Digests of the settings, and of what the domain is.
    kept: String,
}

impl Installed {
    fn differs_only_in_process(&self, before: &Self) -> bool {
        self.version != before.version && self.process != before.process && self.kept == before.kept
    }
}

fn upgraded(of: &Organisation) -> Result<Installed> {
    let run = |script: &str| of.machine().run(script);
    Ok(Installed {
        version: run("dpkg-query --show comity")?,
        process: run(&format!("systemctl show --property MainPID {SERVICE}"))?,
        kept: run("find /etc/default/comityd /var/lib/comity/keys /var/lib/comity/documents \
                   /var/lib/comity/comity.toml -type f | sort | xargs sha256sum")?,
    })
}

/// The package goes, what the domain is does not.
fn purge(of: &Organisation) -> Result<()> {
    let kept = "find /var/lib/comity -type f ! -name 'comity.db*' | sort | xargs sha256sum";
    let before = of.machine().run(kept)?;
    let said = of.machine().run("apt-get purge --yes comity")?;
    ensure!(said.contains("/var/lib/comity holds"), "{said}");
    ensure!(of.machine().run(kept)? == before, "what the domain is stays");
    let left = of.machine().run("find /usr /etc/default /etc/systemd -name 'comity*' ! -name '*.d'")?;
    ensure!(left.is_empty(), "{left}");
    of.machine().run("! grep -lx comityd /proc/[0-9]*/comm")?;
    Ok(())
}
