//! The disk under the data directory, and the ports that the node wants.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use super::{Findings, Severity};
use crate::{config::Config, data::DataDir};

const MIB: u64 = 1024 * 1024;
/// With less the node is about to refuse what it is sent.
const FREE_LEAST: u64 = 256 * MIB;
/// With less somebody should look.
const FREE_WANTED: u64 = 2_048 * MIB;

/// Space and inodes.
pub(super) fn disk(data: &DataDir, findings: &mut Findings) {
    let Ok(found) = rustix::fs::statvfs(data.path()) else {
        let what = "how much space is left cannot be told";
        return findings.add("disk", Severity::Unknown, "DiskUnknown", what, "look with `df`");
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let what = format!("{} MiB free", free / MIB);
    let severity = match free {
        ..FREE_LEAST => Severity::Error,
        FREE_LEAST..FREE_WANTED => Severity::Warning,
        _ => Severity::Ok,
    };
    match severity {
        Severity::Ok => findings.ok("disk", what),
        severity => {
            findings.add("disk", severity, "DiskNearlyFull", what, "free space, or use a larger disk")
        }
    }
    if found.f_files > 0 && found.f_favail < 1_000 {
        let what = format!("{} files more can be made", found.f_favail);
        findings.add("disk", Severity::Warning, "InodesNearlyUsed", what, "remove files on the same disk");
    }
}

/// Whether a node could listen where the configuration says. Only if none does already.
pub(super) fn ports(config: &Config, findings: &mut Findings) {
    port(findings, "listen", config.listen, UdpSocket::bind(config.listen).map(drop));
    if let Some(address) = config.health {
        port(findings, "health.listen", address, TcpListener::bind(address).map(drop));
    }
}

fn port(findings: &mut Findings, key: &str, address: SocketAddr, bound: std::io::Result<()>) {
    match bound {
        Ok(()) => findings.ok("ports", format!("`{key}` {address} is free")),
        Err(error) => {
            let what = format!("`{key}` {address}: {error}");
            let next =
                "stop the program that has it (`ss -lunp`, `ss -ltnp`), or change the key in comity.toml";
            findings.add("ports", Severity::Error, "PortUnavailable", what, next);
        }
    }
}
