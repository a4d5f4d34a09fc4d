//! Sealed key files, and files that are something else.

use machine::Seeded;

use super::*;

/// Light, so that a table of damages takes no minute.
const LIGHT: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

fn key() -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([3; 32]))
}

fn sealed() -> SealedKey {
    SealedKey::seal(KeyKind::Root, &key(), "correct horse", LIGHT, &mut Seeded::new(1)).expect("it seals")
}

#[test]
fn the_passphrase_opens_what_it_sealed() {
    for kind in KeyKind::ALL {
        let sealed =
            SealedKey::seal(kind, &key(), "correct horse", LIGHT, &mut Seeded::new(7)).expect("it seals");
        let text = sealed.encode();
        assert!(SealedKey::is_one(&text) && crate::key_file::parse(&text).is_err());
        let read = SealedKey::parse(&text).expect("a sealed key file");
        assert_eq!((read.kind(), read.public()), (kind, key().public()));
        assert_eq!(read.open("correct horse").expect("it opens").public(), key().public());
        for wrong in ["", "correct horse ", "Correct horse"] {
            assert_eq!(read.open(wrong).map(drop), Err(SealedKeyError::WrongPassphrase), "{wrong:?}");
        }
    }
}

#[test]
fn nothing_of_the_seed_is_in_the_file() {
    let seed = BASE32_NOPAD.encode(key().seed().as_ref()).to_ascii_lowercase();
    let text = sealed().encode();
    assert!(!text.contains(&seed[..16]), "{text}");
}

// [ID-40]
#[test]
fn each_damage_has_its_name() {
    use SealedKeyError as E;
    let good = sealed().encode();
    let replaced = |from: &str, to: &str| good.replacen(from, to, 1);
    let public = key().public().to_string();
    let table = [
        ("empty", String::new(), E::NotASealedKey),
        ("an open key file", crate::key_file::encode(KeyKind::Root, &key()).to_string(), E::NotASealedKey),
        ("another version", replaced("key-1", "key-2"), E::NotASealedKey),
        ("no kind", replaced(" root", ""), E::NotASealedKey),
        ("no cost", replaced("argon2id 64 1 1", "scrypt 64 1 1"), E::NotASealedKey),
        ("a line too many", format!("{good}more\n"), E::NotASealedKey),
        ("larger than a key file", format!("{good}{}", "x".repeat(2_000)), E::NotASealedKey),
        ("an unknown kind", replaced("root", "shell"), E::UnknownKind),
        ("a short public key", replaced(&public, &public[2..]), E::BadPublicKey),
        ("no memory", replaced("argon2id 64", "argon2id 0"), E::BadCost),
        ("less memory than lanes need", replaced("64 1 1", "64 1 16"), E::BadCost),
        ("a terabyte of memory", replaced("argon2id 64", "argon2id 1073741824"), E::BadCost),
        ("a million passes", replaced("64 1 1", "64 1000000 1"), E::BadCost),
        ("no passes", replaced("64 1 1", "64 0 1"), E::BadCost),
        ("a number with a zero before it", replaced("64 1 1", "064 1 1"), E::BadCost),
        ("a negative number", replaced("64 1 1", "64 -1 1"), E::BadCost),
        ("a number too many", replaced("64 1 1", "64 1 1 1"), E::BadCost),
        ("a short seal", replaced("sealed ", "sealed aa"), E::BadSeal),
        (
            "no seal",
            good.lines().take(3).map(|line| format!("{line}\n")).collect::<String>() + "sealed ",
            E::BadSeal,
        ),
    ];
    for (name, text, expected) in table {
        assert_eq!(SealedKey::parse(&text).map(drop), Err(expected), "{name}");
    }
}

#[test]
fn every_changed_letter_is_noticed() {
    let good = sealed().encode();
    for at in 0..good.len() - 1 {
        let mut bytes = good.clone().into_bytes();
        let byte = &mut bytes[at];
        *byte = if *byte == b'b' { b'c' } else { b'b' };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let opened = SealedKey::parse(&text).and_then(|sealed| sealed.open("correct horse")).map(drop);
        assert!(opened.is_err(), "letter {at} of {text:?}");
    }
}
