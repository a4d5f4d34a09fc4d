//! Decides nothing: shows what opens a directory and what does not, row by row.

use std::{collections::BTreeSet, fs, path::Path};

use identity::{KeyKind, SecretKey};
use zeroize::Zeroizing;

use super::{
    cost::Cost,
    keys::Key,
    open::{begin, unlock},
    wrap::{How, Wrap},
    *,
};
use crate::{ClientError, device::DeviceDir};

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned())).expect("a passphrase")
}

fn with(text: &str) -> Unlock {
    Unlock::Passphrase(passphrase(text))
}

const RIGHT: &str = "correct horse battery staple";

/// A directory that is protected so and passes for a device's, with a file in it.
async fn directory(protect: &Protect) -> (tempfile::TempDir, DeviceDir) {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = DeviceDir::new(&temp.path().join("alice@acme.test"));
    dir.create().expect("made");
    let sealed = begin(&dir, protect).await.expect("sealed");
    sealed.write("profile", b"canary").expect("written");
    (temp, dir)
}

async fn reads(dir: &DeviceDir, how: &Unlock) -> Result<Vec<u8>, ClientError> {
    let opened = unlock(dir, how).await?;
    Ok(opened.read("profile")?.expect("it is there").to_vec())
}

fn is_damaged(error: &ClientError) -> bool {
    matches!(error, ClientError::Storage { .. })
}

/// All that stands in the files of a directory.
fn bytes_of(dir: &Path) -> Vec<u8> {
    let files = fs::read_dir(dir).expect("a directory");
    files.flat_map(|file| fs::read(file.expect("a file").path()).expect("readable")).collect()
}

fn stands_in(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

#[tokio::test]
async fn a_passphrase_opens_and_nothing_else_does() {
    let (_temp, dir) = directory(&Protect::Passphrase(passphrase(RIGHT))).await;
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"canary");
    for wrong in ["Correct horse battery staple", "correct horse battery staple ", "x"] {
        let error = reads(&dir, &with(wrong)).await.expect_err("wrong");
        assert!(matches!(error, ClientError::WrongPassphrase), "{error}");
    }
    let error = reads(&dir, &Unlock::Stored).await.expect_err("nothing was given");
    assert!(matches!(error, ClientError::Locked), "{error}");
    assert_eq!(protection(dir.dir()).expect("readable"), Protection::Passphrase);
}

#[tokio::test]
async fn a_change_leaves_the_data_and_makes_an_end_of_what_opened_it() {
    let (_temp, dir) = directory(&Protect::File).await;
    let before = fs::read(dir.path("profile")).expect("readable");
    let key_file = fs::read(dir.path("seal.key")).expect("readable");
    let change = async |from: Unlock, to: Protect| change_protection(dir.dir(), &from, &to).await;

    change(Unlock::Stored, Protect::Passphrase(passphrase(RIGHT))).await.expect("changed");
    assert!(!dir.path("seal.key").exists());
    assert!(!stands_in(&bytes_of(dir.dir()), &key_file[16..]), "the old key");
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"canary");
    let old_wrap = fs::read(dir.path("seal")).expect("readable");

    let error = change(with("another"), Protect::File).await.expect_err("wrong");
    assert!(matches!(error, ClientError::WrongPassphrase), "{error}");
    let error = change(Unlock::Stored, Protect::File).await.expect_err("locked");
    assert!(matches!(error, ClientError::Locked), "{error}");

    change(with(RIGHT), Protect::Passphrase(passphrase("another one of mine"))).await.expect("changed");
    let error = reads(&dir, &with(RIGHT)).await.expect_err("the old one");
    assert!(matches!(error, ClientError::WrongPassphrase), "{error}");
    assert!(!stands_in(&bytes_of(dir.dir()), &old_wrap[old_wrap.len() - 72..]), "the old wrap");

    change(with("another one of mine"), Protect::File).await.expect("changed");
    assert_eq!(reads(&dir, &Unlock::Stored).await.expect("opened"), b"canary");
    change(Unlock::Stored, Protect::File).await.expect("it is so already");
    assert!(is_damaged(&reads(&dir, &with("another one of mine")).await.expect_err("it needs none")));
    assert_eq!(reads(&dir, &Unlock::Stored).await.expect("opened"), b"canary");
    assert_eq!(fs::read(dir.path("profile")).expect("readable"), before, "the data is as it was");
}

