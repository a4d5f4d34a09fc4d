//! Records the session that README.md shows: one whole run of the demo, as it prints in a pipe.

use std::fs;

use anyhow::{Context as _, bail};

use crate::run::{demo_command, top};

const BEGIN: &str = "<!-- What follows is written by `cargo xtask readme`. -->\n";
const END: &str = "<!-- The end of what `cargo xtask readme` writes. -->";

pub(crate) fn record() -> anyhow::Result<()> {
    let output = demo_command()?.arg("--once").output().context("the demo does not start")?;
    if !output.status.success() {
        bail!("the demo failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let session = String::from_utf8(output.stdout).context("the demo prints text")?;
    let path = top().join("README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).context("README.md has no place for it")?;
    let (_, after) = rest.split_once(END).context("README.md has no end of the place for it")?;
    fs::write(&path, format!("{before}{BEGIN}```console\n$ cargo demo --once\n{session}```\n{END}{after}"))?;
    Ok(())
}
