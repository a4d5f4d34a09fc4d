//! Rows 20, 21, 22, 31 and 34 for an enrolment: whoever spends a code must prove the keys that come
//! with it.

use anyhow::Result;
use bytes::Bytes;
use identity::{AccountBinding, AccountMode, DeviceCertificate, DeviceList};
use kit::Person;
use wire::{
    DeviceId, ErrorCode, limits,
    proto::{AccountKeys, Enrol, Signed, client_request::Request, client_response::Response, enrol::Proof},
};

use crate::stage::{Strangers, node, unharmed};

type Change = Box<dyn Fn(&mut Enrol) -> Result<()>>;

/// Bit `at` of a statement's bytes, or of its signature, flipped.
fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at / 8) {
        *byte ^= 1 << (at % 8);
    }
    bytes.into()
}

fn of_code(person: &Person, code: [u8; 16]) -> Enrol {
    Enrol { account: person.account.to_string(), proof: Some(Proof::Code(code.to_vec().into())), keys: None }
}

fn keys(change: impl Fn(&mut AccountKeys) -> Result<()> + 'static) -> Change {
    Box::new(move |enrol| change(enrol.keys.get_or_insert_with(AccountKeys::default)))
}

fn of_binding(change: impl Fn(&mut Signed) + 'static) -> Change {
    keys(move |keys| {
        change(keys.binding.get_or_insert_with(Signed::default));
        Ok(())
    })
}

fn of_list(change: impl Fn(&mut Signed) + 'static) -> Change {
    keys(move |keys| {
        change(keys.device_list.get_or_insert_with(Signed::default));
        Ok(())
    })
}

fn of_certificate(change: impl Fn(&mut Signed) + 'static) -> Change {
    keys(move |keys| {
        keys.certificates.iter_mut().for_each(&change);
        Ok(())
    })
}

/// Parts that are absent, or too many.
fn incomplete() -> Vec<(&'static str, ErrorCode, Change)> {
    use ErrorCode::{Malformed, TooLarge};
    vec![
        (
            "no keys",
            Malformed,
            Box::new(|enrol| {
                enrol.keys = None;
                Ok(())
            }),
        ),
        (
            "no proof",
            Malformed,
            Box::new(|enrol| {
                enrol.proof = None;
                Ok(())
            }),
        ),
        (
            "a malformed account",
            Malformed,
            Box::new(|enrol| {
                enrol.account.push('.');
                Ok(())
            }),
        ),
        (
            "no binding",
            Malformed,
            keys(|keys| {
                keys.binding = None;
                Ok(())
            }),
        ),
        (
            "no device list",
            Malformed,
            keys(|keys| {
                keys.device_list = None;
                Ok(())
            }),
        ),
        (
            "no certificate",
            Malformed,
            keys(|keys| {
                keys.certificates.clear();
                Ok(())
            }),
        ),
        (
            "one certificate too many",
            Malformed,
            keys(|keys| {
                keys.certificates.extend(keys.certificates.clone());
                Ok(())
            }),
        ),
        (
            "a hundred certificates",
            TooLarge,
            keys(|keys| {
                keys.certificates = keys.certificates.iter().cycle().take(100).cloned().collect();
                Ok(())
            }),
        ),
    ]
}

/// A binding that is not what the account signed.
fn tampered_binding() -> Vec<(&'static str, ErrorCode, Change)> {
    use ErrorCode::{BadSignature, Malformed, TooLarge};
    vec![
        (
            "the binding's signature flipped",
            BadSignature,
            of_binding(|signed| {
                signed.account_signature = flipped(&signed.account_signature, 9);
            }),
        ),
        ("no signature of the account", BadSignature, of_binding(|signed| signed.account_signature.clear())),
        ("63 bytes of signature", BadSignature, of_binding(|signed| signed.account_signature.truncate(63))),
        (
            "signed by the domain already",
            Malformed,
            of_binding(|signed| {
                signed.signature = signed.account_signature.clone();
            }),
        ),
        (
            "a trailing byte in the binding",
            Malformed,
            of_binding(|signed| {
                signed.body = [&signed.body[..], &[0]].concat().into();
            }),
        ),
        (
            "an unknown field in the binding",
            Malformed,
            of_binding(|signed| {
                signed.body = [&signed.body[..], &[0x78, 1]].concat().into();
            }),
        ),
        (
            "a binding over its limit",
            TooLarge,
            of_binding(|signed| {
                signed.body = vec![0; limits::BINDING_BYTES_MAX + 1].into();
            }),
        ),
    ]
}

