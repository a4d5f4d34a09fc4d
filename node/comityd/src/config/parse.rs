//! What the text of a value means.

use std::{net::SocketAddr, num::NonZeroUsize};

use auth::Cost;
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