#[tokio::test]
async fn a_change_that_was_interrupted_leaves_what_opens() {
    let (_temp, dir) = directory(&Protect::Passphrase(passphrase(RIGHT))).await;
    // The key file was written, and then the power went.
    dir.write("seal.key", &[9; 48]).expect("written");
    let changing = dir.hold("seal.lock").expect("readable").expect("free");
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"canary");
    assert!(dir.path("seal.key").exists(), "not while somebody changes it");
    let error = change_protection(dir.dir(), &with(RIGHT), &Protect::File).await.expect_err("busy");
    assert!(matches!(error, ClientError::Owner(_)), "{error}");
    drop(changing);
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"canary");
    assert!(!dir.path("seal.key").exists());
    // The login was interrupted before the directory was a device's.
    fs::remove_file(dir.path("profile")).expect("removed");
    let again = begin(&dir, &Protect::Passphrase(passphrase(RIGHT))).await.expect("goes on");
    again.write("profile", b"canary").expect("written");
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"canary");
    let error = begin(&dir, &Protect::Passphrase(passphrase("another one"))).await.expect_err("not ours");
    assert!(matches!(error, ClientError::WrongPassphrase), "{error}");
}

#[tokio::test]
async fn keys_that_were_laid_down_are_taken_only_under_the_same_protection() {
    let asked = Protect::Passphrase(passphrase(RIGHT));
    let (_temp, dir) = directory(&Protect::File).await;
    fs::remove_file(dir.path("profile")).expect("removed");
    let before = bytes_of(dir.dir());
    let error = begin(&dir, &asked).await.expect_err("others could have its keys");
    assert!(matches!(error, ClientError::BegunOtherwise { protection: "file", .. }), "{error}");
    assert!(is_begun(dir.dir()));
    assert_eq!(bytes_of(dir.dir()), before, "nothing is wrapped anew");
    begin(&dir, &Protect::File).await.expect("goes on");
    // Nor does a passphrase lead to a key that opens without.
    let (_temp, dir) = directory(&asked).await;
    fs::remove_file(dir.path("profile")).expect("removed");
    let error = begin(&dir, &Protect::File).await.expect_err("protected otherwise");
    assert!(matches!(error, ClientError::BegunOtherwise { protection: "passphrase", .. }), "{error}");
}

#[tokio::test]
async fn what_opened_it_before_opens_also_what_is_written_later() {
    let (_temp, dir) = directory(&Protect::Passphrase(passphrase(RIGHT))).await;
    let old = fs::read(dir.path("seal")).expect("readable");
    let new = Protect::Passphrase(passphrase("another one of mine"));
    change_protection(dir.dir(), &with(RIGHT), &new).await.expect("changed");
    let sealed = unlock(&dir, &with("another one of mine")).await.expect("opened");
    sealed.write("profile", b"later").expect("written");
    // As it is said to be, in the help of the change and in `spec/13-threats.md`, section 4.
    fs::write(dir.path("seal"), old).expect("put back");
    assert_eq!(reads(&dir, &with(RIGHT)).await.expect("opened"), b"later");
}

#[tokio::test]
async fn every_damaged_wrap_is_named_and_none_opens() {
    let (_temp, dir) = directory(&Protect::File).await;
    let good = fs::read(dir.path("seal")).expect("readable");
    let mut bad: Vec<(String, Vec<u8>)> = vec![
        ("nothing".to_owned(), Vec::new()),
        ("text".to_owned(), b"hello".to_vec()),
        ("more".to_owned(), [&good[..], &good[..]].concat()),
        ("a field that is not known".to_owned(), [&good[..], &[0x78, 1]].concat()),
        ("long".to_owned(), vec![0xff; 70_000]),
    ];
    bad.extend((0..good.len()).map(|length| (format!("the first {length}"), good[..length].to_vec())));
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut flipped = good.clone();
            flipped[at] ^= 1 << bit;
            bad.push((format!("bit {bit} of byte {at}"), flipped));
        }
    }
    for (name, bytes) in bad {
        fs::write(dir.path("seal"), &bytes).expect("written");
        let error = reads(&dir, &Unlock::Stored).await.expect_err(&name);
        // One bit makes it one whose key a keyring has, which does not have it.
        assert!(is_damaged(&error) || matches!(error, ClientError::Keyring(_)), "{name}: {error}");
    }
    fs::remove_file(dir.path("seal")).expect("removed");
    assert!(is_damaged(&reads(&dir, &Unlock::Stored).await.expect_err("gone")));
}

#[tokio::test]
async fn every_damaged_key_file_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_temp, dir) = directory(&Protect::File).await;
    let good = fs::read(dir.path("seal.key")).expect("readable");
    let flip = |at: usize| {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        flipped
    };
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("half", good[..24].to_vec()),
        ("more", [&good[..], b"x"].concat()),
        ("another directory's", flip(0)),
        ("another key", flip(20)),
    ];
    for (name, bytes) in rows {
        dir.write("seal.key", &bytes).expect("written");
        let error = reads(&dir, &Unlock::Stored).await.expect_err(name);
        assert!(is_damaged(&error), "{name}: {error}");
    }
    dir.write("seal.key", &good).expect("written");
    fs::set_permissions(dir.path("seal.key"), fs::Permissions::from_mode(0o640)).expect("changed");
    let error = reads(&dir, &Unlock::Stored).await.expect_err("others may read it").to_string();
    assert!(error.contains("0600"), "{error}");
    fs::remove_file(dir.path("seal.key")).expect("removed");
    assert!(is_damaged(&reads(&dir, &Unlock::Stored).await.expect_err("gone")));
}