/// A list or a certificate that is not what the account signed.
fn tampered_devices() -> Vec<(&'static str, ErrorCode, Change)> {
    use ErrorCode::{BadSignature, Malformed, TooLarge};
    vec![
        (
            "the list's signature flipped",
            BadSignature,
            of_list(|signed| {
                signed.signature = flipped(&signed.signature, 300);
            }),
        ),
        (
            "a list over its limit",
            TooLarge,
            of_list(|signed| {
                signed.body = vec![0; limits::DEVICE_LIST_BYTES_MAX + 1].into();
            }),
        ),
        (
            "the certificate's signature flipped",
            BadSignature,
            of_certificate(|signed| {
                signed.signature = flipped(&signed.signature, 511);
            }),
        ),
        (
            "a certificate over its limit",
            TooLarge,
            of_certificate(|signed| {
                signed.body = vec![0; limits::CERTIFICATE_BYTES_MAX + 1].into();
            }),
        ),
        (
            "the list as a certificate",
            Malformed,
            keys(|keys| {
                keys.certificates = keys.device_list.iter().cloned().collect();
                Ok(())
            }),
        ),
        (
            "the certificate as a list",
            Malformed,
            keys(|keys| {
                keys.device_list = keys.certificates.first().cloned();
                Ok(())
            }),
        ),
    ]
}

/// Keys that are well signed, by or for somebody else.
fn borrowed(alice: &Person) -> Result<Vec<(&'static str, ErrorCode, Change)>> {
    let mallory = Person::new("mallory@acme.test")?;
    let foreign = Person { account: "alice@umbrella.test".parse()?, ..alice.clone() };
    let (list, certificate) = (mallory.device_list()?, mallory.certificate()?);
    let (mallorys, foreigns) = (mallory.enrolment()?, foreign.enrolment()?);
    Ok(vec![
        (
            "keys of another account",
            ErrorCode::AuthFailed,
            keys(move |keys| {
                *keys = mallorys.clone();
                Ok(())
            }),
        ),
        (
            "keys of another domain's account",
            ErrorCode::AuthFailed,
            keys(move |keys| {
                *keys = foreigns.clone();
                Ok(())
            }),
        ),
        (
            "another account's list",
            ErrorCode::BadSignature,
            keys(move |keys| {
                keys.device_list = Some(list.signed().clone());
                Ok(())
            }),
        ),
        (
            "another account's certificate",
            ErrorCode::BadSignature,
            keys(move |keys| {
                keys.certificates = vec![certificate.signed().clone()];
                Ok(())
            }),
        ),
    ])
}

