//! A first login: keys are made here, the node gets public parts and adds its signature.

use std::path::Path;

use bytes::Bytes;
use engine::device::Enrolment;
use identity::Ticket;
use wire::{
    Account, ErrorCode,
    proto::{self, enrol::Proof},
};
use zeroize::Zeroizing;

use crate::{
    ClientError,
    clock::{self, SystemEntropy},
    device::{DeviceDir, is_device},
    home::{Home, Introduction},
    profile::Profile,
    quic::Connection,
    seal::{self, Protect, SealedDir},
};

/// Reads an invitation as an administrator gave it out: `comity-invite:` and a long word.
///
/// # Errors
/// `Invitation` with what is wrong with it. The text is never quoted: it holds a secret.
pub fn ticket(text: &str) -> Result<Ticket, ClientError> {
    Ticket::parse(text).map_err(|code| {
        ClientError::Invitation(match code {
            ErrorCode::TooLarge => "is too long to be one",
            _ => "is not a whole `comity-invite:...`",
        })
    })
}

/// Enrols the first device of the ticket's account in this directory, which is made if need be.
/// Repeating it after a lost answer goes on with the same keys.
///
/// # Errors
/// `AlreadyDevice`, `Unreachable`, `OtherFingerprint`, `Refused` (`Expired` if the invitation is over,
/// `AuthFailed` if it is of no use), `Storage`; `BegunOtherwise` or `WrongPassphrase` if it was begun here
/// under another protection or passphrase.
pub(crate) async fn login(dir: &Path, ticket: &Ticket, protect: &Protect) -> Result<SealedDir, ClientError> {
    refuse_device(dir, &ticket.account)?;
    ticket.check_fresh(clock::now())?;
    enrol(dir, Home::of_ticket(ticket), &Proof::Code(ticket.code.to_vec().into()), protect).await
}

/// As [`login`], with a password.
///
/// # Errors
/// As [`login`], but `Expired`.
pub(crate) async fn login_with_password(
    dir: &Path,
    account: &Account,
    introduction: &Introduction,
    password: &str,
    protect: &Protect,
) -> Result<SealedDir, ClientError> {
    refuse_device(dir, account)?;
    let password = Zeroizing::new(password.as_bytes().to_vec());
    let proof = Proof::Password(Bytes::from_owner(password));
    enrol(dir, Home::introduced(account, introduction), &proof, protect).await
}

fn refuse_device(dir: &Path, account: &Account) -> Result<(), ClientError> {
    if is_device(dir) { Err(ClientError::AlreadyDevice(account.clone())) } else { Ok(()) }
}

async fn enrol(
    dir: &Path,
    mut home: Home,
    proof: &Proof,
    protect: &Protect,
) -> Result<SealedDir, ClientError> {
    let files = DeviceDir::new(dir);
    files.create()?;
    let Some(_ownership) = files.own()? else {
        return Err(ClientError::Owner("is logging in at this moment"));
    };
    refuse_device(dir, &home.account)?;
    let files = seal::begin(&files, protect).await?;
    let enrolment = match Profile::load_enrolment(&files, &home)? {
        Some(begun) => {
            home.recall(&files)?;
            begun
        }
        None => {
            Home::forget(&files)?;
            let made = Enrolment::new(home.account.clone(), clock::now(), &mut SystemEntropy)?;
            Profile::save_enrolment(&files, &home, &made)?;
            made
        }
    };
    // [ID-30] The node is recognised before the proof leaves this machine.
    let mut connection = Connection::open(&home).await?;
    home.remember(&files, &connection.document)?;
    let request = proto::client_request::Request::Enrol(enrolment.request(proof.clone()));
    let answer = connection.ask(request).await?;
    let proto::client_response::Response::Account(keys) = answer else {
        return Err(ErrorCode::Malformed.into());
    };
    let login = enrolment.finish(&keys, &connection.document, clock::now())?;
    Profile::save(&files, &home, login.keys.device, &login.account_keys)?;
    connection.quic.close(quinn::VarInt::from_u32(0), b"");
    Ok(files)
}
