//! An invite ticket: what an administrator hands to a person, and all that a first login needs.

use std::fmt;

use bytes::Bytes;
use data_encoding::BASE32_NOPAD;
use machine::Timestamp;
use prost::Message as _;
use wire::name::Endpoint;
use wire::proto::InviteTicket;
use wire::{Account, ErrorCode, limits};
use zeroize::Zeroizing;

use crate::validity;

const PREFIX: &str = "comity-invite:";

/// An invitation to enrol. The code is a secret that works once: it is wiped when dropped and has
/// no way into a log.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct Ticket {
    /// Which account it creates.
    #[zeroize(skip)]
    pub account: Account,
    /// The one-time code.
    pub code: [u8; 16],
    /// Fingerprint of the domain's root key.
    #[zeroize(skip)]
    pub fingerprint: [u8; 32],
    /// Where the domain's nodes listen, 1 to `ENDPOINTS_MAX`.
    #[zeroize(skip)]
    pub endpoints: Vec<Endpoint>,
    /// The last second since 1970 in which the code works.
    #[zeroize(skip)]
    pub expires: u64,
}

impl Ticket {
    /// The ticket as one word of text, which holds the secret: it is the caller's to wipe.
    #[must_use]
    pub fn encode(&self) -> String {
        let ticket = InviteTicket {
            account: self.account.to_string(),
            code: Bytes::copy_from_slice(&self.code),
            fingerprint: Bytes::copy_from_slice(&self.fingerprint),
            endpoints: self.endpoints.iter().map(ToString::to_string).collect(),
            expires: self.expires,
        };
        let bytes = Zeroizing::new(ticket.encode_to_vec());
        let mut text = BASE32_NOPAD.encode(&bytes);
        text.make_ascii_lowercase();
        let text = Zeroizing::new(text);
        format!("{PREFIX}{}", text.as_str())
    }

    /// [ID-19] Reads a ticket; white space around it and upper case are forgiven.
    ///
    /// # Errors
    /// `TooLarge` or `Malformed`.
    pub fn parse(text: &str) -> Result<Self, ErrorCode> {
        let text = text.trim();
        if text.len() > limits::TICKET_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let text = Zeroizing::new(text.to_ascii_uppercase());
        let code = text.strip_prefix(&PREFIX.to_ascii_uppercase()).ok_or(ErrorCode::Malformed)?;
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| ErrorCode::Malformed)?);
        let ticket = InviteTicket::decode(bytes.as_slice()).map_err(|_| ErrorCode::Malformed)?;
        let bounded = (1..=limits::ENDPOINTS_MAX).contains(&ticket.endpoints.len());
        if !bounded || *Zeroizing::new(ticket.encode_to_vec()) != *bytes {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self {
            account: ticket.account.parse()?,
            code: ticket.code.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
            fingerprint: ticket.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
            endpoints: ticket.endpoints.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            expires: ticket.expires,
        })
    }

    /// Whether the code may still work.
    ///
    /// # Errors
    /// `Expired`.
    pub fn check_fresh(&self, now: Timestamp) -> Result<(), ErrorCode> {
        if validity::over(self.expires, now) { Err(ErrorCode::Expired) } else { Ok(()) }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket(for {})", self.account)
    }
}

#[cfg(test)]
mod tests;
