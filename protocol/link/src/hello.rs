//! Decides whose a connection between nodes is, from the key that TLS proved and the two hellos.

use identity::{Chain, KeyUse};
use machine::Timestamp;
use wire::{
    DomainName, ErrorCode, PublicKey, WireError, limits,
    proto::{PeerHello, Signed},
};

/// More than a hello has beside its documents, and than a document has beside body and signature.
const HELLO_BYTES: usize = 1_024;
const DOCUMENT_BYTES: usize = 32;

/// What this side says first, or answers ([LINK-1]). `documents` are this domain's own, oldest
/// first; those up to `peer_knows` are left out, and of the rest the newest are sent, at most
/// `DOCUMENT_CHAIN_MAX` and as many as fit into a first frame. `known_seq` is the newest document of the peer that is held here, 0 for
/// none.
#[must_use]
pub fn make(
    own: &DomainName,
    peer: &DomainName,
    documents: &[Signed],
    peer_knows: u64,
    known_seq: u64,
    now: Timestamp,
) -> PeerHello {
    let known = usize::try_from(peer_knows).unwrap_or(usize::MAX).min(documents.len());
    let unknown = documents.get(known..).unwrap_or_default();
    let mut bytes = HELLO_BYTES;
    let fitting = unknown.iter().rev().take(limits::DOCUMENT_CHAIN_MAX).take_while(|signed| {
        bytes += signed.body.len() + signed.signature.len() + DOCUMENT_BYTES;
        bytes <= limits::FIRST_FRAME_BYTES_MAX
    });
    let first = unknown.len() - fitting.count();
    PeerHello {
        from: own.as_str().into(),
        to: peer.as_str().into(),
        time_ms: now.as_ms(),
        documents: unknown.get(first..).unwrap_or_default().to_vec(),
        known_seq,
        refused: None,
        instance: Default::default(),
    }
}

/// The answer to a hello that is refused; the connection is closed with the same code.
#[must_use]
pub fn refuse(own: &DomainName, hello: &PeerHello, error: WireError, now: Timestamp) -> PeerHello {
    PeerHello {
        from: own.as_str().into(),
        to: hello.from.clone(),
        time_ms: now.as_ms(),
        documents: Vec::new(),
        known_seq: 0,
        refused: Some(error.into()),
        instance: Default::default(),
    }
}

/// What is known here when a hello arrives.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// This domain.
    pub own: &'a DomainName,
    /// The key that the other side proved in TLS.
    pub tls_key: &'a PublicKey,
    /// Whom this side dialled; `None` if it was dialled.
    pub dialled: Option<&'a DomainName>,
    /// The clock.
    pub now: Timestamp,
}

/// What is pinned here of a domain.
#[derive(Clone, Copy, Debug)]
pub enum Pin<'a> {
    /// Nothing: the administrator does not know this domain.
    None,
    /// The fingerprint of its root key; no document was seen yet.
    Fingerprint(&'a [u8; 32]),
    /// The chain from the pinned fingerprint to the newest document seen.
    Chain(&'a Chain),
}

/// Whose a connection is.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is the peer's.
    Accepted(Accepted),
    /// What was dialled has documents that do not chain to the pin (`KeyUnverified`), or the peer
    /// signed two that contradict each other (`ForkedLog`). The connection is refused with this
    /// error, and the peer is held until it is recognised again ([LINK-3]).
    Held(DomainName, ErrorCode),
    /// It is refused, and nothing is to be remembered of it.
    Refused(WireError),
}

/// An accepted hello.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Whose the connection is.
    pub peer: DomainName,
    /// Its chain with the new documents.
    pub chain: Chain,
    /// The documents that were new, oldest first, to be stored.
    pub fresh: Vec<Signed>,
    /// The newest of our documents that the peer holds.
    pub peer_knows: u64,
}

/// Decides about a hello ([LINK-2]). `pin` looks up what is pinned of the domain that the hello
/// names.
///
/// The refusals: `Malformed` names; `Misdirected` if it is for another domain; `AuthFailed` if
/// another domain was dialled, or the TLS key is not listed, not yet or not any more in force;
/// `ClockSkew` with this side's clock; `KeyUnverified` if nothing is pinned; `TooLarge`,
/// `Malformed`, `BadSignature` or `OriginMismatch` for its documents; or what the other side gave as
/// its reason.
pub fn check<'a>(here: &Here<'_>, pin: impl FnOnce(&DomainName) -> Pin<'a>, hello: &PeerHello) -> Verdict {
    if let Some(refused) = &hello.refused {
        return Verdict::Refused(refused.into());
    }
    let peer = match whose(here, hello) {
        Ok(peer) => peer,
        Err(error) => return Verdict::Refused(error),
    };
    match chain(&peer, &pin(&peer), &hello.documents) {
        Ok((chain, fresh)) => match chain.newest().check_key(KeyUse::Tls, here.tls_key, here.now) {
            Ok(()) => Verdict::Accepted(Accepted { peer, chain, fresh, peer_knows: hello.known_seq }),
            Err(error) => Verdict::Refused(error.into()),
        },
        Err(Some(error)) if is_evidence(here, error) => Verdict::Held(peer, error),
        Err(Some(error)) => Verdict::Refused(error.into()),
        Err(None) => Verdict::Refused(ErrorCode::KeyUnverified.into()),
    }
}

/// [LINK-3] Whether documents say something of the domain that they name. Anybody can connect and
/// present some that do not chain; two that contradict each other were both signed by the domain.
const fn is_evidence(here: &Here<'_>, error: ErrorCode) -> bool {
    match error {
        ErrorCode::ForkedLog => true,
        ErrorCode::KeyUnverified => here.dialled.is_some(),
        _ => false,
    }
}

fn whose(here: &Here<'_>, hello: &PeerHello) -> Result<DomainName, WireError> {
    let peer: DomainName = hello.from.parse()?;
    let to: DomainName = hello.to.parse()?;
    if to != *here.own || peer == *here.own {
        return Err(ErrorCode::Misdirected.into());
    }
    if here.dialled.is_some_and(|dialled| *dialled != peer) {
        return Err(ErrorCode::AuthFailed.into());
    }
    if hello.time_ms.abs_diff(here.now.as_ms()) > limits::CLOCK_SKEW_MS {
        return Err(WireError::with_value(ErrorCode::ClockSkew, here.now.as_ms()));
    }
    Ok(peer)
}

/// The chain with the documents of the hello, and those of them that were new. `None` as an error:
/// nothing is pinned.
fn chain(
    peer: &DomainName,
    pin: &Pin<'_>,
    documents: &[Signed],
) -> Result<(Chain, Vec<Signed>), Option<ErrorCode>> {
    if documents.len() > limits::DOCUMENT_CHAIN_MAX {
        return Err(Some(ErrorCode::TooLarge));
    }
    let mut chain = match pin {
        Pin::None => return Err(None),
        Pin::Chain(chain) => (*chain).clone(),
        Pin::Fingerprint(print) => {
            let chain = Chain::verify_all(peer, documents, print)?;
            return Ok((chain, documents.to_vec()));
        }
    };
    let mut fresh = Vec::new();
    for signed in documents {
        if chain.extend(signed)? {
            fresh.push(signed.clone());
        }
    }
    Ok((chain, fresh))
}

#[cfg(test)]
mod tests;
