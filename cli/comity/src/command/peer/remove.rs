//! `comity peer remove`.

use wire::{DomainName, proto};

use crate::{
    admin,
    command::peer::{Node, Plan, domain},
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
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// What was forgotten.
#[derive(Debug, serde::Serialize)]
struct Removed {
    domain: String,
    dropped_items: u64,
    dropped_bytes: u64,
    dry_run: bool,
}

impl Show for Removed {
    const FIELDS: &'static [&'static str] = &["domain", "dropped_items", "dropped_bytes", "dry_run"];

    fn show(&self, paper: &mut Paper) {
        let domain = paper.paint(Label::Domain, &self.domain);
        paper.line(&match (self.dropped_items, self.dry_run) {
            (0, false) => format!("{domain} is forgotten; nothing waited for it"),
            (0, true) => format!("{domain} would be forgotten; nothing waits for it"),
            (items, false) => format!("{domain} is forgotten, and {items} items that waited for it"),
            (items, true) => format!("{domain} would be forgotten, and {items} items that wait for it"),
        });
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Removed::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let what = "cannot remove the domain";
    let peer = super::show(&data, what, &args.domain).await?;
    let state = peer.state.unwrap_or_default();
    let waits = state.queued;
    if args.plan.dry_run {
        let domain = args.domain.to_string();
        let (dropped_items, dropped_bytes) = (waits, state.queued_bytes);
        return context.show(&Removed { domain, dropped_items, dropped_bytes, dry_run: true });
    }
    let question = format!("Forget {}, and the {waits} items that wait for it?", args.domain);
    context.confirm(args.yes, &question)?;
    let request =
        proto::admin_request::Request::RemovePeer(proto::RemovePeer { domain: args.domain.to_string() });
    match admin::ask(&data, what, request).await? {
        proto::admin_response::Response::RemovedPeer(removed) => context.show(&Removed {
            domain: crate::output::line(&removed.domain),
            dropped_items: removed.dropped_items,
            dropped_bytes: removed.dropped_bytes,
            dry_run: false,
        }),
        _ => Err(admin::unexpected(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let removed = Removed { domain: String::new(), dropped_items: 0, dropped_bytes: 0, dry_run: false };
        let value = serde_json::to_value(removed).expect("serialises");
        let mut fields = Removed::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
