//! `comity login`: makes this machine the first device of an account, by an invitation or by a
//! password. Either is a secret and is never taken from the command line.

mod refusal;

use std::path::{Path, PathBuf};

use client::{Account, Client, Introduction, Protect, Protection, Ticket};
use identity::PeeringTicket;
use wire::{limits, name::Endpoint};
use zeroize::Zeroizing;

use super::{
    account::protect::{How, says},
    peer::endpoint,
};
use crate::{
    bounds,
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{Label, Paper, Show, line},
    passphrase,
    secret::{self, Asked},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Asks for the invitation", "comity login alice@acme.test"),
    Example("From a file, or `-` for a pipe", "comity login alice@acme.test --code-file invite.txt"),
    Example(
        "A bot: nobody types a passphrase",
        "comity login alice@acme.test --code-file invite.txt --protect file",
    ),
    Example(
        "With a password; the ticket of the domain, which is no secret, says whose node it is",
        "comity login alice@acme.test --ticket \"$(cat acme.ticket)\" --password-file password.txt",
    ),
    Example(
        "The same with what is in the ticket",
        "comity login alice@acme.test --node 127.0.0.1:4433 --fingerprint \"$(cat acme.txt)\"",
    ),
];

const INVITATION: Asked = Asked {
    what: "the invitation",
    prompt: "Invitation (it is not shown): ",
    option: "--code-file",
    // A ticket is far shorter.
    bytes_max: 16_384,
};

const PASSWORD: Asked = Asked {
    what: "the password",
    prompt: "Password (it is not shown): ",
    option: "--password-file",
    bytes_max: limits::PASSWORD_BYTES_MAX,
};

/// Make this machine a device of an account
///
/// Account key and device key are made here and stay here; the node is told the public halves.
/// The invitation comes from your administrator (`comity user invite`), who may also have set a
/// password (`comity user password`). With a password you name the ticket of the domain, or node and
/// fingerprint (`comity domain show`): the password goes to that node or to none. What the device
/// keeps is sealed on the disk, by the keyring of your desktop if one runs; else a passphrase is asked
/// for, or taken from --passphrase-file.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    /// A file that holds the invitation; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "domain")]
    code_file: Option<PathBuf>,
    /// Log in with a password at the domain of this ticket: `comity-peer:` and a long word
    #[arg(long, value_name = "TICKET", value_parser = peering, group = "domain")]
    ticket: Option<PeeringTicket>,
    /// Log in with a password at this node, host:port; may be given several times
    #[arg(long = "node", value_name = "HOST:PORT", value_parser = endpoint, requires = "fingerprint", group = "domain")]
    nodes: Vec<Endpoint>,
    /// The fingerprint of the node's domain: 64 hexadecimal digits; spaces are ignored
    #[arg(long, value_name = "DIGITS", value_parser = fingerprint::parse, requires = "nodes")]
    fingerprint: Option<[u8; 32]>,
    /// A file that holds the password; `-` is stdin
    #[arg(long, value_name = "FILE", requires = "domain")]
    password_file: Option<PathBuf>,
    /// What protects the device on this machine's disk [default: a passphrase if one is given, else the keyring if one runs, else a passphrase or a key file]
    #[arg(long, value_name = "HOW")]
    protect: Option<How>,
}

/// A device that was made.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    device: String,
    directory: String,
    protection: Protection,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "device", "directory", "protection"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!("{} is logged in on this machine", paper.paint(Label::Account, &self.account)));
        paper.line(&format!("what it keeps here is protected by {}", says(self.protection)));
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let dir = context.profile_of(&args.account)?;
    if client::is_device(&dir) {
        return Err(device::failed("cannot log in", client::ClientError::AlreadyDevice(args.account)));
    }
    let proof = Proof::read(context, &args)?;
    let protect = protection(context, args.protect).await?;
    if client::is_begun(&dir) {
        context.status(&format!(
            "A login was begun here before, and this one goes on with its keys. If it was not you: rm -r {}",
            line(&dir.display().to_string())
        ));
    }
    let client = proof.log_in(&dir, &args.account, &protect).await?;
    let status = client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
    // The node needs key packages before anybody can invite this account.
    let synced = device::catch_up(context, &client).await;
    client.close().await;
    synced?;
    context.show(&Shown {
        account: args.account.to_string(),
        device: status.device.to_string(),
        directory: dir.display().to_string(),
        protection: status.protection,
    })?;
    context.hint("comity send ACCOUNT \"hello\", and comity watch");
    Ok(())
}

