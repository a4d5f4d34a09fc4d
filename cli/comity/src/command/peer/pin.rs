//! `comity peer pin`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use client::ErrorCode;
use identity::PeeringTicket;
use wire::{DomainName, limits, name::Endpoint, proto};

use crate::{
    admin,
    command::peer::{Node, Plan, domain, endpoint},
    context::Context,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{PeerShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example(
        "With the ticket that the other administrator sent",
        "comity peer pin --ticket-file umbrella.ticket --data /var/lib/comity",
    ),
    Example(
        "With what the other administrator read to you",
        "comity peer pin umbrella.test --endpoint 127.0.0.1:4433 --fingerprint \"$(cat umbrella.txt)\"",
    ),
];

/// Recognise a domain by its ticket, or by the fingerprint of its root key
///
/// The other administrator has both from `comity domain show`, and gives them to you over a way
/// that you trust. From then on only keys that chain to this one are accepted.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// A ticket (`comity-peer:…`), `-` for a ticket on stdin, or a domain
    #[arg(value_name = "TICKET|DOMAIN", value_parser = who, required_unless_present = "ticket_file")]
    who: Option<Who>,
    /// A file that holds the ticket
    #[arg(long, value_name = "FILE", conflicts_with = "who")]
    ticket_file: Option<PathBuf>,
    /// Of a domain: where its node listens, host:port; may be given several times
    #[arg(long = "endpoint", value_name = "HOST:PORT", value_parser = endpoint)]
    endpoints: Vec<Endpoint>,
    /// Of a domain: 64 hexadecimal digits; spaces are ignored
    #[arg(long, value_name = "DIGITS", value_parser = fingerprint::parse)]
    fingerprint: Option<[u8; 32]>,
    /// Take the place of a different pin; only after asking the other side
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// What is pinned, as it was typed.
#[derive(Clone, Debug)]
enum Who {
    Domain(DomainName),
    Ticket(String),
    Stdin,
}

fn who(text: &str) -> Result<Who, String> {
    match text {
        "-" => Ok(Who::Stdin),
        _ if PeeringTicket::is_meant(text) => Ok(Who::Ticket(text.to_owned())),
        _ => domain(text).map(Who::Domain).map_err(|error| format!("{error}, a ticket like comity-peer:…")),
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PeerShown as Show>::FIELDS)?;
    let wanted = wanted(&args)?;
    let by_ticket = args.fingerprint.is_none();
    let request = proto::admin_request::Request::PinPeer(proto::PinPeer {
        domain: wanted.domain.to_string(),
        endpoints: wanted.endpoints.iter().map(ToString::to_string).collect(),
        fingerprint: wanted.fingerprint.to_vec().into(),
        replace: args.replace,
    });
    let what = format!("cannot pin {}", wanted.domain);
    let data = context.data(args.node.data.as_ref())?;
    if args.plan.dry_run {
        return plan(context, &data, &args, &wanted).await;
    }
    match admin::ask(&data, &what, request).await {
        Ok(proto::admin_response::Response::Peer(peer)) => context.show(&PeerShown::of_peer(&peer))?,
        Ok(_) => return Err(admin::unexpected(&what)),
        Err(error) if error.is(ErrorCode::Conflict) => {
            return Err(other_key(error));
        }
        Err(error) if error.is(ErrorCode::Malformed) => {
            return Err(CliError::usage(format!("{what}: a node does not pin its own domain"))
                .hint("take the ticket of the other one"));
        }
        Err(error) => return Err(error),
    }
    if by_ticket {
        context.status("Unless the ticket came on a way that you trust, compare the fingerprint by voice.");
    }
    context.hint("give the other administrator yours: comity domain show --ticket");
    context.hint(&format!("when both have pinned, try the link: comity peer retry {}", wanted.domain));
    Ok(())
}

/// Says what would be pinned, and in the place of what.
async fn plan(context: &Context, data: &Path, args: &Args, wanted: &PeeringTicket) -> Result<(), CliError> {
    let what = format!("cannot pin {}", wanted.domain);
    let request =
        proto::admin_request::Request::ShowPeer(proto::ShowPeer { domain: wanted.domain.to_string() });
    let known = match admin::ask(data, &what, request).await {
        Ok(proto::admin_response::Response::Peer(peer)) => Some(peer),
        Ok(_) => return Err(admin::unexpected(&what)),
        Err(error) if error.is(ErrorCode::NotFound) => None,
        Err(error) => return Err(error),
    };
    let other = known.as_ref().is_some_and(|peer| peer.fingerprint.as_ref() != wanted.fingerprint);
    if other && !args.replace {
        return Err(other_key(CliError::wire(what, ErrorCode::Conflict.into())));
    }
    let would = if other { "pinned in the place of another key" } else { "pinned" };
    let peer = proto::Peer {
        fingerprint: wanted.fingerprint.to_vec().into(),
        endpoints: wanted.endpoints.iter().map(ToString::to_string).collect(),
        state: Some(proto::PeerState { domain: wanted.domain.to_string(), ..Default::default() }),
        ..known.unwrap_or_default()
    };
    context.show(&PeerShown::planned(&peer, would))
}

fn other_key(error: CliError) -> CliError {
    error
        .means("another key of this domain is pinned here")
        .hint("ask the other side whether its root key changed; if so, add --replace")
}

/// The ticket, or what amounts to one.
fn wanted(args: &Args) -> Result<PeeringTicket, CliError> {
    let text = match (&args.who, &args.ticket_file) {
        (Some(Who::Domain(domain)), _) => return by_hand(args, domain),
        (Some(Who::Ticket(text)), _) => text.clone(),
        (_, Some(path)) if path.as_os_str() != "-" => {
            let mut file = File::open(path).map_err(|error| {
                CliError::usage(format!("cannot open {}", path.display())).cause(error.to_string())
            })?;
            read(&mut file)?
        }
        _ => read(&mut std::io::stdin().lock())?,
    };
    if args.fingerprint.is_some() || !args.endpoints.is_empty() {
        return Err(CliError::usage("the ticket holds endpoint and fingerprint")
            .hint("leave --endpoint and --fingerprint out, or name the domain instead of the ticket"));
    }
    PeeringTicket::parse(&text).map_err(refused)
}

fn by_hand(args: &Args, domain: &DomainName) -> Result<PeeringTicket, CliError> {
    let Some(fingerprint) = args.fingerprint else {
        return Err(CliError::usage(format!("by what is {domain} recognised? --fingerprint is missing"))
            .hint("ask its administrator for a ticket, then: comity peer pin TICKET"));
    };
    if args.endpoints.is_empty() {
        return Err(CliError::usage(format!(
            "where does the node of {domain} listen? --endpoint is missing"
        )));
    }
    Ok(PeeringTicket { domain: domain.clone(), fingerprint, endpoints: args.endpoints.clone() })
}

/// Reads no more than a ticket with the white space around it can have.
fn read(reader: &mut dyn Read) -> Result<String, CliError> {
    let mut text = String::new();
    reader
        .take(2 * limits::TICKET_BYTES_MAX as u64)
        .read_to_string(&mut text)
        .map_err(|error| CliError::usage("the ticket is not text").cause(error.to_string()))?;
    Ok(text)
}

fn refused(code: ErrorCode) -> CliError {
    match code {
        ErrorCode::Unsupported => CliError::usage("the ticket is of a newer form than this program knows")
            .hint("update comity, or pin by domain, --endpoint and --fingerprint"),
        ErrorCode::TooLarge => CliError::usage("this is too long for a ticket")
            .hint("give the one line that `comity domain show --ticket` printed, and nothing else"),
        _ => CliError::usage("the ticket is not whole, or is none").hint(
            "give the whole line that `comity domain show --ticket` printed: it begins with comity-peer:",
        ),
    }
}
