//! Opening, pausing and denying a peer: one step, and four verbs that say which.

use wire::{
    DomainName,
    proto::{self, PeerMode, admin_request::Request},
};

use super::{Node, Plan, domain, peer, show};
use crate::{
    admin,
    context::Context,
    error::CliError,
    output::{PeerShown, Show as _},
};

/// The peer, and the node that is its neighbour.
#[derive(Debug, clap::Args)]
pub(super) struct Peer {
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// A step between two modes.
pub(super) struct Step {
    /// In which mode the verb finds a peer. One that is denied is not opened or paused by the way:
    /// `allow` says so in its name.
    pub(super) from: PeerMode,
    /// In which it leaves it.
    pub(super) to: PeerMode,
    /// What the peer is afterwards.
    pub(super) would: &'static str,
    /// What failed, if it does.
    pub(super) failed: &'static str,
    /// What the verb is for that takes it back, and which.
    pub(super) back: Option<(&'static str, &'static str)>,
}

impl Step {
    /// Takes the step, and shows the peer afterwards.
    ///
    /// # Errors
    /// As [`show`]; policy if it is denied.
    pub(super) async fn take(&self, context: &Context, args: &Peer) -> Result<(), CliError> {
        context.check_fields(PeerShown::FIELDS)?;
        let data = context.data(args.node.data.as_ref())?;
        let mut now = show(&data, self.failed, &args.domain).await?;
        if now.mode() == PeerMode::Denied && self.from != PeerMode::Denied {
            return Err(CliError::wire(self.failed, client::ErrorCode::Blocked.into())
                .means(format!("{} is denied", args.domain))
                .hint(format!("comity peer allow {}", args.domain)));
        }
        if args.plan.dry_run {
            return context.show(&PeerShown::planned(&now, self.would));
        }
        let nothing_to_do = now.mode() != self.from && self.to == PeerMode::Open;
        if !nothing_to_do {
            let set = proto::SetPeerMode { domain: args.domain.to_string(), mode: self.to.into() };
            let answer = admin::ask(&data, self.failed, Request::SetPeerMode(set)).await;
            now = peer(self.failed, &args.domain, answer)?;
        }
        context.show(&PeerShown::of_peer(&now))?;
        if let Some((purpose, verb)) = self.back {
            context.hint(&format!("{purpose}: comity peer {verb} {}", args.domain));
        }
        Ok(())
    }
}
