//! `comity peer remove`.

use wire::{DomainName, proto};

use crate::{
    admin,
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Nothing is shared any more", "comity peer remove umbrella.test --yes --data /var/lib/comity")];

/// Forget a domain: its pin, its documents, and what waits for it
///
/// What people sent there and has not arrived is refused to them with `Undeliverable`; everything
/// else that waits is dropped. Rooms that both domains are in stay as they are, and stand still
/// between the two. Pinned again, the domain begins anew. To keep it out but keep what waits, deny it
/// instead.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    node: Node,
}

/// What was forgotten.
#[derive(Debug, serde::Serialize)]
struct Removed {
    domain: String,
    dropped_items: u64,
    dropped_bytes: u64,
}

impl Show for Removed {
    const FIELDS: &'static [&'static str] = &["domain", "dropped_items", "dropped_bytes"];

    fn show(&self, paper: &mut Paper) {
        let domain = paper.paint(Label::Domain, &self.domain);
        paper.line(&match self.dropped_items {
            0 => format!("{domain} is forgotten; nothing waited for it"),
            items => format!("{domain} is forgotten, and {items} items that waited for it"),
        });
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Removed::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let what = "cannot remove the domain";
    let peer = super::show(&data, what, &args.domain).await?;
    let waits = peer.state.map_or(0, |state| state.queued);
    let question = format!("Forget {}, and the {waits} items that wait for it?", args.domain);
    context.confirm(args.yes, &question)?;
    let request =
        proto::admin_request::Request::RemovePeer(proto::RemovePeer { domain: args.domain.to_string() });
    match admin::ask(&data, what, request).await? {
        proto::admin_response::Response::RemovedPeer(removed) => context.show(&Removed {
            domain: crate::output::line(&removed.domain),
            dropped_items: removed.dropped_items,
            dropped_bytes: removed.dropped_bytes,
        }),
        _ => Err(admin::unexpected(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let removed = Removed { domain: String::new(), dropped_items: 0, dropped_bytes: 0 };
        let value = serde_json::to_value(removed).expect("serialises");
        let mut fields = Removed::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
