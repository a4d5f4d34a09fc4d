//! The metrics, in the OpenMetrics text format. Their names and labels are those of the table in
//! `spec/12-admin.md`; the only label that grows is `peer`, by the administrator's own pins.

use std::{path::Path, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text::encode},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use wire::proto::{PeerPhase, PeerState, SignIns, Traffic};

use super::{Health, Report};

/// What the answer calls itself.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfPeer {
    peer: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InPhase {
    phase: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfVersion {
    version: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WithOutcome {
    outcome: String,
}

/// All metrics as they are now. While the core does not serve, only those of the process.
pub(super) async fn render(health: &Health) -> String {
    let snapshot = Snapshot {
        report: health.report().await.ok(),
        now_ms: net::now().as_ms(),
        document_expires: health.document_expires,
        disk_free: disk_free(&health.data),
        process: Process::read(),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    // Writing into a text cannot fail.
    encode(&mut text, &registry).unwrap_or_default();
    text
}

/// Name, help, unit and value of what is told of each peer.
type Family<'a> = (&'a str, &'a str, Option<Unit>, &'a dyn Fn(&PeerState) -> f64);

/// The same of what went over its link.
type Flow<'a> = (&'a str, &'a str, Option<Unit>, fn(&Traffic) -> u64);

#[derive(Debug)]
struct Snapshot {
    report: Option<Arc<Report>>,
    now_ms: u64,
    document_expires: u64,
    disk_free: Option<u64>,
    process: Process,
}

/// A value as the encoder wants it: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "metrics are numbers with a fraction")]
const fn number(value: u64) -> f64 {
    value as f64
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    unit: Option<&Unit>,
    value: f64,
) -> std::fmt::Result {
    let metric = ConstGauge::new(value);
    let encoder = encoder.encode_descriptor(name, help, unit, metric.metric_type())?;
    metric.encode(encoder)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, (name, help): (&str, &str), value: f64) -> std::fmt::Result {
    let metric = ConstCounter::new(value);
    let encoder = encoder.encode_descriptor(name, help, None, metric.metric_type())?;
    metric.encode(encoder)
}

fn sign_ins(out: &mut DescriptorEncoder<'_>, counts: &SignIns) -> std::fmt::Result {
    let kind = ConstCounter::new(0.0_f64).metric_type();
    let help = "Attempts to sign in with a password, by what came of them";
    let mut family = out.encode_descriptor("comity_password_sign_ins", help, None, kind)?;
    for (outcome, count) in [
        ("accepted", counts.accepted),
        ("refused", counts.refused),
        ("limited", counts.limited),
        ("busy", counts.busy),
        ("failed", counts.failed),
    ] {
        let labels = WithOutcome { outcome: outcome.to_owned() };
        ConstCounter::new(number(count)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let out = &mut encoder;
        self.of_process(out)?;
        let Some(report) = &self.report else { return Ok(()) };
        let status = &report.status;
        let version = ConstGauge::new(1_i64);
        let labels = OfVersion { version: status.version.clone() };
        let mut family =
            out.encode_descriptor("comity_build", "What runs, as a label", None, version.metric_type())?;
        version.encode(family.encode_family(&labels)?)?;
        let full = if status.storage_full { 1.0 } else { 0.0 };
        for (name, help, value) in [
            ("comity_accounts", "Accounts that were invited or are enrolled", number(status.accounts)),
            (
                "comity_accounts_suspended",
                "Accounts that the administrator has suspended",
                number(status.suspended),
            ),
            ("comity_rooms", "Rooms that this node keeps", number(status.rooms)),
            ("comity_sessions", "Devices that are connected", number(status.sessions)),
            (
                "comity_quarantined_items",
                "Items of peers that could not be processed",
                number(status.quarantined),
            ),
            ("comity_storage_full", "1 while the disk has no space", full),
        ] {
            gauge(out, (name, help), None, value)?;
        }
        gauge(
            out,
            ("comity_start_time", "When the node began to serve, since 1970"),
            Some(&Unit::Seconds),
            number(status.started_ms) / 1e3,
        )?;
        sign_ins(out, &status.passwords.unwrap_or_default())?;
        counter(out, ("comity_entries", "Entries that were written for devices"), number(status.head))?;
        peer_phases(out, &report.peers)?;
        traffic(out, report)?;
        self.of_peers(out, report)
    }
}

/// All peers by phase; every phase is there, so that a rule can tell none from nothing.
fn peer_phases(out: &mut DescriptorEncoder<'_>, peers: &[PeerState]) -> std::fmt::Result {
    let kind = ConstGauge::new(0.0_f64).metric_type();
    let mut family = out.encode_descriptor("comity_peers", "Pinned peers, by phase", None, kind)?;
    for (name, phase) in [
        ("connected", PeerPhase::Connected),
        ("connecting", PeerPhase::Connecting),
        ("unreachable", PeerPhase::Waiting),
        ("idle", PeerPhase::Idle),
        ("held", PeerPhase::Held),
        ("paused", PeerPhase::Paused),
        ("denied", PeerPhase::Denied),
    ] {
        let count = peers.iter().filter(|peer| peer.phase() == phase).count() as u64;
        let labels = InPhase { phase: name.to_owned() };
        ConstGauge::new(number(count)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// What went over each peer's link since the start.
fn traffic(out: &mut DescriptorEncoder<'_>, report: &Report) -> std::fmt::Result {
    let families: [Flow<'_>; 4] = [
        ("comity_peer_sent_items", "Items that were sent to it", None, |of| of.sent_items),
        ("comity_peer_sent", "Bytes of them", Some(Unit::Bytes), |of| of.sent_bytes),
        ("comity_peer_received_items", "Items that came from it", None, |of| of.received_items),
        ("comity_peer_received", "Bytes of them", Some(Unit::Bytes), |of| of.received_bytes),
    ];
    for (name, help, unit, value) in families {
        let kind = ConstCounter::new(0.0_f64).metric_type();
        let mut family = out.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for peer in &report.status.peers {
            let labels = OfPeer { peer: peer.domain.clone() };
            let value = value(&peer.traffic.unwrap_or_default());
            ConstCounter::new(number(value)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

impl Snapshot {
    fn of_process(&self, out: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
        gauge(
            out,
            ("comity_document_expires", "When the newest domain document expires, since 1970"),
            Some(&Unit::Seconds),
            number(self.document_expires),
        )?;
        if let Some(free) = self.disk_free {
            let name = ("comity_disk_free", "Space on the disk of the data directory");
            gauge(out, name, Some(&Unit::Bytes), number(free))?;
        }
        if let Some(resident) = self.process.resident {
            let name = ("process_resident_memory", "Memory of the process");
            gauge(out, name, Some(&Unit::Bytes), number(resident))?;
        }
        if let Some(open) = self.process.open_files {
            gauge(out, ("process_open_fds", "Open files of the process"), None, number(open))?;
        }
        Ok(())
    }

    fn of_peers(&self, out: &mut DescriptorEncoder<'_>, report: &Report) -> std::fmt::Result {
        let oldest = |oldest_ms: u64| match oldest_ms {
            0 => 0.0,
            oldest => number(self.now_ms.saturating_sub(oldest)) / 1e3,
        };
        let up = |peer: &PeerState| if peer.phase() == PeerPhase::Connected { 1.0 } else { 0.0 };
        let held = |peer: &PeerState| if peer.phase() == PeerPhase::Held { 1.0 } else { 0.0 };
        let families: [Family<'_>; 5] = [
            ("comity_peer_up", "1 while the peer is connected", None, &up),
            ("comity_peer_held", "1 while its keys do not chain to the pin", None, &held),
            ("comity_peer_queued_items", "Items that wait for it", None, &|peer| number(peer.queued)),
            ("comity_peer_queued", "Bytes that wait for it", Some(Unit::Bytes), &|peer| {
                number(peer.queued_bytes)
            }),
            ("comity_peer_oldest", "Age of what waits longest for it", Some(Unit::Seconds), &|peer| {
                oldest(peer.oldest_ms)
            }),
        ];
        for (name, help, unit, value) in families {
            let kind = ConstGauge::new(0.0_f64).metric_type();
            let mut family = out.encode_descriptor(name, help, unit.as_ref(), kind)?;
            for peer in &report.peers {
                let labels = OfPeer { peer: peer.domain.clone() };
                ConstGauge::new(value(peer)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn disk_free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What the operating system says of this process.
#[derive(Debug, Default)]
struct Process {
    resident: Option<u64>,
    open_files: Option<u64>,
}

impl Process {
    fn read() -> Self {
        let pages = std::fs::read_to_string("/proc/self/statm").ok();
        let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
        let open_files = std::fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64);
        Self { resident: pages.map(|pages| pages * rustix::param::page_size() as u64), open_files }
    }
}
