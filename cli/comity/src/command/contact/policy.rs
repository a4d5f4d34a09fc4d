//! `comity contact policy`: what the home node answers to those who invite this account.

use std::time::Duration;

use client::{Contact, ErrorCode};
use tokio::time::timeout;

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("What holds at present", "comity contact policy"),
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
    /// Who may; without it, what holds is shown
    policy: Option<Policy>,
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

impl From<Contact> for Policy {
    fn from(contact: Contact) -> Self {
        match contact {
            Contact::Open => Self::Open,
            Contact::Ask => Self::Ask,
            Contact::Deny => Self::Deny,
        }
    }
}

/// The policy that holds.
#[derive(Debug, serde::Serialize)]
struct Shown {
    policy: Policy,
    own: bool,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["policy", "own"];

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
    let seconds = context.timeout(args.timeout);
    let Some(policy) = args.policy else { return show(context, seconds).await };
    let wanted = match policy {
        Policy::Open => Contact::Open,
        Policy::Ask => Contact::Ask,
        Policy::Deny => Contact::Deny,
    };
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        device::within(client, "cannot set the policy", seconds, client.set_contact(wanted)).await
    })
    .await?;
    context.show(&Shown { policy, own: true })
}

async fn show(context: &Context, seconds: u64) -> Result<(), CliError> {
    const WHAT: &str = "cannot ask for the policy";
    let state = device::with(context, async |client| {
        // No device keeps it: it is the node that answers strangers.
        device::catch_up(context, client).await?;
        timeout(Duration::from_secs(seconds), client.contact_policy())
            .await
            .map_err(|_| CliError::unreachable(WHAT).hint("comity status"))?
            .map_err(|error| match device::failed(WHAT, error) {
                error if error.is(ErrorCode::Unavailable) => {
                    error.means("there is no session with your node")
                }
                error => error,
            })
    })
    .await?;
    context.show(&Shown { policy: state.policy.into(), own: state.own })?;
    if !state.own {
        context.status("So your administrator has set it for everybody who has not said anything else.");
    }
    Ok(())
}
