//! `cargo xtask dist`: both programs as a package of Debian, checked by Debian's own judge.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{
    ci::tool,
    run::{cargo, cargo_command, command, finish, release, skip, target, top},
};

const DEB_VERSION: &str = "3.8.0";
const PROGRAMS: [&str; 2] = ["comityd", "comity"];
const PACKAGER: &str = "The Comity authors <comity-im@users.noreply.github.com>";
/// For people to read, beside the manual pages.
const PAGES: [&str; 5] = ["README.md", "node/README.md", "node/GUIDE.md", "cli/README.md", "cli/GUIDE.md"];
/// What lintian wants of packages that go into Debian itself: that they answer somebody's wish for them.
const OF_DEBIAN_ONLY: &str = "--suppress-tags=initial-upload-closes-no-bugs";

/// Installs what packs, once.
pub(crate) fn prepare() -> anyhow::Result<PathBuf> {
    tool("cargo-deb", DEB_VERSION)
}

/// Builds the package and returns where it is. With `dev` of the binaries that tests use, quickly
/// packed: for trying it, not for giving it away.
pub(crate) fn dist(dev: bool, version: Option<&str>) -> anyhow::Result<PathBuf> {
    let deb = prepare()?;
    let profile = if dev { "debug" } else { "release" };
    if dev {
        // Selected from the whole workspace, they share every dependency with the tests.
        cargo(&["build", "--quiet", "--locked", "--workspace", "--bin", "comityd", "--bin", "comity"])?;
    } else {
        release(&["comityd", "comity"])?;
    }
    let staged = target().join("package").join(profile);
    stage(&target().join(profile), &staged.join("release"))?;
    let output = if dev { staged.clone() } else { target().join("debian") };
    fs::create_dir_all(&output)?;
    let mut pack = command(deb);
    // It takes what it packs from its target folder, which is the staged one.
    pack.args(["--no-build", "--locked", "--package", "comityd", "--output"]).arg(&output);
    pack.env("CARGO_TARGET_DIR", &staged).env("SOURCE_DATE_EPOCH", epoch()?);
    pack.args(version.iter().flat_map(|version| ["--deb-version", version]));
    if dev {
        pack.arg("--fast");
    }
    let packed = pack.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cargo deb")?;
    ensure!(packed.status.success(), "cargo deb failed ({})", packed.status);
    let path = String::from_utf8(packed.stdout)?;
    let path = PathBuf::from(path.lines().last().context("cargo deb names no package")?);
    judge(&path)?;
    Ok(path.canonicalize()?)
}

/// Boots two machines, installs it there, and follows the guide; prints how long that took.
pub(crate) fn guide(dev: bool) -> anyhow::Result<()> {
    ensure!(crate::debian::base()?.is_some(), "there is no Debian to install into");
    let package = dist(dev, None)?;
    let mut test = cargo_command();
    test.args(["test", "--quiet", "--locked", "--workspace", "--test", "package", "--", "--nocapture"]);
    finish(test.env("COMITY_DEB", package), "the guide")
}

/// Puts both programs, and what they write about themselves, to where `Cargo.toml` of the node says.
fn stage(built: &Path, staged: &Path) -> anyhow::Result<()> {
    let share = staged.join("share");
    if share.exists() {
        fs::remove_dir_all(&share)?;
    }
    fs::create_dir_all(share.join("man"))?;
    for program in PROGRAMS {
        let (from, to) = (built.join(program), staged.join(program));
        fs::copy(&from, &to).with_context(|| from.display().to_string())?;
        finish(command(&to).args(["util", "man"]).arg(share.join("man")).stdout(Stdio::null()), program)?;
        for shell in ["bash", "zsh", "fish"] {
            let script = says(&to, &["util", "completion", shell])?;
            fs::write(share.join(format!("{program}.{shell}")), script)?;
        }
    }
    let template = says(&staged.join("comityd"), &["config", "template"])?;
    fs::write(share.join("comity.toml"), template)?;
    fs::write(share.join("changelog"), changelog()?)?;
    for page in PAGES {
        let to = share.join("pages").join(page);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        fs::write(to, shipped(page, &fs::read_to_string(top().join(page))?))?;
    }
    // Debian wants these compressed, and without a date of their own.
    let pages = fs::read_dir(share.join("man"))?.map(|entry| Ok(entry?.path()));
    let pages = pages.collect::<anyhow::Result<Vec<_>>>()?;
    finish(command("gzip").arg("-9n").args(pages).arg(share.join("changelog")), "gzip")
}

/// A page as it is shipped: what it says of others that are shipped leads there; of the rest, only its name
/// is left.
fn shipped(page: &str, text: &str) -> String {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut parts = text.split("](");
    let mut shipped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (Some((to, rest)), Some(open)) = (part.split_once(')'), shipped.rfind('[')) else {
            shipped.push_str("](");
            shipped.push_str(part);
            continue;
        };
        if to.starts_with('#') || to.contains("://") || is_shipped(folder, to) {
            shipped.push_str("](");
            shipped.push_str(part);
        } else {
            // A picture goes with its mark.
            let text = shipped.split_off(open);
            let text = text.trim_start_matches('[');
            if shipped.ends_with('!') {
                shipped.pop();
            } else {
                shipped.push_str(text);
            }
            shipped.push_str(rest);
        }
    }
    shipped
}

fn is_shipped(folder: &Path, to: &str) -> bool {
    let to = to.split('#').next().unwrap_or_default();
    let path = match to.strip_prefix("../") {
        Some(beside) => PathBuf::from(beside),
        None => folder.join(to),
    };
    PAGES.iter().any(|page| Path::new(page) == path)
}

fn says(program: &Path, args: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = command(program).args(args).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{} {args:?} failed", program.display());
    Ok(output.stdout)
}

/// The packager's changelog, which says no more than which version was packed and when.
fn changelog() -> anyhow::Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    let date = says(Path::new("date"), &["-R", "-u", "-d", &format!("@{}", epoch()?)])?;
    let date = String::from_utf8(date)?;
    Ok(format!(
        "comity ({version}-1) unstable; urgency=medium\n\n  * What is new is in changelog.gz.\n\n \
         -- {PACKAGER}  {date}"
    ))
}

/// The moment that the package bears: that of the commit, so that who builds it again gets the same bytes.
fn epoch() -> anyhow::Result<String> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    let of_commit = says(Path::new("git"), &["log", "-1", "--format=%ct"])?;
    Ok(String::from_utf8(of_commit)?.trim().to_owned())
}

/// What Debian's own check says of it; errors and warnings fail.
fn judge(package: &Path) -> anyhow::Result<()> {
    let there = Command::new("lintian").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        skip("lintian is not here (apt-get install lintian)");
        return Ok(());
    }
    let mut lintian = command("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning", OF_DEBIAN_ONLY]);
    finish(lintian.arg(package), "lintian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_page_leads_nowhere_that_is_not_shipped() {
        let text = "see [`a`](GUIDE.md#b), [the spec](../spec/12-admin.md) and [it](../cli/GUIDE.md).\n![x](y.svg)\n";
        let page = shipped("node/README.md", text);
        assert_eq!(page, "see [`a`](GUIDE.md#b), the spec and [it](../cli/GUIDE.md).\n\n");
    }
}
