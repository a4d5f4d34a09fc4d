//! Rows 47 and 48: passwords that are no passwords, names that are patterns, and a thousand guesses at
//! once. Whoever guesses gets a named error, and nobody else notices.

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};
use kit::{Node, Person, RawDevice};
use wire::{
    ErrorCode, WireError, limits,
    proto::{
        AccountKeys, Enrol, GetAccount, SetPassword, admin_request, admin_response, client_request::Request,
        client_response::Response, enrol::Proof,
    },
};

use crate::stage::{node, unharmed};

const PASSWORD: &[u8] = b"correct horse battery";

fn set(node: &Node, account: &str, password: &[u8]) -> Result<()> {
    let set = SetPassword { account: account.to_owned(), password: password.to_vec().into() };
    let answer = node.ask(admin_request::Request::SetPassword(set))?;
    ensure!(matches!(answer, admin_response::Response::Done(_)), "{answer:?}");
    Ok(())
}

fn guess(account: &str, password: &[u8], keys: &AccountKeys) -> Request {
    Request::Enrol(Enrol {
        account: account.to_owned(),
        proof: Some(Proof::Password(password.to_vec().into())),
        keys: Some(keys.clone()),
    })
}

/// Another network at each number.
fn from(number: u8) -> IpAddr {
    [127, 0, 1, number].into()
}

