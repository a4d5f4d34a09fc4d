//! Signatures that are good in one way and bad in every other.

use super::*;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

const BAD: Result<(), ErrorCode> = Err(ErrorCode::BadSignature);

#[test]
fn a_signature_verifies_with_its_key_and_its_bytes() {
    let signature = secret(1).sign(b"label\0body");
    assert_eq!(secret(1).public().verify(b"label\0body", &signature), Ok(()));
    assert_eq!(secret(2).public().verify(b"label\0body", &signature), BAD);
    assert_eq!(secret(1).public().verify(b"label\0bodz", &signature), BAD);
}

// [SIGN-3]
#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let (key, signature) = (secret(1).public(), secret(1).sign(b"bytes"));
    for length in 0..64 {
        assert_eq!(key.verify(b"bytes", &signature[..length]), BAD, "{length} bytes");
    }
    assert_eq!(key.verify(b"bytes", &[signature.as_slice(), &[0]].concat()), BAD);
    assert_eq!(key.verify(b"bytes", &[0; 64]), BAD);
    for bit in 0..512 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify(b"bytes", &flipped), BAD, "bit {bit}");
    }
}

// [SIGN-3]
#[test]
fn a_second_form_of_a_good_signature_is_refused() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = secret(1).sign(b"bytes");
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    assert_eq!(carry, 0, "S + L fits");
    assert_eq!(secret(1).public().verify(b"bytes", &signature), BAD);
}

// [SIGN-3]
#[test]
fn a_key_of_small_order_signs_nothing() {
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        // The first two again, in encodings that are not canonical.
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for text in small {
        let point = HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
        let key = PublicKey::try_from(point.as_slice()).expect("32 bytes");
        // With R = A or R = the identity and S = 0, a lenient verifier accepts some messages.
        for r in [point.as_slice(), &[&[1], [0; 31].as_slice()].concat()] {
            let signature = [r, &[0; 32]].concat();
            for message in 0..=16_u8 {
                assert_eq!(key.verify(&[message], &signature), BAD, "{text}");
            }
        }
    }
}

#[test]
fn a_key_of_another_length_or_that_is_no_point_is_refused() {
    assert_eq!(PublicKey::try_from([0; 31].as_slice()), Err(ErrorCode::Malformed));
    assert_eq!(PublicKey::try_from([0; 33].as_slice()), Err(ErrorCode::Malformed));
    let no_point = PublicKey::new([2; 32]);
    assert_eq!(no_point.verify(b"bytes", &secret(1).sign(b"bytes")), BAD);
}

// [SIGN-3]
#[test]
fn one_point_has_one_encoding() {
    let of = |low: u8, middle: u8, high: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (low, high);
        PublicKey::new(bytes)
    };
    for (low, middle, high) in [(0xec, 0xff, 0x7f), (0xff, 0xfe, 0x7f), (0xff, 0xff, 0x7e), (0, 0, 0x80)] {
        assert!(of(low, middle, high).is_canonical());
    }
    for (low, high) in [(0xed, 0x7f), (0xee, 0xff), (0xff, 0x7f), (0xff, 0xff)] {
        assert!(!of(low, 0xff, high).is_canonical());
        assert_eq!(of(low, 0xff, high).verify(b"bytes", &secret(1).sign(b"bytes")), BAD);
    }
}

#[test]
fn a_secret_has_no_way_into_a_log() {
    let key = secret(7);
    let shown = format!("{key:?}");
    assert!(shown.contains(&key.public().to_string()));
    assert!(!shown.contains(&HEXLOWER.encode(key.seed().as_ref())));
    assert_eq!(SecretKey::from_seed(&key.seed()).public(), key.public());
}
