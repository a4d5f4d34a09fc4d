//! One encoding to a statement, one label to a kind.

use bytes::Bytes;
use zeroize::Zeroizing;

use super::*;

fn secret() -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([1; 32]))
}

fn certificate() -> proto::DeviceCertificate {
    proto::DeviceCertificate {
        account: "alice@acme.test".into(),
        device_id: Bytes::from_static(&[1; 16]),
        signature_key: Bytes::from_static(&[2; 32]),
        not_before: 1,
        not_after: 300,
    }
}

// [SIGN-1]
#[test]
fn no_kind_of_statement_passes_as_another() {
    type Sign = fn(&SecretKey, &[u8]) -> [u8; 64];
    type Verify = fn(&PublicKey, &[u8], &[u8]) -> Result<(), ErrorCode>;
    let kinds: [(&str, Sign, Verify); 5] = [
        ("document", sign::<proto::DomainDocument>, verify::<proto::DomainDocument>),
        ("binding", sign::<proto::AccountBinding>, verify::<proto::AccountBinding>),
        ("list", sign::<proto::DeviceList>, verify::<proto::DeviceList>),
        ("certificate", sign::<proto::DeviceCertificate>, verify::<proto::DeviceCertificate>),
        ("head", sign::<proto::EventHead>, verify::<proto::EventHead>),
    ];
    let body = certificate().encode_to_vec();
    for (name, sign, _) in kinds {
        let signature = sign(&secret(), &body);
        for (other, _, verify) in kinds {
            let expected = if name == other { Ok(()) } else { Err(ErrorCode::BadSignature) };
            assert_eq!(verify(&secret().public(), &body, &signature), expected, "{name} as {other}");
        }
        assert_eq!(secret().public().verify(&body, &signature), Err(ErrorCode::BadSignature), "no label");
    }
}

#[test]
fn no_label_is_the_beginning_of_another_with_its_zero_byte() {
    assert_eq!(input("comity/v1/X", b"body"), b"comity/v1/X\0body");
    let a_body = [b"Y\0", certificate().encode_to_vec().as_slice()].concat();
    assert_ne!(input("comity/v1/X", &a_body), input("comity/v1/XY", &certificate().encode_to_vec()));
}

// [SIGN-2]
#[test]
fn a_statement_has_exactly_one_encoding() {
    let body = certificate().encode_to_vec();
    assert_eq!(decode(&body), Ok(certificate()));
    let account = 2 + "alice@acme.test".len();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("a trailing byte", [body.as_slice(), &[0]].concat()),
        ("an unknown field", [body.as_slice(), &[0x30, 0x01]].concat()),
        ("a field twice", [body.as_slice(), &[0x28, 0x05]].concat()),
        ("fields out of order", [&body[account..], &body[..account]].concat()),
        ("a zero that is not left out", [&body[..body.len() - 3], &[0x28, 0x00]].concat()),
        (
            "a number in more bytes than it needs",
            [&body[..body.len() - 3], &[0x28, 0xac, 0x82, 0x00]].concat(),
        ),
        ("a tag in two bytes", [&body[..body.len() - 3], &[0xa8, 0x00, 0xac, 0x02]].concat()),
        ("a truncation", body[..body.len() - 1].to_vec()),
        ("a text that is not UTF-8", [&[0x0a, 0x01, 0xff], &body[account..]].concat()),
    ];
    for (name, bytes) in table {
        assert_eq!(decode::<proto::DeviceCertificate>(&bytes), Err(ErrorCode::Malformed), "{name}");
    }
}

// [SIGN-2]
#[test]
fn a_statement_beyond_its_limit_is_refused_before_it_is_decoded() {
    let large = vec![0xff; limits::CERTIFICATE_BYTES_MAX + 1];
    assert_eq!(decode::<proto::DeviceCertificate>(&large), Err(ErrorCode::TooLarge));
    assert_eq!(
        decode::<proto::DeviceCertificate>(&large[..limits::CERTIFICATE_BYTES_MAX]),
        Err(ErrorCode::Malformed)
    );
}

#[test]
fn a_hash_is_of_label_and_body() {
    let of_certificate = hash::<proto::DeviceCertificate>(b"body");
    assert_ne!(of_certificate, hash::<proto::DeviceList>(b"body"));
    assert_eq!(of_certificate, <[u8; 32]>::from(Sha256::digest(b"comity/v1/DeviceCertificate\0body")));
}