// [SYNC-30]
#[tokio::test(flavor = "multi_thread")]
async fn no_character_of_a_password_or_a_name_means_anything() -> Result<()> {
    let mut node = node()?;
    let alice = Person::new("alice@acme.test")?;
    let keys = alice.enrolment()?;
    set(&node, "alice@acme.test", PASSWORD)?;
    set(&node, "percent@acme.test", b"100%_sure*")?;
    use ErrorCode::{AuthFailed, Malformed, TooLarge};
    let long = vec![b'a'; limits::PASSWORD_BYTES_MAX + 1];
    let rows: [(&str, &str, &[u8], ErrorCode); 18] = [
        ("SQL in the password", "alice@acme.test", b"' OR '1'='1", AuthFailed),
        ("a wildcard of SQL", "alice@acme.test", b"correct%", AuthFailed),
        ("a wildcard of LDAP", "bob@acme.test", b"*", AuthFailed),
        ("a filter of LDAP", "bob@acme.test", b"*)(uid=*))(|(uid=*", AuthFailed),
        ("NUL behind it", "alice@acme.test", b"correct horse battery\0", AuthFailed),
        ("NUL within", "alice@acme.test", b"correct horse\0battery", AuthFailed),
        ("only NUL", "bob@acme.test", b"\0", AuthFailed),
        ("no UTF-8", "bob@acme.test", b"\xff\xfe", AuthFailed),
        ("a hash", "bob@acme.test", b"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", AuthFailed),
        ("no pattern", "percent@acme.test", b"100 percent sure", AuthFailed),
        ("nothing", "alice@acme.test", b"", Malformed),
        ("a byte too many", "alice@acme.test", &long, TooLarge),
        ("a name that is a pattern", "%@acme.test", PASSWORD, Malformed),
        ("a name that is a filter", "*@acme.test", PASSWORD, Malformed),
        ("a name that is SQL", "' OR 1=1 --@acme.test", PASSWORD, Malformed),
        ("a name with NUL", "alice\0@acme.test", PASSWORD, Malformed),
        ("no name", "", PASSWORD, Malformed),
        ("an account elsewhere", "alice@umbrella.test", PASSWORD, AuthFailed),
    ];
    for (number, (what, account, password, error)) in rows.into_iter().enumerate() {
        let mut device = RawDevice::connect_from(&node, from(u8::try_from(number + 1)?)).await?;
        let refusal = device.refused(guess(account, password, &keys)).await?;
        ensure!(refusal == error, "{what}: {refusal}");
    }
    let mut device = RawDevice::connect(&node).await?;
    device.request(guess("alice@acme.test", PASSWORD, &keys)).await?;
    let known = node.log().into_iter().find(|line| line.contains("correct") || line.contains("argon2id"));
    ensure!(known.is_none(), "the log tells {known:?}");
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_a_mebibyte_is_too_large() -> Result<()> {
    let mut node = node()?;
    set(&node, "alice@acme.test", PASSWORD)?;
    let keys = Person::new("alice@acme.test")?.enrolment()?;
    let mut device = RawDevice::connect(&node).await?;
    // The connection may end while it is still being sent.
    let _ = device.send_request(guess("alice@acme.test", &vec![b'a'; 1 << 20], &keys)).await;
    ensure!(device.closed().await? == ErrorCode::TooLarge);
    unharmed(&mut node).await
}

/// Sends all that a stranger may ask on one connection, and says what came of each.
async fn guesses(node: &Node, number: usize, keys: &AccountKeys) -> Result<Vec<WireError>> {
    let mut device = RawDevice::connect_from(node, from(u8::try_from(1 + number % 4)?)).await?;
    let mut asked = Vec::new();
    for attempt in 0..limits::REQUESTS_BEFORE_HELLO_MAX {
        // Half of them at one account, half at accounts that there are none of.
        let account = match attempt % 2 {
            0 => "alice@acme.test".to_owned(),
            _ => format!("nobody{number}-{attempt}@acme.test"),
        };
        asked.push(device.send_request(guess(&account, b"wrong horse", keys)).await?);
    }
    let mut errors = Vec::new();
    for id in asked {
        match device.response(id).await {
            Ok(response) => anyhow::bail!("{response:?} is no refusal"),
            Err(error) => errors.push(error.downcast::<WireError>()?),
        }
    }
    Ok(errors)
}

// [SYNC-30]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_guesses_at_once_are_limited_and_nobody_else_waits() -> Result<()> {
    const CONNECTIONS: usize = 125;
    let mut node = node()?;
    set(&node, "alice@acme.test", PASSWORD)?;
    let keys = Person::new("alice@acme.test")?.enrolment()?;
    let (bob, mut honest) = RawDevice::enrolled(&node, "bob").await?;
    let served = {
        let attack = async {
            let mut all = Vec::new();
            let attempts = (0..CONNECTIONS).map(|number| guesses(&node, number, &keys));
            for errors in futures_of(attempts).await {
                all.extend(errors?);
            }
            anyhow::Ok(all)
        };
        let mut attack = std::pin::pin!(attack);
        let mut served = 0_usize;
        // As much as an account may ask at once; what is more would be its own fault.
        let most = limits::TOKENS_BURST / limits::COST_LOOK_UP / 2;
        let errors = loop {
            let account = bob.account.to_string();
            tokio::select! {
                errors = &mut attack => break errors?,
                answer = honest.request(Request::GetAccount(GetAccount { account })), if served < most => {
                    ensure!(matches!(answer?, Response::Account(_)), "bob is served as ever");
                    served += 1;
                }
            }
        };
        ensure!(errors.len() == CONNECTIONS * limits::REQUESTS_BEFORE_HELLO_MAX);
        let count = |code: ErrorCode| errors.iter().filter(|error| error.code == code).count();
        let (wrong, limited) = (count(ErrorCode::AuthFailed), count(ErrorCode::RateLimited));
        ensure!(wrong + limited == errors.len(), "{errors:?}");
        ensure!((1..=4 * limits::NETWORK_TRIES_BURST).contains(&wrong), "{wrong} were hashed");
        let told = errors.iter().filter(|error| error.code == ErrorCode::RateLimited);
        ensure!(told.clone().all(|error| error.retry_after_ms > 0), "they are told when to come again");
        served
    };
    ensure!(served > 0, "nobody else was served");
    // Alice is shut out for minutes; an invitation goes round it.
    let mut device = RawDevice::connect_from(&node, from(9)).await?;
    ensure!(device.refused(guess("alice@acme.test", PASSWORD, &keys)).await? == ErrorCode::RateLimited);
    let alice = Person::new("alice@acme.test")?;
    let code = node.invite(&alice.account)?;
    RawDevice::connect(&node).await?.enrol(&alice, code).await?;
    let line = node.log().into_iter().find(|line| line.contains("a password was refused"));
    let line = line.context("the administrator sees it")?;
    ensure!(line.contains("127.0.1.") && !line.contains("horse"), "{line}");
    unharmed(&mut node).await
}

/// All of them at the same time.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}
