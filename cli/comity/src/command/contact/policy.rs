//! `comity contact policy`: what the home node answers to those who invite this account.

use client::Contact;

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Strangers may ask, and you answer", "comity contact policy ask"),
    Example("Nobody of another domain may", "comity contact policy deny"),
];

/// Say who of other domains may start a conversation with you
///
/// Your node keeps to it also while you are away. What your administrator has set holds until you
/// say something else.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Who may
    policy: Policy,
    /// Stop waiting after so many seconds [default: 30]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// Who may start a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Policy {
    /// Everybody
    Open,
    /// Everybody, and you are asked first
    Ask,
    /// Nobody
    Deny,
}

/// The policy that holds.
#[derive(Debug, serde::Serialize)]
struct Shown {
    policy: Policy,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["policy"];

    fn show(&self, paper: &mut Paper) {
        let policy = match self.policy {
            Policy::Open => "open",
            Policy::Ask => "ask",
            Policy::Deny => "deny",
        };
        paper.line(&paper.paint(Label::Good, policy));
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let policy = match args.policy {
        Policy::Open => Contact::Open,
        Policy::Ask => Contact::Ask,
        Policy::Deny => Contact::Deny,
    };
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        device::within("cannot set the policy", context.timeout(args.timeout), client.set_contact(policy))
            .await
    })
    .await?;
    context.show(&Shown { policy: args.policy })
}
