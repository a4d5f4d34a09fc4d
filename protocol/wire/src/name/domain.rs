//! Domain names: lower-case ASCII DNS names.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{ErrorCode, limits};

/// A DNS name in lower case, without a final dot, of at least two labels of letters, digits and
/// inner hyphens (RFC 1123), the last of which is not a number, at most 253 bytes. Other scripts appear as their `xn--` form only,
/// so that two names which look alike are never the same value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

impl DomainName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// [NAME-1] What a person typed: upper case and one final dot are forgiven.
    ///
    /// # Errors
    /// `Malformed` if it is not a domain name even so.
    pub fn from_input(text: &str) -> Result<Self, ErrorCode> {
        text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase().parse()
    }
}

impl FromStr for DomainName {
    type Err = ErrorCode;

    // [NAME-2]
    fn from_str(text: &str) -> Result<Self, ErrorCode> {
        let well_formed = text.len() <= limits::DOMAIN_BYTES_MAX
            && text.contains('.')
            && !ends_in_digits(text)
            && text.split('.').all(label_is_well_formed);
        well_formed.then(|| Self(text.into())).ok_or(ErrorCode::Malformed)
    }
}

/// The last label is a number: an IPv4 address or something that is easily taken for one.
pub(super) fn ends_in_digits(text: &str) -> bool {
    text.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn label_is_well_formed(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
