//! Identities and statements as the spec writes them, for members of both kinds.

use machine::{Entropy as _, Seeded};
use mls::DeviceKeys;
use prost::Message as _;
use wire::{
    Account, DeviceId, RoomId, SecretKey,
    proto::{DeviceCertificate, MessageBinding, RoomKind, RoomState, Signed},
};

/// The keys of the first device of the account `u<number>@acme.test`. The statements in it are of the
/// right form; that they verify is for other tests.
#[must_use]
pub fn keys(number: u64) -> DeviceKeys {
    let name = format!("u{number}@acme.test");
    let mut seed = Seeded::new(number * 7_919 + 1);
    let secret = SecretKey::from_seed(&zeroize::Zeroizing::new(seed.array()));
    let device = DeviceId::new(seed.array());
    let certificate = DeviceCertificate {
        account: name.clone(),
        device_id: device.to_bytes(),
        signature_key: secret.public().as_bytes().to_vec().into(),
        not_before: 1,
        not_after: 2,
    };
    let signed = |body: Vec<u8>| Signed {
        body: body.into(),
        signature: vec![7; 64].into(),
        account_signature: bytes::Bytes::new(),
    };
    #[expect(clippy::expect_used, reason = "a letter, digits and a domain are a name")]
    let account: Account = name.parse().expect("a name");
    DeviceKeys {
        account,
        device,
        secret,
        binding: signed(vec![9; 90]),
        certificate: signed(certificate.encode_to_vec()),
    }
}

/// A room state with these admins.
#[must_use]
pub fn state(room: RoomId, admins: &[u64]) -> RoomState {
    RoomState {
        room: room.to_bytes(),
        hub: "acme.test".into(),
        kind: RoomKind::Group.into(),
        admins: admins.iter().map(|number| format!("u{number}@acme.test")).collect(),
        version: 1,
    }
}

/// The authenticated data of the `number`th message of a room.
#[must_use]
pub fn binding_bytes(room: RoomId, number: u64) -> (MessageBinding, Vec<u8>) {
    let mut id = [0; 16];
    id.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    let binding = MessageBinding { room: room.to_bytes(), message_id: id.to_vec().into(), ephemeral: false };
    let bytes = binding.encode_to_vec();
    (binding, bytes)
}