/// What protects the device: as it was asked for; else a passphrase, if one is given; else the
/// keyring, if one runs; else a passphrase, if one is typed.
async fn protection(context: &Context, wanted: Option<How>) -> Result<Protect, CliError> {
    let named = context.passphrase_file();
    let passphrase = match (wanted, named) {
        (Some(How::Keyring), _) => return Ok(Protect::Keyring),
        (Some(How::File), _) => None,
        (Some(How::Passphrase), _) | (None, Some(_)) => {
            Some(passphrase::choose(context, named, "--passphrase-file")?)
        }
        (None, None) if client::keyring_runs().await => return Ok(Protect::Keyring),
        (None, None) if context.can_prompt() => passphrase::offer()?,
        (None, None) => None,
    };
    Ok(passphrase.map_or(Protect::File, Protect::Passphrase))
}

/// By what the account is proved.
enum Proof {
    Ticket(Ticket),
    Password(Introduction, Zeroizing<String>),
}

impl Proof {
    fn read(context: &Context, args: &Args) -> Result<Self, CliError> {
        let what = "cannot log in";
        let Some(introduction) = introduction(args)? else {
            let text = secret::read(context, args.code_file.as_deref(), INVITATION)?;
            let ticket = client::ticket(&text).map_err(|error| device::failed(what, error))?;
            if ticket.account != args.account {
                let sentence = format!("the invitation is for {}, not for {}", ticket.account, args.account);
                return Err(CliError::usage(sentence).hint(format!("comity login {}", ticket.account)));
            }
            return Ok(Self::Ticket(ticket));
        };
        let password = secret::read(context, args.password_file.as_deref(), PASSWORD)?;
        bounds::password(what, &password)?;
        if password.is_empty() {
            return Err(CliError::usage("the password is empty"));
        }
        Ok(Self::Password(introduction, password))
    }

    async fn log_in(self, dir: &Path, account: &Account, protect: &Protect) -> Result<Client, CliError> {
        match self {
            Self::Ticket(ticket) => {
                let client = Client::login_with(dir, &ticket, protect).await;
                client.map_err(|error| refusal::of_invitation(error, account))
            }
            Self::Password(introduction, password) => {
                let client =
                    Client::login_with_password(dir, account, &introduction, &password, protect).await;
                client.map_err(|error| refusal::of_password(error, account))
            }
        }
    }
}

/// How the node is recognised, if no invitation says it.
fn introduction(args: &Args) -> Result<Option<Introduction>, CliError> {
    let Some(ticket) = &args.ticket else {
        let endpoints = args.nodes.clone();
        return Ok(args.fingerprint.map(|fingerprint| Introduction { fingerprint, endpoints }));
    };
    if ticket.domain != *args.account.domain() {
        return Err(CliError::usage(format!(
            "the ticket is of {}, not of {}",
            ticket.domain,
            args.account.domain()
        ))
        .hint("take the ticket of your own domain: comity domain show --ticket"));
    }
    Ok(Some(Introduction { fingerprint: ticket.fingerprint, endpoints: ticket.endpoints.clone() }))
}

fn peering(text: &str) -> Result<PeeringTicket, String> {
    PeeringTicket::parse(text).map_err(|code| match code {
        client::ErrorCode::Unsupported => "it is of a newer version: update comity".to_owned(),
        _ => "a ticket is a whole `comity-peer:…`, as `comity domain show --ticket` prints it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown {
            account: String::new(),
            device: String::new(),
            directory: String::new(),
            protection: Protection::File,
        };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
