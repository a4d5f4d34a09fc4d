//! What the text of a value means.

use std::net::SocketAddr;

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

pub(super) fn contact_policy(text: &str) -> Option<ContactPolicy> {
    match text {
        "open" => Some(ContactPolicy::Open),
        "ask" => Some(ContactPolicy::Ask),
        "deny" => Some(ContactPolicy::Deny),
        _ => None,
    }
}
