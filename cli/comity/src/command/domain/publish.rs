//! `comity domain publish`.

use std::{fs, io, path::Path};

use identity::PeeringTicket;
use prost::Message as _;
use wire::{
    name::Endpoint,
    proto::{self, Signed, admin_request::Request, admin_response::Response},
};

use crate::{
    admin,
    command::peer::{Node, Plan},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("After `comityd renew`", "comity domain publish --data /var/lib/comity"),
    Example("The DNS records for a zone file", "comity domain publish --quiet >> acme.zone"),
];

/// A document is far smaller.
const DOCUMENT_FILE_BYTES_MAX: u64 = 65_536;

/// Put the newest document into force, and print the DNS records
///
/// Documents in the data directory that the running node does not show yet, as `comityd renew` makes
/// them, take effect without a restart; peers and devices learn them with their next connection.
/// The records say where the domain's nodes are and which root key it has.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// What is in force now.
#[derive(Debug, serde::Serialize)]
struct Published {
    domain: String,
    document_seq: u64,
    published: Vec<u64>,
    records: Vec<String>,
}

impl Show for Published {
    const FIELDS: &'static [&'static str] = &["domain", "document_seq", "published", "records"];

    fn show(&self, paper: &mut Paper) {
        for record in &self.records {
            paper.line(record);
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Published::FIELDS)?;
    let what = "cannot publish";
    let data = context.data(args.node.data.as_ref())?;
    let mut document = super::document(&data, what).await?;
    let mut published = Vec::new();
    if args.plan.dry_run {
        let after = |published: &Vec<u64>| published.last().copied().unwrap_or(document.seq());
        while next_document(&data, after(&published))?.is_some() {
            published.push(after(&published).saturating_add(1));
        }
        let (domain, document_seq) = (document.domain().to_string(), document.seq());
        let records = PeeringTicket::of(&document).dns_records();
        let would = match published.last() {
            Some(seq) => {
                format!("Document {seq} would be in force; these are the records of {document_seq}.")
            }
            None => format!("Document {document_seq} is in force, and there is no newer one."),
        };
        context.show(&Published { domain, document_seq, published, records })?;
        context.status(&would);
        return Ok(());
    }
    while let Some(next) = next_document(&data, document.seq())? {
        let request = Request::TakeDocument(proto::TakeDocument { document: Some(next) });
        let Response::Domain(view) = admin::ask(&data, what, request).await? else {
            return Err(admin::unexpected(what));
        };
        document = super::read(&view, what)?;
        published.push(document.seq());
    }
    let records = PeeringTicket::of(&document).dns_records();
    let is_address = |endpoint: &&Endpoint| endpoint.host().parse::<std::net::IpAddr>().is_ok();
    let without: Vec<&Endpoint> = document.endpoints().iter().filter(is_address).collect();
    context.show(&Published {
        domain: document.domain().to_string(),
        document_seq: document.seq(),
        published: published.clone(),
        records,
    })?;
    context.status(&match published.last() {
        Some(seq) => format!("Document {seq} is in force."),
        None => format!("Document {} was in force already.", document.seq()),
    });
    for endpoint in without {
        context.warn(&format!("{endpoint} is an address: a SRV record needs a name"));
    }
    Ok(())
}

/// The document after this one, if it stands in the directory.
fn next_document(data: &Path, after: u64) -> Result<Option<Signed>, CliError> {
    let path = data.join("documents").join(format!("{}.signed", after.saturating_add(1)));
    let size = match fs::metadata(&path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error.to_string())),
    };
    if size > DOCUMENT_FILE_BYTES_MAX {
        return Err(unreadable(&path, "it is too large for a document"));
    }
    let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error.to_string()))?;
    let signed = Signed::decode(bytes.as_slice()).map_err(|_| unreadable(&path, "it is no document"))?;
    Ok(Some(signed))
}

fn unreadable(path: &Path, why: &str) -> CliError {
    CliError::storage(format!("cannot read {}", path.display()))
        .cause(why)
        .hint("restore it from a backup, or issue it again: comityd renew")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let published =
            Published { domain: String::new(), document_seq: 0, published: Vec::new(), records: Vec::new() };
        let value = serde_json::to_value(published).expect("serialises");
        let mut fields = Published::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn what_is_no_document_is_not_sent() {
        let data = tempfile::tempdir().expect("a directory");
        assert!(next_document(data.path(), 1).expect("nothing there").is_none());
        fs::create_dir(data.path().join("documents")).expect("made");
        let path = data.path().join("documents/2.signed");
        for bad in [vec![0xff; 40], vec![0; 70_000]] {
            fs::write(&path, &bad).expect("written");
            let error = next_document(data.path(), 1).expect_err("no document");
            assert_eq!(error.exit(), crate::error::exit::STORAGE);
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        assert!(next_document(data.path(), 1).is_err(), "a directory");
        assert!(next_document(data.path(), u64::MAX).expect("no overflow").is_none());
    }
}
