//! `comity login`: makes this machine the first device of an account. The invitation is a secret
//! and is never taken from the command line, where every process of the machine can read it.

use std::{fs::File, io::Read as _, path::PathBuf};

use client::{Account, Client, Protect, Protection};
use zeroize::Zeroizing;

use super::account::protect::{How, says};
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
    passphrase,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Asks for the invitation", "comity login alice@acme.test"),
    Example("From a file, or `-` for a pipe", "comity login alice@acme.test --code-file invite.txt"),
    Example(
        "A bot: nobody types a passphrase",
        "comity login alice@acme.test --code-file invite.txt --protect file",
    ),
];

/// A ticket is far shorter.
const TICKET_BYTES_MAX: usize = 16_384;

/// Make this machine a device of an account
///
/// Account key and device key are made here and stay here; the node is told the public halves.
/// The invitation comes from your administrator (`comity user invite`). What the device keeps is
/// sealed on the disk; a passphrase for it is asked for, or taken from --passphrase-file.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    /// A file that holds the invitation; `-` is stdin
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    /// What protects the device on this machine's disk [default: a passphrase if one is given, else a key file]
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
    let text = invitation(context, &args)?;
    let ticket = client::ticket(&text).map_err(|error| device::failed("cannot log in", error))?;
    if ticket.account != args.account {
        return Err(CliError::usage(format!(
            "the invitation is for {}, not for {}",
            ticket.account, args.account
        ))
        .hint(format!("comity login {}", ticket.account)));
    }
    let protect = protection(context, args.protect)?;
    let client = Client::login_with(&dir, &ticket, &protect)
        .await
        .map_err(|error| device::failed("cannot log in", error))?;
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

/// What protects the device: as it was asked for; else a passphrase, if one is given or typed.
fn protection(context: &Context, wanted: Option<How>) -> Result<Protect, CliError> {
    let named = context.passphrase_file();
    let passphrase = match (wanted, named) {
        (Some(How::File), _) => None,
        (Some(How::Passphrase), _) | (None, Some(_)) => {
            Some(passphrase::choose(context, named, "--passphrase-file")?)
        }
        (None, None) if context.can_prompt() => passphrase::offer()?,
        (None, None) => None,
    };
    Ok(passphrase.map_or(Protect::File, Protect::Passphrase))
}

fn invitation(context: &Context, args: &Args) -> Result<Zeroizing<String>, CliError> {
    let read = |reader: &mut dyn std::io::Read| -> Result<Zeroizing<String>, CliError> {
        // As large as it may become, so that no part stays behind when it grows.
        let mut text = Zeroizing::new(String::with_capacity(TICKET_BYTES_MAX));
        reader
            .take(TICKET_BYTES_MAX as u64)
            .read_to_string(&mut text)
            .map_err(|error| CliError::usage("the invitation is not text").cause(error.to_string()))?;
        Ok(text)
    };
    match &args.code_file {
        Some(path) if path.as_os_str() == "-" => read(&mut std::io::stdin().lock()),
        Some(path) => {
            let mut file = File::open(path).map_err(|error| {
                CliError::usage(format!("cannot open {}", path.display())).cause(error.to_string())
            })?;
            read(&mut file)
        }
        None if context.can_prompt() => rpassword::prompt_password("Invitation (it is not shown): ")
            .map(Zeroizing::new)
            .map_err(|error| CliError::usage("cannot ask for the invitation").cause(error.to_string())),
        None if !context.stdin_terminal() => read(&mut std::io::stdin().lock()),
        None => Err(CliError::usage("the invitation is missing")
            .hint("put it into a file and add --code-file FILE, or pipe it in with --code-file -")),
    }
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
