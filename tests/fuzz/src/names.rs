//! Names and the texts of files: what is accepted has one form, and gives it back.

use identity::{PeeringTicket, SealedKey, Ticket, key_file as files};
use wire::{Account, DeviceId, DomainName, Endpoint, RoomId, limits, text};

/// Every kind of name.
pub fn name(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(domain) = text.parse::<DomainName>() {
        assert_eq!(domain.as_str(), text);
        assert!(text.is_ascii() && text.len() <= limits::DOMAIN_BYTES_MAX);
        assert_eq!(DomainName::from_input(&text.to_ascii_uppercase()), Ok(domain));
    }
    if let Ok(account) = text.parse::<Account>() {
        assert_eq!(format!("{}@{}", account.local(), account.domain()), text);
        assert!(!text.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_control()));
    }
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        let (host, port) = (endpoint.host(), endpoint.port());
        assert!(text == format!("{host}:{port}") || text == format!("[{host}]:{port}"));
    }
    if let Ok(id) = text.parse::<DeviceId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<RoomId>() {
        assert_eq!(id.to_string(), text);
    }
    let _ = (Account::from_input(text), DomainName::from_input(text));
    let is_line = text::check_line(text, limits::ROOM_NAME_BYTES_MAX).is_ok();
    assert!(!is_line || !text.contains(['\0', '\n', '\u{1b}', '\u{202e}']));
}

/// Invite tickets.
pub fn ticket(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(ticket) = Ticket::parse(text) {
        assert_eq!(ticket.encode(), text.trim().to_ascii_lowercase());
    }
}

/// Peering tickets.
pub fn peering_ticket(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(ticket) = PeeringTicket::parse(text) {
        assert!(PeeringTicket::is_meant(text));
        assert_eq!(ticket.encode(), text.trim().to_ascii_lowercase());
    }
}

/// Key files, open and sealed.
pub fn key_file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(sealed) = SealedKey::parse(text) {
        assert_eq!(sealed.encode().trim_end(), text.strip_suffix('\n').unwrap_or(text));
    }
    if let Ok((kind, key)) = files::parse(text) {
        assert_eq!(files::encode(kind, &key).trim_end(), text.strip_suffix('\n').unwrap_or(text));
    }
}
