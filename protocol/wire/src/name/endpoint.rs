//! Endpoints: where a node listens.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::{fmt, str::FromStr};

use crate::{ErrorCode, limits};

/// `host:port` of a UDP socket: a lower-case DNS name (of one label or more), an IPv4 address or a
/// bracketed IPv6 address, and a port from 1 to 65535, at most `ENDPOINT_BYTES_MAX` bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    text: String,
    port: u16,
}

impl Endpoint {
    /// The endpoint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.text.rsplit_once(':').map_or("", |(host, _)| host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = ErrorCode;

    // [NAME-5]
    fn from_str(text: &str) -> Result<Self, ErrorCode> {
        if text.len() > limits::ENDPOINT_BYTES_MAX {
            return Err(ErrorCode::Malformed);
        }
        let (host, port) = text.rsplit_once(':').ok_or(ErrorCode::Malformed)?;
        let number = port.parse::<u16>().map_err(|_| ErrorCode::Malformed)?;
        if number == 0 || number.to_string() != port || !host_is_well_formed(host) {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self { text: text.to_owned(), port: number })
    }
}

fn host_is_well_formed(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    if super::domain::ends_in_digits(host) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.len() <= limits::DOMAIN_BYTES_MAX && host.split('.').all(super::domain::label_is_well_formed)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
