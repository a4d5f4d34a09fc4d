//! A machine of its own for an organisation: a small Debian, booted by its own systemd in a container, so
//! that a package is installed, started, upgraded and removed as it is by people.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// How long a machine may take to be up, and to be down.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Enters the control groups named by the arguments up to `--`, then becomes what follows.
const ENTER: &str = "while [ \"$1\" != -- ]; do mkdir -p \"$1\" && echo $$ >\"$1/cgroup.procs\"; shift; done; \
                     shift; exec \"$@\"";

/// A machine that is up. Gone when dropped, with all that was on it.
#[derive(Debug)]
pub struct Machine {
    container: Child,
    /// The machine's first process, as this system numbers it.
    leader: u32,
    groups: Vec<PathBuf>,
    root: TempDir,
}

impl Machine {
    /// The Debian that machines are copies of, or why there can be none.
    ///
    /// # Errors
    /// The reason to skip the test.
    pub fn base() -> Result<PathBuf> {
        let root = target()?.join("debian-root/root");
        ensure!(root.is_dir(), "there is no Debian to install into (`cargo xtask guide` makes one, as root)");
        let nspawn = Command::new("systemd-nspawn").arg("--version").output();
        ensure!(nspawn.is_ok(), "systemd-nspawn is not installed (apt-get install systemd-container)");
        let apart = Command::new("unshare").args(["--mount", "--net", "--pid", "--fork", "true"]).output();
        ensure!(
            apart.is_ok_and(|output| output.status.success()),
            "only root boots machines, and not everywhere"
        );
        Ok(root)
    }

    /// Copies the base and boots it. It has a network of its own, which is only a loopback interface, or
    /// shares that of another machine.
    ///
    /// # Errors
    /// If it does not come up; the error holds what it said.
    pub fn boot(base: &Path, name: &str, hosts: &str, beside: Option<&Self>) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("machine-").tempdir_in(target()?)?;
        let place = root.path().join("root");
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(base).arg(&place))?;
        fs::write(place.join("etc/hosts"), hosts)?;
        fs::write(place.join("etc/hostname"), format!("{name}\n"))?;
        let network = beside.map_or_else(
            || "--private-network".to_owned(),
            |other| format!("--network-namespace-path=/proc/{}/ns/net", other.leader),
        );
        let groups = groups(&format!("comity-{name}-{}", std::process::id()));
        let log = fs::File::create(root.path().join("console"))?;
        let mut nspawn = Command::new("sh");
        nspawn.args(["-c", ENTER, "sh"]).args(&groups).args([
            "--",
            "systemd-nspawn",
            "--quiet",
            "--directory",
        ]);
        nspawn.arg(&place).arg(format!("--machine=comity-{name}-{}", std::process::id())).arg(network);
        nspawn.args(["--boot", "--register=no", "--console=pipe", "--resolv-conf=off", "--timezone=off"]);
        nspawn.arg("--link-journal=no");
        if !groups.is_empty() {
            nspawn.arg("--keep-unit");
        }
        nspawn.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let container = nspawn.spawn().context("systemd-nspawn")?;
        let mut machine = Self { container, leader: 0, groups, root };
        machine.leader = machine.wait_for_leader()?;
        let up = machine.run("systemctl is-system-running --wait || systemctl --failed --no-legend")?;
        ensure!(up.trim() == "running", "{name} is up, but not all of it: {up}");
        Ok(machine)
    }

    fn wait_for_leader(&mut self) -> Result<u32> {
        let began = Instant::now();
        loop {
            if let Some(leader) = leader(self.container.id()) {
                // Before its first sockets are there, nobody can ask it anything.
                let ready = self.place().join("run/systemd/private");
                let ready = format!("/proc/{leader}/root{}", inside(&self.place(), &ready));
                if Path::new(&ready).exists() {
                    return Ok(leader);
                }
            }
            let said = || fs::read_to_string(self.root.path().join("console")).unwrap_or_default();
            if let Some(status) = self.container.try_wait()? {
                bail!("systemd-nspawn ended with {status}: {}", said());
            }
            ensure!(began.elapsed() < PATIENCE, "the machine does not come up: {}", said());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What stands before a command that runs on the machine as one of its users, in the home of that
    /// user, with a terminal of its own or none. Settings of the environment may follow.
    #[must_use]
    pub fn entrance(&self, user: &str, terminal: bool) -> Vec<String> {
        let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
        let home =
            if self.place().join(home.trim_start_matches('/')).is_dir() { home } else { "/".to_owned() };
        let leader = self.leader.to_string();
        let enter = ["nsenter", "--target", &leader, "--all", "--root", "--wd"];
        let session: &[&str] = if terminal { &["setsid", "--ctty", "--wait"] } else { &[] };
        let (directory, home) = (format!("--chdir={home}"), format!("HOME={home}"));
        let user = ["runuser", "-u", user, "--", "env", "-i", &directory, &home];
        let settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "SYSTEMD_PAGER=cat"];
        let settings = settings.iter().chain(&["TERM=screen-256color", "DEBIAN_FRONTEND=noninteractive"]);
        enter.iter().chain(session).chain(&user).chain(settings).map(|word| (*word).to_owned()).collect()
    }

    /// Runs a line of the shell as root and returns what it printed on either stream.
    ///
    /// # Errors
    /// If it fails; the error holds what it printed.
    pub fn run(&self, script: &str) -> Result<String> {
        let line = format!("exec 2>&1; {script}");
        let words = self.entrance("root", false).into_iter().chain(["sh", "-c", &line].map(str::to_owned));
        // `env` passes on to whoever stands behind it.
        let output = Command::new("env").args(words).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "`{script}` failed ({}): {said}", output.status);
        Ok(said)
    }

    /// Where its files are, as this system sees them.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        self.root.path().join("root")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process takes all others along, and the container ends with it.
        if self.leader != 0 {
            let _ = Command::new("kill").args(["-KILL", &self.leader.to_string()]).output();
        } else {
            let _ = self.container.kill();
        }
        let _ = self.container.wait();
        for group in &self.groups {
            let _ = Command::new("find").arg(group).args(["-depth", "-type", "d", "-delete"]).output();
        }
    }
}

/// The target directory of the running test.
fn target() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.ancestors().find(|path| path.join("deps").is_dir());
    Ok(profile.and_then(Path::parent).context("a test runs in a target directory")?.to_owned())
}

/// The child of the container's process that is the first one of its own world.
fn leader(container: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{container}/task/{container}/children")).ok()?;
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(|pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        line.is_some_and(|line| line.split_whitespace().collect::<Vec<_>>().get(1) == Some(&"1"))
    })
}

fn inside(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).map(|rest| format!("/{}", rest.display())).unwrap_or_default()
}

/// The control groups that a machine is put into where no systemd of this system gives it one.
fn groups(name: &str) -> Vec<PathBuf> {
    if Path::new("/run/systemd/system").exists() {
        return Vec::new();
    }
    let hierarchies = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
    hierarchies
        .into_iter()
        .filter(|path| path.join("cgroup.procs").exists())
        .map(|path| path.join(name))
        .collect()
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