/// Statements of the right account that do not fit together.
fn ill_fitting(alice: &Person) -> Result<Vec<(&'static str, ErrorCode, Change)>> {
    let second = Person::new("alice@acme.test")?;
    let other_device = DeviceCertificate::issue(
        &alice.account,
        DeviceId::new([9; 16]),
        &alice.device_key.public(),
        &alice.account_key,
        alice.since,
    )?;
    let two =
        [(alice.device, alice.device_key.public()), (DeviceId::new([9; 16]), second.device_key.public())];
    let unproved = DeviceList::issue(&alice.account, None, &two, &[], &alice.account_key, alice.since)?;
    let later = alice.since.plus_ms(3 * limits::CLOCK_SKEW_MS);
    let early = AccountBinding::propose(&alice.account, &alice.account_key, AccountMode::UserHeld, later)?;
    Ok(vec![
        (
            "a certificate of another device",
            ErrorCode::AuthFailed,
            keys(move |keys| {
                keys.certificates = vec![other_device.signed().clone()];
                Ok(())
            }),
        ),
        (
            "a device without certificate",
            ErrorCode::Malformed,
            keys(move |keys| {
                keys.device_list = Some(unproved.signed().clone());
                Ok(())
            }),
        ),
        (
            "a binding of the future",
            ErrorCode::AuthFailed,
            keys(move |keys| {
                keys.binding = Some(early.signed().clone());
                Ok(())
            }),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_prove_nothing_do_not_spend_the_code() -> Result<()> {
    let mut node = node()?;
    let alice = Person::new("alice@acme.test")?;
    let code = node.invite(&alice.account)?;
    let honest = Enrol {
        account: alice.account.to_string(),
        proof: Some(Proof::Code(code.to_vec().into())),
        keys: Some(alice.enrolment()?),
    };
    let mut device = Strangers::new(&node).await?;
    let mut rows = incomplete();
    rows.extend(tampered_binding());
    rows.extend(tampered_devices());
    rows.extend(borrowed(&alice)?);
    rows.extend(ill_fitting(&alice)?);
    for (what, error, change) in rows {
        let mut enrol = honest.clone();
        change(&mut enrol)?;
        assert_eq!(device.refused(Request::Enrol(enrol)).await?, error, "{what}");
    }
    let first = device.request(Request::Enrol(honest.clone())).await?;
    assert!(matches!(first, Response::Account(_)), "{first:?}");
    // An answer that was lost is repeated; other keys do not take the account over.
    assert_eq!(device.request(Request::Enrol(honest.clone())).await?, first);
    let thief = Person::new("alice@acme.test")?;
    let theft = Enrol { keys: Some(thief.enrolment()?), ..honest };
    assert_eq!(device.refused(Request::Enrol(theft)).await?, ErrorCode::AuthFailed);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bit_of_every_statement_is_under_a_signature() -> Result<()> {
    let mut node = node()?;
    let alice = Person::new("alice@acme.test")?;
    let code = node.invite(&alice.account)?;
    let honest = alice.enrolment()?;
    let mut device = Strangers::new(&node).await?;
    let parts: [fn(&mut AccountKeys) -> Option<&mut Signed>; 3] = [
        |keys| keys.binding.as_mut(),
        |keys| keys.device_list.as_mut(),
        |keys| keys.certificates.first_mut(),
    ];
    for part in parts {
        let bits = part(&mut honest.clone()).map_or(0, |signed| signed.body.len() * 8);
        for bit in 0..bits {
            let mut keys = honest.clone();
            if let Some(signed) = part(&mut keys) {
                signed.body = flipped(&signed.body, bit);
            }
            let enrol = Enrol { keys: Some(keys), ..of_code(&alice, code) };
            let error = device.refused(Request::Enrol(enrol)).await?;
            let named = matches!(
                error,
                ErrorCode::BadSignature | ErrorCode::Malformed | ErrorCode::AuthFailed | ErrorCode::Expired
            );
            assert!(named, "bit {bit}: {error}");
        }
    }
    let enrol = Enrol { keys: Some(honest), ..of_code(&alice, code) };
    device.request(Request::Enrol(enrol)).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_not_found_by_guessing() -> Result<()> {
    let mut node = node()?;
    let alice = Person::new("alice@acme.test")?;
    let code = node.invite(&alice.account)?;
    let guess = |account: &str, code: &[u8]| -> Result<Request> {
        Ok(Request::Enrol(Enrol {
            account: account.to_owned(),
            proof: Some(Proof::Code(Bytes::copy_from_slice(code))),
            keys: Some(alice.enrolment()?),
        }))
    };
    let mut device = Strangers::new(&node).await?;
    // An account that was never invited looks like a wrong code, and so does one of another domain.
    for account in ["nobody@acme.test", "alice@umbrella.test"] {
        assert_eq!(device.refused(guess(account, &code)?).await?, ErrorCode::AuthFailed);
    }
    for n in 0..32 {
        let mut wrong = code;
        wrong[n % 16] ^= 0x40;
        assert_eq!(device.refused(guess("alice@acme.test", &wrong)?).await?, ErrorCode::AuthFailed);
    }
    for wrong in [&[][..], code.get(..15).unwrap_or_default(), &[&code[..], &[0]].concat()] {
        assert_eq!(device.refused(guess("alice@acme.test", wrong)?).await?, ErrorCode::AuthFailed);
    }
    // Whoever guesses voids nothing.
    device.request(guess("alice@acme.test", &code)?).await?;
    drop(device);
    unharmed(&mut node).await
}
