//! `comity peer pin`.

use wire::{DomainName, name::Endpoint, proto};

use crate::{
    admin,
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{PeerShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "With what the other administrator read to you",
    "comity peer pin umbrella.test --endpoint 127.0.0.1:4433 --fingerprint \"$(cat umbrella.txt)\"",
)];

/// Recognise a domain by the fingerprint of its root key
///
/// The other administrator reads it to you from `comity domain show`, over a way that you trust.
/// From then on only keys that chain to this one are accepted.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    /// Where its node listens, host:port; may be given several times
    #[arg(long = "endpoint", value_name = "HOST:PORT", required = true)]
    endpoints: Vec<Endpoint>,
    /// 64 hexadecimal digits; spaces are ignored
    #[arg(long, value_name = "DIGITS", value_parser = fingerprint::parse)]
    fingerprint: [u8; 32],
    /// Take the place of a different pin; only after asking the other side
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PeerShown as Show>::FIELDS)?;
    let request = proto::admin_request::Request::PinPeer(proto::PinPeer {
        domain: args.domain.to_string(),
        endpoints: args.endpoints.iter().map(ToString::to_string).collect(),
        fingerprint: args.fingerprint.to_vec().into(),
        replace: args.replace,
    });
    let what = "cannot pin the domain";
    let data = context.data(args.node.data.as_ref())?;
    match admin::ask(&data, what, request).await {
        Ok(proto::admin_response::Response::Peer(peer)) => context.show(&PeerShown::of_peer(&peer)),
        Ok(_) => Err(admin::unexpected(what)),
        Err(error) if error.exit() == client::ErrorCode::Conflict.exit() => {
            Err(error.hint("ask the other side whether its root key changed; if so, add --replace"))
        }
        Err(error) => Err(error),
    }
}
