//! Links to other domains.

use wire::{ErrorCode, proto};

use super::{Label, Paper, Row, Show, ago, in_future, rfc3339, size};

/// What went over a link since the node started.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct TrafficShown {
    sent_items: u64,
    sent_bytes: u64,
    received_items: u64,
    received_bytes: u64,
}

impl From<proto::Traffic> for TrafficShown {
    fn from(traffic: proto::Traffic) -> Self {
        Self {
            sent_items: traffic.sent_items,
            sent_bytes: traffic.sent_bytes,
            received_items: traffic.received_items,
            received_bytes: traffic.received_bytes,
        }
    }
}

impl TrafficShown {
    /// Both ways, in words.
    pub(crate) fn words(&self) -> (String, String) {
        let way = |items: u64, bytes: u64| format!("{items} items, {}", size(bytes));
        (way(self.sent_items, self.sent_bytes), way(self.received_items, self.received_bytes))
    }
}

/// The link to another domain.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct PeerShown {
    domain: String,
    state: String,
    queued: u64,
    queued_bytes: u64,
    oldest: Option<String>,
    last_error: Option<&'static str>,
    reason: Option<&'static str>,
    next_retry: Option<String>,
    absent_since: Option<String>,
    fingerprint: Option<String>,
    endpoints: Vec<String>,
    document_seq: Option<u64>,
    traffic: Option<TrafficShown>,
    would: Option<&'static str>,
    #[serde(skip)]
    oldest_ms: u64,
    #[serde(skip)]
    next_retry_ms: u64,
}

fn time(ms: u64) -> Option<String> {
    (ms > 0).then(|| rfc3339(ms))
}

/// What an error means of a link, in words of those who have to do something about it. Whether the
/// other side has pinned nothing or another key, it does not say.
fn reason(state: &str, error: Option<ErrorCode>) -> Option<&'static str> {
    Some(match (state, error?) {
        ("held", _) => "its keys do not follow from the one that is pinned here",
        (_, ErrorCode::KeyUnverified) => {
            "its administrator has not pinned this domain yet, or has pinned another key of it"
        }
        (_, ErrorCode::Blocked) => "its administrator has denied this domain",
        (_, ErrorCode::Misdirected) => "what answers at its endpoint is the node of another domain",
        (_, ErrorCode::AuthFailed) => "what answers at its endpoint has not the keys of the domain",
        (_, ErrorCode::Unavailable) => "its node cannot be reached, is shutting down or has paused the link",
        (_, code) => code.meaning(),
    })
}

impl PeerShown {
    const FIELDS: &'static [&'static str] = &[
        "domain",
        "state",
        "queued",
        "queued_bytes",
        "oldest",
        "last_error",
        "reason",
        "next_retry",
        "absent_since",
        "fingerprint",
        "endpoints",
        "document_seq",
        "traffic",
        "would",
    ];

    /// From what a node's administrator is told.
    pub(crate) fn of_state(state: &proto::PeerState) -> Self {
        let word = match state.phase() {
            proto::PeerPhase::Connected => "connected",
            proto::PeerPhase::Connecting => "connecting",
            proto::PeerPhase::Waiting => "waiting",
            proto::PeerPhase::Held => "held",
            proto::PeerPhase::Paused => "paused",
            proto::PeerPhase::Denied => "denied",
            proto::PeerPhase::Idle | proto::PeerPhase::Unspecified => "idle",
        };
        let error = (state.last_error != 0).then(|| ErrorCode::from_code(state.last_error));
        Self {
            domain: super::line(&state.domain),
            state: word.to_owned(),
            queued: state.queued,
            queued_bytes: state.queued_bytes,
            oldest: time(state.oldest_ms),
            last_error: error.map(ErrorCode::name),
            reason: reason(word, error),
            next_retry: time(state.next_retry_ms),
            absent_since: time(state.absent_since_ms),
            fingerprint: None,
            endpoints: Vec::new(),
            document_seq: None,
            traffic: None,
            would: None,
            oldest_ms: state.oldest_ms,
            next_retry_ms: state.next_retry_ms,
        }
    }

    /// The same with what is pinned.
    pub(crate) fn of_peer(peer: &proto::Peer) -> Self {
        Self {
            fingerprint: Some(crate::fingerprint::digits(&peer.fingerprint)),
            endpoints: peer.endpoints.iter().map(|endpoint| super::line(endpoint)).collect(),
            document_seq: Some(peer.document_seq),
            traffic: peer.traffic.map(TrafficShown::from),
            ..Self::of_state(&peer.state.clone().unwrap_or_default())
        }
    }

    /// As it stands now, and what would be done to it.
    pub(crate) fn planned(peer: &proto::Peer, would: &'static str) -> Self {
        Self { would: Some(would), ..Self::of_peer(peer) }
    }

    /// From what a device is told.
    pub(crate) fn of_view(view: &client::PeerView) -> Self {
        Self {
            domain: view.domain.to_string(),
            state: super::line(&view.phase),
            queued: view.queued,
            queued_bytes: 0,
            oldest: time(view.oldest_ms),
            last_error: view.last_error.map(ErrorCode::name),
            reason: reason(&view.phase, view.last_error),
            next_retry: time(view.next_retry_ms),
            absent_since: time(view.absent_since_ms),
            fingerprint: None,
            endpoints: Vec::new(),
            document_seq: None,
            traffic: None,
            would: None,
            oldest_ms: view.oldest_ms,
            next_retry_ms: view.next_retry_ms,
        }
    }

    /// Whether nothing passes at present.
    pub(crate) fn is_away(&self) -> bool {
        !matches!(self.state.as_str(), "connected" | "idle" | "connecting")
            || (self.last_error.is_some() && self.state != "connected")
    }

    /// Why nothing passes, as far as this side can know it: the error, and what it means of a peer.
    pub(crate) fn why(&self) -> Option<String> {
        match (self.last_error, self.reason) {
            (Some(error), Some(reason)) => Some(format!("{error} ({reason})")),
            (_, reason) => reason.map(str::to_owned),
        }
    }

    /// Which domain.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// One line for a person: who, what waits, why and what happens next.
    pub(crate) fn sentence(&self, now_ms: u64) -> String {
        let mut text = format!("{}: {}", self.domain, self.state);
        if self.queued > 0 {
            text.push_str(&format!(
                ", {} queued, the oldest for {}",
                self.queued,
                ago(now_ms, self.oldest_ms)
            ));
        }
        if let Some(why) = self.why() {
            text.push_str(&format!(", because {why}"));
        }
        if self.next_retry_ms > now_ms {
            text.push_str(&format!(", next try in {}", in_future(now_ms, self.next_retry_ms)));
        }
        text
    }
}

