//! Rows 17, 18, 32, 33 and 34: what one domain may ask another.

use anyhow::Result;
use bytes::Bytes;
use kit::{RawDevice, RawPeer, ask_peer};
use wire::{
    ErrorCode, WireError,
    proto::{ClaimKeyPackages, GetAccount, GetDomain, GetGroup, PullEvents, peer_request::Request},
};

use crate::stage::{node, unharmed};

fn rows() -> Vec<(&'static str, ErrorCode, Request)> {
    use ErrorCode::{Malformed, NotFound, OriginMismatch, TooLarge};
    let domain = |domain: &str| Request::GetDomain(GetDomain { domain: domain.to_owned(), after_seq: 0 });
    let account = |account: &str| Request::GetAccount(GetAccount { account: account.to_owned() });
    let pull = |room: &'static [u8]| {
        Request::PullEvents(PullEvents { room: Bytes::from_static(room), from_seq: 0, limit: u32::MAX })
    };
    let group = |room: &'static [u8], account: &str, device: usize| {
        let (account, device_id) = (account.to_owned(), vec![3; device].into());
        Request::GetGroup(GetGroup { room: Bytes::from_static(room), account, device_id })
    };
    let honest = ClaimKeyPackages {
        room: Bytes::from_static(&[1; 32]),
        claim_id: Bytes::from_static(&[2; 16]),
        accounts: vec!["alice@acme.test".to_owned()],
        requester: "eve@evil.test".to_owned(),
    };
    let claim = |change: &dyn Fn(&mut ClaimKeyPackages)| {
        let mut claim = honest.clone();
        change(&mut claim);
        Request::ClaimKeyPackages(claim)
    };
    vec![
        ("a malformed domain", Malformed, domain("ACME.test")),
        ("a domain that nobody pinned", NotFound, domain("nobody.test")),
        ("a malformed account", Malformed, account("alice")),
        ("nobody", NotFound, account("nobody@acme.test")),
        ("an account of a third domain", NotFound, account("bob@umbrella.test")),
        ("an account of its own", NotFound, account("eve@evil.test")),
        ("a group of half a room", Malformed, group(&[1; 16], "eve@evil.test", 16)),
        ("a group that does not exist", NotFound, group(&[1; 32], "eve@evil.test", 16)),
        ("a group for our own account", OriginMismatch, group(&[1; 32], "alice@acme.test", 16)),
        ("a group for a third domain's account", OriginMismatch, group(&[1; 32], "bob@umbrella.test", 16)),
        ("a group for nobody", Malformed, group(&[1; 32], "", 16)),
        ("a group for 15 bytes of device", Malformed, group(&[1; 32], "eve@evil.test", 15)),
        ("half a room", Malformed, pull(&[1; 16])),
        ("a room that does not exist", NotFound, pull(&[1; 32])),
        (
            "for our own account",
            OriginMismatch,
            claim(&|claim| claim.requester = "alice@acme.test".to_owned()),
        ),
        (
            "for a third domain's account",
            OriginMismatch,
            claim(&|claim| {
                claim.requester = "bob@umbrella.test".to_owned();
            }),
        ),
        ("for nobody", Malformed, claim(&|claim| claim.requester.clear())),
        (
            "packages of a third domain",
            OriginMismatch,
            claim(&|claim| {
                claim.accounts = vec!["bob@umbrella.test".to_owned()];
            }),
        ),
        ("packages of a malformed account", Malformed, claim(&|claim| claim.accounts = vec!["*".to_owned()])),
        (
            "packages of 51 accounts",
            TooLarge,
            claim(&|claim| {
                claim.accounts = (0..51).map(|n| format!("a{n}@acme.test")).collect();
            }),
        ),
        ("15 bytes of claim id", Malformed, claim(&|claim| claim.claim_id.truncate(15))),
        ("half a room for packages", Malformed, claim(&|claim| claim.room.truncate(16))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_that_is_asked_wrongly_gets_its_named_error() -> Result<()> {
    let mut node = node()?;
    let (_alice, _device) = RawDevice::enrolled(&node, "alice").await?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let connection = peer.establish(&node).await?;
    for (what, error, request) in rows() {
        let refused = ask_peer(&connection, request).await.expect_err(what).downcast::<WireError>()?;
        assert_eq!(refused.code, error, "{what}");
    }
    // None of it has ended the connection.
    ask_peer(&connection, Request::GetAccount(GetAccount { account: "alice@acme.test".to_owned() })).await?;
    unharmed(&mut node).await
}
