//! What a refusal means for somebody who logs in, and what they can do next.

use client::{
    Account, ClientError,
    ErrorCode::{AuthFailed, Blocked, Conflict, Expired, Misdirected, Policy, RateLimited},
};

use crate::{device, error::CliError, fingerprint};

const WHAT: &str = "cannot log in";

/// Of somebody who gave an invitation.
pub(super) fn of_invitation(error: ClientError, account: &Account) -> CliError {
    match error.code() {
        // A node does not tell the two apart, and neither can anybody else.
        Some(AuthFailed | Expired) => device::failed(WHAT, error)
            .means("the invitation was used already, has expired or was replaced by a newer one")
            .hint(format!("ask your administrator for a new one: comity user invite {account}")),
        _ => of_either(error, account, "ask your administrator for a new invitation"),
    }
}

/// Of somebody who gave a password.
pub(super) fn of_password(error: ClientError, account: &Account) -> CliError {
    let code = error.code();
    let failed = |error| device::failed(WHAT, error);
    match code {
        Some(AuthFailed) => failed(error)
            .means("the account or the password is wrong")
            .hint("type both again; your administrator can set another password: comity user password"),
        Some(Conflict) => failed(error)
            .means(format!("the password is right, but {account} has a device already"))
            .hint("only that device has its keys; if it is lost, ask your administrator"),
        Some(Policy) => failed(error)
            .means("passwords are off at this node")
            .hint("ask your administrator for an invitation"),
        Some(RateLimited) => failed(error)
            .means("too many passwords were tried")
            .hint("wait, or ask your administrator for an invitation"),
        _ => of_either(error, account, "take the ticket of your own domain from your administrator"),
    }
}

/// Whatever was given; `source` is where to get the fingerprint from.
fn of_either(error: ClientError, account: &Account, source: &str) -> CliError {
    if let ClientError::OtherFingerprint { wanted, shown } = &error {
        let groups = |bytes: &[u8; 32]| fingerprint::groups(&fingerprint::digits(bytes));
        let (wanted, shown) = (groups(wanted), groups(shown));
        return device::failed(WHAT, error)
            .means("the node showed another fingerprint than was expected; nothing was sent to it")
            .cause(format!("expected  {wanted}"))
            .cause(format!("shown     {shown}"))
            .hint(format!("{source}, and compare these digits; if they stay different, do not log in"));
    }
    let code = error.code();
    let failed = device::failed(WHAT, error);
    match code {
        Some(Blocked) => failed
            .means(format!("{account} is suspended"))
            .hint("ask your administrator, who can restore it: comity user restore"),
        Some(Misdirected) => failed
            .means(format!("the node that was reached does not serve {}", account.domain()))
            .hint(source),
        _ => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_it_means_here_and_keeps_its_class() {
        let account: Account = "alice@acme.test".parse().expect("an account");
        let other = || ClientError::OtherFingerprint { wanted: [0x11; 32], shown: [0x22; 32] };
        let rows: [(CliError, u8, &[&str]); 10] = [
            (of_invitation(AuthFailed.into(), &account), 4, &["used already, has expired or was replaced"]),
            (
                of_invitation(Expired.into(), &account),
                6,
                &["used already", "comity user invite alice@acme.test"],
            ),
            (of_invitation(Blocked.into(), &account), 5, &["is suspended", "restore"]),
            (
                of_invitation(other(), &account),
                7,
                &["another fingerprint", "1111 1111", "2222 2222", "nothing was sent"],
            ),
            (
                of_password(AuthFailed.into(), &account),
                4,
                &["the account or the password is wrong", "user password"],
            ),
            (of_password(Conflict.into(), &account), 6, &["the password is right", "a device already"]),
            (of_password(Policy.into(), &account), 5, &["passwords are off", "invitation"]),
            (of_password(RateLimited.into(), &account), 11, &["too many passwords"]),
            (
                of_password(other(), &account),
                7,
                &["another fingerprint", "1111 1111", "2222 2222", "nothing was sent"],
            ),
            (of_password(Misdirected.into(), &account), 9, &["does not serve acme.test", "ticket"]),
        ];
        for (error, exit, says) in rows {
            let said = error.json();
            assert_eq!(error.exit(), exit, "{said}");
            assert!(says.iter().all(|part| said.contains(part)), "{said}");
            // What it means elsewhere would mislead.
            assert!(!said.contains("comity peer pin") && !said.contains("speak for the name"), "{said}");
        }
    }
}