#[test]
fn what_a_wrap_may_cost_is_bounded() {
    for (memory, passes, fits) in [
        (19_456, 2, true),
        (65_536, 3, true),
        (1_048_576, 64, true),
        (19_455, 2, false),
        (1_048_577, 2, false),
        (19_456, 1, false),
        (19_456, 65, false),
        (0, 0, false),
        (u32::MAX, u32::MAX, false),
    ] {
        assert_eq!(Cost::new(memory, passes).is_some(), fits, "{memory} {passes}");
    }
    let least = Cost::new(19_456, 2).expect("in bounds");
    let measured = Cost::measured();
    assert!(Cost::new(measured.memory_kib, measured.passes).is_some());
    assert!(measured.memory_kib >= least.memory_kib && measured.passes >= 3);
    let how = How::Passphrase { salt: [1; 16], cost: Cost { memory_kib: 8, passes: 1 } };
    let cheap = Wrap::new([2; 16], how, &Key::random(), &Key::random()).expect("made").encode();
    assert!(Wrap::parse(&cheap).is_err(), "a passphrase that could be guessed cheaply");
}

#[tokio::test]
async fn files_open_under_their_own_name_and_as_they_were_written() {
    let (_temp, dir) = directory(&Protect::File).await;
    let opened = unlock(&dir, &Unlock::Stored).await.expect("opened");
    let key = SecretKey::from_seed(&Zeroizing::new([7; 32]));
    opened.write_key("account.key", KeyKind::Account, &key).expect("written");
    let read = opened.read_key("account.key", KeyKind::Account).expect("readable").expect("there");
    assert_eq!(read.public(), key.public());
    assert!(opened.read_key("account.key", KeyKind::Device).is_err(), "another kind");
    let good = fs::read(dir.path("account.key")).expect("readable");
    let plain = identity::key_file::encode(KeyKind::Account, &key);
    let mut flipped = good.clone();
    flipped[30] ^= 1;
    let profile = fs::read(dir.path("profile")).expect("readable");
    for (name, bytes) in [
        ("another file's", profile),
        ("one that is not sealed", plain.as_bytes().to_vec()),
        ("flipped", flipped),
        ("half", good[..good.len() / 2].to_vec()),
        ("nothing", Vec::new()),
    ] {
        fs::write(dir.path("account.key"), bytes).expect("written");
        let error = opened.read_key("account.key", KeyKind::Account).expect_err(name);
        assert!(is_damaged(&error), "{name}: {error}");
        assert!(!error.to_string().contains("seed"), "{error}");
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_files() {
    let (_temp, dir) = directory(&Protect::Passphrase(passphrase(RIGHT))).await;
    let opened = unlock(&dir, &with(RIGHT)).await.expect("opened");
    let key = SecretKey::from_seed(&Zeroizing::new([0x5a; 32]));
    opened.write_key("device.key", KeyKind::Device, &key).expect("written");
    let text = identity::key_file::encode(KeyKind::Device, &key);
    let seed = text.lines().last().and_then(|line| line.split(' ').next_back()).expect("a seed");
    let bytes = bytes_of(dir.dir());
    for secret in [
        RIGHT.as_bytes(),
        opened.master().bytes(),
        opened.key("file").bytes(),
        key.seed().as_ref(),
        seed.as_bytes(),
        b"canary",
    ] {
        assert!(!stands_in(&bytes, secret));
    }
    let different: BTreeSet<[u8; 32]> = ["file", "sum", "row/mls", "row/room", "index/mls"]
        .iter()
        .map(|what| *opened.key(what).bytes())
        .collect();
    assert_eq!(different.len(), 5);
}

#[test]
fn a_passphrase_has_bounds_and_is_never_shown() {
    let new = |text: &str| Passphrase::new(Zeroizing::new(text.to_owned()));
    let chosen = |text: &str| Passphrase::chosen(Zeroizing::new(text.to_owned()));
    assert!(new("").is_err() && chosen("").is_err());
    assert!(new(&"x".repeat(1_025)).is_err() && new(&"x".repeat(1_024)).is_ok());
    assert!(chosen("1234567").is_err() && chosen("12345678").is_ok() && new("1").is_ok());
    assert!(!format!("{:?}", Unlock::Passphrase(passphrase(RIGHT))).contains("horse"));
}
