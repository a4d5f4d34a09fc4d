//! Who is asked for an account's keys or for key packages answers with something else.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use kit::{Node, Person, RawDevice, RawPeer, RawStream, SystemEntropy};
use machine::Entropy as _;
use prost::Message as _;
use wire::{
    ErrorCode, WireError, limits,
    proto::{
        AccountKeys, ClaimKeyPackages, ClaimedAccount, ClaimedKeyPackages, ClaimedPackage, DomainDocuments,
        Done, Error, GetAccount, PeerHello, PeerRequest, PeerResponse, PulledEvents,
        client_request::Request as Ask, client_response, peer_request::Request, peer_response::Response,
    },
};

use crate::{
    frames::{framed, promised, shapeless},
    stage::{Row, node, row, unharmed},
};

const EVE: &str = "eve@evil.test";

/// A device of the node and a peer that the node has met.
struct Stage {
    node: Node,
    device: RawDevice,
    peer: RawPeer,
    connection: quinn::Connection,
}

impl Stage {
    async fn new() -> Result<Self> {
        let node = node()?;
        let (_, device) = RawDevice::enrolled(&node, "alice").await?;
        let peer = RawPeer::new("evil.test")?;
        peer.pinned_by(&node)?;
        let connection = peer.establish(&node).await?;
        Ok(Self { node, device, peer, connection })
    }

    /// The next request of the node, and the stream that its answer goes on.
    async fn asked(&self) -> Result<(RawStream, Request)> {
        loop {
            let mut stream = RawStream::accept(&self.connection).await?;
            match stream.expect::<PeerRequest>().await?.request.context("a request")? {
                Request::Link(_) => {}
                request => return Ok((stream, request)),
            }
        }
    }

    /// The device asks for something, the peer answers with these bytes: what the device is told.
    async fn told(&mut self, ask: Ask, bytes: &[u8], end: bool) -> Result<Result<Told, ErrorCode>> {
        let id = self.device.send_request(ask).await?;
        let (mut stream, _) = self.asked().await?;
        stream.write_bytes(bytes).await?;
        if end {
            stream.finish();
        }
        match self.device.response(id).await {
            Ok(response) => Ok(Ok(response)),
            Err(error) => Ok(Err(error.downcast::<WireError>()?.code)),
        }
    }

    /// The honest answer to the honest question, on the same connection.
    async fn honest(&mut self, keys: &AccountKeys) -> Result<()> {
        let told = self.told(ask(), &answer(Some(Response::Account(keys.clone()))), true).await?;
        ensure!(told == Ok(Told::Account(keys.clone())), "{told:?} does not answer the honest question");
        Ok(())
    }
}

type Told = client_response::Response;

fn ask() -> Ask {
    Ask::GetAccount(GetAccount { account: EVE.to_owned() })
}

fn answer(response: Option<Response>) -> Vec<u8> {
    framed(&PeerResponse { response }.encode_to_vec())
}

fn keys(peer: &RawPeer, account: &str) -> Result<AccountKeys> {
    let enrolment = Person::new(account)?.enrolment()?;
    let proposed = identity::AccountBinding::parse(enrolment.binding.as_ref().context("a binding")?)?;
    let binding = proposed.countersign(&peer.keys.binding).signed().clone();
    Ok(AccountKeys { binding: Some(binding), ..enrolment })
}

