//! Looks whether a domain's node answers at an endpoint, and is the right one, without an account.

use identity::{DomainDocument, fingerprint};
use wire::name::Endpoint;

use crate::{ClientError, home::Home, quic::Connection};

/// The newest document that the node at this endpoint shows, if the node proves a key of the domain
/// whose document this is.
///
/// # Errors
/// `Unreachable` if nothing answers, `Refused` if what answers is not the domain's node.
pub async fn probe(document: &DomainDocument, endpoint: &Endpoint) -> Result<DomainDocument, ClientError> {
    let home = Home {
        // Nobody's: no session is asked for.
        account: format!("check@{}", document.domain()).parse::<wire::Account>()?,
        fingerprint: fingerprint(document.root_key()),
        endpoints: vec![endpoint.to_string()],
        newest: None,
    };
    let connection = Connection::open(&home).await?;
    connection.quic.close(quinn::VarInt::from_u32(0), b"");
    Ok(connection.document)
}
