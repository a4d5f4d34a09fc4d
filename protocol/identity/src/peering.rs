//! A peering ticket: one line of text by which the administrator of another domain pins this one.

use core::net::IpAddr;

use bytes::Bytes;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use wire::name::Endpoint;
use wire::proto;
use wire::{DomainName, ErrorCode, limits, signed};

use crate::document::{DomainDocument, fingerprint};

const PREFIX: &str = "comity-peer:";
const LABEL: &str = "comity/v1/PeeringTicket";
const VERSION: u32 = 1;
/// Bytes behind the message, by which a slip of the hand shows.
const CHECK_BYTES: usize = 4;

/// What another administrator needs to pin a domain. It holds no secret, and proves nothing: it is
/// as good as the way on which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeeringTicket {
    /// Which domain.
    pub domain: DomainName,
    /// Fingerprint of its root key.
    pub fingerprint: [u8; 32],
    /// Where its nodes listen, 1 to `ENDPOINTS_MAX`.
    pub endpoints: Vec<Endpoint>,
}

impl PeeringTicket {
    /// The ticket of the domain whose newest document this is.
    #[must_use]
    pub fn of(document: &DomainDocument) -> Self {
        Self {
            domain: document.domain().clone(),
            fingerprint: fingerprint(document.root_key()),
            endpoints: document.endpoints().to_vec(),
        }
    }

    /// What to publish in the zone of the domain: a SRV record for each endpoint that has a name, in order
    /// of preference, and the root key (chapter 12, documents).
    #[must_use]
    pub fn dns_records(&self) -> Vec<String> {
        let domain = &self.domain;
        let named = self.endpoints.iter().filter(|endpoint| endpoint.host().parse::<IpAddr>().is_err());
        let servers = named.zip((10..).step_by(10)).map(|(endpoint, priority)| {
            let (host, port) = (endpoint.host(), endpoint.port());
            format!("_comity._udp.{domain}. 3600 IN SRV {priority} 0 {port} {host}.")
        });
        let root = HEXLOWER.encode(&self.fingerprint);
        servers.chain([format!("_comity.{domain}. 3600 IN TXT \"v=1; root={root}\"")]).collect()
    }

    /// The ticket as one word of text.
    #[must_use]
    pub fn encode(&self) -> String {
        let ticket = proto::PeeringTicket {
            version: VERSION,
            domain: self.domain.to_string(),
            fingerprint: Bytes::copy_from_slice(&self.fingerprint),
            endpoints: self.endpoints.iter().map(ToString::to_string).collect(),
        };
        let mut bytes = ticket.encode_to_vec();
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        let mut text = BASE32_NOPAD.encode(&bytes);
        text.make_ascii_lowercase();
        format!("{PREFIX}{text}")
    }

    /// Whether a text claims to be a peering ticket, so that it is not taken for something else.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let text = text.trim_start();
        text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
    }

    /// [ID-22] Reads a ticket; white space around it and upper case are forgiven.
    ///
    /// # Errors
    /// `TooLarge`; `Malformed`; `Unsupported` if it is whole but of another version.
    pub fn parse(text: &str) -> Result<Self, ErrorCode> {
        let text = text.trim();
        if text.len() > limits::TICKET_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let text = text.to_ascii_uppercase();
        let code = text.strip_prefix(&PREFIX.to_ascii_uppercase()).ok_or(ErrorCode::Malformed)?;
        let bytes = BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| ErrorCode::Malformed)?;
        let (body, found) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(ErrorCode::Malformed)?;
        if *found != check(body) {
            return Err(ErrorCode::Malformed);
        }
        let ticket = proto::PeeringTicket::decode(body).map_err(|_| ErrorCode::Malformed)?;
        if ticket.version > VERSION {
            return Err(ErrorCode::Unsupported);
        }
        let bounded = (1..=limits::ENDPOINTS_MAX).contains(&ticket.endpoints.len());
        if ticket.version != VERSION || !bounded || ticket.encode_to_vec() != body {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self {
            domain: ticket.domain.parse()?,
            fingerprint: ticket.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
            endpoints: ticket.endpoints.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        })
    }
}

fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(signed::input(LABEL, body)));
    [a, b, c, d]
}

#[cfg(test)]
mod tests;
