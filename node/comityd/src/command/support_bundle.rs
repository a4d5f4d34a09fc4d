//! `comityd support-bundle`: what somebody who helps needs to see, and nothing that they must not.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use net::now;
use serde_json::{Value, json};
use wire::{
    ErrorCode,
    proto::{
        AdminStatusRequest, ListPeers, ListQuarantine, PeerPhase, PeerState, admin_request::Request,
        admin_response::Response,
    },
};

use crate::{
    args::SupportBundle,
    ask::ask,
    config::{self, Config, key},
    data::{DataDir, write_private},
    examine::{self, Findings},
    failure::{Exit, Failure},
    system::{print, utc},
};

const ABOUT: &str = "\
What `comityd support-bundle` has gathered. Read it before you send it.

It holds: versions, the configuration without secrets, what `comityd doctor` finds, counts of the
running node, the state of each peer, how many items of which peer were refused and why, metrics, and
names, sizes and modes of files. It holds the names of this domain and its peers. It holds no key, no
passphrase, no invitation, no account, no room and no message. The log is not here: add what is needed
of it yourself.
";
/// The metrics of a node with many peers.
const METRICS_BYTES_MAX: u64 = 4 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// [ADMIN-33] Gathers what can be had; what cannot is said in its place.
pub(crate) fn support_bundle(args: &SupportBundle) -> Result<(), Failure> {
    let data = DataDir::new(&args.data.directory);
    if args.to.exists() {
        let what = format!("{} exists already", args.to.display());
        return Err(Failure::new(Exit::Storage, "BundleExists", what, "choose another name"));
    }
    // To somebody who may see nothing of it there is nothing to gather.
    data.is_domain()?;
    let mut findings = Findings::default();
    let config = examine::directory(data.path(), &mut findings).and_then(|(_, config)| config);
    examine::running(&data, config.as_ref(), &mut findings);
    let findings: String = findings.0.iter().map(|finding| format!("{}\n", finding.json())).collect();
    let parts = [
        ("about.txt", ABOUT.to_owned()),
        ("versions.json", pretty(&versions(&data))),
        ("config.txt", configuration(&data)),
        ("doctor.jsonl", findings),
        ("node.json", pretty(&node(&data))),
        ("quarantine.json", pretty(&quarantine(&data))),
        ("files.json", pretty(&files(data.path()))),
        ("metrics.txt", metrics(config.as_ref())),
    ];
    let bytes = tar(&parts).map_err(|error| Failure::io(&args.to, &error))?;
    write_private(&args.to, &bytes)?;
    match args.json {
        true => {
            let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
            print(&json!({ "bundle": args.to, "files": names, "bytes": bytes.len() }).to_string());
        }
        false => {
            print(&format!(
                "{} holds {} files, {} KiB",
                args.to.display(),
                parts.len(),
                bytes.len().div_ceil(1024)
            ));
            print("Read it before you send it: tar -xOf FILE | less");
        }
    }
    Ok(())
}

fn tar(parts: &[(&str, String)]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in parts {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(now().as_s());
        archive.append_data(&mut header, format!("comity-support/{name}"), text.as_bytes())?;
    }
    archive.into_inner()
}

fn pretty(value: &Value) -> String {
    // Values can always be written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn versions(data: &DataDir) -> Value {
    let system = std::fs::read_to_string("/proc/version").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    json!({
        "comityd": env!("CARGO_PKG_VERSION"),
        "made": utc(now().as_s()),
        "architecture": std::env::consts::ARCH,
        "system": system.trim(),
        "memory": memory.lines().next().unwrap_or_default(),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "schema_known": sqlite::schema(),
        "schema_found": sqlite::found_schema(data.path()).map_err(|error| error.to_string()).ok(),
    })
}

/// Each key that has a value, with who gave it; secrets without the value.
fn configuration(data: &DataDir) -> String {
    let layers = match config::layers(&data.config(), &config::environment, &Vec::new()) {
        Ok(layers) => layers,
        Err(failure) => return format!("not readable: {} [{}]\n", failure.what, failure.name),
    };
    let line = |key: &&key::Key| {
        let value = layers.get(key)?;
        let shown = if key.secret { "(secret)" } else { value.text.as_str() };
        Some(format!("{} = {shown:?}  # {}\n", key.name, value.origin))
    };
    key::ALL.iter().filter_map(line).collect()
}

fn node(data: &DataDir) -> Value {
    let status = match ask(data, Request::Status(AdminStatusRequest {})) {
        Ok(Response::Status(status)) => json!({
            "version": status.version,
            "started_ms": status.started_ms,
            "accounts": status.accounts,
            "rooms": status.rooms,
            "head": status.head,
            "sessions": status.sessions,
            "quarantined": status.quarantined,
            "storage_full": status.storage_full,
            "listen": status.listen,
        }),
        Ok(_) => Value::Null,
        Err(failure) => json!({ "error": failure.name, "what": failure.what }),
    };
    let peers = match ask(data, Request::ListPeers(ListPeers {})) {
        Ok(Response::Peers(peers)) => peers.peers.iter().map(peer).collect(),
        _ => Vec::new(),
    };
    json!({ "status": status, "peers": peers })
}

fn peer(state: &PeerState) -> Value {
    let phase = match state.phase() {
        PeerPhase::Connected => "connected",
        PeerPhase::Connecting => "connecting",
        PeerPhase::Waiting => "waiting",
        PeerPhase::Held => "held",
        _ => "idle",
    };
    json!({
        "domain": state.domain,
        "phase": phase,
        "queued": state.queued,
        "queued_bytes": state.queued_bytes,
        "oldest_ms": state.oldest_ms,
        "absent_since_ms": state.absent_since_ms,
        "next_retry_ms": state.next_retry_ms,
        "last_error": (state.last_error != 0).then(|| ErrorCode::from_code(state.last_error).name()),
    })
}

/// How many items of which peer were refused, by kind and error; not what was in them.
fn quarantine(data: &DataDir) -> Value {
    let Ok(Response::Quarantine(found)) = ask(data, Request::ListQuarantine(ListQuarantine { limit: 1_000 }))
    else {
        return Value::Null;
    };
    let mut counts: BTreeMap<(String, String, &str), u64> = BTreeMap::new();
    for item in found.items {
        *counts.entry((item.domain, item.kind, ErrorCode::from_code(item.error).name())).or_default() += 1;
    }
    let counts: Vec<Value> = counts
        .iter()
        .map(|((peer, kind, error), count)| json!({ "peer": peer, "kind": kind, "error": error, "count": count }))
        .collect();
    json!({ "total": found.total, "newest": counts })
}

/// Names, sizes and modes; of attachments their number and size only.
fn files(directory: &Path) -> Value {
    let mut found = Vec::new();
    let (mut media, mut media_bytes) = (0_u64, 0_u64);
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            let name = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
            if metadata.is_dir() {
                open.push(path);
            } else if name.starts_with("media/") {
                media += 1;
                media_bytes = media_bytes.saturating_add(metadata.len());
            } else {
                let mode = format!("{:03o}", metadata.permissions().mode() & 0o777);
                found.push(json!({ "name": name, "bytes": metadata.len(), "mode": mode }));
            }
        }
    }
    json!({ "files": found, "attachments": media, "attachment_bytes": media_bytes })
}

/// What the running node tells collectors, if the configuration says where.
fn metrics(config: Option<&Config>) -> String {
    let Some(address) = config.and_then(|config| config.health) else {
        return "`health.listen` is off\n".to_owned();
    };
    get(address).unwrap_or_else(|error| format!("http://{address}/metrics: {error}\n"))
}

fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(METRICS_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