/// What answers no request.
fn no_answers() -> Vec<Row> {
    use ErrorCode::{Internal, Malformed, TooLarge};
    let mut rows = shapeless(&PeerResponse { response: Some(Response::Done(Done {})) }.encode_to_vec());
    let unknown = Error { code: 0x7fff_ffff, retry_after_ms: u64::MAX, value: u64::MAX };
    rows.extend([
        row("nothing in it", answer(None), Malformed),
        row("a hello", answer(Some(Response::Hello(PeerHello::default()))), Malformed),
        row("documents", answer(Some(Response::Domain(DomainDocuments::default()))), Malformed),
        row("events", answer(Some(Response::Pulled(PulledEvents::default()))), Malformed),
        row("a done", answer(Some(Response::Done(Done {}))), Malformed),
        row("an error of a later version", answer(Some(Response::Error(unknown))), Internal),
        row("one byte over the frame limit", promised(limits::FRAME_BYTES_MAX + 1), TooLarge),
    ]);
    rows
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut flipped = bytes.to_vec();
    if let Some(byte) = flipped.get_mut(20) {
        *byte ^= 1;
    }
    flipped.into()
}

fn wrong_keys(stage: &Stage, honest: &AccountKeys) -> Result<Vec<Row>> {
    use ErrorCode::{BadSignature, Malformed, OriginMismatch};
    let of = |change: &dyn Fn(&mut AccountKeys)| {
        let mut keys = honest.clone();
        change(&mut keys);
        answer(Some(Response::Account(keys)))
    };
    let other = keys(&stage.peer, "mallory@evil.test")?;
    let third = keys(&RawPeer::new("third.test")?, "eve@third.test")?;
    let usurped = keys(&RawPeer::new("evil.test")?, EVE)?;
    Ok(vec![
        row("the keys of another account", answer(Some(Response::Account(other.clone()))), OriginMismatch),
        row("the keys of a third domain", answer(Some(Response::Account(third))), OriginMismatch),
        row("keys that another key has signed", answer(Some(Response::Account(usurped))), BadSignature),
        row("no keys", answer(Some(Response::Account(AccountKeys::default()))), Malformed),
        row("no device list", of(&|keys| keys.device_list = None), Malformed),
        row(
            "the list of another account",
            of(&|keys| keys.device_list.clone_from(&other.device_list)),
            BadSignature,
        ),
        row(
            "a signature with a flipped bit",
            of(&|keys| {
                if let Some(binding) = &mut keys.binding {
                    binding.signature = flipped(&binding.signature);
                }
            }),
            BadSignature,
        ),
        row("no certificate of the device", of(&|keys| keys.certificates.clear()), Malformed),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_answer_a_question_is_named_and_ends_nothing() -> Result<()> {
    let mut stage = Stage::new().await?;
    let honest = keys(&stage.peer, EVE)?;
    let mut rows = no_answers();
    rows.extend(wrong_keys(&stage, &honest)?);
    for Row { what, bytes, error } in rows {
        let told = stage.told(ask(), &bytes, true).await.context(what)?;
        assert_eq!(told, Err(error), "{what}");
        stage.honest(&honest).await.context(what)?;
    }
    let whole = answer(Some(Response::Account(honest.clone())));
    let half = &whole[..whole.len() / 2];
    for (what, bytes) in [("the end", &[][..]), ("half an answer", half)] {
        assert_eq!(stage.told(ask(), bytes, true).await?, Err(ErrorCode::Malformed), "{what}");
    }
    // Of two answers the first counts, and what follows an answer is not read.
    let other = answer(Some(Response::Account(keys(&stage.peer, "mallory@evil.test")?)));
    let told = stage.told(ask(), &[whole, other, vec![0xff; 1_000]].concat(), true).await?;
    assert_eq!(told, Ok(Told::Account(honest.clone())));
    let id = stage.device.send_request(ask()).await?;
    stage.asked().await?.0.reset();
    let refused = stage.device.response(id).await.expect_err("it was broken off").downcast::<WireError>()?;
    assert_eq!(refused.code, ErrorCode::Unavailable);
    stage.honest(&honest).await?;
    assert!(!stage.node.log().iter().any(|line| line.contains("panicked")));
    crate::stage::served(&stage.node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_is_not_waited_for_and_who_goes_is_not_asked_further() -> Result<()> {
    let mut stage = Stage::new().await?;
    let honest = keys(&stage.peer, EVE)?;
    let silent = stage.device.send_request(ask()).await?;
    let (_kept, _) = stage.asked().await?;
    let half = stage.device.send_request(ask()).await?;
    let (mut begun, _) = stage.asked().await?;
    begun.write_bytes(&[0, 0, 0, 9, 0x0a]).await?;
    stage.honest(&honest).await?;
    for id in [silent, half] {
        let refused = stage.device.response(id).await.expect_err("no answer").downcast::<WireError>()?;
        assert_eq!(refused.code, ErrorCode::Timeout);
    }
    let id = stage.device.send_request(ask()).await?;
    let (_asked, _) = stage.asked().await?;
    stage.connection.close(ErrorCode::Draining.code().into(), b"");
    let refused = stage.device.response(id).await.expect_err("it has gone").downcast::<WireError>()?;
    assert_eq!(refused.code, ErrorCode::Unavailable);
    stage.connection = stage.peer.establish(&stage.node).await?;
    stage.honest(&honest).await?;
    unharmed(&mut stage.node).await
}

fn part(account: &str, bytes: usize) -> ClaimedAccount {
    let package = vec![7; bytes].into();
    let package = ClaimedPackage { key_package: package, device_id: vec![1; 16].into(), last_resort: false };
    ClaimedAccount { account: account.to_owned(), packages: vec![package], ..ClaimedAccount::default() }
}

/// Answers to a claim for eve's packages, and what the device is told of hers.
fn claims() -> Vec<Row> {
    use ErrorCode::{Malformed, NotFound, Policy, TooLarge};
    let claimed = |accounts| answer(Some(Response::Claimed(ClaimedKeyPackages { accounts })));
    let policy = ClaimedAccount { error: Some(Policy.into()), ..part(EVE, 100) };
    let mut rows = no_answers();
    rows.extend([
        row("an account", answer(Some(Response::Account(AccountKeys::default()))), Malformed),
        row("no part", claimed(vec![]), NotFound),
        row("a part of somebody else", claimed(vec![part("mallory@evil.test", 100)]), NotFound),
        row("a part of our own account", claimed(vec![part("alice@acme.test", 100)]), NotFound),
        row("a part of nobody", claimed(vec![part("", 100)]), NotFound),
        row("packages and a refusal", claimed(vec![policy]), Policy),
        row("packages that leave no room for others", claimed(vec![part(EVE, 1_113_900)]), TooLarge),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_answered_wrongly_fails_for_those_accounts_only() -> Result<()> {
    let mut stage = Stage::new().await?;
    let honest = keys(&stage.peer, EVE)?;
    let (bob, _) = RawDevice::enrolled(&stage.node, "bob").await?;
    for Row { what, bytes, error } in claims() {
        let claim = Ask::ClaimKeyPackages(ClaimKeyPackages {
            room: Bytes::from_static(&[1; 32]),
            claim_id: SystemEntropy.array::<16>().to_vec().into(),
            accounts: vec![bob.account.to_string(), EVE.to_owned()],
            requester: "alice@acme.test".to_owned(),
        });
        let told = stage.told(claim, &bytes, true).await.context(what)?;
        let Ok(Told::Claimed(claimed)) = told else { bail!("{what}: {told:?}") };
        let [ours, theirs] = claimed.accounts.as_slice() else { bail!("{what}: {claimed:?}") };
        // bob has no packages, which is told of him and of nobody else.
        let code = |part: &ClaimedAccount| part.error.as_ref().map(|error| ErrorCode::from_code(error.code));
        assert_eq!(
            (ours.account.as_str(), code(ours)),
            ("bob@acme.test", Some(ErrorCode::Unavailable)),
            "{what}"
        );
        assert_eq!((theirs.account.as_str(), code(theirs)), (EVE, Some(error)), "{what}");
        stage.honest(&honest).await.context(what)?;
    }
    assert!(!stage.node.log().iter().any(|line| line.contains("panicked")));
    crate::stage::served(&stage.node).await
}
