//! What the kernel says of a process and of the network.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use kit::Node;

/// Ticks of `/proc/PID/stat` in a second; Linux has shown 100 to user space on every architecture.
const TICKS: f64 = 100.0;

/// CPU seconds that a node has used.
pub(crate) fn cpu_seconds(node: &Node) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid(node)?))?;
    // The name in brackets may hold anything; fields are counted from behind it.
    let fields = stat.rsplit(')').next().context("a stat line")?;
    let ticks = |index: usize| -> Result<f64> {
        Ok(fields.split_whitespace().nth(index).context("a field of stat")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Bytes of memory that a node holds.
pub(crate) fn resident_bytes(node: &Node) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid(node)?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0)
}

fn pid(node: &Node) -> Result<u32> {
    node.pid().context("the node does not run")
}

/// Bytes that went over the loopback interface so far, each counted once.
pub(crate) fn loopback_bytes() -> Result<f64> {
    let devices = fs::read_to_string("/proc/net/dev")?;
    let line = devices.lines().find_map(|line| line.trim().strip_prefix("lo:")).context("lo")?;
    Ok(line.split_whitespace().next().context("bytes")?.parse()?)
}

/// Bytes of a node's database; the node must have been stopped, so that its log is merged.
pub(crate) fn database_bytes(node: &Node) -> Result<f64> {
    let mut bytes = 0;
    for name in ["comity.db", "comity.db-wal"] {
        bytes += find(node.data(), name)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a file is far smaller than 2^52 bytes")]
    Ok(bytes as f64)
}

fn find(directory: &Path, name: &str) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            bytes += find(&entry.path(), name)?;
        } else if entry.file_name() == name {
            bytes += metadata.len();
        }
    }
    Ok(bytes)
}
