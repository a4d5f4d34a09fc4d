//! What the text of a value means.

use std::{net::SocketAddr, num::NonZeroUsize};

use auth::Cost;
use hyper::{Uri, http::uri::PathAndQuery};
use wire::{DomainName, proto::ContactPolicy};

pub(super) fn domain(text: &str) -> Option<DomainName> {
    DomainName::from_input(text).ok()
}

pub(super) fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

pub(super) fn address_or_off(text: &str) -> Option<Option<SocketAddr>> {
    match text {
        "off" => Some(None),
        address => self::address(address).map(Some),
    }
}

/// The address of a collector of traces: without a path it is the usual one.
pub(super) fn collector_or_off(text: &str) -> Option<Option<Uri>> {
    if text == "off" {
        return Some(None);
    }
    let mut parts = text.parse::<Uri>().ok()?.into_parts();
    let authority = parts.authority.as_ref()?;
    // A name before the host would be a secret, and nobody sends it.
    let usable = parts.scheme.as_ref()?.as_str() == "http"
        && !authority.host().is_empty()
        && !authority.as_str().contains('@');
    if parts.path_and_query.as_ref().is_none_or(|path| path.as_str() == "/") {
        parts.path_and_query = Some(PathAndQuery::from_static("/v1/traces"));
    }
    Uri::from_parts(parts).ok().filter(|_| usable).map(Some)
}

pub(super) fn contact_policy(text: &str) -> Option<ContactPolicy> {
    match text {
        "open" => Some(ContactPolicy::Open),
        "ask" => Some(ContactPolicy::Ask),
        "deny" => Some(ContactPolicy::Deny),
        _ => None,
    }
}

/// Whether presence is told.
pub(super) fn presence(text: &str) -> Option<bool> {
    match text {
        "domain" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn memory_kib(text: &str) -> Option<u32> {
    let memory_kib = text.parse().ok()?;
    Cost::new(memory_kib, Cost::LEAST.passes()).map(Cost::memory_kib)
}

pub(super) fn passes(text: &str) -> Option<u32> {
    let passes = text.parse().ok()?;
    Cost::new(Cost::LEAST.memory_kib(), passes).map(Cost::passes)
}

pub(super) fn workers(text: &str) -> Option<NonZeroUsize> {
    text.parse().ok().filter(|workers: &NonZeroUsize| workers.get() <= 64)
}

/// A number of bytes: `500 MiB`, with or without the space.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.trim_start() {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

/// The size of a file, which the protocol bounds too.
pub(super) fn file_bytes(text: &str) -> Option<u64> {
    bytes(text).filter(|bytes| *bytes <= wire::limits::FILE_BYTES_MAX as u64)
}

/// A number of days, at least one and at most ten years.
pub(super) fn days(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|days| (1..=3_650).contains(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_an_address_of_its_own_and_no_secret() {
        for (text, expected) in [
            ("off", Some(None)),
            ("http://127.0.0.1:4318", Some(Some("http://127.0.0.1:4318/v1/traces"))),
            ("http://[::1]:4318/", Some(Some("http://[::1]:4318/v1/traces"))),
            ("http://collector/otlp/traces", Some(Some("http://collector/otlp/traces"))),
            ("https://collector:4318", None),
            ("http://name:word@collector:4318", None),
            ("http://", None),
            ("127.0.0.1:4318", None),
            ("/v1/traces", None),
            ("on", None),
            ("", None),
        ] {
            let parsed = collector_or_off(text).map(|uri| uri.map(|uri| uri.to_string()));
            assert_eq!(parsed, expected.map(|uri| uri.map(str::to_owned)), "{text:?}");
        }
    }

    #[test]
    fn a_size_has_a_number_and_a_unit() {
        for (text, expected) in [
            ("1 KiB", Some(1 << 10)),
            ("100MiB", Some(100 << 20)),
            ("20 GiB", Some(20 << 30)),
            ("2 TiB", Some(2 << 40)),
            ("", None),
            ("100", None),
            ("MiB", None),
            ("0 MiB", None),
            ("-1 MiB", None),
            ("1.5 GiB", None),
            ("1 MB", None),
            ("99999999999 TiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text:?}");
        }
        assert_eq!(file_bytes("1 GiB"), Some(1 << 30));
        assert_eq!(file_bytes("2 GiB"), None);
        assert_eq!((days("0"), days("30"), days("4000"), days("x")), (None, Some(30), None, None));
    }
}
