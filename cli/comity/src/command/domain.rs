//! `comity domain`: what a node's domain says about itself. For its administrator.

mod check;
mod publish;
mod show;

use std::path::Path;

use identity::DomainDocument;
use wire::proto::{self, admin_request::Request, admin_response::Response};

use crate::{admin, context::Context, error::CliError};

/// The verbs of a domain.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Show(show::Args),
    Publish(publish::Args),
    Check(check::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Show(args) => show::run(context, args).await,
        Verb::Publish(args) => publish::run(context, args).await,
        Verb::Check(args) => check::run(context, args).await,
    }
}

/// The newest document of the node's domain.
///
/// # Errors
/// Those of asking the node.
pub(super) async fn document(data: &Path, what: &str) -> Result<DomainDocument, CliError> {
    match admin::ask(data, what, Request::ShowDomain(proto::ShowDomain {})).await? {
        Response::Domain(view) => read(&view, what),
        _ => Err(admin::unexpected(what)),
    }
}

fn read(view: &proto::DomainView, what: &str) -> Result<DomainDocument, CliError> {
    let signed = view.document.clone().unwrap_or_default();
    DomainDocument::parse(&signed).map_err(|code| CliError::wire(what, code.into()))
}
