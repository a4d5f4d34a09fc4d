//! Signed statements: one encoding to each, and nothing unsigned is believed.

use bytes::Bytes;
use identity::{
    AccountBinding, Chain, DeviceCertificate, DeviceList, DomainDocument, check_account_keys, check_leaf,
    fingerprint, session as proof,
};
use wire::proto::{self, AccountKeys, LeafIdentity, SessionHello, Signed};
use wire::signed::{self, Statement};
use wire::{SecretKey, frame};

use crate::people::{ACME, NOW};

/// The bytes as the body of each kind of statement, as it is and well signed: who signs may be
/// hostile too.
pub fn statement(bytes: &[u8]) {
    let root = &ACME.keys.root;
    let key = &ACME.alice.account_key;
    if let Some(signed) =
        signed_by::<proto::DomainDocument>(bytes, root, |body, public| body.root_key = public)
    {
        if let Ok(document) = DomainDocument::parse(&signed) {
            assert_eq!(DomainDocument::issue(document.fields(), root), Ok(document.clone()));
            let _ = document.successor(NOW);
        }
    }
    if let Some(mut signed) =
        signed_by::<proto::AccountBinding>(bytes, key, |body, public| body.account_key = public)
    {
        signed.account_signature = signed.signature.clone();
        if let Ok(binding) = AccountBinding::parse(&signed) {
            assert!(binding.verify(&ACME.document, NOW).is_err(), "the domain did not sign it");
            let _ = binding.countersign(&ACME.keys.binding).verify(&ACME.document, NOW);
        }
    }
    if let Some(signed) = signed_by::<proto::DeviceList>(bytes, key, |_, _| {}) {
        if let Ok(list) = DeviceList::parse(&signed) {
            let _ = list.verify(&key.public(), NOW);
            assert!(list.verify(&root.public(), NOW).is_err());
        }
    }
    if let Some(signed) = signed_by::<proto::DeviceCertificate>(bytes, key, |_, _| {}) {
        if let Ok(certificate) = DeviceCertificate::parse(&signed) {
            let _ = certificate.verify(&key.public(), NOW);
            assert!(certificate.verify(&root.public(), NOW).is_err());
        }
    }
    let _ = signed_by::<proto::EventHead>(bytes, root, |_, _| {});
}

/// Decodes strictly; what is accepted is put into the signer's name and signed.
fn signed_by<S: Statement>(bytes: &[u8], key: &SecretKey, own: impl FnOnce(&mut S, Bytes)) -> Option<Signed> {
    let mut statement = signed::decode::<S>(bytes).ok()?;
    assert_eq!(statement.encode_to_vec(), bytes, "one encoding");
    own(&mut statement, Bytes::copy_from_slice(key.public().as_bytes()));
    let body = statement.encode_to_vec();
    let signature = Bytes::copy_from_slice(&signed::sign::<S>(key, &body));
    Some(Signed { body: body.into(), signature, account_signature: Bytes::new() })
}

/// Two bytes to a step: who signs the next document, and what is wrong with it. Whatever comes, the
/// chain goes forward only, and a key that nobody promised never gets in.
pub fn chain(bytes: &[u8]) {
    let acme = &*ACME;
    let stranger = &acme.alice.account_key;
    let pin = fingerprint(&acme.keys.root.public());
    let mut chain = Chain::verify_first(acme.document.signed(), &pin).expect("the first document");
    for step in bytes.chunks_exact(2).take(12) {
        let mut fields = chain.newest().successor(NOW);
        match step[1] % 8 {
            0 => fields.seq = u64::from(step[1]),
            1 => fields.prev_hash = Some([step[1]; 32]),
            2 => fields.next_root_hash = fingerprint(&acme.keys.recovery.public()),
            3 => fields.recovery_hash = fingerprint(&stranger.public()),
            4 => fields.issued = fields.issued.saturating_sub(u64::from(step[1])),
            5 => fields.domain = "umbrella.test".parse().expect("a domain"),
            _ => {}
        }
        let keys = [&acme.keys.root, &acme.keys.next_root, &acme.keys.recovery, stranger];
        let Ok(next) = DomainDocument::issue(&fields, keys[usize::from(step[0] % 4)]) else { continue };
        let before = chain.clone();
        match chain.extend(next.signed()) {
            Ok(true) => {
                assert_eq!(chain.newest().seq(), before.newest().seq() + 1);
                assert_eq!(chain.newest().domain(), before.newest().domain());
                let print = fingerprint(chain.newest().root_key());
                let newest = before.newest();
                let kept = chain.newest().root_key() == newest.root_key();
                assert!(
                    kept || [newest.fields().next_root_hash, newest.fields().recovery_hash].contains(&print)
                );
            }
            _ => assert_eq!(chain, before),
        }
    }
}

/// What a domain states about an account.
pub fn account(bytes: &[u8]) {
    let Ok(keys) = frame::decode::<AccountKeys>(Bytes::copy_from_slice(bytes)) else { return };
    if let Ok(view) = check_account_keys(&keys, &ACME.document, NOW) {
        assert_eq!(view.account_key, ACME.alice.account_key.public(), "nobody else was bound");
    }
    assert!(identity::check_enrolment(&keys, NOW).is_err() || keys.binding.is_some());
}

/// The identity in a leaf.
pub fn leaf(bytes: &[u8]) {
    let Ok(identity) = frame::decode::<LeafIdentity>(Bytes::copy_from_slice(bytes)) else { return };
    let device = &ACME.alice.device;
    if let Ok((account, id)) = check_leaf(&identity, &device.secret.public(), &ACME.document, NOW) {
        assert_eq!((account, id), (device.account.clone(), device.device));
    }
}

/// A device's proof of itself.
pub fn session(bytes: &[u8]) {
    let Ok(hello) = frame::decode::<SessionHello>(Bytes::copy_from_slice(bytes)) else { return };
    let device = &ACME.alice.device;
    if proof::verify(&hello, &device.secret.public(), &[5; 32], NOW).is_ok() {
        assert_eq!(proof::claim(&hello), Ok((device.account.clone(), device.device)));
    }
}