impl Row for PeerShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;
    const COLUMNS: &'static [&'static str] =
        &["DOMAIN", "STATE", "QUEUED", "OLDEST", "LAST ERROR", "NEXT TRY"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let now = paper.now_ms();
        let (oldest, next) = if paper.terminal() {
            let next =
                if self.next_retry_ms > now { in_future(now, self.next_retry_ms) } else { String::new() };
            let oldest = if self.oldest_ms > 0 { ago(now, self.oldest_ms) } else { String::new() };
            (oldest, next)
        } else {
            (self.oldest.clone().unwrap_or_default(), self.next_retry.clone().unwrap_or_default())
        };
        let good = if self.state == "connected" { Label::Good } else { Label::Warning };
        vec![
            (Label::Domain, self.domain.clone()),
            (good, self.state.clone()),
            (Label::Dim, self.queued.to_string()),
            (Label::Dim, oldest),
            (Label::Warning, self.last_error.unwrap_or_default().to_owned()),
            (Label::Dim, next),
        ]
    }
}

impl Show for PeerShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;

    fn show(&self, paper: &mut Paper) {
        let now = paper.now_ms();
        if let Some(would) = self.would {
            paper.pair("would be", would);
        }
        paper.pair("domain", &paper.paint(Label::Domain, &self.domain));
        paper.pair("state", &self.state);
        paper.pair("queued", &format!("{} ({} bytes)", self.queued, self.queued_bytes));
        if self.oldest_ms > 0 {
            paper.pair("oldest", &ago(now, self.oldest_ms));
        }
        if let Some(why) = self.why() {
            paper.pair("last error", &paper.paint(Label::Warning, &why));
        }
        if self.next_retry_ms > now {
            paper.pair("next try", &in_future(now, self.next_retry_ms));
        }
        if let Some(fingerprint) = &self.fingerprint {
            let shown = match paper.terminal() {
                true => crate::fingerprint::groups(fingerprint),
                false => fingerprint.clone(),
            };
            paper.pair("fingerprint", &shown);
        }
        for endpoint in &self.endpoints {
            paper.pair("endpoint", endpoint);
        }
        if let Some(seq) = self.document_seq {
            paper.pair("document", &seq.to_string());
        }
        if let Some(traffic) = &self.traffic {
            let (sent, received) = traffic.words();
            paper.pair("sent", &sent);
            paper.pair("received", &received);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_link_names_who_has_to_do_what() {
        use proto::PeerPhase::{Connected, Held, Waiting};
        for (phase, code, says) in [
            (Waiting, ErrorCode::KeyUnverified, "has not pinned this domain yet, or has pinned another key"),
            (Held, ErrorCode::KeyUnverified, "do not follow from the one that is pinned here"),
            (Waiting, ErrorCode::Blocked, "has denied this domain"),
            (Waiting, ErrorCode::Misdirected, "another domain"),
            (Waiting, ErrorCode::Draining, "shutting down in good order"),
        ] {
            let state =
                proto::PeerState { phase: phase.into(), last_error: code.code(), ..Default::default() };
            let peer = PeerShown::of_state(&state);
            let sentence = peer.sentence(0);
            assert!(sentence.contains(code.name()) && sentence.contains(says), "{sentence}");
            assert!(peer.is_away());
        }
        let well = proto::PeerState { phase: Connected.into(), ..Default::default() };
        assert!(!PeerShown::of_state(&well).is_away() && PeerShown::of_state(&well).why().is_none());
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let peer = PeerShown::of_state(&proto::PeerState::default());
        let value = serde_json::to_value(peer).expect("serialises");
        let mut fields: Vec<&str> = PeerShown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
