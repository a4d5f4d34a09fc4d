//! Why an account cannot be reached, as far as this device and its node can know it.

use std::time::Duration;

use client::{Account, Client, DomainName, ErrorCode, PeerView};
use tokio::time::timeout;

use crate::{
    context::now_ms,
    error::{CliError, exit},
    output::PeerShown,
};

/// How long the node may take to say how it stands with a domain.
const ANSWER: Duration = Duration::from_secs(2);

/// How the node of this device stands with another domain.
enum Link {
    /// It is the device's own domain.
    Own,
    /// The node has not pinned it.
    Unpinned,
    /// It is a peer.
    Peer(Box<PeerView>),
    /// Nobody can say.
    Unknown,
}

async fn link(client: &Client, domain: &DomainName) -> Link {
    match client.status().await {
        Ok(status) if status.account.domain() == domain => return Link::Own,
        Ok(status) if status.connected => {}
        _ => return Link::Unknown,
    }
    match timeout(ANSWER, client.peers_of(std::slice::from_ref(domain))).await {
        Ok(Ok(peers)) => match peers.into_iter().find(|peer| peer.domain == *domain) {
            Some(peer) => Link::Peer(Box::new(peer)),
            None => Link::Unpinned,
        },
        _ => Link::Unknown,
    }
}

/// The error with what it means for somebody who wanted to reach this account.
pub(crate) async fn explain(client: &Client, account: &Account, error: CliError) -> CliError {
    if error.is(ErrorCode::NotFound) || error.exit() == exit::PENDING {
        explained(&link(client, account.domain()).await, account, error)
    } else {
        error
    }
}

/// What an error means that came of asking about an account, in a sentence.
pub(crate) async fn why(client: &Client, account: &Account, code: ErrorCode) -> String {
    match (link(client, account.domain()).await, code) {
        (Link::Peer(peer), ErrorCode::Unavailable) => PeerShown::of_view(&peer).sentence(now_ms()),
        (link, ErrorCode::NotFound) => {
            let error = CliError::wire(account.as_str(), code.into());
            explained(&link, account, error).causes().join("; ")
        }
        _ => code.meaning().to_owned(),
    }
}

fn explained(link: &Link, account: &Account, error: CliError) -> CliError {
    let domain = account.domain();
    let missing = error.is(ErrorCode::NotFound);
    match link {
        Link::Unpinned if missing => {
            error.means(format!("{domain} is no peer of your node")).hint(to_pin(domain))
        }
        Link::Unpinned => error.cause(format!("{domain} is no peer of your node")).hint(to_pin(domain)),
        Link::Peer(peer) if peer_is_away(peer) => {
            let sentence = PeerShown::of_view(peer).sentence(now_ms());
            match missing {
                true => error.means(format!("its node cannot be asked: {sentence}")).hint("comity status"),
                false if error.says(domain.as_str()) => error,
                false => error.cause(sentence),
            }
        }
        Link::Own | Link::Peer(_) if missing => error
            .means(format!("there is no account {account}, or nobody has logged in to it yet"))
            .hint(format!("check the name; the administrator of {domain} sees it: comity user show")),
        Link::Own | Link::Peer(_) | Link::Unknown => error,
    }
}

fn peer_is_away(peer: &PeerView) -> bool {
    PeerShown::of_view(peer).is_away()
}

fn to_pin(domain: &DomainName) -> String {
    format!(
        "ask your administrator to pin it: comity peer pin TICKET, with the line that the administrator of \
         {domain} gets from: comity domain show --ticket"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last_error: Option<ErrorCode>, phase: &str) -> Link {
        Link::Peer(Box::new(PeerView {
            domain: "umbrella.test".parse().expect("a domain"),
            phase: phase.to_owned(),
            queued: 0,
            oldest_ms: 0,
            last_error,
            next_retry_ms: 0,
            absent_since_ms: 0,
        }))
    }

    #[test]
    fn what_is_known_of_the_link_says_whose_turn_it_is() {
        let account: Account = "bob@umbrella.test".parse().expect("an account");
        let missing = || CliError::wire("cannot send", ErrorCode::NotFound.into());
        let late = || CliError::pending("it is late");
        let unpinned = "umbrella.test is no peer of your node";
        for (link, error, exit, says) in [
            (Link::Unpinned, missing(), 3, &[unpinned, "comity peer pin", "comity domain show --ticket"][..]),
            (Link::Unpinned, late(), 8, &[unpinned, "comity peer pin"]),
            (Link::Own, missing(), 3, &["no account bob@umbrella.test", "comity user show"]),
            (peer(None, "connected"), missing(), 3, &["no account bob@umbrella.test"]),
            (peer(None, "connected"), late(), 8, &["late"]),
            (peer(Some(ErrorCode::KeyUnverified), "waiting"), late(), 8, &["not pinned this domain yet"]),
            (peer(Some(ErrorCode::Unavailable), "idle"), late(), 8, &["cannot be reached"]),
            (
                peer(Some(ErrorCode::KeyUnverified), "waiting"),
                missing(),
                3,
                &["cannot be asked", "not pinned"],
            ),
            (Link::Unknown, missing(), 3, &["NotFound"]),
        ] {
            let error = explained(&link, &account, error);
            let said = error.json();
            assert_eq!(error.exit(), exit, "{said}");
            assert!(says.iter().all(|part| said.contains(part)), "{said}");
        }
    }
}
