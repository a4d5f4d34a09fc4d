//! Key files, and files that are something else.

use super::*;

fn key() -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([3; 32]))
}

#[test]
fn a_key_file_gives_back_its_key() {
    for kind in KeyKind::ALL {
        let text = encode(kind, &key());
        let (found, parsed) = parse(&text).expect("a key file");
        assert_eq!((found, parsed.public()), (kind, key().public()));
        assert!(parse(text.trim_end()).is_ok(), "the last line may lack its end");
    }
}

#[test]
fn the_text_is_what_the_specification_shows() {
    let expected = "comity-key-1 tls\n\
        public ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1\n\
        seed ambqgaydambqgaydambqgaydambqgaydambqgaydambqgaydambq\n";
    assert_eq!(encode(KeyKind::Tls, &key()).as_str(), expected);
}

// [ID-20]
#[test]
fn each_damage_has_its_name() {
    let good = encode(KeyKind::Tls, &key());
    let replaced = |from: &str, to: &str| good.replacen(from, to, 1);
    let another = SecretKey::from_seed(&Zeroizing::new([4; 32])).public().to_string();
    let public = key().public().to_string();
    let seed = good.lines().last().unwrap_or_default()["seed ".len()..].to_owned();
    let table = [
        ("empty", String::new(), KeyFileError::NotAKeyFile),
        ("a PEM key", "-----BEGIN PRIVATE KEY-----\nMC4=\n".into(), KeyFileError::NotAKeyFile),
        ("another version", replaced("comity-key-1", "comity-key-2"), KeyFileError::NotAKeyFile),
        ("no kind", replaced(" tls", ""), KeyFileError::NotAKeyFile),
        ("no public key", replaced(&format!("public {public}\n"), ""), KeyFileError::NotAKeyFile),
        ("a line too many", format!("{}more\n", good.as_str()), KeyFileError::NotAKeyFile),
        ("an empty line at the end", format!("{}\n", good.as_str()), KeyFileError::NotAKeyFile),
        (
            "larger than a key file",
            format!("{}{}", good.as_str(), "x".repeat(2_000)),
            KeyFileError::NotAKeyFile,
        ),
        ("an unknown kind", replaced("tls", "shell"), KeyFileError::UnknownKind),
        ("a kind with a blank", replaced("tls", "tls "), KeyFileError::UnknownKind),
        ("a short public key", replaced(&public, &public[2..]), KeyFileError::BadPublicKey),
        ("a public key in upper case", replaced(&public, &public.to_uppercase()), KeyFileError::BadPublicKey),
        ("a short seed", replaced(&seed, &seed[8..]), KeyFileError::BadSeed),
        ("no seed", replaced(&seed, ""), KeyFileError::BadSeed),
        ("a seed in upper case", replaced(&seed, &seed.to_uppercase()), KeyFileError::BadSeed),
        ("a letter that base32 has not", replaced(&seed, &format!("1{}", &seed[1..])), KeyFileError::BadSeed),
        ("bits behind the seed", replaced(&seed, &format!("{}r", &seed[..51])), KeyFileError::BadSeed),
        ("another public key", replaced(&public, &another), KeyFileError::Mismatch),
        ("another seed", replaced(&seed, &format!("b{}", &seed[1..])), KeyFileError::Mismatch),
    ];
    for (name, text, expected) in table {
        assert_eq!(parse(&text).map(drop), Err(expected), "{name}");
    }
    assert_eq!(
        parse_as(KeyKind::Root, &good).map(drop),
        Err(KeyFileError::WrongKind { wanted: KeyKind::Root, found: KeyKind::Tls })
    );
    assert!(parse_as(KeyKind::Tls, &good).is_ok());
}

#[test]
fn no_error_quotes_the_file() {
    let secret = "a-secret-that-must-not-be-shown";
    for text in [secret.to_owned(), format!("{HEADER} {secret}\npublic {secret}\nseed {secret}\n")] {
        let shown = parse(&text).map(drop).expect_err("no key file").to_string();
        assert!(!shown.contains(secret));
    }
}
