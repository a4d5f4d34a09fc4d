//! A small Debian below the target folder, which the end-to-end test of the package copies and boots.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;

use crate::{
    ci::apt_install,
    run::{command, skip, target},
};

/// Besides Debian's least: what starts the service, and what the guide's commands use.
const INCLUDED: &str = "--include=systemd,sudo,curl";

/// Makes it once. `None`, after saying why, where this user or this machine cannot.
pub(crate) fn base() -> anyhow::Result<Option<PathBuf>> {
    for (package, file) in
        [("debootstrap", "/usr/sbin/debootstrap"), ("systemd-container", "/usr/bin/systemd-nspawn")]
    {
        if !Path::new(file).exists() && !apt_install(&[package]) {
            skip(&format!("{package} cannot be installed here (apt-get install {package})"));
            return Ok(None);
        }
    }
    // The programs are built against this system's C library: what they are installed into is the same.
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(release) = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")) else {
        skip("this is no release of Debian");
        return Ok(None);
    };
    let folder = target().join("debian-root");
    let root = folder.join("root");
    if root.exists() {
        return Ok(Some(root));
    }
    fs::create_dir_all(&folder)?;
    let half = folder.join("half");
    if half.exists() {
        fs::remove_dir_all(&half).context("the remains of another attempt")?;
    }
    let log = folder.join("log");
    let mut bootstrap = command("debootstrap");
    bootstrap.args(["--variant=minbase", INCLUDED, release]).arg(&half);
    bootstrap
        .stdin(Stdio::null())
        .stdout(File::create(&log)?)
        .stderr(File::options().append(true).open(&log)?);
    if !bootstrap.status()?.success() {
        skip(&format!("debootstrap fails here; {} says why", log.display()));
        return Ok(None);
    }
    for package in fs::read_dir(half.join("var/cache/apt/archives"))? {
        let path = package?.path();
        if path.is_file() {
            fs::remove_file(path)?;
        }
    }
    fs::rename(&half, &root)?;
    Ok(Some(root))
}
